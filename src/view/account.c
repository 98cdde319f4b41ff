/* SPDX-License-Identifier: MIT */
#include "view/account.h"

#include <inttypes.h>

#include "base/str.h"

#define DAMAGES_SHOWN 5

struct pen {
	FILE *out;
	const char *prefix;
	unsigned lines;
};

__attribute__((format(printf, 2, 3)))
static void line(struct pen *pen, const char *fmt, ...)
{
	struct str text = STR_INIT, safe = STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	str_addvf(&text, fmt, ap);
	va_end(ap);
	str_add_safe(&safe, text.p);
	fprintf(pen->out, "%s%s\n", pen->prefix, safe.p);
	str_release(&text);
	str_release(&safe);
	pen->lines++;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void write_unwinding(struct pen *pen, const struct profile_account *a)
{
	uint64_t unwound = 0;
	char n[32];

	for (unsigned i = 0; i < UNWIND_STOP_COUNT; i++)
		unwound += a->unwind_stops[i];
	for (unsigned i = UNWIND_END + 1; i < UNWIND_STOP_COUNT; i++) {
		const char *advice = unwind_stop_advice((enum unwind_stop)i);

		if (!a->unwind_stops[i])
			continue;
		line(pen, "Cut short: the stacks of %s samples (%.2f%% of those unwound): %s",
		     str_commas(a->unwind_stops[i], n), percent(a->unwind_stops[i], unwound),
		     unwind_stop_text((enum unwind_stop)i));
		if (*advice)
			line(pen, "           %s", advice);
	}
	if (a->stack_dumps)
		line(pen, "Not unwound: %s samples hold a copy of the user stack that cannot be used: "
		     "without registers, or of an architecture whose stacks are not unwound here: "
		     "their user callers are missing", str_commas(a->stack_dumps, n));
}

static void write_losses(struct pen *pen, const struct profile_account *a)
{
	uint64_t lost = a->lost_samples > a->lost_events ? a->lost_samples : a->lost_events;
	char n[32];

	if (lost)
		line(pen, "Lost: %s events: the recorder could not keep up: sample less (-F), give it "
		     "more memory (-m), or take fewer events", str_commas(lost, n));
	if (a->throttles)
		line(pen, "Throttled: the kernel paused sampling %s times to spare the CPU: sample "
		     "less (-F) or raise /proc/sys/kernel/perf_event_max_sample_rate",
		     str_commas(a->throttles, n));
	if (a->aux_bytes)
		line(pen, "Passed over: %s bytes of hardware trace (AUX), which this view does not "
		     "decode", str_commas(a->aux_bytes, n));
	if (a->unknown_records)
		line(pen, "Passed over: %s records of a type that is not known",
		     str_commas(a->unknown_records, n));
	if (a->unknown_features)
		line(pen, "Passed over: %u sections of the header of a kind that is not known",
		     a->unknown_features);
	if (a->bad_records)
		line(pen, "Damaged: %s records contradict themselves and were left out",
		     str_commas(a->bad_records, n));
	for (uint32_t i = 0; i < a->nr_damages && i < DAMAGES_SHOWN; i++)
		line(pen, "Damaged: at byte %" PRIu64 " %s; %" PRIu64 " bytes were left out",
		     a->damages[i].file_off, a->damages[i].what, a->damages[i].skipped_bytes);
	if (a->nr_damages > DAMAGES_SHOWN)
		line(pen, "Damaged: and at %u more places", a->nr_damages - DAMAGES_SHOWN);
	if (a->unfinished)
		line(pen, "Unfinished: the recorder was stopped before it could close the file; what "
		     "it wrote until then is shown");
	write_unwinding(pen, a);
}

static void write_names(struct pen *pen, const struct profile_account *a)
{
	uint64_t shown = a->samples - a->filtered;
	char n[32];

	for (unsigned r = NAME_OK + 1; r < NAME_REASON_COUNT; r++) {
		if (!a->unnamed[r])
			continue;
		line(pen, "Unnamed: %s samples (%.2f%%): %s", str_commas(a->unnamed[r], n),
		     percent(a->unnamed[r], shown), name_reason_text((enum name_reason)r));
		line(pen, "         %s", name_reason_advice((enum name_reason)r));
	}
	if (a->truncated_stacks)
		line(pen, "Cut short: the stacks of %s samples (%.2f%%) do not reach their root: code "
		     "without frame pointers, or deeper than kernel.perf_event_max_stack",
		     str_commas(a->truncated_stacks, n), percent(a->truncated_stacks, shown));
}

unsigned account_write(const struct profile_account *account, const char *prefix,
		       enum account_part parts, FILE *out)
{
	struct pen pen = { .out = out, .prefix = prefix };

	if (parts & ACCOUNT_LOSSES)
		write_losses(&pen, account);
	if (parts & ACCOUNT_NAMES)
		write_names(&pen, account);
	return pen.lines;
}

void account_add_brief(const struct profile_account *a, struct str *out)
{
	uint64_t lost = a->lost_events > a->lost_samples ? a->lost_events : a->lost_samples, unnamed = 0;
	size_t before = out->len;
	char n[32];

	for (unsigned i = 0; i < NAME_REASON_COUNT; i++)
		unnamed += a->unnamed[i];
	if (lost)
		str_addf(out, "%s lost  ", str_commas(lost, n));
	if (percent(unnamed, a->samples) >= 1)
		str_addf(out, "%.1f%% unnamed  ", percent(unnamed, a->samples));
	if (a->unfinished)
		str_add(out, "unfinished  ");
	else if (a->nr_damages || a->bad_records)
		str_add(out, "damaged  ");
	if (out->len > before)
		str_add(out, "(i tells why)");
}
