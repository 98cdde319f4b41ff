/* SPDX-License-Identifier: MIT */
#include "view/annotation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

#define FRAMES_DEEP 32u
#define OWN_NAME_MAX 40         /* a longer name of the function itself is left out of its jumps */

static const char *const percent_names[] = {
	[PERCENT_LOCAL_PERIOD] = "local-period",
	[PERCENT_LOCAL_HITS] = "local-hits",
	[PERCENT_GLOBAL_PERIOD] = "global-period",
	[PERCENT_GLOBAL_HITS] = "global-hits",
};

int percent_type_find(const char *name)
{
	for (int i = 0; i < (int)(sizeof(percent_names) / sizeof(percent_names[0])); i++)
		if (strcmp(name, percent_names[i]) == 0)
			return i;
	return -1;
}

const char *percent_type_text(enum percent_type type)
{
	static const char *const texts[] = { "local period", "local hits", "global period", "global hits" };

	return texts[type];
}

/* --- instructions ----------------------------------------------------------------------- */

typedef VEC(struct insn_line) insn_lines;

/* Up to where the bytes at `addr` are of one kind, and which: Arm's marks. */
static uint64_t kind_until(const struct code *code, uint64_t addr, char *kind)
{
	uint64_t end = code->addr + code->size;

	*kind = 0;
	for (size_t i = 0; i < code->nr_marks; i++) {
		if (code->marks[i].addr <= addr)
			*kind = code->marks[i].kind;
		else
			return code->marks[i].addr < end ? code->marks[i].addr : end;
	}
	return end;
}

static void disassemble(struct annotation *a, struct disasm *d, insn_lines *lines)
{
	const struct code *code = &a->code;
	size_t at = 0;

	while (at < code->size) {
		uint64_t addr = code->addr + at, until;
		struct insn insn;
		size_t room;
		char kind;

		until = kind_until(code, addr, &kind);
		room = (size_t)(until - addr);
		disasm_set_thumb(d, kind == 't');
		if (kind == 'd')
			disasm_raw(d, code->bytes + at, room < 4 ? room : 4, addr, &insn);
		else if (!disasm_next(d, code->bytes + at, room, addr, &insn))
			break;
		if (insn.kind == INSN_RAW && kind != 'd')
			a->nr_raw += insn.size;
		*vec_push(lines) = (struct insn_line){ .insn = insn, .jump = UINT32_MAX };
		at += insn.size;
	}
}

/* The line that covers elf_addr, or UINT32_MAX. */
static uint32_t line_at(const struct annotation *a, uint64_t elf_addr)
{
	uint32_t lo = 0, hi = a->nr;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (a->lines[mid].insn.addr <= elf_addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || elf_addr - a->lines[lo - 1].insn.addr >= a->lines[lo - 1].insn.size)
		return UINT32_MAX;
	return lo - 1;
}

static void find_jumps(struct annotation *a)
{
	for (uint32_t i = 0; i < a->nr; i++) {
		const struct insn *insn = &a->lines[i].insn;
		uint32_t to;

		if (insn->kind != INSN_JUMP || !insn->has_target)
			continue;
		to = line_at(a, insn->target);
		if (to == UINT32_MAX || a->lines[to].insn.addr != insn->target)
			continue;
		a->lines[i].jump = to;
		a->lines[to].is_jumped_to = true;
	}
}

static void lay_counts(struct annotation *a)
{
	const struct hot_symbol *symbol = a->symbol;

	a->counts = mem_zalloc(((size_t)a->nr * a->nr_events + 1) * sizeof(*a->counts));
	for (uint32_t i = 0; i < symbol->nr_sites; i++) {
		const struct hot_site *site = &symbol->sites[i];
		uint32_t line = line_at(a, site->elf_addr), e;

		for (e = 0; e < a->nr_events && a->events[e] != site->event; e++)
			;
		if (line == UINT32_MAX || e == a->nr_events)
			continue;
		a->counts[(size_t)line * a->nr_events + e].samples += site->samples;
		a->counts[(size_t)line * a->nr_events + e].period += site->period;
	}
}

/* Of blocks that end at one branch the most frequent one counts: it comes first. */
void annotation_add_branches(struct annotation *a, const struct branches *branches)
{
	const struct branch_block *v;
	size_t nr;

	v = branches_find(branches, a->symbol->module, a->symbol->start, a->symbol->end, &nr);
	for (size_t i = 0; i < nr; i++) {
		uint32_t first = line_at(a, v[i].start), last = line_at(a, v[i].end);

		if (first == UINT32_MAX || last == UINT32_MAX || first > last || (i && v[i].end == v[i - 1].end))
			continue;
		a->lines[last].cycles = (float)((double)v[i].cycles / (double)v[i].count);
		a->lines[last].ipc = (float)((double)(last - first + 1) * (double)v[i].count /
					     (double)v[i].cycles);
		a->has_cycles = true;
	}
}

