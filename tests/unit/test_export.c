/* SPDX-License-Identifier: MIT */
/*
 * The export writers over a source made by hand; what is expected was worked out by hand
 * from the forms' own documents.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "formats/export.h"
#include "formats/flame_page.h"

/*
 *	main -> f -> f -> g     3 samples of 10 each, event 0, task "a b"
 *	main -> h (in g, inlined: h g)  2 samples of 1, event 1
 */
static const char *const names[] = { "main", "f", "g", "h\"<\xff>" };
static const uint32_t recursive[] = { 2, 1, 1, 0 }, inlined[] = { 3, 2, 0 };

static void get_event(const struct export_source *s, uint32_t i, struct export_event *out)
{
	(void)s;
	*out = (struct export_event){ i ? "faults" : "cpu clock", i ? "count" : "nanoseconds", i ? 1 : 0 };
}

static void get_module(const struct export_source *s, uint32_t i, struct export_module *out)
{
	static const uint8_t id[] = { 0xab, 0x01 };

	(void)s;
	(void)i;
	*out = (struct export_module){ "/bin/x", id, sizeof(id) };
}

static void get_frame(const struct export_source *s, uint32_t i, struct export_frame *out)
{
	(void)s;
	*out = (struct export_frame){ .name = names[i], .module = i == 3 ? EXPORT_NONE : 0,
				      .elf_addr = 0x100 * i, .bytes = 16,
				      .kind = i == 3 ? LABEL_INLINE : LABEL_USER };
	if (i == 0) {
		out->file = "m.c";
		out->line = 7;
	}
}

static void get_sample(const struct export_source *s, size_t i, struct export_sample *out)
{
	(void)s;
	*out = (struct export_sample){ .frames = i ? inlined : recursive, .nr_frames = i ? 3 : 4,
				       .event = (uint32_t)i, .comm = i ? NULL : "a b",
				       .pid = i ? EXPORT_NONE : 12, .tid = EXPORT_NONE, .cpu = EXPORT_NONE,
				       .samples = i ? 2 : 3, .period = i ? 2 : 30 };
}

static struct export_source source(enum stack_value value)
{
	return (struct export_source){ .nr_events = 2, .nr_modules = 1, .nr_frames = 4, .nr_samples = 2,
				       .event = get_event, .module = get_module, .frame = get_frame,
				       .sample = get_sample, .title = "x \"y\"", .value = value };
}

typedef int writer(const struct export_source *source, FILE *out, struct err *err);

static char *written(writer *write, enum stack_value value, size_t *size)
{
	struct export_source s = source(value);
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	assert_int_equal(write(&s, out, NULL), 0);
	fclose(out);
	return text;
}

static void check(writer *write, enum stack_value value, const char *expected)
{
	size_t size;
	char *text = written(write, value, &size);

	assert_string_equal(text, expected);
	free(text);
}

static void callgrind_has_own_costs_and_arcs(void **state)
{
	(void)state;
	/* f -> f is one arc of the stack that has it, however deep the recursion is. */
	check(callgrind_write, STACK_SAMPLES,
	      "# callgrind format\nversion: 1\ncreator: sonde\ncmd: x \"y\"\npositions: line\n"
	      "events: cpu_clock faults\nsummary: 3 2\n\n"
	      "ob=/bin/x\nfl=m.c\nfn=main\n7 0 0\n"
	      "cob=/bin/x\ncfi=???\ncfn=f\ncalls=1 0\n7 3 0\n"
	      "cob=/bin/x\ncfi=???\ncfn=g\ncalls=1 0\n7 0 2\n\n"
	      "ob=/bin/x\nfl=???\nfn=f\n0 0 0\n"
	      "cob=/bin/x\ncfi=???\ncfn=f\ncalls=1 0\n0 3 0\n"
	      "cob=/bin/x\ncfi=???\ncfn=g\ncalls=1 0\n0 3 0\n\n"
	      "ob=/bin/x\nfl=???\nfn=g\n0 3 0\n"
	      "cob=???\ncfi=???\ncfn=h\"<\\xff>\ncalls=1 0\n0 0 2\n\n"
	      "ob=???\nfl=???\nfn=h\"<\\xff>\n0 0 2\n\n");
}

