/* SPDX-License-Identifier: MIT */
#include "view/export_pair.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "view/fold.h"

static struct export_pair *pair_of(const struct export_source *s)
{
	return (struct export_pair *)(uintptr_t)s->of;
}

static void get_event(const struct export_source *s, uint32_t i, struct export_event *out)
{
	const struct export_pair *p = pair_of(s);

	for (unsigned v = 0; v < 2; v++) {
		const struct export_source *view = &p->views[v].source;

		for (uint32_t e = 0; e < view->nr_events; e++) {
			if (p->events[v][e] != i)
				continue;
			view->event(view, e, out);
			return;
		}
	}
}

static void get_module(const struct export_source *s, uint32_t i, struct export_module *out)
{
	const struct export_source *first = &pair_of(s)->views[0].source, *second = &pair_of(s)->views[1].source;
	const char *slash;

	if (i < first->nr_modules)
		first->module(first, i, out);
	else
		second->module(second, i - first->nr_modules, out);
	slash = strrchr(out->path, '/');
	if (slash && slash[1])
		out->path = slash + 1;
}

static void get_frame(const struct export_source *s, uint32_t i, struct export_frame *out)
{
	const struct export_source *first = &pair_of(s)->views[0].source, *second = &pair_of(s)->views[1].source;

	if (i < first->nr_frames) {
		first->frame(first, i, out);
		return;
	}
	second->frame(second, i - first->nr_frames, out);
	if (out->module != EXPORT_NONE)
		out->module += first->nr_modules;
}

static void get_sample(const struct export_source *s, size_t i, struct export_sample *out)
{
	struct export_pair *p = pair_of(s);
	const struct export_source *first = &p->views[0].source, *second = &p->views[1].source;

	if (i < first->nr_samples) {
		first->sample(first, i, out);
		out->event = p->events[0][out->event];
		out->file = 0;
		return;
	}
	second->sample(second, i - first->nr_samples, out);
	if (out->nr_frames > p->cap_frames) {
		p->cap_frames = out->nr_frames * 2;
		p->frames = mem_realloc_array(p->frames, p->cap_frames, sizeof(*p->frames));
	}
	for (uint32_t f = 0; f < out->nr_frames; f++)
		p->frames[f] = out->frames[f] + first->nr_frames;
	out->frames = p->frames;
	out->event = p->events[1][out->event];
	out->file = 1;
}

/* The name without modifiers, whose length is returned: cycles:u is compared with cycles. */
static size_t plain_length(const char *name)
{
	const char *colon = strrchr(name, ':');

	/* "sched:sched_switch" is all name */
	return colon && strspn(colon + 1, "ukhGHpPSDIWe") == strlen(colon + 1) ? (size_t)(colon - name) : strlen(name);
}

static uint32_t event_id(struct export_pair *p, const char *name)
{
	size_t len = plain_length(name);
	uint32_t i;

	for (i = 0; i < p->source.nr_events; i++)
		if (plain_length(p->names[i]) == len && strncmp(p->names[i], name, len) == 0)
			return i;
	p->names[i] = name;
	return p->source.nr_events++;
}

void export_pair_init(struct export_pair *p, const struct profile *before, const struct profile *after)
{
	const struct profile *profiles[2] = { before, after };
	struct export_event event;

	memset(p, 0, sizeof(*p));
	for (unsigned v = 0; v < 2; v++) {
		export_view_init(&p->views[v], profiles[v], FOLD_ALL_EVENTS, STACK_SAMPLES);
		p->source.nr_modules += p->views[v].source.nr_modules;
		p->source.nr_frames += p->views[v].source.nr_frames;
		p->source.nr_samples += p->views[v].source.nr_samples;
	}
	p->names = mem_zalloc((p->views[0].source.nr_events + p->views[1].source.nr_events + 1) * sizeof(*p->names));
	for (unsigned v = 0; v < 2; v++) {
		const struct export_source *view = &p->views[v].source;

		p->events[v] = mem_zalloc((view->nr_events + 1) * sizeof(*p->events[v]));
		for (uint32_t e = 0; e < view->nr_events; e++) {
			view->event(view, e, &event);
			p->events[v][e] = event_id(p, event.name);
		}
	}
	p->source.of = p;
	p->source.event = get_event;
	p->source.module = get_module;
	p->source.frame = get_frame;
	p->source.sample = get_sample;
	p->source.title = "Before and after";
	p->source.value = STACK_SAMPLES;
}

void export_pair_release(struct export_pair *p)
{
	for (unsigned v = 0; v < 2; v++) {
		export_view_release(&p->views[v]);
		free(p->events[v]);
	}
	free(p->names);
	free(p->frames);
}
