/* SPDX-License-Identifier: MIT */
/* Whom to count, and CPUs of them that go offline and come back. */
#include <string.h>

#include "base/log.h"
#include "cmd/stat.h"
#include "engine/hotplug.h"
#include "engine/launch.h"

struct counting_spec stat_spec(const struct stat_session *s, bool on_exec)
{
	return (struct counting_spec){
		.cpus = s->cpus.nr ? s->cpus.v : NULL,
		.nr_cpus = (uint32_t)s->cpus.nr,
		.tids = s->tids.v,
		.nr_tids = (uint32_t)s->tids.nr,
		.all_cpus = s->all_cpus.v,
		.nr_all_cpus = (uint32_t)s->all_cpus.nr,
		.inherit = s->o->inherit,
		.enable_on_exec = on_exec,
	};
}

/* What counts a CPU is taken from it when it goes, and is not put back when it comes. */
void stat_follow_cpus(struct stat_session *s)
{
	struct hotplug_change change;

	while (hotplug_next(s->hotplug_fd, &change)) {
		struct counting_spec spec = stat_spec(s, false);
		double at = (double)(launch_clock_ns() - s->start_ns) / 1e9;
		bool watched = false;
		int r;

		for (size_t i = 0; i < s->cpus.nr; i++)
			watched |= s->cpus.v[i] == change.cpu;
		if (!watched && (!change.online || s->o->target.cpus))
			continue;
		r = watched && change.online ? counting_reopen(&s->counting, &spec, change.cpu) : 0;
		if (!watched)
			log_note("CPU %d came online %.3f s after the start, and is not counted", change.cpu,
				 at);
		else if (!change.online)
			log_note("CPU %d went offline %.3f s after the start: it counts nothing until it "
				 "comes back", change.cpu, at);
		else if (r < 0)
			log_note("CPU %d came back %.3f s after the start, and is not counted any more: %s",
				 change.cpu, at, strerror(-r));
		else
			log_note("CPU %d came back %.3f s after the start, and goes on counting", change.cpu,
				 at);
	}
}
