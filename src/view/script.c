/* SPDX-License-Identifier: MIT */
#include "view/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "formats/tracepoint.h"
#include "profile/filter.h"
#include "profile/resolve.h"
#include "profile/user_stack.h"
#include "profile/who.h"
#include "view/script_fields.h"
#include "view/script_parts.h"
#include "view/script_record.h"

#define CHAIN_MAX (65536 / 8)
#define WRITE_BYTES ((size_t)256 << 10)
#define TEXTS_BYTES_MAX ((size_t)128 << 20)

/* What a kept text is of, mixed into its key. */
enum { KEY_PLACE = 4 };

struct text {
	size_t len;
	char text[];
};

/* A command as it stands before a sample. */
struct comm_text {
	uint64_t of;             /* its id + 1 and how it is padded; 0: nothing is kept here */
	size_t len;
	char text[96];
};

#define COMM_SLOTS 64u

struct script {
	const struct recording *recording;
	struct script_options options;
	unsigned *fields;                /* per event */
	struct tracepoints *tracepoints;
	struct resolver *resolver;
	const struct arch *arch;
	struct user_stack *stacks;
	char **event_texts;              /* "    name: ", all of one width */
	uint64_t first_ns, last_ns;
	uint64_t unwind_stops[UNWIND_STOP_COUNT], stack_dumps;
	struct reads reads;
	struct day_clock day_clock;      /* for `tod` */
	size_t data_src_width;
	uint64_t *samples;               /* written, per event */
	bool has_switch, is_off;         /* --switch-on, --switch-off */
	struct str line;                 /* samples put together and not yet written */
	struct who_cache who;
	struct comm_text comms[COMM_SLOTS];      /* by their ids */
	/*
	 * Most chains, places and names come again and again: each is put into words
	 * once. The texts are dropped when they take too much memory.
	 */
	struct arena texts;
	struct map64 text_of;            /* hash of what it says -> struct text * */
	struct chain_frame chain[CHAIN_MAX];
};

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
	free(s);
}

void script_account(const struct script *s, struct profile_account *account)
{
	account->stack_dumps += s->stack_dumps;
	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		account->unwind_stops[i] += s->unwind_stops[i];
}

/* Append the text kept under `key`; false if there is none. */
static bool add_kept(struct script *s, uint64_t key)
{
	uint64_t *slot = map64_find(&s->text_of, key);
	const struct text *t = slot ? (const struct text *)(uintptr_t)*slot : NULL;

	if (t)
		str_addn(&s->line, t->text, t->len);
	return t;
}