/* --- source ----------------------------------------------------------------------------- */

static bool same_chain(const struct annot_frame *a, uint32_t nr_a, const struct annot_frame *b,
		       uint32_t nr_b)
{
	if (nr_a != nr_b)
		return false;
	for (uint32_t i = 0; i < nr_a; i++)
		/* the innermost one's line moves on within the function */
		if (a[i].name != b[i].name || (i && (a[i].line != b[i].line || a[i].file != b[i].file)))
			return false;
	return true;
}

static void find_lines(struct annotation *a)
{
	VEC(struct annot_frame) frames = { 0 };
	struct source_frame found[FRAMES_DEEP];

	for (uint32_t i = 0; i < a->nr; i++) {
		struct insn_line *line = &a->lines[i];
		struct insn_line *before = i ? &a->lines[i - 1] : NULL;
		uint32_t nr = module_lines(a->symbol->module, line->insn.addr, found, FRAMES_DEEP);

		line->first_frame = (uint32_t)frames.nr;
		line->nr_frames = nr;
		for (uint32_t j = 0; j < nr; j++)
			*vec_push(&frames) = (struct annot_frame){ found[j].name, found[j].file,
								   found[j].line };
		line->starts_chain = before && !same_chain(&frames.v[line->first_frame], nr,
							   &frames.v[before->first_frame],
							   before->nr_frames);
		if (!before)
			line->starts_chain = nr > 1;
		if (nr)
			a->has_lines = true;
	}
	a->frames = frames.v;
	a->nr_frames = (uint32_t)frames.nr;
}

int annotation_build(struct annotation *a, struct codes *codes, const struct profile *profile,
		     const struct hot_symbol *symbol, const uint32_t *events, uint32_t nr_events,
		     const struct annotation_options *options, struct err *err)
{
	insn_lines lines = { 0 };
	struct disasm *d;
	int e;

	*a = (struct annotation){ .profile = profile, .symbol = symbol, .options = *options,
				  .codes = codes };
	for (uint32_t i = 0; i < nr_events && i < ANNOTATION_EVENTS_MAX; i++)
		a->events[a->nr_events++] = events[i];
	e = codes_read(codes, symbol->module, symbol->start, symbol->end, symbol->name, &a->code, err);
	if (e < 0)
		return e;
	e = disasm_new(&d, a->code.e_machine, a->code.is_64bit, a->code.big_endian, options->syntax, err);
	if (e < 0) {
		code_release(&a->code);
		return e;
	}
	disassemble(a, d, &lines);
	disasm_free(d);
	a->lines = lines.v;
	a->nr = (uint32_t)lines.nr;
	find_jumps(a);
	lay_counts(a);
	if (!options->no_lines)
		find_lines(a);
	return 0;
}

void annotation_release(struct annotation *a)
{
	code_release(&a->code);
	free(a->lines);
	free(a->counts);
	free(a->frames);
	*a = (struct annotation){ 0 };
}

/* --- what of it is shown ---------------------------------------------------------------- */

const struct profile_total *annotation_count(const struct annotation *a, uint32_t line, uint32_t e)
{
	return &a->counts[(size_t)line * a->nr_events + e];
}

double annotation_percent_of(const struct annotation *a, const struct profile_total *sum, uint32_t e)
{
	uint32_t event = a->events[e];
	const struct profile_total *local = &a->symbol->totals[event];
	const struct profile_total *all = &a->profile->totals[event];
	uint64_t part = sum->period, whole;

	switch (a->options.percent) {
	case PERCENT_LOCAL_HITS:
		part = sum->samples;
		whole = local->samples;
		break;
	case PERCENT_GLOBAL_PERIOD:
		whole = all->period;
		break;
	case PERCENT_GLOBAL_HITS:
		part = sum->samples;
		whole = all->samples;
		break;
	default:
		whole = local->period;
		break;
	}
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

double annotation_percent(const struct annotation *a, uint32_t line, uint32_t e)
{
	return annotation_percent_of(a, annotation_count(a, line, e), e);
}

double annotation_heat(const struct annotation *a, uint32_t line)
{
	double most = 0;

	for (uint32_t e = 0; e < a->nr_events; e++) {
		double percent = annotation_percent(a, line, e);

		if (percent > most)
			most = percent;
	}
	return most;
}

uint32_t annotation_hottest(const struct annotation *a, uint32_t e)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < a->nr; i++) {
		const struct profile_total *c = annotation_count(a, i, e);

		if (c->samples && (best == UINT32_MAX || c->period > annotation_count(a, best, e)->period))
			best = i;
	}
	return best;
}

