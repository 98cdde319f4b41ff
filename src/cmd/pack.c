/* SPDX-License-Identifier: MIT */
/* sonde pack: a recording that can be read on another machine. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/query.h"
#include "formats/perf_flatten.h"
#include "formats/perf_rewrite.h"
#include "profile/pack.h"

struct pack_command {
	struct query_options query;
	const char *output;
	bool quiet;
};

/* --- the file, which is there whole or not at all ------------------------------------------ */

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int write_stdout(const struct perf_data *data, const struct str *section, struct err *err)
{
	if (isatty(STDOUT_FILENO))
		return err_set(err, EINVAL, "a recording is not for a terminal; send it to a file or pipe");
	return perf_rewrite(data, section->p, section->len, STDOUT_FILENO, err);
}

/* What is no regular file (/dev/full, a FIFO) is written to as it is. */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_file(const char *path, const struct perf_data *data, const struct str *section,
		      struct err *err)
{
	struct str temp = STR_INIT;
	bool special = is_special(path);
	mode_t mask = umask(0);
	int fd, r;

	umask(mask);
	str_add(&temp, path);
	if (!special)
		str_add(&temp, ".XXXXXX");
	fd = special ? open(path, O_WRONLY | O_CLOEXEC) : mkostemp(temp.p, O_CLOEXEC);
	if (fd < 0) {
		r = err_set(err, errno, "cannot write '%s': %s", path, strerror(errno));
		str_release(&temp);
		return r;
	}
	r = perf_rewrite(data, section->p, section->len, fd, err);
	/* as a recording is: what ran is nobody else's business */
	if (!r && !special && fchmod(fd, 0600 & ~mask) < 0)
		r = err_set(err, errno, "cannot set the mode: %s", strerror(errno));
	if (close(fd) < 0 && !r)
		r = err_set(err, errno, "cannot write: %s", strerror(errno));
	if (!r && !special && rename(temp.p, path) < 0)
		r = err_set(err, errno, "cannot put it in its place: %s", strerror(errno));
	if (r < 0) {
		err_prefix(err, "'%s'", path);
		if (!special)
			unlink(temp.p);
	}
	str_release(&temp);
	return r;
}

/* --- the work ------------------------------------------------------------------------------- */

static void tell(const struct pack_command *c, const char *output, const struct pack_stats *stats,
		 size_t bytes)
{
	char symbols[32];

	if (c->quiet || strcmp(output, "-") == 0)
		return;
	fprintf(stderr, "sonde: %s: %s names of %u binaries (%zu KB)", output,
		str_commas(stats->nr_symbols, symbols), stats->nr_modules, (bytes + 1023) / 1024);
	if (stats->unnamed)
		fprintf(stderr, "; %.1f %% of the addresses have none here",
			100.0 * (double)stats->unnamed / (double)(stats->named + stats->unnamed));
	fputc('\n', stderr);
}

/*
 * A stream and a folder have no place for names: take an ordinary file with the same
 * records, made beside the output and gone with this process.
 */
static int flatten(struct perf_data **data, const char *output, struct err *err)
{
	struct str path = STR_INIT;
	struct perf_data *flat;
	int fd, r;

	if (!(*data)->is_pipe && !(*data)->is_directory)
		return 0;
	str_add(&path, strcmp(output, "-") == 0 || is_special(output) ? "/tmp/sonde-pack" : output);
	str_add(&path, ".XXXXXX");
	fd = mkostemp(path.p, O_CLOEXEC);
	if (fd < 0)
		r = err_set(err, errno, "cannot make a file beside '%s': %s", output, strerror(errno));
	else
		r = perf_flatten(*data, fd, path.p, err);
	if (!r)
		r = perf_data_open(&flat, path.p, err);
	if (fd >= 0)
		unlink(path.p);
	str_release(&path);
	if (r < 0)
		return r;
	perf_data_close(*data);
	*data = flat;
	return 0;
}

static int pack(struct pack_command *c, const char *output, struct err *err)
{
	struct str section = STR_INIT;
	uint64_t types_off, types_size;
	struct profile_query query;
	struct pack_stats stats;
	struct profile *profile;
	struct perf_data *data;
	int r = query_open(&c->query, &query, &data, err);

	if (r < 0)
		return r;
	r = flatten(&data, output, err);
	if (!r)
		r = perf_rewrite_check(data, &types_off, &types_size, err);
	if (r < 0) {
		perf_data_close(data);
		return r;
	}
	query.by = PROFILE_BY_STACK | PROFILE_BY_ADDR;
	query.symbols.no_demangle = true;
	r = profile_load(&profile, data, &query, err);
	if (r < 0)
		return r;
	pack_begin(&section, types_off, types_size);
	pack_gather(&section, profile, &stats);
	if (strcmp(output, "-") == 0)
		r = write_stdout(profile->data, &section, err);
	else
		r = write_file(output, profile->data, &section, err);
	if (!r)
		tell(c, output, &stats, section.len);
	str_release(&section);
	profile_free(profile);
	return r;
}

static int run(int argc, char **argv)
{
	struct pack_command c = { 0 };
	const struct opt opts[] = {
		OPT_STRING('i', "input", &c.query.input, "FILE", "read FILE; - is standard input "
			   "(perf.data)"),
		OPT_STRING('o', "output", &c.output, "FILE", "write to FILE; - is standard output "
			   "(the input's name with .packed behind it)"),
		OPT_SWITCH('f', "force", &c.query.force, "accepted: sonde does not look at the file's owner"),
		OPT_SWITCH('q', "quiet", &c.quiet, "say nothing when it went well"),
		OPT_STRING(0, "symfs", &c.query.symfs, "DIR", "look for binaries below DIR"),
		OPT_STRING(0, "debug-dir", &c.query.debug_dir, "DIR", "look for debug files in DIR first, "
			   "laid out as /usr/lib/debug is"),
		OPT_STRING('k', "vmlinux", &c.query.vmlinux, "FILE", "take kernel symbols from FILE"),
		OPT_STRING(0, "kallsyms", &c.query.kallsyms, "FILE", "take kernel symbols from a kallsyms "
			   "file"),
		QUERY_DEBUGINFOD_OPTION(&c.query),
		QUERY_JOBS_OPTION(&c.query, 0),
		OPT_END,
	};
	struct str output = STR_INIT;
	struct err err = ERR_INIT;
	const char *input;
	int words, status = cmd_options(&cmd_pack, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	input = c.query.input ? c.query.input : perf_data_default_path;
	str_add(&output, c.output ? c.output : input);
	if (!c.output)
		str_add(&output, ".packed");
	if (words)
		err_set(&err, EINVAL, "'%s' is one word too many; the recording is given with -i", argv[0]);
	else if (!c.output && strcmp(input, "-") == 0)
		err_set(&err, EINVAL, "standard input has no name to put .packed behind; give one with -o");
	else if (strcmp(output.p, "-") != 0 && is_same_file(input, output.p))
		err_set(&err, EINVAL, "'%s' is the recording itself; give another name with -o", output.p);
	if (err.msg[0]) {
		status = EXIT_USAGE;
	} else {
		cmd_quiet(c.quiet);
		status = pack(&c, output.p, &err) < 0;
	}
	if (status)
		cmd_error("pack", &err);
	str_release(&output);
	query_release(&c.query);
	return status;
}

const struct command cmd_pack = {
	.name = "pack",
	.summary = "put a recording's symbols into it, for another machine",
	.usage = "[options]",
	.run = run,
	.confine = CONFINE_READ,
};
