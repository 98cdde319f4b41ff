/* SPDX-License-Identifier: MIT */
#include "view/dump.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "base/mem.h"
#include "base/str.h"
#include "profile/resolve.h"
#include "view/dump_user.h"
#include "view/script_parts.h"
#include "view/script_record.h"

#define READ_LOST (1u << 4)              /* PERF_FORMAT_LOST, Linux 6.0 */
#define BRANCH_CALL_STACK (1u << 11)     /* PERF_SAMPLE_BRANCH_CALL_STACK */

struct dump {
	const struct recording *recording;
	const struct arch *arch;
	struct resolver *resolver;
	struct str text;                 /* the record being put into words */
};

struct dump *dump_new(const struct recording *recording)
{
	struct dump *d = mem_zalloc(sizeof(*d));

	d->recording = recording;
	d->arch = arch_find(recording->data->arch ? recording->data->arch : "");
	d->resolver = resolver_new(recording->processes);
	d->text = (struct str)STR_INIT;
	return d;
}

void dump_free(struct dump *d)
{
	if (!d)
		return;
	resolver_free(d->resolver);
	str_release(&d->text);
	free(d);
}

static void add_bytes(struct str *out, const struct record *r)
{
	for (unsigned at = 0; at < r->size; at += 16) {
		str_addf(out, ".  %04x: ", at);
		for (unsigned i = at; i < at + 16; i++)
			if (i < r->size)
				str_addf(out, " %02x", r->bytes[i]);
			else
				str_add(out, "   ");
		str_add(out, "  ");
		for (unsigned i = at; i < at + 16; i++)
			str_addc(out, i >= r->size ? ' ' : isprint(r->bytes[i]) ? (char)r->bytes[i] : '.');
		str_addc(out, '\n');
	}
}

static void add_chain(struct str *out, const struct sample *s)
{
	str_addf(out, "... FP chain: nr:%" PRIu64 "\n", s->nr_ips);
	for (uint64_t i = 0; i < s->nr_ips; i++)
		str_addf(out, "..... %2" PRIu64 ": %016" PRIx64 "\n", i, (uint64_t)s->ips[i]);
}

static void add_branches(struct str *out, const struct sample *s)
{
	bool calls = s->event->attr.branch_sample_type & BRANCH_CALL_STACK;

	str_addf(out, "... branch %s: nr:%" PRIu64 "\n", calls ? "callstack" : "stack", s->nr_branches);
	for (uint64_t i = 0; i < s->nr_branches; i++) {
		const u64_una *b = s->branches + i * 3;

		str_addf(out, "..... %2" PRIu64 ": %016" PRIx64, i, (uint64_t)b[0]);
		if (!calls)
			str_addf(out, " -> %016" PRIx64 " %u cycles %c%c%c%c %x %s", (uint64_t)b[1],
				 (unsigned)(b[2] >> 4 & 0xffff), b[2] & 1 ? 'M' : ' ',
				 b[2] & 2 ? 'P' : ' ', b[2] & 8 ? 'A' : ' ', b[2] & 4 ? 'T' : ' ',
				 (unsigned)(b[2] >> 33), script_branch_type(b[2]));
		str_addc(out, '\n');
	}
}

static void add_regs(struct dump *d, const char *whose, uint64_t abi, uint64_t mask,
		     const u64_una *regs)
{
	static const char *const abis[] = { "none", "32-bit", "64-bit" };

	str_addf(&d->text, "... %s regs: mask 0x%" PRIx64 " ABI %s\n", whose, mask,
		 abi < 3 ? abis[abi] : "unknown");
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name;

		if (!(mask >> bit & 1))
			continue;
		name = arch_reg_name(d->arch, bit);
		str_addf(&d->text, ".... %-5s 0x%016" PRIx64 "\n", name ? name : "unknown",
			 (uint64_t)*regs++);
	}
}

