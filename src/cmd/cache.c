/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "symbols/cache.h"

struct sum {
	uint64_t nr[CACHE_KINDS], bytes[CACHE_KINDS];
	bool list;
};

static void tell(const struct cache_entry *entry, void *arg)
{
	struct sum *sum = arg;
	struct str name = STR_INIT;
	char when[32] = "";
	struct tm tm;

	sum->nr[entry->kind]++;
	sum->bytes[entry->kind] += entry->bytes;
	if (!sum->list)
		return;
	if (localtime_r(&entry->used.tv_sec, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	str_add_safe(&name, entry->name);
	printf("%12" PRIu64 "  %s  %s/%s\n", entry->bytes, when, cache_kind_name(entry->kind), name.p);
	str_release(&name);
}

static void add_size(struct str *out, uint64_t bytes)
{
	if (bytes >= 10 << 20)
		str_addf(out, "%" PRIu64 " MB", bytes >> 20);
	else if (bytes >= 10 << 10)
		str_addf(out, "%" PRIu64 " KB", bytes >> 10);
	else
		str_addf(out, "%" PRIu64 " bytes", bytes);
}

static int show(bool list, struct err *err)
{
	static const char *const what[CACHE_KINDS] = {
		"tables of symbols", "binaries that would not be found", "files of JITs",
	};
	struct str text = STR_INIT, folder = STR_INIT;
	struct sum sum = { .list = list };
	uint64_t limit = cache_limit();
	int ret = cache_list(tell, &sum, err);

	if (ret == 0 && !list) {
		if (!cache_folder(&folder))
			str_add(&folder, "nowhere: neither XDG_CACHE_HOME nor HOME is set");
		str_add_safe(&text, folder.p);
		str_add(&text, "\n");
		for (int k = 0; k < CACHE_KINDS; k++) {
			str_addf(&text, "%6s: ", cache_kind_name((enum cache_kind)k));
			add_size(&text, sum.bytes[k]);
			str_addf(&text, " in %" PRIu64 " (%s)\n", sum.nr[k], what[k]);
		}
		str_add(&text, " limit: ");
		add_size(&text, limit);
		str_add(&text, limit ? "\n" : ": switched off\n");
		fputs(text.p, stdout);
	}
	str_release(&text);
	str_release(&folder);
	return ret;
}

static int purge(struct err *err)
{
	struct str text = STR_INIT;
	uint64_t nr, bytes;
	int ret = cache_purge(&nr, &bytes, err);

	if (ret < 0)
		return ret;
	str_addf(&text, "deleted %" PRIu64 " %s, ", nr, nr == 1 ? "file" : "files");
	add_size(&text, bytes);
	puts(text.p);
	str_release(&text);
	return 0;
}

static int set_limit(const char *text, struct err *err)
{
	uint64_t bytes;

	if (str_size(text, &bytes, NULL) < 0)
		return err_set(err, EINVAL, "--limit %s is not a size; use 512M, 2G or 0 for no cache",
			       text);
	return cache_set_limit(bytes, err);
}

static int run(int argc, char **argv)
{
	bool list = false, want_purge = false;
	const char *limit = NULL;
	const struct opt opts[] = {
		OPT_SWITCH('l', "list", &list, "each file: bytes, when it was last used, name; the last "
			   "used first"),
		OPT_SWITCH(0, "purge", &want_purge, "delete all that is kept"),
		OPT_STRING(0, "limit", &limit, "SIZE", "keep at most SIZE (512M, 2G; 1G), what was not used "
			   "for longest goes first; 0 keeps nothing and uses nothing"),
		OPT_END,
	};
	struct err err = ERR_INIT;
	int words, ret, status = cmd_options(&cmd_cache, opts, OPT_PARSE_ANYWHERE, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words || list + want_purge + !!limit > 1) {
		if (words)
			err_set(&err, EINVAL, "'%s' is one word too many", argv[0]);
		else
			err_set(&err, EINVAL, "--list, --purge and --limit are one at a time");
		cmd_error("cache", &err);
		return EXIT_USAGE;
	}
	cmd_quiet(false);
	ret = want_purge ? purge(&err) : limit ? set_limit(limit, &err) : show(list, &err);
	if (fflush(stdout) && errno != EPIPE && ret == 0)
		ret = err_set(&err, errno, "cannot write standard output: %s", strerror(errno));
	if (ret < 0)
		cmd_error("cache", &err);
	return ret < 0 ? limit && err.code == EINVAL ? EXIT_USAGE : 1 : 0;
}

const struct command cmd_cache = {
	.name = "cache",
	.summary = "show, bound or delete what is kept between reports",
	.usage = "[--list | --purge | --limit SIZE]",
	.run = run,
	.confine = CONFINE_READ,
};
