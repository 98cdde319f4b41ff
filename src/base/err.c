/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	if (err) {
		char msg[sizeof(err->msg)];
		va_list ap;

		/* A detour, because an argument may be the old message itself. */
		va_start(ap, fmt);
		vsnprintf(msg, sizeof(msg), fmt, ap);
		va_end(ap);
		memcpy(err->msg, msg, sizeof(msg));
		err->code = code;
	}
	return -code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	char prefix[sizeof(err->msg)];
	va_list ap;

	if (!err)
		return 0;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	return err_set(err, err->code, "%s: %s", prefix, err->msg);
}
