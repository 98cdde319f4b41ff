/* SPDX-License-Identifier: MIT */
#include "symbols/unwind_table.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/log.h"
#include "base/vec.h"
#include "symbols/cfi.h"
#include "symbols/index.h"
#include "symbols/unwind_program.h"

/* What a damaged file may make of its few bytes; sound ones stay far below. */
#define RULES_MAX (1u << 20)
#define SAVES_MAX (1u << 22)
#define EXPR_BYTES_MAX (1u << 24)
#define ENTRY_BYTES 64
/* To be raised when what is in the tables changes. */
#define KEPT_VERSION 1
#define KIND INDEX_TAG('u', 'n', 'w', 'd')
/* Tables that are as soon made as read. */
#define WORTH_ROWS 1000

struct row {
	uint32_t at, rule;               /* from table->base on; index of the rule */
};

/* What is not an array, as it is kept. */
struct facts {
	uint64_t base, entry, code_bytes, fp_bytes;
};

struct unwind_table {
	uint64_t base, entry;
	VEC(struct row) rows;
	VEC(struct unwind_rule) rules;   /* [0]: none */
	VEC(struct unwind_save) saves;
	VEC(struct unwind_expr) exprs;
	VEC(uint8_t) bytes;
	uint64_t code_bytes, fp_bytes;
	struct index *index;             /* the arrays are its; NULL: they are our own */
};

/* An FDE and the section it is from: .eh_frame before .debug_frame. */
struct entry {
	struct cfi_fde fde;
	struct cfi *cfi;
	uint32_t rank, seq;
};

struct builder {
	struct unwind_table *table;
	const struct arch *arch;
	VEC(struct entry) entries;
	struct map64 rules;              /* hash -> index */
	struct map64 exprs;
	struct cfi *cfi;                 /* being read */
	uint32_t rank;
	uint64_t row_from;               /* rows before it are taken already */
	uint64_t row_end;
};

/* --- rules, each distinct one once --------------------------------------------------- */

static int32_t intern_expr(struct builder *b, const uint8_t *bytes, uint32_t size)
{
	struct unwind_table *t = b->table;
	bool added;
	uint64_t *slot;

	if (!size || t->bytes.nr + size > EXPR_BYTES_MAX)
		return -1;
	slot = map64_put(&b->exprs, hash_bytes(bytes, size), &added);
	if (added) {
		*slot = t->exprs.nr;
		*vec_push(&t->exprs) = (struct unwind_expr){ (uint32_t)t->bytes.nr, size };
		vec_reserve(&t->bytes, size);
		memcpy(t->bytes.v + t->bytes.nr, bytes, size);
		t->bytes.nr += size;
	}
	return (int32_t)*slot;
}

/* What a state of the program says, in the table's words; 0 if nothing can be made of it. */
static uint32_t intern_rule(struct builder *b, const struct cfi_state *s, const struct cfi_cie *cie)
{
	struct unwind_table *t = b->table;
	struct {
		struct unwind_rule rule;
		struct unwind_save saves[ARCH_DWARF_REGS_MAX];
	} made;
	uint64_t *slot, set = s->set;
	uint8_t n = 0;
	bool added;

	if (s->cfa == UNWIND_CFA_NONE || cie->ra_column >= b->arch->nr_dwarf_regs)
		return 0;
	memset(&made, 0, sizeof(made));
	for (; set; set &= set - 1) {
		unsigned reg = (unsigned)__builtin_ctzll(set);
		struct unwind_save *save = &made.saves[n++];

		*save = s->regs[reg];
		save->reg = (uint8_t)reg;
		if (save->kind == UNWIND_AT_EXPR || save->kind == UNWIND_IS_EXPR) {
			save->value = intern_expr(b, s->exprs[reg].bytes, s->exprs[reg].size);
			if (save->value < 0)
				return 0;
		}
	}
	made.rule.cfa = s->cfa;
	made.rule.cfa_reg = s->cfa_reg;
	made.rule.threshold = s->threshold;
	made.rule.nr_saves = n;
	made.rule.ra_column = (uint8_t)cie->ra_column;
	made.rule.is_signal = cie->is_signal;
	made.rule.offset = s->offset;
	if (s->cfa == UNWIND_CFA_EXPR) {
		made.rule.offset = intern_expr(b, s->cfa_expr.bytes, s->cfa_expr.size);
		if (made.rule.offset < 0)
			return 0;
	}
	slot = map64_put(&b->rules, hash_bytes(&made, sizeof(made.rule) + n * sizeof(made.saves[0])),
			 &added);
	if (!added)
		return (uint32_t)*slot;
	if (t->rules.nr >= RULES_MAX || t->saves.nr + n > SAVES_MAX)
		return 0;
	made.rule.saves = (uint32_t)t->saves.nr;
	vec_reserve(&t->saves, n);
	if (n)
		memcpy(t->saves.v + t->saves.nr, made.saves, n * sizeof(made.saves[0]));
	t->saves.nr += n;
	*slot = t->rules.nr;
	*vec_push(&t->rules) = made.rule;
	return (uint32_t)*slot;
}

