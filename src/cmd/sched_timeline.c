/* SPDX-License-Identifier: MIT */
/* sonde sched timeline: CPUs and tasks over time, as a page or for a viewer of traces. */
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "cmd/outfile.h"
#include "cmd/sched.h"
#include "sched/timeline.h"
#include "view/sched.h"

#define MOST_SLICES 500000u

struct timeline_command {
	struct sched_session session;
	const char *output, *trace;
	unsigned most;
	struct outfile page_file, trace_file;
};

static int open_files(struct timeline_command *c, struct err *err)
{
	int r = 0;

	if (!c->output && !c->trace)
		c->output = "timeline.html";
	if (c->output)
		r = outfile_open(&c->page_file, c->output, err);
	if (r == 0 && c->trace) {
		r = outfile_open(&c->trace_file, c->trace, err);
		if (r < 0 && c->output)
			outfile_end(&c->page_file, r, NULL);
	}
	return r;
}

static int end_file(struct outfile *file, const char *path, int r, bool quiet, struct err *err)
{
	r = outfile_end(file, r, err);
	if (r == 0 && file->out != stdout && !quiet)
		fprintf(stderr, "sonde sched timeline: wrote %s\n", path);
	return r;
}

static int write_files(struct timeline_command *c, const struct timeline *timeline, int r, struct err *err)
{
	struct sched_session *s = &c->session;
	uint64_t from_ns, dropped = timeline_dropped(timeline, &from_ns);

	if (r == 0 && dropped)
		log_note("the picture ends at %" PRIu64 ".%06" PRIu64 ": %" PRIu64 " more times on a CPU have no room; "
			 "--time chooses another span, --max-slices more", from_ns / 1000000000,
			 from_ns % 1000000000 / 1000, dropped);
	if (c->output) {
		if (r == 0)
			sched_page_write(timeline, s->model, s->data->path, c->page_file.out);
		r = end_file(&c->page_file, c->output, r, s->query.quiet, err);
	}
	if (c->trace) {
		if (r == 0)
			sched_trace_write(timeline, s->model, c->trace_file.out);
		r = end_file(&c->trace_file, c->trace, r, s->query.quiet, err);
	}
	return r;
}

static int draw(struct timeline_command *c, struct err *err)
{
	struct timeline *timeline;
	uint32_t nr = 0;
	int r = sched_session_open(&c->session, err);

	if (r == 0)
		r = open_files(c, err);
	if (r < 0)
		return r;
	timeline = timeline_new(&c->session.filter, c->most);
	r = sched_session_run(&c->session, &timeline_ops, timeline, err);
	r = write_files(c, timeline, r, err);
	if (r == 0 && !timeline_slices(timeline, &nr))
		nr = 0;
	if (r == 0 && !nr)
		sched_say_nothing(&c->session);
	if (r == 0)
		sched_session_say(&c->session);
	timeline_free(timeline);
	return r;
}

static int run(int argc, char **argv)
{
	struct timeline_command c = { .most = MOST_SLICES };
	struct query_options *q = &c.session.query;
	const struct opt opts[] = {
		OPT_SECTION("Output"),
		OPT_STRING('o', "output", &c.output, "FILE", "write the page to FILE (timeline.html)"),
		OPT_STRING(0, "perfetto", &c.trace, "FILE", "write trace events in JSON to FILE, for ui.perfetto.dev or "
			   "chrome://tracing"),
		OPT_UINT(0, "max-slices", &c.most, "N", "at most N times on a CPU (500000)"),
		OPT_SECTION("What to draw"),
		OPT_STRING('C', "cpu", &q->cpus, "LIST", "only on these CPUs, as in 0-3,8"),
		OPT_STRING(0, "time", &q->time, "FROM,TO", "only a span: seconds, either may be missing; or parts "
			   "of the recording as in 10%/2 or 0%-20%"),
		SCHED_TASK_OPTIONS(q),
		SCHED_INPUT_OPTIONS(&c.session),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	sched_session_init(&c.session);
	status = cmd_options(&cmd_sched_timeline, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if (words) {
		sched_no_words(argv[0], &err);
		cmd_error("sched timeline", &err);
		return EXIT_USAGE;
	}
	status = draw(&c, &err) < 0;
	if (status)
		cmd_error("sched timeline", &err);
	sched_session_close(&c.session);
	return status;
}

const struct command cmd_sched_timeline = {
	.name = "sched timeline",
	.summary = "a page with CPUs and tasks over time, and their wake-ups",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
