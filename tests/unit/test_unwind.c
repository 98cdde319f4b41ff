/* SPDX-License-Identifier: MIT */
/*
 * Unwind tables and expressions against values worked out by hand; whole walks are in
 * tests/unwind.
 */
#include <dwarf.h>
#include <sys/stat.h>

#include "arch/arch.h"
#include "base/mem.h"
#include "symbols/cache.h"
#include "symbols/elf_file.h"
#include "symbols/index.h"
#include "symbols/unwind.h"
#include "symbols/unwind_expr.h"
#include "tests/unit/programs.h"

static bool no_read(void *arg, uint64_t addr, void *out, size_t size)
{
	(void)arg;
	(void)addr;
	(void)out;
	(void)size;
	return false;
}

/* A word of memory is its own address plus 1. */
static bool plus_one(void *arg, uint64_t addr, void *out, size_t size)
{
	uint64_t word = addr + 1;

	(void)arg;
	memcpy(out, &word, size);
	return true;
}

static bool run_expr(const uint8_t *bytes, uint32_t size, uint64_t *out)
{
	struct unwind_regs regs = { .known = 1 << 7 | 1 << 16 };
	struct expr_input in = { .bytes = bytes, .size = size, .regs = &regs, .nr_regs = 17,
				 .word_bytes = 8, .read = plus_one };

	regs.v[7] = 0x7000;
	regs.v[16] = 0x40100b;
	return unwind_expr(&in, out);
}

#define EXPR(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void expressions(void **state)
{
	uint64_t v = 0;

	(void)state;
	/* the linker's: rsp + 8 + ((rip & 15) >= 11) * 8, here with rip & 15 == 11 */
	assert_true(run_expr(EXPR(DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
				  DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus), &v));
	assert_int_equal(v, 0x7010);
	assert_true(run_expr(EXPR(DW_OP_breg7, 0x78, DW_OP_deref), &v));         /* *(rsp - 8) */
	assert_int_equal(v, 0x6ff9);
	assert_true(run_expr(EXPR(DW_OP_lit7, DW_OP_lit2, DW_OP_minus, DW_OP_neg, DW_OP_abs), &v));
	assert_int_equal(v, 5);
	/* 1 2 3 rot -> 3 1 2; 1 - 2 = -1; 3 + -1 */
	assert_true(run_expr(EXPR(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_minus, DW_OP_plus),
			     &v));
	assert_int_equal(v, 2);
	/* over a branch that is taken */
	assert_true(run_expr(EXPR(DW_OP_lit9, DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_drop), &v));
	assert_int_equal(v, 9);
}

static void expressions_that_are_none(void **state)
{
	uint64_t v;

	(void)state;
	assert_false(run_expr(EXPR(DW_OP_plus), &v));                            /* nothing to add */
	assert_false(run_expr(EXPR(DW_OP_breg6, 0), &v));                        /* rbp is not known */
	assert_false(run_expr(EXPR(DW_OP_lit1, DW_OP_lit0, DW_OP_div), &v));
	assert_false(run_expr(EXPR(DW_OP_skip, 0xfd, 0xff), &v));                /* round and round */
	assert_false(run_expr(EXPR(DW_OP_lit1, DW_OP_skip, 5, 0), &v));          /* out of it */
	assert_false(run_expr(EXPR(DW_OP_const8u, 1, 2), &v));                   /* cut off */
	assert_false(run_expr(EXPR(DW_OP_call2, 0, 0), &v));
}

static const char rules_s[] =
	"	.text\n	.globl f\n	.type f, @function\n"
	"f:	.cfi_startproc\n"
	"	nop\n	.cfi_def_cfa_offset 16\n	.cfi_offset rbp, -16\n"
	"	nop\n	.cfi_def_cfa rbp, 24\n	.cfi_remember_state\n"
	"	nop\n	.cfi_escape 0x0f, 3, 0x76, 0x78, 6\n"            /* CFA = *(rbp - 8) */
	"	nop\n	.cfi_escape 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3a, 0x2a, 0x33, 0x24, 0x22\n"
	"	nop\n	.cfi_restore_state\n	.cfi_restore rbp\n"
	"	nop\n	.cfi_undefined rip\n"
	"	nop\n	.cfi_endproc\n	.size f, . - f\n";

