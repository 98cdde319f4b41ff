/* SPDX-License-Identifier: MIT */
#include "symbols/jit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "formats/perf_map.h"

#define CODES_MAX (1u << 22)
#define TABLES_MAX ((uint64_t)256 << 20) /* lines and unwinding tables kept, in all */
#define CODE_BYTES_MAX ((uint64_t)256 << 20)     /* code kept, in all */
#define TEXTS_MAX 8

struct jit {
	struct arena arena;
	struct intern names;
	char *texts[TEXTS_MAX];
	int nr_texts;
	VEC(struct jit_code) codes;      /* finished: by start, then in order of appearance */
	uint64_t *max_end;               /* of the subtree: see build_ends */
	VEC(uint64_t) changes;
	struct map64 by_index;           /* code_index -> codes + 1, of the dump being read */
	uint64_t table_bytes, code_bytes;
	bool keep_code, keep_names;
};

struct jit *jit_new(void)
{
	struct jit *jit = mem_zalloc(sizeof(*jit));

	arena_init(&jit->arena);
	intern_init(&jit->names);
	return jit;
}

static struct jit_code *add_code(struct jit *jit, uint64_t start, uint64_t size, uint64_t from_ns,
				 const char *name)
{
	struct jit_code *code;

	if (!size || start + size < start || jit->codes.nr >= CODES_MAX)
		return NULL;
	code = vec_push(&jit->codes);
	*code = (struct jit_code){ .start = start, .end = start + size, .from_ns = from_ns,
				   .to_ns = UINT64_MAX, .name = name };
	return code;
}

void jit_keep_code(struct jit *jit)
{
	jit->keep_code = true;
}

void jit_keep_names(struct jit *jit)
{
	jit->keep_names = true;
}

static void texts_free(struct jit *jit)
{
	while (jit->nr_texts)
		free(jit->texts[--jit->nr_texts]);
}

void jit_clear(struct jit *jit)
{
	texts_free(jit);
	vec_release(&jit->codes);
	vec_release(&jit->changes);
	map64_release(&jit->by_index);
	free(jit->max_end);
	jit->max_end = NULL;
	arena_release(&jit->arena);
	jit->table_bytes = jit->code_bytes = 0;
}

void jit_free(struct jit *jit)
{
	if (!jit)
		return;
	jit_clear(jit);
	intern_release(&jit->names);
	free(jit);
}

static const char *map_name(struct jit *jit, const char *name)
{
	return jit->keep_names ? intern_str(&jit->names, intern_id(&jit->names, name)) : name;
}

void jit_add_map(struct jit *jit, char *text, size_t size)
{
	struct perf_map_line line;
	struct perf_map map;

	if (jit->nr_texts == TEXTS_MAX) {
		free(text);
		return;
	}
	jit->texts[jit->nr_texts++] = text;
	perf_map_init(&map, text, size);
	while (perf_map_next(&map, &line))
		add_code(jit, line.start, line.size, line.from_ns, map_name(jit, line.name));
	if (jit->keep_names)
		texts_free(jit);
}

/* --- jitdump ------------------------------------------------------------------- */

/* What was told of the code that is to come. */
struct ahead {
	const uint8_t *lines, *unwinding;
	size_t nr_line_bytes, nr_unwinding_bytes;
	uint64_t nr_lines, lines_addr, eh_frame_hdr_size, mapped_size;
};

static const uint8_t *keep(struct jit *jit, const struct jitdump_record *r)
{
	if (!r->nr_bytes || jit->table_bytes + r->nr_bytes > TABLES_MAX)
		return NULL;
	jit->table_bytes += r->nr_bytes;
	return arena_dup(&jit->arena, r->bytes, r->nr_bytes);
}

static const uint8_t *read_code(struct jit *jit, const struct jitdump *dump, const struct jitdump_record *r)
{
	const uint8_t *kept = NULL;
	uint8_t *bytes;

	if (!jit->keep_code || !r->size || r->size > CODE_BYTES_MAX - jit->code_bytes)
		return NULL;
	bytes = mem_alloc((size_t)r->size);
	if (dump->read(dump->arg, bytes, (size_t)r->size, r->code_off) == (ssize_t)r->size) {
		jit->code_bytes += r->size;
		kept = arena_dup(&jit->arena, bytes, (size_t)r->size);
	}
	free(bytes);
	return kept;
}

static void load(struct jit *jit, const struct jitdump_record *r, const struct ahead *ahead,
		 uint64_t time_ns, const struct jitdump *dump)
{
	const char *name = *r->name ? intern_str(&jit->names, intern_id(&jit->names, r->name)) :
				      "[unnamed code]";
	struct jit_code *code = add_code(jit, r->addr, r->size, time_ns, name);

	if (!code)
		return;
	if (ahead->lines && ahead->lines_addr == r->addr) {
		code->lines = ahead->lines;
		code->nr_line_bytes = ahead->nr_line_bytes;
		code->nr_lines = ahead->nr_lines;
	}
	code->unwinding = ahead->unwinding;
	code->nr_unwinding_bytes = ahead->unwinding ? ahead->nr_unwinding_bytes : 0;
	code->eh_frame_hdr_size = ahead->eh_frame_hdr_size;
	code->mapped_size = ahead->mapped_size;
	code->swap = dump->swap;
	code->machine = (uint16_t)dump->machine;
	code->bytes = read_code(jit, dump, r);
	*map64_put(&jit->by_index, r->index, NULL) = jit->codes.nr;
}

