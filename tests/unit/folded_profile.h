/* SPDX-License-Identifier: MIT */
/*
 * folded_profile: a struct profile made by hand out of lines of folded text, for tests.
 *
 *	"w;main;c;c;burn 3"        three samples of event 0, period 1 each
 *	"w;main;burn 2*10 @1"      two samples of event 1, period 10 each
 *
 * A frame "name_[k]" is a kernel's, "[lib]" is an unnamed one in module "lib", "[unknown]"
 * lies in no module, all others are in the module "app".  Symbols start at different
 * addresses.  A command is pid 100, 101, ... in the order in which commands turn up.
 */
#ifndef TESTS_UNIT_FOLDED_PROFILE_H
#define TESTS_UNIT_FOLDED_PROFILE_H

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "profile/profile.h"

struct folded_profile {
	struct profile profile;          /* first: tests see this */
	struct perf_data data;
	struct intern names, comms;
	VEC(struct profile_frame) frames;
	VEC(struct profile_stack) stacks;
	VEC(struct profile_entry) entries;
	struct module app, lib, kernel;
	char priv[8192];                 /* struct profile_priv is profile.c's own */
};

static inline uint32_t fixture_frame(struct folded_profile *f, const char *text)
{
	uint32_t id = intern_id(&f->names, text);
	const char *name = intern_str(&f->names, id);
	struct profile_frame frame = {
		.module = &f->app, .name = name, .sym_start = 0x1000 + 16 * (uint64_t)id,
		.run_addr = 0x401000 + 16 * (uint64_t)id,
	};

	if (id < f->frames.nr)
		return id;
	frame.elf_addr = frame.sym_start;
	if (str_ends(text, "_[k]")) {
		frame.name = mem_strndup(text, strlen(text) - 4);
		frame.kernel = true;
		frame.module = &f->kernel;
	} else if (strcmp(text, "[lib]") == 0 || strcmp(text, "[unknown]") == 0) {
		frame.module = text[1] == 'l' ? &f->lib : NULL;
		frame.name = NULL;
		frame.reason = frame.module ? NAME_STRIPPED : NAME_NO_MAP;
		frame.sym_start = 0;
	}
	*vec_push(&f->frames) = frame;
	return id;
}

static inline void fixture_line(struct folded_profile *f, char *line)
{
	char *event = strstr(line, " @"), *space, *name, *end;
	struct profile_entry e = { .cpu = 0 };
	VEC(uint32_t) ids = { 0 };
	uint64_t weight = 1;

	if (event)
		*event = '\0';
	e.event = event ? (uint32_t)atoi(event + 2) : 0;
	space = strrchr(line, ' ');
	*space = '\0';
	e.samples = strtoull(space + 1, &end, 10);
	if (*end == '*')
		weight = strtoull(end + 1, NULL, 10);
	e.period = e.samples * weight;
	e.squares = (double)e.period * (double)weight;
	e.comm = intern_id(&f->comms, strsep(&line, ";"));
	e.pid = e.tid = 100 + e.comm;
	while ((name = strsep(&line, ";")))
		*vec_push(&ids) = fixture_frame(f, name);
	/* leaf first */
	for (size_t i = 0; i < ids.nr / 2; i++) {
		uint32_t id = ids.v[i];

		ids.v[i] = ids.v[ids.nr - 1 - i];
		ids.v[ids.nr - 1 - i] = id;
	}
	e.leaf = ids.v[0];
	e.stack = (uint32_t)f->stacks.nr;
	if (f->frames.v[e.leaf].kernel)
		e.period_kernel = e.period;
	else
		e.period_user = e.period;
	f->profile.totals[e.event].samples += e.samples;
	f->profile.totals[e.event].period += e.period;
	f->profile.account.samples += e.samples;
	*vec_push(&f->stacks) = (struct profile_stack){ .frames = ids.v, .nr = (uint32_t)ids.nr };
	*vec_push(&f->entries) = e;
}

/* Put the commands into a real process table, whose ids then are the entries'. */
static inline void fixture_comms(struct folded_profile *f)
{
	struct process_table *table = process_table_new(f->profile.modules);

	for (uint32_t i = 0; i < f->comms.nr; i++) {
		struct record r = { .type = PERF_RECORD_COMM };

		r.comm.pid = r.comm.tid = r.id.pid = r.id.tid = 100 + i;
		r.comm.comm = intern_str(&f->comms, i);
		r.comm.exec = true;
		process_table_add(table, &r);
	}
	process_table_freeze(table);
	for (size_t i = 0; i < f->entries.nr; i++) {
		struct profile_entry *e = &f->entries.v[i];

		e->comm = process_comm(table, e->pid, e->tid, 1);
	}
	f->profile.processes = table;
}

/* `text` has a line for each stack; nr_events are called "cycles", "faults". */
static inline struct profile *folded_profile(const char *text, uint32_t nr_events)
{
	static const char *const event_names[] = { "cycles", "faults" };
	struct folded_profile *f = mem_zalloc(sizeof(*f));
	char *copy = mem_strdup(text), *rest = copy, *line;

	intern_init(&f->names);
	intern_init(&f->comms);
	f->app = (struct module){ .kind = MODULE_FILE, .path = "/bin/app", .short_name = "app" };
	f->lib = (struct module){ .kind = MODULE_FILE, .path = "/lib/lib", .short_name = "lib", .index = 1 };
	f->kernel = (struct module){ .kind = MODULE_KERNEL, .path = "[kernel.kallsyms]",
				     .short_name = "[kernel.kallsyms]", .index = 2 };
	f->data.events.nr = nr_events;
	f->data.events.v = mem_zalloc(nr_events * sizeof(*f->data.events.v));
	for (uint32_t i = 0; i < nr_events; i++)
		f->data.events.v[i].name = mem_strdup(event_names[i]);
	f->profile.data = &f->data;
	f->profile.modules = module_set_new(NULL);
	f->profile.priv = (struct profile_priv *)(void *)f->priv;
	f->profile.totals = mem_zalloc(nr_events * sizeof(*f->profile.totals));
	f->profile.has_chains = true;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			fixture_line(f, line);
	free(copy);
	fixture_comms(f);
	f->profile.frames = f->frames.v;
	f->profile.nr_frames = (uint32_t)f->frames.nr;
	f->profile.stacks = f->stacks.v;
	f->profile.nr_stacks = (uint32_t)f->stacks.nr;
	f->profile.entries = f->entries.v;
	f->profile.nr_entries = f->entries.nr;
	return &f->profile;
}

static inline void folded_profile_free(struct profile *profile)
{
	struct folded_profile *f = (struct folded_profile *)(void *)profile;

	for (size_t i = 0; i < f->frames.nr; i++)
		if (f->frames.v[i].kernel)
			free((void *)(uintptr_t)f->frames.v[i].name);
	for (size_t i = 0; i < f->stacks.nr; i++)
		free((void *)(uintptr_t)f->stacks.v[i].frames);
	for (uint32_t i = 0; i < f->data.events.nr; i++)
		free(f->data.events.v[i].name);
	process_table_free(f->profile.processes);
	module_set_free(f->profile.modules);
	free(f->data.events.v);
	free(f->profile.totals);
	vec_release(&f->frames);
	vec_release(&f->stacks);
	vec_release(&f->entries);
	intern_release(&f->names);
	intern_release(&f->comms);
	free(f);
}

#endif
