/* SPDX-License-Identifier: MIT */
/*
 * disasm: bytes and what objdump 2.40 says of them (its addresses, mnemonics and targets).
 *
 *	test_disasm --dump FILE     every executable section of FILE, "ADDRESS<TAB>TEXT", for
 *	                            tests/e2e/annotate.bats, which compares that with objdump
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "symbols/disasm.h"
#include "symbols/elf_file.h"

static struct disasm *start(uint16_t machine, bool is_64bit, enum disasm_syntax syntax)
{
	struct err err = ERR_INIT;
	struct disasm *d;

	assert_int_equal(disasm_new(&d, machine, is_64bit, false, syntax, &err), 0);
	return d;
}

static struct insn one(struct disasm *d, const char *bytes, size_t n, uint64_t addr)
{
	struct insn insn;

	assert_true(disasm_next(d, (const uint8_t *)bytes, n, addr, &insn));
	return insn;
}

#define ONE(d, bytes, addr) one(d, bytes, sizeof(bytes) - 1, addr)

static void says(const struct insn *insn, unsigned size, const char *mnemonic, const char *operands)
{
	assert_int_equal(insn->size, size);
	assert_string_equal(insn->mnemonic, mnemonic);
	assert_string_equal(insn->operands, operands);
}

static void x86_reads_as_objdump_writes_it(void **state)
{
	struct disasm *d = start(EM_X86_64, true, DISASM_ATT);
	struct insn i;

	(void)state;
	i = ONE(d, "\xf7\xf1", 0x17a4);
	says(&i, 2, "div", "%ecx");
	i = ONE(d, "\x83\xc1\x01", 0);
	says(&i, 3, "add", "$0x1,%ecx");
	i = ONE(d, "\xc7\x44\x24\x08\x05\x00\x00\x00", 0);
	says(&i, 8, "movl", "$0x5,0x8(%rsp)");
	disasm_free(d);
}

static void x86_names_places(void **state)
{
	struct disasm *d = start(EM_X86_64, true, DISASM_ATT);
	struct insn i;

	(void)state;
	/* 1793: 76 23  jbe 17b8 */
	i = ONE(d, "\x76\x23", 0x1793);
	assert_int_equal(i.kind, INSN_JUMP);
	assert_true(i.has_target && i.target_only);
	assert_int_equal(i.target, 0x17b8);
	/* 11c9: e8 f2 05 00 00  call 17c0 */
	i = ONE(d, "\xe8\xf2\x05\x00\x00", 0x11c9);
	assert_int_equal(i.kind, INSN_CALL);
	assert_int_equal(i.target, 0x17c0);
	assert_string_equal(i.mnemonic, "call");
	/* 121b: 48 8d 3d fc 0d 00 00  lea 0xdfc(%rip),%rdi # 201e */
	i = ONE(d, "\x48\x8d\x3d\xfc\x0d\x00\x00", 0x121b);
	assert_true(i.has_data && !i.has_target);
	assert_int_equal(i.data, 0x201e);
	/* ff e0  jmp *%rax: nobody can tell where to */
	i = ONE(d, "\xff\xe0", 0);
	assert_int_equal(i.kind, INSN_JUMP);
	assert_false(i.has_target);
	i = ONE(d, "\xc3", 0);
	assert_int_equal(i.kind, INSN_RETURN);
	disasm_free(d);
}

static void intel_syntax_is_intel_s(void **state)
{
	struct disasm *d = start(EM_X86_64, true, DISASM_INTEL);
	struct insn i = ONE(d, "\x48\x8b\x44\x24\x08", 0);

	(void)state;
	says(&i, 5, "mov", "rax, qword ptr [rsp + 8]");
	disasm_free(d);
}

static void unknown_bytes_keep_the_step(void **state)
{
	struct disasm *d = start(EM_X86_64, true, DISASM_ATT);
	struct insn i;

	(void)state;
	/* 06 is no instruction in 64-bit code */
	i = ONE(d, "\x06\xc3", 0x10);
	assert_int_equal(i.kind, INSN_RAW);
	says(&i, 1, ".byte", "0x06");
	/* 0f b9 cc  ud1 %esp,%ecx is three bytes long */
	i = ONE(d, "\x0f\xb9\xcc\xc3", 0x10);
	assert_int_equal(i.size, 3);
	assert_string_equal(i.mnemonic, "ud1");
	/* 0f 01 ef  wrpkru, whether the decoder knows it or not */
	i = ONE(d, "\x0f\x01\xef\xc3", 0x10);
	assert_int_equal(i.size, 3);
	/* cut short */
	i = ONE(d, "\xe8\xf2", 0x10);
	assert_int_equal(i.kind, INSN_RAW);
	assert_in_range(i.size, 1, 2);
	assert_false(disasm_next(d, (const uint8_t *)"", 0, 0, &i));
	disasm_free(d);
}

