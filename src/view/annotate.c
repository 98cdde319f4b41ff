/* SPDX-License-Identifier: MIT */
#include "view/annotate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"
#include "view/jumps.h"

#define RED "\033[31m"
#define GREEN "\033[32m"
#define BLUE "\033[34m"
#define PLAIN "\033[m"
#define HOT_PERCENT 5.0
#define WARM_PERCENT 0.5
#define RAW_BYTES 8u             /* of the encoding that have room in a line */
#define NAME_MAX_WHOLE 40u       /* names up to here stay as they are */
#define NAME_MAX_BRIEF 100u      /* of longer ones without their template arguments, the end */
#define MARK_WIDTH 160u          /* of a line that tells of inlined functions, in a file */

struct writer {
	const struct annotate_options *options;
	struct sources *sources;
	const struct annotation *a;
	FILE *out;
	struct jumps *jumps;
	struct str s;
	const char *file;                /* of the source line shown last */
	uint32_t line;
};

bool annotate_skids(const struct perf_event_attr *attr)
{
	if (attr->precise_ip)
		return false;
	switch (attr->type) {
	case PERF_TYPE_SOFTWARE:
		return attr->config == PERF_COUNT_SW_CPU_CLOCK || attr->config == PERF_COUNT_SW_TASK_CLOCK;
	case PERF_TYPE_TRACEPOINT:
	case PERF_TYPE_BREAKPOINT:
		return false;
	default:
		return true;
	}
}

const char *annotate_path(const char *path, bool full)
{
	const char *slash = strrchr(path, '/');

	return slash && !full ? slash + 1 : path;
}

static unsigned count_width(const struct annotate_options *o)
{
	return o->period ? 12 : 8;
}

/* --- the columns before the text -------------------------------------------------------- */

static void add_counts(struct writer *w, uint32_t line)
{
	const struct annotate_options *o = w->options;

	for (uint32_t e = 0; e < w->a->nr_events; e++) {
		const struct profile_total *c = annotation_count(w->a, line, e);
		double percent = annotation_percent(w->a, line, e);
		const char *color = !o->color ? NULL : percent >= HOT_PERCENT ? RED :
				    percent > WARM_PERCENT ? GREEN : NULL;

		if (color)
			str_add(&w->s, color);
		if (o->brief && !c->samples)
			str_addf(&w->s, "%*s", (int)count_width(o), "");
		else if (o->period)
			str_addf(&w->s, "%12" PRIu64, c->period);
		else if (o->samples)
			str_addf(&w->s, "%8" PRIu64, c->samples);
		else
			str_addf(&w->s, "%8.2f", percent);
		if (color)
			str_add(&w->s, PLAIN);
	}
}

static void add_blank_counts(struct writer *w)
{
	str_addf(&w->s, "%*s", (int)(count_width(w->options) * w->a->nr_events), "");
}

static void add_cycles(struct writer *w, uint32_t line)
{
	const struct insn_line *l = line == UINT32_MAX ? NULL : &w->a->lines[line];

	if (!w->a->has_cycles)
		return;
	if (l && l->ipc > 0)
		str_addf(&w->s, " %6.2f", (double)l->ipc);
	else
		str_addf(&w->s, " %6s", "");
	if (l && l->cycles > 0)
		str_addf(&w->s, " %6.0f", (double)l->cycles);
	else
		str_addf(&w->s, " %6s", "");
}

static void end_line(struct writer *w)
{
	while (w->s.len && w->s.p[w->s.len - 1] == ' ')
		w->s.p[--w->s.len] = '\0';
	str_addc(&w->s, '\n');
	fwrite(w->s.p, 1, w->s.len, w->out);
	str_clear(&w->s);
}

/* --- source ----------------------------------------------------------------------------- */

static void begin_source(struct writer *w, uint32_t before)
{
	add_blank_counts(w);
	add_cycles(w, UINT32_MAX);
	if (w->options->brief) {
		str_addc(&w->s, ' ');
		jumps_add(w->jumps, before, true, &w->s);
		str_addf(&w->s, "%7s", "");
	} else {
		str_add(&w->s, " :");
	}
}

