/* SPDX-License-Identifier: MIT */
/*
 * arch: what is different between machines.
 *
 * One file per architecture, all compiled into every build and chosen by the
 * recording's or the ELF file's machine, never the host's: a recording of a
 * phone is read on a server.  A port is one file with one struct arch and its
 * line in arch.c.
 *
 * In: a name as uname -m spells it, or an ELF e_machine.  Out: a constant table.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arch {
	const char *name;                /* "x86_64" */
	const char *const *aliases;      /* further uname -m names, NULL-terminated; may be NULL */
	uint16_t e_machine;              /* EM_; 0 for the fall-back */
	bool is_64bit;

	/* PERF_SAMPLE_REGS_USER: bit number -> name as perf prints it; NULL: no such register */
	const char *const *regs;
	unsigned nr_regs;
	int reg_ip, reg_sp;              /* bit numbers, or -1 */

	/* Whether code at this address ran in kernel mode (default memory splits). */
	bool (*is_kernel_addr)(uint64_t addr);

	/* The procedure linkage table: bytes before the first entry, and of an entry. */
	unsigned plt_header_size, plt_entry_size;
	unsigned plt_align;              /* entries start at multiples of this */
	/*
	 * Decode the PLT entry at `code` (`room` bytes are there), which stands at
	 * `addr`: *slot is the address of the GOT word it jumps through. `got` is the
	 * address of .got.plt. False if these bytes are no entry. NULL: cannot.
	 */
	bool (*plt_slot)(const uint8_t *code, size_t room, uint64_t addr, uint64_t got,
			 uint64_t *slot);
	uint32_t reloc_irelative;        /* R_*_IRELATIVE, 0: none */

	/*
	 * Unwinding. The DWARF number of a register -> its bit in sample_regs_user, for
	 * the registers that frames are found by; 0 registers: stacks cannot be unwound.
	 */
	const uint8_t *dwarf_regs;
	uint8_t nr_dwarf_regs;           /* at most ARCH_DWARF_REGS_MAX */
	uint8_t dwarf_sp, dwarf_fp, dwarf_ip;
	uint8_t dwarf_ra;                /* where a call leaves its return address: dwarf_ip: on the stack */
	/* A return address as it was saved -> the address itself. NULL: they are the same. */
	uint64_t (*code_addr)(uint64_t saved);
	/*
	 * Whether the code at a return address (`room` bytes are there) is what signal
	 * handlers return to, and where in the frame below it, counted from the stack
	 * pointer, the kernel has saved the register with this DWARF number; -1: nowhere.
	 * For trampolines without unwind tables. NULL: not known.
	 */
	bool (*is_sigreturn)(const uint8_t *code, size_t room);
	uint8_t sigreturn_step;          /* bytes of its first instruction */
	int (*sigframe_offset)(unsigned dwarf_reg);
	/*
	 * Whether a call ends at `ra`, by the ARCH_CALL_BYTES before it; *target is where a
	 * direct one leads, 0 for others. NULL: cannot tell, or calls push nothing.
	 */
	bool (*is_call)(const uint8_t *before, uint64_t ra, uint64_t *target);
};

#define ARCH_CALL_BYTES 7

#define ARCH_DWARF_REGS_MAX 33

/* The architecture of this name, or the fall-back, which knows nothing. Never NULL. */
const struct arch *arch_find(const char *name);

/* The architecture of an ELF file's e_machine, or the fall-back. Never NULL. */
const struct arch *arch_of_machine(uint16_t e_machine, bool is_64bit);

/* The architecture this program was built for. */
const struct arch *arch_host(void);

/* Name of register `index`, or NULL. */
const char *arch_reg_name(const struct arch *arch, unsigned index);

/* All of them, NULL-terminated: for tests and lists. */
extern const struct arch *const arch_all[];

extern const struct arch arch_x86_64, arch_i386, arch_aarch64, arch_arm, arch_generic;

#endif
