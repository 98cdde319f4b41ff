/* SPDX-License-Identifier: MIT */
#include "view/export.h"

#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/extra.h"
#include "view/fold.h"
#include "view/frame_text.h"

static const struct export_view *view_of(const struct export_source *s)
{
	return s->of;
}

/* The clocks' periods are times; of a PMU's event they are how often it happened. */
static const char *unit_of(const struct perf_event_attr *attr)
{
	bool clock = attr->type == PERF_TYPE_SOFTWARE && (attr->config == PERF_COUNT_SW_CPU_CLOCK ||
							  attr->config == PERF_COUNT_SW_TASK_CLOCK);

	return clock ? "nanoseconds" : "count";
}

static void get_event(const struct export_source *s, uint32_t i, struct export_event *out)
{
	const struct export_view *view = view_of(s);
	const struct event_desc *event = &view->profile->data->events.v[view->events[i]];

	out->name = event->name;
	out->unit = unit_of(&event->attr);
	out->fixed_period = event->attr.freq ? 0 : event->attr.sample_period;
	out->is_trace = event->attr.type == PERF_TYPE_TRACEPOINT;
}

static void get_module(const struct export_source *s, uint32_t i, struct export_module *out)
{
	const struct module *module = module_set_at(view_of(s)->profile->modules, i);

	out->path = module->path;
	out->build_id = module->build_id;
	out->build_id_size = module->build_id_size;
}

static void get_frame(const struct export_source *s, uint32_t i, struct export_frame *out)
{
	const struct export_view *view = view_of(s);
	const struct profile_frame *f = &view->profile->frames[i];

	*out = (struct export_frame){
		.name = f->name ? f->name : view->names[i],
		.module = f->module ? f->module->index : EXPORT_NONE,
		.elf_addr = f->sym_start,
		.bytes = f->sym_bytes,
		.kind = frame_kind(f),
	};
}

static uint32_t bucket_of(const struct export_view *view, const struct profile_entry *e)
{
	uint64_t ns;

	if (!view->bucket_ns)
		return 0;
	ns = profile_extra(view->profile, e->extra, 0);
	return ns == EXTRA_UNKNOWN || ns < view->first_ns ? 0 : (uint32_t)((ns - view->first_ns) / view->bucket_ns);
}

static void get_sample(const struct export_source *s, size_t i, struct export_sample *out)
{
	const struct export_view *view = view_of(s);
	const struct moment *moment = view->has_moments ? &view->moments.v[i] : NULL;
	const struct profile_entry *e = &view->profile->entries[moment ? moment->entry : view->entries[i]];
	const struct profile_stack *stack = &view->profile->stacks[e->stack];

	*out = (struct export_sample){
		.stack = stack->nr ? e->stack : view->profile->nr_stacks + e->leaf,
		.frames = stack->nr ? stack->frames : &e->leaf,
		.nr_frames = stack->nr ? stack->nr : 1,
		.event = view->places[e->event],
		.comm = e->comm == UINT32_MAX ? NULL : profile_comm(view->profile, e->comm),
		.pid = e->pid,
		.tid = e->tid,
		.cpu = e->cpu,
		.bucket = bucket_of(view, e),
		.samples = moment ? 1 : e->samples,
		.period = moment ? moment->period : e->period,
		.time_ns = moment ? moment->time_ns : 0,
		.trace = moment ? moments_text(&view->moments, moment) : NULL,
	};
}

static void name_frames(struct export_view *view)
{
	const struct profile *profile = view->profile;
	struct str s = STR_INIT;

	view->names = mem_zalloc((profile->nr_frames + 1) * sizeof(*view->names));
	for (uint32_t i = 0; i < profile->nr_frames; i++) {
		if (profile->frames[i].name)
			continue;
		str_clear(&s);
		frame_add_folded(&s, &profile->frames[i], false, false);
		view->names[i] = mem_strdup(s.p);
	}
	str_release(&s);
}

