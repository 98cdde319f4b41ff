/* SPDX-License-Identifier: MIT */
#include "cmd/query.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "view/account.h"

#define NS_PER_S 1000000000ull
#define NUMBERS_MAX 65536
#define PIPE_PATIENCE_MS 1000    /* then it is said what is waited for */

struct names { VEC(const char *) v; };

/* perf's way to give long lists: a name on each line. */
static int names_of_file(struct names *names, struct arena *arena, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (!file)
		return err_set(err, errno, "cannot read the list '%s': %s", path, strerror(errno));
	while ((n = getline(&line, &room, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (*line)
			*vec_push(&names->v) = arena_strdup(arena, line);
	}
	free(line);
	fclose(file);
	return 0;
}

int query_names(struct arena *arena, const char *list, const char ***out, struct err *err)
{
	struct names names = { 0 };
	char *copy, *name;
	int r = 0;

	*out = NULL;
	if (!list)
		return 0;
	copy = arena_strdup(arena, list);
	while (!r && (name = strsep(&copy, ","))) {
		if (str_starts(name, "file://"))
			r = names_of_file(&names, arena, name + strlen("file://"), err);
		else if (*name)
			*vec_push(&names.v) = name;
	}
	*vec_push(&names.v) = NULL;
	if (!r)
		*out = arena_dup(arena, names.v.v, names.v.nr * sizeof(*names.v.v));
	vec_release(&names.v);
	return r;
}

static int parse_range(const char *word, bool ranges, uint64_t *from, uint64_t *to)
{
	char *end;

	errno = 0;
	*from = strtoull(word, &end, 10);
	*to = *from;
	if (end == word || *word == '-' || errno)
		return -EINVAL;
	if (ranges && *end == '-') {
		word = end + 1;
		*to = strtoull(word, &end, 10);
		if (end == word || errno)
			return -EINVAL;
	}
	return *end || *to > INT_MAX || *from > *to || *to - *from >= NUMBERS_MAX ? -EINVAL : 0;
}

int query_numbers(struct arena *arena, const char *list, const char *what, bool ranges,
		  const uint32_t **out, uint32_t *nr, struct err *err)
{
	VEC(uint32_t) numbers = { 0 };
	const char **words;
	uint64_t from, to;
	int r = query_names(arena, list, &words, err);

	if (r < 0)
		return r;
	for (const char **w = words; w && *w && !r; w++) {
		r = parse_range(*w, ranges, &from, &to);
		for (uint64_t n = from; !r && n <= to; n++)
			*vec_push(&numbers) = (uint32_t)n;
	}
	if (r < 0 || (words && !numbers.nr)) {
		r = err_set(err, EINVAL, "option %s takes %s, not '%s'", what,
			    ranges ? "numbers and ranges as in 0-3,8" : "numbers as in 17,42", list);
	} else {
		*nr = (uint32_t)numbers.nr;
		*out = words ? arena_dup(arena, numbers.v, numbers.nr * sizeof(*numbers.v)) : NULL;
	}
	vec_release(&numbers);
	return r;
}

/* "12.345678" (seconds) -> nanoseconds, without going through a double. */
static int parse_seconds(const char *text, size_t len, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, scale = NS_PER_S;
	size_t i = 0;

	if (!len)
		return -EINVAL;
	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		if (whole > UINT64_MAX / NS_PER_S / 10 - 1)
			return -ERANGE;
		whole = whole * 10 + (uint64_t)(text[i] - '0');
	}
	if (i < len && text[i] == '.')
		for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++)
			if (scale > 1)
				part += (uint64_t)(text[i] - '0') * (scale /= 10);
	*ns = whole * NS_PER_S + part;
	return i == len ? 0 : -EINVAL;
}

static int parse_percent(const char *text, const char **end, double *out)
{
	char *stop;

	*out = strtod(text, &stop);
	if (stop == text || *stop != '%' || !(*out >= 0 && *out <= 100))
		return -EINVAL;
	*end = stop + 1;
	return 0;
}