static const struct unwind_rule *rule_at(struct unwind_table *t, uint64_t base, unsigned at)
{
	const struct unwind_rule *r = unwind_table_find(t, base + at);

	assert_non_null(r);
	return r;
}

static void check_rules(const char *name)
{
	struct elf_file *file;
	struct unwind_table *t;
	const struct unwind_rule *r;
	const struct unwind_save *s;
	struct nm_list list = { 0 };
	uint64_t f = 0;

	assert_int_equal(elf_file_open(&file, path_of(name)), 0);
	nm_read(&list, "", name);
	for (size_t i = 0; i < list.v.nr; i++)
		if (strcmp(list.v.v[i].name, "f") == 0)
			f = list.v.v[i].addr;
	vec_release(&list.v);
	assert_true(f);
	t = unwind_table_new(file, NULL);
	assert_null(unwind_table_find(t, f - 1));
	r = rule_at(t, f, 0);
	assert_int_equal(r->cfa, UNWIND_CFA_REG);
	assert_int_equal(r->cfa_reg, 7);
	assert_int_equal(r->offset, 8);
	assert_int_equal(r->nr_saves, 1);
	s = unwind_table_saves(t, r);
	assert_int_equal(s[0].reg, 16);
	assert_int_equal(s[0].kind, UNWIND_AT_CFA);
	assert_int_equal(s[0].value, -8);
	r = rule_at(t, f, 1);
	assert_int_equal(r->offset, 16);
	assert_int_equal(r->nr_saves, 2);
	s = unwind_table_saves(t, r);
	assert_int_equal(s[0].reg, 6);
	assert_int_equal(s[0].value, -16);
	r = rule_at(t, f, 2);
	assert_int_equal(r->cfa_reg, 6);
	assert_int_equal(r->offset, 24);
	r = rule_at(t, f, 3);
	assert_int_equal(r->cfa, UNWIND_CFA_DEREF);
	assert_int_equal(r->cfa_reg, 6);
	assert_int_equal(r->offset, -8);
	r = rule_at(t, f, 4);
	assert_int_equal(r->cfa, UNWIND_CFA_PLT);
	assert_int_equal(r->offset, 8);
	assert_int_equal(r->threshold, 10);
	r = rule_at(t, f, 5);
	assert_int_equal(r->cfa, UNWIND_CFA_REG);
	assert_int_equal(r->offset, 24);
	assert_int_equal(r->nr_saves, 1);
	r = rule_at(t, f, 6);
	s = unwind_table_saves(t, r);
	assert_int_equal(s[0].kind, UNWIND_UNDEFINED);
	assert_null(unwind_table_find(t, f + 7));
	unwind_table_free(t);
	elf_file_free(file);
}

static void rules_as_written(void **state)
{
	(void)state;
	need("gcc");
	if (arch_host() != &arch_x86_64)
		skip();
	write_file("rules.s", rules_s);
	assert_int_equal(run("gcc -nostdlib -shared -o rules.so rules.s"), 0);
	check_rules("rules.so");
}

static void no_header_no_sections_debug_frame(void **state)
{
	(void)state;
	need("gcc");
	if (arch_host() != &arch_x86_64)
		skip();
	write_file("rules.s", rules_s);
	assert_int_equal(run("gcc -nostdlib -shared -Wl,--no-eh-frame-hdr -o nohdr.so rules.s"), 0);
	check_rules("nohdr.so");
	assert_int_equal(run("(echo .cfi_sections .debug_frame; cat rules.s) >debug.s; "
			     "gcc -nostdlib -shared -o debug.so debug.s"), 0);
	check_rules("debug.so");
	assert_int_equal(run("objcopy --compress-debug-sections=zlib debug.so packed.so"), 0);
	check_rules("packed.so");
}

