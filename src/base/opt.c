/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"

#define HELP_COLUMN 30
#define HELP_WIDTH 80
#define NAMES_MAX 256

struct parser {
	const struct opt *opts;
	char **argv;
	int argc, at;
	struct err *err;
};

static bool takes_arg(const struct opt *opt)
{
	switch (opt->kind) {
	case OPT_KIND_STRING:
	case OPT_KIND_UINT:
	case OPT_KIND_U64:
		return true;
	case OPT_KIND_CALL:
		return !(opt->flags & OPT_ARG_NONE);
	default:
		return false;
	}
}

static bool is_option(const struct opt *opt)
{
	return opt->kind != OPT_KIND_SECTION;
}

/* "-o" or "--output", as the user may know it, in a static-free way. */
static const char *label(const struct opt *opt, char buf[64])
{
	if (opt->long_name)
		snprintf(buf, 64, "--%s", opt->long_name);
	else
		snprintf(buf, 64, "-%c", opt->short_name);
	return buf;
}

static int store(struct parser *p, const struct opt *opt, const char *arg, bool unset)
{
	char name[64];
	uint64_t n = 0;

	if (opt->given)
		*opt->given = !unset;
	switch (opt->kind) {
	case OPT_KIND_SWITCH:
		*(bool *)opt->value = !unset;
		return 0;
	case OPT_KIND_COUNT:
		*(int *)opt->value = unset ? 0 : *(int *)opt->value + 1;
		return 0;
	case OPT_KIND_STRING:
		*(const char **)opt->value = unset ? NULL : arg;
		return 0;
	case OPT_KIND_UINT:
	case OPT_KIND_U64:
		if (!unset && str_u64(arg, &n) < 0)
			return err_set(p->err, EINVAL, "option %s takes a number, not '%s'",
				       label(opt, name), arg);
		if (opt->kind == OPT_KIND_UINT && n > UINT_MAX)
			return err_set(p->err, EINVAL, "option %s: '%s' is too large",
				       label(opt, name), arg);
		if (opt->kind == OPT_KIND_UINT)
			*(unsigned *)opt->value = (unsigned)n;
		else
			*(uint64_t *)opt->value = n;
		return 0;
	case OPT_KIND_CALL:
		return opt->fn(opt, unset ? NULL : arg, unset, p->err);
	default:
		assert(!"option of no kind");
		return -EINVAL;
	}
}

/* Take the argument of `opt`: `attached` text, or the next word. */
static int take(struct parser *p, const struct opt *opt, const char *attached)
{
	const char *arg = attached;
	char name[64];

	if (!arg && !(opt->flags & OPT_ARG_OPTIONAL) && p->at < p->argc &&
	    !((opt->flags & OPT_ARG_NEXT) && p->argv[p->at][0] == '-'))
		arg = p->argv[p->at++];
	if (!arg && !(opt->flags & (OPT_ARG_OPTIONAL | OPT_ARG_NEXT)))
		return err_set(p->err, EINVAL, "option %s needs %s%s%s", label(opt, name),
			       opt->arg_name ? "an argument: " : "an argument",
			       opt->arg_name ? opt->arg_name : "", "");
	return store(p, opt, arg, false);
}

static int unknown_long(struct parser *p, const char *word, size_t len)
{
	const char *names[NAMES_MAX], *near;
	char text[128];
	size_t n = 0;

	for (const struct opt *o = p->opts; o->kind != OPT_KIND_END && n < NAMES_MAX - 2; o++)
		if (is_option(o) && o->long_name && !(o->flags & OPT_HIDDEN))
			names[n++] = o->long_name;
	names[n++] = "help";
	names[n] = NULL;
	snprintf(text, sizeof(text), "%.*s", (int)(len < 100 ? len : 100), word);
	near = str_nearest(text, names);
	if (near)
		return err_set(p->err, EINVAL, "unknown option '--%s'; did you mean '--%s'?",
			       text, near);
	return err_set(p->err, EINVAL, "unknown option '--%s'; -h lists the options", text);
}

/*
 * Find the option for a long word: an exact name, else the only one that it is
 * a prefix of. NULL with *many false: unknown; with *many true: several.
 */
static const struct opt *find_long(const struct parser *p, const char *word, size_t len,
				   bool *many)
{
	const struct opt *hit = NULL;

	*many = false;
	for (const struct opt *o = p->opts; o->kind != OPT_KIND_END; o++) {
		if (!is_option(o) || !o->long_name || strncmp(o->long_name, word, len) != 0)
			continue;
		if (strlen(o->long_name) == len) {
			*many = false;
			return o;
		}
		if (o->flags & OPT_HIDDEN)
			continue;
		if (hit)
			*many = true;
		hit = o;
	}
	return *many ? NULL : hit;
}

