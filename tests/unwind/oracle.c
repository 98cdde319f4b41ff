/* SPDX-License-Identifier: MIT */
/*
 * The stacks of a recording (--call-graph dwarf) unwound a second time, by libunwind, from
 * the same registers and copied bytes; and, where it is given, what perf made of them.
 *
 *	oracle [-v] FILE [TEXT]     TEXT: perf script --no-inline --ns -F tid,time,ip,sym,dso -i FILE
 *
 * A stack is whole if its last frame is one that nothing called: code whose table says so,
 * an entry point, code that makes threads, or what calls main. The same is asked of all three. Prints how
 * many are whole by each, how many have the same frames, and the causes of differences.
 * Exit status 1: another has more whole stacks, or whole ones of two others agree and ours
 * is not theirs; 77: there is no libunwind here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && __has_include(<libunwind-x86_64.h>) && defined(HAVE_LIBUNWIND)

#include <libunwind-x86_64.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "base/mem.h"
#include "profile/recording.h"
#include "profile/user_stack.h"

#define FRAMES_MAX 8192
#define CAUSES_MAX 64
#define TIME_BYTES 32
/* A module's own; libunwind exports it for readers of other processes and has no header for it. */
extern int _Ux86_64_dwarf_search_unwind_table(unw_addr_space_t as, unw_word_t ip,
					      unw_dyn_info_t *di, unw_proc_info_t *pi,
					      int need_unwind_info, void *arg);

/* .eh_frame_hdr of a module. */
struct header {
	uint64_t elf_addr, nr_entries;
	bool asked, good;
};

enum { SONDE, LIBUNWIND, PERF, NR_WAYS };
static const char *const way_names[] = { "sonde", "libunwind", "perf" };

/* perf tells offsets in files. */
struct frame {
	const struct module *module;     /* NULL: no code, and `addr` is the process's */
	uint64_t addr;                   /* elf_addr */
};

struct frames {
	struct frame v[FRAMES_MAX];
	uint32_t nr;
	bool whole, has;
};

struct cause {
	char text[160];
	uint64_t nr;
};

static struct {
	const struct recording *rec;
	const struct sample *sample;
	const struct image *image;
	const struct arch *arch;
	struct unwind_regs regs;
	struct header *headers;          /* by the modules' index */
	unw_addr_space_t space;
	struct frames ways[NR_WAYS];
	uint64_t samples, whole[NR_WAYS], same[NR_WAYS], both[NR_WAYS], against_two;
	struct cause causes[CAUSES_MAX];
	unsigned nr_causes;
	enum unwind_stop stop;           /* of ours */
	FILE *text;
	char *line;
	size_t line_bytes;
	bool verbose;
} t;

static void count_cause(const char *text)
{
	unsigned i;

	for (i = 0; i < t.nr_causes && strcmp(t.causes[i].text, text) != 0; i++)
		;
	if (i == t.nr_causes) {
		if (i == CAUSES_MAX)
			return;
		snprintf(t.causes[i].text, sizeof(t.causes[i].text), "%s", text);
		t.nr_causes++;
	}
	t.causes[i].nr++;
}

/* --- the process as it was --------------------------------------------------------------- */

static const struct mapping *code_at(uint64_t addr, uint64_t *elf_addr)
{
	const struct mapping *map = image_find(t.image, addr, t.sample->time_ns);

	if (!map || (map->prot && !(map->prot & PROT_EXEC)))
		return NULL;
	*elf_addr = module_elf_addr(map->module, addr - map->start + map->pgoff);
	return map;
}

static bool read_word(uint64_t addr, uint64_t *out)
{
	uint64_t at = addr - t.regs.v[t.arch->dwarf_sp], elf_addr;
	const struct mapping *map;

	if (at <= t.sample->stack_live && t.sample->stack_live - at >= 8) {
		memcpy(out, (const uint8_t *)t.sample->stack + at, 8);
		return true;
	}
	map = image_find(t.image, addr, t.sample->time_ns);
	if (!map)
		return false;
	elf_addr = module_elf_addr(map->module, addr - map->start + map->pgoff);
	return module_read(map->module, elf_addr, out, 8);
}

