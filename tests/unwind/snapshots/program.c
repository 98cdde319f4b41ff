/* SPDX-License-Identifier: MIT */
/*
 * What the aarch64 snapshots are of: no libc, so that the program is a few KB and is kept.
 * Recursion, tail calls, frames of variable size, a leaf without a frame, assembly with
 * CFI, signed return addresses, a signal handler on the same stack and on another.
 */
#define noinline __attribute__((noinline, noclone))

static volatile long sink;
static volatile char other_stack[16384] __attribute__((aligned(16)));

static long call(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

static noinline void leaf(long n)
{
	sink += n;
}

static noinline long recurse(long n)
{
	long r = n ? recurse(n - 1) : sink;

	sink++;
	return r + n;
}

static noinline void tail(long n)
{
	sink = n;
	leaf(n + 1);
}

static noinline long variable(long n)
{
	volatile char *p = __builtin_alloca((unsigned long)n);

	p[n / 2] = 3;
	leaf(p[n / 2]);
	return p[n / 2];
}

static noinline long big(long n)
{
	volatile char b[600];

	b[n] = 1;
	leaf(b[n]);
	return b[n];
}

long by_hand(long (*f)(long), long n);
__asm__(".text\n.globl by_hand\n.type by_hand, %function\nby_hand:\n"
	"	.cfi_startproc\n"
	"	hint #25\n	.cfi_negate_ra_state\n"          /* paciasp */
	"	str x30, [sp, #-32]!\n	.cfi_def_cfa_offset 32\n	.cfi_offset x30, -32\n"
	"	str x20, [sp, #16]\n	.cfi_offset x20, -16\n"
	"	mov x20, x0\n	mov x0, x1\n	blr x20\n"
	"	ldr x20, [sp, #16]\n	.cfi_restore x20\n"
	"	ldr x30, [sp], #32\n	.cfi_def_cfa_offset 0\n	.cfi_restore x30\n"
	"	hint #29\n	.cfi_negate_ra_state\n"          /* autiasp */
	"	ret\n	.cfi_endproc\n	.size by_hand, . - by_hand\n");

static void on_signal(int sig)
{
	leaf(sig);
}

struct action {
	void (*handler)(int);
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

static noinline void raise_it(int sig)
{
	call(129, call(172, 0, 0, 0, 0), sig, 0, 0);      /* kill(getpid(), sig) */
	sink++;
}

int main_c(void)
{
	struct action own = { on_signal, 0, 0, 0 }, other = { on_signal, 0x08000000, 0, 0 };
	struct { volatile char *sp; int flags; unsigned long size; } stack = {
		other_stack, 0, sizeof(other_stack),
	};

	recurse(6);
	tail(1);
	variable(100);
	big(3);
	by_hand(recurse, 2);
	call(134, 10, (long)&own, 0, 8);                  /* rt_sigaction(SIGUSR1) */
	call(134, 12, (long)&other, 0, 8);                /* rt_sigaction(SIGUSR2) */
	call(132, (long)&stack, 0, 0, 0);                 /* sigaltstack */
	raise_it(10);
	raise_it(12);
	return 0;
}

__asm__(".text\n.globl _start\n.type _start, %function\n_start:\n"
	"	.cfi_startproc\n	.cfi_undefined x30\n"
	"	mov x29, #0\n	mov x30, #0\n	bl main_c\n	mov x8, #94\n	svc #0\n"
	"	.cfi_endproc\n	.size _start, . - _start\n");