static void nowhere(void *arg, uint64_t addr, struct unwind_code *out)
{
	(void)arg;
	(void)addr;
	*out = (struct unwind_code){ 0 };
}

/* No code anywhere: the sampled instruction alone, and why. */
static void a_walk_keeps_what_it_has(void **state)
{
	struct unwinder *u = unwinder_new(&arch_x86_64);
	uint64_t sampled[2] = { 0x7000, 0x401000 }, stack[2] = { 0x1234, 0 }, words[4];
	struct unwind_source source = { .code = nowhere, .read = no_read, .stack_start = 0x7000,
					.stack = (const uint8_t *)stack, .stack_size = sizeof(stack) };
	struct unwind_regs regs;
	uint32_t nr = 0;

	(void)state;
	assert_false(unwind_take_regs(&arch_x86_64, 1 << 7, sampled, &regs));    /* sp alone */
	assert_true(unwind_take_regs(&arch_x86_64, 1 << 7 | 1 << 8, sampled, &regs));
	assert_int_equal(regs.v[7], 0x7000);
	assert_int_equal(regs.v[16], 0x401000);
	assert_int_equal(unwind_walk(u, &source, &regs, words, 4, &nr), UNWIND_NOT_CODE);
	assert_int_equal(nr, 2);
	assert_int_equal(words[1], 0x401000);
	/* of a process that gave its memory up nothing can be copied */
	source.stack_size = 0;
	assert_true(unwind_take_regs(&arch_x86_64, 1 << 7 | 1 << 8, sampled, &regs));
	assert_int_equal(unwind_walk(u, &source, &regs, words, 4, &nr), UNWIND_GONE);
	assert_int_equal(nr, 2);
	unwinder_free(u);
}

static void reasons_have_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		assert_true(strlen(unwind_stop_text((enum unwind_stop)i)) > 3);
	assert_string_equal(unwind_stop_text(UNWIND_STOP_COUNT), "");
}

/* --- kept in the index ----------------------------------------------------------------- */

#define KEPT_KIND INDEX_TAG('u', 'n', 'w', 'd')
#define KEPT_NAME "6b65707400000000000000000000000000000000-unwd"

/* This program itself, under a build-id that nothing else has. */
static struct elf_file *open_self(void)
{
	struct elf_file *file;

	assert_int_equal(elf_file_open(&file, "/proc/self/exe"), 0);
	memset(file->build_id, 0, sizeof(file->build_id));
	memcpy(file->build_id, "kept", 4);
	file->build_id_size = 20;
	return file;
}

static void same_rule(const struct unwind_table *a, const struct unwind_table *b, uint64_t addr)
{
	const struct unwind_rule *x = unwind_table_find(a, addr), *y = unwind_table_find(b, addr);

	assert_true(!x == !y);
	if (!x)
		return;
	assert_int_equal(x->cfa, y->cfa);
	assert_int_equal(x->cfa_reg, y->cfa_reg);
	assert_int_equal(x->offset, y->offset);
	assert_int_equal(x->ra_column, y->ra_column);
	assert_int_equal(x->is_signal, y->is_signal);
	assert_int_equal(x->nr_saves, y->nr_saves);
	if (x->nr_saves)
		assert_memory_equal(unwind_table_saves(a, x), unwind_table_saves(b, y),
				    x->nr_saves * sizeof(struct unwind_save));
}

