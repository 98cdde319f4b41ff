/* SPDX-License-Identifier: MIT */
#include "formats/pack.h"

#include <endian.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"

enum { RECORD_MODULE = 1, RECORD_SEGMENTS, RECORD_STRINGS, RECORD_SYMBOLS };

#define RECORD_HEADER_BYTES 16
#define MODULE_BYTES 32                  /* u32 kind, u32 flags, u8 size, u8 id[20], zeros; path */
#define MODULE_IS_64BIT 1
#define SEGMENT_BYTES 32
#define SYMBOL_BYTES 24

/* --- reading ---------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* Where the records begin; 0: this is no section that can be read. */
static uint64_t header_bytes(const uint8_t *bytes, uint64_t size)
{
	uint64_t own;

	if (size < PACK_HEADER_BYTES || memcmp(bytes, PACK_MAGIC, 8) != 0)
		return 0;
	own = get32(bytes + 12);
	return own >= PACK_HEADER_BYTES && own <= size && own % 8 == 0 ? own : 0;
}

bool pack_header(const uint8_t *bytes, uint64_t size, uint64_t *event_types_off,
		 uint64_t *event_types_size)
{
	if (!header_bytes(bytes, size))
		return false;
	*event_types_off = get64(bytes + 16);
	*event_types_size = get64(bytes + 24);
	return true;
}

static bool read_module(struct pack *pack, const uint8_t *body, uint64_t size,
			struct pack_module *out)
{
	uint32_t flags;

	*out = (struct pack_module){ 0 };
	if (size <= MODULE_BYTES || size > MODULE_BYTES + 65536)
		return false;
	out->kind = get32(body);
	flags = get32(body + 4);
	out->is_64bit = flags & MODULE_IS_64BIT;
	out->build_id_size = body[8];
	if (out->build_id_size > sizeof(out->build_id))
		return false;
	memcpy(out->build_id, body + 9, out->build_id_size);
	out->path = arena_strndup(&pack->arena, (const char *)body + MODULE_BYTES,
				  (size_t)size - MODULE_BYTES);
	return *out->path != '\0';
}

static bool read_segments(struct pack *pack, const uint8_t *body, uint64_t size,
			  struct pack_module *m)
{
	uint64_t nr = size / SEGMENT_BYTES;
	struct pack_segment *v;

	if (size % SEGMENT_BYTES || nr > 65536)
		return false;
	v = arena_alloc(&pack->arena, (size_t)nr * sizeof(*v) + 1);
	for (uint64_t i = 0; i < nr; i++, body += SEGMENT_BYTES)
		v[i] = (struct pack_segment){ get64(body), get64(body + 8), get64(body + 16),
					      get64(body + 24) };
	m->segments = v;
	m->nr_segments = (uint32_t)nr;
	return true;
}

static bool read_strings(struct pack *pack, const uint8_t *body, uint64_t size,
			 struct pack_module *m)
{
	/* once: the symbols' names are offsets in it */
	if (!size || size > UINT32_MAX || body[size - 1] || m->strings)
		return false;
	m->strings = arena_dup(&pack->arena, body, (size_t)size);
	m->strings_size = (size_t)size;
	return true;
}

/* Names stand before the symbols. A symbol that is none by itself is left out. */
static bool read_symbols(struct pack *pack, const uint8_t *body, uint64_t size,
			 struct pack_module *m)
{
	uint64_t nr = size / SYMBOL_BYTES;
	struct pack_symbol *v;
	uint32_t kept = 0;

	if (size % SYMBOL_BYTES || nr > UINT32_MAX / 2 || !m->strings)
		return false;
	v = arena_alloc(&pack->arena, (size_t)nr * sizeof(*v) + 1);
	for (uint64_t i = 0; i < nr; i++, body += SYMBOL_BYTES) {
		struct pack_symbol s = { get64(body), get64(body + 8), get32(body + 16),
					 get32(body + 20) };

		if (s.start < s.end && s.name < m->strings_size && m->strings[s.name])
			v[kept++] = s;
	}
	m->symbols = v;
	m->nr_symbols = kept;
	return kept == nr;
}

struct pack *pack_parse(const uint8_t *bytes, uint64_t size)
{
	struct pack *pack = mem_zalloc(sizeof(*pack));
	uint64_t at = header_bytes(bytes, size);
	VEC(struct pack_module) modules = { 0 };
	struct pack_module module;

