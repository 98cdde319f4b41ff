/* SPDX-License-Identifier: MIT */
/*
 * The BPF programs' part of synth.h: KSYMBOL and BPF_EVENT records for those that were
 * loaded before the recording began, as the kernel writes them when one is loaded.
 *
 * Names are made as the kernel makes them (kernel/bpf/core.c, bpf_get_prog_name, Linux
 * 6.1): "bpf_prog_" TAG "_" NAME, by function, its name from BTF where there is some.
 * /proc/kallsyms would have them too, but only with net.core.bpf_jit_kallsyms, without
 * sizes, and reading it takes longer than all the rest.  Trampolines are in no other
 * place: the report finds them there.
 */
#include "engine/synth.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define FUNCTIONS_MOST 4096
#define BTF_MOST (16u << 20)
#define NAME_MOST 512                    /* KSYM_NAME_LEN of Linux 6.1 */

static long call(int what, union bpf_attr *attr)
{
	return syscall(SYS_bpf, what, attr, sizeof(*attr));
}

static int info_of(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size,
					  .info = (uintptr_t)info } };

	return call(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 ? -errno : 0;
}

/* What the kernel told of one program. */
struct program {
	struct bpf_prog_info info;
	uint64_t *addrs;
	uint32_t *sizes, nr;
	uint8_t (*tags)[8];
	struct bpf_func_info *funcs;     /* `nr`, or NULL */
	uint8_t *btf;
	uint32_t btf_size;
};

static void read_btf(struct program *p)
{
	union bpf_attr attr = { .btf_id = p->info.btf_id };
	int fd = p->info.btf_id ? (int)call(BPF_BTF_GET_FD_BY_ID, &attr) : -1;
	struct bpf_btf_info info = { 0 };

	if (fd < 0)
		return;
	if (info_of(fd, &info, sizeof(info)) == 0 && info.btf_size && info.btf_size <= BTF_MOST) {
		p->btf = mem_zalloc(info.btf_size);
		p->btf_size = info.btf_size;
		memset(&info, 0, sizeof(info));
		info.btf = (uintptr_t)p->btf;
		info.btf_size = p->btf_size;
		if (info_of(fd, &info, sizeof(info)) < 0)
			p->btf_size = 0;
	}
	close(fd);
}

/* Ask how much there is, then for it. */
static bool read_program(struct program *p, int fd)
{
	struct bpf_prog_info *info = &p->info;
	uint32_t nr, nr_tags, nr_funcs, rec_size;

	if (info_of(fd, info, sizeof(*info)) < 0)
		return false;
	nr = info->nr_jited_ksyms;
	nr_tags = info->nr_prog_tags;
	nr_funcs = info->nr_func_info;
	rec_size = info->func_info_rec_size;
	if (!nr || nr > FUNCTIONS_MOST || info->nr_jited_func_lens != nr || nr_tags != nr)
		return false;
	p->nr = nr;
	p->addrs = mem_zalloc(nr * sizeof(*p->addrs));
	p->sizes = mem_zalloc(nr * sizeof(*p->sizes));
	p->tags = mem_zalloc(nr * sizeof(*p->tags));
	if (nr_funcs == nr && rec_size == sizeof(*p->funcs))
		p->funcs = mem_zalloc(nr * sizeof(*p->funcs));
	memset(info, 0, sizeof(*info));
	info->nr_jited_ksyms = info->nr_jited_func_lens = info->nr_prog_tags = nr;
	info->jited_ksyms = (uintptr_t)p->addrs;
	info->jited_func_lens = (uintptr_t)p->sizes;
	info->prog_tags = (uintptr_t)p->tags;
	if (p->funcs) {
		info->nr_func_info = nr;
		info->func_info_rec_size = rec_size;
		info->func_info = (uintptr_t)p->funcs;
	}
	if (info_of(fd, info, sizeof(*info)) < 0 || info->nr_jited_ksyms != nr)
		return false;
	if (p->funcs)
		read_btf(p);
	return true;
}

static void release_program(struct program *p)
{
	free(p->addrs);
	free(p->sizes);
	free(p->tags);
	free(p->funcs);
	free(p->btf);
}

/* Bytes behind a type's own three words (Documentation/bpf/btf.rst, "Type Encoding"). */
static uint32_t extra_bytes(const struct btf_type *type)
{
	uint32_t nr = BTF_INFO_VLEN(type->info);

	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case 17:                         /* DECL_TAG */
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case 19:                         /* ENUM64 */
		return nr * 12;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		return nr * 8;
	default:
		return 0;
	}
}

