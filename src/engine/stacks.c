/* SPDX-License-Identifier: MIT */
#include "engine/stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/live_code.h"

#define RECORD_MAX 65528u
#define CHAIN_MAX (RECORD_MAX / 8)
#define MARK_BYTES 16
#define ABI_32 1                 /* PERF_SAMPLE_REGS_ABI_32 */

struct stacks {
	struct decoder decoder, plain;   /* plain: records of an event without sample_id_all */
	struct event_desc nothing;
	struct event_set none;
	struct record record;
	const struct arch *arch;
	struct live_code *code;          /* NULL: cut only */
	struct unwinder *unwinder, *unwinder_32;
	const struct live_image *image;  /* of the walk */
	bool not_ready;                  /* the walk came to a file whose table is being made */
	uint64_t salt;                   /* makes the unwinder forget what it was told then */
	struct stacks_tally tally;
	enum unwind_stop stop;           /* of the last walk */
	uint64_t words[CHAIN_MAX];
};

int stacks_new(struct stacks **out, const struct event_set *events, const struct arch *arch,
	       bool (*room)(void *arg), void *arg, struct err *err)
{
	struct stacks *s = mem_zalloc(sizeof(*s));
	int r = 0;

	s->arch = arch;
	decoder_init(&s->decoder, events, false);
	s->none = (struct event_set){ .v = &s->nothing, .nr = 1 };
	decoder_init(&s->plain, &s->none, false);
	if (room)
		r = live_code_new(&s->code, room, arg, err);
	if (room && r == 0) {
		s->unwinder = unwinder_new(arch);
		if (arch == &arch_x86_64)
			s->unwinder_32 = unwinder_new(&arch_i386);
	}
	*out = s;
	if (r < 0) {
		stacks_free(s);
		*out = NULL;
	}
	return r;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	unwinder_free(s->unwinder);
	unwinder_free(s->unwinder_32);
	live_code_free(s->code);
	decoder_release(&s->decoder);
	decoder_release(&s->plain);
	free(s);
}

void stacks_expect(struct stacks *s, const void *bytes)
{
	if (s->code && record_decode(&s->plain, bytes, &s->record, NULL) == 0)
		live_code_expect(s->code, &s->record);
}

void stacks_take(struct stacks *s, const uint8_t *bytes)
{
	if (s->code && record_decode(&s->decoder, bytes, &s->record, NULL) == 0)
		live_code_take(s->code, &s->record);
}

void stacks_settle(struct stacks *s)
{
	if (s->code)
		live_code_settle(s->code);
}

void stacks_sweep(struct stacks *s)
{
	if (s->code)
		live_code_sweep(s->code);
}

const struct stacks_tally *stacks_told(const struct stacks *s)
{
	return &s->tally;
}

/* --- unwinding --------------------------------------------------------------------------- */

static void code_at(void *arg, uint64_t addr, struct unwind_code *out)
{
	struct stacks *s = arg;

	if (!live_code_at(s->code, s->image, addr, out))
		s->not_ready = true;
}

static bool read_at(void *arg, uint64_t addr, void *out, size_t size)
{
	struct stacks *s = arg;

	return live_code_read(s->code, s->image, addr, out, size);
}

/* The user part of the chain into s->words; 0: it has to be found later. */
static uint32_t unwind(struct stacks *s, const struct sample *sample)
{
	bool narrow = sample->user_abi == ABI_32 && s->unwinder_32;
	const struct arch *arch = narrow ? &arch_i386 : s->arch;
	struct unwind_source source = { .stack = sample->stack, .stack_size = sample->stack_live,
					.code = code_at, .read = read_at, .arg = s };
	struct unwind_regs regs;
	enum unwind_stop stop;
	uint32_t nr;

	s->image = live_code_image(s->code, sample->pid, sample->time_ns);
	if (!s->image || !unwind_take_regs(arch, sample->user_mask, sample->user_regs, &regs))
		return 0;
	source.space = live_image_space(s->image) + (s->salt << 40);
	source.stack_start = regs.v[arch->dwarf_sp];
	source.is_cut = sample->stack_live + 8 > sample->stack_size;
	s->not_ready = false;
	/* The rest of the record has to fit in too. */
	stop = unwind_walk(narrow ? s->unwinder_32 : s->unwinder, &source, &regs, s->words,
			   CHAIN_MAX / 2, &nr);
	if (s->not_ready) {
		s->salt++;
		return 0;
	}
	if (stop == UNWIND_NOT_CODE)
		return 0;
	s->stop = stop;
	s->tally.unwound[stop]++;
	return nr;
}

