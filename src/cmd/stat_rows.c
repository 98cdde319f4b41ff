/* SPDX-License-Identifier: MIT */
/* Cells of counters -> sums for each line and place -> rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/stat.h"

static enum topology_level level_of(enum stat_labels labels)
{
	static const enum topology_level levels[] = {
		[STAT_LABEL_CPU] = TOPOLOGY_CPU, [STAT_LABEL_CORE] = TOPOLOGY_CORE,
		[STAT_LABEL_CLUSTER] = TOPOLOGY_CLUSTER, [STAT_LABEL_CACHE] = TOPOLOGY_CACHE, [STAT_LABEL_DIE] = TOPOLOGY_DIE,
		[STAT_LABEL_SOCKET] = TOPOLOGY_SOCKET, [STAT_LABEL_NODE] = TOPOLOGY_NODE,
	};

	return levels[labels];
}

/* The same event on several PMUs of a kind (uncore boxes) is one line. */
static bool same_line(const struct stat_session *s, uint32_t a, uint32_t b)
{
	const struct counting_event *x = &s->counting.events[a], *y = &s->counting.events[b];

	return !s->o->no_merge && !x->event->core_pmu && x->event->attr.type > PERF_TYPE_MAX &&
	       x->event->piece == y->event->piece && x->cgroup == y->cgroup &&
	       strcmp(x->event->pmu, y->event->pmu) != 0 &&
	       strcmp(x->event->event_text, y->event->event_text) == 0;
}

static uint32_t cgroup_index(const struct stat_session *s, const struct counting_event *ce)
{
	for (size_t i = 0; ce->cgroup && i < s->cgroups.v.nr; i++)
		if (s->cgroups.v.v[i]->name == ce->cgroup)
			return (uint32_t)i + 1;
	return 0;
}

static void plan_lines(struct stat_session *s)
{
	for (uint32_t i = 0; i < s->counting.nr_events; i++) {
		struct stat_line *line = NULL;

		for (size_t j = 0; j < s->lines.nr && !line; j++)
			if (same_line(s, i, s->lines.v[j].first))
				line = &s->lines.v[j];
		if (!line) {
			line = vec_push(&s->lines);
			memset(line, 0, sizeof(*line));
			line->first = i;
			line->cgroup = cgroup_index(s, &s->counting.events[i]);
		}
		*vec_push(&line->parts) = i;
	}
}

static uint32_t place_add(struct stat_session *s, const struct topology_place *place,
			  const char *label)
{
	struct stat_place *p = vec_push(&s->places);

	p->place = *place;
	p->label = mem_strdup(label);
	p->members = 0;
	return (uint32_t)s->places.nr - 1;
}

static int by_place(const void *a, const void *b)
{
	const struct stat_place *x = a, *y = b;

	return topology_compare(&x->place, &y->place);
}

static uint32_t place_find(const struct stat_session *s, const struct topology_place *place)
{
	uint32_t i = 0;

	while (i < s->places.nr && topology_compare(&s->places.v[i].place, place) != 0)
		i++;
	return i;
}

static void plan_cpu_places(struct stat_session *s)
{
	enum topology_level level = level_of(s->o->labels);
	char label[64];

	for (size_t i = 0; i < s->cpus.nr; i++) {
		struct topology_place place;

		topology_find(NULL, s->cpus.v[i], level, s->o->cache_level, &place);
		if (place_find(s, &place) < s->places.nr)
			continue;
		topology_label(&place, level, label, sizeof(label));
		place_add(s, &place, label);
	}
	if (s->places.nr)
		qsort(s->places.v, s->places.nr, sizeof(*s->places.v), by_place);
	for (size_t i = 0; i < s->cpus.nr && s->o->labels != STAT_LABEL_CPU; i++) {
		struct topology_place place;

		topology_find(NULL, s->cpus.v[i], level, s->o->cache_level, &place);
		s->places.v[place_find(s, &place)].members++;
	}
}

