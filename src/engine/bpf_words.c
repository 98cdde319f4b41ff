/* SPDX-License-Identifier: MIT */
#include "engine/bpf_words.h"

#ifndef SONDE_BPF

void bpf_words_to_log(void)
{
}

#else

#include <bpf/libbpf.h>

#include "base/log.h"
#include "base/str.h"

static int say(enum libbpf_print_level level, const char *format, va_list ap)
{
	struct str s = STR_INIT;

	(void)level;
	str_addvf(&s, format, ap);
	while (s.len && s.p[s.len - 1] == '\n')
		s.p[--s.len] = '\0';
	log_debug("%s", s.p);
	str_release(&s);
	return 0;
}

void bpf_words_to_log(void)
{
	libbpf_set_print(say);
}

#endif