static const char *btf_name(const struct program *p, uint32_t type_id)
{
	const struct btf_header *h = (const void *)p->btf;
	uint64_t at, end, strings;

	if (p->btf_size < sizeof(*h) || h->magic != BTF_MAGIC)
		return NULL;
	at = (uint64_t)h->hdr_len + h->type_off;
	end = at + h->type_len;
	strings = (uint64_t)h->hdr_len + h->str_off;
	if (end > p->btf_size || strings + h->str_len > p->btf_size)
		return NULL;
	for (uint32_t id = 1; at + sizeof(struct btf_type) <= end; id++) {
		struct btf_type type;

		memcpy(&type, p->btf + at, sizeof(type));
		if (id == type_id && type.name_off < h->str_len &&
		    memchr(p->btf + strings + type.name_off, '\0', h->str_len - type.name_off))
			return (const char *)p->btf + strings + type.name_off;
		at += sizeof(type) + extra_bytes(&type);
	}
	return NULL;
}

static size_t function_name(const struct program *p, uint32_t i, char name[NAME_MOST])
{
	const char *own = p->funcs ? btf_name(p, p->funcs[i].type_id) : NULL;
	int len = snprintf(name, NAME_MOST, "bpf_prog_");

	for (int b = 0; b < 8; b++)
		len += snprintf(name + len, NAME_MOST - (size_t)len, "%02x", p->tags[i][b]);
	if (!own && p->info.name[0])
		own = p->info.name;
	if (own)
		len += snprintf(name + len, NAME_MOST - (size_t)len, "_%.*s", 128, own);
	return (size_t)len;
}

static int give_function(const struct synth *s, const struct program *p, uint32_t i,
			 struct err *err)
{
	struct {
		struct perf_event_header header;
		uint64_t addr;
		uint32_t len;
		uint16_t type, flags;
		char name[NAME_MOST + 8];
		uint64_t trailer_room[8];
	} d = { .header = { .type = PERF_RECORD_KSYMBOL, .misc = PERF_RECORD_MISC_KERNEL },
		.addr = p->addrs[i], .len = p->sizes[i], .type = PERF_RECORD_KSYMBOL_TYPE_BPF };
	size_t room = (function_name(p, i, d.name) / 8 + 1) * 8;

	/* The trailer, which is zero, stands right behind the name. */
	d.header.size = (uint16_t)(offsetof(typeof(d), name) + room +
				   synth_trailer_size(s->sample_type));
	return s->sink(s->arg, &d, d.header.size, err);
}

static int give_load(const struct synth *s, const struct program *p, struct err *err)
{
	struct {
		struct perf_event_header header;
		uint16_t type, flags;
		uint32_t id;
		uint8_t tag[8];
		uint64_t trailer_room[8];
	} d = { .header = { .type = PERF_RECORD_BPF_EVENT, .misc = PERF_RECORD_MISC_KERNEL },
		.type = PERF_BPF_EVENT_PROG_LOAD, .id = p->info.id };

	memcpy(d.tag, p->info.tag, sizeof(d.tag));
	d.header.size = (uint16_t)(offsetof(typeof(d), trailer_room) +
				   synth_trailer_size(s->sample_type));
	return s->sink(s->arg, &d, d.header.size, err);
}

static int give_program(const struct synth *s, const struct program *p, struct err *err)
{
	int r = 0;

	/* Addresses are zero for who may not see them. */
	for (uint32_t i = 0; i < p->nr && r == 0; i++)
		if (p->addrs[i] && p->sizes[i])
			r = give_function(s, p, i, err);
	return r < 0 ? r : give_load(s, p, err);
}

int synth_bpf(const struct synth *s, struct err *err)
{
	union bpf_attr attr = { 0 };
	int r = 0;

	/* Without CAP_SYS_ADMIN, or without BPF in the kernel, this ends at once. */
	while (r == 0 && call(BPF_PROG_GET_NEXT_ID, &attr) == 0) {
		union bpf_attr get = { .prog_id = attr.next_id };
		struct program program = { 0 };
		int fd = (int)call(BPF_PROG_GET_FD_BY_ID, &get);

		if (fd >= 0 && read_program(&program, fd))
			r = give_program(s, &program, err);
		release_program(&program);
		if (fd >= 0)
			close(fd);
		attr = (union bpf_attr){ .start_id = attr.next_id };
	}
	return r;
}