static void plan_thread_places(struct stat_session *s)
{
	for (size_t i = 0; i < s->tids.nr; i++) {
		struct topology_place place = { .cpu = (int)i };
		char path[64], comm[64], label[96];

		snprintf(path, sizeof(path), "/proc/%d/comm", s->tids.v[i]);
		if (file_read_small(path, comm, sizeof(comm)) <= 0)
			snprintf(comm, sizeof(comm), "<...>");
		snprintf(label, sizeof(label), "%s-%d", comm, s->tids.v[i]);
		place_add(s, &place, label);
	}
}

void stat_plan(struct stat_session *s)
{
	struct counting *c = &s->counting;
	struct topology_place all = { 0 };

	plan_lines(s);
	if (s->o->labels == STAT_LABEL_THREAD)
		plan_thread_places(s);
	else if (s->o->labels != STAT_LABEL_NONE)
		plan_cpu_places(s);
	else
		place_add(s, &all, "");
	s->place_of_cell = mem_realloc_array(NULL, c->nr_cells, sizeof(uint32_t));
	for (uint32_t i = 0; i < c->nr_cells; i++) {
		struct topology_place place;

		s->place_of_cell[i] = 0;
		if (s->o->labels == STAT_LABEL_THREAD) {
			s->place_of_cell[i] = c->cells[i].thread < 0 ? 0 :
					      (uint32_t)c->cells[i].thread;
		} else if (s->o->labels != STAT_LABEL_NONE) {
			topology_find(NULL, c->cells[i].cpu, level_of(s->o->labels),
				      s->o->cache_level, &place);
			s->place_of_cell[i] = place_find(s, &place);
		}
	}
	s->before = mem_zalloc(c->nr_cells * sizeof(*s->before));
}

void stat_plan_release(struct stat_session *s)
{
	for (size_t i = 0; i < s->lines.nr; i++)
		vec_release(&s->lines.v[i].parts);
	vec_release(&s->lines);
	for (size_t i = 0; i < s->places.nr; i++)
		free(s->places.v[i].label);
	vec_release(&s->places);
	for (size_t i = 0; i < s->names.nr; i++)
		free(s->names.v[i]);
	vec_release(&s->names);
	free(s->place_of_cell);
	free(s->before);
	s->place_of_cell = NULL;
	s->before = NULL;
}

static void add_cell(struct stat_session *s, uint32_t index, bool snapshot, bool delta,
		     struct stat_sum *sum)
{
	struct counting_cell *cell = &s->counting.cells[index], now = *cell;
	struct counting_cell *before = &s->before[index];
	double value;

	if (delta && !snapshot) {
		now.value -= before->value;
		now.enabled -= before->enabled;
		now.running -= before->running;
	}
	if (delta)
		*before = *cell;
	sum->opened |= cell->fd >= 0 || cell->enabled;
	sum->enabled += now.enabled;
	sum->running += now.running;
	value = (double)now.value;
	/* It counted only part of the time: taken to have gone on like that. */
	if (s->o->scale && now.running && now.running < now.enabled)
		value *= (double)now.enabled / (double)now.running;
	sum->value += value;
}

static void add_tool(struct stat_session *s, enum event_tool tool, bool delta,
		     struct stat_sum *sum, uint64_t wall_ns)
{
	uint64_t ns = wall_ns;

	if (tool == EVENT_TOOL_USER)
		ns = s->user_ns - (delta ? s->before_user_ns : 0);
	if (tool == EVENT_TOOL_SYSTEM)
		ns = s->system_ns - (delta ? s->before_system_ns : 0);
	sum->value += (double)ns;
	sum->enabled += wall_ns;
	sum->running += wall_ns;
	sum->opened = true;
}

