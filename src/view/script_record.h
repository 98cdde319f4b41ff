/* SPDX-License-Identifier: MIT */
/*
 * script_record: one record without its context: what the --show-...-events lines
 * say behind PERF_RECORD_NAME, and the raw dump of -D.
 */
#ifndef VIEW_SCRIPT_RECORD_H
#define VIEW_SCRIPT_RECORD_H

#include "base/str.h"
#include "formats/record.h"

/* Append " pid/tid: [start(len) ...]" and the like; nothing for types that have no text. */
void script_add_record(struct str *out, const struct record *record);

/* Append the mode and flags of misc in three letters and a space: "K   ", "U   ". */
void script_add_misc(struct str *out, const struct record *record);

#endif
