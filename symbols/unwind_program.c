/* SPDX-License-Identifier: MIT */
#include "symbols/unwind_program.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define REMEMBERED_MAX 32
#define EXPR_MAX 4096

/* Newer than some dwarf.h: Arm's and the vendors' ranges. */
#define CFA_AARCH64_NEGATE_RA_STATE_WITH_PC 0x2c

struct cfi_machine {
	unsigned nr_regs;
	cfi_stretch_fn *fn;
	void *arg;
	struct cfi *cfi;
	const struct cfi_cie *cie;
	const struct cfi_state *initial; /* NULL while it is being made */
	struct cfi_state state;
	struct cfi_state remembered[REMEMBERED_MAX];
	unsigned nr_remembered;
	uint64_t at, end;
};

struct cfi_machine *cfi_machine_new(unsigned nr_regs, cfi_stretch_fn *fn, void *arg)
{
	struct cfi_machine *m = mem_zalloc(sizeof(*m));

	m->nr_regs = nr_regs < ARCH_DWARF_REGS_MAX ? nr_regs : ARCH_DWARF_REGS_MAX;
	m->fn = fn;
	m->arg = arg;
	return m;
}

void cfi_machine_free(struct cfi_machine *m)
{
	free(m);
}

/* --- expressions of known shapes -------------------------------------------------------- */

/* DW_OP_bregN offset: the register and the offset; *p behind it. */
static bool take_breg(const uint8_t **p, const uint8_t *end, uint64_t *reg, int64_t *offset)
{
	uint8_t op;

	if (*p >= end)
		return false;
	op = *(*p)++;
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		*reg = op - DW_OP_breg0;
	else if (op == DW_OP_bregx)
		*reg = uleb_next(p, end);
	else
		return false;
	*offset = sleb_next(p, end);
	return *offset == (int32_t)*offset;
}

/*
 * A linker's CFA inside the procedure linkage table, where the second half of an entry has
 * pushed a word: breg7 8; breg16 0; lit15; and; litN; ge; lit3; shl; plus.
 */
static bool is_plt(const uint8_t *p, const uint8_t *end, uint8_t *threshold)
{
	static const uint8_t head[] = { DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and };
	static const uint8_t tail[] = { DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus };

	if (end - p != sizeof(head) + 1 + sizeof(tail) || memcmp(p, head, sizeof(head)) != 0 ||
	    memcmp(p + sizeof(head) + 1, tail, sizeof(tail)) != 0)
		return false;
	p += sizeof(head);
	if (*p < DW_OP_lit0 || *p > DW_OP_lit15)
		return false;
	*threshold = *p - DW_OP_lit0;
	return true;
}

static void set_cfa_expr(struct cfi_machine *m, struct cfi_expr e)
{
	const uint8_t *p = e.bytes, *end = p + e.size;
	struct cfi_state *s = &m->state;
	uint64_t reg;
	int64_t offset;

	s->cfa = UNWIND_CFA_EXPR;
	s->cfa_expr = e;
	s->cfa_reg = s->threshold = 0;
	s->offset = 0;
	if (!take_breg(&p, end, &reg, &offset) || reg >= m->nr_regs)
		return;
	if (p == end)
		s->cfa = UNWIND_CFA_REG;
	else if (p + 1 == end && *p == DW_OP_deref)
		s->cfa = UNWIND_CFA_DEREF;
	else if (is_plt(p, end, &s->threshold))
		s->cfa = UNWIND_CFA_PLT;
	else
		return;
	s->cfa_reg = (uint8_t)reg;
	s->offset = (int32_t)offset;
}

/* --- what instructions do --------------------------------------------------------------- */

static void set_reg(struct cfi_machine *m, uint64_t reg, uint8_t kind, uint64_t base, int64_t value)
{
	if (reg >= m->nr_regs)
		return;
	/* What no sound file says is as good as lost. */
	if (value != (int32_t)value || base >= m->nr_regs)
		kind = UNWIND_UNDEFINED;
	m->state.set |= 1ull << reg;
	m->state.regs[reg] = (struct unwind_save){
		.kind = kind,
		.base = kind == UNWIND_UNDEFINED ? 0 : (uint8_t)base,
		.value = kind == UNWIND_UNDEFINED ? 0 : (int32_t)value,
	};
}

static void set_reg_expr(struct cfi_machine *m, uint64_t reg, struct cfi_expr e, bool is_value)
{
	const uint8_t *p = e.bytes, *end = p + e.size;
	uint64_t base;
	int64_t offset;

	if (reg >= m->nr_regs)
		return;
	if (!is_value && take_breg(&p, end, &base, &offset) && p == end) {
		set_reg(m, reg, UNWIND_AT_REG, base, offset);
		return;
	}
	set_reg(m, reg, is_value ? UNWIND_IS_EXPR : UNWIND_AT_EXPR, 0, 0);
	m->state.exprs[reg] = e;
}

