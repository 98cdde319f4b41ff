/* SPDX-License-Identifier: MIT */
/*
 * host: the facts about this machine that a recording carries.
 *
 * Each is one feature section of perf.data, in the form that perf's tools write
 * (tools/perf/util/header.c of Linux 6.1).  What cannot be found out is left out.
 */
#ifndef ENGINE_HOST_H
#define ENGINE_HOST_H

#include "formats/perf_write.h"

/*
 * Set HOSTNAME to CACHE. `version` is Sonde's; argv is the command
 * line from the subcommand on, NULL-terminated.
 */
void host_features(struct perf_write *w, const char *version, char *const *argv);

#endif