static void add_place(const struct annotation *a, uint64_t addr, bool brief, struct str *out)
{
	struct str name = STR_INIT;
	bool inside = addr >= a->symbol->start && addr < a->symbol->end;

	if (brief && inside) {
		str_addf(out, "%" PRIx64, addr - a->symbol->start);
	} else if (codes_name(a->codes, a->symbol->module, addr, &name)) {
		if (brief)
			str_add(out, name.p);
		else if (inside && strlen(a->symbol->name) > OWN_NAME_MAX)
			str_addf(out, "%" PRIx64 " <+0x%" PRIx64 ">", addr, addr - a->symbol->start);
		else
			str_addf(out, "%" PRIx64 " <%s>", addr, name.p);
	} else {
		str_addf(out, "%" PRIx64, addr);
	}
	str_release(&name);
}

void annotation_text(const struct annotation *a, uint32_t line, bool brief, struct str *out)
{
	const struct insn *insn = &a->lines[line].insn;
	struct str name = STR_INIT;

	if (!insn->operands[0]) {
		str_add(out, insn->mnemonic);
		return;
	}
	str_addf(out, brief ? "%-4s " : "%-6s ", insn->mnemonic);
	if (insn->has_target && insn->target_only) {
		add_place(a, insn->target, brief, out);
		return;
	}
	str_add(out, insn->operands);
	if (insn->has_target) {
		str_add(out, "  <");
		if (!codes_name(a->codes, a->symbol->module, insn->target, &name))
			str_addf(&name, "%" PRIx64, insn->target);
		str_addf(out, "%s>", name.p);
	} else if (insn->has_data) {
		if (codes_name(a->codes, a->symbol->module, insn->data, &name))
			str_addf(out, "        # %" PRIx64 " <%s>", insn->data, name.p);
		else
			str_addf(out, "        # %" PRIx64, insn->data);
	}
	str_release(&name);
}

void annotation_event_name(const struct annotation *a, struct str *out)
{
	const struct event_desc *v = a->profile->data->events.v, *leader = &v[a->events[0]];

	if (a->nr_events == 1) {
		str_add_safe(out, leader->name);
		return;
	}
	str_add_safe(out, leader->group_name ? leader->group_name : "anon group");
	for (uint32_t e = 0; e < a->nr_events; e++) {
		str_add(out, e ? ", " : " { ");
		str_add_safe(out, v[a->events[e]].name);
	}
	str_add(out, " }");
}

/* --- sums over source lines ------------------------------------------------------------- */

static int by_source(const void *x, const void *y)
{
	const struct source_sum *a = x, *b = y;
	int r = strcmp(a->file, b->file);

	return r ? r : (a->line > b->line) - (a->line < b->line);
}

static int by_weight(const void *x, const void *y)
{
	const struct source_sum *a = x, *b = y;

	for (uint32_t e = 0; e < ANNOTATION_EVENTS_MAX; e++)
		if (a->counts[e].period != b->counts[e].period)
			return a->counts[e].period > b->counts[e].period ? -1 : 1;
	return by_source(x, y);
}

uint32_t annotation_sum_lines(const struct annotation *a, struct source_sum **out)
{
	VEC(struct source_sum) sums = { 0 };
	size_t used = 0;

	for (uint32_t i = 0; i < a->nr; i++) {
		const struct insn_line *line = &a->lines[i];
		const struct annot_frame *f = &a->frames[line->first_frame];
		struct source_sum sum = { 0 };
		bool any = false;

		if (!line->nr_frames || !f->file)
			continue;
		sum.file = f->file;
		sum.line = f->line;
		for (uint32_t e = 0; e < a->nr_events; e++) {
			sum.counts[e] = *annotation_count(a, i, e);
			any |= sum.counts[e].samples != 0;
		}
		if (any)
			*vec_push(&sums) = sum;
	}
	if (sums.nr)
		qsort(sums.v, sums.nr, sizeof(*sums.v), by_source);
	for (size_t i = 0; i < sums.nr; i++) {
		if (used && by_source(&sums.v[used - 1], &sums.v[i]) == 0) {
			for (uint32_t e = 0; e < a->nr_events; e++) {
				sums.v[used - 1].counts[e].samples += sums.v[i].counts[e].samples;
				sums.v[used - 1].counts[e].period += sums.v[i].counts[e].period;
			}
		} else {
			sums.v[used++] = sums.v[i];
		}
	}
	if (used)
		qsort(sums.v, used, sizeof(*sums.v), by_weight);
	*out = sums.v;
	return (uint32_t)used;
}