void stat_sums(struct stat_session *s, bool delta, uint64_t wall_ns, struct stat_sum *sums)
{
	memset(sums, 0, s->lines.nr * s->places.nr * sizeof(*sums));
	for (size_t l = 0; l < s->lines.nr; l++) {
		struct stat_sum *row = &sums[l * s->places.nr];

		for (size_t p = 0; p < s->lines.v[l].parts.nr; p++) {
			const struct counting_event *ce =
				&s->counting.events[s->lines.v[l].parts.v[p]];

			for (size_t i = 0; i < s->places.nr && !ce->code; i++)
				row[i].supported = true;
			if (ce->event->tool)
				add_tool(s, ce->event->tool, delta, &row[0], wall_ns);
			for (uint32_t i = 0; i < ce->nr && !ce->code; i++)
				add_cell(s, ce->first + i, ce->event->snapshot, delta,
					 &row[s->place_of_cell[ce->first + i]]);
		}
	}
	if (delta) {
		s->before_user_ns = s->user_ns;
		s->before_system_ns = s->system_ns;
	}
}

void stat_keep_run(struct stat_session *s, const struct stat_sum *sums)
{
	size_t nr = s->lines.nr * s->places.nr;

	if (!s->total)
		s->total = mem_zalloc(nr * sizeof(*s->total));
	for (size_t i = 0; i < nr; i++) {
		*vec_push(&s->history) = sums[i].value;
		s->total[i].value += sums[i].value;
		s->total[i].enabled += sums[i].enabled;
		s->total[i].running += sums[i].running;
		s->total[i].supported |= sums[i].supported;
		s->total[i].opened |= sums[i].opened;
	}
}

/* -r: the mean over the runs and how far it can be off. */
static void set_noise(struct stat_session *s, size_t index, struct stat_row *row, double *value)
{
	size_t nr = s->lines.nr * s->places.nr, runs = s->history.nr / nr;
	double *v = mem_realloc_array(NULL, runs, sizeof(*v)), mean, deviation;

	for (size_t i = 0; i < runs; i++)
		v[i] = s->history.v[i * nr + index];
	stat_mean(v, (uint32_t)runs, &mean, &deviation);
	*value = mean;
	row->has_noise = true;
	row->noise = mean > 0 ? 100 * deviation / mean : 0;
	row->enabled_ns /= runs;
	row->running_ns /= runs;
	free(v);
}

/* A count that fell back to user space says so in its name, as perf has it. */
static const char *shown_name(struct stat_session *s, const struct counting_event *ce)
{
	struct str name = STR_INIT;
	char *text;

	if (!ce->user_only)
		return ce->event->name;
	str_addf(&name, "%s%s", ce->event->name, strchr(ce->event->name, ':') ? "u" : ":u");
	for (size_t i = 0; i < s->names.nr; i++) {
		if (strcmp(s->names.v[i], name.p) != 0)
			continue;
		str_release(&name);
		return s->names.v[i];
	}
	text = str_take(&name);
	*vec_push(&s->names) = text;
	return text;
}

static void fill_row(struct stat_session *s, const struct stat_sum *sums, size_t line,
		     size_t place, bool noise, struct stat_row *row)
{
	const struct counting_event *ce = &s->counting.events[s->lines.v[line].first];
	size_t index = line * s->places.nr + place;
	const struct stat_sum *sum = &sums[index];
	double value = sum->value;

	memset(row, 0, sizeof(*row));
	row->event = ce->event;
	row->name = shown_name(s, ce);
	row->cgroup = ce->cgroup;
	row->group = (uint32_t)(place + s->places.nr * s->lines.v[line].cgroup);
	if (s->o->labels != STAT_LABEL_NONE) {
		row->label = s->places.v[place].label;
		row->members = s->places.v[place].members;
	}
	row->enabled_ns = sum->enabled;
	row->running_ns = sum->running;
	row->state = !sum->supported ? STAT_NOT_SUPPORTED :
		     !sum->running ? STAT_NOT_COUNTED : STAT_COUNTED;
	if (noise)
		set_noise(s, index, row, &value);
	row->value = stat_scale(ce->event, value);
}

