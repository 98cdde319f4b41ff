/* SPDX-License-Identifier: MIT */
/*
 * cfi: the entries of .eh_frame and .debug_frame.
 *
 *	CIE   what its FDEs share: factors, how addresses are written, first instructions
 *	FDE   one function, or a part of one: [start, end) and its instructions
 *
 * In: an opened ELF file, whose bytes are hostile.  Out: entries that borrow from its
 * section; a CIE lives as long as the struct cfi that it was read into.  What cannot be
 * read is left out.
 *
 * Formats: LSB Core, "Exception Frames"; DWARF 5, 6.4.1 and 7.24.
 */
#ifndef SYMBOLS_CFI_H
#define SYMBOLS_CFI_H

#include "base/arena.h"
#include "base/hash.h"
#include "symbols/elf_file.h"

struct cfi_cie {
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra_column;
	uint8_t encoding;                /* DW_EH_PE_ of its FDEs' addresses */
	bool has_data;                   /* its FDEs have augmentation data, with its size before */
	bool is_signal;                  /* code that the kernel lets signal handlers return to */
	const uint8_t *program, *program_end;
	void *tag;                       /* the caller's, NULL at first */
};

struct cfi_fde {
	struct cfi_cie *cie;
	uint64_t start, end;             /* elf_addr, end exclusive, end > start */
	const uint8_t *program, *program_end;
};

struct cfi {
	struct elf_file *file;
	const Elf_Data *data;
	Elf_Data found;                  /* `data` of a file without sections */
	uint64_t addr;                   /* of the section */
	bool is_eh;
	struct arena arena;
	struct map64 cies;               /* offset -> struct cfi_cie * */
};

/*
 * Open .eh_frame, or .debug_frame with `debug`; a file without section headers has its
 * .eh_frame found by PT_GNU_EH_FRAME. False if there is none: nothing to release.
 */
bool cfi_init(struct cfi *cfi, struct elf_file *file, bool debug);
void cfi_release(struct cfi *cfi);

typedef void cfi_fde_fn(const struct cfi_fde *fde, void *arg);

/* Call `fn` for each FDE, in the section's order. */
void cfi_each(struct cfi *cfi, cfi_fde_fn *fn, void *arg);

/* An unsigned number of `size` bytes in the file's order. */
uint64_t cfi_uint(const struct cfi *cfi, const uint8_t *p, unsigned size);

/*
 * Decode an address written in `encoding` (LSB Core, "DWARF Exception Header Encoding"),
 * which stands at *p before `end`, and step over it. False for what is not used for code.
 */
bool cfi_address(const struct cfi *cfi, const uint8_t **p, const uint8_t *end, uint8_t encoding,
		 uint64_t *out);

/* LEB128 (DWARF 5, 7.6): step over one; at the end of the bytes the value is cut off. */
uint64_t uleb_next(const uint8_t **p, const uint8_t *end);
int64_t sleb_next(const uint8_t **p, const uint8_t *end);

#endif
