/* SPDX-License-Identifier: MIT */
/*
 * Command-line words, NULs between them, against a table with options of every kind; and each
 * word as what single options take: lists, keys, fields, ways to make call chains.
 */
#include <math.h>

#include "base/opt.h"
#include "cmd/query.h"
#include "cmd/values.h"
#include "engine/attr.h"
#include "engine/duty.h"
#include "engine/target.h"
#include "profile/sort.h"
#include "tests/fuzz/fuzz.h"
#include "view/callgraph.h"
#include "view/script_fields.h"

#define WORDS_MAX 64

static int take(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	(void)opt;
	fuzz_assert(!(arg && unset));
	return arg && arg[0] == '!' ? err_set(err, EINVAL, "'%s' is refused", arg) : 0;
}

static void parse(char **words, int nr, unsigned flags)
{
	struct query_options q = { 0 };
	bool on = false, given = false;
	int count = 0, left = -1, r;
	struct opt opts[] = {
		OPT_SECTION("All"),
		QUERY_INPUT_OPTIONS(&q),
		OPT_STRING('c', "comms", &q.comms, "COMM", "text"),
		QUERY_TASK_OPTIONS(&q),
		QUERY_WHEN_OPTIONS(&q),
		OPT_UINT(0, "max-stack", &q.max_stack, "N", "number"),
		OPT_SWITCH('a', "all-cpus", &on, "switch"),
		OPT_COUNT('v', "verbose", &count, "count"),
		OPT_CALL('g', "call-graph", &q, "MODE", "next", take, OPT_ARG_NEXT),
		OPT_CALL('p', "percent", &q, "MODE", "optional", take, OPT_ARG_OPTIONAL),
		OPT_CALL('n', "none", &q, NULL, "none", take, OPT_ARG_NONE),
		QUERY_SYMBOL_OPTIONS(&q),
		QUERY_JOBS_OPTION(&q, 'j'),
		OPT_END,
	};
	char *argv[WORDS_MAX + 2];
	struct err err = ERR_INIT;

	opts[2].given = &given;
	memcpy(argv, words, ((size_t)nr + 1) * sizeof(*argv));
	r = opt_parse(opts, flags, nr, argv, &left, &err);
	if (r < 0)
		fuzz_assert(err.msg[0]);
	if (r == 0)
		fuzz_assert(left >= 0 && left < nr && !argv[left]);
}

static void lists(char *word)
{
	struct perf_data data = { .path = "fuzz", .first_sample_ns = 1000000000,
				  .last_sample_ns = 61000000000 };
	const struct time_range *times;
	const uint32_t *numbers;
	const char **names;
	struct arena arena;
	uint32_t nr;

	arena_init(&arena);
	query_numbers(&arena, word, "cpu", true, &numbers, &nr, NULL);
	query_numbers(&arena, word, "pid", false, &numbers, &nr, NULL);
	if (query_times(&arena, word, &data, &times, &nr, NULL) == 0)
		for (uint32_t i = 0; i < nr; i++)
			fuzz_assert(times[i].from_ns <= times[i].to_ns);
	if (strncmp(word, "file:", 5) != 0)      /* which reads files of this machine */
		query_names(&arena, word, &names, NULL);
	arena_release(&arena);
}

static bool is_field(const char *word, void *arg)
{
	(void)arg;
	return word[0] == 'p';
}

/* -s and -F of report, -F of script. */
static void keys(const char *word)
{
	static char name[] = "fuzz";
	struct event_desc event = { .name = name, .attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID };
	const struct perf_data data = { .path = "fuzz", .events = { .v = &event, .nr = 1 } };
	struct sort_spec spec;
	uint64_t fields;

	for (unsigned i = 0; i < 8; i++) {
		const struct sort_wish wish = { .sort = i & 1 ? word : NULL, .fields = i & 1 ? NULL : word,
						.children = i & 2, .branches = i & 4, .is_field = is_field };

		if (sort_parse(&spec, &wish, NULL) == 0) {
			fuzz_assert(spec.nr_output <= SORT_COLUMNS_MAX && spec.nr_order <= SORT_COLUMNS_MAX);
			fuzz_assert(spec.nr_fields <= SORT_FIELDS_MAX);
		}
	}
	script_fields(&data, word, &fields, NULL);
}

static void values(const char *word)
{
	struct callgraph_options graph;
	struct attr_options options = { .freq = 0 };
	struct duty duty = { .delayed = false };
	struct err err = ERR_INIT;
	cpu_vec cpus = { 0 };
	double percent;

	callgraph_defaults(&graph);
	callgraph_parse(&graph, word, &err);
	attr_parse_callgraph(word, &options, &err);
	attr_parse_branches(word, &options, &err);
	if (duty_parse(&duty, word, &err) == 0) {
		for (size_t i = 1; i < duty.steps.nr; i++)
			fuzz_assert(duty.steps.v[i - 1].at_ms <= duty.steps.v[i].at_ms);
		duty_release(&duty);
	}
	cpu_list_parse(word, &cpus);
	vec_release(&cpus);
	if (value_percent(word, "--percent-limit", INFINITY, &percent, &err) == 0)
		fuzz_assert(percent >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes, *end = bytes + size;
	static char name[] = "report";
	char *words[WORDS_MAX + 2] = { name };
	int nr = 1;

	while (nr < WORDS_MAX && (words[nr] = fuzz_string(&at, end)))
		nr++;
	words[nr] = NULL;
	parse(words, nr, 0);
	parse(words, nr, OPT_PARSE_ANYWHERE);
	for (int i = 1; i < nr; i++) {
		keys(words[i]);
		values(words[i]);
		lists(words[i]);
	}
	for (int i = 1; i < nr; i++)
		free(words[i]);
	return 0;
}
