/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "view/annotate_data.h"
#include "view/jumps.h"

#define CONTEXT 3u               /* source lines above and below those that became code */

static const char style[] =
	"body{margin:0;font:14px/1.4 system-ui,sans-serif;color:#222;background:#fff;display:flex;height:100vh}"
	"nav{order:-1;width:17em;overflow:auto;border-right:1px solid #ccc;padding:.5em;flex:none;box-sizing:border-box}"
	"nav h1{font-size:1.1em;margin:.2em 0 .6em}nav a{display:block;color:inherit;text-decoration:none;"
	"padding:.15em .3em;overflow-wrap:anywhere;max-height:4.2em;overflow:hidden;margin:.1em 0}nav a:hover,nav a.on{background:#eef}nav b{font-weight:600}"
	"main{flex:1;min-width:0;height:100vh;overflow:hidden}section{display:none;height:100vh;flex-direction:column}"
	"section.on{display:flex}header{padding:.4em .8em;border-bottom:1px solid #ccc;flex:none}"
	"h2{font:600 1.05em monospace;margin:0;overflow-wrap:anywhere;max-height:3em;overflow:auto}"
	"header p{margin:.1em 0;color:#555}.panes{display:flex;flex:1;min-height:0}"
	".pane{flex:1;overflow:auto;min-width:0}.pane+.pane{border-left:1px solid #ccc}"
	"table{border-collapse:collapse;font:12px/1.45 monospace;white-space:pre}td{padding:0 .4em}"
	"td.p{text-align:right;min-width:4em}td.n{text-align:right;color:#888}td.g{color:#888;padding:0}"
	"tr.file td{color:#555;font-weight:600;padding-top:.6em}tr.inl td{color:#777;font-style:italic}"
	"tr[data-l]{cursor:pointer}tr.sel td{background-color:#dde8ff}tr.hottest td:last-child{font-weight:700}"
	"tr.hottest td.p{outline:2px solid #c00;outline-offset:-2px}a.t{color:#05c;text-decoration:none}"
	"footer{padding:.3em;color:#555;font-size:.85em}"
	"@media(prefers-color-scheme:dark){body{background:#16181c;color:#ddd}nav a:hover,nav a.on{background:#2a3350}"
	"tr.sel td{background-color:#2a3a60}a.t{color:#7ab4ff}nav,header,.pane+.pane{border-color:#444}"
	"header p,td.n,td.g,tr.file td,tr.inl td,footer{color:#999}}";

static const char script[] =
	"(function(){'use strict';var S=Array.from(document.querySelectorAll('section'));"
	"var F=document.querySelector('nav footer'),N=S.map(function(s){var a=document.createElement('a'),"
	"b=document.createElement('b');a.href='#'+s.id;b.textContent=s.dataset.share+' ';a.appendChild(b);"
	"a.appendChild(document.createTextNode(s.dataset.name));F.before(a);return a});"
	"function near(r){if(r)r.scrollIntoView({block:'center'})}"
	"function show(i){S.forEach(function(s,j){s.classList.toggle('on',i===j)});"
	"N.forEach(function(a,j){a.classList.toggle('on',i===j)});"
	"if(S[i])S[i].querySelectorAll('tr.hottest').forEach(near)}"
	"function pick(row){var s=row.closest('section'),l=row.dataset.l,first={};"
	"s.querySelectorAll('tr.sel').forEach(function(r){r.classList.remove('sel')});"
	"s.querySelectorAll('tr[data-l]').forEach(function(r){if(r.dataset.l!==l)return;r.classList.add('sel');"
	"var p=r.closest('.pane').className;if(!first[p]){first[p]=1;if(r.closest('.pane')!==row.closest('.pane'))near(r)}})}"
	"document.addEventListener('click',function(e){var a=e.target.closest('nav a'),r=e.target.closest('tr[data-l]');"
	"if(a){e.preventDefault();show(N.indexOf(a))}else if(r&&!e.target.closest('a'))pick(r)});"
	"document.addEventListener('keydown',function(e){var i=S.findIndex(function(s){return s.classList.contains('on')});"
	"if(e.key==='n'&&i+1<S.length)show(i+1);if(e.key==='p'&&i>0)show(i-1);"
	"if(e.key==='h')show(i)});"
	"show(0)}());";

