/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/recording.h"
#include "profile/resolve.h"
#include "view/sched.h"

struct sched_stacks {
	const struct recording *recording;
	struct resolver *resolver;
	struct chain_frame frames[SCHED_STACK_MAX];
};

struct sched_stacks *sched_stacks_new(const struct recording *recording)
{
	struct sched_stacks *s = mem_zalloc(sizeof(*s));

	s->recording = recording;
	s->resolver = resolver_new(recording->processes);
	return s;
}

void sched_stacks_free(struct sched_stacks *s)
{
	if (!s)
		return;
	resolver_free(s->resolver);
	free(s);
}

/* At the leaf every stack has these; they tell nothing. */
static bool is_scheduler(const char *name)
{
	static const char *const own[] = {
		"schedule", "__schedule", "preempt_schedule", "preempt_schedule_common",
		"preempt_schedule_irq", "preempt_schedule_notrace", "schedule_preempt_disabled",
		"__traceiter_sched_switch", "perf_trace_sched_switch", "schedule_idle",
		"preempt_schedule_thunk", "__traceiter_sched_waking", "__traceiter_sched_wakeup",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i], name) == 0)
			return true;
	return false;
}

uint32_t sched_stack_names(struct sched_stacks *s, const struct sample *sample, const char **names,
			   uint32_t max)
{
	const struct image *image;
	uint32_t nr, n = 0;

	if (!sample || !sample->nr_ips)
		return 0;
	image = process_image(s->recording->processes, sample->pid, sample->time_ns);
	nr = chain_frames(sample->ips, sample->nr_ips, sample->cpumode, s->frames, SCHED_STACK_MAX);
	for (uint32_t i = 0; i < nr && n < max; i++) {
		const struct chain_frame *f = &s->frames[i];
		const struct place *place = resolve(s->resolver, image, f->ip, sample->time_ns,
						    f->kernel, f->is_return);
		const char *name = place->symbol.name ? place->symbol.name : "[unknown]";

		if (f->kernel && is_scheduler(name))
			continue;
		names[n++] = name;
	}
	return n;
}
