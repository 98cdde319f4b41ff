/* SPDX-License-Identifier: MIT */
/*
 * sonde list: the events that -e takes, and which of them this machine counts.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "cmd/cmd.h"
#include "cmd/outfile.h"
#include "engine/counting.h"
#include "engine/event.h"
#include "engine/event_legacy.h"
#include "engine/pfm.h"
#include "engine/pmu.h"
#include "engine/tracefs.h"
#include "view/stat.h"

/* Names reach to here; descriptions begin behind. */
#define NAME_WIDTH 44
#define WIDTH_LEAST 60
#define NOTES_MAX 8

enum kind { HW, SW, TOOL, CACHE, PMU, RAW, TRACEPOINT, SDT, METRIC, PFM, NR_KINDS };

static const struct {
	const char *names[4];            /* as arguments */
	const char *title, *type;        /* heading; what -j calls it, as perf list -j does */
} kinds[NR_KINDS] = {
	[HW] = { { "hw", "hardware" }, "Hardware events", "Hardware event" },
	[SW] = { { "sw", "software" }, "Software events", "Software event" },
	[TOOL] = { { "tool" }, "Times", "Tool event" },
	[CACHE] = { { "cache", "hwcache" }, "Cache events", "Hardware cache event" },
	[PMU] = { { "pmu" }, "Events of PMUs", "Kernel PMU event" },
	[RAW] = { { "raw", "rawpmu" }, "Raw events and breakpoints", "Raw event descriptor" },
	[TRACEPOINT] = { { "tracepoint", "event" }, "Tracepoints", "Tracepoint event" },
	[SDT] = { { "sdt" }, "Probes: user static ones, and those that were added", "SDT event" },
	[METRIC] = { { "metric", "metrics", "metricgroup" }, "Metrics, for -M", "Metric" },
	[PFM] = { { "pfm" }, "Names from processor manuals (libpfm4)", "libpfm4 event" },
};

struct entry {
	enum kind kind;
	char *name, *alias, *desc, *more;        /* more: for -v */
	char *unit;
	double scale;
	int code;                /* why it cannot be counted here, or 0 */
	const char *reason;      /* static text */
};

static struct {
	bool json, desc, deprecated;
	int verbose;
	const char *unit, *output;       /* glob of PMUs' names, or NULL */
	char **patterns;
	int nr_patterns;
	bool wanted[NR_KINDS];
	struct { struct entry *v; size_t nr, cap; } entries;
	struct err unread;               /* why there are no tracepoints in it */
} list = { .desc = true };

static bool matches_one(const char *pattern, const char *text)
{
	if (!text)
		return false;
	if (str_is_glob(pattern) || strchr(pattern, ':'))
		return str_glob(pattern, text);
	return strcasestr(text, pattern) != NULL;
}

static bool matches(const char *name, const char *alias, const char *system_name)
{
	if (!list.nr_patterns)
		return true;
	for (int i = 0; i < list.nr_patterns; i++)
		if (matches_one(list.patterns[i], name) || matches_one(list.patterns[i], alias) ||
		    (system_name && str_is_glob(list.patterns[i]) &&
		     str_glob(list.patterns[i], system_name)))
			return true;
	return false;
}

static struct entry *add(enum kind kind, const char *name, const char *alias, const char *desc)
{
	struct entry *e;

	if (!matches(name, alias, NULL))
		return NULL;
	e = vec_push(&list.entries);
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	e->name = mem_strdup(name);
	e->alias = alias ? mem_strdup(alias) : NULL;
	e->desc = desc && list.desc ? mem_strdup(desc) : NULL;
	e->scale = 1.0;
	return e;
}

/* Ask the kernel whether it would count this. */
static void probe(struct entry *e)
{
	struct event_list events = { 0 };
	struct counting_event ce = { 0 };

	if (!e || event_parse(&events, e->name, NULL, NULL) < 0)
		return;
	ce.event = &events.v[0];
	ce.code = e->code = counting_probe(ce.event);
	if (e->code)
		e->reason = counting_reason(&ce);
	event_list_release(&events);
}

static void list_fixed(void)
{
	const struct event_legacy *l;

	for (size_t i = 0; (l = event_legacy_at(i)); i++) {
		enum kind kind = l->type == PERF_TYPE_HARDWARE ? HW :
				 l->type == PERF_TYPE_SOFTWARE ? SW : TOOL;

		if (list.wanted[kind])
			probe(add(kind, l->name, l->alias, l->what));
	}
}

