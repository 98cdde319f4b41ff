/* SPDX-License-Identifier: MIT */
#include "view/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/filter.h"
#include "view/script_fields.h"
#include "view/script_priv.h"
#include "view/script_record.h"

#define WRITE_BYTES ((size_t)256 << 10)

static void name_events(struct script *s, const struct event_set *events)
{
	int width = 0;

	for (uint32_t i = 0; i < events->nr; i++)
		if ((int)strlen(events->v[i].name) > width)
			width = (int)strlen(events->v[i].name);
	s->event_texts = mem_zalloc(events->nr * sizeof(*s->event_texts));
	for (uint32_t i = 0; i < events->nr; i++) {
		struct str text = STR_INIT, safe = STR_INIT;

		str_add_safe(&safe, events->v[i].name);
		str_addf(&text, "%*s: ", width, safe.p);
		s->event_texts[i] = str_take(&text);
		str_release(&safe);
	}
}

static int find_event(const struct event_set *events, const char *option, const char *name,
		      struct err *err)
{
	for (uint32_t i = 0; i < events->nr; i++)
		if (strcmp(events->v[i].name, name) == 0)
			return 0;
	return err_set(err, ENOENT, "%s: the recording has no event '%s'; sonde evlist lists them",
		       option, name);
}

static int prepare_switch(struct script *s, const struct event_set *events, struct err *err)
{
	const struct script_options *o = &s->options;
	int r = 0;

	if (o->switch_on)
		r = find_event(events, "--switch-on", o->switch_on, err);
	if (!r && o->switch_off)
		r = find_event(events, "--switch-off", o->switch_off, err);
	s->has_switch = o->switch_on || o->switch_off;
	s->is_off = o->switch_on != NULL;
	return r;
}

int script_new(struct script **out, const struct recording *recording,
	       const struct script_options *options, struct err *err)
{
	const struct perf_data *data = recording->data;
	struct script *s = mem_zalloc(sizeof(*s));
	struct err damaged = ERR_INIT;
	int r;

	s->recording = recording;
	s->options = *options;
	s->line = (struct str)STR_INIT;
	arena_init(&s->texts);
	arena_init(&s->frame_texts);
	s->fields = mem_zalloc(data->events.nr * sizeof(*s->fields));
	s->resolver = resolver_new(recording->processes);
	s->arch = arch_find(data->arch ? data->arch : "");
	s->stacks = user_stack_new(recording->processes, s->arch, data->swap);
	name_events(s, &data->events);
	(void)script_day_clock(data, &s->day_clock);
	s->samples = mem_zalloc(data->events.nr * sizeof(*s->samples));
	r = script_fields(data, options->fields, s->fields, err);
	if (!r)
		r = prepare_switch(s, &data->events, err);
	if (r < 0) {
		script_free(s);
		return r;
	}
	/* descriptions that cannot be read cost the trace field and not the rest */
	(void)tracepoints_new(&s->tracepoints, data, &damaged);
	*out = s;
	return 0;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->recording->data->events.nr; i++)
		free(s->event_texts[i]);
	free(s->event_texts);
	free(s->fields);
	free(s->samples);
	tracepoints_free(s->tracepoints);
	resolver_free(s->resolver);
	user_stack_free(s->stacks);
	str_release(&s->line);
	reads_release(&s->reads);
	map64_release(&s->text_of);
	arena_release(&s->texts);
	arena_release(&s->frame_texts);
	vec_release(&s->frames);
	script_insns_free(s->insns);
	free(s);
}

void script_account(const struct script *s, struct profile_account *account)
{
	account->stack_dumps += s->stack_dumps;
	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		account->unwind_stops[i] += s->unwind_stops[i];
}

/* --- pieces of a line ---------------------------------------------------------------- */

static void add_time(struct script *s, uint64_t time_ns)
{
	if (s->options.reltime) {
		if (!s->first_ns)
			s->first_ns = time_ns;
		time_ns -= s->first_ns;
	} else if (s->options.deltatime) {
		uint64_t last = s->last_ns;

		s->last_ns = time_ns;
		time_ns = last ? time_ns - last : 0;
	}
	str_add_dec(&s->line, time_ns / 1000000000, 5, ' ');
	str_addc(&s->line, '.');
	if (s->options.ns)
		str_add_dec(&s->line, time_ns % 1000000000, 9, '0');
	else
		str_add_dec(&s->line, time_ns % 1000000000 / 1000, 6, '0');
	str_addn(&s->line, ": ", 2);
}