/* --- libunwind's questions --------------------------------------------------------------- */

static bool find_header(struct module *module, struct header *h)
{
	struct elf_file *file;
	GElf_Phdr phdr;
	uint8_t start[12];
	uint32_t nr;
	size_t n = 0;

	if (h->asked)
		return h->good;
	h->asked = true;
	if (elf_file_open(&file, module->path) < 0)
		return false;
	elf_getphdrnum(file->elf, &n);
	for (size_t i = 0; i < n; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &phdr) || phdr.p_type != PT_GNU_EH_FRAME ||
		    !module_read(module, phdr.p_vaddr, start, sizeof(start)))
			continue;
		/* the form that all linkers write: a pointer, a count, a sorted table */
		if (start[0] != 1 || start[2] != 0x03 || start[3] != 0x3b)
			continue;
		memcpy(&nr, start + 8, sizeof(nr));
		h->elf_addr = phdr.p_vaddr;
		h->nr_entries = nr;
		h->good = true;
	}
	elf_file_free(file);
	return h->good;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
	unw_dyn_info_t di = { .format = UNW_INFO_FORMAT_REMOTE_TABLE };
	const struct mapping *map;
	struct header *h;
	uint64_t elf_addr, bias;

	map = code_at(ip, &elf_addr);
	if (!map)
		return -UNW_ENOINFO;
	h = &t.headers[map->module->index];
	if (!find_header(map->module, h))
		return -UNW_ENOINFO;
	bias = ip - elf_addr;
	di.start_ip = map->start;
	di.end_ip = map->end;
	di.u.rti.segbase = h->elf_addr + bias;
	di.u.rti.table_data = di.u.rti.segbase + 12;
	di.u.rti.table_len = h->nr_entries * 8 / sizeof(unw_word_t);
	return _Ux86_64_dwarf_search_unwind_table(as, ip, &di, pi, need, arg);
}

static void put_proc_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as, (void)pi, (void)arg;
}

static int no_list(unw_addr_space_t as, unw_word_t *out, void *arg)
{
	(void)as, (void)out, (void)arg;
	return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
	(void)as, (void)arg;
	return !write && read_word(addr, value) ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
	(void)as, (void)arg;
	/* its numbers are DWARF's */
	if (write || reg < 0 || reg > UNW_X86_64_RIP || !(t.regs.known >> reg & 1))
		return -UNW_EBADREG;
	*value = t.regs.v[reg];
	return 0;
}

static int no_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
	(void)as, (void)reg, (void)value, (void)write, (void)arg;
	return -UNW_EINVAL;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
	(void)as, (void)cursor, (void)arg;
	return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t as, unw_word_t addr, char *name, size_t size, unw_word_t *off,
		   void *arg)
{
	(void)as, (void)addr, (void)name, (void)size, (void)off, (void)arg;
	return -UNW_EINVAL;
}

static unw_accessors_t accessors = {
	.find_proc_info = find_proc_info, .put_unwind_info = put_proc_info,
	.get_dyn_info_list_addr = no_list, .access_mem = access_mem, .access_reg = access_reg,
	.access_fpreg = no_fpreg, .resume = no_resume, .get_proc_name = no_name,
};

/* --- the three ways ---------------------------------------------------------------------- */

static void add_frame(struct frames *f, uint64_t ip)
{
	const struct mapping *map = code_at(ip, &ip);

	if (f->nr < FRAMES_MAX)
		f->v[f->nr++] = (struct frame){ map ? map->module : NULL, ip };
}

