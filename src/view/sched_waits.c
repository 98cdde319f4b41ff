/* SPDX-License-Identifier: MIT */
/* sched waits: where wall time went, who ended the waits, and what is behind the longest. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "formats/record.h"
#include "sched/waits.h"
#include "view/sched.h"

static const char *const kind_names[WAIT_NR_KINDS] = {
	"run", "woken", "thrown", "sleep", "blocked", "idle", "stopped", "other", "unknown",
};

/* For narrow terminals. */
static const char *const short_names[WAIT_NR_KINDS] = {
	"run", "woken", "thrown", "sleep", "block", "idle", "stop", "other", "unkn.",
};

#define NAME_WIDTH 30u
#define LEAST_NAME 14u
#define FULL_WIDTH (NAME_WIDTH + 12 + WAIT_NR_KINDS * 8)

/* --- text ----------------------------------------------------------------------------------- */

/* How a row is laid out. */
struct layout {
	bool narrow;
	bool shows[WAIT_NR_KINDS];
	unsigned name, wall, percent;    /* columns */
};

/* On a narrow terminal columns that no row has a figure in go, then the names give way. */
static struct layout lay_out(const struct sched_waits_view *v)
{
	struct layout l = { .narrow = v->width && v->width < FULL_WIDTH, .name = NAME_WIDTH, .wall = 12, .percent = 8 };
	unsigned width;

	for (unsigned k = 0; k < WAIT_NR_KINDS; k++) {
		l.shows[k] = !l.narrow;
		for (uint32_t i = 0; i < v->nr && !l.shows[k]; i++)
			l.shows[k] = v->rows[i].ns[k] != 0;
	}
	if (!l.narrow)
		return l;
	width = l.wall = 11;
	l.percent = 7;
	for (unsigned k = 0; k < WAIT_NR_KINDS; k++)
		width += l.shows[k] ? l.percent : 0;
	l.name = width + LEAST_NAME > v->width ? LEAST_NAME : v->width - width;
	if (l.name > NAME_WIDTH)
		l.name = NAME_WIDTH;
	return l;
}

static void add_who(struct str *s, const struct sched_task *task, bool interrupt)
{
	if (interrupt)
		str_add(s, "[interrupt]");
	else if (!task)
		str_add(s, "[unknown]");
	else
		sched_add_task(s, task);
}

static void write_others(const char *what, const struct wait_other *v, uint32_t nr, uint32_t top, FILE *out)
{
	struct str s = STR_INIT;

	for (uint32_t i = 0; i < nr && i < top; i++) {
		str_add(&s, i ? ", " : " ");
		add_who(&s, v[i].task, v[i].interrupt);
		str_addf(&s, " %" PRIu64 "x ", v[i].nr);
		sched_add_ms(&s, v[i].ns, 0);
		str_add(&s, " ms");
	}
	if (nr > top)
		str_addf(&s, ", %u more", nr - top);
	if (nr)
		fprintf(out, "      %s%s\n", what, s.p);
	str_release(&s);
}

static void write_wait(const struct wait *w, FILE *out)
{
	struct str s = STR_INIT;

	sched_add_ms(&s, w->to_ns - w->from_ns, 0);
	str_addf(&s, " ms %c from ", w->state);
	sched_add_time(&s, w->from_ns, 0);
	str_add(&s, ":");
	for (uint32_t i = 0; i < w->nr_links; i++) {
		const struct wait_link *l = &w->links[i];

		str_add(&s, i ? " <- at +" : " woken by ");
		if (i) {
			sched_add_ms(&s, l->time_ns - w->from_ns, 0);
			str_add(&s, " by ");
		}
		add_who(&s, l->waker, l->interrupt);
		if (l->interrupt && l->waker) {
			str_add(&s, " in ");
			sched_add_task(&s, l->waker);
		}
	}
	fprintf(out, "      longest %s\n", s.p);
	str_release(&s);
}

