/* SPDX-License-Identifier: MIT */
/* What a row shows under a column, and which of two rows comes first by it: see sort.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profile/memory_text.h"
#include "profile/sort.h"

uint64_t hist_value(const struct hist *hist, enum column column)
{
	switch (column) {
	case COLUMN_CHILDREN: return hist->children;
	case COLUMN_OVERHEAD: return hist->period;
	case COLUMN_SYS: return hist->period_kernel;
	case COLUMN_USER: return hist->period_user;
	case COLUMN_GUEST_SYS: return hist->period_guest_kernel;
	case COLUMN_GUEST_USER: return hist->period_guest_user;
	case COLUMN_SAMPLES: return hist->samples;
	case COLUMN_PERIOD: return hist->period;
	default: return 0;
	}
}

const char *hist_comm(const struct hists *h, const struct hist *hist)
{
	return profile_comm(h->profile, h->tree.groups[hist->group].comm);
}

/* Behind a number stands the last name that the thread had. */
const char *hist_last_comm(const struct hists *h, const struct hist *hist, bool of_process)
{
	const struct group *group = &h->tree.groups[hist->group];
	uint32_t tid = of_process ? group->pid : group->tid;

	if (!h->profile->processes)
		return hist_comm(h, hist);
	return profile_comm(h->profile,
			    process_comm(h->profile->processes, group->pid, tid, UINT64_MAX));
}

static const struct profile_frame *frame_of_column(const struct hists *h, const struct hist *hist,
						   enum column column)
{
	uint64_t frame;

	if (column != COLUMN_SYM_FROM && column != COLUMN_ADDR_FROM && column != COLUMN_LINE_FROM &&
	    column != COLUMN_DSO_FROM && column != COLUMN_SYM_DATA &&
	    column != COLUMN_DSO_DATA)
		return &h->profile->frames[hist->frame];
	frame = hist_number(h, hist, column);
	return frame < h->profile->nr_frames ? &h->profile->frames[frame] : NULL;
}

static const char *module_name(const struct profile_frame *f, bool full)
{
	return !f || !f->module ? "[unknown]" : full ? f->module->path : f->module->short_name;
}

const char *hist_line(const struct hists *h, const struct hist *hist, enum column column)
{
	const struct profile_frame *f = frame_of_column(h, hist, column);
	uint32_t frame;

	if (!f)
		return "N/A";
	frame = (uint32_t)(f - h->profile->frames);
	return column == COLUMN_FILE ? profile_file(h->profile, frame) : profile_line(h->profile, frame);
}

const char *hist_dso(const struct hists *h, const struct hist *hist, bool full)
{
	return module_name(&h->profile->frames[hist->frame], full);
}

const char *hist_name_of(const struct hists *h, const struct hist *hist, enum column column)
{
	const struct profile_frame *f = frame_of_column(h, hist, column);

	return column_is_dso(column) ? module_name(f, false) : f ? f->name : NULL;
}

static int compare_u32(uint32_t a, uint32_t b)
{
	/* as signed numbers: -1, "not known", comes first */
	return ((int32_t)a > (int32_t)b) - ((int32_t)a < (int32_t)b);
}

static int compare_syms(const struct profile_frame *a, const struct profile_frame *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	if (!a->name || !b->name) {
		if (a->name || b->name)
			return a->name ? -1 : 1;
		return (a->elf_addr > b->elf_addr) - (a->elf_addr < b->elf_addr);
	}
	return strcmp(a->name, b->name);
}

static int find_extra(const struct hists *h, enum column column)
{
	enum extra_kind kind;

	if (!column_extra(column, &kind))
		return -1;
	if (kind == EXTRA_TRACE && h->spec.raw_trace)
		kind = EXTRA_RAW_TRACE;
	for (uint32_t i = 0; i < h->profile->nr_extras; i++)
		if (h->profile->extra_list[i].kind == kind &&
		    (kind != EXTRA_FIELD || strcmp(h->profile->extra_list[i].name,
						   sort_column_name(&h->spec, column)) == 0))
			return (int)i;
	return -1;
}

const char *hist_text(const struct hists *h, const struct hist *hist, enum column column)
{
	int i = find_extra(h, column);

	return i < 0 ? NULL : profile_extra_text(h->profile, h->tree.groups[hist->group].extra, (uint32_t)i);
}

uint64_t hist_number(const struct hists *h, const struct hist *hist, enum column column)
{
	int i = find_extra(h, column);
	uint64_t n = i < 0 ? EXTRA_UNKNOWN : profile_extra(h->profile, h->tree.groups[hist->group].extra,
							   (uint32_t)i);

	/* perf's weight is that of all samples of a row, local_weight of one; so with the others */
	if ((column == COLUMN_WEIGHT || column == COLUMN_INS_LAT || column == COLUMN_P_STAGE) &&
	    n != EXTRA_UNKNOWN)
		n *= hist->samples;
	return n;
}