static bool place_counts(const struct stat_session *s, const struct stat_sum *sums, size_t line,
			 size_t place)
{
	const struct stat_line *l = &s->lines.v[line];

	/* duration_time is one figure for all; it stands in the first place only. */
	if (s->counting.events[l->first].event->tool)
		return place == 0;
	/* The other kind of core, or a CPU outside of the PMU's mask, has no cell at all. */
	if (s->o->labels == STAT_LABEL_NONE || s->o->labels == STAT_LABEL_THREAD)
		return true;
	if (!sums[line * s->places.nr + place].supported)
		return true;
	for (size_t p = 0; p < l->parts.nr; p++) {
		const struct counting_event *ce = &s->counting.events[l->parts.v[p]];

		for (uint32_t i = 0; i < ce->nr; i++)
			if (s->place_of_cell[ce->first + i] == place)
				return true;
	}
	return false;
}

struct metric_lookup {
	const struct stat_row *rows;
	uint32_t nr, group;
	const struct event *first, *end;
};

static bool lookup_event(void *arg, const char *name, double *value)
{
	const struct metric_lookup *l = arg;

	for (uint32_t i = 0; i < l->nr; i++) {
		const struct stat_row *row = &l->rows[i];

		if (row->group != l->group || row->event < l->first || row->event >= l->end ||
		    strcmp(row->event->event_text, name) != 0 || row->state != STAT_COUNTED)
			continue;
		/* Formulas count in the kernel's units: nanoseconds, not milliseconds. */
		*value = strcmp(stat_unit(row->event), "msec") == 0 ? row->value * 1e6 : row->value;
		return true;
	}
	return false;
}

/* A metric stands at its first event. */
static void add_metrics(struct stat_session *s, struct stat_row *rows, uint32_t nr)
{
	const struct event *events = s->o->events.v;

	for (uint32_t i = 0; i < nr; i++) {
		for (size_t m = 0; m < s->o->metrics.nr; m++) {
			const struct stat_metric_use *use = &s->o->metrics.v[m];
			struct metric_lookup l = { rows, nr, rows[i].group, events + use->first,
						   events + use->end };
			bool percent = str_starts(use->metric->unit, "% ");
			struct stat_row *row = &rows[i];
			double value;

			if (row->event != l.first || row->nr_derived == STAT_DERIVED_MAX ||
			    !stat_metric_compute(use->metric, lookup_event, &l, &value))
				continue;
			row->derived[row->nr_derived++] = (struct stat_derived){
				value, use->metric->unit + (percent ? 2 : 0), 2, percent };
		}
	}
}

/* Events that stand in a metric's formula show that and no rates of their own. */
static void clear_derived(struct stat_session *s, struct stat_row *rows, uint32_t nr)
{
	const struct event *events = s->o->events.v;

	for (uint32_t i = 0; i < nr; i++)
		for (size_t m = 0; m < s->o->metrics.nr; m++)
			if (rows[i].event >= events + s->o->metrics.v[m].first &&
			    rows[i].event < events + s->o->metrics.v[m].end)
				rows[i].nr_derived = 0;
}

struct stat_row *stat_rows(struct stat_session *s, const struct stat_sum *sums, double wall_ns,
			   bool noise, uint32_t *nr)
{
	size_t lines = s->lines.nr, places = s->places.nr, n = 0;
	struct stat_row *rows = mem_realloc_array(NULL, lines * places, sizeof(*rows));
	/* Sockets have their events together; CPUs and threads stand below their event. */
	bool by_line = s->o->labels == STAT_LABEL_CPU || s->o->labels == STAT_LABEL_THREAD ||
		       s->o->labels == STAT_LABEL_NONE;

	if (s->o->metric_only)
		by_line = false;
	for (size_t i = 0; i < lines * places; i++) {
		size_t line = by_line ? i / places : i % lines;
		size_t place = by_line ? i % places : i / lines;

		if (place_counts(s, sums, line, place))
			fill_row(s, sums, line, place, noise, &rows[n++]);
	}
	*nr = (uint32_t)n;
	stat_derive(rows, *nr, wall_ns);
	clear_derived(s, rows, *nr);
	add_metrics(s, rows, *nr);
	return rows;
}