/* "N%/K": the K-th part of N percent; "A%-B%": from A to B percent of the span; "N%": the first. */
static int percent_range(const char *word, const struct perf_data *data, struct time_range *out)
{
	uint64_t first = data->first_sample_ns, last = data->last_sample_ns;
	double span, a, b;
	uint64_t k;

	if (parse_percent(word, &word, &a) < 0)
		return -EINVAL;
	if (*word == '/') {
		if (str_u64(word + 1, &k) < 0 || !k || a <= 0 || (double)k * a > 100 + a)
			return -EINVAL;
		b = a * (double)k;
		a = b - a;
	} else if (!*word && a > 0) {
		b = a;
		a = 0;
	} else if (*word != '-' || parse_percent(word + 1, &word, &b) < 0 || *word || a >= b) {
		return -EINVAL;
	}
	/* the start is added as a whole number: as a double it would lose its last digits */
	span = last > first ? (double)(last - first) : 0;
	out->from_ns = first + (uint64_t)(span * a / 100);
	out->to_ns = b >= 100 ? last : first + (uint64_t)(span * b / 100);
	if (b < 100 && out->to_ns > out->from_ns)
		out->to_ns--;
	return 0;
}

static int one_range(const char *word, const struct perf_data *data, struct time_range *out,
		     struct err *err)
{
	const char *comma = strchr(word, ',');

	*out = (struct time_range){ 0, UINT64_MAX };
	if (strchr(word, '%')) {
		if (!data->last_sample_ns)
			return err_set(err, EINVAL, "--time '%s': the recording does not state when it "
				       "begins and ends; give seconds, as in --time 12.5,13", word);
		if (percent_range(word, data, out) == 0)
			return 0;
	} else if (!comma && parse_seconds(word, strlen(word), &out->from_ns) == 0) {
		return 0;
	} else if (comma && (comma == word || parse_seconds(word, (size_t)(comma - word),
							   &out->from_ns) == 0) &&
		   (!comma[1] || parse_seconds(comma + 1, strlen(comma + 1), &out->to_ns) == 0) &&
		   out->from_ns <= out->to_ns) {
		return 0;
	}
	return err_set(err, EINVAL, "--time takes FROM,TO in seconds, N%%/K or A%%-B%%, not '%s'", word);
}

int query_times(struct arena *arena, const char *text, const struct perf_data *data,
		const struct time_range **out, uint32_t *nr, struct err *err)
{
	VEC(struct time_range) ranges = { 0 };
	char *copy = text ? arena_strdup(arena, text) : NULL, *word;
	int r = 0;

	/* "FROM,TO" has a comma of its own; parts stand with commas between, too */
	while (!r && (word = strsep(&copy, text && strchr(text, '%') ? " ," : " ")))
		if (*word)
			r = one_range(word, data, vec_push(&ranges), err);
	if (!r && text && !ranges.nr)
		r = err_set(err, EINVAL, "--time takes FROM,TO in seconds, not '%s'", text);
	if (!r && text) {
		*nr = (uint32_t)ranges.nr;
		*out = arena_dup(arena, ranges.v, ranges.nr * sizeof(*ranges.v));
	}
	vec_release(&ranges);
	return r;
}

/*
 * Look at the first bytes in the pipe, which stay there: 1 if they are a recording's,
 * 0 if too few have come to tell, -1 if they are none or there will be none.
 */
static int pipe_has_recording(bool ended)
{
	static const char *const magics[] = { "PERFILE2", "2ELIFREP" };
	int ends[2], found = -1;
	char first[8];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	n = tee(STDIN_FILENO, ends[1], sizeof(first), SPLICE_F_NONBLOCK);
	if (n > 0 && read(ends[0], first, (size_t)n) == n)
		for (size_t i = 0; i < 2; i++)
			if (memcmp(first, magics[i], (size_t)n) == 0)
				found = n == sizeof(first) ? 1 : ended ? -1 : 0;
	close(ends[0]);
	close(ends[1]);
	return found;
}

const char *query_input(const char *input)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	bool said = false;
	struct stat st;
	int found = 0;

	if (input)
		return input;
	if (fstat(STDIN_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode))
		return perf_data_default_path;
	while (!found) {
		int n = poll(&in, 1, said ? -1 : PIPE_PATIENCE_MS);

		if (n < 0 && errno != EINTR)
			return perf_data_default_path;
		if (n == 0)
			log_note("waiting for a recording on standard input; -i perf.data reads that file");
		said |= n == 0;
		if (n > 0)
			found = pipe_has_recording((in.revents & POLLHUP) != 0);
		if (n > 0 && !found)
			usleep(1000);
	}
	return found > 0 ? "-" : perf_data_default_path;
}

