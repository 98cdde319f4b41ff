/* SPDX-License-Identifier: MIT */
/* sched map: a line for each switch, a column for each CPU, as perf sched map has it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "view/sched.h"

#define COLOR_CPU "\033[31m"
#define COLOR_PID "\033[34m"
#define COLOR_END "\033[m"

struct label { char name[3]; bool told; uint32_t comm_hash; };

struct sched_map {
	struct sched_map_options o;
	VEC(struct label) labels;        /* by the model's index */
	VEC(const struct sched_task *) current;  /* by CPU */
	VEC(uint32_t) columns;           /* compact: CPUs in the order seen */
	uint32_t top_cpu;
	uint64_t lines;
	char next[2];
	struct str line;
};

struct sched_map *sched_map_new(const struct sched_map_options *options)
{
	struct sched_map *m = mem_zalloc(sizeof(*m));

	m->o = *options;
	m->next[0] = 'A';
	m->next[1] = '0';
	m->top_cpu = options->nr_online ? options->nr_online - 1 : 0;
	m->line = (struct str)STR_INIT;
	return m;
}

void sched_map_free(struct sched_map *m)
{
	if (!m)
		return;
	vec_release(&m->labels);
	vec_release(&m->current);
	vec_release(&m->columns);
	str_release(&m->line);
	free(m);
}

/* A0, B0, ... Z0, A1, ...; they come round again after 260. */
static struct label *label(struct sched_map *m, const struct sched_task *task)
{
	struct label *l;

	while (m->labels.nr <= task->index)
		memset(vec_push(&m->labels), 0, sizeof(struct label));
	l = &m->labels.v[task->index];
	if (l->name[0])
		return l;
	if (task->idle_cpu != SCHED_NONE) {
		memcpy(l->name, ". ", 3);
		return l;
	}
	l->name[0] = m->next[0];
	l->name[1] = m->next[1];
	if (m->next[0] < 'Z') {
		m->next[0]++;
	} else {
		m->next[0] = 'A';
		m->next[1] = m->next[1] < '9' ? (char)(m->next[1] + 1) : '0';
	}
	return l;
}

static bool in_list(const uint32_t *list, uint32_t nr, uint32_t n)
{
	for (uint32_t i = 0; i < nr; i++)
		if (list[i] == n)
			return true;
	return false;
}

/* Whether --task-name is of this one, as it is called now. */
static bool is_wanted(const struct sched_map *m, const struct sched_task *task)
{
	const char *comm = task->idle_cpu != SCHED_NONE ? "swapper" : task->comm;

	for (const char **name = m->o.names; name && *name; name++)
		if (m->o.part_of_name ? strstr(comm, *name) != NULL : strcmp(comm, *name) == 0)
			return true;
	return !m->o.names;
}

/* Whether the task is to be told by its name: a new one, or one with a new name. */
static bool is_news(struct label *label, const struct sched_task *task)
{
	uint32_t hash = 5381;
	bool news;

	for (const char *c = task->comm; *c; c++)
		hash = hash * 33 + (uint8_t)*c;
	news = !label->told || label->comm_hash != hash;
	label->told = true;
	label->comm_hash = hash;
	return news;
}

static void add_cell(struct sched_map *m, uint32_t cpu, bool here)
{
	const struct sched_task *task = cpu < m->current.nr ? m->current.v[cpu] : NULL;
	bool color_pid = task && m->o.color && in_list(m->o.color_pids, m->o.nr_color_pids, task->tid);
	bool color_cpu = m->o.color && in_list(m->o.color_cpus, m->o.nr_color_cpus, cpu);

	if (m->o.nr_cpus && !in_list(m->o.cpus, m->o.nr_cpus, cpu))
		return;
	if (here && color_cpu)
		str_add(&m->line, COLOR_CPU);
	str_addc(&m->line, here ? '*' : ' ');
	if (here && color_cpu)
		str_add(&m->line, COLOR_END);
	if (!task) {
		str_add(&m->line, "   ");
		return;
	}
	if (color_pid)
		str_add(&m->line, COLOR_PID);
	str_addf(&m->line, "%2s ", task->idle_cpu != SCHED_NONE || is_wanted(m, task) ?
		 label(m, task)->name : "- ");
	if (color_pid)
		str_add(&m->line, COLOR_END);
}

static void add_cells(struct sched_map *m, uint32_t cpu, bool *first)
{
	*first = false;
	if (!m->o.compact) {
		for (uint32_t i = 0; i <= m->top_cpu; i++)
			add_cell(m, i, i == cpu);
		return;
	}
	*first = !in_list(m->columns.v, (uint32_t)m->columns.nr, cpu);
	if (*first)
		*vec_push(&m->columns) = cpu;
	for (size_t i = 0; i < m->columns.nr; i++)
		add_cell(m, m->columns.v[i], m->columns.v[i] == cpu);
}

static void on_start(void *arg, const struct sched_start *s)
{
	bool first, color, comes = is_wanted(arg, s->task), goes;
	struct sched_map *m = arg;

	while (m->current.nr <= s->cpu)
		*vec_push(&m->current) = NULL;
	goes = m->current.v[s->cpu] && is_wanted(m, m->current.v[s->cpu]);
	m->current.v[s->cpu] = s->task;
	if (s->cpu > m->top_cpu)
		m->top_cpu = s->cpu;
	if (!comes && !goes)
		return;
	/* letters in the order of coming, on whichever CPU: --cpus does not change them */
	if (comes)
		label(m, s->task);
	m->lines++;
	str_clear(&m->line);
	str_add(&m->line, "  ");
	add_cells(m, s->cpu, &first);
	if (m->o.nr_cpus && !in_list(m->o.cpus, m->o.nr_cpus, s->cpu)) {
		fprintf(m->o.out, "%s\n", m->line.p);
		return;
	}
	str_add(&m->line, "  ");
	sched_add_time(&m->line, s->time_ns, 12);
	str_add(&m->line, " secs ");
	if (comes && is_news(label(m, s->task), s->task)) {
		color = m->o.color && in_list(m->o.color_pids, m->o.nr_color_pids, s->task->tid);
		str_addf(&m->line, "%s%s => ", color ? COLOR_PID : "", label(m, s->task)->name);
		sched_add_comm(&m->line, s->task);
		str_addf(&m->line, ":%u%s", s->task->tid, color ? COLOR_END : "");
	}
	if (first)
		str_addf(&m->line, " (CPU %u)", s->cpu);
	str_addc(&m->line, '\n');
	fwrite(m->line.p, 1, m->line.len, m->o.out);
}

uint64_t sched_map_lines(const struct sched_map *m)
{
	return m->lines;
}

const struct sched_ops sched_map_ops = { .start = on_start };
