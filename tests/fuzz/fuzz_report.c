/* SPDX-License-Identifier: MIT */
/*
 * What is made of a perf.data file by report, flame, export and the screen:
 *	u8 view, u8 keys and options, perf.data
 * so that what a damaged file says of branches, memory accesses and tracepoints goes
 * through counting, sorting and every writer.
 */
#include <regex.h>

#include "formats/flame_page.h"
#include "profile/extra.h"
#include "profile/tasks.h"
#include "tests/fuzz/fuzz.h"
#include "view/explore.h"
#include "view/export.h"
#include "view/fold.h"
#include "view/report.h"
#include "view/report_data.h"
#include "view/tasks.h"

FUZZ_LIBTRACEEVENT_LEAKS

static const struct symbol_options symbols = {
	.symfs = NO_FILE, .vmlinux = NULL, .kallsyms = NO_FILE, .modules = NO_FILE,
};

/* NULL: the defaults. The first of each kind are those that the mode is for. */
static const char *const sorts[8] = {
	NULL,
	"pid,tid,tgid,cpu,socket,node,time,sym",
	"symoff,addr,symbol_size,dso_size,srcline,srcfile",
	"parent,cgroup,comm,dso,sym",
	"trace",
	"weight,local_weight,ins_lat,local_ins_lat,p_stage_cyc,local_p_stage_cyc,transaction,"
	"code_page_size,data_page_size",
	"dcacheline,phys_daddr,mem,snoop,tlb,locked,blocked,symbol_daddr,dso_daddr",
	"symbol_from,symbol_to,dso_from,dso_to,mispredict,in_tx,abort,cycles,srcline_from,srcline_to,"
	"addr_from,addr_to",
};

enum view { VIEW_TEXT, VIEW_LEVELS, VIEW_GROUPS, VIEW_JSON, VIEW_CSV, VIEW_SCREEN, VIEW_REPORTS,
	    VIEW_EXPORT = VIEW_REPORTS, VIEW_TIMES, VIEW_PAGE, VIEW_TASKS, NR_VIEWS };

static bool is_field(const char *word, void *arg)
{
	return extras_has_field(arg, word);
}

static void press_keys(const struct report_options *options, const struct profile *profile)
{
	static const uint32_t keys[] = {
		KEY_OF_DOWN, KEY_OF_ENTER, '+', KEY_OF_DOWN, KEY_OF_RIGHT, KEY_OF_PAGE_DOWN, 'C', KEY_OF_END,
		KEY_OF_ENTER, KEY_OF_TAB, 'd', 't', 'P', 's', KEY_OF_ESCAPE, 'i', 'q', '/', 'a', KEY_OF_ENTER,
		'n', 'E', KEY_OF_HOME, 'e', 'a', 'h', KEY_OF_DOWN, KEY_OF_ESCAPE, KEY_OF_UP, KEY_OF_LEFT,
	};
	const struct explore_calls calls = { .arg = NULL };
	struct explore *explore = explore_new(options, &calls, false);
	struct canvas canvas;

	canvas_init(&canvas);
	canvas_resize(&canvas, 12, 61);
	explore_show(explore, profile);
	explore_draw(explore, &canvas);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		explore_key(explore, keys[i]);
		explore_draw(explore, &canvas);
	}
	explore_free(explore);
	canvas_release(&canvas);
}

static void write_report(enum view view, const struct report_options *options,
			 const struct profile *profile)
{
	if (view == VIEW_JSON)
		report_json(options, profile, fuzz_sink());
	else if (view == VIEW_CSV)
		report_csv(options, profile, fuzz_sink());
	else if (view == VIEW_SCREEN)
		press_keys(options, profile);
	else
		report_write(options, profile, fuzz_sink());
}