/* Text of a file: tabs become blanks, what a terminal would obey is shown. */
static void add_source_text(struct str *s, const char *text, size_t len)
{
	struct str plain = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\t')
			do
				str_addc(&plain, ' ');
			while (plain.len % 8);
		else
			str_addc(&plain, text[i]);
	}
	str_add_safe(s, plain.p);
	str_release(&plain);
}

static void write_source_line(struct writer *w, uint32_t before, const char *file, uint32_t number,
			      const char *home)
{
	const char *text;
	size_t len = 0;

	text = w->sources ? sources_line(w->sources, file, number, &len) : NULL;
	begin_source(w, before);
	if (w->options->color)
		str_add(&w->s, BLUE);
	if (text && file == home) {
		str_addf(&w->s, " %-4u ", number);
	} else {
		/* lines of other files than the function's own say which */
		str_addc(&w->s, ' ');
		str_add_safe(&w->s, annotate_path(file, w->options->full_paths));
		str_addf(&w->s, ":%u ", number);
	}
	if (text)
		add_source_text(&w->s, text, len);
	if (w->options->color)
		str_add(&w->s, PLAIN);
	end_line(w);
}

/* A name that leaves room for others: without template arguments, and no more than its end. */
static void add_brief_name(struct str *out, const char *name)
{
	struct str brief = STR_INIT;
	size_t skip;

	if (!name || strlen(name) <= NAME_MAX_WHOLE) {
		str_add_safe(out, name ? name : "?");
		return;
	}
	demangle_brief(&brief, name);
	skip = brief.len > NAME_MAX_BRIEF ? brief.len - NAME_MAX_BRIEF : 0;
	while (skip && (brief.p[skip] & 0xc0) == 0x80)
		skip++;
	if (skip)
		str_add(out, "...");
	str_add_safe(out, brief.p + skip);
	str_release(&brief);
}

/*
 * "[sq inlined at t.cc:17 in work, in main]": what the following instructions are of. Of a
 * chain that is too long for the line, those in the middle are counted.
 */
static void write_chain(struct writer *w, uint32_t i)
{
	const struct insn_line *l = &w->a->lines[i];
	const struct annot_frame *f = &w->a->frames[l->first_frame];
	size_t room = w->options->width ? w->options->width : MARK_WIDTH;
	uint32_t nr = l->nr_frames, at;
	struct str last = STR_INIT, next = STR_INIT;

	begin_source(w, i);
	str_add(&w->s, "      [");
	add_brief_name(&w->s, nr ? f[0].name : NULL);
	if (nr > 1) {
		str_add(&w->s, " inlined at ");
		if (f[1].file) {
			str_add_safe(&w->s, annotate_path(f[1].file, w->options->full_paths));
			str_addf(&w->s, ":%u in ", f[1].line);
		}
		add_brief_name(&w->s, f[1].name);
	}
	if (nr > 2) {
		str_add(&last, ", in ");
		add_brief_name(&last, f[nr - 1].name);
	}
	for (at = 2; at + 1 < nr; at++) {
		str_clear(&next);
		str_add(&next, ", in ");
		add_brief_name(&next, f[at].name);
		/* ", in 10 more" and the bracket */
		if (w->s.len + next.len + last.len + 14 > room)
			break;
		str_addn(&w->s, next.p, next.len);
	}
	if (at + 1 < nr)
		str_addf(&w->s, ", in %u more", nr - 1 - at);
	if (last.len)
		str_addn(&w->s, last.p, last.len);
	str_addc(&w->s, ']');
	end_line(w);
	str_release(&last);
	str_release(&next);
}

static void write_source(struct writer *w, uint32_t i)
{
	const struct insn_line *l = &w->a->lines[i];
	const struct annot_frame *f = l->nr_frames ? &w->a->frames[l->first_frame] : NULL;

	if (w->options->model.no_lines || !f)
		return;
	if (l->starts_chain)
		write_chain(w, i);
	if (!f->file || !f->line || (f->file == w->file && f->line == w->line && !l->starts_chain))
		return;
	w->file = f->file;
	w->line = f->line;
	write_source_line(w, i, f->file, f->line, f[l->nr_frames - 1].file);
}

/* --- instructions ----------------------------------------------------------------------- */