static void add_comm(struct script *s, uint32_t comm, bool padded)
{
	struct comm_text *kept = &s->comms[comm % COMM_SLOTS];
	uint64_t of = ((uint64_t)comm + 1) << 1 | padded;
	struct str safe = STR_INIT;
	size_t from = s->line.len;
	char buf[16];

	if (kept->of == of) {
		str_addn(&s->line, kept->text, kept->len);
		return;
	}
	str_add_safe(&safe, process_comm_str(s->recording->processes, comm, buf));
	str_addf(&s->line, padded ? "%16s " : "%s ", safe.p);
	str_release(&safe);
	kept->len = s->line.len - from;
	kept->of = kept->len <= sizeof(kept->text) ? of : 0;
	if (kept->of)
		memcpy(kept->text, s->line.p + from, kept->len);
}

/* A pid as "%5d": those that perf made up are negative. */
static void add_pid(struct str *out, uint32_t pid)
{
	if ((int32_t)pid < 0)
		str_addf(out, "%5d", (int)pid);
	else
		str_add_dec(out, pid, 5, ' ');
}

static void add_start(struct script *s, const struct record *r, uint64_t fields)
{
	struct str *out = &s->line;

	if ((fields & FIELD_PID) && (fields & FIELD_TID)) {
		str_addf(out, "%5d/%-5d ", (int)r->id.pid, (int)r->id.tid);
	} else if (fields & (FIELD_PID | FIELD_TID)) {
		add_pid(out, fields & FIELD_PID ? r->id.pid : r->id.tid);
		str_addc(out, ' ');
	}
	if ((fields & FIELD_CPU) && r->id.cpu == UINT32_MAX) {
		str_add(out, "[-01] ");
	} else if (fields & FIELD_CPU) {
		str_addc(out, '[');
		str_add_dec(out, r->id.cpu, 3, '0');
		str_addn(out, "] ", 2);
	}
	if (fields & FIELD_MISC)
		script_add_misc(out, r);
	if (fields & FIELD_TOD)
		script_add_time_of_day(out, &s->day_clock, r->id.time_ns, s->options.ns);
	if (fields & FIELD_TIME)
		add_time(s, r->id.time_ns);
}

/* --- samples --------------------------------------------------------------------------- */

#define RARE_FIRST (FIELD_DATA_SRC | FIELD_WEIGHT | FIELD_INS_LAT | FIELD_RETIRE_LAT)
#define RARE_LAST (FIELD_IREGS | FIELD_UREGS | FIELD_BRSTACK | FIELD_BRSTACKSYM | FIELD_BRSTACKOFF | \
		   FIELD_BPF_OUTPUT | FIELD_PHYS_ADDR | FIELD_DATA_PAGE_SIZE | FIELD_CODE_PAGE_SIZE | \
		   FIELD_CGROUP | FIELD_INSN | FIELD_INSNLEN)

/* What stands before the place and behind it. */
static void add_rare_first(struct script *s, const struct sample *sample, uint64_t fields)
{
	if (fields & FIELD_DATA_SRC)
		script_add_data_src(&s->line, sample->data_src, &s->data_src_width);
	if (fields & FIELD_WEIGHT)
		str_add_dec(&s->line, sample->weight, 16, ' ');
	if (fields & FIELD_INS_LAT)
		str_add_dec(&s->line, sample->ins_lat, 16, ' ');
	if (fields & FIELD_RETIRE_LAT)
		str_add_dec(&s->line, sample->weight3, 16, ' ');
}

static void add_insn(struct script *s, const struct sample *sample, const struct image *image,
		     uint64_t fields)
{
	const struct place *place = resolve(s->resolver, image, sample->ip, sample->time_ns,
					    sample->cpumode == PERF_RECORD_MISC_KERNEL, false);
	uint8_t bytes[INSN_BYTES_MAX];
	unsigned n;

	if (!s->insns)
		s->insns = script_insns_new();
	n = script_insn(s->insns, place, bytes);
	if (fields & FIELD_INSNLEN)
		str_addf(&s->line, " ilen: %u", n);
	if ((fields & FIELD_INSN) && n)
		str_add(&s->line, " insn:");
	for (unsigned i = 0; i < n && (fields & FIELD_INSN); i++)
		str_addf(&s->line, " %02x", bytes[i]);
}

