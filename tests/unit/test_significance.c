/* SPDX-License-Identifier: MIT */
/*
 * Tests and intervals against published examples and sums of exact fractions (Python's
 * fractions over all tables), and what is called real against draws of known programs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "profile/significance.h"

#define Z95 1.959963984540054

static struct tally equal(uint64_t n, uint64_t weight)
{
	return (struct tally){ n, n * weight, (double)n * (double)weight * (double)weight };
}

static struct difference shares(uint64_t x, uint64_t n, uint64_t y, uint64_t m, uint64_t weight)
{
	struct tally a = equal(x, weight), all_a = equal(n, weight);
	struct tally b = equal(y, weight), all_b = equal(m, weight);
	struct difference d;

	compare_shares(&d, &a, &all_a, &b, &all_b, Z95);
	return d;
}

static struct difference amounts(uint64_t x, uint64_t weight_a, uint64_t y, uint64_t weight_b)
{
	struct tally a = equal(x, weight_a), b = equal(y, weight_b);
	struct tally all_a = equal(1000, weight_a), all_b = equal(1000, weight_b);
	struct difference d;

	compare_amounts(&d, &a, &all_a, 1, &b, &all_b, 1, Z95);
	return d;
}

static void near(double value, double expected, double relative)
{
	if (!(fabs(value - expected) <= relative * fmax(fabs(expected), 1e-300)))
		fail_msg("%.17g is not %.17g", value, expected);
}

static void z_is_the_normal_quantile(void **state)
{
	(void)state;
	near(significance_z(0.95), Z95, 1e-9);
	near(significance_z(0.99), 2.5758293035489004, 1e-9);
	near(significance_z(0.5), 0.6744897501960817, 1e-9);
}

static void shares_are_tested_by_fishers_exact_test(void **state)
{
	static const struct { uint64_t x, n, y, m; double p; } cases[] = {
		{ 992, 1997, 1440, 3000, 0.2479702390740841 },
		{ 587, 1997, 916, 3000, 0.3953616425184006 },
		{ 0, 100, 6, 100, 0.028930282023157568 },
		{ 6, 100, 0, 100, 0.028930282023157568 },
		{ 50, 100, 70, 100, 0.005937341166015534 },
		{ 3, 1000, 15, 900, 0.0031354316406709297 },
		{ 1, 10, 9, 12, 0.003691355084543939 },
		{ 0, 5, 5, 5, 0.007936507936507936 },
		{ 500, 1000, 500, 1000, 1.0 },
		{ 10, 1000, 300, 1000, 2.9214064473911483e-86 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		/* what all samples are worth must not matter */
		for (uint64_t weight = 1; weight <= 1001001; weight += 1001000) {
			struct difference d = shares(cases[i].x, cases[i].n, cases[i].y, cases[i].m,
						     weight);

			near(d.p, cases[i].p, 1e-8);
			assert_true(d.p_least <= d.p * (1 + 1e-9));
		}
	}
}

static void large_counts_agree_with_the_z_test(void **state)
{
	/* z = 0.01 / sqrt(0.505 * 0.495 * 2 / 1e6) = 14.143, and 2.0002 with 20000 */
	struct difference d = shares(10000, 20000, 10200, 20000, 1);

	(void)state;
	near(d.p, erfc(0.01 / sqrt(0.505 * 0.495 * 2 / 20000) / sqrt(2)), 1e-6);
	d = shares(500000, 1000000, 510000, 1000000, 1);
	assert_true(d.p < 1e-40);
	d = shares(500000, 1000000, 500100, 1000000, 1);
	assert_true(d.p > 0.85 && d.p < 0.92);
}