/* --- rewriting --------------------------------------------------------------------------- */

struct pen {
	uint8_t *out;
	size_t at;
};

static void put(struct pen *pen, const void *bytes, size_t size)
{
	memcpy(pen->out + pen->at, bytes, size);
	pen->at += size;
}

static void put64(struct pen *pen, uint64_t word)
{
	put(pen, &word, 8);
}

static size_t finish(struct pen *pen)
{
	struct perf_event_header header;

	memcpy(&header, pen->out, sizeof(header));
	header.size = (uint16_t)pen->at;
	memcpy(pen->out, &header, sizeof(header));
	return pen->at;
}

/*
 * The chain longer by `nr` words of s->words, neither registers nor stack; where callers are
 * missing, why they are (symbols/unwind.h).
 */
static size_t put_unwound(struct stacks *s, const struct sample *sample, const uint8_t *bytes,
			  uint32_t nr, uint8_t *out)
{
	const uint8_t *ips = (const uint8_t *)sample->ips;
	const uint8_t *regs = (const uint8_t *)sample->user_regs - 8;
	const uint8_t *behind = (const uint8_t *)sample->stack + sample->stack_size + 8;
	const uint8_t *end = bytes + record_header(bytes, false).size;
	struct pen pen = { out, 0 };

	put(&pen, bytes, (size_t)(ips - 8 - bytes));
	put64(&pen, sample->nr_ips + nr);
	put(&pen, ips, (size_t)sample->nr_ips * 8);
	put(&pen, s->words, (size_t)nr * 8);
	ips += sample->nr_ips * 8;
	put(&pen, ips, (size_t)(regs - ips));
	put64(&pen, PERF_SAMPLE_REGS_ABI_NONE);
	put64(&pen, s->stop == UNWIND_END ? 0 : UNWIND_STOP_MARK_BYTES);
	if (s->stop != UNWIND_END) {
		put64(&pen, UNWIND_STOP_MARK | (uint64_t)s->stop);
		put64(&pen, 0);
	}
	put(&pen, behind, (size_t)(end - behind));
	return finish(&pen);
}

/* No more of the stack than there was. */
static size_t put_cut(const struct sample *sample, const uint8_t *bytes, uint8_t *out)
{
	const uint8_t *stack = sample->stack;
	const uint8_t *behind = stack + sample->stack_size + 8;
	const uint8_t *end = bytes + record_header(bytes, false).size;
	uint64_t size = (sample->stack_live + 7) & ~7ull;
	struct pen pen = { out, 0 };

	if (size > sample->stack_size)
		size = sample->stack_size;
	put(&pen, bytes, (size_t)(stack - 8 - bytes));
	put64(&pen, size);
	if (size) {
		put(&pen, stack, (size_t)size);
		put64(&pen, sample->stack_live);
	}
	put(&pen, behind, (size_t)(end - behind));
	return finish(&pen);
}

size_t stacks_rewrite(struct stacks *s, const uint8_t *bytes, bool in_haste, uint8_t *out)
{
	struct perf_event_header header = record_header(bytes, false);
	const struct sample *sample = &s->record.sample;
	uint32_t nr = 0;

	if (header.type != PERF_RECORD_SAMPLE ||
	    record_decode(&s->decoder, bytes, &s->record, NULL) < 0 || !sample->stack_size) {
		memcpy(out, bytes, header.size);
		return header.size;
	}
	if (s->code && (sample->sample_type & PERF_SAMPLE_CALLCHAIN) && sample->user_regs &&
	    sample->user_mask) {
		nr = in_haste ? 0 : unwind(s, sample);
		s->tally.kept += !nr;
	}
	/* what comes in for the stack must not make the record longer than one can be */
	if (nr && header.size - sample->stack_size + nr * 8 + MARK_BYTES <= RECORD_MAX)
		return put_unwound(s, sample, bytes, nr, out);
	return put_cut(sample, bytes, out);
}
