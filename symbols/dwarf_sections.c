/* SPDX-License-Identifier: MIT */
/*
 * The debug sections of a file, opened where they are compressed. See dwarf_priv.h.
 *
 * What a compressed section opens to is several times as large, and little of it is
 * looked at. It is written to the cache (symbols/index.h), piece by piece, and mapped
 * from there: this run and the next ones read the pages they need, and none of it is
 * memory of ours. Where it cannot be kept, it is opened in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/log.h"
#include "base/str.h"
#include "symbols/dwarf_priv.h"
#include "symbols/index.h"

#define SECTIONS_VERSION 1
#define KIND INDEX_TAG('d', 'w', 'r', 'f')
/* Less than this is as soon opened as found. */
#define WORTH_BYTES ((uint64_t)64 << 10)
#define PIECE_BYTES ((size_t)128 << 10)
/* What a section may say it opens to: at most so much, and so many times its size. */
#define OPENED_MAX ((uint64_t)1 << 31)
#define TIMES_MAX 1032           /* zlib's best: 258 bytes out of two bits */
#define COMPRESSED_ZSTD 2        /* ELFCOMPRESS_ZSTD, which an older elf.h has not */

static const char *const section_names[DW_SECTIONS] = {
	"info", "abbrev", "line", "str", "line_str", "str_offsets", "addr", "ranges", "rnglists",
	"cu_index",
};

/* ".debug_info.dwo" -> DW_INFO; ".zdebug_" is how compressed sections once were marked. */
static int section_of(const char *name, bool dwo, bool *old_compressed)
{
	size_t len;

	*old_compressed = str_starts(name, ".zdebug_");
	if (*old_compressed)
		name += strlen(".zdebug_");
	else if (str_starts(name, ".debug_"))
		name += strlen(".debug_");
	else
		return -1;
	for (int i = 0; i < DW_SECTIONS; i++) {
		len = strlen(section_names[i]);
		if (strncmp(name, section_names[i], len) == 0 &&
		    strcmp(name + len, dwo && i != DW_CU_INDEX ? ".dwo" : "") == 0)
			return i;
	}
	return -1;
}

/* --- opening piece by piece -------------------------------------------------------- */

struct packed_section {
	Elf_Scn *scn;            /* NULL: there is none, or it is not compressed */
	const uint8_t *p;
	size_t size;
	uint32_t how;            /* ELFCOMPRESS_ZLIB, _ZSTD */
	uint64_t opened;         /* size it opens to */
};

static bool is_packed(const struct dw_file *file, Elf_Scn *scn, const GElf_Shdr *shdr,
		      struct packed_section *out)
{
	size_t header = file->elf->is_64bit ? sizeof(Elf64_Chdr) : sizeof(Elf32_Chdr);
	GElf_Chdr chdr;
	Elf_Data *raw;

	if (!(shdr->sh_flags & SHF_COMPRESSED) || shdr->sh_type == SHT_NOBITS ||
	    !gelf_getchdr(scn, &chdr) ||
	    (chdr.ch_type != ELFCOMPRESS_ZLIB && chdr.ch_type != COMPRESSED_ZSTD) ||
	    !chdr.ch_size || chdr.ch_size > OPENED_MAX || chdr.ch_size / TIMES_MAX > shdr->sh_size)
		return false;
	raw = elf_rawdata(scn, NULL);
	if (!raw || !raw->d_buf || raw->d_size <= header)
		return false;
	*out = (struct packed_section){ scn, (const uint8_t *)raw->d_buf + header,
					raw->d_size - header, chdr.ch_type, chdr.ch_size };
	return true;
}

static int put_zlib(struct index_writer *w, const struct packed_section *s, uint8_t *piece)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)s->p, .avail_in = (uInt)s->size };
	int ret = inflateInit(&z) == Z_OK ? 0 : -ENOMEM, r = Z_OK;

	if (s->size > UINT32_MAX)
		ret = -EFBIG;
	if (ret) {
		index_drop(w);
		return ret;
	}
	while (ret == 0 && r == Z_OK) {
		z.next_out = piece;
		z.avail_out = PIECE_BYTES;
		r = inflate(&z, Z_NO_FLUSH);
		ret = index_put(w, piece, PIECE_BYTES - z.avail_out);
	}
	if (ret == 0 && (r != Z_STREAM_END || z.total_out != s->opened)) {
		index_drop(w);
		ret = -EBADMSG;
	}
	inflateEnd(&z);
	return ret;
}

