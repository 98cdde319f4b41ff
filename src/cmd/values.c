/* SPDX-License-Identifier: MIT */
#include "cmd/values.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int value_percent(const char *text, const char *option, double most, double *out, struct err *err)
{
	char *end;

	if (!text)
		return 0;
	*out = strtod(text, &end);
	if (end == text || *end || !(*out >= 0 && *out <= most))
		return err_set(err, EINVAL, "%s takes a percentage, not '%s'", option, text);
	return 0;
}

int value_relative(const char *text, bool *relative, struct err *err)
{
	if (!text || strcmp(text, "absolute") == 0)
		return 0;
	if (strcmp(text, "relative") != 0)
		return err_set(err, EINVAL, "--percentage takes relative or absolute, not '%s'", text);
	*relative = true;
	return 0;
}

int value_syntax(const char *text, enum disasm_syntax *syntax, struct err *err)
{
	if (!text || strcmp(text, "att") == 0)
		return 0;
	if (strcmp(text, "intel") != 0)
		return err_set(err, EINVAL, "-M takes att or intel, not '%s'", text);
	*syntax = DISASM_INTEL;
	return 0;
}

int value_pattern(const char *text, const char *option, regex_t *pattern, struct err *err)
{
	char why[128];
	int e = text ? regcomp(pattern, text, REG_EXTENDED | REG_NOSUB) : 0;

	if (!e)
		return 0;
	regerror(e, pattern, why, sizeof(why));
	memset(pattern, 0, sizeof(*pattern));
	return err_set(err, EINVAL, "%s '%s' is not a regular expression: %s", option, text, why);
}
