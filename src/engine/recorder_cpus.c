/* SPDX-License-Identifier: MIT */
/*
 * CPUs that go offline and come back.
 *
 *	uevent "offline"   the kernel has taken our events from it: that is said
 *	uevent "online"    others are opened, on the ring that is there: that is said, too
 *	                   '--> their ids stand in no file: records get those of the first ones
 *
 * Between the CPU's coming back and our opening of events lies what it takes us to wake up.
 */
#include "engine/recorder_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/hotplug.h"

static double elapsed_s(const struct recorder *r)
{
	return r->started_ms < 0 ? 0 : (double)(recorder_now_ms() - r->started_ms) / 1e3;
}

/* live has no loop of its own, and its caller a screen, which shows what there is. */
static void say(const struct recorder *r, int cpu, const char *what, const char *then)
{
	(r->epoll_fd < 0 ? log_info : log_note)("CPU %d %s %.3f s after the start%s", cpu, what, elapsed_s(r),
						then);
}

static void watch_mappings_again(struct recorder *r)
{
	if (!r->mapwatch)
		return;
	mapwatch_free(r->mapwatch);
	r->mapwatch = mapwatch_new(&r->counters);
	if (r->mapwatch && r->epoll_fd >= 0 && mapwatch_poll(r->mapwatch, r->epoll_fd) < 0)
		log_debug("mappings are seen with the samples only: %s", strerror(errno));
}

static void take_back(struct recorder *r, size_t cpu)
{
	int number = r->counters.cpus.v[cpu], ret;

	recorder_hold_crew(r);
	ret = counters_reopen(&r->counters, cpu);
	r->renames |= r->counters.first_ids.nr && r->nr_described > 1;
	if (r->renames && !r->batch)
		r->batch = mem_alloc(RECORDER_BATCH_BYTES);
	recorder_release_crew(r);
	watch_mappings_again(r);
	if (ret == 0)
		say(r, number, "came back", ": its events were opened anew, and it is recorded from here on");
	else
		log_note("CPU %d came back %.3f s after the start, and is not recorded any more: %s", number,
			 elapsed_s(r), strerror(-ret));
}

/* One that was not there at the start: whatever is watched, nothing is open there. */
static void say_new(const struct recorder *r, int number)
{
	/* a thread's ring goes with it to any CPU */
	if (!r->o->target.cpus && !r->o->target.per_thread)
		say(r, number, "came online", ", and is not recorded: it was not there when the events were "
		    "opened");
}

void recorder_follow_cpus(struct recorder *r)
{
	const struct counters *c = &r->counters;
	struct hotplug_change change;

	while (hotplug_next(r->hotplug_fd, &change)) {
		size_t cpu = 0;

		while (cpu < c->cpus.nr && c->cpus.v[cpu] != change.cpu)
			cpu++;
		if (cpu == c->cpus.nr && change.online)
			say_new(r, change.cpu);
		/* Events of tasks wait for the CPU as the tasks do. */
		if (cpu == c->cpus.nr || c->threads.v[0].tid >= 0)
			continue;
		if (change.online)
			take_back(r, cpu);
		else
			say(r, change.cpu, "went offline", ": there is nothing of it until it comes back");
	}
}

/* --- ids ------------------------------------------------------------------------------ */

static void rename_word(const struct recorder *r, uint8_t *at)
{
	uint64_t id, first;

	memcpy(&id, at, sizeof(id));
	first = counters_first_id(&r->counters, id);
	memcpy(at, &first, sizeof(first));
}

/* The values of a group, with the id of each: perf_event_open(2), "PERF_SAMPLE_READ". */
static void rename_group(const struct recorder *r, const struct perf_event_attr *attr, uint8_t *record,
			 size_t size)
{
	const uint64_t before = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
				PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID |
				PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD;
	uint64_t format = attr->read_format, nr;
	size_t at = sizeof(struct perf_event_header) +
		    8 * (size_t)__builtin_popcountll(attr->sample_type & before);
	size_t step = format & PERF_FORMAT_LOST ? 24 : 16;

	/* attr_configure asks for values with ids, and of groups only */
	if (!(attr->sample_type & PERF_SAMPLE_READ) || !(format & PERF_FORMAT_GROUP) || at + 8 > size)
		return;
	memcpy(&nr, record + at, sizeof(nr));
	at += 8;
	at += format & PERF_FORMAT_TOTAL_TIME_ENABLED ? 8 : 0;
	at += format & PERF_FORMAT_TOTAL_TIME_RUNNING ? 8 : 0;
	for (; nr-- && at + step <= size; at += step)
		rename_word(r, record + at + 8);
}

/* The event that has this id in the file. */
static const struct perf_event_attr *attr_of(const struct recorder *r, uint64_t id)
{
	for (uint32_t e = 0; e < r->events->nr; e++)
		for (size_t cpu = 0; cpu < r->counters.cpus.nr; cpu++)
			if (counters_id(&r->counters, e, cpu) == id)
				return &r->events->v[e].attr;
	return &r->events->v[0].attr;
}

static void rename_record(const struct recorder *r, uint8_t *record)
{
	struct perf_event_header header;
	bool reads = false;
	uint64_t id;

	memcpy(&header, record, sizeof(header));
	if (!(r->events->v[0].attr.sample_type & PERF_SAMPLE_IDENTIFIER) || header.size < 16)
		return;
	/* It stands first in a sample, and last in all others. */
	if (header.type != PERF_RECORD_SAMPLE) {
		rename_word(r, record + header.size - 8);
		if (header.type == PERF_RECORD_LOST)
			rename_word(r, record + sizeof(header));
		return;
	}
	rename_word(r, record + sizeof(header));
	for (uint32_t i = 0; i < r->events->nr; i++)
		reads |= (r->events->v[i].attr.sample_type & PERF_SAMPLE_READ) != 0;
	if (!reads)
		return;
	memcpy(&id, record + sizeof(header), sizeof(id));
	rename_group(r, attr_of(r, id), record, header.size);
}

const uint8_t *recorder_named(struct drainer *d, const uint8_t *record)
{
	if (!d->r->renames)
		return record;
	/* in a ring only the kernel can write */
	if (record != d->record)
		memcpy(d->record, record, ((const struct perf_event_header *)(const void *)record)->size);
	rename_record(d->r, d->record);
	return d->record;
}