static void restore_reg(struct cfi_machine *m, uint64_t reg)
{
	if (reg >= m->nr_regs || !m->initial)
		return;
	m->state.set &= ~(1ull << reg);
	m->state.set |= m->initial->set & 1ull << reg;
	m->state.regs[reg] = m->initial->regs[reg];
	m->state.exprs[reg] = m->initial->exprs[reg];
}

static void set_cfa(struct cfi_machine *m, uint64_t reg, int64_t offset)
{
	bool good = reg < m->nr_regs && offset == (int32_t)offset;

	m->state.cfa = good ? UNWIND_CFA_REG : UNWIND_CFA_NONE;
	m->state.cfa_reg = good ? (uint8_t)reg : 0;
	m->state.offset = good ? (int32_t)offset : 0;
	m->state.threshold = 0;
}

/* The offset or the register alone, of a CFA that is register + offset. */
static void change_cfa(struct cfi_machine *m, const uint64_t *reg, int64_t offset)
{
	if (m->state.cfa == UNWIND_CFA_REG)
		set_cfa(m, reg ? *reg : m->state.cfa_reg, reg ? m->state.offset : offset);
	else
		m->state.cfa = UNWIND_CFA_NONE;
}

/* The state so far holds up to `to`. False at the end of the function. */
static bool advance_to(struct cfi_machine *m, uint64_t to)
{
	if (!m->initial)
		return false;
	if (to > m->end || to < m->at)
		to = m->end;
	if (to > m->at)
		m->fn(&m->state, m->at, to, m->arg, m->cie);
	m->at = to;
	return to < m->end;
}

static struct cfi_expr expr_next(const uint8_t **p, const uint8_t *end)
{
	struct cfi_expr e = { .size = 0 };
	uint64_t size = uleb_next(p, end);

	if (size > (uint64_t)(end - *p) || size > EXPR_MAX)
		return e;
	e.bytes = *p;
	e.size = (uint32_t)size;
	*p += size;
	return e;
}