static void kept_tables_say_the_same(void **state)
{
	struct elf_file *file = open_self();
	struct unwind_table *made, *kept;

	(void)state;
	setenv("XDG_CACHE_HOME", program_dir, 1);
	made = unwind_table_open(file, NULL);
	assert_true(unwind_table_rows(made) > 1000);
	assert_false(cache_has(CACHE_INDEX, KEPT_NAME));
	unwind_table_keep(made, file, NULL);
	assert_true(cache_has(CACHE_INDEX, KEPT_NAME));
	kept = unwind_table_open(file, NULL);
	assert_int_equal(unwind_table_rows(kept), unwind_table_rows(made));
	assert_int_equal(unwind_table_rules(kept), unwind_table_rules(made));
	assert_int_equal(unwind_table_frame_pointers(kept), unwind_table_frame_pointers(made));
	for (uint32_t i = 0; i < file->nr_loads; i++)
		for (uint64_t at = 0; file->loads[i].exec && at < file->loads[i].filesz; at++)
			same_rule(made, kept, file->loads[i].vaddr + at);
	unwind_table_free(kept);
	unwind_table_free(made);
	elf_file_free(file);
}

static uint8_t *read_kept(size_t *size)
{
	char path[256];
	struct stat st;
	uint8_t *bytes;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sonde/index/" KEPT_NAME, getenv("XDG_CACHE_HOME"));
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	assert_int_equal(fread(bytes, 1, *size, f), *size);
	fclose(f);
	return bytes;
}

/* All that the table gives out lies in what it has. */
static void use_all(const struct unwind_table *t, uint64_t code, unsigned nr_regs)
{
	for (uint64_t at = code; at < code + (1 << 20); at += 3163) {
		const struct unwind_rule *rule = unwind_table_find(t, at);
		uint32_t size;

		if (!rule)
			continue;
		assert_true(rule->cfa_reg < nr_regs && rule->ra_column < nr_regs);
		if (rule->cfa == UNWIND_CFA_EXPR)
			unwind_table_expr(t, rule->offset, &size);
		for (unsigned i = 0; i < rule->nr_saves; i++)
			assert_true(unwind_table_saves(t, rule)[i].reg < nr_regs);
	}
}

static void damaged_tables_do_no_harm(void **state)
{
	unsigned nr_regs = arch_host()->nr_dwarf_regs;
	struct elf_file *file = open_self();
	uint32_t nr_sections, step;
	size_t size, loaded = 0, refused = 0;
	uint64_t fingerprint, code = 0;
	uint8_t *bytes;

	(void)state;
	for (uint32_t i = 0; i < file->nr_loads && !code; i++)
		code = file->loads[i].exec ? file->loads[i].vaddr : 0;
	bytes = read_kept(&size);
	memcpy(&nr_sections, bytes + 20, sizeof(nr_sections));
	memcpy(&fingerprint, bytes + 24, sizeof(fingerprint));
	assert_int_equal(nr_sections, 6);
	step = (uint32_t)(size / 3000) | 1;
	for (size_t at = 72 + nr_sections * 24; at < size; at += step) {
		struct index *index;
		struct unwind_table *t;

		bytes[at] ^= 0xff;
		index = index_open_memory(bytes, size, file->build_id, 20, KEPT_KIND, fingerprint);
		assert_non_null(index);
		t = unwind_table_load(index, nr_regs);
		loaded += t != NULL;
		refused += !t;
		if (t)
			use_all(t, code, nr_regs);
		unwind_table_free(t);
		bytes[at] ^= 0xff;
	}
	assert_true(loaded > 0 && refused > 0);
	free(bytes);
	elf_file_free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
		cmocka_unit_test(expressions_that_are_none),
		cmocka_unit_test(rules_as_written),
		cmocka_unit_test(no_header_no_sections_debug_frame),
		cmocka_unit_test(a_walk_keeps_what_it_has),
		cmocka_unit_test(reasons_have_words),
		cmocka_unit_test(kept_tables_say_the_same),
		cmocka_unit_test(damaged_tables_do_no_harm),
	};

	return cmocka_run_group_tests_name("unwind", tests, programs_setup, programs_teardown);
}