static int put_zstd(struct index_writer *w, const struct packed_section *s, uint8_t *piece)
{
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { s->p, s->size, 0 };
	uint64_t total = 0;
	size_t r = 1;
	int ret = 0;

	while (z && ret == 0 && r && !ZSTD_isError(r)) {
		ZSTD_outBuffer out = { piece, PIECE_BYTES, 0 };

		r = ZSTD_decompressStream(z, &out, &in);
		total += out.pos;
		if (!out.pos && in.pos == in.size)
			break;
		ret = index_put(w, piece, out.pos);
	}
	if (ret == 0 && (r || total != s->opened)) {
		index_drop(w);
		ret = -EBADMSG;
	}
	ZSTD_freeDStream(z);
	return ret;
}

static int put_all(const struct index_draft *draft, const struct packed_section *packed)
{
	struct index_writer w;
	int ret = index_begin(&w, draft);
	uint8_t *piece;

	if (ret < 0)
		return ret;
	piece = mem_alloc(PIECE_BYTES);
	for (int i = 0; i < DW_SECTIONS && ret == 0; i++) {
		if (!packed[i].scn)
			continue;
		ret = packed[i].how == COMPRESSED_ZSTD ? put_zstd(&w, &packed[i], piece) :
							 put_zlib(&w, &packed[i], piece);
	}
	free(piece);
	return ret == 0 ? index_end(&w) : ret;
}

/* --- loading ----------------------------------------------------------------------- */

static bool take_index(struct dw_file *file, const struct packed_section *packed,
		       const struct index_draft *draft)
{
	struct dw_bytes found[DW_SECTIONS] = { { 0 } };

	file->index = index_open(draft->build_id, draft->build_id_size, KIND, draft->fingerprint);
	if (!file->index)
		return false;
	for (int i = 0; i < DW_SECTIONS; i++) {
		if (!packed[i].scn)
			continue;
		found[i].p = index_section(file->index, (uint32_t)i, 1, &found[i].size);
		if (!found[i].p || found[i].size != packed[i].opened) {
			index_close(file->index);
			file->index = NULL;
			return false;
		}
	}
	for (int i = 0; i < DW_SECTIONS; i++)
		if (packed[i].scn)
			file->section[i] = found[i];
	return true;
}

static bool load_kept(struct dw_file *file, const struct packed_section *packed)
{
	const struct elf_file *elf = file->elf;
	struct index_draft *draft;
	uint64_t sum = 0;
	bool done;
	int ret;

	for (int i = 0; i < DW_SECTIONS; i++)
		sum += packed[i].opened;
	if (!elf->path || elf->build_id_size < 2 || sum < WORTH_BYTES)
		return false;
	draft = mem_zalloc(sizeof(*draft));
	draft->build_id_size = elf->build_id_size;
	memcpy(draft->build_id, elf->build_id, elf->build_id_size);
	draft->kind = KIND;
	draft->fingerprint = index_hash_file(hash_mix(SECTIONS_VERSION, elf_file_hash(elf)),
					     elf->path);
	for (int i = 0; i < DW_SECTIONS; i++)
		if (packed[i].scn)
			index_add(draft, (uint32_t)i, 1, NULL, packed[i].opened);
	done = take_index(file, packed, draft);
	if (!done) {
		ret = put_all(draft, packed);
		if (ret < 0)
			log_debug("debug sections of '%s' are not kept: %s", elf->path,
				  strerror(-ret));
		done = ret == 0 && take_index(file, packed, draft);
	}
	free(draft);
	return done;
}

void dw_sections_load(struct dw_file *file, bool dwo)
{
	struct packed_section packed[DW_SECTIONS] = { 0 };
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf->elf, scn))) {
		Elf_Data *data;
		bool old;
		int i;

		if (!gelf_getshdr(scn, &shdr))
			continue;
		i = section_of(elf_file_section_name(file->elf, &shdr), dwo, &old);
		if (i < 0 || file->section[i].p || packed[i].scn ||
		    (!dwo && !old && is_packed(file, scn, &shdr, &packed[i])) ||
		    (old && elf_compress_gnu(scn, 0, 0) < 0))
			continue;
		data = elf_file_data(scn);
		if (data)
			file->section[i] = (struct dw_bytes){ data->d_buf, data->d_size };
	}
	if (load_kept(file, packed))
		return;
	for (int i = 0; i < DW_SECTIONS; i++) {
		Elf_Data *data = packed[i].scn ? elf_file_data(packed[i].scn) : NULL;

		if (data)
			file->section[i] = (struct dw_bytes){ data->d_buf, data->d_size };
	}
}