static void speedscope_has_a_profile_for_each_event(void **state)
{
	(void)state;
	check(speedscope_write, STACK_PERIOD,
	      "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
	      "\"name\":\"x \\\"y\\\"\",\"exporter\":\"sonde\",\"activeProfileIndex\":0,\n"
	      "\"shared\":{\"frames\":[\n{\"name\":\"main\",\"file\":\"m.c\",\"line\":7},\n{\"name\":\"f\"},\n"
	      "{\"name\":\"g\"},\n{\"name\":\"h\\\"\\u003c\xef\xbf\xbd>\"}]},\n\"profiles\":[\n"
	      "{\"type\":\"sampled\",\"name\":\"cpu clock\",\"unit\":\"nanoseconds\",\"samples\":[[0,1,1,2]],\n"
	      "\"weights\":[30],\"startValue\":0,\"endValue\":30},\n"
	      "{\"type\":\"sampled\",\"name\":\"faults\",\"unit\":\"none\",\"samples\":[[0,2,3]],\n"
	      "\"weights\":[2],\"startValue\":0,\"endValue\":2}]}\n");
}

static void csv_quotes_what_needs_it(void **state)
{
	static const char *const fields[][2] = {
		{ "", "" }, { "plain", "plain" }, { "a,b", "\"a,b\"" }, { "\"", "\"\"\"\"" },
		{ " x", "\" x\"" }, { "a\"b\"c", "\"a\"\"b\"\"c\"" }, { "a\nb", "a\\x0ab" },
		{ "a\r\nb", "a\\x0d\\x0ab" }, { "a;b", "a;b" }, { "\t=1", "\\x09=1" },
	};
	struct str s = STR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		str_clear(&s);
		str_add(&s, "k,");
		str_add_csv(&s, fields[i][0]);
		assert_string_equal(s.p + 2, fields[i][1]);
	}
	str_release(&s);
	check(export_csv_write, STACK_SAMPLES,
	      "event,comm,pid,tid,cpu,samples,period,stack\r\n"
	      "cpu clock,a b,12,,,3,30,main;f;f;g\r\n"
	      "faults,,,,,2,2,\"main;g;h\"\"<\\xff>\"\r\n");
}

/*
 * Spreadsheets run what begins with = + - @, also in quotes (OWASP, "CSV Injection"); where
 * the list separator is ';', every part of a stack is a cell. Logins' shells and numbers
 * are no formulas that do anything, and stay.
 */
static void csv_has_no_formulas(void **state)
{
	static const char *const fields[][2] = {
		{ "=1+1", "'=1+1" }, { "=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0" },
		{ "=a,b", "\"'=a,b\"" }, { " =1", "' =1" }, { "=\"", "\"'=\"\"\"" },
		{ "+cmd|'/C calc'!A0", "'+cmd|'/C calc'!A0" }, { "-2+3", "'-2+3" },
		{ "-sum(A1)", "'-sum(A1)" }, { "@SUM(A1)", "'@SUM(A1)" },
		{ "\xef\xbc\x9d" "1", "'\xef\xbc\x9d" "1" }, { "main;=f(1);g", "main;'=f(1);g" },
		{ "a; @f(1)", "a;' @f(1)" },
		{ "-bash", "-bash" }, { "-", "-" }, { "--login", "--login" }, { "-11", "-11" },
		{ "+0.5", "+0.5" }, { "-1e-5", "-1e-5" }, { "@plt", "@plt" }, { "a=b", "a=b" },
		{ "operator==(int)", "operator==(int)" }, { "a;-sh;b", "a;-sh;b" }, { "'", "'" },
	};
	struct str s = STR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		str_clear(&s);
		str_add(&s, "k,");
		str_add_csv(&s, fields[i][0]);
		assert_string_equal(s.p + 2, fields[i][1]);
	}
	str_release(&s);
}

/* --- a reader of protobuf's wire form, for the few things that are looked at ---------------- */

struct field { unsigned number; uint64_t value; const uint8_t *bytes; size_t size; };

static uint64_t varint(const uint8_t **p)
{
	uint64_t n = 0;

	for (unsigned shift = 0;; shift += 7) {
		n |= (uint64_t)(**p & 0x7f) << shift;
		if (!(*(*p)++ & 0x80))
			return n;
	}
}