/* --- rows ---------------------------------------------------------------------------- */

/* From `addr` on `rule` holds. Addresses come in order. */
static void add_row(struct unwind_table *t, uint64_t addr, uint32_t rule)
{
	uint64_t at = addr - t->base;

	if (at > UINT32_MAX)
		return;
	if (t->rows.nr && t->rows.v[t->rows.nr - 1].at == at)
		t->rows.nr--;
	if (t->rows.nr ? t->rows.v[t->rows.nr - 1].rule != rule : rule != 0)
		*vec_push(&t->rows) = (struct row){ (uint32_t)at, rule };
}

/* Whether the state is that of a function which keeps a frame pointer. */
static bool by_frame_pointer(const struct arch *arch, const struct cfi_state *s)
{
	if (arch->dwarf_ra == arch->dwarf_ip)
		return s->cfa == UNWIND_CFA_REG && s->cfa_reg == arch->dwarf_fp;
	return s->set >> arch->dwarf_fp & s->set >> arch->dwarf_ra & 1;
}

/* One stretch [from, to) of a function. */
static void take_stretch(const struct cfi_state *s, uint64_t from, uint64_t to, void *arg,
			 const struct cfi_cie *cie)
{
	struct builder *b = arg;

	if (from < b->row_from)
		from = b->row_from;
	if (to > b->row_end)
		to = b->row_end;
	if (from >= to)
		return;
	add_row(b->table, from, intern_rule(b, s, cie));
	b->row_from = to;
	b->table->code_bytes += to - from;
	if (by_frame_pointer(b->arch, s))
		b->table->fp_bytes += to - from;
}

static void take_fde(const struct cfi_fde *fde, void *arg)
{
	struct builder *b = arg;

	*vec_push(&b->entries) = (struct entry){ *fde, b->cfi, b->rank, (uint32_t)b->entries.nr };
}

static int by_start(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->fde.start != b->fde.start)
		return a->fde.start < b->fde.start ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* Run the programs in the order of addresses; of two for one address the first has it. */
static void compile(struct builder *b)
{
	struct cfi_machine *machine = cfi_machine_new(b->arch->nr_dwarf_regs, take_stretch, b);

	if (b->entries.nr > 1)
		qsort(b->entries.v, b->entries.nr, sizeof(*b->entries.v), by_start);
	if (b->entries.nr)
		b->table->base = b->entries.v[0].fde.start;
	for (size_t i = 0; i < b->entries.nr; i++) {
		const struct entry *e = &b->entries.v[i];

		if (e->fde.start > b->row_from)
			b->row_from = e->fde.start;
		if (e->fde.end <= b->row_from)
			continue;
		b->row_end = e->fde.end;
		cfi_machine_run(machine, e->cfi, &e->fde);
		if (b->row_from < e->fde.end)
			b->row_from = e->fde.end;
		add_row(b->table, e->fde.end, 0);
	}
	cfi_machine_free(machine);
}

struct unwind_table *unwind_table_new(struct elf_file *file, struct elf_file *debug)
{
	struct unwind_table *t = mem_zalloc(sizeof(*t));
	struct builder b = { .table = t };
	struct { struct elf_file *file; bool debug; } from[] = {
		{ file, false }, { file, true }, { debug, true },
	};
	struct cfi cfis[3];
	unsigned nr = 0;
	GElf_Ehdr ehdr;

