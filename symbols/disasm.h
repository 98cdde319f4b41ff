/* SPDX-License-Identifier: MIT */
/*
 * disasm: machine code -> instructions, as text and as what they do.
 *
 * In: bytes and the address they run at, of any machine that capstone knows, chosen
 * by the ELF file's e_machine.  Out: one instruction after the other; bytes that are
 * no instruction come as one too (INSN_RAW), so that no byte is passed over and the
 * listing stays in step.  Nothing here knows of names: a target is an address, and who
 * prints it names it.
 *
 * Threads: a disasm belongs to one.
 */
#ifndef SYMBOLS_DISASM_H
#define SYMBOLS_DISASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum disasm_syntax {
	DISASM_ATT,              /* as objdump has it by default; other machines know one syntax */
	DISASM_INTEL,
};

enum insn_kind {
	INSN_PLAIN,
	INSN_JUMP,               /* conditional or not */
	INSN_CALL,
	INSN_RETURN,
	INSN_RAW,                /* no instruction: mnemonic is .byte, .short or .word */
};

struct insn {
	uint64_t addr;
	const uint8_t *bytes;            /* borrowed from the input */
	uint8_t size;
	enum insn_kind kind;
	bool has_target;                 /* jumps and calls to a place that they name */
	bool target_only;                /* and the operands are nothing but that */
	bool has_data;                   /* it reads, writes or takes the address `data` */
	uint64_t target, data;
	char mnemonic[40], operands[160];
};

struct disasm;

/* -EOPNOTSUPP for a machine that cannot be disassembled. */
int disasm_new(struct disasm **out, uint16_t e_machine, bool is_64bit, bool big_endian,
	       enum disasm_syntax syntax, struct err *err);
void disasm_free(struct disasm *disasm);

/* Arm code is of two kinds: 16-bit Thumb, or not. Other machines do not mind. */
void disasm_set_thumb(struct disasm *disasm, bool thumb);

/*
 * The instruction at bytes, of which `room` are there. False if there are none. Bytes
 * that cannot be decoded come as INSN_RAW, as many as belong together.
 */
bool disasm_next(struct disasm *disasm, const uint8_t *bytes, size_t room, uint64_t addr,
		 struct insn *out);

/* `size` bytes of data in the place of an instruction; at most what one INSN_RAW shows. */
void disasm_raw(const struct disasm *disasm, const uint8_t *bytes, size_t size, uint64_t addr,
		struct insn *out);

/* Whether there is a disassembler at all; else -ENOENT with a message. */
int disasm_check(struct err *err);

/* The library's version, as text, for the remark on what it does not know. */
const char *disasm_version(char buf[24]);

#endif