static bool next_field(const uint8_t **p, const uint8_t *end, struct field *f)
{
	uint64_t tag;

	if (*p >= end)
		return false;
	tag = varint(p);
	f->number = (unsigned)(tag >> 3);
	assert_true((tag & 7) == 0 || (tag & 7) == 2);
	f->value = varint(p);
	if ((tag & 7) == 2) {
		f->bytes = *p;
		f->size = f->value;
		*p += f->size;
		assert_true(*p <= end);
	}
	return true;
}

static size_t inflated(const char *gz, size_t size, uint8_t *out, size_t room)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)gz, .avail_in = (uInt)size, .next_out = out,
		       .avail_out = (uInt)room };

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
	return room - z.avail_out;
}

/* The numbers of a packed field in a message, as text: "1 2 3 ". */
static void packed(const struct field *message, unsigned number, char *out)
{
	const uint8_t *p = message->bytes, *end = p + message->size;
	struct field f;

	*out = '\0';
	while (next_field(&p, end, &f)) {
		if (f.number != number)
			continue;
		for (const uint8_t *q = f.bytes; q < f.bytes + f.size;)
			out += sprintf(out, "%llu ", (unsigned long long)varint(&q));
	}
}

static unsigned count(const struct field *message, unsigned number)
{
	const uint8_t *p = message->bytes, *end = p + message->size;
	struct field f;
	unsigned n = 0;

	while (next_field(&p, end, &f))
		n += f.number == number;
	return n;
}

/* Field numbers are those of profile.proto: 1 sample_type, 2 sample, 4 location, 5 function, 6 string. */
static void pprof_has_locations_with_their_inlined_functions(void **state)
{
	static const char *const values[] = { "3 30 0 0 ", "0 0 2 2 " };
	unsigned nr[16] = { 0 }, lines[8] = { 0 }, strings = 0, bad_utf8 = 0;
	char ids[2][64], text[64];
	uint8_t message[4096];
	size_t size;
	char *gz = written(pprof_write, STACK_SAMPLES, &size);
	const uint8_t *p = message, *end = message + inflated(gz, size, message, sizeof(message));
	struct field f;

	(void)state;
	while (next_field(&p, end, &f)) {
		assert_true(f.number < 16);
		if (f.number == 2) {
			packed(&f, 2, text);
			assert_string_equal(text, values[nr[2]]);
			packed(&f, 1, ids[nr[2]]);
			/* command and pid of the first; nothing is known of the second's task */
			assert_int_equal(count(&f, 3), nr[2] ? 0 : 2);
		} else if (f.number == 4) {
			lines[count(&f, 4)]++;
		} else if (f.number == 6) {
			assert_true(strings++ || f.size == 0);
			bad_utf8 += memchr(f.bytes, 0xff, f.size) != NULL;
		}
		nr[f.number]++;
	}
	assert_int_equal(nr[1], 4);
	assert_int_equal(nr[2], 2);
	assert_int_equal(nr[3], 1);
	assert_int_equal(nr[5], 4);
	assert_int_equal(bad_utf8, 0);
	/* g, f, main, and g with h in it */
	assert_int_equal(nr[4], 4);
	assert_int_equal(lines[1], 3);
	assert_int_equal(lines[2], 1);
	{
		int a[4], b[2];

		assert_int_equal(sscanf(ids[0], "%d %d %d %d", &a[0], &a[1], &a[2], &a[3]), 4);
		assert_int_equal(sscanf(ids[1], "%d %d", &b[0], &b[1]), 2);
		assert_int_equal(a[1], a[2]);
		assert_int_equal(a[3], b[1]);
		assert_int_not_equal(a[0], b[0]);
	}
	free(gz);
}

static void nothing_is_whole_too(void **state)
{
	static writer *const writers[] = { pprof_write, speedscope_write, callgrind_write,
					   export_json_write, export_csv_write };
	struct export_source s = source(STACK_SAMPLES);

	(void)state;
	s.nr_samples = s.nr_frames = s.nr_modules = 0;
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		FILE *full = fopen("/dev/full", "w");
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(writers[i](&s, out, NULL), 0);
		fclose(out);
		assert_true(size > 0);
		free(text);
		assert_int_equal(writers[i](&s, full, NULL), -ENOSPC);
		fclose(full);
	}
}