static void list_caches(void)
{
	uint64_t config;
	char name[64];

	for (size_t i = 0; event_legacy_cache_at(i, name, &config); i++)
		probe(add(CACHE, name, NULL, NULL));
}

static char *pmu_formats_text(struct pmu *pmu)
{
	struct str text = STR_INIT;

	pmu_formats_load(pmu);
	for (uint32_t i = 0; i < pmu->nr_formats; i++)
		str_addf(&text, "%s%s=0..%#llx", i ? "," : "", pmu->formats[i].name,
			 (unsigned long long)pmu_format_max(&pmu->formats[i]));
	return str_take(&text);
}

static void list_pmu(struct pmu *pmu)
{
	struct str name = STR_INIT, more = STR_INIT;
	struct entry *e;

	pmu_aliases_load(pmu);
	for (uint32_t i = 0; i < pmu->nr_aliases; i++) {
		const struct pmu_alias *a = &pmu->aliases[i];

		str_clear(&name);
		str_clear(&more);
		str_addf(&name, "%s/%s/", pmu->name, a->name);
		e = add(PMU, name.p, NULL, NULL);
		if (!e)
			continue;
		str_addf(&more, "%s/%s/", pmu->name, a->terms);
		e->more = str_take(&more);
		e->unit = a->unit ? mem_strdup(a->unit) : NULL;
		e->scale = a->scale;
		/* An event with an open term cannot be asked for as it stands. */
		if (!strchr(a->terms, '?'))
			probe(e);
	}
	if (list.verbose && list.wanted[RAW]) {
		char *formats = pmu_formats_text(pmu);

		str_clear(&name);
		str_addf(&name, "%s/TERM=VALUE,.../", pmu->name);
		e = formats[0] ? add(RAW, name.p, NULL, "any of the PMU's terms") : NULL;
		if (e)
			e->more = mem_strdup(formats);
		free(formats);
	}
	str_release(&name);
	str_release(&more);
}

static void list_pmus(void)
{
	struct pmu_set *set = pmu_set_here();

	pmu_set_scan(set);
	for (uint32_t i = 0; i < set->nr; i++)
		if (!list.unit || str_glob(list.unit, set->v[i]->name))
			list_pmu(set->v[i]);
}

static void list_raw(void)
{
	add(RAW, "rNNN", NULL, "event and unit mask in hexadecimal, as the CPU's manual has them");
	add(RAW, "cpu/TERM=VALUE,.../MODIFIERS", NULL, "the same by name: event=, umask=, cmask=, "
	    "inv, edge; config=, config1=, name=, period=");
	add(RAW, "mem:ADDR[/LEN][:ACCESS]", NULL, "hardware breakpoint; access is of r, w, x");
}

static bool is_probe(const char *system_name)
{
	return str_starts(system_name, "sdt_") || str_starts(system_name, "probe");
}

static int add_tracepoint(const char *system_name, const char *name, void *arg)
{
	enum kind kind = is_probe(system_name) ? SDT : TRACEPOINT;
	const char *tracefs = arg;
	struct str full = STR_INIT, fields = STR_INIT;
	struct tracefs_format format;
	struct entry *e;
	uint64_t id;

	str_addf(&full, "%s:%s", system_name, name);
	if (list.wanted[kind] && matches(full.p, NULL, NULL) &&
	    tracefs_id(tracefs, system_name, name, &id, NULL) == 0) {
		e = add(kind, full.p, NULL, NULL);
		if (e && list.verbose &&
		    tracefs_format_read(tracefs, system_name, name, &format, NULL) == 0) {
			for (uint32_t i = 0; i < format.nr; i++)
				if (!str_starts(format.v[i].name, "common_"))
					str_addf(&fields, "%s%s %s", fields.len ? ", " : "",
						 format.v[i].type, format.v[i].name);
			e->more = str_take(&fields);
			tracefs_format_release(&format);
		}
	}
	str_release(&full);
	return 0;
}