	*vec_push(&t->rules) = (struct unwind_rule){ 0 };
	b.arch = arch_of_machine(file->machine, file->is_64bit);
	t->entry = gelf_getehdr(file->elf, &ehdr) ? ehdr.e_entry : 0;
	for (size_t i = 0; i < 3 && b.arch->nr_dwarf_regs; i++) {
		if (!from[i].file || !cfi_init(&cfis[nr], from[i].file, from[i].debug))
			continue;
		b.cfi = &cfis[nr++];
		b.rank = (uint32_t)i;
		cfi_each(b.cfi, take_fde, &b);
	}
	compile(&b);
	/* an entry with a rule says itself that it is the end */
	if (unwind_table_find(t, t->entry))
		t->entry = 0;
	while (nr)
		cfi_release(&cfis[--nr]);
	vec_release(&b.entries);
	map64_release(&b.rules);
	map64_release(&b.exprs);
	return t;
}

void unwind_table_free(struct unwind_table *t)
{
	if (!t)
		return;
	if (t->index) {
		index_close(t->index);
		free(t);
		return;
	}
	vec_release(&t->rows);
	vec_release(&t->rules);
	vec_release(&t->saves);
	vec_release(&t->exprs);
	vec_release(&t->bytes);
	free(t);
}

/* --- kept in the index ----------------------------------------------------------------- */

enum { FACTS = INDEX_TAG('f', 'a', 'c', 't'), ROWS = INDEX_TAG('r', 'o', 'w', 's'),
       RULES = INDEX_TAG('r', 'u', 'l', 'e'), SAVES = INDEX_TAG('s', 'a', 'v', 'e'),
       EXPRS = INDEX_TAG('e', 'x', 'p', 'r'), BYTES = INDEX_TAG('b', 'y', 't', 'e') };

static bool save_is_sound(const struct unwind_table *t, const struct unwind_save *s, unsigned nr_regs)
{
	if (s->reg >= nr_regs || s->base >= nr_regs || s->kind > UNWIND_UNDEFINED)
		return false;
	return (s->kind != UNWIND_AT_EXPR && s->kind != UNWIND_IS_EXPR) ||
	       (s->value >= 0 && (uint32_t)s->value < t->exprs.nr);
}

static bool rule_is_sound(const struct unwind_table *t, const struct unwind_rule *r, unsigned nr_regs)
{
	uint8_t is_signal;

	memcpy(&is_signal, &r->is_signal, sizeof(is_signal));
	if (r->cfa > UNWIND_CFA_EXPR || r->cfa_reg >= nr_regs || r->ra_column >= nr_regs ||
	    is_signal > 1 || r->saves > t->saves.nr || r->nr_saves > t->saves.nr - r->saves)
		return false;
	return r->cfa != UNWIND_CFA_EXPR || (r->offset >= 0 && (uint32_t)r->offset < t->exprs.nr);
}

/* All that a rule leads to; which rule a row names is looked at when it is looked up. */
static bool is_sound(const struct unwind_table *t, unsigned nr_regs)
{
	for (size_t i = 0; i < t->exprs.nr; i++)
		if (t->exprs.v[i].at > t->bytes.nr || t->exprs.v[i].size > t->bytes.nr - t->exprs.v[i].at)
			return false;
	for (size_t i = 0; i < t->saves.nr; i++)
		if (!save_is_sound(t, &t->saves.v[i], nr_regs))
			return false;
	for (size_t i = 0; i < t->rules.nr; i++)
		if (!rule_is_sound(t, &t->rules.v[i], nr_regs))
			return false;
	return t->rules.nr > 0;
}

#define LOAD(vec, tag) \
	(((vec)->v = (void *)(uintptr_t)index_section(t->index, (tag), sizeof(*(vec)->v), &(vec)->nr)))

struct unwind_table *unwind_table_load(struct index *index, unsigned nr_regs)
{
	struct unwind_table *t = mem_zalloc(sizeof(*t));
	const struct facts *facts;
	size_t nr;