void annotate_html_head(const char *title, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>");
	str_add_xml(&s, title);
	str_addf(&s, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", style);
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

/* --- cells ------------------------------------------------------------------------------ */

static void add_heat(struct str *s, double percent, bool any)
{
	double shade = percent > 100 ? 1 : percent / 100;

	if (!any)
		str_add(s, "<td class=\"p\"></td>");
	else
		str_addf(s, "<td class=\"p\" style=\"background:rgba(255,90,0,%.3f)\">%.2f</td>",
			 0.08 + 0.8 * shade, percent);
}

/* Text of a source file, which need not be UTF-8: what is not is shown as str_add_safe does. */
static void add_code(struct str *s, const char *text, size_t len)
{
	struct str plain = STR_INIT, safe = STR_INIT;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\t')
			do
				str_addc(&plain, ' ');
			while (plain.len % 8);
		else if (text[i])
			str_addc(&plain, text[i]);
	}
	str_add_safe(&safe, plain.p);
	str_add_xml(s, safe.p);
	str_release(&plain);
	str_release(&safe);
}

/* --- source lines ------------------------------------------------------------------------- */

/* A source line that instructions of the function came from. */
struct used_line {
	const char *file;
	uint32_t line, id;               /* id ties its row to those of its instructions */
	struct profile_total counts[ANNOTATION_EVENTS_MAX];
};

struct used_lines {
	VEC(struct used_line) v;
	uint32_t *of_insn;               /* index of each instruction's line; UINT32_MAX: none */
	uint32_t *order;                 /* by file, the function's own first, then line */
	const char *home;
};

static int by_place(const void *x, const void *y, void *arg)
{
	const struct used_lines *u = arg;
	const struct used_line *a = &u->v.v[*(const uint32_t *)x], *b = &u->v.v[*(const uint32_t *)y];

	if ((a->file == u->home) != (b->file == u->home))
		return a->file == u->home ? -1 : 1;
	if (a->file != b->file)
		return strcmp(a->file, b->file);
	return (a->line > b->line) - (a->line < b->line);
}

static void used_collect(struct used_lines *u, const struct annotation *a)
{
	struct map64 ids = { 0 };

	*u = (struct used_lines){ .of_insn = mem_alloc((a->nr + 1) * sizeof(*u->of_insn)) };
	for (uint32_t i = 0; i < a->nr; i++) {
		const struct insn_line *l = &a->lines[i];
		const struct annot_frame *f = l->nr_frames ? &a->frames[l->first_frame] : NULL;
		uint64_t *slot;
		bool added;

		u->of_insn[i] = UINT32_MAX;
		if (!f || !f->file || !f->line)
			continue;
		if (!u->home)
			u->home = f[l->nr_frames - 1].file;
		slot = map64_put(&ids, hash_mix((uint64_t)(uintptr_t)f->file, f->line), &added);
		if (added) {
			*slot = u->v.nr;
			*vec_push(&u->v) = (struct used_line){ .file = f->file, .line = f->line,
							       .id = (uint32_t)*slot };
		}
		u->of_insn[i] = (uint32_t)*slot;
		for (uint32_t e = 0; e < a->nr_events; e++) {
			u->v.v[*slot].counts[e].samples += annotation_count(a, i, e)->samples;
			u->v.v[*slot].counts[e].period += annotation_count(a, i, e)->period;
		}
	}
	u->order = mem_alloc((u->v.nr + 1) * sizeof(*u->order));
	for (uint32_t i = 0; i < u->v.nr; i++)
		u->order[i] = i;
	qsort_r(u->order, u->v.nr, sizeof(*u->order), by_place, u);
	map64_release(&ids);
}

static void used_release(struct used_lines *u)
{
	vec_release(&u->v);
	free(u->of_insn);
	free(u->order);
}

static uint32_t hottest_used(const struct used_lines *u)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < u->v.nr; i++)
		if (u->v.v[i].counts[0].samples &&
		    (best == UINT32_MAX || u->v.v[i].counts[0].period > u->v.v[best].counts[0].period))
			best = i;
	return best;
}