static const char *arrow_of(const struct insn *insn)
{
	switch (insn->kind) {
	case INSN_JUMP:
		return !insn->has_target ? "\xe2\x86\x92" : insn->target > insn->addr ? "\xe2\x86\x93" :
			"\xe2\x86\x91";
	case INSN_CALL:
		return "\xe2\x86\x92";
	case INSN_RETURN:
		return "\xe2\x86\x90";
	default:
		return " ";
	}
}

static void add_raw(struct str *s, const struct insn *insn)
{
	for (unsigned i = 0; i < RAW_BYTES || i < insn->size; i++) {
		if (i < insn->size)
			str_addf(s, "%02x ", insn->bytes[i]);
		else
			str_add(s, "   ");
	}
}

/*
 * "call 1234 <std::vector<int, std::allocator<int> >::end>" and the like, behind what the line
 * has already: the name shortened where it does not fit the terminal.
 */
static void add_insn_text(struct writer *w, const char *text)
{
	size_t len = strlen(text);
	const char *name = strstr(text, " <");
	struct str brief = STR_INIT;

	if (!w->options->width || w->s.len + len <= w->options->width || !name || text[len - 1] != '>') {
		str_add_safe(&w->s, text);
		return;
	}
	str_addn(&brief, name + 2, (size_t)(text + len - 1 - name - 2));
	str_addn(&w->s, text, (size_t)(name + 2 - text));
	add_brief_name(&w->s, brief.p ? brief.p : "");
	str_addc(&w->s, '>');
	str_release(&brief);
}

static void add_place_of_line(struct writer *w, uint32_t i)
{
	const struct insn_line *l = &w->a->lines[i];
	const struct annot_frame *f = l->nr_frames ? &w->a->frames[l->first_frame] : NULL;

	if (!w->options->print_line || !f || !f->file || annotation_heat(w->a, i) <= 0)
		return;
	str_add(&w->s, " // ");
	str_add_safe(&w->s, annotate_path(f->file, w->options->full_paths));
	str_addf(&w->s, ":%u", f->line);
}

static void write_insn(struct writer *w, uint32_t i)
{
	const struct insn_line *l = &w->a->lines[i];
	struct str text = STR_INIT;

	add_counts(w, i);
	add_cycles(w, i);
	if (w->options->brief) {
		str_addc(&w->s, ' ');
		jumps_add(w->jumps, i, false, &w->s);
		if (l->is_jumped_to)
			str_addf(&w->s, "%5" PRIx64 ":", l->insn.addr - w->a->symbol->start);
		else
			str_addf(&w->s, "%6s", "");
		str_addf(&w->s, " %s ", arrow_of(&l->insn));
	} else {
		str_addf(&w->s, " :   %" PRIx64 ":   ", l->insn.addr);
	}
	if (w->options->asm_raw)
		add_raw(&w->s, &l->insn);
	annotation_text(w->a, i, w->options->brief, &text);
	add_insn_text(w, text.p);
	str_release(&text);
	add_place_of_line(w, i);
	end_line(w);
}

/* --- headings --------------------------------------------------------------------------- */

static uint64_t samples_of(const struct annotation *a)
{
	uint64_t sum = 0;

	for (uint32_t e = 0; e < a->nr_events; e++)
		sum += a->symbol->totals[a->events[e]].samples;
	return sum;
}

static const char *column_name(const struct annotate_options *o)
{
	return o->period ? "Period" : o->samples ? "Samples" : "Percent";
}

static void write_heading(struct writer *w)
{
	const struct annotate_options *o = w->options;
	const struct annotation *a = w->a;
	size_t len;

	if (a->has_cycles)
		str_addf(&w->s, " %-*s %6s %6s|\tSource code & Disassembly of ",
			 (int)(count_width(o) * a->nr_events) - 1, column_name(o), "IPC", "Cycles");
	else
		str_addf(&w->s, " %-*s|\tSource code & Disassembly of ",
			 (int)(count_width(o) * a->nr_events), column_name(o));
	str_add_safe(&w->s, annotate_path(a->symbol->module->path, false));
	str_add(&w->s, " for ");
	annotation_event_name(a, &w->s);
	str_addf(&w->s, " (%" PRIu64 " samples, percent: %s)", samples_of(a),
		 percent_type_text(o->model.percent));
	len = w->s.len;
	end_line(w);
	for (size_t i = 0; i < len; i++)
		str_addc(&w->s, '-');
	end_line(w);
	begin_source(w, 0);
	end_line(w);
	begin_source(w, 0);
	str_addf(&w->s, "      %016" PRIx64 " <", a->symbol->start);
	str_add_safe(&w->s, a->symbol->name);
	str_add(&w->s, ">:");
	if (strcmp(a->code.from, a->symbol->module->path) != 0) {
		str_add(&w->s, "   (code from ");
		str_add_safe(&w->s, a->code.from);
		str_addc(&w->s, ')');
	}
	end_line(w);
}