static void choose_events(struct export_view *view, uint32_t event)
{
	const struct profile *profile = view->profile;
	uint32_t nr = profile->data->events.nr;

	view->events = mem_zalloc((nr + 1) * sizeof(*view->events));
	view->places = mem_zalloc((nr + 1) * sizeof(*view->places));
	for (uint32_t i = 0; i < nr; i++) {
		view->places[i] = EXPORT_NONE;
		if (event == FOLD_ALL_EVENTS ? profile->totals[i].samples != 0 : i == event) {
			view->places[i] = view->source.nr_events;
			view->events[view->source.nr_events++] = i;
		}
	}
	if (!view->source.nr_events && nr) {
		view->places[0] = 0;
		view->source.nr_events = 1;
	}
}

static void choose_entries(struct export_view *view)
{
	const struct profile *profile = view->profile;

	view->entries = mem_realloc_array(NULL, profile->nr_entries + 1, sizeof(*view->entries));
	for (size_t i = 0; i < profile->nr_entries; i++)
		if (view->places[profile->entries[i].event] != EXPORT_NONE)
			view->entries[view->source.nr_samples++] = i;
}

static void add_title(struct export_view *view)
{
	const struct perf_data *data = view->profile->data;

	for (const char **word = data->cmdline; word && *word; word++) {
		if (word != data->cmdline)
			str_addc(&view->title, ' ');
		str_add(&view->title, *word);
	}
	if (!view->title.len)
		str_add(&view->title, strcmp(data->path, "-") == 0 ? "standard input" : data->path);
	if (data->hostname && *data->hostname)
		str_addf(&view->title, " on %s", data->hostname);
}

void export_view_init(struct export_view *view, const struct profile *profile, uint32_t event,
		      enum stack_value value)
{
	const struct profile_account *account = &profile->account;

	*view = (struct export_view){ .profile = profile, .title = STR_INIT };
	view->source = (struct export_source){
		.of = view,
		.nr_modules = module_set_count(profile->modules),
		.nr_frames = profile->nr_frames,
		.nr_stacks = profile->nr_stacks + profile->nr_frames,
		.event = get_event,
		.module = get_module,
		.frame = get_frame,
		.sample = get_sample,
		.lasted_ns = account->last_ns - account->first_ns,
		.lost = account->lost_samples > account->lost_events ? account->lost_samples :
			account->lost_events,
		.value = value,
	};
	if (profile->data->created_s * 1000000000 > view->source.lasted_ns)
		view->source.started_ns = profile->data->created_s * 1000000000 - view->source.lasted_ns;
	choose_events(view, event);
	choose_entries(view);
	name_frames(view);
	add_title(view);
	view->source.title = view->title.p;
}

uint32_t export_view_times(struct export_view *view)
{
	const struct profile *profile = view->profile;
	uint64_t quantum = profile->extra_list[0].quantum_ns;

	view->bucket_ns = quantum;
	view->first_ns = profile->account.first_ns / quantum * quantum;
	return (uint32_t)((profile->account.last_ns - view->first_ns) / quantum) + 1;
}

static int compare_tasks(const void *a, const void *b, void *arg)
{
	const struct export_view *view = arg;
	const size_t *i = a, *j = b;
	int order = moments_compare_tasks(&view->profile->entries[*i], &view->profile->entries[*j]);

	return order ? order : (*i > *j) - (*i < *j);
}

int export_view_moments(struct export_view *view, struct err *err)
{
	const struct profile *profile = view->profile;
	uint32_t nr = profile->data->events.nr;
	bool *wanted;
	int r;

	view->source.has_times = true;
	view->source.first_ns = profile->account.first_ns;
	if (profile->data->text.form) {
		qsort_r(view->entries, view->source.nr_samples, sizeof(*view->entries), compare_tasks, view);
		return 0;
	}
	wanted = mem_zalloc((nr + 1) * sizeof(*wanted));
	for (uint32_t i = 0; i < nr; i++)
		wanted[i] = view->places[i] != EXPORT_NONE;
	r = moments_load(&view->moments, profile, wanted, err);
	free(wanted);
	view->has_moments = !r;
	view->source.nr_samples = view->moments.nr;
	return r;
}

void export_view_release(struct export_view *view)
{
	for (uint32_t i = 0; i < view->profile->nr_frames; i++)
		free(view->names[i]);
	free(view->names);
	free(view->events);
	free(view->places);
	free(view->entries);
	moments_release(&view->moments);
	str_release(&view->title);
}