unsigned hist_field_width(const struct hists *h, enum column column)
{
	int i = find_extra(h, column);

	return i < 0 ? 0 : profile_field_width(h->profile, (uint32_t)i, h->options.event);
}

/* Numbers as numbers, all else by letters; what there is not comes last. */
static int compare_fields(const char *a, const char *b)
{
	char *end_a, *end_b;
	long long x, y;

	if (!a || !b)
		return (a == NULL) - (b == NULL);
	x = strtoll(a, &end_a, 0);
	y = strtoll(b, &end_b, 0);
	if (end_a != a && !*end_a && end_b != b && !*end_b)
		return (x > y) - (x < y);
	return strcmp(a, b);
}

static int compare_addrs(const struct profile_frame *a, const struct profile_frame *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return (a->elf_addr > b->elf_addr) - (a->elf_addr < b->elf_addr);
}

int hist_compare(const struct hists *h, const struct hist *a, const struct hist *b,
		 enum column column)
{
	const struct group *ga = &h->tree.groups[a->group], *gb = &h->tree.groups[b->group];
	uint64_t x, y;

	switch (column) {
	case COLUMN_COMM:
		return strcmp(hist_comm(h, a), hist_comm(h, b));
	case COLUMN_PID:
	case COLUMN_TID:
		return compare_u32(ga->tid, gb->tid);
	case COLUMN_TGID:
		return compare_u32(ga->pid, gb->pid);
	case COLUMN_CPU:
		return compare_u32(ga->cpu, gb->cpu);
	case COLUMN_SYMOFF:
	case COLUMN_ADDR:
	case COLUMN_ADDR_FROM:
	case COLUMN_ADDR_TO:
		return compare_addrs(frame_of_column(h, a, column), frame_of_column(h, b, column));
	case COLUMN_SYM_SIZE:
		x = h->profile->frames[a->frame].sym_bytes;
		y = h->profile->frames[b->frame].sym_bytes;
		return (x > y) - (x < y);
	case COLUMN_DSO_SIZE:
		x = h->profile->frames[a->frame].map_bytes;
		y = h->profile->frames[b->frame].map_bytes;
		return (x > y) - (x < y);
	default:
		if (column_is_line(column))
			return strcmp(hist_line(h, a, column), hist_line(h, b, column));
		if (column_is_dso(column))
			return strcmp(module_name(frame_of_column(h, a, column), false),
				      module_name(frame_of_column(h, b, column), false));
		if (column_is_symbol(column))
			return compare_syms(frame_of_column(h, a, column), frame_of_column(h, b, column));
		if (column_is_number(column)) {
			x = hist_number(h, a, column);
			y = hist_number(h, b, column);
			return (x > y) - (x < y);
		}
		if (column_is_key(column))
			return compare_fields(hist_text(h, a, column), hist_text(h, b, column));
		x = hist_value(a, column);
		y = hist_value(b, column);
		if (x != y || column != COLUMN_CHILDREN || !h->options.depth_order)
			return (x < y) - (x > y);
		if (h->options.order == TREE_CALLERS_FIRST)
			return (a->depth < b->depth) - (a->depth > b->depth);
		return (a->depth > b->depth) - (a->depth < b->depth);
	}
}

/* "0x00007f12..." of 16 digits; zero without 0x, as printf("%#.16llx") has it. */
static void add_symbol(struct str *s, const struct hists *h, const struct profile_frame *f, bool full)
{
	if (!f) {
		str_add(s, "N/A");
		return;
	}
	if (full)
		str_addf(s, "%#018" PRIx64 " ", f->run_addr);
	str_addf(s, "[%c] ", f->kernel ? 'k' : '.');
	if (f->name)
		str_add(s, f->name);
	else if (h->options.by_addr)
		str_addf(s, "%#.16" PRIx64, f->module ? f->elf_addr : f->run_addr);
	else
		str_add(s, "[unknown]");
	if (f->is_inline)
		str_add(s, " (inlined)");
}

