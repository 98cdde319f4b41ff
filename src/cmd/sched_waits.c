/* SPDX-License-Identifier: MIT */
/* sonde sched waits: where wall time went, and who ended the waits. */
#include <errno.h>

#include "base/log.h"
#include "cmd/sched.h"
#include "profile/recording.h"
#include "sched/waits.h"
#include "view/sched.h"

struct waits_command {
	struct sched_session session;
	unsigned top;
	bool json, folded;
};

static int write_waits(struct waits_command *c, struct waits *waits, const struct sched_stack_ids *ids,
		       struct err *err)
{
	struct stream_account stream = stream_account(c->session.stream);
	struct sched_waits_view view = { .top = c->top, .stream = &stream,
					 .account = model_account(c->session.model),
					 .width = (unsigned)cmd_columns(stdout, 0) };
	const struct wait_path *paths;
	uint32_t nr = 0;

	view.rows = waits_rows(waits, c->session.model, &view.nr);
	if (c->folded) {
		paths = waits_paths(waits, &nr);
		sched_waits_folded(paths, nr, ids, stdout);
	} else if (c->json) {
		sched_waits_json(&view, stdout);
	} else {
		sched_waits_text(&view, stdout);
	}
	if (c->folded ? !nr : !view.nr)
		sched_say_nothing(&c->session);
	return sched_flush(err);
}

static int waits(struct waits_command *c, struct err *err)
{
	struct sched_session *s = &c->session;
	struct sched_stack_ids *ids = NULL;
	struct sched_stacks *stacks = NULL;
	struct recording recording;
	struct waits *waits;
	int r = sched_session_open(s, err);

	if (r < 0)
		return r;
	if (c->folded && !stream_has_stacks(s->stream))
		return err_set(err, ENOENT, "'%s' was recorded without call chains; sonde sched record -g "
			       "takes them", s->data->path);
	if (c->folded) {
		r = recording_load(&recording, s->data, &s->filter.symbols, err);
		if (r < 0)
			return r;
		stacks = sched_stacks_new(&recording);
		ids = sched_stack_ids_new(stacks);
	}
	waits = waits_new(&s->filter, c->folded ? sched_stack_id : NULL, ids);
	r = sched_session_run(s, &waits_ops, waits, err);
	if (r == 0)
		r = write_waits(c, waits, ids, err);
	if (r == 0)
		sched_session_say(s);
	waits_free(waits);
	sched_stack_ids_free(ids);
	sched_stacks_free(stacks);
	if (c->folded)
		recording_release(&recording);
	return r;
}

static int run(int argc, char **argv)
{
	struct waits_command c = { .top = 3 };
	struct query_options *q = &c.session.query;
	const struct opt opts[] = {
		OPT_SECTION("Output"),
		OPT_UINT(0, "top", &c.top, "N", "of each task at most N wakers and N (up to 3) of its longest waits (3); "
			 "0: one line a task"),
		OPT_SWITCH(0, "folded", &c.folded, "folded stacks in microseconds for a wake-up flame graph: who slept "
			   "where, --, and who woke it from where"),
		OPT_SWITCH('j', "json", &c.json, "as JSON"),
		OPT_SECTION("Which tasks and times"),
		SCHED_TASK_OPTIONS(q),
		OPT_STRING(0, "time", &q->time, "FROM,TO", "only a span: seconds, either may be missing; or parts "
			   "of the recording as in 10%/2 or 0%-20%"),
		OPT_SECTION("Symbols"),
		QUERY_SYMBOL_OPTIONS(q),
		SCHED_INPUT_OPTIONS(&c.session),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, status;

	sched_session_init(&c.session);
	status = cmd_options(&cmd_sched_waits, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);
	if (status >= 0)
		return status;
	if (words)
		sched_no_words(argv[0], &err);
	else if (c.json && c.folded)
		err_set(&err, EINVAL, "-j and --folded exclude each other; give one of them");
	if (err.code) {
		cmd_error("sched waits", &err);
		return EXIT_USAGE;
	}
	status = waits(&c, &err) < 0;
	if (status)
		cmd_error("sched waits", &err);
	sched_session_close(&c.session);
	return status;
}

const struct command cmd_sched_waits = {
	.name = "sched waits",
	.summary = "where each task's wall time went, and who ended its waits",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