/* Seconds as they are typed, in the way module sets want them: 0 is their default. */
static int parse_timeout(const char *text, int *ms, struct err *err)
{
	char *end;
	double seconds;

	*ms = 0;
	if (!text)
		return 0;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds >= 0 && seconds <= 86400))
		return err_set(err, EINVAL, "--debuginfod-timeout: '%s' is not a number of seconds (0 to "
			       "86400)", text);
	*ms = seconds > 0 ? (int)(seconds * 1000) : -1;
	if (!*ms)
		*ms = 1;
	return 0;
}

/* A file or folder that was named and is not there would be passed over without a word. */
static int check_places(const struct query_options *o, struct err *err)
{
	const struct { const char *option, *path; bool folder; } places[] = {
		{ "--symfs", o->symfs, true }, { "--debug-dir", o->debug_dir, true },
		{ "--vmlinux", o->vmlinux, false }, { "--kallsyms", o->kallsyms, false },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *path = places[i].path;
		struct stat st;

		if (!path)
			continue;
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) != places[i].folder)
			return err_set(err, places[i].folder ? ENOTDIR : EISDIR, "%s '%s': that is %s folder",
				       places[i].option, path, places[i].folder ? "no" : "a");
		if (access(path, places[i].folder ? X_OK : R_OK) < 0)
			return err_set(err, errno, "%s '%s': %s", places[i].option, path, strerror(errno));
	}
	return 0;
}

/* Of -c ''. What nobody is called is no filter that a user can mean. */
static int query_list(struct arena *arena, const char *list, const char *what, const char ***out,
		      struct err *err)
{
	int r = query_names(arena, list, out, err);

	if (!r && list && !**out)
		return err_set(err, EINVAL, "'%s' names no %s", list, what);
	return r;
}

int query_open(struct query_options *o, struct profile_query *query, struct perf_data **data,
	       struct err *err)
{
	struct perf_data *d;
	int r;

	*query = (struct profile_query){
		.symbols = { .symfs = o->symfs, .debug_dir = o->debug_dir,
			     .vmlinux = o->vmlinux, .kallsyms = o->kallsyms,
			     .no_demangle = o->no_demangle },
		.max_stack = o->max_stack, .jobs = o->jobs, .no_inline = o->no_inline,
	};
	r = check_places(o, err);
	if (!r)
		r = parse_timeout(o->debuginfod_timeout, &query->symbols.debuginfod_ms, err);
	if (!r)
		r = query_list(&o->arena, o->comms, "command", &query->comms, err);
	if (!r)
		r = query_list(&o->arena, o->dsos, "binary", &query->dsos, err);
	if (!r)
		r = query_list(&o->arena, o->syms, "function", &query->syms, err);
	if (!r)
		r = query_numbers(&o->arena, o->pids, "--pid", false, &query->pids, &query->nr_pids, err);
	if (!r)
		r = query_numbers(&o->arena, o->tids, "--tid", false, &query->tids,
				  &query->nr_tids, err);
	if (!r)
		r = query_numbers(&o->arena, o->cpus, "--cpu", true, &query->cpus,
				  &query->nr_cpus, err);
	if (!r)
		r = (o->stacks_too ? perf_data_open_stacks : perf_data_open)(&d, query_input(o->input), err);
	if (r < 0)
		return r;
	r = query_times(&o->arena, o->time, d, &query->times, &query->nr_times, err);
	if (r < 0)
		perf_data_close(d);
	else
		*data = d;
	return r;
}

void query_say_damages(const struct perf_data *data)
{
	struct profile_account account = {
		.damages = data->damages, .nr_damages = data->nr_damages, .unfinished = data->unfinished,
	};

	fflush(stdout);
	account_write(&account, "sonde: ", ACCOUNT_LOSSES, stderr);
}

void query_release(struct query_options *o)
{
	arena_release(&o->arena);
}
