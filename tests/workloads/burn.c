/* SPDX-License-Identifier: MIT */
/*
 * burn [SECONDS [UNITS]]: three functions that use 50, 30 and 20 % of the CPU time, until
 * that many seconds of it are used (so many samples, however busy the machine is).
 * UNITS are ten letters a, b and c for other shares; "aaaaabbbcc" are the usual ones.
 *
 *	main -> phase -> burn_a (5 units of work in 10), burn_b (3), burn_c (2)
 *
 * A unit is the same loop in each, about 20 us. The ten units of a round come in
 * random order, so that no sampling period can fall in step with them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNIT_LOOPS 80000
#define NOINLINE __attribute__((noinline, noclone))

/*
 * Alignment matters to a loop's speed; all three get the same. gcc gives a leaf no
 * frame, whatever its flags, unless it asks for its address; without one a chain
 * by frame pointers lacks the caller.
 */
#define DEFINE_BURN(name)                                                \
	NOINLINE __attribute__((aligned(64))) static void name(void)     \
	{                                                                \
		uint64_t n = UNIT_LOOPS;                                 \
									 \
		__asm__ volatile("" : : "r"(__builtin_frame_address(0))); \
		while (n) {                                              \
			n--;                                             \
			__asm__ volatile("" : "+r"(n));                  \
		}                                                        \
		__asm__ volatile("");                                    \
	}

DEFINE_BURN(burn_a)
DEFINE_BURN(burn_b)
DEFINE_BURN(burn_c)

static uint32_t seed = 12345;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)seed * below) >> 32);
}

NOINLINE static void phase(uint64_t *units, const char *letters)
{
	char bag[10];

	memcpy(bag, letters, sizeof(bag));
	for (uint32_t left = 10; left; left--) {
		uint32_t i = draw(left);
		char unit = bag[i];

		bag[i] = bag[left - 1];
		if (unit == 'a')
			burn_a();
		else if (unit == 'b')
			burn_b();
		else
			burn_c();
		units[unit - 'a']++;
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double end = argc > 1 ? atof(argv[1]) : 2.0;
	const char *letters = argc > 2 ? argv[2] : "aaaaabbbcc";
	uint64_t units[3] = { 0 };

	if (strlen(letters) != 10 || letters[strspn(letters, "abc")])
		return 2;
	do {
		/* That clock is a system call: seldom. */
		for (int i = 0; i < 8; i++)
			phase(units, letters);
	} while (now() < end);
	printf("burn_a %llu burn_b %llu burn_c %llu\n", (unsigned long long)units[0],
	       (unsigned long long)units[1], (unsigned long long)units[2]);
	return 0;
}
