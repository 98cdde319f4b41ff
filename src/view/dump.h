/* SPDX-License-Identifier: MIT */
/*
 * dump: records as they stand in the file, in bytes and in words, as -D of perf script
 * and perf report prints them (Linux 6.1).
 *
 *	0x478@perf.data [0x48]: event: 9
 *	.  0000:  09 00 00 00 ...                  the record's bytes
 *
 *	14261949612996 0x478 [0x48]: PERF_RECORD_SAMPLE(IP, 0x2): 7/7: 0x55fd14a period: 99 addr: 0
 *	... FP chain: nr:3                          what is in it, a line each
 *	 ... thread: w:7                            whose it is, and where
 *	 ...... dso: /usr/bin/w
 */
#ifndef VIEW_DUMP_H
#define VIEW_DUMP_H

#include <stdio.h>

#include "profile/recording.h"

struct dump;

/* `recording` is borrowed until dump_free. Never NULL. */
struct dump *dump_new(const struct recording *recording);
void dump_free(struct dump *dump);

/* Write one record, which stands at file_off. */
void dump_write(struct dump *dump, const struct record *record, uint64_t file_off, FILE *out);

#endif