static int list_tracepoints(void)
{
	const char *tracefs = tracefs_dir(NULL, &list.unread);
	const char *only = list.nr_patterns == 1 ? strchr(list.patterns[0], ':') : NULL;
	char *system_name;

	if (!tracefs)
		return 0;
	/* `sched:*` need not read two thousand names. */
	system_name = only ? mem_strndup(list.patterns[0], (size_t)(only - list.patterns[0])) :
			     mem_strdup("*");
	tracefs_each(tracefs, system_name, "*", add_tracepoint, (void *)(uintptr_t)tracefs, &list.unread);
	free(system_name);
	return 0;
}

static void list_metrics(void)
{
	const struct stat_metric *m;

	for (uint32_t i = 0; (m = stat_metric_at(i)); i++) {
		struct event_list events = { 0 };
		char *text = stat_metric_events(m, true);
		struct entry *e = add(METRIC, m->name, NULL, m->what);

		if (e) {
			struct str more = STR_INIT;

			str_addf(&more, "%s, group %s", m->formula, m->group);
			e->more = str_take(&more);
			if (event_parse(&events, text, NULL, NULL) < 0) {
				e->code = ENOENT;
				e->reason = "this CPU's PMU exports no such events";
			}
			for (uint32_t j = 0; j < events.nr && !e->code; j++) {
				struct counting_event ce = { .event = &events.v[j] };

				ce.code = e->code = counting_probe(ce.event);
				e->reason = e->code ? counting_reason(&ce) : NULL;
			}
			event_list_release(&events);
		}
		free(text);
	}
}

static int add_pfm(const struct pfm_entry *p, void *arg)
{
	struct str name = STR_INIT;

	(void)arg;
	str_addf(&name, "%s%s%s", p->name, p->umask ? ":" : "", p->umask ? p->umask : "");
	/* Unit masks make the list ten times as long: with -v, or when looked for. */
	if (!p->umask || list.verbose || list.nr_patterns) {
		struct entry *e = add(PFM, name.p, NULL, p->desc);

		if (e)
			e->more = mem_strdup(p->pmu);
	}
	str_release(&name);
	return 0;
}

static void list_pfm(void)
{
	if (!pfm_version()) {
		if (!list.nr_patterns)
			log_note("this build or machine has no libpfm4 (package libpfm4), which "
				 "has these names");
		return;
	}
	pfm_each(add_pfm, NULL);
}

/* --- printing ----------------------------------------------------------------- */

/* The reason that all entries of a kind share, or NULL. */
static const char *common_reason(enum kind kind)
{
	const char *reason = NULL;

	for (size_t i = 0; i < list.entries.nr; i++) {
		const struct entry *e = &list.entries.v[i];

		if (e->kind != kind)
			continue;
		if (!e->reason || (reason && strcmp(reason, e->reason) != 0))
			return NULL;
		reason = e->reason;
	}
	return reason;
}

static void print_part(const char *text, int *column, int width)
{
	if (!text || !text[0])
		return;
	if (*column >= NAME_WIDTH) {
		putchar('\n');
		*column = 0;
	}
	printf("%*s", NAME_WIDTH - *column, "");
	cmd_wrap(stdout, text, NAME_WIDTH, NAME_WIDTH, width);
	*column = 0;
}

static void print_entry(const struct entry *e, int note, int width)
{
	struct str name = STR_INIT, unit = STR_INIT;
	int column;

	str_add_safe(&name, e->name);
	if (e->alias)
		str_addf(&name, " OR %s", e->alias);
	if (note)
		str_addf(&name, " [%d]", note);
	column = printf("  %s", name.p);
	print_part(e->desc, &column, width);
	if (e->unit || e->scale != 1.0) {
		str_addf(&unit, "in %s", e->unit ? e->unit : "steps");
		if (e->scale != 1.0)
			str_addf(&unit, " of %g", e->scale);
		print_part(unit.p, &column, width);
	}
	if (list.verbose)
		print_part(e->more, &column, width);
	if (column)
		putchar('\n');
	str_release(&name);
	str_release(&unit);
}

/* The number of a reason among those met so far; they are told below the kind. */
static int note_of(const char **notes, const char *reason)
{
	int i = 0;

	if (!reason)
		return 0;
	while (i < NOTES_MAX - 1 && notes[i] && strcmp(notes[i], reason) != 0)
		i++;
	notes[i] = reason;
	return i + 1;
}

