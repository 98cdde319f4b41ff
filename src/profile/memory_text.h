/* SPDX-License-Identifier: MIT */
/*
 * memory_text: what the bits of a memory access or of a transaction are called, as perf
 * report and perf script have it (PERF_SAMPLE_DATA_SRC, PERF_SAMPLE_TRANSACTION of perf_event_open(2)).
 */
#ifndef PROFILE_MEMORY_TEXT_H
#define PROFILE_MEMORY_TEXT_H

#include "base/str.h"
#include "profile/extra.h"

/* Append the words for the part of data_src that `kind` (EXTRA_MEM_...) keeps of it. */
void memory_add_text(struct str *s, enum extra_kind kind, uint64_t data_src);
/* What the access was: "LOAD", "STORE", ... */
const char *memory_op_text(uint64_t data_src);
void transaction_add_text(struct str *s, uint64_t transaction);
/* "4K", "2M", "1G"; "N/A" for 0. */
void page_size_add_text(struct str *s, uint64_t bytes);

#endif
