/* SPDX-License-Identifier: MIT */
#include "symbols/unwind_expr.h"

#include <dwarf.h>
#include <string.h>

#include "symbols/cfi.h"
#include "symbols/unwind.h"

#define STACK_MAX 64
#define STEPS_MAX 1000

struct machine {
	const struct expr_input *in;
	const uint8_t *p, *end;
	uint64_t stack[STACK_MAX];
	unsigned depth;
	bool bad;
};

static void push(struct machine *m, uint64_t value)
{
	if (m->depth == STACK_MAX)
		m->bad = true;
	else
		m->stack[m->depth++] = value;
}

static uint64_t pop(struct machine *m)
{
	if (!m->depth) {
		m->bad = true;
		return 0;
	}
	return m->stack[--m->depth];
}

/* A number of the expression itself, in the host's order: files of the other are not unwound. */
static uint64_t fixed(struct machine *m, unsigned size, bool is_signed)
{
	uint64_t value = 0;

	if ((size_t)(m->end - m->p) < size) {
		m->bad = true;
		return 0;
	}
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)m->p[i] << 8 * i;
	m->p += size;
	if (is_signed && size < 8 && value >> (size * 8 - 1))
		value |= ~0ull << size * 8;
	return value;
}

static void push_reg(struct machine *m, uint64_t reg)
{
	int64_t offset = sleb_next(&m->p, m->end);

	if (reg >= m->in->nr_regs || !(m->in->regs->known >> reg & 1))
		m->bad = true;
	else
		push(m, m->in->regs->v[reg] + (uint64_t)offset);
}

static void deref(struct machine *m, unsigned size)
{
	uint64_t addr = pop(m), value = 0;

	if (m->bad || !size || size > 8 || !m->in->read(m->in->arg, addr, &value, size))
		m->bad = true;
	else
		push(m, value);
}

static void pick(struct machine *m, unsigned from_top)
{
	if (from_top >= m->depth)
		m->bad = true;
	else
		push(m, m->stack[m->depth - 1 - from_top]);
}

static void jump(struct machine *m, bool taken)
{
	int64_t by = (int64_t)fixed(m, 2, true);
	const uint8_t *start = m->in->bytes;

	if (!taken || m->bad)
		return;
	if (by < start - m->p || by > m->end - m->p)
		m->bad = true;
	else
		m->p += by;
}

/* Two operands: `a` was pushed before `b`. */
static uint64_t binary(struct machine *m, uint8_t op, uint64_t a, uint64_t b)
{
	int64_t x = (int64_t)a, y = (int64_t)b;

	switch (op) {
	case DW_OP_and: return a & b;
	case DW_OP_or: return a | b;
	case DW_OP_xor: return a ^ b;
	case DW_OP_plus: return a + b;
	case DW_OP_minus: return a - b;
	case DW_OP_mul: return a * b;
	case DW_OP_shl: return b < 64 ? a << b : 0;
	case DW_OP_shr: return b < 64 ? a >> b : 0;
	case DW_OP_shra: return (uint64_t)(x >> (b < 63 ? b : 63));
	case DW_OP_eq: return a == b;
	case DW_OP_ne: return a != b;
	case DW_OP_lt: return x < y;
	case DW_OP_le: return x <= y;
	case DW_OP_gt: return x > y;
	case DW_OP_ge: return x >= y;
	case DW_OP_div:
		if (!y || (y == -1 && x == INT64_MIN))
			break;
		return (uint64_t)(x / y);
	case DW_OP_mod:
		if (b)
			return a % b;
		break;
	}
	m->bad = true;
	return 0;
}

/* Operations on the stack alone. False: not one of them. */
static bool run_stack(struct machine *m, uint8_t op)
{
	uint64_t a, b, c;

	switch (op) {
	case DW_OP_dup:
		pick(m, 0);
		return true;
	case DW_OP_over:
		pick(m, 1);
		return true;
	case DW_OP_drop:
		pop(m);
		return true;
	case DW_OP_swap:
		b = pop(m);
		a = pop(m);
		push(m, b);
		push(m, a);
		return true;
	case DW_OP_rot:
		c = pop(m);
		b = pop(m);
		a = pop(m);
		push(m, c);
		push(m, a);
		push(m, b);
		return true;
	case DW_OP_abs:
		a = pop(m);
		push(m, a >> 63 ? 0 - a : a);
		return true;
	case DW_OP_neg:
		push(m, 0 - pop(m));
		return true;
	case DW_OP_not:
		push(m, ~pop(m));
		return true;
	case DW_OP_nop:
		return true;
	case DW_OP_and: case DW_OP_or: case DW_OP_xor: case DW_OP_plus: case DW_OP_minus:
	case DW_OP_mul: case DW_OP_div: case DW_OP_mod: case DW_OP_shl: case DW_OP_shr:
	case DW_OP_shra: case DW_OP_eq: case DW_OP_ne: case DW_OP_lt: case DW_OP_le:
	case DW_OP_gt: case DW_OP_ge:
		b = pop(m);
		a = pop(m);
		push(m, binary(m, op, a, b));
		return true;
	default:
		return false;
	}
}

static void run_one(struct machine *m)
{
	uint8_t op = *m->p++;

	if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
		push(m, op - DW_OP_lit0);
		return;
	}
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		push_reg(m, op - DW_OP_breg0);
		return;
	}
	switch (op) {
	case DW_OP_addr: push(m, fixed(m, m->in->word_bytes, false)); break;
	case DW_OP_const1u: push(m, fixed(m, 1, false)); break;
	case DW_OP_const1s: push(m, fixed(m, 1, true)); break;
	case DW_OP_const2u: push(m, fixed(m, 2, false)); break;
	case DW_OP_const2s: push(m, fixed(m, 2, true)); break;
	case DW_OP_const4u: push(m, fixed(m, 4, false)); break;
	case DW_OP_const4s: push(m, fixed(m, 4, true)); break;
	case DW_OP_const8u:
	case DW_OP_const8s: push(m, fixed(m, 8, false)); break;
	case DW_OP_constu: push(m, uleb_next(&m->p, m->end)); break;
	case DW_OP_consts: push(m, (uint64_t)sleb_next(&m->p, m->end)); break;
	case DW_OP_plus_uconst: push(m, pop(m) + uleb_next(&m->p, m->end)); break;
	case DW_OP_bregx: push_reg(m, uleb_next(&m->p, m->end)); break;
	case DW_OP_pick: pick(m, (unsigned)fixed(m, 1, false)); break;
	case DW_OP_deref: deref(m, m->in->word_bytes); break;
	case DW_OP_deref_size: deref(m, (unsigned)fixed(m, 1, false)); break;
	case DW_OP_skip: jump(m, true); break;
	case DW_OP_bra: jump(m, pop(m) != 0); break;
	default:
		if (!run_stack(m, op))
			m->bad = true;
	}
}

bool unwind_expr(const struct expr_input *in, uint64_t *out)
{
	struct machine m = { .in = in, .p = in->bytes, .end = in->bytes + in->size };

	if (in->has_first)
		push(&m, in->first);
	for (unsigned i = 0; m.p < m.end && !m.bad; i++) {
		if (i == STEPS_MAX)
			return false;
		run_one(&m);
	}
	*out = pop(&m);
	return !m.bad;
}