/* Whether nothing called the code of a frame. `called`: it is a return address. */
static bool is_root(const struct frame *frame, bool called)
{
	static const char *const roots[] = { "_start", "_dl_start_user", "clone", "__clone",
					     "clone3", "__clone3" };
	struct module *module = (struct module *)(uintptr_t)frame->module;
	const struct unwind_table *table = module ? module_unwind_table(module) : NULL;
	const struct unwind_rule *rule;
	struct symbol symbol;

	if (!table)
		return false;
	rule = unwind_table_find(table, frame->addr - called);
	for (unsigned i = 0; rule && i < rule->nr_saves; i++) {
		const struct unwind_save *save = &unwind_table_saves(table, rule)[i];

		if (save->reg == rule->ra_column && save->kind == UNWIND_UNDEFINED)
			return true;
	}
	if (unwind_table_is_entry(table, frame->addr - called))
		return true;
	module_symbol(module, frame->addr - called, &symbol);
	for (unsigned i = 0; symbol.name && i < sizeof(roots) / sizeof(*roots); i++)
		if (strcmp(symbol.name, roots[i]) == 0)
			return true;
	/* main's caller, with or without a version behind its name */
	return symbol.name && strncmp(symbol.name, "__libc_start_", 13) == 0;
}

static void judge_whole(struct frames *f)
{
	f->has = true;
	f->whole = f->nr && is_root(&f->v[f->nr - 1], f->nr > 1);
}

static void by_sonde(struct user_stack *stacks)
{
	struct frames *f = &t.ways[SONDE];
	struct user_chain chain;

	f->nr = 0;
	user_stack_chain(stacks, t.sample, t.image, &chain);
	for (uint32_t i = chain.unwound_from; i < chain.nr; i++)
		if (chain.ips[i] < (uint64_t)PERF_CONTEXT_MAX)
			add_frame(f, chain.ips[i]);
	t.stop = chain.stop;
	judge_whole(f);
}

static void by_libunwind(void)
{
	struct frames *f = &t.ways[LIBUNWIND];
	unw_cursor_t cursor;
	unw_word_t ip;

	f->nr = 0;
	if (unw_init_remote(&cursor, t.space, NULL) == 0)
		do {
			if (unw_get_reg(&cursor, UNW_REG_IP, &ip) < 0 || !ip)
				break;
			add_frame(f, ip);
		} while (f->nr < FRAMES_MAX && unw_step(&cursor) > 0);
	judge_whole(f);
}

/* A line of perf's: an offset in a file, a name, (the file). The kernel's are left out. */
static void take_line(struct frames *f, char *line)
{
	char *dso = strrchr(line, '('), *end = strrchr(line, ')');
	struct module *module = NULL;
	uint64_t off;

	if (sscanf(line, " %" SCNx64, &off) != 1 || off >= 1ull << 63 || f->nr == FRAMES_MAX)
		return;
	if (dso && end && end > dso) {
		*end = '\0';
		for (uint32_t i = 0; i < module_set_count(t.rec->modules) && !module; i++)
			if (strcmp(module_set_at(t.rec->modules, i)->path, dso + 1) == 0)
				module = module_set_at(t.rec->modules, i);
	}
	f->v[f->nr++] = (struct frame){ module, module ? module_elf_addr(module, off) : off };
}

/* The next sample of perf's text. Its order is that of time, as is ours. */
static bool next_text(uint32_t *tid, char time[TIME_BYTES])
{
	bool head = false;

	t.ways[PERF].nr = 0;
	while (getline(&t.line, &t.line_bytes, t.text) > 0) {
		if (t.line[0] == '\n' && head)
			return true;
		if (head)
			take_line(&t.ways[PERF], t.line);
		else
			head = sscanf(t.line, " %" SCNu32 " %31[0-9.]", tid, time) == 2;
	}
	return head;
}

static void by_perf(void)
{
	char time[TIME_BYTES], want[TIME_BYTES];
	uint32_t tid;

	t.ways[PERF].has = false;
	if (!t.text)
		return;
	snprintf(want, sizeof(want), "%" PRIu64 ".%09" PRIu64, t.sample->time_ns / 1000000000,
		 t.sample->time_ns % 1000000000);
	while (next_text(&tid, time)) {
		if (tid != t.sample->tid || strcmp(time, want) != 0)
			continue;
		judge_whole(&t.ways[PERF]);
		return;
	}
	fclose(t.text);
	t.text = NULL;
}

