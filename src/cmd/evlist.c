/* SPDX-License-Identifier: MIT */
/* sonde evlist: the events of a recording, in the layout of perf evlist. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "formats/attr_text.h"
#include "formats/perf_data.h"
#include "formats/tracepoint.h"

struct evlist {
	const char *input;
	bool group, freq, verbose, fields, force;
};

/* "{leader,member}" for a group, on its leader; nothing for its members. */
static void add_group(struct str *line, const struct perf_data *data, const struct event_desc *event)
{
	if (event->leader != event->index)
		return;
	if (event->nr_members <= 1) {
		str_add(line, event->name);
		return;
	}
	str_addf(line, "%s{%s", event->group_name ? event->group_name : "", event->name);
	for (uint32_t i = 1; i < event->nr_members; i++)
		str_addf(line, ",%s", data->events.v[event->index + i].name);
	str_addc(line, '}');
}

static void add_event(struct str *line, const struct evlist *e, const struct event_desc *event,
		      struct tracepoints *points)
{
	const struct perf_event_attr *attr = &event->attr;
	const char *between = ":";

	str_add(line, event->name);
	if (e->verbose) {
		str_add(line, ": ");
		attr_text_add(line, attr, ": ", ", ");
		between = ",";
	} else if (e->freq) {
		str_addf(line, ": sample_%s=%" PRIu64, attr->freq ? "freq" : "period",
			 (uint64_t)attr->sample_period);
		between = ",";
	}
	if (!e->fields)
		return;
	if (attr->type != PERF_TYPE_TRACEPOINT) {
		str_addf(line, "%s (not a tracepoint)", between);
		return;
	}
	str_addf(line, "%s trace_fields: ", between);
	if (!tracepoint_add_fields(points, line, attr->config))
		str_add(line, "(not described in the recording)");
}

static void list(const struct evlist *e, const struct perf_data *data, struct tracepoints *points)
{
	bool any_point = false;

	for (uint32_t i = 0; i < data->events.nr; i++) {
		const struct event_desc *event = &data->events.v[i];
		struct str line = STR_INIT, safe = STR_INIT;

		any_point |= event->attr.type == PERF_TYPE_TRACEPOINT;
		if (e->group)
			add_group(&line, data, event);
		else
			add_event(&line, e, event, points);
		str_add_safe(&safe, line.p);
		if (safe.len)
			puts(safe.p);
		str_release(&line);
		str_release(&safe);
	}
	if (any_point && !e->fields)
		puts("# Tip: use 'sonde evlist --trace-fields' to show fields for tracepoint events");
}

static int evlist(const struct evlist *e, struct err *err)
{
	struct tracepoints *points = NULL;
	struct perf_data *data;
	int r = perf_data_open(&data, query_input(e->input), err);

	if (r < 0)
		return r;
	if (e->fields)
		r = tracepoints_new(&points, data, err);
	if (!r)
		list(e, data, points);
	tracepoints_free(points);
	if (!r)
		query_say_damages(data);
	perf_data_close(data);
	if (!r && fflush(stdout) && errno != EPIPE)
		r = err_set(err, errno, "cannot write standard output: %s", strerror(errno));
	return r;
}

static int run(int argc, char **argv)
{
	struct evlist e = { 0 };
	const struct opt opts[] = {
		OPT_STRING('i', "input", &e.input, "FILE", "read FILE; - is standard input (perf.data)"),
		OPT_SWITCH('f', "force", &e.force, "accepted: sonde does not look at the file's owner"),
		OPT_SWITCH('F', "freq", &e.freq, "with the sampling frequency or period"),
		OPT_SWITCH('v', "verbose", &e.verbose, "with all of their attributes"),
		OPT_SWITCH('g', "group", &e.group, "groups in braces"),
		OPT_SWITCH(0, "trace-fields", &e.fields, "with the names of tracepoints' fields"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status = cmd_options(&cmd_evlist, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words)
		err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i", argv[0]);
	else if (e.group && (e.freq || e.verbose || e.fields))
		err_set(&err, EINVAL, "-g shows names alone: it does not go with -F, -v and --trace-fields");
	if (words || (e.group && (e.freq || e.verbose || e.fields))) {
		cmd_error("evlist", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(false);
	status = evlist(&e, &err) < 0;
	if (status) {
		fflush(stdout);
		cmd_error("evlist", &err);
	}
	return status;
}

const struct command cmd_evlist = {
	.name = "evlist",
	.summary = "list the events of a recording",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
