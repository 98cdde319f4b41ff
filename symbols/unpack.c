/* SPDX-License-Identifier: MIT */
#include "symbols/unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "symbols/elf_file.h"

#define OPENED_MAX ((size_t)256 << 20)
#define XZ_MEMORY_MAX ((uint64_t)256 << 20)

/* What is being written; its room doubles. */
struct opened {
	char *p;
	size_t size, cap;
};

static void begin(struct opened *o, size_t packed)
{
	o->cap = packed < (OPENED_MAX >> 3) ? packed * 8 + 4096 : OPENED_MAX;
	o->size = 0;
	o->p = mem_alloc(o->cap);
}

/* More room; false where there is as much as there may be. */
static bool grow(struct opened *o)
{
	if (o->size < o->cap)
		return true;
	if (o->cap >= OPENED_MAX)
		return false;
	o->cap = o->cap * 2 < OPENED_MAX ? o->cap * 2 : OPENED_MAX;
	o->p = mem_realloc_array(o->p, o->cap, 1);
	return true;
}

static bool open_xz(const void *bytes, size_t size, struct opened *o)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret ret = lzma_stream_decoder(&stream, XZ_MEMORY_MAX, 0);

	stream.next_in = bytes;
	stream.avail_in = size;
	while (ret == LZMA_OK && grow(o)) {
		stream.next_out = (uint8_t *)o->p + o->size;
		stream.avail_out = o->cap - o->size;
		ret = lzma_code(&stream, LZMA_FINISH);
		o->size = o->cap - stream.avail_out;
	}
	lzma_end(&stream);
	return ret == LZMA_STREAM_END;
}

static bool open_gzip(const void *bytes, size_t size, struct opened *o)
{
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes };
	int ret = Z_OK;

	if (size > UINT32_MAX || inflateInit2(&stream, 15 + 16) != Z_OK)
		return false;
	stream.avail_in = (uInt)size;
	while (ret == Z_OK && grow(o)) {
		size_t room = o->cap - o->size;

		stream.next_out = (Bytef *)o->p + o->size;
		stream.avail_out = (uInt)room;
		ret = inflate(&stream, Z_NO_FLUSH);
		o->size = o->cap - stream.avail_out;
	}
	inflateEnd(&stream);
	return ret == Z_STREAM_END;
}

static bool open_zstd(const void *bytes, size_t size, struct opened *o)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t left = 1;

	while (stream && left && !ZSTD_isError(left) && grow(o)) {
		ZSTD_outBuffer out = { o->p, o->cap, o->size };
		size_t before = in.pos + out.pos;

		left = ZSTD_decompressStream(stream, &out, &in);
		o->size = out.pos;
		/* cut off: nothing more comes of it */
		if (left && in.pos + out.pos == before && out.pos < out.size)
			break;
	}
	ZSTD_freeDStream(stream);
	return stream && !left;
}

char *unpack(const void *bytes, size_t size, size_t *out_size)
{
	static const struct {
		const char *magic;
		size_t magic_size;
		bool (*open)(const void *bytes, size_t size, struct opened *o);
	} formats[] = {
		{ "\xfd" "7zXZ", 6, open_xz },
		{ "\x28\xb5\x2f\xfd", 4, open_zstd },
		{ "\x1f\x8b", 2, open_gzip },
	};
	struct opened o;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (size < formats[i].magic_size ||
		    memcmp(bytes, formats[i].magic, formats[i].magic_size) != 0)
			continue;
		begin(&o, size);
		if (formats[i].open(bytes, size, &o)) {
			*out_size = o.size;
			return o.p;
		}
		free(o.p);
		return NULL;
	}
	return NULL;
}

int unpack_elf_open(struct elf_file **out, const char *path)
{
	int ret = elf_file_open_private(out, path), fd;
	char *image = NULL;
	uint64_t size;
	size_t opened;
	void *bytes;

	if (ret != -ENOEXEC)
		return ret;
	fd = regular_file_open(path, &size);
	if (fd < 0)
		return fd;
	bytes = size && size <= OPENED_MAX ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) :
					     MAP_FAILED;
	close(fd);
	if (bytes == MAP_FAILED)
		return -ENOEXEC;
	image = unpack(bytes, size, &opened);
	munmap(bytes, size);
	if (!image)
		return -ENOEXEC;
	ret = elf_file_memory(out, image, opened);
	if (ret == 0)
		(*out)->path = mem_strdup(path);
	return ret;
}
