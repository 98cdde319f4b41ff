/* SPDX-License-Identifier: MIT */
/* Recursion, tail calls, frames of variable size, realigned frames, calls through pointers. */
#include <alloca.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define noinline __attribute__((noinline, noclone))

static volatile int sink;

static noinline void leaf(int n)
{
	sink += n;
}

static noinline int recurse(int n)
{
	int r = n ? recurse(n - 1) : sink;

	sink++;
	return r + n;
}

static noinline void tail(int n)
{
	sink = n;
	leaf(n + 1);
}

static noinline int variable(int n)
{
	char *p = alloca((size_t)n);

	memset(p, n, (size_t)n);
	leaf(p[n / 2]);
	return p[0];
}

static noinline int aligned(int n)
{
	_Alignas(64) volatile char b[64];

	b[n & 63] = (char)n;
	leaf(b[n & 63]);
	return (int)((uintptr_t)b & 63);
}

static noinline int aligned_variable(int n)
{
	_Alignas(64) volatile char b[64];
	char *p = alloca((size_t)n);

	b[n & 63] = (char)n;
	memset(p, 0, (size_t)n);
	leaf(b[n & 63] + p[n - 1]);
	return p[0];
}

static noinline void many(int a, int b, int c, int d, int e, int f, int g, int h)
{
	leaf(a + b + c + d);
	leaf(e + f + g + h);
	leaf(a * b * c * d * e * f * g * h);
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	void (*volatile through)(int) = tail;
	int v[] = { 3, 1, 2, 5, 4 };

	recurse(20);
	through(1);
	variable(100);
	variable(5000);
	if (aligned(3))
		return 1;
	aligned_variable(200);
	many(1, 2, 3, 4, 5, 6, 7, 8);
	qsort(v, 5, sizeof(v[0]), compare);
	return v[0] != 1;
}