static void write_row(const struct waits_row *row, const struct layout *l, uint32_t top, FILE *out)
{
	struct str s = STR_INIT;

	sched_add_task(&s, row->task);
	while (s.len < l->name)
		str_addc(&s, ' ');
	sched_add_ms(&s, row->wall_ns, l->wall);
	for (unsigned k = 0; k < WAIT_NR_KINDS; k++) {
		if (!l->shows[k])
			continue;
		if (row->ns[k])
			str_addf(&s, "%*.*f%%", (int)l->percent - 1, l->narrow ? 1 : 2,
				 100.0 * (double)row->ns[k] / (double)row->wall_ns);
		else
			str_addf(&s, "%*s", (int)l->percent, ".");
	}
	fprintf(out, "%s\n", s.p);
	str_clear(&s);
	if (row->iowait_ns) {
		sched_add_ms(&s, row->iowait_ns, 0);
		fprintf(out, "      of it waiting for I/O %s ms\n", s.p);
	}
	str_release(&s);
	if (!top)
		return;
	write_others("woken by", row->wakers, row->nr_wakers, top, out);
	write_others("came behind", row->behind, row->nr_behind, top, out);
	for (uint32_t i = 0; i < WAITS_LONGEST && i < top && row->longest[i].to_ns; i++)
		write_wait(&row->longest[i], out);
}