static void add_values(struct str *out, const struct sample *s)
{
	str_add(out, "... sample_read:\n");
	if (s->read_format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		str_addf(out, "...... time enabled %016" PRIx64 "\n", s->time_enabled);
	if (s->read_format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		str_addf(out, "...... time running %016" PRIx64 "\n", s->time_running);
	if (s->read_format & PERF_FORMAT_GROUP)
		str_addf(out, ".... group nr %u\n", s->nr_values);
	for (uint32_t i = 0; i < s->nr_values; i++) {
		const struct read_value *v = &s->values[i];

		str_addf(out, "..... id %016" PRIx64 ", value %016" PRIx64, v->id, v->value);
		if (s->read_format & READ_LOST)
			str_addf(out, ", lost %" PRIu64, v->lost);
		str_addc(out, '\n');
	}
}

static void add_memory(struct str *out, const struct sample *s)
{
	if (s->sample_type & PERF_SAMPLE_WEIGHT_STRUCT)
		str_addf(out, "... weight: %" PRIu64 ",0x%x,0x%x\n", s->weight, s->ins_lat, s->weight3);
	else if (s->sample_type & PERF_SAMPLE_WEIGHT)
		str_addf(out, "... weight: %" PRIu64 "\n", s->weight);
	if (s->sample_type & PERF_SAMPLE_DATA_SRC)
		str_addf(out, " . data_src: 0x%" PRIx64 "\n", s->data_src);
	if (s->sample_type & PERF_SAMPLE_PHYS_ADDR)
		str_addf(out, " .. phys_addr: 0x%" PRIx64 "\n", s->phys_addr);
	if (s->sample_type & PERF_SAMPLE_DATA_PAGE_SIZE) {
		str_add(out, " .. data page size: ");
		script_add_page_size(out, s->data_page_size);
		str_addc(out, '\n');
	}
	if (s->sample_type & PERF_SAMPLE_CODE_PAGE_SIZE) {
		str_add(out, " .. code page size: ");
		script_add_page_size(out, s->code_page_size);
		str_addc(out, '\n');
	}
	if (s->sample_type & PERF_SAMPLE_TRANSACTION)
		str_addf(out, "... transaction: %" PRIx64 "\n", s->transaction);
}

/* Whose the sample is, and where it was taken. */
static void add_place(struct dump *d, const struct sample *s)
{
	const struct process_table *processes = d->recording->processes;
	uint32_t comm = process_comm(processes, s->pid, s->tid, s->time_ns);
	const struct image *image = process_image(processes, s->pid, s->time_ns);
	const struct place *place = resolve(d->resolver, image, s->ip, s->time_ns,
					    s->cpumode == PERF_RECORD_MISC_KERNEL, false);
	const struct module *m = place->module;
	char buf[16];

	str_add(&d->text, " ... thread: ");
	str_add_safe(&d->text, process_comm_str(processes, comm, buf));
	str_addf(&d->text, ":%d\n ...... dso: ", (int)s->tid);
	str_add_safe(&d->text, !m ? "<not found>" : m->kind == MODULE_KMOD ? m->short_name : m->path);
	str_addc(&d->text, '\n');
}

static void add_sample(struct dump *d, const struct record *r)
{
	const struct sample *s = &r->sample;
	struct str *out = &d->text;

	str_addf(out, "(IP, 0x%x): %d/%d: %#" PRIx64 " period: %" PRIu64 " addr: %#" PRIx64 "\n", r->misc,
		 (int)s->pid, (int)s->tid, s->ip, s->period, s->addr);
	if (s->sample_type & PERF_SAMPLE_CALLCHAIN)
		add_chain(out, s);
	if (s->sample_type & PERF_SAMPLE_BRANCH_STACK)
		add_branches(out, s);
	if (s->user_mask)
		add_regs(d, "user", s->user_abi, s->user_mask, s->user_regs);
	if (s->intr_mask)
		add_regs(d, "intr", s->intr_abi, s->intr_mask, s->intr_regs);
	if (s->sample_type & PERF_SAMPLE_STACK_USER)
		/* where its size stands */
		str_addf(out, "... ustack: size %" PRIu64 ", offset 0x%zx\n", s->stack_size,
			 s->stack ? (size_t)((const uint8_t *)s->stack - r->bytes) - 8 : 0);
	add_memory(out, s);
	if (s->sample_type & PERF_SAMPLE_READ)
		add_values(out, s);
	add_place(d, s);
}

static void add_sideband(struct str *out, const struct record *r)
{
	switch (r->type) {
	case PERF_RECORD_LOST:
		str_addf(out, ": id:%" PRIu64 ": lost:%" PRIu64 "\n", r->lost.id, r->lost.lost);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		str_addf(out, ": id:%" PRIu64 ": lost samples :%" PRIu64 "\n", r->id.id,
			 r->lost_samples.lost);
		break;
	case PERF_RECORD_THROTTLE:
	case PERF_RECORD_UNTHROTTLE:
		break;                   /* the next record follows at once */
	default:
		script_add_record(out, r);
		str_addc(out, '\n');
		break;
	}
}

void dump_write(struct dump *d, const struct record *r, uint64_t file_off, FILE *file)
{
	const char *name = record_type_name(r->type);
	struct str *out = &d->text;

	str_clear(out);
	str_addf(out, "\n0x%" PRIx64 "@", file_off);
	str_add_safe(out, d->recording->data->path);
	str_addf(out, " [0x%x]: event: %u\n.\n. ... raw event: size %u bytes\n", r->size, r->type,
		 r->size);
	add_bytes(out, r);
	str_addc(out, '\n');
	if (r->id.cpu != UINT32_MAX)
		str_addf(out, "%u ", r->id.cpu);
	str_addf(out, "%" PRIu64 " 0x%" PRIx64 " [0x%x]: PERF_RECORD_%s", r->id.time_ns, file_off,
		 r->size, name ? name : "UNKNOWN");
	if (r->type == PERF_RECORD_SAMPLE) {
		add_sample(d, r);
	} else if (r->type >= RECORD_HEADER_ATTR) {
		dump_add_user(out, r, d->recording->data->swap);
	} else {
		add_sideband(out, r);
	}
	fwrite(out->p, 1, out->len, file);
}