/* --- judging ----------------------------------------------------------------------------- */

/* perf tells callers by the byte before the one that is returned to. */
static bool is_same(const struct frame *a, const struct frame *b)
{
	return a->module == b->module && (a->addr == b->addr || a->addr - 1 == b->addr ||
					  b->addr - 1 == a->addr);
}

/* How many first frames are the same. */
static uint32_t same_frames(const struct frames *a, const struct frames *b)
{
	uint32_t i;

	for (i = 0; i < a->nr && i < b->nr; i++)
		if (!is_same(&a->v[i], &b->v[i]))
			break;
	return i;
}

/* Some end a whole stack in main's caller, and leave _start out. */
static bool equal(const struct frames *a, const struct frames *b)
{
	uint32_t n = same_frames(a, b);

	return (n == a->nr && n == b->nr) ||
	       (a->whole && b->whole && (n == a->nr || n == b->nr));
}

static const char *file_of(const struct frame *frame)
{
	return frame->module ? frame->module->short_name : "no code";
}

static void tell(const struct frames *a, const struct frames *b)
{
	for (uint32_t i = 0; i < a->nr || i < b->nr; i++) {
		if (i < a->nr)
			printf("    %3u %24s %16" PRIx64, i, file_of(&a->v[i]), a->v[i].addr);
		else
			printf("    %3u %24s %16s", i, "-", "");
		if (i < b->nr)
			printf(" | %24s %16" PRIx64, file_of(&b->v[i]), b->v[i].addr);
		printf("\n");
	}
}

static void differ(unsigned way)
{
	const struct frames *a = &t.ways[SONDE], *b = &t.ways[way];
	uint32_t n = same_frames(a, b);
	const struct frame *last = &a->v[n ? n - 1 : 0];
	char text[160];

	if (a->whole && b->whole)
		snprintf(text, sizeof(text), "whole by sonde and %s, other callers of %s",
			 way_names[way], file_of(last));
	else if (a->whole)
		snprintf(text, sizeof(text), "whole by sonde, not by %s, which %s %s", way_names[way],
			 n == b->nr ? "ends in" : "has other callers of", file_of(last));
	else if (b->whole)
		snprintf(text, sizeof(text), "whole by %s, not by sonde, which stops in %s: %s",
			 way_names[way], file_of(&a->v[a->nr - 1]), unwind_stop_text(t.stop));
	else
		snprintf(text, sizeof(text), "whole by neither sonde nor %s: %s", way_names[way],
			 unwind_stop_text(t.stop));
	count_cause(text);
	if (t.verbose) {
		printf("%s, at %" PRIu64 ":\n", text, t.sample->time_ns);
		tell(a, b);
	}
}

static void judge(void)
{
	const struct frames *w = t.ways;

	t.samples++;
	for (unsigned i = 0; i < NR_WAYS; i++) {
		bool same;

		if (!w[i].has)
			continue;
		same = equal(&w[SONDE], &w[i]);
		t.whole[i] += w[i].whole;
		t.both[i] += w[SONDE].whole && w[i].whole;
		t.same[i] += w[SONDE].whole && w[i].whole && same;
		if (!same || w[i].whole != w[SONDE].whole)
			differ(i);
		else if (!w[i].whole && i == LIBUNWIND)
			differ(i);
	}
	if (w[PERF].has && w[PERF].whole && w[LIBUNWIND].whole && equal(&w[PERF], &w[LIBUNWIND]))
		t.against_two += !equal(&w[SONDE], &w[PERF]);
}

static void take(struct user_stack *stacks, const struct sample *s)
{
	if (s->user_abi != 2 || !s->user_mask || !s->stack_size ||
	    !unwind_take_regs(t.arch, s->user_mask, s->user_regs, &t.regs))
		return;
	t.sample = s;
	t.image = process_image(t.rec->processes, s->pid, s->time_ns);
	by_sonde(stacks);
	by_libunwind();
	by_perf();
	judge();
}

