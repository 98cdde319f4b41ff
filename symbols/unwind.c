/* SPDX-License-Identifier: MIT */
#include "symbols/unwind.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbols/unwind_expr.h"

/* Frames are few places, come to again and again: what is there is asked once. */
#define CACHE_SLOTS 16384u
/* A stack that goes on this far above its copy is taken for the same one. */
#define SAME_STACK_MAX (64ull << 20)
#define SIGRETURN_BYTES 9
/* How far into a function without tables its address may be. */
#define LEAF_MAX 65536

struct place {
	uint64_t space, addr;            /* the key; space + 1, 0: empty */
	const struct unwind_rule *rule;  /* NULL: none for this address */
	const struct unwind_save *saves;
	struct unwind_code code;
};

struct unwinder {
	const struct arch *arch;
	unsigned word_bytes;
	const struct unwind_source *source;      /* during a walk */
	enum unwind_stop why;                    /* the last read failed */
	struct place cache[CACHE_SLOTS];
};

static const struct {
	const char *text, *advice;
} stops[UNWIND_STOP_COUNT] = {
	[UNWIND_END] = { "whole", "" },
	[UNWIND_SHORT] = {
		"the stack goes on above the copied part",
		"copy more of it: record --call-graph unwind, or dwarf,65528, which is the most that "
		"a sample can hold",
	},
	[UNWIND_OTHER_STACK] = {
		"the stack goes on in memory that was not copied",
		"a signal handler on a stack of its own, a coroutine, or above a large buffer that "
		"was not written to yet: the stack in use is copied, up to a page that is not there",
	},
	[UNWIND_NO_TABLE] = {
		"code without unwind tables",
		"build it with -fasynchronous-unwind-tables or -fno-omit-frame-pointer; code made at "
		"run time needs frame pointers",
	},
	[UNWIND_NOT_CODE] = {
		"a return address that is not code",
		"unwind tables that do not say what the code does, or a binary that is not the "
		"recorded one",
	},
	[UNWIND_LOOP] = {
		"a frame that leads to itself",
		"unwind tables that do not say what the code does",
	},
	[UNWIND_LOST] = {
		"a register that was not sampled or not saved",
		"unwind tables that do not say where it is",
	},
	[UNWIND_LIMIT] = {
		"more frames than a record can hold",
		"",
	},
	[UNWIND_GONE] = {
		"the process had no stack any more",
		"in the kernel, while it put another program in the place of the one that called "
		"exec, or ended it: nothing is wrong",
	},
};

const char *unwind_stop_text(enum unwind_stop stop)
{
	return (unsigned)stop < UNWIND_STOP_COUNT ? stops[stop].text : "";
}

const char *unwind_stop_advice(enum unwind_stop stop)
{
	return (unsigned)stop < UNWIND_STOP_COUNT ? stops[stop].advice : "";
}

struct unwinder *unwinder_new(const struct arch *arch)
{
	struct unwinder *u = mem_zalloc(sizeof(*u));

	u->arch = arch;
	u->word_bytes = arch->is_64bit ? 8 : 4;
	return u;
}

void unwinder_free(struct unwinder *u)
{
	free(u);
}

bool unwind_take_regs(const struct arch *arch, uint64_t mask, const void *values,
		      struct unwind_regs *out)
{
	out->known = 0;
	for (unsigned reg = 0; reg < arch->nr_dwarf_regs; reg++) {
		uint64_t bit = 1ull << arch->dwarf_regs[reg];
		unsigned at = (unsigned)__builtin_popcountll(mask & (bit - 1));

		out->v[reg] = 0;
		if (!(mask & bit))
			continue;
		memcpy(&out->v[reg], (const char *)values + at * 8, 8);
		if (!arch->is_64bit)
			out->v[reg] &= UINT32_MAX;
		out->known |= 1ull << reg;
	}
	return out->known >> arch->dwarf_ip & out->known >> arch->dwarf_sp & 1;
}

/* --- memory -------------------------------------------------------------------------- */

static bool read_far(struct unwinder *u, uint64_t addr, void *out, size_t size)
{
	const struct unwind_source *s = u->source;

	if (s->read && s->read(s->arg, addr, out, size))
		return true;
	if (s->is_cut && addr - s->stack_start >= s->stack_size &&
	    addr - s->stack_start < SAME_STACK_MAX)
		u->why = UNWIND_SHORT;
	else
		u->why = s->stack_size ? UNWIND_OTHER_STACK : UNWIND_GONE;
	return false;
}

static inline bool read_bytes(struct unwinder *u, uint64_t addr, void *out, size_t size)
{
	const struct unwind_source *s = u->source;
	uint64_t at = addr - s->stack_start;

	if (at > s->stack_size || size > s->stack_size - at)
		return read_far(u, addr, out, size);
	memcpy(out, s->stack + at, size);
	return true;
}