static void add_rare_last(struct script *s, const struct sample *sample, const struct image *image,
			  uint64_t fields)
{
	struct str *out = &s->line;

	if ((fields & FIELD_IREGS) && sample->intr_mask)
		script_add_regs(out, s->arch, sample->intr_abi, sample->intr_mask, sample->intr_regs);
	if ((fields & FIELD_UREGS) && sample->user_mask)
		script_add_regs(out, s->arch, sample->user_abi, sample->user_mask, sample->user_regs);
	if (fields & (FIELD_BRSTACK | FIELD_BRSTACKSYM | FIELD_BRSTACKOFF))
		script_add_branches(s, sample, image, fields);
	if (fields & FIELD_BPF_OUTPUT)
		script_add_bpf_output(out, sample);
	if (fields & (FIELD_INSN | FIELD_INSNLEN))
		add_insn(s, sample, image, fields);
	if (fields & FIELD_PHYS_ADDR)
		str_add_hex(out, sample->phys_addr, 16, ' ');
	if (fields & FIELD_DATA_PAGE_SIZE) {
		str_addc(out, ' ');
		script_add_page_size(out, sample->data_page_size);
	}
	if (fields & FIELD_CODE_PAGE_SIZE) {
		str_addc(out, ' ');
		script_add_page_size(out, sample->code_page_size);
	}
	if (fields & FIELD_CGROUP) {
		const char *path = recording_cgroup(s->recording, sample->cgroup);

		str_addc(out, ' ');
		str_add_safe(out, path ? path : "unknown");
	}
}

/* What the program put into the fields is in it: file names, texts. */
static void add_trace(struct script *s, const struct sample *sample)
{
	struct str text = STR_INIT;

	if (tracepoint_print(s->tracepoints, &text, sample))
		str_add_safe(&s->line, text.len ? text.p : "");
	else
		str_addf(&s->line, "[%u bytes that the recording does not describe]", sample->raw_size);
	str_release(&text);
}

void script_flush(struct script *s, FILE *file)
{
	fwrite(s->line.p, 1, s->line.len, file);
	str_clear(&s->line);
}

static void write_sample(struct script *s, const struct record *r, FILE *file)
{
	const struct sample *sample = &r->sample;
	const struct event_desc *event = sample->event;
	uint64_t fields = s->fields[event->index];
	struct str *out = &s->line;
	bool chain = (event->attr.sample_type & PERF_SAMPLE_CALLCHAIN) && !s->options.hide_chain;
	const struct who *who = who_of(&s->who, s->recording->processes, sample->pid, sample->tid,
				       sample->time_ns);
	bool padded = !((fields & FIELD_IP) && chain);

	if (fields & FIELD_COMM)
		add_comm(s, who->comm, padded);
	add_start(s, r, fields);
	if (fields & FIELD_PERIOD) {
		str_add_dec(out, sample->period, 10, ' ');
		str_addc(out, ' ');
	}
	if (fields & FIELD_EVENT)
		str_add(out, s->event_texts[event->index]);
	if ((fields & FIELD_TRACE) && sample->raw)
		add_trace(s, sample);
	if (fields & FIELD_ADDR)
		script_add_addr(s, sample, who->image, fields);
	if (fields & RARE_FIRST)
		add_rare_first(s, sample, fields);
	if (fields & FIELD_IP)
		script_add_ip(s, sample, who, fields, chain);
	if (fields & RARE_LAST)
		add_rare_last(s, sample, who->image, fields);
	str_addc(out, '\n');
	if (out->len >= WRITE_BYTES || s->options.outs)
		script_flush(s, file);
}

static bool is_shown(const struct script_options *o, uint32_t type)
{
	switch (type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return o->show_mmaps;
	case PERF_RECORD_COMM:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		return o->show_tasks;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return o->show_lost;
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		return o->show_switches;
	case PERF_RECORD_NAMESPACES:
		return o->show_namespaces;
	case PERF_RECORD_KSYMBOL:
	case PERF_RECORD_BPF_EVENT:
		return o->show_bpf;
	case PERF_RECORD_CGROUP:
		return o->show_cgroups;
	case PERF_RECORD_TEXT_POKE:
		return o->show_text_pokes;
	case RECORD_FINISHED_ROUND:
		return o->show_rounds;
	default:
		return false;
	}
}

