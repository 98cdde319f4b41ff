/* SPDX-License-Identifier: MIT */
/* dump_user: the records of perf's own tools (types from 64 on) in words. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "view/dump_user.h"

/* `bytes` bytes at `off`, in host order; 0 behind the record's end. */
static uint64_t word(const struct record *r, size_t off, size_t bytes, bool swap)
{
	uint64_t v = 0;

	if (bytes > r->size || off > r->size - bytes)
		return 0;
	for (size_t i = 0; i < bytes; i++) {
		size_t at = swap ? off + bytes - 1 - i : off + i;

		v |= (uint64_t)r->bytes[at] << (8 * i);
	}
	return v;
}

/* struct perf_record_id_index: u64 nr; then u64 id, idx, cpu, tid of each. */
static void add_id_index(struct str *out, const struct record *r, bool swap)
{
	uint64_t nr = word(r, 8, 8, swap), room = r->size > 16 ? (r->size - 16u) / 32 : 0;

	str_addf(out, " nr: %" PRIu64 "\n", nr);
	for (uint64_t i = 0; i < nr && i < room; i++) {
		size_t at = 16 + 32 * (size_t)i;

		str_addf(out, " ... id: %" PRIu64 "  idx: %" PRIu64 "  cpu: %" PRId64 "  tid: %" PRId64 "\n",
			 word(r, at, 8, swap), word(r, at + 8, 8, swap),
			 (int64_t)word(r, at + 16, 8, swap), (int64_t)word(r, at + 24, 8, swap));
	}
}

/* struct perf_record_event_update: u64 type, id; then by type. */
static void add_update(struct str *out, const struct record *r, bool swap)
{
	static const char *const heads[] = { "unit:  ", "scale: ", "name:  " };
	uint64_t type = word(r, 8, 8, swap), bits = word(r, 24, 8, swap);
	double scale;

	str_addf(out, "\n... id:    %" PRIu64 "\n", word(r, 16, 8, swap));
	if (type >= sizeof(heads) / sizeof(heads[0]) || r->size <= 24)
		return;
	str_addf(out, "... %s", heads[type]);
	if (type == 1) {
		memcpy(&scale, &bits, sizeof(scale));
		str_addf(out, "%f", scale);
	} else {
		struct str text = STR_INIT;

		str_addn(&text, r->bytes + 24, strnlen((const char *)r->bytes + 24, r->size - 24u));
		str_add_safe(out, text.p);
		str_release(&text);
	}
	str_addc(out, '\n');
}

/* struct perf_record_thread_map: u64 nr; then u64 pid, char comm[16] of each. */
static void add_threads(struct str *out, const struct record *r, bool swap)
{
	uint64_t nr = word(r, 8, 8, swap), room = r->size > 16 ? (r->size - 16u) / 24 : 0;

	str_addf(out, " nr: %" PRIu64 " thread%s: ", nr, nr > 1 ? "s" : "");
	for (uint64_t i = 0; i < nr && i < room; i++)
		str_addf(out, "%s%d", i ? ", " : "", (int)word(r, 16 + 24 * (size_t)i, 8, swap));
	str_addc(out, '\n');
}

/* CPUs as they come, in ascending order: "0-3,8". `*from` is -1 before the first. */
static void add_cpu(struct str *out, int64_t cpu, int64_t *from, int64_t *last)
{
	if (*from >= 0 && cpu == *last + 1) {
		*last = cpu;
		return;
	}
	if (*from >= 0 && *last > *from)
		str_addf(out, "-%" PRId64, *last);
	if (cpu >= 0)
		str_addf(out, "%s%" PRId64, *from >= 0 ? "," : "", cpu);
	*from = *last = cpu;
}

/* struct perf_record_cpu_map: u16 type; a list, a mask of 32- or 64-bit words, or a range. */
static void add_cpus(struct str *out, const struct record *r, bool swap)
{
	enum { CPUS, MASK, RANGE };
	unsigned type = (unsigned)word(r, 8, 2, swap), nr = (unsigned)word(r, 10, 2, swap);
	int64_t from = -1, last = -1;

	str_add(out, ": ");
	if (type == CPUS) {
		for (unsigned i = 0; i < nr && 12u + 2 * i + 2 <= r->size; i++)
			add_cpu(out, (int16_t)word(r, 12 + 2 * i, 2, swap), &from, &last);
	} else if (type == MASK) {
		/* u16 nr, u16 bytes of a word, padding up to the words */
		unsigned bytes = word(r, 12, 2, swap) == 8 ? 8 : 4, at = bytes == 8 ? 16 : 14;

		for (unsigned i = 0; i < nr && at + bytes * (i + 1) <= r->size; i++)
			for (unsigned bit = 0; bit < 8 * bytes; bit++)
				if (word(r, at + bytes * i, bytes, swap) >> bit & 1)
					add_cpu(out, (int64_t)i * 8 * bytes + bit, &from, &last);
	} else if (type == RANGE) {
		from = (int64_t)word(r, 12, 2, swap);
		last = (int64_t)word(r, 14, 2, swap);
		str_addf(out, "%" PRId64, from);
	}
	add_cpu(out, -1, &from, &last);
	str_addc(out, '\n');
}

void dump_add_user(struct str *out, const struct record *r, bool swap)
{
	switch (r->type) {
	case RECORD_ID_INDEX:
		add_id_index(out, r, swap);
		break;
	case RECORD_EVENT_UPDATE:
		add_update(out, r, swap);
		break;
	case RECORD_THREAD_MAP:
		add_threads(out, r, swap);
		break;
	case RECORD_CPU_MAP:
		add_cpus(out, r, swap);
		break;
	case RECORD_FINISHED_INIT:
		str_add(out, ": unhandled!\n");
		break;
	default:
		str_addc(out, '\n');
		break;
	}
}
