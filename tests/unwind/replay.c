/* SPDX-License-Identifier: MIT */
/*
 * Unwind saved snapshots (see snapshots/make) and compare with what was true.
 *
 *	replay FILE.snap.gz
 *
 * Every frame has to be right and the end be reached; and a walk that sees the stack in
 * use alone may end sooner but not be wrong. Prints a line; exit status 1: not right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/str.h"
#include "symbols/unwind.h"

#define LINE_MAX_BYTES (1 << 20)
#define FRAMES_MAX 1024
#define PIECES_MAX 16

struct piece {
	uint64_t addr;
	size_t size;
	uint8_t bytes[16384];
	bool code;
};

static struct {
	struct elf_file *file;
	struct unwind_table *table;
	const struct arch *arch;
	struct unwinder *unwinder;
	struct piece pieces[PIECES_MAX], stack;
	unsigned nr_pieces;
	struct unwind_regs regs;
	uint64_t nr, wrong, whole_copies;
} t;

static void code_at(void *arg, uint64_t addr, struct unwind_code *out)
{
	const struct elf_segment *load = elf_file_segment(t.file, addr);

	(void)arg;
	*out = (struct unwind_code){ 0 };
	if (load && load->exec) {
		out->executable = true;
		out->table = t.table;
	}
	for (unsigned i = 0; i < t.nr_pieces; i++)
		if (t.pieces[i].code && addr - t.pieces[i].addr <= t.pieces[i].size)
			out->executable = true;
}

static bool read_pieces(void *arg, uint64_t addr, void *out, size_t size)
{
	(void)arg;
	for (unsigned i = 0; i < t.nr_pieces; i++) {
		const struct piece *p = &t.pieces[i];

		/* what is returned to may be shorter than what is looked at */
		if (addr >= p->addr && addr - p->addr < p->size) {
			size_t have = p->size - (size_t)(addr - p->addr);

			if (have < size && !p->code)
				return false;
			memset(out, 0, size);
			memcpy(out, p->bytes + (addr - p->addr), have < size ? have : size);
			return true;
		}
	}
	return false;
}

static bool read_code(void *arg, uint64_t addr, void *out, size_t size)
{
	for (unsigned i = 0; i < t.nr_pieces; i++)
		if (t.pieces[i].code && addr - t.pieces[i].addr < t.pieces[i].size)
			return read_pieces(arg, addr, out, size);
	return false;
}

static void take_piece(struct piece *p, const char *hex)
{
	unsigned byte;

	for (p->size = 0; p->size < sizeof(p->bytes) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		p->bytes[p->size++] = (uint8_t)byte;
}

static bool walk(const uint64_t *want, size_t nr_want, bool all)
{
	static uint64_t words[FRAMES_MAX * 2], got[FRAMES_MAX * 2];
	struct unwind_regs regs = t.regs;
	struct unwind_source source = {
		.stack = t.stack.bytes, .stack_start = regs.v[t.arch->dwarf_sp],
		.stack_size = t.stack.size, .code = code_at, .read = all ? read_pieces : read_code,
	};
	enum unwind_stop stop;
	size_t n = 0;
	uint32_t nr;

	stop = unwind_walk(t.unwinder, &source, &regs, words, FRAMES_MAX * 2, &nr);
	for (uint32_t i = 0; i < nr; i++)
		if (words[i] < (uint64_t)-4096)
			got[n++] = words[i];
	if (n <= nr_want && memcmp(want, got, n * 8) == 0 &&
	    (stop == UNWIND_END ? n == nr_want : !all && stop == UNWIND_OTHER_STACK))
		return true;
	printf("# snapshot %" PRIu64 " at %" PRIx64 ": %zu frames of %zu, %s:", t.nr, want[0], n, nr_want,
	       unwind_stop_text(stop));
	for (size_t i = 0; i < n || i < nr_want; i++)
		printf(" %" PRIx64 "/%" PRIx64, i < nr_want ? want[i] : 0, i < n ? got[i] : 0);
	printf("\n");
	return false;
}

static void judge(char *text)
{
	uint64_t want[FRAMES_MAX];
	size_t nr = 0;

	for (char *word = strtok(text, " \n"); word && nr < FRAMES_MAX; word = strtok(NULL, " \n"))
		want[nr++] = strtoull(word, NULL, 16);
	if (!walk(want, nr, true) || !walk(want, nr, false))
		t.wrong++;
	t.nr++;
	/* pieces of one snapshot end with it; code stays */
	while (t.nr_pieces && !t.pieces[t.nr_pieces - 1].code)
		t.nr_pieces--;
}

static bool open_module(const char *snap, char *name)
{
	const char *slash = strrchr(snap, '/');
	struct str path = STR_INIT;

	name[strcspn(name, "\n")] = '\0';
	str_addn(&path, snap, slash ? (size_t)(slash - snap) + 1 : 0);
	str_add(&path, name);
	if (elf_file_open(&t.file, path.p) < 0) {
		printf("cannot open %s\n", path.p);
		return false;
	}
	str_release(&path);
	t.table = unwind_table_new(t.file, NULL);
	t.arch = arch_of_machine(t.file->machine, t.file->is_64bit);
	t.unwinder = unwinder_new(t.arch);
	return true;
}

int main(int argc, char **argv)
{
	char *line = malloc(LINE_MAX_BYTES), *rest;
	gzFile file = argc > 1 ? gzopen(argv[1], "rb") : NULL;

	if (!file || !line)
		return 2;
	while (gzgets(file, line, LINE_MAX_BYTES)) {
		struct piece *p = &t.pieces[t.nr_pieces];

		rest = strchr(line, ' ') + 1;
		if (str_starts(line, "module ")) {
			if (!open_module(argv[1], rest))
				return 2;
		} else if ((str_starts(line, "code ") || str_starts(line, "more ")) &&
			   t.nr_pieces < PIECES_MAX) {
			p->addr = strtoull(rest, &rest, 16);
			p->code = line[0] == 'c';
			take_piece(p, rest + 1);
			t.nr_pieces++;
		} else if (str_starts(line, "snap ")) {
			for (unsigned i = 0; i < 33; i++)
				t.regs.v[i] = strtoull(rest, &rest, 16);
			t.regs.known = (1ull << 33) - 1;
		} else if (str_starts(line, "stack ")) {
			take_piece(&t.stack, rest);
		} else if (str_starts(line, "want ")) {
			judge(rest);
		}
	}
	gzclose(file);
	unwinder_free(t.unwinder);
	unwind_table_free(t.table);
	elf_file_free(t.file);
	free(line);
	printf("%" PRIu64 " snapshots, %" PRIu64 " not right\n", t.nr, t.wrong);
	return t.wrong != 0 || t.nr < 100;
}
