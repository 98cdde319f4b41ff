/* SPDX-License-Identifier: MIT */
/*
 * Unwind at every instruction of a program and compare with what really happened.
 *
 *	step [-n STEPS] PROGRAM [ARG...]
 *
 * The program is stepped through by ptrace(2).  What is true is known without any table:
 * an instruction that leaves the address behind it on the stack and goes elsewhere is a
 * call, and what lies below the stack pointer is no more.  So the stack is followed as
 * (slot, return address) pairs, for each stack of its own, as signals and coroutines have:
 *
 *	main stack    [slot: ra] [slot: ra] ... <- interrupted here
 *	other stack   [slot: trampoline, back to main] [slot: ra] ... <- now
 *
 * Each step is unwound twice: with all of the memory, where every frame has to be right
 * and the end be reached, and with a copy of 16 KB of the stack in use, as a sample has it,
 * where it may end sooner but not be wrong.
 *
 * x86_64.  Prints a line; the exit status is 1 if a stack was not right, 77 if it cannot
 * be tried here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <elf.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"
#include "symbols/symbols.h"
#include "symbols/unwind.h"

#ifndef __x86_64__
int main(void)
{
	puts("stepping is written for x86_64");
	return 77;
}
#else

#define COPY_BYTES 16384
#define FRAMES_MAX 4096
#define NO_TABLE_MAX 100
#define SHOWN_MAX 24

struct frame {
	uint64_t slot, ra;
	bool is_signal;                  /* ra is a trampoline; then come ip and the stack below */
	uint64_t ip, stack_id;
};

/* One stack: the mapping it lies in. */
struct stack {
	uint64_t start, end;
	VEC(struct frame) frames;
};

struct map {
	uint64_t start, end, pgoff;
	bool exec;
	struct module *module;
};

static struct {
	pid_t pid;
	int mem;
	struct module_set *modules;
	VEC(struct map) maps;
	VEC(struct stack) stacks;
	struct unwinder *unwinder;
	uint64_t space;
	uint64_t steps, wrong, cut, no_table, jumping;
	struct { const char *what, *where; uint64_t nr; } shown[SHOWN_MAX];
	unsigned nr_shown;
	uint64_t entry;
} t;

/* --- the program's memory ---------------------------------------------------------------- */

static bool peek(uint64_t addr, void *out, size_t size)
{
	return pread(t.mem, out, size, (off_t)addr) == (ssize_t)size;
}

static uint64_t word_at(uint64_t addr)
{
	uint64_t word = 0;

	peek(addr, &word, 8);
	return word;
}

static void read_maps(void)
{
	char path[64], line[512], name[300], prot[8];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)t.pid);
	f = fopen(path, "r");
	t.maps.nr = 0;
	t.space++;
	while (f && fgets(line, sizeof(line), f)) {
		struct map m = { 0 };

		name[0] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %299[^\n]", &m.start,
			   &m.end, prot, &m.pgoff, name) < 4)
			continue;
		m.exec = prot[2] == 'x';
		m.module = module_intern(t.modules, module_kind_of(name, false), name, NULL, 0);
		*vec_push(&t.maps) = m;
	}
	if (f)
		fclose(f);
}

static const struct map *map_find(uint64_t addr)
{
	for (size_t i = 0; i < t.maps.nr; i++)
		if (t.maps.v[i].start <= addr && addr < t.maps.v[i].end)
			return &t.maps.v[i];
	return NULL;
}

static const struct map *map_at(uint64_t addr)
{
	const struct map *m = map_find(addr);

	if (m)
		return m;
	read_maps();
	return map_find(addr);
}

static void code_at(void *arg, uint64_t addr, struct unwind_code *out)
{
	const struct map *m = map_find(addr);
	uint64_t elf_addr;

	(void)arg;
	*out = (struct unwind_code){ 0 };
	if (!m || !m->exec)
		return;
	elf_addr = module_elf_addr(m->module, addr - m->start + m->pgoff);
	*out = (struct unwind_code){ true, module_unwind_table(m->module), addr - elf_addr };
}

