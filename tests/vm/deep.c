/* SPDX-License-Identifier: MIT */
/*
 * Code without frame pointers whose callers are known wherever leaf works: seven times deep
 * below main, with frames of different size, or a handler below raiser.
 */
#include <alloca.h>
#include <signal.h>
#include <string.h>

#define noinline __attribute__((noinline, noclone))

static volatile int sink;

static noinline void leaf(void)
{
	for (int i = 0; i < 200000; i++)
		sink++;
}

static noinline void deep(int n)
{
	char *p = alloca((size_t)n * 40 + 16);

	memset(p, n, (size_t)n * 40 + 16);
	if (n)
		deep(n - 1);
	else
		leaf();
	sink += p[n];
}

static noinline void handler(int sig)
{
	leaf();
	sink += sig;
}

static noinline void raiser(void)
{
	raise(SIGUSR1);
	sink++;
}

int main(void)
{
	signal(SIGUSR1, handler);
	for (int i = 0; i < 20; i++) {
		deep(6);
		raiser();
	}
	return 0;
}