/* A number that is a word or a letter. false: it is just a number. */
static bool add_number_word(struct str *s, uint64_t n, enum column column)
{
	enum extra_kind kind = EXTRA_TIME;

	column_extra(column, &kind);
	switch (column) {
	case COLUMN_MEM:
	case COLUMN_SNOOP:
	case COLUMN_TLB:
	case COLUMN_LOCKED:
	case COLUMN_BLOCKED: memory_add_text(s, kind, n); break;
	case COLUMN_TRANSACTION: transaction_add_text(s, n); break;
	case COLUMN_CODE_PAGE:
	case COLUMN_DATA_PAGE: page_size_add_text(s, n); break;
	case COLUMN_MISPREDICT:
		str_add(s, n == BRANCH_PREDICTED ? "N" : n == BRANCH_MISSED ? "Y" : "N/A");
		break;
	case COLUMN_IN_TX: str_add(s, n ? "T" : "."); break;
	case COLUMN_ABORT: str_add(s, n ? "A" : "."); break;
	default: return false;
	}
	return true;
}

bool column_is_word(enum column column)
{
	struct str s = STR_INIT;
	bool is = column_is_number(column) && add_number_word(&s, 0, column);

	str_release(&s);
	return is;
}

static void add_number(struct str *s, uint64_t n, enum column column, bool nanoseconds)
{
	if (n == EXTRA_UNKNOWN)
		str_add(s, column == COLUMN_SOCKET ? "     ?" : "   ?");
	else if (add_number_word(s, n, column))
		return;
	else if (column == COLUMN_TIME && nanoseconds)
		str_addf(s, "%" PRIu64 ".%09" PRIu64, n / 1000000000, n % 1000000000);
	else if (column == COLUMN_TIME)
		str_addf(s, "%" PRIu64 ".%06" PRIu64, n / 1000000000, n % 1000000000 / 1000);
	else if (column == COLUMN_SOCKET)
		str_addf(s, "%6.3" PRIu64, n);
	else if (column == COLUMN_CYCLES && !n)
		str_add(s, "-");
	else if (column == COLUMN_DATA_LINE || column == COLUMN_PHYS_DATA)
		str_addf(s, "0x%" PRIx64, n);
	else
		str_addf(s, column == COLUMN_NODE ? "%4" PRIu64 : "%" PRIu64, n);
}

static void add_text(struct str *s, const char *text, enum column column)
{
	str_add(s, text ? text : column == COLUMN_PARENT ? "[other]" : "N/A");
}

static void add_symoff(struct str *s, const struct profile_frame *f)
{
	if (!f)
		str_add(s, "N/A");
	else if (f->name)
		str_addf(s, "[%c] %s+0x%" PRIx64, f->kernel ? 'k' : '.', f->name,
			 f->elf_addr - f->sym_start);
	else
		str_addf(s, "[%c] %#.16" PRIx64, f->kernel ? 'k' : '.', f->module ? f->elf_addr : f->run_addr);
}

static void add_size(struct str *s, uint64_t bytes)
{
	if (bytes)
		str_addf(s, "%" PRIu64, bytes);
	else
		str_add(s, "unknown");
}

void hist_add_key(struct str *s, const struct hists *h, const struct hist *hist,
		  enum column column, bool full)
{
	const struct group *group = &h->tree.groups[hist->group];

	switch (column) {
	case COLUMN_COMM:
		str_add(s, hist_comm(h, hist));
		break;
	case COLUMN_PID:
	case COLUMN_TID:
		str_addf(s, "%7d:%s", (int)group->tid, hist_last_comm(h, hist, false));
		break;
	case COLUMN_TGID:
		str_addf(s, "%7d:%s", (int)group->pid, hist_last_comm(h, hist, true));
		break;
	case COLUMN_CPU:
		str_addf(s, group->cpu == UINT32_MAX ? "  ?" : "%03u", group->cpu);
		break;
	case COLUMN_SYMOFF:
	case COLUMN_ADDR_FROM:
	case COLUMN_ADDR_TO:
		add_symoff(s, frame_of_column(h, hist, column));
		break;
	case COLUMN_ADDR:
		str_addf(s, "0x%" PRIx64, h->profile->frames[hist->frame].run_addr);
		break;
	case COLUMN_SYM_SIZE:
		add_size(s, h->profile->frames[hist->frame].sym_bytes);
		break;
	case COLUMN_DSO_SIZE:
		add_size(s, h->profile->frames[hist->frame].map_bytes);
		break;
	default:
		if (column_is_line(column))
			str_add(s, hist_line(h, hist, column));
		else if (column_is_dso(column))
			str_add(s, module_name(frame_of_column(h, hist, column), full));
		else if (column_is_symbol(column))
			add_symbol(s, h, frame_of_column(h, hist, column), full);
		else if (column_is_number(column))
			add_number(s, hist_number(h, hist, column), column, h->spec.nanoseconds);
		else if (column_is_key(column))
			add_text(s, hist_text(h, hist, column), column);
		break;
	}
}