static void write_brief_heading(struct writer *w)
{
	const struct annotation *a = w->a;
	const struct event_desc *event = &a->profile->data->events.v[a->events[0]];
	uint64_t period = 0;

	for (uint32_t e = 0; e < a->nr_events; e++)
		period += a->symbol->totals[a->events[e]].period;
	str_addf(&w->s, "Samples: %" PRIu64 "  of event%s '", samples_of(a), a->nr_events > 1 ? "s" : "");
	annotation_event_name(a, &w->s);
	str_add(&w->s, "', ");
	if (event->attr.freq)
		str_addf(&w->s, "%" PRIu64 " Hz, ", (uint64_t)event->attr.sample_freq);
	str_addf(&w->s, "Event count (approx.): %" PRIu64 ", [percent: %s]", period,
		 percent_type_text(w->options->model.percent));
	end_line(w);
	str_add_safe(&w->s, a->symbol->name);
	str_add(&w->s, "() ");
	str_add_safe(&w->s, a->symbol->module->path);
	end_line(w);
	str_addf(&w->s, " %-*s", (int)(count_width(w->options) * a->nr_events) - 1, column_name(w->options));
	if (a->has_cycles)
		str_addf(&w->s, " %6s %6s", "IPC", "Cycles");
	end_line(w);
}

/* Which source lines weigh how much, the heaviest first. */
static void write_sums(struct writer *w)
{
	struct source_sum *sums;
	uint32_t nr = annotation_sum_lines(w->a, &sums);

	str_add(&w->s, "\nSorted summary for file ");
	str_add_safe(&w->s, w->a->symbol->module->path);
	str_add(&w->s, "\n----------------------------------------------\n");
	end_line(w);
	for (uint32_t i = 0; i < nr; i++) {
		for (uint32_t e = 0; e < w->a->nr_events; e++)
			str_addf(&w->s, "%8.2f", annotation_percent_of(w->a, &sums[i].counts[e], e));
		str_addc(&w->s, ' ');
		str_add_safe(&w->s, annotate_path(sums[i].file, w->options->full_paths));
		str_addf(&w->s, ":%u", sums[i].line);
		end_line(w);
	}
	if (!nr) {
		str_add(&w->s, " Nothing: no debug information tells of lines");
		end_line(w);
	}
	free(sums);
}

void annotate_write(const struct annotate_options *options, struct sources *sources,
		    const struct annotation *a, FILE *out)
{
	struct writer w = { .options = options, .sources = sources, .a = a, .out = out, .s = STR_INIT };
	char version[24];

	sources_set_module(sources, a->symbol->module);
	if (options->print_line)
		write_sums(&w);
	if (options->brief) {
		w.jumps = jumps_new(a, 6);
		write_brief_heading(&w);
	} else {
		write_heading(&w);
	}
	for (uint32_t i = 0; i < a->nr; i++) {
		if (options->min_percent > 0 && annotation_heat(a, i) < options->min_percent)
			continue;
		write_source(&w, i);
		write_insn(&w, i);
	}
	if (a->code.size < a->symbol->end - a->symbol->start)
		fprintf(out, "# the file ends 0x%" PRIx64 " bytes before the function does\n",
			a->symbol->end - a->symbol->start - a->code.size);
	if (a->nr_raw)
		fprintf(out, "# %u bytes are shown as they are: capstone %s knows no such instruction\n",
			a->nr_raw, disasm_version(version));
	jumps_free(w.jumps);
	str_release(&w.s);
}
