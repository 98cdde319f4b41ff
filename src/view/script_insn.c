/* SPDX-License-Identifier: MIT */
#include "view/script_insn.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "symbols/code.h"
#include "symbols/disasm.h"

struct known { uint8_t size, bytes[INSN_BYTES_MAX]; };

struct script_insns {
	struct codes *codes;
	struct disasm *disasm;           /* of the machine below; NULL: none */
	uint16_t e_machine;
	bool is_64bit, big_endian;
	struct map64 known_of;           /* hash of module and address -> index into known */
	VEC(struct known) known;
};

struct script_insns *script_insns_new(void)
{
	struct script_insns *s = mem_zalloc(sizeof(*s));

	s->codes = codes_new(NULL);
	return s;
}

void script_insns_free(struct script_insns *s)
{
	if (!s)
		return;
	disasm_free(s->disasm);
	codes_free(s->codes);
	map64_release(&s->known_of);
	vec_release(&s->known);
	free(s);
}

/* Recordings are of one machine, whose 32-bit programs may be among the others. */
static struct disasm *disasm_for(struct script_insns *s, const struct code *code)
{
	if (s->disasm && s->e_machine == code->e_machine && s->is_64bit == code->is_64bit &&
	    s->big_endian == code->big_endian)
		return s->disasm;
	disasm_free(s->disasm);
	s->disasm = NULL;
	s->e_machine = code->e_machine;
	s->is_64bit = code->is_64bit;
	s->big_endian = code->big_endian;
	if (disasm_new(&s->disasm, code->e_machine, code->is_64bit, code->big_endian, DISASM_ATT,
		       NULL) < 0)
		s->disasm = NULL;
	return s->disasm;
}

static void look_up(struct script_insns *s, const struct place *place, struct known *out)
{
	struct disasm *disasm;
	struct code code = { 0 };
	struct insn insn;

	if (!place->module || codes_read(s->codes, place->module, place->elf_addr,
					 place->elf_addr + INSN_BYTES_MAX, "", &code, NULL) < 0)
		return;
	disasm = disasm_for(s, &code);
	if (disasm && code.nr_marks)
		disasm_set_thumb(disasm, code.marks[0].kind == 't');
	if (disasm && disasm_next(disasm, code.bytes, code.size, code.addr, &insn) &&
	    insn.kind != INSN_RAW && insn.size <= INSN_BYTES_MAX) {
		out->size = insn.size;
		memcpy(out->bytes, insn.bytes, insn.size);
	}
	code_release(&code);
}

unsigned script_insn(struct script_insns *s, const struct place *place, uint8_t out[INSN_BYTES_MAX])
{
	uint64_t key = hash_mix((uint64_t)(uintptr_t)place->module, place->elf_addr);
	bool added;
	uint64_t *slot = map64_put(&s->known_of, key, &added);
	const struct known *known;

	if (added) {
		*slot = s->known.nr;
		*vec_push(&s->known) = (struct known){ 0 };
		look_up(s, place, &s->known.v[s->known.nr - 1]);
	}
	known = &s->known.v[*slot];
	memcpy(out, known->bytes, known->size);
	return known->size;
}
