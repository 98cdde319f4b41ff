/* SPDX-License-Identifier: MIT */
/* Handlers on the same stack and on one of their own, nested; longjmp, out of one too. */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static volatile int seen;
static sigjmp_buf out;

static __attribute__((noinline)) void work(int n)
{
	if (n)
		work(n - 1);
	seen++;
}

static void on_usr1(int sig)
{
	work(sig & 3);
}

static void on_usr2(int sig)
{
	(void)sig;
	work(2);
	raise(SIGUSR1);
}

static void on_term(int sig)
{
	work(1);
	siglongjmp(out, sig);
}

static __attribute__((noinline)) void jump(jmp_buf *buf, int n)
{
	if (n)
		jump(buf, n - 1);
	seen++;
	longjmp(*buf, 1);
}

/* The first instruction of a function is where no call has led yet. */
__asm__(".text\n.globl trap_first\n.type trap_first, @function\ntrap_first:\n"
	".cfi_startproc\n\tmovl (%rdi), %eax\n\tret\n.cfi_endproc\n.size trap_first, . - trap_first\n");
int trap_first(const void *page);

static void *page;

static void on_segv(int sig)
{
	(void)sig;
	work(1);
	mprotect(page, 4096, PROT_READ);
}

int main(void)
{
	size_t size = 65536;
	stack_t stack = { .ss_size = size };
	struct sigaction own = { .sa_handler = on_usr2, .sa_flags = SA_ONSTACK };
	struct timespec now;
	jmp_buf buf;

	stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) < 0)
		return 1;
	page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	signal(SIGUSR1, on_usr1);
	signal(SIGTERM, on_term);
	sigaction(SIGUSR2, &own, NULL);
	signal(SIGSEGV, on_segv);
	raise(SIGUSR1);
	raise(SIGUSR2);
	trap_first(page);
	if (!setjmp(buf))
		jump(&buf, 3);
	if (!sigsetjmp(out, 1))
		raise(SIGTERM);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return seen < 10;
}
