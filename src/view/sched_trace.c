/* SPDX-License-Identifier: MIT */
/*
 * The timeline as Chrome's trace events in JSON ("Trace Event Format", the JSON object
 * form), which chrome://tracing, ui.perfetto.dev and speedscope read: CPUs as threads of a
 * process of their own, and each task as a thread with what it ran and how long it was ready.
 */
#include <inttypes.h>

#include "sched/timeline.h"
#include "view/sched.h"

#define CPUS_PID 0u

static void add_us(struct str *s, uint64_t ns)
{
	str_addf(s, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
}

static void add_event(struct str *s, char phase, uint32_t pid, uint32_t tid, uint64_t ts_ns)
{
	str_addf(s, "%s\n{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"ts\":", s->len ? "," : "", phase, pid, tid);
	add_us(s, ts_ns);
}

static void add_name(struct str *s, const struct sched_task *task)
{
	str_add(s, ",\"name\":\"");
	if (*task->comm)
		str_add_json(s, task->comm);
	else
		str_addf(s, ":%u", task->tid);
	str_addc(s, '"');
}

static uint32_t pid_of(const struct sched_task *task)
{
	return task->pid != SCHED_NONE ? task->pid : task->tid;
}

static void add_slice(struct str *s, const struct sched_model *model, const struct timeline_slice *l,
		      uint64_t base_ns, uint32_t number)
{
	const struct sched_task *task = model_task(model, l->task);
	uint64_t from = l->from_ns - base_ns;

	for (int row = 0; row < 2; row++) {
		add_event(s, 'X', row ? pid_of(task) : CPUS_PID, row ? task->tid : l->cpu, from);
		str_add(s, ",\"dur\":");
		add_us(s, l->to_ns - l->from_ns);
		if (row)
			str_add(s, ",\"name\":\"running\"");
		else
			add_name(s, task);
		str_addf(s, ",\"cat\":\"sched\",\"args\":{\"tid\":%u,\"cpu\":%u,\"end_state\":\"%c\"}}", task->tid,
			 l->cpu, l->state);
	}
	if (l->ready_ns < l->from_ns && l->ready_ns >= base_ns) {
		add_event(s, 'X', pid_of(task), task->tid, l->ready_ns - base_ns);
		str_add(s, ",\"dur\":");
		add_us(s, l->from_ns - l->ready_ns);
		str_addf(s, ",\"name\":\"%s\",\"cat\":\"sched\"}", l->woken ? "ready (woken)" : "ready (thrown out)");
	}
	if (l->waker == SCHED_NONE || l->interrupt || l->ready_ns < base_ns)
		return;
	add_event(s, 's', CPUS_PID, l->waker_cpu, l->ready_ns - base_ns);
	str_addf(s, ",\"id\":%u,\"name\":\"wake-up\",\"cat\":\"wake\"}", number);
	add_event(s, 'f', CPUS_PID, l->cpu, from);
	str_addf(s, ",\"id\":%u,\"bp\":\"e\",\"name\":\"wake-up\",\"cat\":\"wake\"}", number);
}

static void add_meta(struct str *s, const char *what, uint32_t pid, uint32_t tid, const char *name)
{
	str_addf(s, ",\n{\"ph\":\"M\",\"pid\":%u,\"tid\":%u,\"ts\":0,\"name\":\"%s\",\"args\":{\"name\":\"", pid, tid,
		 what);
	str_add_json(s, name);
	str_add(s, "\"}}");
}

static void write_names(const struct sched_model *model, FILE *out)
{
	struct str s = STR_INIT;
	char cpu[24];

	add_meta(&s, "process_name", CPUS_PID, 0, "CPUs");
	for (uint32_t i = 0; i < model_account(model)->nr_cpus; i++) {
		snprintf(cpu, sizeof(cpu), "CPU %u", i);
		add_meta(&s, "thread_name", CPUS_PID, i, cpu);
	}
	for (uint32_t i = 0; i < model_nr_tasks(model); i++) {
		const struct sched_task *task = model_task(model, i);

		if (task->idle_cpu != SCHED_NONE)
			continue;
		add_meta(&s, "thread_name", pid_of(task), task->tid, task->comm);
		if (pid_of(task) == task->tid)
			add_meta(&s, "process_name", task->tid, task->tid, task->comm);
	}
	fwrite(s.p, 1, s.len, out);
	str_release(&s);
}

void sched_trace_write(const struct timeline *timeline, const struct sched_model *model, FILE *out)
{
	uint64_t base_ns = model_account(model)->first_ns;
	const struct timeline_slice *slices;
	struct str s = STR_INIT;
	uint32_t nr;

	slices = timeline_slices(timeline, &nr);
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"producer\":\"sonde\"},\"traceEvents\":[", out);
	fputs("\n{\"ph\":\"M\",\"pid\":0,\"tid\":0,\"ts\":0,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":-1}}", out);
	for (uint32_t i = 0; i < nr; i++) {
		str_clear(&s);
		add_slice(&s, model, &slices[i], base_ns < slices[i].from_ns ? base_ns : slices[i].from_ns, i + 1);
		fputc(',', out);
		fwrite(s.p, 1, s.len, out);
	}
	write_names(model, out);
	fputs("\n]}\n", out);
	str_release(&s);
}