/* Newcombe 1998, table II, method 10. */
static void intervals_are_newcombes(void **state)
{
	static const struct { uint64_t x, n, y, m; double low, high; } cases[] = {
		{ 48, 80, 56, 70, 0.0524, 0.3339 },
		{ 3, 10, 9, 10, 0.1705, 0.8090 },
		{ 2, 7, 6, 7, 0.0582, 0.8062 },
		{ 0, 29, 5, 56, -0.0381, 0.1926 },
		{ 0, 20, 10, 10, 0.6791, 1.0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct difference d = shares(cases[i].x, cases[i].n, cases[i].y, cases[i].m, 7);

		assert_true(fabs(d.low - cases[i].low) < 0.00006);
		assert_true(fabs(d.high - cases[i].high) < 0.00006);
	}
}

/*
 * Twelve samples: two of the row with period 3, ten others with 1. p = 6/16, V =
 * (18 * (1 - 12/16) + 28 * 36/256) / 256 = 8.4375/256, n* = p (1 - p) / V = 7.111; Wilson's
 * interval with that n is 0.12880 .. 0.70889. Against a share of 0 of 8 equal samples,
 * 0 .. 0.32441.
 */
static void unequal_weights_count_for_fewer_samples(void **state)
{
	struct tally row = { 2, 6, 18 }, all = { 12, 16, 28 };
	struct tally none = { 0 }, others = equal(8, 5);
	struct difference d;
	double p = 0.375, low = 0.12879744583814973, high = 0.7088865142874754;
	double none_high = 0.32440756488388023;

	(void)state;
	compare_shares(&d, &none, &others, &row, &all, Z95);
	near(d.delta, p, 1e-12);
	near(d.low, p - sqrt((p - low) * (p - low) + none_high * none_high), 1e-9);
	near(d.high, high, 1e-9);
	assert_true(isnan(d.ratio));
}

/* Many samples of next to no weight must not make a share look well known. */
static void light_samples_are_no_more_than_their_number(void **state)
{
	struct tally light = { 5, 5, 5 }, heavy = equal(5, 1000);
	struct tally all_light = { 1000, 995005, 995000005 }, all_heavy = equal(1000, 1000);
	struct difference d;

	(void)state;
	compare_shares(&d, &light, &all_light, &heavy, &all_heavy, Z95);
	assert_true(d.p > 0.05);
}

static void amounts_are_tested_by_the_binomial(void **state)
{
	struct difference d;

	(void)state;
	near(amounts(5, 1, 15, 1).p, 0.04138946533203125, 1e-9);
	near(amounts(0, 1, 8, 1).p, 0.0078125, 1e-9);
	near(amounts(100, 9, 100, 9).p, 1, 1e-9);
	/* events worth 1 and 4: under equal amounts four fifths of them fall on A */
	near(amounts(30, 1, 10, 4).p, 0.4295517029406798, 1e-9);
	/* a coin of 2/3 */
	near(amounts(3, 2, 1, 1).p, 1.0 / 9, 1e-9);
	d = amounts(100, 3, 150, 3);
	near(d.delta, 150, 1e-12);
	near(d.ratio, 1.5, 1e-12);
	assert_true(d.ratio_low > 1.15 && d.ratio_low < 1.19);
	assert_true(d.ratio_high > 1.90 && d.ratio_high < 1.95);
	assert_true(isnan(amounts(0, 1, 8, 1).ratio));
}

/* Holm 1979 at 5 %: 0.01 <= 0.05/4, 0.0125 <= 0.05/3, 0.02 <= 0.05/2, 0.06 > 0.05. */
static void judge_goes_down_in_steps(void **state)
{
	struct difference v[4] = { { .p = 0.02 }, { .p = 0.06 }, { .p = 0.01 }, { .p = 0.0125 } };
	struct difference *family[4] = { &v[0], &v[1], &v[2], &v[3] };

	(void)state;
	judge(family, 4, 0.95);
	assert_true(v[0].real && !v[1].real && v[2].real && v[3].real);
	/* one that stops at the second: 0.03 > 0.05/3 keeps the smaller rest from being looked at */
	v[3].p = v[0].p = 0.03;
	judge(family, 4, 0.95);
	assert_true(v[2].real && !v[3].real && !v[0].real && !v[1].real);
}

/*
 * Tarone 1990: a hundred rows of one sample can reach 0.5 at best and take nothing from
 * the two that can be real: 0.02 <= 0.05/2, 0.04 <= 0.05/1.
 */
static void rows_that_can_tell_nothing_cost_nothing(void **state)
{
	struct difference v[102], *family[102];

	(void)state;
	for (unsigned i = 0; i < 102; i++) {
		v[i] = (struct difference){ .p = 1, .p_least = 0.5 };
		family[i] = &v[i];
	}
	v[7] = (struct difference){ .p = 0.02, .p_least = 1e-9 };
	v[99] = (struct difference){ .p = 0.04, .p_least = 1e-9 };
	judge(family, 102, 0.95);
	assert_true(v[7].real && v[99].real && !v[0].real);
	judge(family, 0, 0.95);
}

/* --- draws of programs that are known ------------------------------------------------------ */

#define ROWS 40

static uint64_t seed = 88172645463325252;

static double draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double)(seed >> 11) / 9007199254740992.0;
}