static void print_kind(enum kind kind, int width, bool *first)
{
	const char *common = common_reason(kind), *notes[NOTES_MAX] = { 0 };
	struct str title = STR_INIT;
	bool any = false;

	for (size_t i = 0; i < list.entries.nr; i++) {
		const struct entry *e = &list.entries.v[i];

		if (e->kind != kind)
			continue;
		if (!any) {
			str_addf(&title, "%s%s%s", kinds[kind].title, common ? " -- not here: " : "",
				 common ? common : "");
			printf("%s", *first ? "" : "\n");
			cmd_wrap(stdout, title.p, 0, 2, width);
			printf("\n");
			str_release(&title);
			any = true;
			*first = false;
		}
		print_entry(e, common ? 0 : note_of(notes, e->reason), width);
	}
	for (int i = 0; i < NOTES_MAX && notes[i]; i++) {
		int column = printf("%s  [%d] not here: ", i ? "" : "\n", i + 1) - !i;

		cmd_wrap(stdout, notes[i], column, 6, width);
	}
}

static void json_text(struct str *s, const char *key, const char *text)
{
	if (!text)
		return;
	str_addf(s, ", \"%s\": \"", key);
	str_add_json(s, text);
	str_addc(s, '"');
}

static void print_json(void)
{
	struct str s = STR_INIT;

	printf("[");
	for (size_t i = 0; i < list.entries.nr; i++) {
		const struct entry *e = &list.entries.v[i];

		str_clear(&s);
		str_addf(&s, "%s\n{\"EventType\": \"%s\"", i ? "," : "", kinds[e->kind].type);
		json_text(&s, e->kind == METRIC ? "MetricName" : "EventName", e->name);
		json_text(&s, "EventAlias", e->alias);
		json_text(&s, "BriefDescription", e->desc);
		json_text(&s, e->kind == METRIC ? "MetricExpr" : e->kind == TRACEPOINT ||
			  e->kind == SDT ? "Fields" : "Encoding", e->more);
		json_text(&s, "ScaleUnit", e->unit);
		if (e->scale != 1.0)
			str_addf(&s, ", \"Scale\": %g", e->scale);
		str_addf(&s, ", \"Available\": %s", e->code ? "false" : "true");
		json_text(&s, "Reason", e->reason);
		printf("%s}", s.p);
	}
	printf("\n]\n");
	str_release(&s);
}

static int screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	uint64_t n;

	if (columns && str_u64(columns, &n) == 0 && n >= WIDTH_LEAST && n < 1000)
		return (int)n;
	n = (uint64_t)cmd_columns(stdout, 100);
	return n < WIDTH_LEAST ? WIDTH_LEAST : (int)n;
}

/* --- */

static int find_kind(const char *word)
{
	for (int k = 0; k < NR_KINDS; k++)
		for (int i = 0; i < 4 && kinds[k].names[i]; i++)
			if (strcmp(kinds[k].names[i], word) == 0)
				return k;
	return -1;
}

/* Words that name kinds choose them; the others are looked for in what is left. */
static void choose(int nr_words, char **words)
{
	bool any = false;

	list.patterns = words;
	for (int i = 0; i < nr_words; i++) {
		int kind = find_kind(words[i]);

		if (kind < 0) {
			words[list.nr_patterns++] = words[i];
			continue;
		}
		list.wanted[kind] = any = true;
		if (kind == SW)
			list.wanted[TOOL] = true;
		if (kind == PMU)
			list.wanted[RAW] = true;
	}
	for (int k = 0; !any && k < NR_KINDS; k++)
		list.wanted[k] = !list.unit || k == PMU;
	/* Thousands of names that nobody asked for. */
	if (!any && !list.nr_patterns)
		list.wanted[PFM] = false;
}

static void collect(void)
{
	if (list.wanted[HW] || list.wanted[SW] || list.wanted[TOOL])
		list_fixed();
	if (list.wanted[CACHE])
		list_caches();
	if (list.wanted[RAW])
		list_raw();
	if (list.wanted[PMU])
		list_pmus();
	if (list.wanted[TRACEPOINT] || list.wanted[SDT])
		list_tracepoints();
	if (list.wanted[METRIC])
		list_metrics();
	if (list.wanted[PFM])
		list_pfm();
}