struct item {
	uint64_t time_ns, seq;
	uint8_t *bytes;
};

static int by_time(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a->seq < b->seq ? -1 : 1;
}

static void each_sample(struct user_stack *stacks)
{
	struct blocks *blocks = blocks_new(t.rec->data);
	VEC(struct item) items = { 0 };
	struct decoder decoder;
	struct record record;
	struct block block;

	decoder_init(&decoder, &t.rec->data->events, false);
	while (blocks_next(blocks, &block, NULL) > 0) {
		const uint8_t *bytes;
		size_t at = 0;

		while ((bytes = block_record(&block, false, &at))) {
			struct perf_event_header header = record_header(bytes, false);
			uint8_t *copy;

			if (header.type != PERF_RECORD_SAMPLE ||
			    record_decode(&decoder, bytes, &record, NULL) < 0)
				continue;
			copy = mem_alloc(header.size);
			memcpy(copy, bytes, header.size);
			*vec_push(&items) = (struct item){ record.sample.time_ns, items.nr, copy };
		}
		block_release(&block);
	}
	qsort(items.v, items.nr, sizeof(*items.v), by_time);
	for (size_t i = 0; i < items.nr; i++) {
		if (record_decode(&decoder, items.v[i].bytes, &record, NULL) == 0)
			take(stacks, &record.sample);
		free(items.v[i].bytes);
	}
	vec_release(&items);
	decoder_release(&decoder);
	blocks_free(blocks);
}

static int by_number(const void *pa, const void *pb)
{
	const struct cause *a = pa, *b = pb;

	return a->nr < b->nr ? 1 : a->nr > b->nr ? -1 : strcmp(a->text, b->text);
}

static int report(bool has_text)
{
	bool good = t.samples && !t.against_two;

	for (unsigned i = 0; i < NR_WAYS; i++) {
		if (i == PERF && !has_text)
			continue;
		printf("%-10s %6" PRIu64 " of %" PRIu64 " whole, %6.2f %%", way_names[i], t.whole[i],
		       t.samples, t.samples ? 100.0 * (double)t.whole[i] / (double)t.samples : 0);
		if (i)
			printf("; of %" PRIu64 " that both have whole, %" PRIu64 " have the same frames",
			       t.both[i], t.same[i]);
		printf("\n");
		good &= t.whole[SONDE] >= t.whole[i];
	}
	if (has_text)
		printf("%" PRIu64 " where the others agree and sonde does not\n", t.against_two);
	qsort(t.causes, t.nr_causes, sizeof(*t.causes), by_number);
	for (unsigned i = 0; i < t.nr_causes; i++)
		printf("%6" PRIu64 "  %s\n", t.causes[i].nr, t.causes[i].text);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct user_stack *stacks;
	struct perf_data *data;
	struct recording rec;
	int ret;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		t.verbose = true;
		argv++;
		argc--;
	}
	if (argc < 2 || perf_data_open(&data, argv[1], &err) < 0 ||
	    recording_load(&rec, data, NULL, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	t.text = argc > 2 ? fopen(argv[2], "r") : NULL;
	t.rec = &rec;
	t.arch = &arch_x86_64;
	t.headers = mem_zalloc(module_set_count(rec.modules) * sizeof(*t.headers) + 1);
	t.space = unw_create_addr_space(&accessors, 0);
	/* what it keeps by address would be another process's */
	unw_set_caching_policy(t.space, UNW_CACHE_NONE);
	stacks = user_stack_new(rec.processes, t.arch, false);
	each_sample(stacks);
	ret = report(argc > 2);
	unw_destroy_addr_space(t.space);
	user_stack_free(stacks);
	recording_release(&rec);
	perf_data_close(data);
	free(t.headers);
	free(t.line);
	return ret;
}

#else

int main(void)
{
	printf("no libunwind for x86_64 here\n");
	return 77;
}

#endif