static bool read_code(void *arg, uint64_t addr, void *out, size_t size)
{
	const struct map *m = map_find(addr);

	(void)arg;
	return m && module_read(m->module, module_elf_addr(m->module, addr - m->start + m->pgoff), out,
				size);
}

static bool read_all(void *arg, uint64_t addr, void *out, size_t size)
{
	(void)arg;
	return peek(addr, out, size);
}

/* --- what is true ------------------------------------------------------------------------ */

/* The stack that an address lies in, by its index. */
static size_t stack_of(uint64_t sp)
{
	const struct map *m;

	for (size_t i = 0; i < t.stacks.nr; i++)
		if (t.stacks.v[i].start <= sp && sp < t.stacks.v[i].end)
			return i;
	/* One grows downwards into what was not mapped: the same if it ends alike. */
	read_maps();
	m = map_find(sp);
	for (size_t i = 0; m && i < t.stacks.nr; i++) {
		if (t.stacks.v[i].end == m->end) {
			t.stacks.v[i].start = m->start;
			return i;
		}
	}
	*vec_push(&t.stacks) = (struct stack){ m ? m->start : sp, m ? m->end : sp + 1, { 0 } };
	return t.stacks.nr - 1;
}

/*
 * What lies below the stack pointer, and what is written over, has returned; but a
 * handler that has returned to its trampoline is not through with its signal.
 */
static bool is_gone(const struct frame *f, const struct user_regs_struct *now, bool over)
{
	if (f->is_signal && now->rsp == f->slot + 8 && !over)
		return false;
	return over ? f->slot <= now->rsp : f->slot < now->rsp;
}

static void follow(const struct user_regs_struct *was, const struct user_regs_struct *now, bool signal)
{
	size_t id = stack_of(now->rsp), below = stack_of(was->rsp);
	struct stack *s = &t.stacks.v[id];
	uint64_t ra = word_at(now->rsp);
	bool next = now->rip > was->rip && now->rip <= was->rip + 15;

	bool call = !signal && !next && now->rsp == was->rsp - 8 && ra > was->rip && ra <= was->rip + 15;

	while (s->frames.nr && is_gone(&s->frames.v[s->frames.nr - 1], now, signal || call))
		s->frames.nr--;
	if (signal)
		*vec_push(&s->frames) = (struct frame){ now->rsp, ra, true, was->rip, below };
	else if (call)
		*vec_push(&s->frames) = (struct frame){ .slot = now->rsp, .ra = ra };
}

/* The true chain from now down to where it all began. */
static size_t true_chain(const struct user_regs_struct *now, uint64_t *out, size_t max)
{
	size_t id = stack_of(now->rsp), n = 0;
	size_t at = t.stacks.v[id].frames.nr;

	out[n++] = now->rip;
	while (n + 2 < max && at > 0) {
		const struct frame *f = &t.stacks.v[id].frames.v[--at];

		if (now->rsp != f->slot + 8)
			out[n++] = f->ra;
		if (!f->is_signal)
			continue;
		out[n++] = f->ip;
		if (f->stack_id != id) {
			id = f->stack_id;
			at = t.stacks.v[id].frames.nr;
		}
	}
	return n;
}

/* --- what is unwound --------------------------------------------------------------------- */

static size_t unwound_chain(const struct user_regs_struct *r, bool all, uint64_t *out,
			    enum unwind_stop *stop)
{
	static uint8_t copy[COPY_BYTES];
	static uint64_t words[FRAMES_MAX];
	const uint64_t v[ARCH_DWARF_REGS_MAX] = {
		r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip,
	};
	struct unwind_regs regs = { .known = (1 << 17) - 1 };
	struct unwind_source source = { .space = t.space, .stack = copy, .stack_start = r->rsp,
					.code = code_at, .read = all ? read_all : read_code };
	ssize_t got = all ? 0 : pread(t.mem, copy, sizeof(copy), (off_t)r->rsp);
	size_t n = 0;
	uint32_t nr;

