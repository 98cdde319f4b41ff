/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "view/sched.h"

#define DAMAGES_SHOWN 5u

void sched_add_comm(struct str *out, const struct sched_task *task)
{
	if (*task->comm)
		str_add_safe(out, task->comm);
	else
		str_addf(out, ":%u", task->tid);
}

void sched_add_task(struct str *out, const struct sched_task *task)
{
	if (task->idle_cpu != SCHED_NONE) {
		str_add(out, "<idle>");
		return;
	}
	sched_add_comm(out, task);
	if (task->pid != SCHED_NONE && task->pid != task->tid)
		str_addf(out, "[%u/%u]", task->tid, task->pid);
	else
		str_addf(out, "[%u]", task->tid);
}

void sched_add_time(struct str *out, uint64_t time_ns, unsigned width)
{
	str_add_dec(out, time_ns / 1000000000, width > 7 ? width - 7 : 0, ' ');
	str_addc(out, '.');
	str_add_dec(out, time_ns % 1000000000 / 1000, 6, '0');
}

void sched_add_ms(struct str *out, uint64_t ns, unsigned width)
{
	str_add_dec(out, ns / 1000000, width > 4 ? width - 4 : 0, ' ');
	str_addc(out, '.');
	str_add_dec(out, ns % 1000000 / 1000, 3, '0');
}

/* --- what the figures lack ------------------------------------------------------------------ */

static uint64_t lost_events(const struct sched_account *m, const struct stream_account *s)
{
	return m->lost_events > s->lost_samples ? m->lost_events : s->lost_samples;
}

static uint64_t seen_events(const struct sched_account *m)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < SCHED_NAME; k++)
		n += m->events[k];
	return n;
}

static unsigned fact(FILE *out, const char *prefix, uint64_t n, const char *text)
{
	char digits[32];

	if (n)
		fprintf(out, "%s%s %s\n", prefix, str_commas(n, digits), text);
	return n != 0;
}

unsigned sched_account_write(const struct sched_account *m, const struct stream_account *s,
			     const char *prefix, FILE *out)
{
	uint64_t lost = lost_events(m, s), seen = seen_events(m);
	unsigned lines = 0;
	char n[32];

	if (lost) {
		fprintf(out, "%sLost: %s events (%.2f %%): the recorder could not keep up; larger rings "
			"(-m) lose less. What they leave unknown is left out:\n", prefix,
			str_commas(lost, n), 100.0 * (double)lost / (double)(lost + seen));
		lines++;
	}
	lines += fact(out, prefix, m->mismatches, "switches do not follow from what ran on their CPU before");
	if (m->doubtful_slices) {
		fprintf(out, "%s%s times on a CPU with a loss in between, %.3f ms in all, are not "
			"counted as run time by switches\n", prefix, str_commas(m->doubtful_slices, n),
			(double)m->doubtful_ns / 1e6);
		lines++;
	}
	lines += fact(out, prefix, m->doubtful_delays, "delays with a loss in between are not counted");
	lines += fact(out, prefix, m->unknown_delays, "times that a task came whose wake-up was not recorded: no delay");
	lines += fact(out, prefix, m->backwards, "times that the clock went back: no figure");
	lines += fact(out, prefix, s->unknown_states, "switches left a task in a state that is not known: "
		      "if it was ready, its delay is missing");
	lines += fact(out, prefix, s->bad_samples, "samples whose fields do not fit were left out");
	for (uint32_t i = 0; i < s->nr_damages && i < DAMAGES_SHOWN; i++, lines++)
		fprintf(out, "%sDamaged: at byte %" PRIu64 " %s; %" PRIu64 " bytes were left out\n", prefix,
			s->damages[i].file_off, s->damages[i].what, s->damages[i].skipped_bytes);
	if (s->nr_damages > DAMAGES_SHOWN)
		lines += fact(out, prefix, s->nr_damages - DAMAGES_SHOWN, "more places are damaged");
	if (s->unfinished) {
		fprintf(out, "%sUnfinished: the recorder did not close the file\n", prefix);
		lines++;
	}
	return lines;
}

void sched_account_json(const struct sched_account *m, const struct stream_account *s,
			struct str *out)
{
	str_addf(out, "\"events\": %" PRIu64 ", \"lost_events\": %" PRIu64, seen_events(m),
		 lost_events(m, s));
	str_addf(out, ", \"mismatched_switches\": %" PRIu64 ", \"doubtful_slices\": %" PRIu64
		 ", \"doubtful_ns\": %" PRIu64, m->mismatches, m->doubtful_slices, m->doubtful_ns);
	str_addf(out, ", \"doubtful_delays\": %" PRIu64 ", \"unknown_delays\": %" PRIu64
		 ", \"first_starts\": %" PRIu64, m->doubtful_delays, m->unknown_delays, m->first_starts);
	str_addf(out, ", \"clock_back\": %" PRIu64 ", \"bad_samples\": %" PRIu64 ", \"damages\": %u"
		 ", \"unknown_states\": %" PRIu64 ", \"unfinished\": %s", m->backwards, s->bad_samples,
		 s->nr_damages, s->unknown_states,
		 s->unfinished ? "true" : "false");
	str_addf(out, ", \"first_ns\": %" PRIu64 ", \"last_ns\": %" PRIu64 ", \"cpus\": %u",
		 m->first_ns, m->last_ns, m->nr_cpus);
}
