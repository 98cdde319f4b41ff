/* SPDX-License-Identifier: MIT */
#include "engine/duty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int wrong(struct duty *duty, const char *text, const char *why, struct err *err)
{
	duty_release(duty);
	return err_set(err, EINVAL, "-D takes milliseconds, ranges of them such as 10-20,30-40, or -1, "
		       "not '%s'%s", text, why);
}

/* A day has 86,400,000. */
static bool take_ms(const char *text, size_t len, int64_t *ms)
{
	char word[16];
	uint64_t n;

	if (!len || len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	if (strspn(word, "0123456789") != len || str_u64(word, &n) < 0 || n > INT32_MAX)
		return false;
	*ms = (int64_t)n;
	return true;
}

static void add(struct duty *duty, int64_t at_ms, bool on)
{
	*vec_push(&duty->steps) = (struct duty_step){ at_ms, on };
}

int duty_parse(struct duty *duty, const char *text, struct err *err)
{
	int64_t from, to, last = -1;

	duty_release(duty);
	duty->delayed = true;
	if (strcmp(text, "-1") == 0)
		return 0;
	if (take_ms(text, strlen(text), &from)) {
		duty->delayed = from > 0;
		if (from)
			add(duty, from, true);
		return 0;
	}
	for (const char *at = text;;) {
		size_t len = strcspn(at, ","), first = strcspn(at, "-");

		if (first >= len || !take_ms(at, first, &from) ||
		    !take_ms(at + first + 1, len - first - 1, &to))
			return wrong(duty, text, "", err);
		if (from >= to)
			return wrong(duty, text, ": a range ends before it begins", err);
		if (from <= last)
			return wrong(duty, text, ": the ranges have to follow one another", err);
		add(duty, from, true);
		add(duty, to, false);
		last = to;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

void duty_release(struct duty *duty)
{
	vec_release(&duty->steps);
	duty->delayed = false;
}