	memcpy(regs.v, v, sizeof(v));
	source.stack_size = got > 0 ? (uint64_t)got : 0;
	source.is_cut = got == COPY_BYTES;
	*stop = unwind_walk(t.unwinder, &source, &regs, words, FRAMES_MAX, &nr);
	for (uint32_t i = 0; i < nr; i++)
		if (words[i] < (uint64_t)-4096)
			out[n++] = words[i];
	return n;
}

static void show_addr(uint64_t addr)
{
	const struct map *m = map_at(addr);
	struct symbol symbol = { 0 };
	uint64_t elf_addr = 0;

	if (m) {
		elf_addr = module_elf_addr(m->module, addr - m->start + m->pgoff);
		module_symbol(m->module, elf_addr, &symbol);
	}
	printf("%s+0x%" PRIx64, symbol.name ? symbol.name : m ? m->module->short_name : "?",
	       symbol.name ? elf_addr - symbol.start : elf_addr);
}

/* Whether that went wrong in this function before. */
static bool is_known(const char *what, uint64_t addr)
{
	const struct map *m = map_at(addr);
	struct symbol symbol = { .name = "?" };
	unsigned i;

	if (m)
		module_symbol(m->module, module_elf_addr(m->module, addr - m->start + m->pgoff), &symbol);
	for (i = 0; i < t.nr_shown; i++) {
		if (t.shown[i].what == what && t.shown[i].where == symbol.name) {
			t.shown[i].nr++;
			return true;
		}
	}
	if (i == SHOWN_MAX)
		return true;
	t.shown[i].what = what;
	t.shown[i].where = symbol.name;
	t.shown[t.nr_shown++].nr = 1;
	return false;
}

struct chain {
	uint64_t v[FRAMES_MAX];
	size_t nr;
};

static void show(const char *what, const struct chain *want, const struct chain *got,
		 enum unwind_stop stop)
{
	size_t i = 0;

	if (is_known(what, want->v[0]))
		return;
	while (i < want->nr && i < got->nr && want->v[i] == got->v[i])
		i++;
	printf("# step %" PRIu64 ", %s, at ", t.steps, what);
	show_addr(want->v[0]);
	printf(": frame %zu of %zu should be ", i, want->nr);
	if (i < want->nr)
		show_addr(want->v[i]);
	else
		printf("none");
	printf(", is ");
	if (i < got->nr)
		show_addr(got->v[i]);
	else
		printf("none");
	printf(" (%s)\n", unwind_stop_text(stop));
}

/*
 * Code whose tables tell of where it will jump, and no more of who called it: longjmp, and
 * the end of a throw, which has written the frames anew by then.
 */
static bool is_jumping(const struct chain *want)
{
	for (size_t i = 0; i < want->nr && i < 3; i++) {
		const struct map *m = map_at(want->v[i]);
		struct symbol symbol;

		if (!m)
			continue;
		module_symbol(m->module, module_elf_addr(m->module, want->v[i] - m->start + m->pgoff),
			      &symbol);
		if (symbol.name && (strstr(symbol.name, "longjmp") || strstr(symbol.name, "_Unwind_")))
			return true;
	}
	return false;
}

static bool has_rule(uint64_t addr)
{
	struct unwind_code code;

	code_at(NULL, addr, &code);
	return code.table && unwind_table_find(code.table, addr - code.bias);
}

static void judge_one(const struct user_regs_struct *now, const struct chain *want, bool all)
{
	static struct chain got;
	enum unwind_stop stop;
	bool right;

	got.nr = unwound_chain(now, all, got.v, &stop);
	right = got.nr <= want->nr && memcmp(want->v, got.v, got.nr * 8) == 0;
	/* the start files of the C library have some code without tables: said, or a guess */
	if ((right && stop == UNWIND_NO_TABLE) || (!right && !has_rule(want->v[0]))) {
		t.no_table += all;
		return;
	}
	t.cut += stop != UNWIND_END;
	if (right && (stop == UNWIND_END ? got.nr == want->nr : !all))
		return;
	if (is_jumping(want)) {
		t.jumping += all;
		return;
	}
	t.wrong++;
	show(all ? "all memory" : "copied stack", want, &got, stop);
}