	t->index = index;
	facts = index_section(index, FACTS, sizeof(*facts), &nr);
	if (facts && nr == 1 && LOAD(&t->rows, ROWS) && LOAD(&t->rules, RULES) &&
	    LOAD(&t->saves, SAVES) && LOAD(&t->exprs, EXPRS) && LOAD(&t->bytes, BYTES) &&
	    is_sound(t, nr_regs)) {
		t->base = facts->base;
		t->entry = facts->entry;
		t->code_bytes = facts->code_bytes;
		t->fp_bytes = facts->fp_bytes;
		return t;
	}
	unwind_table_free(t);
	return NULL;
}

struct unwind_table *unwind_table_open(struct elf_file *file, struct elf_file *debug)
{
	const struct arch *arch = arch_of_machine(file->machine, file->is_64bit);
	struct unwind_table *t = NULL;
	struct index *index;

	if (file->build_id_size < 2 || !arch->nr_dwarf_regs)
		return unwind_table_new(file, debug);
	index = index_open(file->build_id, file->build_id_size, KIND, index_fingerprint(file, debug, KEPT_VERSION));
	if (index)
		t = unwind_table_load(index, arch->nr_dwarf_regs);
	return t ? t : unwind_table_new(file, debug);
}

void unwind_table_keep(const struct unwind_table *t, struct elf_file *file, struct elf_file *debug)
{
	struct facts facts = { t->base, t->entry, t->code_bytes, t->fp_bytes };
	struct index_draft draft = { .build_id_size = file->build_id_size, .kind = KIND };
	int ret;

	if (t->index || t->rows.nr < WORTH_ROWS || file->build_id_size < 2)
		return;
	memcpy(draft.build_id, file->build_id, file->build_id_size);
	draft.fingerprint = index_fingerprint(file, debug, KEPT_VERSION);
	index_add(&draft, FACTS, sizeof(facts), &facts, 1);
	index_add(&draft, ROWS, sizeof(*t->rows.v), t->rows.v, t->rows.nr);
	index_add(&draft, RULES, sizeof(*t->rules.v), t->rules.v, t->rules.nr);
	index_add(&draft, SAVES, sizeof(*t->saves.v), t->saves.v, t->saves.nr);
	index_add(&draft, EXPRS, sizeof(*t->exprs.v), t->exprs.v, t->exprs.nr);
	index_add(&draft, BYTES, 1, t->bytes.v, t->bytes.nr);
	ret = index_write(&draft);
	if (ret < 0)
		log_debug("no unwind index of '%s': %s", file->path ? file->path : "", strerror(-ret));
}

/* --- looking up ---------------------------------------------------------------------- */

const struct unwind_rule *unwind_table_find(const struct unwind_table *t, uint64_t elf_addr)
{
	uint64_t at = elf_addr - t->base;
	const struct row *rows = t->rows.v;
	size_t left = t->rows.nr;
	uint32_t rule;

	if (!left || elf_addr < t->base || at > UINT32_MAX)
		return NULL;
	/* the last row that does not begin behind `at` */
	while (left > 1) {
		size_t half = left / 2;

		rows += rows[half].at <= at ? half : 0;
		left -= half;
	}
	rule = rows->at <= at ? rows->rule : 0;
	return rule && rule < t->rules.nr ? &t->rules.v[rule] : NULL;
}

const struct unwind_save *unwind_table_saves(const struct unwind_table *t,
					     const struct unwind_rule *rule)
{
	return rule->nr_saves ? t->saves.v + rule->saves : NULL;
}

const uint8_t *unwind_table_expr(const struct unwind_table *t, int32_t index, uint32_t *size)
{
	const struct unwind_expr *e = &t->exprs.v[index];

	*size = e->size;
	return t->bytes.v + e->at;
}

bool unwind_table_is_entry(const struct unwind_table *t, uint64_t elf_addr)
{
	return t->entry && elf_addr - t->entry < ENTRY_BYTES;
}

uint32_t unwind_table_rows(const struct unwind_table *t)
{
	return (uint32_t)t->rows.nr;
}

uint32_t unwind_table_rules(const struct unwind_table *t)
{
	return (uint32_t)t->rules.nr;
}

unsigned unwind_table_frame_pointers(const struct unwind_table *t)
{
	return t->code_bytes ? (unsigned)(t->fp_bytes * 1000 / t->code_bytes) : 0;
}
