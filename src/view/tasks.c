/* SPDX-License-Identifier: MIT */
#include "view/tasks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/str.h"

#define INDENT_MAX 100u          /* of a family that is deeper than a screen is wide */

static void write_map(const struct task_map *m, unsigned indent, FILE *out)
{
	struct str name = STR_INIT;

	str_add_safe(&name, m->filename);
	fprintf(out, "%*s  %" PRIx64 "-%" PRIx64 " %c%c%c%c %08" PRIx64 " %" PRIu64 " %s\n", (int)indent,
		"", m->start, m->end, m->prot & PROT_READ ? 'r' : '-', m->prot & PROT_WRITE ? 'w' : '-',
		m->prot & PROT_EXEC ? 'x' : '-', m->flags & MAP_SHARED ? 's' : 'p', m->pgoff, m->ino,
		name.p);
	str_release(&name);
}

void tasks_write(const struct tasks *tasks, bool maps, FILE *out)
{
	fprintf(out, "# %8s %8s %8s  %s\n", "pid", "tid", "ppid", "comm");
	for (uint32_t i = 0; i < tasks->nr; i++) {
		const struct task *t = &tasks->v[i];
		unsigned depth = t->depth < INDENT_MAX ? t->depth : INDENT_MAX;
		struct str comm = STR_INIT;
		int indent;

		if (t->comm)
			str_add_safe(&comm, t->comm);
		else
			str_addf(&comm, ":%u", t->tid);
		indent = fprintf(out, "  %8d %8d %8d |%*s", (int)t->pid, (int)t->tid, t->ppid, (int)depth, "");
		fprintf(out, "%s\n", comm.p);
		for (size_t m = 0; maps && m < t->nr_maps; m++)
			write_map(&t->maps[m], indent > 0 ? (unsigned)indent : 0, out);
		str_release(&comm);
	}
}

/* --- what threads counted ------------------------------------------------------------------ */

static unsigned digits(uint64_t n)
{
	unsigned d = 1;

	for (; n >= 10; n /= 10)
		d++;
	return d;
}

static void widen(unsigned *width, unsigned to)
{
	if (to > *width)
		*width = to;
}

static void raw_counts_write(const struct thread_counts *c, const struct perf_data *data, FILE *out)
{
	fprintf(out, "# %8s  %8s  %*s  %s\n", "PID", "TID", -32, "Name", "Count");
	for (uint32_t i = 0; i < c->nr; i++) {
		for (uint32_t e = 0; e < c->nr_events; e++) {
			uint64_t value = c->value[(size_t)i * c->nr_events + e];
			struct str name = STR_INIT;

			if (!value)
				continue;
			str_add_safe(&name, data->events.v[e].name);
			fprintf(out, "  %8d  %8d  %-32s  %" PRIu64 "\n", (int)c->rows[i].pid,
				(int)c->rows[i].tid, name.p, value);
			str_release(&name);
		}
	}
}

void thread_counts_write(const struct thread_counts *c, const struct perf_data *data, bool raw, FILE *out)
{
	unsigned pid = 3, tid = 3, *width;
	bool *counted;

	if (raw) {
		raw_counts_write(c, data, out);
		return;
	}
	width = mem_zalloc((c->nr_events + 1) * sizeof(*width));
	counted = mem_zalloc(c->nr_events + 1);
	for (uint32_t i = 0; i < c->nr; i++) {
		widen(&pid, digits(c->rows[i].pid));
		widen(&tid, digits(c->rows[i].tid));
		for (uint32_t e = 0; e < c->nr_events; e++) {
			uint64_t value = c->value[(size_t)i * c->nr_events + e];

			widen(&width[e], digits(value));
			counted[e] |= value != 0;
		}
	}
	fprintf(out, "# %*s  %*s", (int)pid, "PID", (int)tid, "TID");
	for (uint32_t e = 0; e < c->nr_events; e++) {
		struct str name = STR_INIT;

		if (!counted[e])
			continue;
		str_add_safe(&name, data->events.v[e].name);
		widen(&width[e], (unsigned)name.len);
		fprintf(out, "  %*s", (int)width[e], name.p);
		str_release(&name);
	}
	fputc('\n', out);
	for (uint32_t i = 0; i < c->nr; i++) {
		fprintf(out, "  %*d  %*d", (int)pid, (int)c->rows[i].pid, (int)tid, (int)c->rows[i].tid);
		for (uint32_t e = 0; e < c->nr_events; e++)
			if (counted[e])
				fprintf(out, "  %*" PRIu64, (int)width[e],
					c->value[(size_t)i * c->nr_events + e]);
		fputc('\n', out);
	}
	free(width);
	free(counted);
}

/* --- records by type ------------------------------------------------------------------------ */

void stats_write(const struct recording *rec, const uint64_t *samples, FILE *out)
{
	uint64_t total = 0, unknown = 0;

	for (unsigned t = 0; t < 256; t++)
		total += rec->nr_by_type[t];
	fprintf(out, "\nAggregated stats:%s\n%16s events: %10" PRIu64 "\n",
		rec->data->features[FEATURE_AUXTRACE].present ?
			" (excludes AUX area (e.g. instruction trace) decoded / synthesized events)" : "",
		"TOTAL", total);
	for (unsigned t = 0; t < 256; t++) {
		uint64_t n = rec->nr_by_type[t];
		const char *name = record_type_name(t);

		if (!name)
			unknown += n;
		else if (n)
			fprintf(out, "%16s events: %10" PRIu64 "  (%4.1f%%)\n", name, n,
				100.0 * (double)n / (double)total);
	}
	if (unknown)
		fprintf(out, "%16s events: %10" PRIu64 "  (%4.1f%%)\n", "UNKNOWN", unknown,
			100.0 * (double)unknown / (double)total);
	for (uint32_t e = 0; e < rec->data->events.nr; e++) {
		struct str name = STR_INIT;

		if (!samples[e] && !rec->lost_by_event[e])
			continue;
		str_add_safe(&name, rec->data->events.v[e].name);
		fprintf(out, "%s stats:\n", name.p);
		if (samples[e])
			fprintf(out, "%16s events: %10" PRIu64 "\n", "SAMPLE", samples[e]);
		if (rec->lost_by_event[e])
			fprintf(out, "%16s events: %10" PRIu64 "\n", "LOST_SAMPLES",
				rec->lost_by_event[e]);
		str_release(&name);
	}
}
