/* SPDX-License-Identifier: MIT */
#include "view/annotate_data.h"

#include <inttypes.h>

void annotate_json_head(FILE *out)
{
	fprintf(out, "{\"schema\":\"sonde-annotate\",\"version\":%d,\"functions\":[", ANNOTATE_JSON_VERSION);
}

static void add_text(struct str *s, const char *name, const char *text)
{
	str_addf(s, "\"%s\":", name);
	if (!text) {
		str_add(s, "null");
		return;
	}
	str_addc(s, '"');
	str_add_json(s, text);
	str_addc(s, '"');
}

static void add_events(struct str *s, const struct annotation *a)
{
	const struct profile *p = a->profile;

	str_add(s, ",\"events\":[");
	for (uint32_t e = 0; e < a->nr_events; e++) {
		const struct profile_total *local = &a->symbol->totals[a->events[e]];
		const struct profile_total *all = &p->totals[a->events[e]];

		str_add(s, e ? ",{" : "{");
		add_text(s, "event", p->data->events.v[a->events[e]].name);
		str_addf(s, ",\"samples\":%" PRIu64 ",\"period\":%" PRIu64 ",\"total_samples\":%" PRIu64
			 ",\"total_period\":%" PRIu64 ",\"precise\":%s}", local->samples, local->period,
			 all->samples, all->period,
			 annotate_skids(&p->data->events.v[a->events[e]].attr) ? "false" : "true");
	}
	str_addc(s, ']');
}

static void add_source(struct str *s, const struct annotation *a, const struct insn_line *l)
{
	const struct annot_frame *f = &a->frames[l->first_frame];

	if (!l->nr_frames)
		return;
	str_addc(s, ',');
	add_text(s, "file", f->file);
	str_addf(s, ",\"line\":%u", f->line);
	if (l->nr_frames < 2)
		return;
	str_add(s, ",\"inlined\":[");
	for (uint32_t i = 0; i + 1 < l->nr_frames; i++) {
		str_add(s, i ? ",{" : "{");
		add_text(s, "function", f[i].name);
		str_addc(s, ',');
		add_text(s, "call_file", f[i + 1].file);
		str_addf(s, ",\"call_line\":%u}", f[i + 1].line);
	}
	str_addc(s, ']');
}

static void add_insn(struct str *s, const struct annotation *a, uint32_t i)
{
	static const char *const kinds[] = { NULL, "jump", "call", "return", "raw" };
	const struct insn_line *l = &a->lines[i];
	struct str text = STR_INIT;

	str_addf(s, "{\"address\":\"0x%" PRIx64 "\",\"bytes\":\"", l->insn.addr);
	for (unsigned b = 0; b < l->insn.size; b++)
		str_addf(s, "%02x", l->insn.bytes[b]);
	str_add(s, "\",");
	annotation_text(a, i, false, &text);
	add_text(s, "text", text.p);
	str_release(&text);
	if (kinds[l->insn.kind])
		str_addf(s, ",\"kind\":\"%s\"", kinds[l->insn.kind]);
	if (l->insn.has_target)
		str_addf(s, ",\"target\":\"0x%" PRIx64 "\"", l->insn.target);
	add_source(s, a, l);
	if (l->ipc > 0)
		str_addf(s, ",\"ipc\":%.2f,\"cycles\":%.1f", (double)l->ipc, (double)l->cycles);
	if (annotation_heat(a, i) > 0) {
		str_add(s, ",\"counts\":[");
		for (uint32_t e = 0; e < a->nr_events; e++) {
			const struct profile_total *c = annotation_count(a, i, e);

			str_addf(s, "%s{\"samples\":%" PRIu64 ",\"period\":%" PRIu64 ",\"percent\":%.4f}",
				 e ? "," : "", c->samples, c->period, annotation_percent(a, i, e));
		}
		str_addc(s, ']');
	}
	str_addc(s, '}');
}

void annotate_json_function(const struct annotation *a, uint32_t nr, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, nr ? ",\n{" : "\n{");
	add_text(&s, "symbol", a->symbol->name);
	str_addc(&s, ',');
	add_text(&s, "module", a->symbol->module->path);
	str_addc(&s, ',');
	add_text(&s, "code_from", a->code.from);
	str_addf(&s, ",\"kernel\":%s,\"start\":\"0x%" PRIx64 "\",\"end\":\"0x%" PRIx64 "\"",
		 a->symbol->kernel ? "true" : "false", a->symbol->start, a->symbol->end);
	str_addc(&s, ',');
	add_text(&s, "percent_type", percent_type_text(a->options.percent));
	add_events(&s, a);
	str_addf(&s, ",\"raw_bytes\":%u,\"instructions\":[\n", a->nr_raw);
	for (uint32_t i = 0; i < a->nr; i++) {
		add_insn(&s, a, i);
		str_add(&s, i + 1 < a->nr ? ",\n" : "\n");
		fwrite(s.p, 1, s.len, out);
		str_clear(&s);
	}
	fputs(s.p, out);
	fputs("]}", out);
	str_release(&s);
}

void annotate_json_foot(uint32_t missing, uint32_t below_limit, FILE *out)
{
	fprintf(out, "\n],\"missing\":%u,\"below_limit\":%u}\n", missing, below_limit);
}