/* Tables of addresses do not move along: they would be wrong. */
static void move(struct jit *jit, const struct jitdump_record *r, uint64_t time_ns)
{
	const uint64_t *known = map64_find(&jit->by_index, r->index);
	struct jit_code *old = known ? &jit->codes.v[*known - 1] : NULL;
	struct jit_code *code, was;

	if (!old || old->start != r->old_addr || r->old_addr == r->addr)
		return;
	old->to_ns = time_ns;
	was = *old;                      /* adding moves the codes */
	code = add_code(jit, r->addr, r->size, time_ns, was.name);
	if (!code)
		return;
	if (r->size == was.end - was.start) {
		code->bytes = was.bytes;
		code->machine = was.machine;
		code->swap = was.swap;
	}
	*map64_put(&jit->by_index, r->index, NULL) = jit->codes.nr;
}

static void take_record(struct jit *jit, const struct jitdump_record *r, struct ahead *ahead,
			uint64_t time_ns, const struct jitdump *dump)
{
	switch (r->type) {
	case JITDUMP_LOAD:
		load(jit, r, ahead, time_ns, dump);
		*ahead = (struct ahead){ 0 };
		break;
	case JITDUMP_MOVE:
		move(jit, r, time_ns);
		break;
	case JITDUMP_DEBUG_INFO:
		ahead->lines = keep(jit, r);
		ahead->nr_line_bytes = r->nr_bytes;
		ahead->nr_lines = r->nr_lines;
		ahead->lines_addr = r->addr;
		break;
	case JITDUMP_UNWINDING:
		ahead->unwinding = keep(jit, r);
		ahead->nr_unwinding_bytes = r->nr_bytes;
		ahead->eh_frame_hdr_size = r->eh_frame_hdr_size;
		ahead->mapped_size = r->mapped_size;
		break;
	}
}

/*
 * The header is written next to the mapping of the file, and the first record soon
 * after; but V8 takes the header's time from the wall clock (src/diagnostics/
 * perf-jit.cc, LogWriteHeader), which is far from that of its records.
 */
static uint64_t first_time(const struct jitdump *dump, const struct jitdump_record *r)
{
	const uint64_t near = 60000000000u;

	return dump->time_ns <= r->time_ns && r->time_ns - dump->time_ns < near ? dump->time_ns :
										  r->time_ns;
}

int jit_add_dump(struct jit *jit, jitdump_read *read, void *arg, uint64_t mapped_ns,
		 struct err *err)
{
	struct ahead ahead = { 0 };
	struct jitdump_record r;
	struct jitdump dump;
	uint64_t shift = 0;
	bool first = true;
	int ret = jitdump_open(&dump, read, arg, err);

	if (ret < 0)
		return ret;
	map64_release(&jit->by_index);
	while ((ret = jitdump_next(&dump, &r, err)) > 0 && r.type != JITDUMP_CLOSE) {
		if (first && mapped_ns)
			shift = mapped_ns - first_time(&dump, &r);
		first = false;
		take_record(jit, &r, &ahead, r.time_ns + shift, &dump);
	}
	jitdump_release(&dump);
	return ret < 0 ? ret : 0;
}

/* --- looking up ------------------------------------------------------------------ */

static int by_start(const void *pa, const void *pb)
{
	const struct jit_code *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->from_ns != b->from_ns)
		return a->from_ns < b->from_ns ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/*
 * The sorted array as a balanced tree: the middle of [low, high) is the root of its
 * halves, and max_end is the greatest end in all of [low, high).
 */
static uint64_t build_ends(struct jit *jit, size_t low, size_t high)
{
	size_t mid = low + (high - low) / 2;
	uint64_t end, other;

	if (low >= high)
		return 0;
	end = jit->codes.v[mid].end;
	other = build_ends(jit, low, mid);
	end = other > end ? other : end;
	other = build_ends(jit, mid + 1, high);
	end = other > end ? other : end;
	jit->max_end[mid] = end;
	return end;
}

struct search {
	uint64_t addr, time_ns;
	const struct jit_code *then, *later;
	const struct jit_code *over;     /* look for one that it lies over, of another name */
	bool found;
};

static bool is_newer(const struct jit_code *a, const struct jit_code *b)
{
	return a->from_ns != b->from_ns ? a->from_ns > b->from_ns : a->order > b->order;
}