/* The thread that a record is about, which is also the one whose name stands before it. */
static void subject_of(const struct record *r, uint32_t *pid, uint32_t *tid)
{
	*pid = r->id.pid;
	*tid = r->id.tid;
	switch (r->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		*pid = r->mmap.pid;
		*tid = r->mmap.tid;
		break;
	case PERF_RECORD_COMM:
		*pid = r->comm.pid;
		*tid = r->comm.tid;
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		*pid = r->task.pid;
		*tid = r->task.tid;
		break;
	case PERF_RECORD_NAMESPACES:
		*pid = r->namespaces.pid;
		*tid = r->namespaces.tid;
		break;
	default:
		break;
	}
}

static void write_sideband(struct script *s, const struct record *r, FILE *file)
{
	uint64_t fields = s->fields[r->id.event ? r->id.event->index : 0];
	bool padded = !((fields & FIELD_IP) && !s->options.hide_chain &&
			(s->recording->data->events.v[0].attr.sample_type & PERF_SAMPLE_CALLCHAIN));
	struct record start = *r;

	if (r->type == RECORD_FINISHED_ROUND) {
		str_add(&s->line, "PERF_RECORD_FINISHED_ROUND\n");
		script_flush(s, file);
		return;
	}
	if (fields & FIELD_COMM) {
		subject_of(r, &start.id.pid, &start.id.tid);
		if (start.id.pid == UINT32_MAX)
			start.id.pid = start.id.tid = 0;
		add_comm(s, process_comm(s->recording->processes, start.id.pid, start.id.tid,
					 start.id.time_ns), padded);
	}
	start.id = r->id;
	if (!s->recording->data->events.sample_id_all)
		start.id.pid = start.id.tid = start.id.cpu = 0;
	add_start(s, &start, fields);
	str_addf(&s->line, "PERF_RECORD_%s", record_type_name(r->type));
	script_add_record(&s->line, r);
	str_addc(&s->line, '\n');
	script_flush(s, file);
}

/* Is the event outside of what --switch-on and --switch-off span? */
static bool is_switched_off(struct script *s, const struct event_desc *event)
{
	const char *until = s->is_off ? s->options.switch_on : s->options.switch_off;

	if (!until || strcmp(event->name, until) != 0)
		return s->is_off;
	s->is_off = !s->is_off;
	return !s->options.show_on_off;
}

static void write_if_wanted(struct script *s, const struct record *r, FILE *file)
{
	const struct profile_query *q = s->options.filter;
	uint32_t comm;

	if (s->has_switch && is_switched_off(s, r->sample.event))
		return;
	if (q && !filter_sample(q, &r->sample))
		return;
	if (q && q->comms) {
		comm = process_comm(s->recording->processes, r->id.pid, r->id.tid, r->id.time_ns);
		if (!filter_comm(q, s->recording->processes, comm))
			return;
	}
	if (q && (q->dsos || q->syms)) {
		const struct image *image = process_image(s->recording->processes, r->sample.pid,
							  r->sample.time_ns);

		if (!filter_leaf(q, resolve(s->resolver, image, r->sample.ip, r->sample.time_ns,
					    r->sample.cpumode == PERF_RECORD_MISC_KERNEL, false)))
			return;
	}
	write_sample(s, r, s->options.outs ? s->options.outs[r->sample.event->index] : file);
	s->samples[r->sample.event->index]++;
}

uint64_t script_samples(const struct script *s, uint32_t event)
{
	return s->samples[event];
}

void script_write(struct script *s, struct record *r, FILE *file)
{
	uint32_t at = 0;

	if (r->type != PERF_RECORD_SAMPLE) {
		if (is_shown(&s->options, r->type))
			write_sideband(s, r, file);
	} else if (!reads_is_split(&r->sample)) {
		write_if_wanted(s, r, file);
	} else {
		while (reads_next(&s->reads, &s->recording->data->events, &r->sample, &at)) {
			r->id.event = r->sample.event;
			write_if_wanted(s, r, file);
		}
	}
}
