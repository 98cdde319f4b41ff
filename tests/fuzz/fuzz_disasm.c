/* SPDX-License-Identifier: MIT */
/*
 * disasm: bytes of any machine. The first byte chooses the machine and the syntax, the rest
 * is code. Every byte has to come out, in order, in pieces that are not empty.
 */
#include <elf.h>

#include "symbols/disasm.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct { uint16_t machine; bool is_64bit, big_endian; } kinds[] = {
		{ EM_X86_64, true, false }, { EM_386, false, false }, { EM_AARCH64, true, false },
		{ EM_ARM, false, false }, { EM_PPC64, true, true }, { EM_S390, true, true },
		{ EM_MIPS, true, true }, { EM_SPARCV9, true, true },
	};
	struct err err = ERR_INIT;
	struct disasm *d;
	unsigned kind;
	size_t at = 1;

	if (size < 2)
		return 0;
	kind = bytes[0] & 7;
	if (disasm_new(&d, kinds[kind].machine, kinds[kind].is_64bit, kinds[kind].big_endian,
		       bytes[0] & 8 ? DISASM_INTEL : DISASM_ATT, &err) < 0)
		return 0;
	disasm_set_thumb(d, bytes[0] & 16);
	while (at < size) {
		struct insn insn;

		fuzz_assert(disasm_next(d, bytes + at, size - at, 0x1000 + at, &insn));
		fuzz_assert(insn.size && insn.size <= size - at && insn.bytes == bytes + at);
		fuzz_assert(insn.addr == 0x1000 + at && insn.mnemonic[0]);
		fuzz_assert(strlen(insn.mnemonic) < sizeof(insn.mnemonic) &&
			    strlen(insn.operands) < sizeof(insn.operands));
		at += insn.size;
	}
	disasm_free(d);
	return 0;
}
