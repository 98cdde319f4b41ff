/* SPDX-License-Identifier: MIT */
/*
 * hot divide|chase|guess SECONDS: each spends its time on one line, which is marked HOT.
 *
 *	divide  a division, whose result the next instruction needs
 *	chase   a load that misses the cache: pointers through 64 MB in random order
 *	guess   a branch on random bits, which no predictor knows
 *
 * The line of each holds the whole loop: without a precise event a sample lies on the
 * instruction behind the one that took the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NODES (1u << 20)
#define BYTES (1u << 16)

struct node { struct node *next; char pad[56]; };

static volatile unsigned even, odd;

static __attribute__((noinline)) unsigned divide(unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 1; i < n; i++) sum += (n ^ sum) / i;                                  /* HOT divide */
	return sum;
}

static __attribute__((noinline)) struct node *chase(struct node *p, unsigned n)
{
	while (n--) p = p->next;                                                                /* HOT chase */
	return p;
}

static __attribute__((noinline)) void guess(const unsigned char *bytes, unsigned n)
{
	for (unsigned i = 0; i < n; i++) if (bytes[i] & 1) odd = odd + 1; else even = even + 3; /* HOT guess */
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* One cycle through all nodes (Sattolo's shuffle). */
static struct node *make_nodes(void)
{
	struct node *nodes = malloc(NODES * sizeof(*nodes));
	unsigned *order = malloc(NODES * sizeof(*order));

	if (!nodes || !order)
		exit(1);
	for (unsigned i = 0; i < NODES; i++)
		order[i] = i;
	for (unsigned i = NODES - 1; i > 0; i--) {
		unsigned j = (unsigned)rand() % i, t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	for (unsigned i = 0; i < NODES; i++)
		nodes[order[i]].next = &nodes[order[(i + 1) % NODES]];
	free(order);
	return nodes;
}

int main(int argc, char **argv)
{
	static unsigned char bytes[BYTES];
	const char *what = argc > 1 ? argv[1] : "divide";
	struct node *p = strcmp(what, "chase") == 0 ? make_nodes() : NULL;
	unsigned sum = 0;
	double end;

	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (unsigned char)(rand() >> 8);
	end = now() + (argc > 2 ? atof(argv[2]) : 1.0);
	while (now() < end) {
		if (strcmp(what, "divide") == 0) {
			sum += divide(20000);
		} else if (p) {
			p = chase(p, 20000);
		} else {
			bytes[(unsigned)rand() % BYTES] ^= 1;
			guess(bytes, BYTES);
		}
	}
	printf("%u\n", sum + (p == NULL));
	return 0;
}