static int parse_long(struct parser *p, const char *word)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : strlen(word);
	bool many, unset = false;
	const struct opt *opt = find_long(p, word, len, &many);

	if (len == 4 && strncmp(word, "help", 4) == 0)
		return 1;
	if (!opt && !many && str_starts(word, "no-")) {
		bool many_no;

		opt = find_long(p, word + 3, len - 3, &many_no);
		unset = opt != NULL;
	}
	if (many)
		return err_set(p->err, EINVAL, "option '--%.*s' could be several; -h lists them",
			       (int)len, word);
	if (!opt)
		return unknown_long(p, word, len);
	if (unset || !takes_arg(opt)) {
		if (eq)
			return err_set(p->err, EINVAL, "option '--%.*s' takes no argument",
				       (int)len, word);
		return store(p, opt, NULL, unset);
	}
	return take(p, opt, eq ? eq + 1 : NULL);
}

static const struct opt *find_short(const struct parser *p, char c)
{
	for (const struct opt *o = p->opts; o->kind != OPT_KIND_END; o++)
		if (is_option(o) && o->short_name == c)
			return o;
	return NULL;
}

/* A word such as -ag or -ns comm or -F99; `word` is behind the dash. */
static int parse_short(struct parser *p, const char *word)
{
	for (; *word; word++) {
		const struct opt *opt = find_short(p, *word);
		int r;

		if (!opt && *word == 'h')
			return 1;
		if (!opt)
			return err_set(p->err, EINVAL, "unknown option '-%c'; -h lists the options",
				       *word);
		if (takes_arg(opt))
			return take(p, opt, word[1] ? word + 1 : NULL);
		r = store(p, opt, NULL, false);
		if (r)
			return r;
	}
	return 0;
}

int opt_parse(const struct opt *opts, unsigned flags, int argc, char **argv, int *nr_words,
	      struct err *err)
{
	struct parser p = { .opts = opts, .argv = argv, .argc = argc, .at = 1, .err = err };
	int words = 0;

	while (p.at < argc) {
		char *word = argv[p.at++];
		int r;

		if (word[0] != '-' || !word[1]) {
			argv[words++] = word;
			if (flags & OPT_PARSE_ANYWHERE)
				continue;
			break;
		}
		if (strcmp(word, "--") == 0)
			break;
		r = word[1] == '-' ? parse_long(&p, word + 2) : parse_short(&p, word + 1);
		if (r)
			return r;
	}
	while (p.at < argc)
		argv[words++] = argv[p.at++];
	argv[words] = NULL;
	*nr_words = words;
	return 0;
}

int opt_refuse(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	char name[64];

	(void)arg;
	if (unset)
		return 0;
	return err_set(err, EOPNOTSUPP, "option %s is not there: %s", label(opt, name), opt->help);
}

/* Print text from column HELP_COLUMN on, broken at spaces. */
static void print_wrapped(const char *text, int column, FILE *out)
{
	if (column >= HELP_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - column, "");
	while (*text) {
		size_t room = HELP_WIDTH - HELP_COLUMN, n = strlen(text);

		if (n > room) {
			for (n = room; n > 0 && text[n] != ' '; n--)
				;
			if (!n)
				n = strcspn(text, " ");
		}
		fwrite(text, 1, n, out);
		text += n;
		text += strspn(text, " ");
		if (*text)
			fprintf(out, "\n%*s", HELP_COLUMN, "");
	}
	fputc('\n', out);
}

void opt_print(const struct opt *opts, FILE *out)
{
	for (const struct opt *o = opts; o->kind != OPT_KIND_END; o++) {
		int column;

		if (o->kind == OPT_KIND_SECTION) {
			fprintf(out, "\n%s\n", o->help);
			continue;
		}
		if (o->flags & OPT_HIDDEN)
			continue;
		if (o->short_name)
			column = fprintf(out, "  -%c", o->short_name);
		else
			column = fprintf(out, "    ");
		if (o->long_name)
			column += fprintf(out, "%s --%s", o->short_name ? "," : " ", o->long_name);
		if (takes_arg(o) && o->arg_name) {
			bool glued = o->flags & OPT_ARG_OPTIONAL;

			column += fprintf(out, glued ? "[=%s]" : " %s", o->arg_name);
		}
		print_wrapped(o->help ? o->help : "", column + 1 > HELP_COLUMN ? HELP_COLUMN : column,
			      out);
	}
}

void opt_print_list(const struct opt *opts, FILE *out)
{
	for (const struct opt *o = opts; o->kind != OPT_KIND_END; o++) {
		if (!is_option(o) || (o->flags & OPT_HIDDEN))
			continue;
		if (o->short_name)
			fprintf(out, "-%c", o->short_name);
		fprintf(out, "\t%s%s\t%s\t%s\n", o->long_name ? "--" : "",
			o->long_name ? o->long_name : "", takes_arg(o) && o->arg_name ? o->arg_name : "",
			o->help ? o->help : "");
	}
}