static inline bool read_word(struct unwinder *u, uint64_t addr, uint64_t *out)
{
	if (u->word_bytes == 8)
		return read_bytes(u, addr, out, 8);
	*out = 0;
	return read_bytes(u, addr, out, 4);
}

static bool read_for_expr(void *arg, uint64_t addr, void *out, size_t size)
{
	return read_bytes(arg, addr, out, size);
}

static bool evaluate(struct unwinder *u, const struct place *p, const struct unwind_regs *regs,
		     int32_t index, const uint64_t *first, uint64_t *out)
{
	struct expr_input in = {
		.regs = regs, .nr_regs = u->arch->nr_dwarf_regs, .word_bytes = u->word_bytes,
		.has_first = first, .first = first ? *first : 0, .read = read_for_expr, .arg = u,
	};

	u->why = UNWIND_LOST;
	in.bytes = unwind_table_expr(p->code.table, index, &in.size);
	return unwind_expr(&in, out);
}

/* --- what stands at an address ---------------------------------------------------------- */

/* Where the rule of a frame is looked up: a call may be the last thing its function does. */
static uint64_t rule_addr(uint64_t ip, bool is_return)
{
	return ip - is_return;
}

static const struct place *place_at(struct unwinder *u, uint64_t addr)
{
	const struct unwind_source *s = u->source;
	uint64_t hash = (addr ^ s->space * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
	struct place *p = &u->cache[hash >> 50 & (CACHE_SLOTS - 1)];

	if (p->addr == addr && p->space == s->space + 1)
		return p;
	memset(p, 0, sizeof(*p));
	s->code(s->arg, addr, &p->code);
	if (p->code.executable && p->code.table)
		p->rule = unwind_table_find(p->code.table, addr - p->code.bias);
	if (p->rule)
		p->saves = unwind_table_saves(p->code.table, p->rule);
	p->addr = addr;
	p->space = s->space + 1;
	return p;
}

/* --- steps --------------------------------------------------------------------------- */

static void set_reg(struct unwind_regs *regs, unsigned reg, uint64_t value)
{
	regs->v[reg] = value;
	regs->known |= 1ull << reg;
}

static bool find_cfa(struct unwinder *u, const struct place *p, const struct unwind_regs *regs,
		     uint64_t *cfa)
{
	const struct unwind_rule *rule = p->rule;
	uint64_t base = regs->v[rule->cfa_reg] + (uint64_t)(int64_t)rule->offset;

	if (rule->cfa == UNWIND_CFA_EXPR)
		return evaluate(u, p, regs, rule->offset, NULL, cfa);
	if (!(regs->known >> rule->cfa_reg & 1)) {
		u->why = UNWIND_LOST;
		return false;
	}
	if (!u->arch->is_64bit)
		base = (uint32_t)base;
	switch (rule->cfa) {
	case UNWIND_CFA_DEREF:
		return read_word(u, base, cfa);
	case UNWIND_CFA_PLT:
		if ((regs->v[u->arch->dwarf_ip] & 15) >= rule->threshold)
			base += 8;
		break;
	}
	*cfa = base;
	return true;
}

/* The value that a register had in the caller. False: it cannot be had. */
static bool find_saved(struct unwinder *u, const struct place *p, const struct unwind_regs *regs,
		       uint64_t cfa, const struct unwind_save *save, uint64_t *out)
{
	uint64_t addr;

	switch (save->kind) {
	case UNWIND_AT_CFA:
		addr = cfa + (uint64_t)(int64_t)save->value;
		/*
		 * Compilers do not say of an epilogue that a register is back in its place. What
		 * lies below the stack pointer has been popped: the register holds it.
		 */
		if (addr - u->source->stack_start > u->source->stack_size &&
		    addr < regs->v[u->arch->dwarf_sp] && (regs->known >> save->reg & 1)) {
			*out = regs->v[save->reg];
			return save->reg != p->rule->ra_column;
		}
		return read_word(u, addr, out);
	case UNWIND_IS_CFA:
		*out = cfa + (uint64_t)(int64_t)save->value;
		return true;
	case UNWIND_IN_REG:
	case UNWIND_AT_REG:
		u->why = UNWIND_LOST;
		if (!(regs->known >> save->base & 1))
			return false;
		*out = addr = regs->v[save->base];
		addr += (uint64_t)(int64_t)save->value;
		/*
		 * A frame pointer saved where it points itself, of a realigned stack: once it has
		 * been popped, it points out of this frame and is the caller's.
		 */
		if (save->kind == UNWIND_IN_REG ||
		    (save->base == save->reg && save->reg != u->arch->dwarf_sp &&
		     (addr >= cfa || addr < regs->v[u->arch->dwarf_sp])))
			return true;
		return read_word(u, addr, out);
	case UNWIND_IS_EXPR:
		return evaluate(u, p, regs, save->value, &cfa, out);
	case UNWIND_AT_EXPR:
		return evaluate(u, p, regs, save->value, &cfa, &addr) && read_word(u, addr, out);
	default:
		u->why = UNWIND_END;
		return false;
	}
}

/* One step by a rule: `regs` become the caller's. UNWIND_STOP_COUNT: go on. */
static enum unwind_stop step_by_rule(struct unwinder *u, const struct place *p,
				     struct unwind_regs *regs)
{
	const struct unwind_rule *rule = p->rule;
	struct unwind_regs was;
	uint64_t cfa, value;

	if (!find_cfa(u, p, regs, &cfa))
		return u->why;
	was = *regs;
	set_reg(regs, u->arch->dwarf_sp, cfa);
	for (unsigned i = 0; i < rule->nr_saves; i++) {
		const struct unwind_save *save = &p->saves[i];

		if (find_saved(u, p, &was, cfa, save, &value)) {
			set_reg(regs, save->reg, value);
			continue;
		}
		/* Only who needs it later will miss it. */
		if (save->reg == rule->ra_column)
			return u->why;
		regs->known &= ~(1ull << save->reg);
	}
	if (!(regs->known >> rule->ra_column & 1))
		return UNWIND_LOST;
	set_reg(regs, u->arch->dwarf_ip, regs->v[rule->ra_column]);
	return UNWIND_STOP_COUNT;
}

/* The kernel's frame below a trampoline that has no tables. */
static enum unwind_stop step_by_sigframe(struct unwinder *u, struct unwind_regs *regs)
{
	uint64_t sp = regs->v[u->arch->dwarf_sp], value;

	for (unsigned reg = 0; reg < u->arch->nr_dwarf_regs; reg++) {
		int at = u->arch->sigframe_offset(reg);

		if (at < 0)
			continue;
		if (!read_word(u, sp + (uint64_t)at, &value))
			return u->why;
		set_reg(regs, reg, value);
	}
	return UNWIND_STOP_COUNT;
}

/*
 * Code without tables that keeps a frame pointer: the caller's lies where it points, the
 * return address behind it (x86_64 and aarch64 alike). Believed only if that is code.
 */
static enum unwind_stop step_by_frame_pointer(struct unwinder *u, struct unwind_regs *regs)
{
	const struct arch *arch = u->arch;
	uint64_t fp = regs->v[arch->dwarf_fp], caller_fp, ra;

	if (!(regs->known >> arch->dwarf_fp & 1) || fp < regs->v[arch->dwarf_sp] ||
	    fp % u->word_bytes || !read_word(u, fp, &caller_fp) ||
	    !read_word(u, fp + u->word_bytes, &ra))
		return UNWIND_NO_TABLE;
	if (arch->code_addr)
		ra = arch->code_addr(ra);
	if (ra && !place_at(u, rule_addr(ra, true))->code.executable)
		return UNWIND_NO_TABLE;
	set_reg(regs, arch->dwarf_fp, caller_fp);
	set_reg(regs, arch->dwarf_sp, fp + 2 * u->word_bytes);
	set_reg(regs, arch->dwarf_ip, ra);
	return UNWIND_STOP_COUNT;
}

/*
 * Code without tables that has not pushed anything yet, or never does: the return address
 * lies on top. Believed if a call ends there that leads to this code, or may lead anywhere.
 */
static enum unwind_stop step_from_leaf(struct unwinder *u, uint64_t ip, struct unwind_regs *regs)
{
	const struct unwind_source *s = u->source;
	const struct arch *arch = u->arch;
	uint64_t sp = regs->v[arch->dwarf_sp], ra, target;
	uint8_t before[ARCH_CALL_BYTES];

	if (!arch->is_call || !s->read || !read_word(u, sp, &ra) ||
	    !place_at(u, rule_addr(ra, true))->code.executable ||
	    !s->read(s->arg, ra - sizeof(before), before, sizeof(before)) ||
	    !arch->is_call(before, ra, &target) || (target && ip - target >= LEAF_MAX))
		return UNWIND_NO_TABLE;
	set_reg(regs, arch->dwarf_sp, sp + u->word_bytes);
	set_reg(regs, arch->dwarf_ip, ra);
	return UNWIND_STOP_COUNT;
}

/* The sampled instruction is no code: a call through a bad pointer has come there. */
static enum unwind_stop step_from_nowhere(struct unwinder *u, struct unwind_regs *regs)
{
	const struct arch *arch = u->arch;
	uint64_t ra = regs->v[arch->dwarf_ra], sp = regs->v[arch->dwarf_sp];

	if (arch->dwarf_ra == arch->dwarf_ip) {
		if (!read_word(u, sp, &ra))
			return u->why;
		sp += u->word_bytes;
	} else if (!(regs->known >> arch->dwarf_ra & 1)) {
		return UNWIND_LOST;
	}
	set_reg(regs, arch->dwarf_ip, ra);
	set_reg(regs, arch->dwarf_sp, sp);
	return UNWIND_STOP_COUNT;
}

static bool is_sigreturn(struct unwinder *u, uint64_t ip)
{
	const struct unwind_source *s = u->source;
	uint8_t code[SIGRETURN_BYTES];

	return u->arch->is_sigreturn && s->read && s->read(s->arg, ip, code, sizeof(code)) &&
	       u->arch->is_sigreturn(code, sizeof(code));
}

/*
 * One step. `at_instruction`: the frame did not call, it was sampled or interrupted there.
 * *is_signal: so was what is come to.
 */
static enum unwind_stop step(struct unwinder *u, const struct place *p, struct unwind_regs *regs,
			     bool first, bool at_instruction, bool *is_signal)
{
	uint64_t ip = regs->v[u->arch->dwarf_ip];

	*is_signal = p->rule && p->rule->is_signal;
	if (p->rule)
		return step_by_rule(u, p, regs);
	if (!p->code.executable)
		return first ? step_from_nowhere(u, regs) : UNWIND_NOT_CODE;
	if (p->code.table && unwind_table_is_entry(p->code.table, p->addr - p->code.bias))
		return UNWIND_END;
	if (is_sigreturn(u, ip) || (first && is_sigreturn(u, ip - u->arch->sigreturn_step))) {
		*is_signal = true;
		return step_by_sigframe(u, regs);
	}
	if (at_instruction && step_from_leaf(u, ip, regs) == UNWIND_STOP_COUNT)
		return UNWIND_STOP_COUNT;
	return step_by_frame_pointer(u, regs);
}

/* --- the walk ------------------------------------------------------------------------ */

struct chain {
	uint64_t *words;
	uint32_t nr, max;
};

/* False: no room. */
static bool add_frame(struct chain *c, uint64_t ip, bool is_return)
{
	if (c->nr + 1 + !is_return > c->max)
		return false;
	if (!is_return)
		c->words[c->nr++] = (uint64_t)PERF_CONTEXT_USER;
	c->words[c->nr++] = ip;
	return true;
}

/* Whether the frame at `ip` is of a signal trampoline, which is returned to but never called. */
static bool is_trampoline(struct unwinder *u, const struct place *p, uint64_t ip)
{
	if (p->rule)
		return p->rule->is_signal;
	return p->code.executable && is_sigreturn(u, ip);
}

static enum unwind_stop walk(struct unwinder *u, struct unwind_regs *regs, struct chain *c)
{
	const struct arch *arch = u->arch;
	uint64_t ip = regs->v[arch->dwarf_ip], sp, mark_ip = 0, mark_sp = 0;
	const struct place *p = place_at(u, ip);
	bool is_return = false, is_signal = false;
	enum unwind_stop stop;

	add_frame(c, ip, false);
	for (uint64_t steps = 1;; steps++) {
		stop = step(u, p, regs, steps == 1, !is_return, &is_signal);
		if (stop != UNWIND_STOP_COUNT)
			return stop;
		is_return = !is_signal;
		ip = regs->v[arch->dwarf_ip];
		sp = regs->v[arch->dwarf_sp];
		if (is_return && arch->code_addr)
			ip = arch->code_addr(ip);
		if (!ip)
			return UNWIND_END;
		/* Brent's: a mark that is moved ever more rarely is met again in any circle. */
		if (ip == mark_ip && sp == mark_sp)
			return UNWIND_LOOP;
		if (!(steps & (steps - 1))) {
			mark_ip = ip;
			mark_sp = sp;
		}
		p = place_at(u, rule_addr(ip, is_return));
		if (is_return && !p->code.executable && is_sigreturn(u, ip))
			p = place_at(u, ip);
		if (is_return && is_trampoline(u, p, ip))
			is_return = false;
		if (!p->code.executable)
			return UNWIND_NOT_CODE;
		regs->v[arch->dwarf_ip] = ip;
		if (!add_frame(c, ip, is_return))
			return UNWIND_LIMIT;
	}
}

enum unwind_stop unwind_walk(struct unwinder *u, const struct unwind_source *source,
			     struct unwind_regs *regs, uint64_t *words, uint32_t max, uint32_t *nr)
{
	struct chain c = { words, 0, max };
	enum unwind_stop stop;

	u->source = source;
	u->why = UNWIND_LOST;
	stop = walk(u, regs, &c);
	u->source = NULL;
	*nr = c.nr;
	return stop;
}
