/* SPDX-License-Identifier: MIT */
/*
 * significance: is the difference between two recordings more than chance?
 *
 *	tallies of a row and of all rows, twice --compare_*--> difference, interval, p
 *	the p of all rows                       --judge-----> which of them are real
 *
 * A profiler draws: each sample falls into a row with the probability of the row's
 * share. What is asked is whether two recordings can have been drawn from the same
 * program. How much a program changes from run to run is not asked and not known from
 * one recording of each; a real difference here may still be one between two runs.
 *
 * Samples weigh their periods. For a row with the periods w_i of all samples and
 * I_i = 1 where sample i is the row's, the share is p = sum(w I) / sum(w), and its
 * variance (linearised ratio; Cochran, Sampling Techniques, 3rd ed. 1977, 2.11) is
 *
 *	V = sum(w^2 (I - p)^2) / sum(w)^2
 *
 * which is p (1 - p) / n when all periods are equal. n* = p (1 - p) / V is the number
 * of equal samples that would tell as much (Korn and Graubard, Survey Methodology 24,
 * 193-201, 1998), at most the sum(w)^2 / sum(w^2) of the whole recording (Kish, Survey
 * Sampling, 1965): the few samples of a row say little of how their weights vary, and
 * light ones that came by chance must not make it look well known.
 *
 * Shares. Interval: Newcombe's hybrid score interval (Statistics in Medicine 17,
 * 873-890, 1998, method 10), which joins the two Wilson intervals. Test: Fisher's
 * exact one, two-sided (the tables that are at most as likely as the one seen), on
 * the effective counts; the pooled two-proportion z test where all four cells are
 * expected to hold 1000 or more.
 *
 * Amounts (periods, not normalised). A row's samples are a Poisson variable. Interval
 * of the difference: the two score intervals x + z^2/2 -+ z sqrt(x + z^2/4) joined in
 * the same way. Test and interval of the ratio: given the sum of both, one of them is
 * binomial (Przyborowski and Wilenski, Biometrika 31, 313-323, 1940). The effective
 * count is sum(w) / e, where one is worth e = sum(w^2) / sum(w) of the row, or, if that
 * is more and for the same reason, of the whole recording.
 *
 * Many rows are looked at together, so that p < 0.05 somewhere is certain. judge()
 * keeps the chance that any row at all is wrongly called real below 1 - level: Holm's
 * step-down procedure (Scandinavian Journal of Statistics 6, 65-70, 1979) over the
 * rows that have enough samples to be called real in the first place (Tarone,
 * Biometrics 46, 515-522, 1990).
 */
#ifndef PROFILE_SIGNIFICANCE_H
#define PROFILE_SIGNIFICANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
	uint64_t samples, period;
	double squares;                  /* sum of squared periods */
};

struct difference {
	double delta, low, high;         /* B - A with its interval */
	double ratio, ratio_low, ratio_high;   /* B / A; NAN where A has nothing, and for shares' bounds */
	double p;                        /* of a difference as large as this, or larger, by chance */
	double p_least;                  /* of the largest that so many samples could show */
	bool real;                       /* judge()'s word */
};

/* The z of a two-sided interval: 0.95 -> 1.96. 0 < level < 1. */
double significance_z(double level);

/* Of the rows' shares of their totals; delta in parts of 1. */
void compare_shares(struct difference *out, const struct tally *a, const struct tally *total_a,
		    const struct tally *b, const struct tally *total_b, double z);

/* Of scale_b * period of B and scale_a * period of A. The scales are above 0. */
void compare_amounts(struct difference *out, const struct tally *a, const struct tally *total_a,
		     double scale_a, const struct tally *b, const struct tally *total_b,
		     double scale_b, double z);

/* Set `real` of each of the family of differences. */
void judge(struct difference *const *family, size_t nr, double level);

#endif