static int nothing_found(void)
{
	struct err err = ERR_INIT;

	if (list.json)
		printf("[\n]\n");
	if (!list.nr_patterns && !list.unread.code && !list.unit)
		return 0;
	if (!list.nr_patterns && !list.unit) {
		cmd_error("list", &list.unread);
		return 1;
	}
	if (list.unit)
		err_set(&err, ENOENT, "no event of a PMU '%s'%s%s; `sonde list pmu` shows them all",
			list.unit, list.nr_patterns ? " has a name like " : " is described here",
			list.nr_patterns ? list.patterns[0] : "");
	else
		err_set(&err, ENOENT, "no event matches '%s'%s%s", list.patterns[0],
		list.unread.code ? "; tracepoints cannot be listed: " : "", list.unread.msg);
	cmd_error("list", &err);
	return 1;
}

static void print_all(void)
{
	bool first = true;

	if (list.json)
		print_json();
	for (int k = 0; !list.json && k < NR_KINDS; k++)
		print_kind((enum kind)k, screen_width(), &first);
}

static void release(void)
{
	for (size_t i = 0; i < list.entries.nr; i++) {
		struct entry *e = &list.entries.v[i];

		free(e->name);
		free(e->alias);
		free(e->desc);
		free(e->more);
		free(e->unit);
	}
	vec_release(&list.entries);
}

/* To standard output, or with -o to a file in its place. */
static int write_all(struct err *err)
{
	struct outfile file;
	int r;

	if (!list.output) {
		print_all();
		return fflush(stdout) && errno != EPIPE ?
			err_set(err, errno, "cannot write standard output: %s", strerror(errno)) : 0;
	}
	r = outfile_open(&file, list.output, err);
	if (r < 0)
		return r;
	fflush(stdout);
	if (dup2(fileno(file.out), STDOUT_FILENO) >= 0)
		print_all();
	r = fflush(stdout) ? err_set(err, errno, "cannot write '%s': %s", list.output, strerror(errno)) : 0;
	return outfile_end(&file, r, err);
}

/* --unit is about PMUs; a kind of events that no PMU of sysfs describes has none. */
static int check_unit(int nr_words, char **words, struct err *err)
{
	for (int i = 0; list.unit && i < nr_words; i++) {
		int kind = find_kind(words[i]);

		if (kind >= 0 && kind != PMU)
			return err_set(err, EINVAL, "--unit chooses among the events of PMUs; it does not go "
				       "with '%s'", words[i]);
	}
	return 0;
}

static int run(int argc, char **argv)
{
	static const struct opt opts[] = {
		OPT_SWITCH('j', "json", &list.json, "as JSON"),
		OPT_COUNT('v', "details", &list.verbose, "encodings, fields of tracepoints, unit masks"),
		OPT_COUNT(0, "verbose", &list.verbose, "the same"),
		OPT_COUNT(0, "long-desc", &list.verbose, "the same"),
		OPT_SWITCH('d', "desc", &list.desc, "what events count (the default; --no-desc: names alone)"),
		OPT_SWITCH(0, "deprecated", &list.deprecated, "accepted: names that went out of use are never "
			   "left out"),
		OPT_STRING(0, "unit", &list.unit, "PMU", "only the events of this PMU, as the kernel describes "
			   "them; a glob is several"),
		OPT_STRING('o', "output", &list.output, "FILE", "to FILE"),
		OPT_REFUSE(0, "cputype", "take --unit cpu_core or --unit cpu_atom"),
		OPT_REFUSE(0, "debug", "-v tells what there is to tell of an event"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int nr_words, status = cmd_options(&cmd_list, opts, OPT_PARSE_ANYWHERE, argc, argv, &nr_words);

	if (status >= 0)
		return status;
	if (check_unit(nr_words, argv, &err) < 0) {
		cmd_error("list", &err);
		return EXIT_USAGE;
	}
	choose(nr_words, argv);
	collect();
	if (!list.entries.nr)
		return nothing_found();
	if (list.unread.code)
		log_note("no tracepoints are listed: %s", list.unread.msg);
	status = write_all(&err) < 0;
	if (status)
		cmd_error("list", &err);
	release();
	return status;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "list the events that can be counted and sampled",
	.usage = "[options] [KIND|GLOB...]",
	.run = run,
	.confine = CONFINE_EXEC,
};