/* Keep what stands on the line from `from` on. */
static void keep(struct script *s, uint64_t key, size_t from)
{
	size_t len = s->line.len - from;
	struct text *t;

	if (s->texts.total > TEXTS_BYTES_MAX) {
		map64_release(&s->text_of);
		arena_release(&s->texts);
	}
	t = arena_alloc(&s->texts, sizeof(*t) + len);
	t->len = len;
	memcpy(t->text, s->line.p + from, len);
	*map64_put(&s->text_of, key, NULL) = (uint64_t)(uintptr_t)t;
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

static void add_start(struct script *s, const struct record *r, unsigned fields)
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

/* The offset in the file for user code, the address itself elsewhere. */
static uint64_t shown_addr(const struct place *place)
{
	if (!place->map || place->kernel || place->module->kind == MODULE_ANON)
		return place->run_addr;
	return place->run_addr - place->map->start + place->map->pgoff;
}

/* Is the file of a kernel module among those that the recording states a build-id for? */
static bool is_stated(const struct perf_data *data, const struct module *m)
{
	for (uint32_t i = 0; i < data->nr_build_ids; i++)
		if (strcmp(data->build_ids[i].filename, m->path) == 0)
			return true;
	return false;
}

static void add_dso(struct script *s, const struct place *place, unsigned fields)
{
	const struct module *m = place->module;
	struct str *out = &s->line;
	/* perf has the path of a kernel module from the list of build-ids, and from nowhere else */
	bool by_name = m && m->kind == MODULE_KMOD && !is_stated(s->recording->data, m);

	str_addc(out, '(');
	str_add_safe(out, !m ? "[unknown]" : by_name ? m->short_name : m->path);
	if (m && (fields & FIELD_DSOFF))
		str_addf(out, "+0x%" PRIx64, shown_addr(place));
	str_addc(out, ')');
}

static void add_symbol(struct str *out, const struct place *place, bool offset)
{
	if (!place->symbol.name) {
		str_add(out, "[unknown]");
		return;
	}
	str_add_safe(out, place->symbol.name);
	if (offset)
		str_addf(out, "+0x%" PRIx64, place->elf_addr - place->symbol.start);
}

static void add_place(struct script *s, const struct place *place, unsigned fields)
{
	struct str *out = &s->line;

	if (fields & FIELD_SYM) {
		str_addc(out, ' ');
		add_symbol(out, place, fields & FIELD_SYMOFF);
	}
	if (fields & (FIELD_DSO | FIELD_DSOFF)) {
		str_addc(out, ' ');
		add_dso(s, place, fields);
	}
}

/* "\n  file.c:12"; the binary and the address where that is not known. */
static void add_source(struct script *s, const struct place *place, const struct source_frame *at)
{
	struct str *out = &s->line;
	const char *last;

	if (!place->module)
		return;
	str_add(out, "\n  ");
	if (at && at->file && at->line) {
		last = strrchr(at->file, '/');
		str_add_safe(out, s->options.full_path || !last ? at->file : last + 1);
		str_addf(out, ":%u", at->line);
	} else {
		str_add_safe(out, place->module->short_name);
		str_addf(out, "[%" PRIx64 "]", place->elf_addr);
	}
}

/* The line of the place itself, or of the outermost call if what it calls is shown, too. */
static void add_place_source(struct script *s, struct place *place, bool inlines)
{
	uint32_t nr = place_lines(s->resolver, place);

	add_source(s, place, nr ? &place->lines[inlines ? nr - 1 : 0] : NULL);
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; name && *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* What was inlined at a place, innermost first; perf states no module for it. */
static void add_inlines(struct script *s, const struct place *place, uint64_t addr, unsigned fields)
{
	struct str *out = &s->line;

	for (uint32_t i = 0; i + 1 < place->nr_lines; i++) {
		if (!place->lines[i].name)
			continue;
		str_addc(out, '\t');
		str_add_hex(out, addr, 16, ' ');
		if (fields & FIELD_SYM) {
			str_addc(out, ' ');
			str_add_safe(out, place->lines[i].name);
			if (fields & FIELD_SYMOFF)
				str_addf(out, "+0x%" PRIx64, place->elf_addr - place->symbol.start);
		}
		if (fields & FIELD_SRCLINE)
			add_source(s, place, &place->lines[i]);
		str_add(out, " (inlined)\n");
	}
}

static void add_chain(struct script *s, const struct sample *sample, const struct who *who,
		      const struct user_chain *chain, unsigned fields)
{
	uint32_t max = s->options.max_stack && s->options.max_stack < CHAIN_MAX ?
			       s->options.max_stack : CHAIN_MAX;
	uint64_t key = hash_mix(hash_bytes(chain->ips, (size_t)chain->nr * 8),
				hash_mix((uint64_t)who->space << 32 | sample->cpumode,
					 (uint64_t)who->epoch << 32 | fields) +
					 chain->unwound_from);
	size_t from = s->line.len;
	uint32_t nr, head;

	if (add_kept(s, key))
		return;
	head = chain_frames(chain->ips, chain->unwound_from, sample->cpumode, s->chain, max);
	nr = chain_frames(chain->ips, chain->nr, sample->cpumode, s->chain, max);
	str_addc(&s->line, '\n');
	for (uint32_t i = 0; i < nr; i++) {
		const struct chain_frame *f = &s->chain[i];
		struct place *found = resolve(s->resolver, who->image, f->ip, sample->time_ns, f->kernel,
					      f->is_return);
		bool inlines = s->options.inlines && found->symbol.name &&
			       place_lines(s->resolver, found) > 1;
		struct place place = *found;

		/* Callers that were unwound are shown, as perf does, by an address in the call. */
		if (i >= head && f->is_return) {
			place.run_addr--;
			place.elf_addr--;
		}
		if (inlines)
			add_inlines(s, &place, shown_addr(&place), fields);
		str_addc(&s->line, '\t');
		str_add_hex(&s->line, shown_addr(&place), 16, ' ');
		add_place(s, &place, fields);
		if (fields & FIELD_SRCLINE)
			add_place_source(s, found, inlines);
		str_addc(&s->line, '\n');
		if (s->options.stop_at && place.symbol.name &&
		    is_listed(s->options.stop_at, place.symbol.name))
			break;
	}
	keep(s, key, from);
}

/* Faults name what they point at. */
static bool addr_has_symbol(const struct perf_event_attr *attr)
{
	return attr->type == PERF_TYPE_SOFTWARE &&
	       (attr->config == PERF_COUNT_SW_PAGE_FAULTS ||
		attr->config == PERF_COUNT_SW_PAGE_FAULTS_MIN ||
		attr->config == PERF_COUNT_SW_PAGE_FAULTS_MAJ);
}

static void add_addr(struct script *s, const struct sample *sample, const struct image *image,
		     unsigned fields)
{
	bool kernel = sample->cpumode == PERF_RECORD_MISC_KERNEL && sample->addr >> 63;

	str_addf(&s->line, "%16" PRIx64, sample->addr);
	if (addr_has_symbol(&sample->event->attr))
		add_place(s,   resolve(s->resolver, image, sample->addr, sample->time_ns, kernel, false),
			  fields);
}

static void add_branches(struct script *s, const struct sample *sample, const struct image *image,
			 unsigned fields)
{
	struct str *out = &s->line;

	for (uint64_t i = 0; i < sample->nr_branches; i++) {
		const u64_una *b = sample->branches + i * 3;

		for (int end = 0; end < 2; end++) {
			const struct place *place = resolve(s->resolver, image, b[end],
							    sample->time_ns, b[end] >> 63, false);

			if (end)
				str_addc(out, '/');
			else if (!(fields & FIELD_BRSTACKSYM))
				str_addc(out, ' ');
			if (fields & FIELD_BRSTACKSYM)
				add_symbol(out, place, true);
			else
				str_addf(out, "0x%" PRIx64, fields & FIELD_BRSTACKOFF ?
					 shown_addr(place) : (uint64_t)b[end]);
			if (fields & FIELD_DSO)
				add_dso(s, place, 0);
		}
		script_add_branch_flags(out, b[2]);
	}
}

/* --- samples --------------------------------------------------------------------------- */

static void add_ip(struct script *s, const struct sample *sample, const struct who *who,
		   unsigned fields, bool chain)
{
	const struct image *image = who->image;
	bool kernel = sample->cpumode == PERF_RECORD_MISC_KERNEL;
	uint64_t key = hash_mix(hash_mix(sample->ip, KEY_PLACE + kernel),
				hash_mix((uint64_t)who->space << 32 | fields, who->epoch));
	size_t from = s->line.len;
	struct place *place;

	if (chain) {
		struct user_chain words;

		user_stack_chain(s->stacks, sample, image, &words);
		if (words.unwound)
			s->unwind_stops[words.stop]++;
		else if (sample->stack_size && user_stack_wanted(sample->event))
			s->stack_dumps++;
		if (words.nr) {
			add_chain(s, sample, who, &words, fields);
			return;
		}
	}
	if (add_kept(s, key))
		return;
	place = resolve(s->resolver, image, sample->ip, sample->time_ns, kernel, false);
	str_addc(&s->line, ' ');
	str_add_hex(&s->line, sample->ip, 16, ' ');
	add_place(s, place, fields);
	if (fields & FIELD_SRCLINE)
		add_place_source(s, place, false);
	keep(s, key, from);
}

#define RARE_FIRST (FIELD_DATA_SRC | FIELD_WEIGHT | FIELD_INS_LAT | FIELD_RETIRE_LAT)
#define RARE_LAST (FIELD_IREGS | FIELD_UREGS | FIELD_BRSTACK | FIELD_BRSTACKSYM | FIELD_BRSTACKOFF | \
		   FIELD_BPF_OUTPUT | FIELD_PHYS_ADDR | FIELD_DATA_PAGE_SIZE | FIELD_CODE_PAGE_SIZE | \
		   FIELD_CGROUP)

/* What stands before the place and behind it. */
static void add_rare_first(struct script *s, const struct sample *sample, unsigned fields)
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

static void add_rare_last(struct script *s, const struct sample *sample, const struct image *image,
			  unsigned fields)
{
	struct str *out = &s->line;

	if ((fields & FIELD_IREGS) && sample->intr_mask)
		script_add_regs(out, s->arch, sample->intr_abi, sample->intr_mask, sample->intr_regs);
	if ((fields & FIELD_UREGS) && sample->user_mask)
		script_add_regs(out, s->arch, sample->user_abi, sample->user_mask, sample->user_regs);
	if (fields & (FIELD_BRSTACK | FIELD_BRSTACKSYM | FIELD_BRSTACKOFF))
		add_branches(s, sample, image, fields);
	if (fields & FIELD_BPF_OUTPUT)
		script_add_bpf_output(out, sample);
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

void script_flush(struct script *s, FILE *file)
{
	fwrite(s->line.p, 1, s->line.len, file);
	str_clear(&s->line);
}

static void write_sample(struct script *s, const struct record *r, FILE *file)
{
	const struct sample *sample = &r->sample;
	const struct event_desc *event = sample->event;
	unsigned fields = s->fields[event->index];
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
	if ((fields & FIELD_TRACE) && sample->raw && !tracepoint_print(s->tracepoints, out, sample))
		str_addf(out, "[%u bytes that the recording does not describe]", sample->raw_size);
	if (fields & FIELD_ADDR)
		add_addr(s, sample, who->image, fields);
	if (fields & RARE_FIRST)
		add_rare_first(s, sample, fields);
	if (fields & FIELD_IP)
		add_ip(s, sample, who, fields, chain);
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
	unsigned fields = s->fields[r->id.event ? r->id.event->index : 0];
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
