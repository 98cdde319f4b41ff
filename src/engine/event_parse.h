/* SPDX-License-Identifier: MIT */
/*
 * event_parse: what the files of the event grammar share. Not for others.
 *
 *	event.c        lists, groups, modifiers, plain names
 *	event_term.c   PMU/term=value,.../
 *	event_point.c  tracepoints and breakpoints
 *	event_near.c   what was probably meant
 *	event_filter.c tracepoint filters
 */
#ifndef ENGINE_EVENT_PARSE_H
#define ENGINE_EVENT_PARSE_H

#include "engine/event.h"
#include "engine/pmu.h"

struct event_parser {
	const struct event_env *env;
	struct event_list *list;
	struct pmu_set *pmus;
	uint32_t piece;
};

/* A stretch of the text; `at` is not NUL-ended. */
struct span {
	const char *at;
	size_t len;
};

/* Append an event that has only its texts and the defaults. Valid until the next append. */
struct event *event_add(struct event_parser *p, struct span text, const char *pmu);

/* NAME/TERMS/ with `slash` at the first slash; `mods` is what is behind the second. */
int event_parse_pmu(struct event_parser *p, struct span text, struct err *err);

/*
 * A name that PMUs have in their events/ folders: 1 when events were added, 0
 * when no PMU has it.
 */
int event_parse_alias(struct event_parser *p, struct span text, struct span name,
		      struct err *err);

/* SYSTEM:NAME[:MODIFIERS], both may be globs. */
int event_parse_tracepoint(struct event_parser *p, struct span text, struct err *err);

/* mem:ADDR[/LEN][:ACCESS][:MODIFIERS] */
int event_parse_breakpoint(struct event_parser *p, struct span text, struct err *err);

/* Add a hardware, cache or raw event, once for each kind of CPU. */
void event_add_core(struct event_parser *p, struct span text, struct span name, uint32_t type,
		    uint64_t config);

/* "r1a8": the config behind the r. */
bool event_raw(struct span name, uint64_t *config);

/* Are these letters all modifiers? */
bool event_is_modifiers(struct span mods);

/* Apply modifiers to the events from index `from` on. */
int event_apply_modifiers(struct event_parser *p, uint32_t from, struct span mods,
			  struct err *err);

/* "unknown event 'x'...": with the nearest name, if there is one. Returns -ENOENT. */
int event_unknown(struct event_parser *p, struct span text, struct err *err);

#endif
