/* SPDX-License-Identifier: MIT */
#include "profile/significance.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* From here on a normal approximation is as good as the exact test. */
#define ENOUGH_EXPECTED 1000.0
/* Outcomes within rounding of each other are equally likely (R's fisher.test does the same). */
#define AS_LIKELY 1e-7

double significance_z(double level)
{
	double low = 0, high = 40, half;

	for (int i = 0; i < 100; i++) {
		half = (low + high) / 2;
		if (1 - erfc(half / M_SQRT2) < level)
			low = half;
		else
			high = half;
	}
	return high;
}

static double two_sided(double z)
{
	return erfc(fabs(z) / M_SQRT2);
}

static double log_gamma(double x)
{
	int sign;

	return lgamma_r(x, &sign);
}

static double log_choose(double n, double k)
{
	return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

/* --- exact tests ---------------------------------------------------------------------- */

/*
 * The number k of t events that fall on B. `n_a`, `n_b` not 0: out of so many draws on
 * either side (hypergeometric); else each with the probability q (binomial).
 */
struct outcomes {
	double t, n_a, n_b, q;
	double least, most;              /* of k */
};

static struct outcomes outcomes_of_draws(double t, double n_a, double n_b)
{
	return (struct outcomes){ .t = t, .n_a = n_a, .n_b = n_b, .least = fmax(0, t - n_a),
				  .most = fmin(t, n_b) };
}

static struct outcomes outcomes_of_coins(double t, double q)
{
	return (struct outcomes){ .t = t, .q = q, .most = t };
}

static double log_likely(const struct outcomes *o, double k)
{
	if (o->n_b > 0)
		return log_choose(o->n_b, k) + log_choose(o->n_a, o->t - k) -
		       log_choose(o->n_a + o->n_b, o->t);
	return log_choose(o->t, k) + k * log(o->q) + (o->t - k) * log1p(-o->q);
}

/* How much likelier k + 1 is than k. */
static double step_up(const struct outcomes *o, double k)
{
	if (o->n_b > 0)
		return (o->n_b - k) * (o->t - k) / ((k + 1) * (o->n_a - o->t + k + 1));
	return (o->t - k) / (k + 1) * o->q / (1 - o->q);
}

static double mean(const struct outcomes *o)
{
	return o->n_b > 0 ? o->t * o->n_b / (o->n_a + o->n_b) : o->t * o->q;
}

/* Sum of the outcomes beyond `k`, in its direction, `k` with the likelihood `at` included. */
static double tail(const struct outcomes *o, double k, bool up, double at)
{
	double sum = 0;

	for (; k >= o->least && k <= o->most && at > 0; k += up ? 1 : -1) {
		sum += at;
		if (at < sum * 1e-17)
			break;
		at = up ? at * step_up(o, k) : k > o->least ? at / step_up(o, k - 1) : 0;
	}
	return sum;
}

/*
 * Outcomes fall off on both sides of the likeliest one. From the mean away from `k`
 * the first that is no likelier than `k` starts the tail on the other side.
 */
static double exact_p(const struct outcomes *o, double k)
{
	bool up = k > mean(o);
	double seen = log_likely(o, k), other = up ? floor(mean(o)) : ceil(mean(o)), at;
	double sum = tail(o, k, up, exp(seen));

	other = fmin(fmax(other, o->least), o->most);
	if (other == k)
		other += up ? -1 : 1;
	if (other < o->least || other > o->most)
		return fmin(sum, 1);
	at = log_likely(o, other);
	while (at > seen + AS_LIKELY) {
		at += log(up ? 1 / step_up(o, other - 1) : step_up(o, other));
		other += up ? -1 : 1;
		if (other < o->least || other > o->most)
			return fmin(sum, 1);
	}
	return fmin(sum + tail(o, other, !up, exp(at)), 1);
}

/* The p of the least likely outcome there is. */
static double least_p(const struct outcomes *o)
{
	double low = log_likely(o, o->least), high = log_likely(o, o->most);

	if (o->least == o->most)
		return 1;
	if (fabs(low - high) <= AS_LIKELY)
		return exp(low) + exp(high);
	return exp(fmin(low, high));
}

/* --- shares ----------------------------------------------------------------------------- */

struct interval { double low, high; };

/* The Wilson score interval. */
static struct interval wilson(double p, double n, double z)
{
	double zz = z * z, middle = (p + zz / (2 * n)) / (1 + zz / n);
	double half = z / (1 + zz / n) * sqrt(p * (1 - p) / n + zz / (4 * n * n));

	return (struct interval){ p > 0 ? fmax(middle - half, 0) : 0, p < 1 ? fmin(middle + half, 1) : 1 };
}

static double share(const struct tally *row, const struct tally *total)
{
	return total->period ? (double)row->period / (double)total->period : 0;
}

/* Equal samples that would tell as much of the share as the weighted ones do. */
static double effective_samples(const struct tally *row, const struct tally *total, double p)
{
	double w = (double)total->period, all, variance;

	if (!(total->squares > 0))
		return (double)total->samples;
	all = w * w / total->squares;
	variance = (row->squares * (1 - 2 * p) + p * p * total->squares) / (w * w);
	return p > 0 && p < 1 && variance > 0 ? fmin(p * (1 - p) / variance, all) : all;
}

static double pooled_z(double p, double n_p, double q, double n_q)
{
	double pool = (p * n_p + q * n_q) / (n_p + n_q);

	return (q - p) / sqrt(pool * (1 - pool) * (1 / n_p + 1 / n_q));
}

static void test_shares(struct difference *d, double p, double n_a, double q, double n_b)
{
	double a = round(p * n_a), b = round(q * n_b), t = a + b, whole, fewest;
	struct outcomes o;

	n_a = round(n_a);
	n_b = round(n_b);
	whole = n_a + n_b;
	d->p = d->p_least = 1;
	if (t <= 0 || t >= whole || n_a < 1 || n_b < 1)
		return;
	fewest = fmin(t, whole - t) * fmin(n_a, n_b) / whole;
	if (fewest >= ENOUGH_EXPECTED) {
		d->p = two_sided(pooled_z(p, n_a, q, n_b));
		d->p_least = 0;
		return;
	}
	o = outcomes_of_draws(t, n_a, n_b);
	d->p = exact_p(&o, b);
	d->p_least = least_p(&o);
}

static void set_delta(struct difference *d, double a, struct interval in_a, double b,
		      struct interval in_b)
{
	d->delta = b - a;
	d->low = d->delta - hypot(b - in_b.low, in_a.high - a);
	d->high = d->delta + hypot(in_b.high - b, a - in_a.low);
}

void compare_shares(struct difference *d, const struct tally *a, const struct tally *total_a,
		    const struct tally *b, const struct tally *total_b, double z)
{
	double p = share(a, total_a), q = share(b, total_b);
	double n_a = effective_samples(a, total_a, p), n_b = effective_samples(b, total_b, q);

	*d = (struct difference){ .ratio = p > 0 ? q / p : NAN, .ratio_low = NAN, .ratio_high = NAN };
	set_delta(d, p, n_a > 0 ? wilson(p, n_a, z) : (struct interval){ 0, 1 }, q,
		  n_b > 0 ? wilson(q, n_b, z) : (struct interval){ 0, 1 });
	test_shares(d, p, n_a, q, n_b);
}

/* --- amounts ------------------------------------------------------------------------------ */

static double worth_one(const struct tally *t)
{
	return t->period && t->squares > 0 ? t->squares / (double)t->period : 0;
}

static double worth(const struct tally *row, const struct tally *total)
{
	double w = fmax(worth_one(row), worth_one(total));

	return w > 0 ? w : 1;
}

static struct interval poisson(double x, double each, double z)
{
	double middle = x + z * z / 2, half = z * sqrt(x + z * z / 4);

	return (struct interval){ each * fmax(middle - half, 0), each * (middle + half) };
}

static double odds(double q)
{
	return q < 1 ? q / (1 - q) : INFINITY;
}

static void test_amounts(struct difference *d, double x, double y, double q)
{
	struct outcomes o;
	double t;

	x = round(x);
	y = round(y);
	t = x + y;
	d->p = d->p_least = 1;
	if (t < 1 || !(q > 0) || !(q < 1))
		return;
	if (t * fmin(q, 1 - q) >= ENOUGH_EXPECTED) {
		d->p = two_sided((y - t * q) / sqrt(t * q * (1 - q)));
		d->p_least = 0;
		return;
	}
	o = outcomes_of_coins(t, q);
	d->p = exact_p(&o, y);
	d->p_least = least_p(&o);
}

void compare_amounts(struct difference *d, const struct tally *a, const struct tally *total_a,
		     double scale_a, const struct tally *b, const struct tally *total_b,
		     double scale_b, double z)
{
	double worth_a = scale_a * worth(a, total_a), worth_b = scale_b * worth(b, total_b);
	double amount_a = scale_a * (double)a->period, amount_b = scale_b * (double)b->period;
	double x = amount_a / worth_a, y = amount_b / worth_b;

	*d = (struct difference){ .ratio = NAN, .ratio_low = NAN, .ratio_high = NAN };
	set_delta(d, amount_a, poisson(x, worth_a, z), amount_b, poisson(y, worth_b, z));
	if (amount_a > 0) {
		struct interval in = wilson(y / (x + y), x + y, z);

		d->ratio = amount_b / amount_a;
		d->ratio_low = odds(in.low) * worth_b / worth_a;
		d->ratio_high = odds(in.high) * worth_b / worth_a;
	}
	/* equal amounts: as many events as one is worth less */
	test_amounts(d, x, y, worth_a / (worth_a + worth_b));
}

/* --- many rows ------------------------------------------------------------------------------- */

static int by_p(const void *x, const void *y)
{
	const struct difference *a = *(struct difference *const *)x;
	const struct difference *b = *(struct difference *const *)y;

	return (a->p > b->p) - (a->p < b->p);
}

static int by_least(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* Tarone's K: the least k such that at most k of the rows could ever reach alpha / k. */
static size_t able(struct difference *const *family, size_t nr, double alpha)
{
	double *least = mem_realloc_array(NULL, nr + 1, sizeof(*least));
	size_t k = 1, reach = nr;

	for (size_t i = 0; i < nr; i++)
		least[i] = family[i]->p_least;
	qsort(least, nr, sizeof(*least), by_least);
	for (; k <= nr; k++) {
		while (reach && least[reach - 1] > alpha / (double)k)
			reach--;
		if (reach <= k)
			break;
	}
	free(least);
	return k;
}

void judge(struct difference *const *family, size_t nr, double level)
{
	double alpha = 1 - level;
	size_t k = able(family, nr, alpha), place = 0;
	struct difference **able_ones = mem_realloc_array(NULL, nr + 1, sizeof(*able_ones));
	size_t n = 0;

	for (size_t i = 0; i < nr; i++) {
		family[i]->real = false;
		if (family[i]->p_least <= alpha / (double)k)
			able_ones[n++] = family[i];
	}
	qsort(able_ones, n, sizeof(*able_ones), by_p);
	for (; place < n && able_ones[place]->p <= alpha / (double)(k - place); place++)
		able_ones[place]->real = true;
	free(able_ones);
}