	arena_init(&pack->arena);
	pack->damaged = !at || get32(bytes + 8) != PACK_VERSION;
	while (!pack->damaged && size - at >= RECORD_HEADER_BYTES) {
		uint32_t type = get32(bytes + at);
		uint64_t len = get64(bytes + at + 8);
		const uint8_t *body = bytes + at + RECORD_HEADER_BYTES;
		struct pack_module *m = modules.nr ? &modules.v[modules.nr - 1] : NULL;
		bool good = true;

		at += RECORD_HEADER_BYTES;
		if (len > size - at) {
			pack->damaged = true;
			break;
		}
		if (type == RECORD_MODULE) {
			good = read_module(pack, body, len, &module);
			if (good)
				*vec_push(&modules) = module;
		} else if (type == RECORD_SEGMENTS && m) {
			good = read_segments(pack, body, len, m);
		} else if (type == RECORD_STRINGS && m) {
			good = read_strings(pack, body, len, m);
		} else if (type == RECORD_SYMBOLS && m) {
			good = read_symbols(pack, body, len, m);
		} else {
			pack->nr_unknown++;
		}
		pack->damaged |= !good;
		len += -len & 7;
		at += len < size - at ? len : size - at;
	}
	pack->damaged |= at != size;
	pack->nr_modules = (uint32_t)modules.nr;
	pack->modules = arena_dup(&pack->arena, modules.v, modules.nr * sizeof(*modules.v));
	vec_release(&modules);
	return pack;
}

void pack_free(struct pack *pack)
{
	if (!pack)
		return;
	arena_release(&pack->arena);
	free(pack);
}

/* --- writing --------------------------------------------------------------------------------- */

static void put32(struct str *out, uint32_t v)
{
	v = htole32(v);
	str_addn(out, &v, sizeof(v));
}

static void put64(struct str *out, uint64_t v)
{
	v = htole64(v);
	str_addn(out, &v, sizeof(v));
}

static void fill(struct str *out, size_t size)
{
	static const char zeros[8];

	str_addn(out, zeros, -size & 7);
}

static void put_record(struct str *out, uint32_t type, uint64_t size)
{
	put32(out, type);
	put32(out, 0);
	put64(out, size);
}

void pack_begin(struct str *out, uint64_t event_types_off, uint64_t event_types_size)
{
	str_addn(out, PACK_MAGIC, 8);
	put32(out, PACK_VERSION);
	put32(out, PACK_HEADER_BYTES);
	put64(out, event_types_off);
	put64(out, event_types_size);
}

static void put_module(struct str *out, const struct pack_module *m)
{
	uint8_t id[MODULE_BYTES - 8] = { m->build_id_size };
	size_t len = strlen(m->path) + 1;

	memcpy(id + 1, m->build_id, m->build_id_size);
	put_record(out, RECORD_MODULE, MODULE_BYTES + len);
	put32(out, m->kind);
	put32(out, m->is_64bit ? MODULE_IS_64BIT : 0);
	str_addn(out, id, sizeof(id));
	str_addn(out, m->path, len);
	fill(out, len);
}

void pack_add(struct str *out, const struct pack_module *m)
{
	put_module(out, m);
	if (m->nr_segments) {
		put_record(out, RECORD_SEGMENTS, (uint64_t)m->nr_segments * SEGMENT_BYTES);
		for (uint32_t i = 0; i < m->nr_segments; i++) {
			put64(out, m->segments[i].vaddr);
			put64(out, m->segments[i].memsz);
			put64(out, m->segments[i].offset);
			put64(out, m->segments[i].filesz);
		}
	}
	if (!m->nr_symbols)
		return;
	put_record(out, RECORD_STRINGS, m->strings_size);
	str_addn(out, m->strings, m->strings_size);
	fill(out, m->strings_size);
	put_record(out, RECORD_SYMBOLS, (uint64_t)m->nr_symbols * SYMBOL_BYTES);
	for (uint32_t i = 0; i < m->nr_symbols; i++) {
		put64(out, m->symbols[i].start);
		put64(out, m->symbols[i].end);
		put32(out, m->symbols[i].name);
		put32(out, m->symbols[i].flags);
	}
}
