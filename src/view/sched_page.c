/* SPDX-License-Identifier: MIT */
/* The timeline as one page: the data as JSON, and a script that draws it. */
#include "view/sched_page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sched/timeline.h"
#include "view/sched.h"

/* In a script element "</" would end it: all '<' go in another way. */
static void put_json(const struct str *s, FILE *out)
{
	for (const char *c = s->p; *c; c++)
		if (*c == '<')
			fputs("\\u003c", out);
		else
			fputc(*c, out);
}

/* Only tasks that are in the picture, by numbers of their own. */
static uint32_t *number_tasks(const struct timeline_slice *slices, uint32_t nr,
			      const struct sched_model *model, uint32_t *nr_shown)
{
	uint32_t nr_tasks = model_nr_tasks(model);
	uint32_t *numbers = mem_realloc_array(NULL, nr_tasks + 1, sizeof(*numbers));

	*nr_shown = 0;
	for (uint32_t i = 0; i < nr_tasks; i++)
		numbers[i] = SCHED_NONE;
	for (uint32_t i = 0; i < nr; i++) {
		if (numbers[slices[i].task] == SCHED_NONE)
			numbers[slices[i].task] = (*nr_shown)++;
		if (slices[i].waker != SCHED_NONE && numbers[slices[i].waker] == SCHED_NONE)
			numbers[slices[i].waker] = (*nr_shown)++;
	}
	return numbers;
}

static void write_tasks(const struct sched_model *model, const uint32_t *numbers, uint32_t nr_shown,
			FILE *out)
{
	uint32_t *by_number = mem_realloc_array(NULL, nr_shown + 1, sizeof(*by_number));
	struct str s = STR_INIT;

	for (uint32_t i = 0; i < model_nr_tasks(model); i++)
		if (numbers[i] != SCHED_NONE)
			by_number[numbers[i]] = i;
	fputs("\"tasks\":[", out);
	for (uint32_t i = 0; i < nr_shown; i++) {
		const struct sched_task *task = model_task(model, by_number[i]);

		str_clear(&s);
		str_add(&s, i ? ",\n[\"" : "\n[\"");
		if (task->idle_cpu != SCHED_NONE)
			str_addf(&s, "idle/%u", task->idle_cpu);
		else
			str_add_json(&s, task->comm);
		str_addf(&s, "\",%u,%u]", task->tid, task->pid != SCHED_NONE ? task->pid : task->tid);
		put_json(&s, out);
	}
	fputs("],\n", out);
	str_release(&s);
	free(by_number);
}

static void write_slices(const struct timeline_slice *slices, uint32_t nr, const uint32_t *numbers,
			 uint64_t base_ns, FILE *out)
{
	struct str s = STR_INIT;

	/* cpu, task, from, length, ready before that, waker (-1: none), waker's CPU, state */
	fputs("\"slices\":[", out);
	for (uint32_t i = 0; i < nr; i++) {
		const struct timeline_slice *l = &slices[i];

		str_clear(&s);
		str_addf(&s, "%s%u,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d,%d,%d", i ? ",\n" : "\n", l->cpu,
			 numbers[l->task], l->from_ns - base_ns, l->to_ns - l->from_ns,
			 l->from_ns - l->ready_ns,
			 l->waker == SCHED_NONE ? -1 : l->interrupt ? -2 : (int)numbers[l->waker],
			 l->waker == SCHED_NONE ? -1 : (int)l->waker_cpu, l->state);
		fwrite(s.p, 1, s.len, out);
	}
	fputs("]", out);
	str_release(&s);
}

void sched_page_write(const struct timeline *timeline, const struct sched_model *model, const char *title,
		      FILE *out)
{
	const struct timeline_slice *slices;
	uint64_t base_ns = UINT64_MAX;
	uint32_t nr, nr_shown, *numbers;
	struct str name = STR_INIT;

	slices = timeline_slices(timeline, &nr);
	numbers = number_tasks(slices, nr, model, &nr_shown);
	for (uint32_t i = 0; i < nr; i++)
		if (slices[i].ready_ns < base_ns)
			base_ns = slices[i].ready_ns;
	str_add_xml(&name, title);
	/* no address in it is fetched: the policy forbids all, and the script asks for none */
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n"
		"<title>%s</title>\n<style>%s</style></head>\n<body>\n%s", name.p, sched_page_style,
		sched_page_body);
	fprintf(out, "<script type=\"application/json\" id=\"data\">{\"cpus\":%u,\"base\":\"%" PRIu64 "\",\n",
		model_account(model)->nr_cpus, nr ? base_ns : 0);
	write_tasks(model, numbers, nr_shown, out);
	write_slices(slices, nr, numbers, nr ? base_ns : 0, out);
	fprintf(out, "}</script>\n<script>%s</script>\n</body></html>\n", sched_page_script);
	str_release(&name);
	free(numbers);
}
