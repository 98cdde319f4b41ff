/* SPDX-License-Identifier: MIT */
/*
 * A program whose instructions are counted by hand: no library, nothing before
 * _start, one system call. On arm64 and x86-64 it executes
 *
 *	LOOPS * 2	in spin_short, and 3 for its call, its counter and its return
 *	LOOPS * 6	in spin_long, the same way
 *	3		to leave
 *
 * which is 8 * LOOPS + 9: 24000009. spin_long has three quarters of it, and, on a
 * machine where each instruction takes one cycle, of the cycles.
 *
 * Built with -nostdlib -static.
 */
#define LOOPS "3000000"

#if defined(__aarch64__)
#define SPIN(name, loops)                                                                     \
	__asm__(".text\n.globl " name "\n.type " name ", %function\n.balign 64\n" name ":\n"  \
		"	ldr	x0, =" loops "\n"                                             \
		"1:	subs	x0, x0, #1\n"                                                 \
		"	b.ne	1b\n"                                                         \
		"	ret\n"                                                                \
		".ltorg\n.size " name ", . - " name "\n")
#define START                                                                                 \
	"	bl	spin_short\n"                                                         \
	"	bl	spin_long\n"                                                          \
	"	mov	x0, #0\n"                                                             \
	"	mov	x8, #94\n"                                                            \
	"	svc	#0\n"
#elif defined(__x86_64__)
#define SPIN(name, loops)                                                                     \
	__asm__(".text\n.globl " name "\n.type " name ", @function\n.balign 64\n" name ":\n"  \
		"	mov	$" loops ", %ecx\n"                                           \
		"1:	dec	%ecx\n"                                                       \
		"	jnz	1b\n"                                                         \
		"	ret\n"                                                                \
		".size " name ", . - " name "\n")
#define START                                                                                 \
	"	call	spin_short\n"                                                         \
	"	call	spin_long\n"                                                          \
	"	xor	%edi, %edi\n"                                                         \
	"	mov	$231, %eax\n"                                                         \
	"	syscall\n"
#else
#error "no instructions for this architecture"
#endif

SPIN("spin_short", LOOPS);
SPIN("spin_long", LOOPS " * 3");
__asm__(".text\n.globl _start\n_start:\n" START ".size _start, . - _start\n");