static void write_source_row(struct sources *sources, const struct annotation *a, const char *file,
			     uint32_t line, const struct used_line *used, bool hottest, FILE *out)
{
	struct str s = STR_INIT;
	const char *text;
	size_t len = 0;

	if (used)
		str_addf(&s, "<tr data-l=\"%u\"%s>", used->id, hottest ? " class=\"hottest\"" : "");
	else
		str_add(&s, "<tr>");
	for (uint32_t e = 0; e < a->nr_events; e++)
		add_heat(&s, used ? annotation_percent_of(a, &used->counts[e], e) : 0,
			 used && used->counts[e].samples);
	str_addf(&s, "<td class=\"n\">%u</td><td>", line);
	text = sources ? sources_line(sources, file, line, &len) : NULL;
	if (text)
		add_code(&s, text, len);
	str_add(&s, "</td></tr>\n");
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

static void write_source_pane(struct sources *sources, const struct annotation *a,
			      const struct used_lines *u, FILE *out)
{
	uint32_t hottest = hottest_used(u), next = 0;
	const char *file = NULL;

	fputs("<div class=\"pane src\"><table>\n", out);
	for (uint32_t i = 0; i < u->v.nr; i++) {
		const struct used_line *l = &u->v.v[u->order[i]];
		uint32_t until = i + 1 < u->v.nr && u->v.v[u->order[i + 1]].file == l->file ?
				 u->v.v[u->order[i + 1]].line : UINT32_MAX;
		uint32_t last = l->line + CONTEXT, most = sources ? sources_count(sources, l->file) : 0;

		if (l->file != file) {
			struct str s = STR_INIT;

			str_addf(&s, "<tr class=\"file\"><td colspan=\"%u\">", a->nr_events + 2);
			str_add_xml(&s, l->file);
			str_add(&s, "</td></tr>\n");
			fwrite(s.p, 1, s.len, out);
			str_release(&s);
			file = l->file;
			next = 1;
		}
		if (l->line > next + CONTEXT) {
			if (next > 1)
				fprintf(out, "<tr><td colspan=\"%u\" class=\"g\">&#8942;</td></tr>\n",
					a->nr_events + 2);
			next = l->line - CONTEXT;
		}
		for (; most && next < l->line && next <= most; next++)
			write_source_row(sources, a, file, next, NULL, false, out);
		write_source_row(sources, a, file, l->line, l, u->order[i] == hottest, out);
		next = l->line + 1;
		if (last > most)
			last = most;
		for (; next < until && next <= last; next++)
			write_source_row(sources, a, file, next, NULL, false, out);
	}
	if (!u->v.nr)
		fputs("<tr><td>No debug information tells of source lines.</td></tr>\n", out);
	fputs("</table></div>\n", out);
}

/* --- instructions ----------------------------------------------------------------------- */

static void add_chain(struct str *s, const struct annotation *a, uint32_t i)
{
	const struct insn_line *l = &a->lines[i];
	const struct annot_frame *f = &a->frames[l->first_frame];
	struct str safe = STR_INIT;

	if (!l->starts_chain || !l->nr_frames)
		return;
	for (uint32_t j = 0; j < l->nr_frames; j++) {
		str_add(&safe, j ? " in " : "");
		str_add_safe(&safe, f[j].name ? f[j].name : "?");
	}
	str_addf(s, "<tr class=\"inl\"><td colspan=\"%u\"></td><td>", a->nr_events + 2);
	str_add_xml(s, safe.p);
	str_add(s, "</td></tr>\n");
	str_release(&safe);
}

static void write_insn(const struct annotate_options *o, const struct annotation *a, uint32_t nr,
		       uint32_t i, const struct used_lines *u, const struct jumps *jumps,
		       uint32_t hottest, FILE *out)
{
	const struct insn_line *l = &a->lines[i];
	struct str s = STR_INIT, text = STR_INIT, safe = STR_INIT;

	add_chain(&s, a, i);
	str_addf(&s, "<tr id=\"f%u-%" PRIx64 "\"", nr, l->insn.addr);
	if (u->of_insn[i] != UINT32_MAX)
		str_addf(&s, " data-l=\"%u\"", u->v.v[u->of_insn[i]].id);
	str_add(&s, i == hottest ? " class=\"hottest\">" : ">");
	for (uint32_t e = 0; e < a->nr_events; e++)
		add_heat(&s, annotation_percent(a, i, e), annotation_count(a, i, e)->samples);
	str_addf(&s, "<td class=\"n\">%" PRIx64 "</td><td class=\"g\">", l->insn.addr);
	jumps_add(jumps, i, false, &s);
	str_add(&s, "</td><td>");
	for (unsigned b = 0; o->asm_raw && b < l->insn.size; b++)
		str_addf(&s, "%02x%s", l->insn.bytes[b], b + 1 < l->insn.size ? " " : "  ");
	annotation_text(a, i, false, &text);
	str_add_safe(&safe, text.p);
	if (l->jump != UINT32_MAX)
		str_addf(&s, "<a class=\"t\" href=\"#f%u-%" PRIx64 "\">", nr, l->insn.target);
	str_add_xml(&s, safe.p);
	str_add(&s, l->jump != UINT32_MAX ? "</a></td></tr>\n" : "</td></tr>\n");
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
	str_release(&text);
	str_release(&safe);
}

static void write_heading(const struct annotation *a, uint32_t nr, FILE *out)
{
	uint32_t event = a->events[0];
	uint64_t all = a->profile->totals[event].period;
	double share = all ? 100.0 * (double)a->symbol->totals[event].period / (double)all : 0;
	struct str s = STR_INIT, name = STR_INIT, events = STR_INIT;

	str_add_safe(&name, a->symbol->name);
	annotation_event_name(a, &events);
	str_addf(&s, "<section id=\"f%u\" data-share=\"%.2f%%\" data-name=\"", nr, share);
	str_add_xml(&s, name.p);
	str_add(&s, "\">\n<header><h2>");
	str_add_xml(&s, name.p);
	str_add(&s, "</h2><p>");
	str_add_xml(&s, a->symbol->module->path);
	if (strcmp(a->code.from, a->symbol->module->path) != 0) {
		str_add(&s, ", code from ");
		str_add_xml(&s, a->code.from);
	}
	str_addf(&s, " &#183; %" PRIu64 " samples of ", a->symbol->totals[event].samples);
	str_add_xml(&s, events.p);
	str_addf(&s, ", %.2f%% of all &#183; percent: %s</p></header>\n<div class=\"panes\">\n", share,
		 percent_type_text(a->options.percent));
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
	str_release(&name);
	str_release(&events);
}

void annotate_html_function(const struct annotate_options *o, struct sources *sources,
			    const struct annotation *a, uint32_t nr, FILE *out)
{
	struct jumps *jumps = jumps_new(a, 8);
	uint32_t hottest = annotation_hottest(a, 0);
	struct used_lines used;

	sources_set_module(sources, a->symbol->module);
	used_collect(&used, a);
	write_heading(a, nr, out);
	if (!o->model.no_lines)
		write_source_pane(sources, a, &used, out);
	fputs("<div class=\"pane asm\"><table>\n", out);
	for (uint32_t i = 0; i < a->nr; i++)
		if (!(o->min_percent > 0 && annotation_heat(a, i) < o->min_percent))
			write_insn(o, a, nr, i, &used, jumps, hottest, out);
	fputs("</table></div>\n</div></section>\n", out);
	used_release(&used);
	jumps_free(jumps);
}

void annotate_html_foot(const char *notes, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, "</main>\n<nav><h1>Functions</h1><footer>");
	for (const char *end; *notes; notes = *end ? end + 1 : end) {
		struct str line = STR_INIT;

		end = strchrnul(notes, '\n');
		str_addn(&line, notes, (size_t)(end - notes));
		str_add(&s, "<p>");
		str_add_xml(&s, line.p);
		str_add(&s, "</p>");
		str_release(&line);
	}
	str_addf(&s, "</footer></nav>\n<noscript><style>section{display:flex}main{overflow:auto}</style>"
		 "</noscript>\n<script>%s</script>\n</body>\n</html>\n", script);
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}
