/* SPDX-License-Identifier: MIT */
/*
 * perf_features: the feature sections of perf.data into the fields of struct
 * perf_data.  Layouts: tools/perf/Documentation/perf.data-file-format.txt.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "formats/perf_data_priv.h"

#define MISC_BUILD_ID_SIZE (1u << 15)

static void read_cmdline(struct perf_data *data, struct region r)
{
	uint32_t nr = region_u32(&r);
	const char **words;

	if (r.bad || nr > (uint64_t)(r.end - r.at) / 4)
		return;
	words = arena_alloc(&data->priv->arena, (nr + 1) * sizeof(*words));
	for (uint32_t i = 0; i < nr; i++) {
		words[i] = region_string(&r, &data->priv->arena);
		if (!words[i])
			return;
	}
	words[nr] = NULL;
	data->cmdline = words;
}

static void read_build_ids(struct perf_data *data, struct region r)
{
	while (r.end - r.at >= 8 + 4 + 24) {
		struct perf_event_header h = record_header(r.at, r.swap);
		const uint8_t *bytes = region_bytes(&r, h.size);
		struct build_id_entry *entry;
		struct region e;

		if (!bytes || h.size < 8 + 4 + 24)
			return;
		entry = vec_push(&data->priv->build_ids);
		memset(entry, 0, sizeof(*entry));
		e = (struct region){ bytes + 8, bytes + h.size, r.swap, false };
		entry->pid = (int32_t)region_u32(&e);
		bytes = region_bytes(&e, 24);
		/* before Linux 5.10 the size was not stated and always 20 */
		entry->size = h.misc & MISC_BUILD_ID_SIZE ? bytes[20] : BUILD_ID_MAX;
		if (entry->size > BUILD_ID_MAX)
			entry->size = BUILD_ID_MAX;
		memcpy(entry->build_id, bytes, entry->size);
		entry->misc = h.misc;
		entry->filename = arena_strndup(&data->priv->arena, (const char *)e.at,
						(size_t)(e.end - e.at));
	}
}

/* Does this entry of EVENT_DESC, with its ids at `ids`, speak of `event`? */
static bool same_event(const struct event_desc *event, const uint8_t *ids, uint32_t nr, bool swap)
{
	struct region r = { ids, ids + (size_t)nr * 8, swap, false };

	if (event->nr_ids != nr)
		return false;
	for (uint32_t i = 0; i < nr; i++)
		if (event->ids[i] != region_u64(&r))
			return false;
	return true;
}

static void read_event_desc(struct perf_data *data, struct region r)
{
	uint32_t nr = region_u32(&r), attr_size = region_u32(&r);

	for (uint32_t i = 0; i < nr && !r.bad; i++) {
		const uint8_t *attr = region_bytes(&r, attr_size), *ids;
		uint32_t nr_ids = region_u32(&r);
		const char *name = region_string(&r, &data->priv->arena);
		struct event_desc *event = NULL;

		(void)attr;
		ids = region_bytes(&r, (uint64_t)nr_ids * 8);
		if (!name || !ids)
			return;
		/* Ids are the sure way; a recording of one task may have none. */
		for (uint32_t j = 0; j < data->events.nr && nr_ids && !event; j++)
			if (same_event(&data->events.v[j], ids, nr_ids, r.swap))
				event = &data->events.v[j];
		if (!event && i < data->events.nr && nr == data->events.nr)
			event = &data->events.v[i];
		if (event && *name) {
			free(event->name);
			event->name = mem_strdup(name);
		}
	}
}

/* u32 nr, then {string name, u32 leader_idx, u32 nr_members}. */
static void read_group_desc(struct perf_data *data, struct region r)
{
	uint32_t nr = region_u32(&r);

	for (uint32_t i = 0; i < nr; i++) {
		const char *name = region_string(&r, &data->priv->arena);
		uint32_t leader = region_u32(&r), members = region_u32(&r);

		if (r.bad || leader >= data->events.nr || members > data->events.nr - leader)
			return;
		data->events.v[leader].nr_members = members;
		/* what perf writes for a group that was given no name */
		if (name && *name && strcmp(name, "{anon_group}") != 0)
			data->events.v[leader].group_name = name;
		for (uint32_t j = leader; j < leader + members; j++)
			data->events.v[j].leader = leader;
	}
}

void perf_data_feature(struct perf_data *data, unsigned feature, struct region r,
		       uint64_t file_off)
{
	struct arena *arena = &data->priv->arena;

	if (feature >= FEATURE_MAX)
		return;
	data->features[feature] = (struct feature_section){ true, r.at, (uint64_t)(r.end - r.at),
							    file_off };
	switch (feature) {
	case FEATURE_TRACING_DATA:
		data->tracing_data = r.at;
		data->tracing_data_size = (uint64_t)(r.end - r.at);
		break;
	case FEATURE_BUILD_ID:
		read_build_ids(data, r);
		break;
	case FEATURE_HOSTNAME:
		data->hostname = region_string(&r, arena);
		break;
	case FEATURE_OSRELEASE:
		data->os_release = region_string(&r, arena);
		break;
	case FEATURE_VERSION:
		data->version = region_string(&r, arena);
		break;
	case FEATURE_ARCH:
		data->arch = region_string(&r, arena);
		break;
	case FEATURE_NRCPUS:
		/* in the file the available ones come first (header.c, write_nrcpus) */
		data->nr_cpus_avail = region_u32(&r);
		data->nr_cpus_online = region_u32(&r);
		break;
	case FEATURE_CPUDESC:
		data->cpudesc = region_string(&r, arena);
		break;
	case FEATURE_CPUID:
		data->cpuid = region_string(&r, arena);
		break;
	case FEATURE_TOTAL_MEM:
		data->total_mem_kb = region_u64(&r);
		break;
	case FEATURE_CMDLINE:
		read_cmdline(data, r);
		break;
	case FEATURE_EVENT_DESC:
		read_event_desc(data, r);
		break;
	case FEATURE_GROUP_DESC:
		read_group_desc(data, r);
		break;
	case FEATURE_SAMPLE_TIME:
		data->first_sample_ns = region_u64(&r);
		data->last_sample_ns = region_u64(&r);
		break;
	case FEATURE_CLOCKID:
		data->clockid_res_ns = region_u64(&r);
		break;
	default:
		break;
	}
}