static int64_t times(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* One of the instructions that state where a register is. False: not one of them. */
static bool run_reg(struct cfi_machine *m, uint8_t op, const uint8_t **p, const uint8_t *end)
{
	int64_t align = m->cie->data_align;
	struct cfi_expr e;
	uint64_t reg;

	if (op < DW_CFA_offset_extended)
		return false;
	reg = uleb_next(p, end);
	switch (op) {
	case DW_CFA_offset_extended:
		set_reg(m, reg, UNWIND_AT_CFA, 0, times((int64_t)uleb_next(p, end), align));
		return true;
	case DW_CFA_offset_extended_sf:
		set_reg(m, reg, UNWIND_AT_CFA, 0, times(sleb_next(p, end), align));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		set_reg(m, reg, UNWIND_AT_CFA, 0, times(-(int64_t)(uleb_next(p, end) & INT64_MAX), align));
		return true;
	case DW_CFA_val_offset:
		set_reg(m, reg, UNWIND_IS_CFA, 0, times((int64_t)uleb_next(p, end), align));
		return true;
	case DW_CFA_val_offset_sf:
		set_reg(m, reg, UNWIND_IS_CFA, 0, times(sleb_next(p, end), align));
		return true;
	case DW_CFA_restore_extended:
		restore_reg(m, reg);
		return true;
	case DW_CFA_undefined:
		set_reg(m, reg, UNWIND_UNDEFINED, 0, 0);
		return true;
	case DW_CFA_same_value:
		if (reg < m->nr_regs)
			m->state.set &= ~(1ull << reg);
		return true;
	case DW_CFA_register:
		set_reg(m, reg, UNWIND_IN_REG, uleb_next(p, end), 0);
		return true;
	case DW_CFA_expression:
	case DW_CFA_val_expression:
		e = expr_next(p, end);
		if (!e.bytes)
			return false;
		set_reg_expr(m, reg, e, op == DW_CFA_val_expression);
		return true;
	default:
		return false;
	}
}

static bool run_cfa(struct cfi_machine *m, uint8_t op, const uint8_t **p, const uint8_t *end)
{
	int64_t align = m->cie->data_align;
	struct cfi_expr e;
	uint64_t reg;

	switch (op) {
	case DW_CFA_def_cfa:
		reg = uleb_next(p, end);
		set_cfa(m, reg, (int64_t)uleb_next(p, end));
		return true;
	case DW_CFA_def_cfa_sf:
		reg = uleb_next(p, end);
		set_cfa(m, reg, times(sleb_next(p, end), align));
		return true;
	case DW_CFA_def_cfa_register:
		reg = uleb_next(p, end);
		change_cfa(m, &reg, 0);
		return true;
	case DW_CFA_def_cfa_offset:
		change_cfa(m, NULL, (int64_t)uleb_next(p, end));
		return true;
	case DW_CFA_def_cfa_offset_sf:
		change_cfa(m, NULL, times(sleb_next(p, end), align));
		return true;
	case DW_CFA_def_cfa_expression:
		e = expr_next(p, end);
		if (!e.bytes)
			return false;
		set_cfa_expr(m, e);
		return true;
	default:
		return false;
	}
}

static bool remember(struct cfi_machine *m)
{
	if (m->nr_remembered == REMEMBERED_MAX)
		return false;
	m->remembered[m->nr_remembered++] = m->state;
	return true;
}

static bool restore_state(struct cfi_machine *m)
{
	if (!m->nr_remembered)
		return false;
	m->state = m->remembered[--m->nr_remembered];
	return true;
}

static bool advance_bytes(struct cfi_machine *m, const uint8_t **p, const uint8_t *end, unsigned size)
{
	uint64_t delta;

	if ((size_t)(end - *p) < size)
		return false;
	delta = cfi_uint(m->cfi, *p, size);
	*p += size;
	return advance_to(m, m->at + delta * m->cie->code_align);
}

/* One instruction. False: the program ends here. */
static bool run_one(struct cfi_machine *m, const uint8_t **p, const uint8_t *end)
{
	uint8_t op = *(*p)++, low = op & 0x3f;
	uint64_t to;

	switch (op & 0xc0) {
	case DW_CFA_advance_loc:
		return advance_to(m, m->at + low * m->cie->code_align);
	case DW_CFA_offset:
		set_reg(m, low, UNWIND_AT_CFA, 0, times((int64_t)uleb_next(p, end), m->cie->data_align));
		return true;
	case DW_CFA_restore:
		restore_reg(m, low);
		return true;
	}
	switch (op) {
	case DW_CFA_nop:
	case DW_CFA_GNU_window_save:     /* AARCH64_negate_ra_state; see arch->code_addr */
	case CFA_AARCH64_NEGATE_RA_STATE_WITH_PC:
		return true;
	case DW_CFA_set_loc:
		return cfi_address(m->cfi, p, end, m->cie->encoding, &to) && advance_to(m, to);
	case DW_CFA_advance_loc1:
		return advance_bytes(m, p, end, 1);
	case DW_CFA_advance_loc2:
		return advance_bytes(m, p, end, 2);
	case DW_CFA_advance_loc4:
		return advance_bytes(m, p, end, 4);
	case DW_CFA_MIPS_advance_loc8:
		return advance_bytes(m, p, end, 8);
	case DW_CFA_remember_state:
		return remember(m);
	case DW_CFA_restore_state:
		return restore_state(m);
	case DW_CFA_GNU_args_size:
		uleb_next(p, end);
		return true;
	}
	return run_cfa(m, op, p, end) || run_reg(m, op, p, end);
}

/* Returns false where an instruction could not be run; an advance past the end is no failure. */
static bool run_program(struct cfi_machine *m, const uint8_t *p, const uint8_t *end)
{
	while (p < end)
		if (!run_one(m, &p, end))
			return m->initial && m->at >= m->end;
	return true;
}

/* What a CIE's own instructions make, once for all of its FDEs. */
static const struct cfi_state *initial_state(struct cfi_machine *m, struct cfi_cie *cie)
{
	if (!cie->tag) {
		memset(&m->state, 0, sizeof(m->state));
		m->initial = NULL;
		m->nr_remembered = 0;
		if (!run_program(m, cie->program, cie->program_end))
			m->state.cfa = UNWIND_CFA_NONE;
		cie->tag = arena_dup(&m->cfi->arena, &m->state, sizeof(m->state));
	}
	return cie->tag;
}

void cfi_machine_run(struct cfi_machine *m, struct cfi *cfi, const struct cfi_fde *fde)
{
	m->cfi = cfi;
	m->cie = fde->cie;
	m->at = fde->start;
	m->end = fde->end;
	m->initial = initial_state(m, fde->cie);
	m->state = *m->initial;
	m->nr_remembered = 0;
	if (run_program(m, fde->program, fde->program_end))
		advance_to(m, m->end);
}