/* --- the page's rows ------------------------------------------------------------------------ */

/* One stack in 8 threads of one command on 3 CPUs at 200 times; thread t has t + 1 samples each time. */
#define THREADS 8u
#define TIMES 200u

static void get_small_one(const struct export_source *s, size_t i, struct export_sample *out)
{
	uint32_t tid = (uint32_t)i / TIMES, time = (uint32_t)i % TIMES;

	(void)s;
	*out = (struct export_sample){ .frames = recursive, .nr_frames = 4, .comm = "a b", .pid = 7, .tid = 10 + tid,
				       .cpu = time % 3, .bucket = time, .samples = tid + 1, .period = 1 };
}

static unsigned base64_digit(char c)
{
	return (unsigned)(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) -
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

/* The numbers of the page's data; returns how many. */
static size_t page_numbers(const char *page, uint64_t *out, size_t room)
{
	const char *c = strstr(page, "id=\"data\">");
	uint64_t n = 0;
	unsigned bits = 0, held = 0, shift = 0;
	size_t nr = 0;

	assert_non_null(c);
	for (c += strlen("id=\"data\">"); *c != '<' && *c != '=' && *c != '\n'; c++) {
		held = held << 6 | base64_digit(*c);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		n |= (uint64_t)(held >> bits & 0x7f) << shift;
		shift += 7;
		if (!(held >> bits & 0x80)) {
			assert_in_range(nr, 0, room - 1);
			out[nr++] = n;
			n = shift = 0;
		}
	}
	return nr;
}

static uint64_t page_samples(uint32_t most_rows, char **page)
{
	struct flame_page_options options = { .nr_buckets = TIMES, .bucket_ns = 1000, .most_rows = most_rows };
	struct export_source s = source(STACK_SAMPLES);
	uint64_t numbers[20000], sum = 0;
	size_t size, nr;
	FILE *out = open_memstream(page, &size);

	s.nr_events = 1;
	s.nr_samples = THREADS * TIMES;
	s.sample = get_small_one;
	assert_int_equal(flame_page_write(&s, &options, out, NULL), 0);
	fclose(out);
	nr = page_numbers(*page, numbers, 20000);
	/* main, f, f, g and the command: two numbers each; then eight for each row */
	assert_int_equal((nr - 10) % 8, 0);
	for (size_t i = 10; i < nr; i += 8)
		sum += numbers[i + 6];
	assert_int_equal(sum, TIMES * (1 + 2 + 3 + 4 + 5 + 6 + 7 + 8));
	return (nr - 10) / 8;
}

static void a_page_with_too_many_rows_joins_times_cpus_and_threads(void **state)
{
	char *page;

	(void)state;
	assert_int_equal(page_samples(0, &page), THREADS * TIMES);
	assert_non_null(strstr(page, "\"a b 7/17\""));
	free(page);
	/* 8 threads at 100 times on up to 2 CPUs each time, then on one */
	assert_int_equal(page_samples(800, &page), 800);
	assert_non_null(strstr(page, "\"a b 7/10\""));
	assert_non_null(strstr(page, "\"nr_buckets\":100"));
	free(page);
	/* 8, then the 4 with most samples and the others, then 2 and the others */
	assert_int_equal(page_samples(300, &page), 300);
	assert_non_null(strstr(page, "\"a b 7/16\""));
	assert_non_null(strstr(page, "\"a b 7/17\""));
	assert_non_null(strstr(page, "\"a b (others)\""));
	assert_null(strstr(page, "\"a b 7/15\""));
	free(page);
	/* one row is left at last */
	assert_int_equal(page_samples(1, &page), 1);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callgrind_has_own_costs_and_arcs),
		cmocka_unit_test(speedscope_has_a_profile_for_each_event),
		cmocka_unit_test(csv_quotes_what_needs_it), cmocka_unit_test(csv_has_no_formulas),
		cmocka_unit_test(pprof_has_locations_with_their_inlined_functions),
		cmocka_unit_test(nothing_is_whole_too),
		cmocka_unit_test(a_page_with_too_many_rows_joins_times_cpus_and_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