void sched_waits_text(const struct sched_waits_view *v, FILE *out)
{
	struct layout l = lay_out(v);

	fprintf(out, "# Where wall time went. woken, thrown: ready, and waiting for a CPU, after a\n"
		"# wake-up or after being thrown out; sleep S, blocked D, idle I, stopped T,\n"
		"# other by the state it slept in. Woken by: how often, and the sleep that ended\n"
		"# so; came behind: who had the CPU before, and the delay.\n#\n%-*s%*s", (int)l.name, "# task",
		(int)l.wall, "wall ms");
	for (unsigned k = 0; k < WAIT_NR_KINDS; k++)
		if (l.shows[k])
			fprintf(out, "%*s", (int)l.percent, l.narrow ? short_names[k] : kind_names[k]);
	fprintf(out, "\n");
	for (uint32_t i = 0; i < v->nr; i++)
		write_row(&v->rows[i], &l, v->top, out);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_who(struct str *s, const struct sched_task *task, bool interrupt)
{
	str_addf(s, "\"interrupt\": %s", interrupt ? "true" : "false");
	if (!task)
		return;
	str_add(s, ", \"comm\": \"");
	str_add_json(s, task->comm);
	str_addf(s, "\", \"tid\": %u", task->tid);
}

static void json_others(struct str *s, const char *name, const struct wait_other *v, uint32_t nr)
{
	str_addf(s, ", \"%s\": [", name);
	for (uint32_t i = 0; i < nr; i++) {
		str_add(s, i ? ", {" : "{");
		json_who(s, v[i].task, v[i].interrupt);
		str_addf(s, ", \"nr\": %" PRIu64 ", \"ns\": %" PRIu64 "}", v[i].nr, v[i].ns);
	}
	str_addc(s, ']');
}

static void json_longest(struct str *s, const struct waits_row *row)
{
	str_add(s, ", \"longest\": [");
	for (uint32_t i = 0; i < WAITS_LONGEST && row->longest[i].to_ns; i++) {
		const struct wait *w = &row->longest[i];

		str_addf(s, "%s{\"from_ns\": %" PRIu64 ", \"to_ns\": %" PRIu64 ", \"state\": \"%c\", \"chain\": [",
			 i ? ", " : "", w->from_ns, w->to_ns, w->state);
		for (uint32_t k = 0; k < w->nr_links; k++) {
			str_add(s, k ? ", {" : "{");
			json_who(s, w->links[k].waker, w->links[k].interrupt);
			str_addf(s, ", \"time_ns\": %" PRIu64 "}", w->links[k].time_ns);
		}
		str_add(s, "]}");
	}
	str_addc(s, ']');
}

void sched_waits_json(const struct sched_waits_view *v, FILE *out)
{
	struct str s = STR_INIT;

	str_add(&s, "{\"schema\": \"sonde-sched-waits-1\", \"account\": {");
	sched_account_json(v->account, v->stream, &s);
	str_add(&s, "}, \"tasks\": [");
	for (uint32_t i = 0; i < v->nr; i++) {
		const struct waits_row *row = &v->rows[i];

		str_addf(&s, "%s\n  {\"comm\": \"", i ? "," : "");
		str_add_json(&s, row->task->comm);
		str_addf(&s, "\", \"tid\": %u", row->task->tid);
		if (row->task->pid != SCHED_NONE)
			str_addf(&s, ", \"pid\": %u", row->task->pid);
		str_addf(&s, ", \"wall_ns\": %" PRIu64 ", \"iowait_ns\": %" PRIu64, row->wall_ns, row->iowait_ns);
		for (unsigned k = 0; k < WAIT_NR_KINDS; k++)
			str_addf(&s, ", \"%s_ns\": %" PRIu64, kind_names[k], row->ns[k]);
		json_others(&s, "wakers", row->wakers, row->nr_wakers);
		json_others(&s, "behind", row->behind, row->nr_behind);
		json_longest(&s, row);
		str_addc(&s, '}');
		fwrite(s.p, 1, s.len, out);
		str_clear(&s);
	}
	fprintf(out, "%s\n]}\n", s.p);
	str_release(&s);
}

/* --- folded ----------------------------------------------------------------------------------- */

struct stack { const char **names; uint32_t nr; };

struct sched_stack_ids {
	struct sched_stacks *stacks;
	struct map64 by_hash;
	struct arena arena;
	VEC(struct stack) v;             /* id - 1 -> names, leaf first */
};

struct sched_stack_ids *sched_stack_ids_new(struct sched_stacks *stacks)
{
	struct sched_stack_ids *ids = mem_zalloc(sizeof(*ids));

	ids->stacks = stacks;
	return ids;
}

void sched_stack_ids_free(struct sched_stack_ids *ids)
{
	if (!ids)
		return;
	map64_release(&ids->by_hash);
	arena_release(&ids->arena);
	vec_release(&ids->v);
	free(ids);
}

uint32_t sched_stack_id(void *arg, const struct sample *sample)
{
	struct sched_stack_ids *ids = arg;
	const char *names[SCHED_STACK_MAX];
	uint64_t *id;
	bool added;
	uint32_t nr;

	if (!sample || !sample->nr_ips)
		return 0;
	/* an address has one meaning in a process, but for what it maps anew: as good as names get here */
	id = map64_put(&ids->by_hash, hash_mix(hash_bytes(sample->ips, (size_t)sample->nr_ips * 8),
					       sample->pid), &added);
	if (!added)
		return (uint32_t)*id;
	nr = sched_stack_names(ids->stacks, sample, names, SCHED_STACK_MAX);
	*vec_push(&ids->v) = (struct stack){ arena_dup(&ids->arena, names, nr * sizeof(*names)), nr };
	*id = ids->v.nr;
	return (uint32_t)*id;
}

/* In folded text ';' and blanks part things. */
static void add_label(struct str *s, const char *name)
{
	size_t from = s->len;

	str_add_safe(s, name);
	for (char *c = s->p + from; *c; c++)
		*c = *c == ';' ? ':' : *c == ' ' ? '_' : *c;
}

static void add_stack(struct str *s, const struct sched_stack_ids *ids, uint32_t id, bool leaf_first)
{
	const struct stack *stack = id ? &ids->v.v[id - 1] : NULL;

	for (uint32_t i = 0; stack && i < stack->nr; i++) {
		str_addc(s, ';');
		add_label(s, stack->names[leaf_first ? i : stack->nr - 1 - i]);
	}
}

void sched_waits_folded(const struct wait_path *paths, uint32_t nr, const struct sched_stack_ids *ids,
			FILE *out)
{
	struct str s = STR_INIT;

	for (uint32_t i = 0; i < nr; i++) {
		const struct wait_path *p = &paths[i];

		str_clear(&s);
		add_label(&s, *p->comm ? p->comm : "[unknown]");
		add_stack(&s, ids, p->stack, false);
		str_addf(&s, ";[%c];--", p->state);
		if (!p->interrupt)
			add_stack(&s, ids, p->waker_stack, true);
		str_addc(&s, ';');
		add_label(&s, p->interrupt ? "[interrupt]" : *p->waker ? p->waker : "[unknown]");
		fprintf(out, "%s %" PRIu64 "\n", s.p, p->ns / 1000);
	}
	str_release(&s);
}