static void judge(const struct user_regs_struct *now)
{
	static struct chain want;
	size_t id = stack_of(now->rsp);

	/* a stack that was made by hand: nobody called what is on it */
	if (id && !t.stacks.v[id].frames.nr)
		return;
	want.nr = true_chain(now, want.v, FRAMES_MAX);
	judge_one(now, &want, true);
	judge_one(now, &want, false);
}

/* --- stepping ---------------------------------------------------------------------------- */

/* Let the dynamic linker do its work unseen: what it does later is enough of it. */
static void run_to_entry(void)
{
	char path[64];
	uint64_t aux[2];
	struct user_regs_struct regs;
	long code;
	int status;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/auxv", (int)t.pid);
	f = fopen(path, "r");
	while (f && fread(aux, sizeof(aux), 1, f) == 1 && aux[0])
		if (aux[0] == AT_ENTRY)
			t.entry = aux[1];
	if (f)
		fclose(f);
	if (!t.entry)
		return;
	code = ptrace(PTRACE_PEEKTEXT, t.pid, (void *)t.entry, NULL);
	ptrace(PTRACE_POKETEXT, t.pid, (void *)t.entry, (void *)((code & ~0xffl) | 0xcc));
	ptrace(PTRACE_CONT, t.pid, NULL, NULL);
	waitpid(t.pid, &status, 0);
	ptrace(PTRACE_POKETEXT, t.pid, (void *)t.entry, (void *)code);
	ptrace(PTRACE_GETREGS, t.pid, NULL, &regs);
	regs.rip = t.entry;
	ptrace(PTRACE_SETREGS, t.pid, NULL, &regs);
}

static void start(char **argv)
{
	char path[64];
	int status;

	t.pid = fork();
	if (t.pid == 0) {
		personality(ADDR_NO_RANDOMIZE);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[0], argv);
		_exit(127);
	}
	if (t.pid < 0 || waitpid(t.pid, &status, 0) != t.pid || !WIFSTOPPED(status)) {
		printf("cannot trace '%s'\n", argv[0]);
		exit(77);
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)t.pid);
	t.mem = open(path, O_RDONLY | O_CLOEXEC);
	if (t.mem < 0) {
		printf("cannot open %s: %s\n", path, strerror(errno));
		exit(77);
	}
	run_to_entry();
	t.modules = module_set_new(NULL);
	t.unwinder = unwinder_new(&arch_x86_64);
	read_maps();
}

int main(int argc, char **argv)
{
	uint64_t most = UINT64_MAX;
	struct user_regs_struct was, now;
	int status, sig = 0;

	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		most = strtoull(argv[2], NULL, 0);
		argv += 2;
		argc -= 2;
	}
	if (argc < 2)
		return 2;
	start(argv + 1);
	ptrace(PTRACE_GETREGS, t.pid, NULL, &was);
	for (; t.steps < most; t.steps++) {
		if (ptrace(PTRACE_SINGLESTEP, t.pid, NULL, (void *)(intptr_t)sig) < 0 ||
		    waitpid(t.pid, &status, 0) != t.pid || !WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, t.pid, NULL, &now);
		if (WSTOPSIG(status) != SIGTRAP) {
			sig = WSTOPSIG(status);
			continue;
		}
		map_at(now.rip);
		follow(&was, &now, sig != 0);
		sig = 0;
		judge(&now);
		was = now;
	}
	kill(t.pid, SIGKILL);
	for (unsigned i = 0; i < t.nr_shown; i++)
		if (t.shown[i].nr > 1)
			printf("# %" PRIu64 " like that in %s (%s)\n", t.shown[i].nr, t.shown[i].where,
			       t.shown[i].what);
	printf("%" PRIu64 " steps, %" PRIu64 " stacks not right; %" PRIu64 " in code without tables, %" PRIu64
	       " in jumps, %" PRIu64 " copied ones not whole\n", t.steps, t.wrong, t.no_table, t.jumping,
	       t.cut);
	if (t.steps == most || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return t.wrong != 0 || t.steps < 100 || t.no_table > NO_TABLE_MAX;
	printf("# '%s' did not end well\n", argv[1]);
	return 1;
}
#endif