/* As sonde report goes about it. */
static void see_report(struct perf_data *data, enum view view, uint8_t how)
{
	struct report_options options = {
		.hierarchy = view == VIEW_LEVELS, .groups = view == VIEW_GROUPS, .group_all = how & 16,
		.full = how & 32, .width = how & 64 ? 80 : 0, .time_quantum_ns = 1000000,
		.percent_limit = how & 128 ? 1 : 0, .show_empty = true,
	};
	bool branches = (how & 7) == 7, memory = (how & 7) == 6;
	struct sort_wish wish = { .sort = sorts[how & 7], .children = how & 8 && view != VIEW_LEVELS,
				  .samples = true, .period = true, .cpu_utilization = true, .guest = true,
				  .parent = true, .branches = branches, .memory = memory,
				  .is_field = is_field, .is_field_arg = data };
	struct extra extras[EXTRAS_MAX];
	struct profile_query query;
	struct profile *profile;
	regex_t parent;

	options.children = wish.children;
	callgraph_defaults(&options.callgraph);
	if (how & 16)
		options.callgraph.mode = how & 32 ? CALLGRAPH_FLAT : CALLGRAPH_FRACTAL;
	if (sort_parse(&options.spec, &wish, NULL) < 0 || regcomp(&parent, "^a|sys_", REG_EXTENDED) != 0) {
		perf_data_close(data);
		return;
	}
	query = (struct profile_query){
		.by = report_dims(&options) | PROFILE_BY_STACK | PROFILE_BY_COMM | PROFILE_BY_PID |
		      PROFILE_BY_TID,
		.symbols = symbols, .jobs = 1, .extra_list = extras, .parent = &parent,
		.nr_extras = report_extras(&options, extras), .branches = branches, .by_weight = memory,
	};
	if (profile_load(&profile, data, &query, NULL) == 0) {
		write_report(view, &options, profile);
		profile_free(profile);
	}
	regfree(&parent);
}

static void see_export(struct perf_data *data, bool times, uint8_t how)
{
	static int (*const writers[])(const struct export_source *, FILE *, struct err *) = {
		pprof_write, speedscope_write, callgrind_write, export_json_write, export_csv_write,
		firefox_write, chrome_trace_write, perfetto_write,
	};
	unsigned from = times ? 5 : 0, nr = times ? 3 : 5;
	struct profile_query query = {
		.by = PROFILE_BY_STACK | PROFILE_BY_COMM | PROFILE_BY_PID | PROFILE_BY_TID | PROFILE_BY_CPU,
		.symbols = symbols, .jobs = 1, .replaying = times,
	};
	struct profile *profile;
	struct export_view view;

	if (profile_load(&profile, data, &query, NULL) < 0)
		return;
	export_view_init(&view, profile, FOLD_ALL_EVENTS, how & 16 ? STACK_PERIOD : STACK_SAMPLES);
	if (!times || export_view_moments(&view, NULL) == 0)
		writers[from + how % nr](&view.source, fuzz_sink(), NULL);
	export_view_release(&view);
	profile_free(profile);
}

static void see_page(struct perf_data *data, uint8_t how)
{
	struct extra time = { .kind = EXTRA_TIME, .name = "time", .quantum_ns = 1 + how * 1000 };
	struct flame_page_options options = { .nr_buckets = 1, .most_nodes = how, .most_rows = how };
	struct profile_query query = {
		.by = PROFILE_BY_STACK | PROFILE_BY_COMM | PROFILE_BY_PID | PROFILE_BY_TID | PROFILE_BY_CPU,
		.symbols = symbols, .jobs = 1,
	};
	struct profile *profile;
	struct export_view view;
	/* as sonde flame: a strip of time only where the file says how long it is */
	bool times = data->last_sample_ns > data->first_sample_ns &&
		     (data->last_sample_ns - data->first_sample_ns) / time.quantum_ns < 1024;

	if (times) {
		query.extra_list = &time;
		query.nr_extras = 1;
	}
	if (profile_load(&profile, data, &query, NULL) < 0)
		return;
	export_view_init(&view, profile, FOLD_ALL_EVENTS, STACK_SAMPLES);
	if (times) {
		options.nr_buckets = export_view_times(&view);
		options.bucket_ns = view.bucket_ns;
	}
	flame_page_write(&view.source, &options, fuzz_sink(), NULL);
	export_view_release(&view);
	profile_free(profile);
}

static void see_tasks(struct perf_data *data, uint8_t how)
{
	struct thread_counts counts;
	struct tasks *tasks;

	if (tasks_load(&tasks, data, NULL) == 0) {
		tasks_write(tasks, how & 1, fuzz_sink());
		tasks_free(tasks);
	}
	if (thread_counts_load(&counts, data, NULL) == 0) {
		thread_counts_write(&counts, data, how & 2, fuzz_sink());
		thread_counts_release(&counts);
	}
	perf_data_close(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct perf_data *data;
	enum view view;
	char path[32];
	int fd;

	if (size < 2)
		return 0;
	fd = fuzz_file(bytes + 2, size - 2, path);
	view = bytes[0] % NR_VIEWS;
	if (perf_data_open(&data, path, NULL) == 0) {
		if (view < VIEW_REPORTS)
			see_report(data, view, bytes[1]);
		else if (view == VIEW_PAGE)
			see_page(data, bytes[1]);
		else if (view == VIEW_TASKS)
			see_tasks(data, bytes[1]);
		else
			see_export(data, view == VIEW_TIMES, bytes[1]);
	}
	close(fd);
	return 0;
}