static void consider(struct search *s, const struct jit_code *code)
{
	if (s->over) {
		s->found |= code->from_ns < s->over->from_ns && code->name != s->over->name &&
			    strcmp(code->name, s->over->name) != 0;
		return;
	}
	if (code->from_ns <= s->time_ns) {
		bool is_there = code->to_ns == UINT64_MAX || code->to_ns > s->time_ns;

		if (is_there && (!s->then || is_newer(code, s->then)))
			s->then = code;
	} else if (!s->later || code->from_ns < s->later->from_ns) {
		s->later = code;
	}
}

/* All that reach over [addr, end). */
static void search(const struct jit *jit, struct search *s, uint64_t end, size_t low, size_t high)
{
	while (low < high && !s->found) {
		size_t mid = low + (high - low) / 2;
		const struct jit_code *code = &jit->codes.v[mid];

		if (jit->max_end[mid] <= s->addr)
			return;
		search(jit, s, end, low, mid);
		if (s->found || code->start >= end)
			return;
		if (code->end > s->addr)
			consider(s, code);
		low = mid + 1;
	}
}

const struct jit_code *jit_find(const struct jit *jit, uint64_t addr, uint64_t time_ns)
{
	struct search s = { .addr = addr, .time_ns = time_ns };

	if (addr == UINT64_MAX)
		return NULL;
	search(jit, &s, addr + 1, 0, jit->codes.nr);
	return s.then ? s.then : s.later;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void find_changes(struct jit *jit)
{
	size_t nr = 0;

	for (size_t i = 0; i < jit->codes.nr; i++) {
		const struct jit_code *code = &jit->codes.v[i];
		struct search s = { .addr = code->start, .over = code };

		if (code->to_ns != UINT64_MAX)
			*vec_push(&jit->changes) = code->to_ns;
		if (!code->from_ns)
			continue;
		search(jit, &s, code->end, 0, jit->codes.nr);
		if (s.found)
			*vec_push(&jit->changes) = code->from_ns;
	}
	if (!jit->changes.nr)
		return;
	qsort(jit->changes.v, jit->changes.nr, sizeof(uint64_t), by_value);
	for (size_t i = 0; i < jit->changes.nr; i++)
		if (!nr || jit->changes.v[i] != jit->changes.v[nr - 1])
			jit->changes.v[nr++] = jit->changes.v[i];
	jit->changes.nr = nr;
}

/* What was added later stands later, also of equal ones: qsort alone does not promise that. */
static void sort_codes(struct jit *jit)
{
	for (size_t i = 0; i < jit->codes.nr; i++)
		jit->codes.v[i].order = (uint32_t)i;
	qsort(jit->codes.v, jit->codes.nr, sizeof(*jit->codes.v), by_start);
}

void jit_finish(struct jit *jit)
{
	if (!jit->codes.nr)
		return;
	sort_codes(jit);
	map64_release(&jit->by_index);
	jit->max_end = mem_realloc_array(NULL, jit->codes.nr, sizeof(*jit->max_end));
	build_ends(jit, 0, jit->codes.nr);
	find_changes(jit);
}

size_t jit_count(const struct jit *jit)
{
	return jit->codes.nr;
}

const uint64_t *jit_changes(const struct jit *jit, size_t *nr)
{
	*nr = jit->changes.nr;
	return jit->changes.v;
}

/* A table that was written over would give wrong lines, and wrong is worse than none. */
static bool is_plain(const char *file)
{
	for (; *file; file++)
		if ((unsigned char)*file < ' ')
			return false;
	return true;
}

/*
 * Whether a table of lines is sound, and how far its addresses are off.
 *
 * V8 adds to addresses of lines the 64 bytes of the ELF header that perf inject will
 * put before the code (perf-jit.cc, LogWriteDebugInfo, kElfHeaderSize): the first line
 * of a function, which is its beginning, then stands at 64 and not at 0.  And where it
 * writes the file's name after it gave its memory back (seen with node 20) the names, and
 * with them all that follows, are whatever was there.
 */
static bool lines_are_sound(const struct jit_code *code, uint64_t *shift)
{
	uint64_t least = UINT64_MAX, greatest = 0, nr = 0;
	struct jitdump_line line;
	size_t at = 0;

	while (jitdump_line(code->lines, code->nr_line_bytes, code->swap, &at, &line)) {
		least = line.addr < least ? line.addr : least;
		greatest = line.addr > greatest ? line.addr : greatest;
		nr++;
		if (!line.file || !is_plain(line.file))
			return false;
	}
	*shift = least >= code->start + 64 ? 64 : 0;
	return nr && nr == code->nr_lines && least >= code->start &&
	       greatest - *shift <= code->end;
}

bool jit_line(const struct jit_code *code, uint64_t addr, const char **file, uint32_t *line)
{
	struct jitdump_line l, best = { 0 };
	uint64_t shift;
	size_t at = 0;

	if (!code->lines || !lines_are_sound(code, &shift))
		return false;
	while (jitdump_line(code->lines, code->nr_line_bytes, code->swap, &at, &l))
		if (l.addr - shift <= addr && (!best.file || l.addr >= best.addr))
			best = l;
	if (!best.file || !best.line)
		return false;
	*file = best.file;
	*line = best.line;
	return true;
}
