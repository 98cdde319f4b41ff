/* SPDX-License-Identifier: MIT */
/* Two coroutines on stacks of their own, switched by hand-written assembly with CFI. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

void co_switch(void **from, void *to);
void co_start(void);

__asm__(".text\n"
	".globl co_switch\n.type co_switch, @function\nco_switch:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset rbp, 0\n"
	"	push %rbx\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset rbx, 0\n"
	"	push %r12\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset r12, 0\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r12\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore r12\n"
	"	pop %rbx\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore rbx\n"
	"	pop %rbp\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore rbp\n"
	"	ret\n"
	"	.cfi_endproc\n.size co_switch, . - co_switch\n"
	/* where a coroutine begins: nobody called it */
	"	.globl co_start\n.type co_start, @function\n"
	"	.cfi_startproc\n	.cfi_undefined rip\n	nop\n"
	"co_start:\n"
	"	call *%rbx\n"
	"	ud2\n"
	"	.cfi_endproc\n.size co_start, . - co_start\n");

#define STACK_BYTES 65536

static void *main_sp, *co_sp[2];
static volatile int turns;

static __attribute__((noinline)) void yield(int me, int deep)
{
	if (deep)
		yield(me, deep - 1);
	else
		co_switch(&co_sp[me], me ? main_sp : co_sp[1]);
	turns++;
}

static void first(void)
{
	for (int i = 0;; i++)
		yield(0, i % 3);
}

static void second(void)
{
	for (int i = 0;; i++)
		yield(1, 2);
}

static void *prepare(void (*entry)(void))
{
	char *p = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t *sp;

	if (p == MAP_FAILED)
		return NULL;
	/* stacks next to each other are one mapping: keep them apart */
	mprotect(p, 4096, PROT_NONE);
	sp = (uint64_t *)(void *)(p + STACK_BYTES) - 6;
	sp[0] = 0;
	sp[1] = (uint64_t)(uintptr_t)entry;      /* rbx */
	sp[2] = 0;
	sp[3] = (uint64_t)(uintptr_t)co_start;
	return sp;
}

int main(void)
{
	co_sp[0] = prepare(first);
	co_sp[1] = prepare(second);
	if (!co_sp[0] || !co_sp[1])
		return 1;
	for (int i = 0; i < 4; i++)
		co_switch(&main_sp, co_sp[0]);
	return turns < 4;
}