static void aarch64(void **state)
{
	struct disasm *d = start(EM_AARCH64, true, DISASM_ATT);
	struct insn i;

	(void)state;
	/* 7cc: 1ac10c42  sdiv w2, w2, w1 */
	i = ONE(d, "\x42\x0c\xc1\x1a", 0x7cc);
	says(&i, 4, "sdiv", "w2, w2, w1");
	/* 7d8: 54ffff41  b.ne 7c0 */
	i = ONE(d, "\x41\xff\xff\x54", 0x7d8);
	assert_int_equal(i.kind, INSN_JUMP);
	assert_true(i.target_only);
	assert_int_equal(i.target, 0x7c0);
	/* 97ffffff  bl . - 4 */
	i = ONE(d, "\xff\xff\xff\x97", 0x1000);
	assert_int_equal(i.kind, INSN_CALL);
	assert_int_equal(i.target, 0xffc);
	i = ONE(d, "\xc0\x03\x5f\xd6", 0x1000);
	assert_int_equal(i.kind, INSN_RETURN);
	/* 7ac: 90000104  adrp x4, 20000: a page, which is no place that has a name */
	i = ONE(d, "\x04\x01\x00\x90", 0x7ac);
	says(&i, 4, "adrp", "x4, #0x20000");
	assert_false(i.has_data);
	/* 00000000 is udf, which older decoders do not know: a word, and the next one follows */
	i = ONE(d, "\x00\x00\x00\x00", 0x1000);
	assert_int_equal(i.size, 4);
	disasm_free(d);
}

static void arm_is_of_two_kinds(void **state)
{
	struct disasm *d = start(EM_ARM, false, DISASM_ATT);
	struct insn i;

	(void)state;
	/* e0800001  add r0, r0, r1 */
	i = ONE(d, "\x01\x00\x80\xe0", 0x100);
	says(&i, 4, "add", "r0, r0, r1");
	disasm_set_thumb(d, true);
	/* 1840  adds r0, r0, r1; 4770  bx lr */
	i = ONE(d, "\x40\x18\x70\x47", 0x100);
	says(&i, 2, "adds", "r0, r0, r1");
	disasm_set_thumb(d, false);
	i = ONE(d, "\x01\x00\x80\xe0", 0x100);
	assert_int_equal(i.size, 4);
	disasm_free(d);
}

static void an_unknown_machine_is_named(void **state)
{
	struct err err = ERR_INIT;
	struct disasm *d;

	(void)state;
	assert_int_equal(disasm_new(&d, 0x7777, true, false, DISASM_ATT, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.msg, "30583"));
}

/* --- everything in a file ------------------------------------------------------------------- */

struct marks { uint64_t *v; size_t nr, next; };

static int by_addr(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Where symbols stand: objdump begins anew at each, and so does a listing, function by function. */
static struct marks read_marks(struct elf_file *file)
{
	struct marks marks = { 0 };
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	GElf_Sym sym;

	while ((scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		data = elf_getdata(scn, NULL);
		marks.v = mem_zalloc((shdr.sh_size / shdr.sh_entsize + 1) * sizeof(*marks.v));
		for (int i = 0; data && gelf_getsym(data, i, &sym); i++)
			if (GELF_ST_TYPE(sym.st_info) == STT_FUNC || GELF_ST_TYPE(sym.st_info) == STT_NOTYPE)
				marks.v[marks.nr++] = sym.st_value;
	}
	if (marks.nr)
		qsort(marks.v, marks.nr, sizeof(*marks.v), by_addr);
	return marks;
}

/* Of `room` bytes at addr, those before the next symbol. */
static size_t before_mark(struct marks *marks, uint64_t addr, size_t room)
{
	while (marks->next && marks->v[marks->next - 1] > addr)
		marks->next--;
	while (marks->next < marks->nr && marks->v[marks->next] <= addr)
		marks->next++;
	if (marks->next < marks->nr && marks->v[marks->next] - addr < room)
		return (size_t)(marks->v[marks->next] - addr);
	return room;
}

static int dump(const char *path)
{
	struct err err = ERR_INIT;
	struct elf_file *file;
	struct marks marks;
	struct disasm *d;
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	if (elf_file_open(&file, path) < 0 ||
	    disasm_new(&d, file->machine, file->is_64bit, false, DISASM_ATT, &err) < 0)
		return 1;
	marks = read_marks(file);
	while ((scn = elf_nextscn(file->elf, scn))) {
		Elf_Data *data;
		struct insn insn;

		if (!gelf_getshdr(scn, &shdr) || !(shdr.sh_flags & SHF_EXECINSTR))
			continue;
		data = elf_file_data(scn);
		for (size_t at = 0; data && at < data->d_size; at += insn.size) {
			size_t room = before_mark(&marks, shdr.sh_addr + at, data->d_size - at);

			if (!disasm_next(d, (const uint8_t *)data->d_buf + at, room, shdr.sh_addr + at, &insn))
				break;
			printf("%llx\t%s %s\n", (unsigned long long)insn.addr, insn.mnemonic, insn.operands);
		}
	}
	free(marks.v);
	disasm_free(d);
	elf_file_free(file);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_reads_as_objdump_writes_it),
		cmocka_unit_test(x86_names_places),
		cmocka_unit_test(intel_syntax_is_intel_s),
		cmocka_unit_test(unknown_bytes_keep_the_step),
		cmocka_unit_test(aarch64),
		cmocka_unit_test(arm_is_of_two_kinds),
		cmocka_unit_test(an_unknown_machine_is_named),
	};

	if (argc == 3 && strcmp(argv[1], "--dump") == 0)
		return dump(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
