/* SPDX-License-Identifier: MIT */
/*
 * progress: how far long work is, on its way to whoever shows it.
 *
 * Work that may take a while says where it is, as often as it likes (a block, some
 * thousand items); it does not know who listens.  src/cmd installs the sink, which shows
 * little and late.  Without one nothing happens.  Threads: progress() from any, at once;
 * the sink has to bear that.
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdint.h>

typedef void progress_sink(const char *what, uint64_t done, uint64_t total, void *arg);

/* NULL: no one listens. To be set while no other thread works. */
void progress_set_sink(progress_sink *sink, void *arg);

/* `what` is a constant: "reading". `total` is in the unit of `done`; 0: not known. */
void progress(const char *what, uint64_t done, uint64_t total);

#endif
