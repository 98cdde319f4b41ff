/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static log_sink *log_to;
static void *log_arg;
static enum log_level log_most = LOG_NOTE;

void log_set_sink(log_sink *sink, void *arg)
{
	log_to = sink;
	log_arg = arg;
}

void log_set_level(enum log_level most)
{
	log_most = most;
}

static void say(enum log_level level, const char *fmt, va_list ap)
{
	char line[1024];

	if (!log_to || level > log_most)
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	log_to(level, line, log_arg);
}

#define DEFINE_LOG(name, level)                 \
	void name(const char *fmt, ...)         \
	{                                       \
		va_list ap;                     \
						\
		va_start(ap, fmt);              \
		say(level, fmt, ap);            \
		va_end(ap);                     \
	}

DEFINE_LOG(log_note, LOG_NOTE)
DEFINE_LOG(log_info, LOG_INFO)
DEFINE_LOG(log_debug, LOG_DEBUG)