/* Periods: equal; anything up to 1000; a few long ones among short ones. */
enum weights { ALL_ONE, UP_TO_1000, FEW_LONG };

static uint64_t draw_weight(enum weights weights)
{
	double u = draw();

	if (weights == FEW_LONG)
		return u < 0.1 ? 10000 : 1;
	return weights == UP_TO_1000 ? 1 + (uint64_t)(u * 1000) : 1;
}

/* Shares fall by a quarter from row to row; `boost` is taken from the last and given to row 3. */
static void sample_program(struct tally *rows, struct tally *total, unsigned n, double boost,
			   enum weights weights)
{
	for (unsigned i = 0; i < ROWS; i++)
		rows[i] = (struct tally){ 0 };
	*total = (struct tally){ 0 };
	for (unsigned s = 0; s < n; s++) {
		double u = draw();
		uint64_t weight = draw_weight(weights);
		unsigned row = 0;

		if (u < boost)
			row = 3;
		else
			for (u = draw(); u < 0.75 && row < ROWS - 1; row++)
				u /= 0.75;
		rows[row].samples++;
		rows[row].period += weight;
		rows[row].squares += (double)weight * (double)weight;
		total->samples++;
		total->period += weight;
		total->squares += (double)weight * (double)weight;
	}
}

/* Is any row called real, or, with `which` below ROWS, that one? */
static bool found(double boost, enum weights weights, bool of_amounts, unsigned which)
{
	struct tally a[ROWS], b[ROWS], all_a, all_b;
	struct difference d[ROWS], *family[ROWS];
	unsigned n = 0;
	bool any = false;

	sample_program(a, &all_a, 2000, 0, weights);
	sample_program(b, &all_b, of_amounts ? 2000 : 3000, boost, weights);
	for (unsigned i = 0; i < ROWS; i++) {
		d[i].real = false;
		if (!a[i].samples && !b[i].samples)
			continue;
		if (of_amounts)
			compare_amounts(&d[i], &a[i], &all_a, 1, &b[i], &all_b, 1, Z95);
		else
			compare_shares(&d[i], &a[i], &all_a, &b[i], &all_b, Z95);
		family[n++] = &d[i];
	}
	judge(family, n, 0.95);
	for (unsigned i = 0; i < ROWS; i++)
		any |= d[i].real && (which >= ROWS || i == which);
	return any;
}

/* In 2000 pairs of equal programs at most 5 % + 3 standard errors (0.49 %) have a real row. */
static void equal_programs_have_no_real_differences(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 6; kind++) {
		unsigned wrong = 0;

		for (unsigned i = 0; i < 2000; i++)
			wrong += found(0, (enum weights)(kind / 2), kind & 1, ROWS);
		print_message("kind %u: %u of 2000 equal pairs called different\n", kind, wrong);
		assert_true(wrong <= 2000 * 0.0646);
	}
}

/* A row of 10.5 % (0.25 * 0.75^3) that becomes 14 % with 2000 and 3000 samples: z is 3.6. */
static void a_change_of_a_third_is_found(void **state)
{
	unsigned right = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		right += found(0.05, ALL_ONE, false, 3);
	print_message("%u of 200 changes found\n", right);
	assert_true(right > 150);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(z_is_the_normal_quantile),
		cmocka_unit_test(shares_are_tested_by_fishers_exact_test),
		cmocka_unit_test(large_counts_agree_with_the_z_test),
		cmocka_unit_test(intervals_are_newcombes),
		cmocka_unit_test(unequal_weights_count_for_fewer_samples),
		cmocka_unit_test(light_samples_are_no_more_than_their_number),
		cmocka_unit_test(amounts_are_tested_by_the_binomial),
		cmocka_unit_test(judge_goes_down_in_steps),
		cmocka_unit_test(rows_that_can_tell_nothing_cost_nothing),
		cmocka_unit_test(equal_programs_have_no_real_differences),
		cmocka_unit_test(a_change_of_a_third_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
