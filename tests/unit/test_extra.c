/* SPDX-License-Identifier: MIT */
/* Extras of a profile: cgroups, times, topology and parents, from recordings made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <regex.h>
#include <stdlib.h>

#include "profile/extra.h"
#include "tests/unit/records.h"

#define USER PERF_RECORD_MISC_USER
#define CGROUP_TYPE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | \
		     PERF_SAMPLE_PERIOD | PERF_SAMPLE_WEIGHT | PERF_SAMPLE_CGROUP)

struct feature { unsigned bit; struct str bytes; };

/* A recording of one event around `data`, with features in the order of their bits. */
static struct perf_data *recording(const struct str *data, uint64_t sample_type,
				   const struct feature *features, unsigned nr)
{
	struct perf_event_attr attr = test_attr();
	uint64_t data_at = 104 + sizeof(attr) + 16, at = data_at + data->len + 16 * nr, bits = 0;
	struct str s = STR_INIT;
	struct perf_data *d = NULL;
	struct err err = ERR_INIT;
	char path[32];

	attr.sample_type = sample_type;
	for (unsigned i = 0; i < nr; i++)
		bits |= 1ull << features[i].bit;
	str_addn(&s, "PERFILE2", 8);
	put64(&s, 104);
	put64(&s, sizeof(attr) + 16);
	put64(&s, 104);
	put64(&s, sizeof(attr) + 16);
	put64(&s, data_at);
	put64(&s, data->len);
	put64(&s, 0);
	put64(&s, 0);
	put64(&s, bits);
	put64(&s, 0);
	put64(&s, 0);
	put64(&s, 0);
	str_addn(&s, &attr, sizeof(attr));
	put64(&s, 0);
	put64(&s, 0);
	str_addn(&s, data->p, data->len);
	for (unsigned i = 0; i < nr; i++) {
		put64(&s, at);
		put64(&s, features[i].bytes.len);
		at += features[i].bytes.len;
	}
	for (unsigned i = 0; i < nr; i++)
		str_addn(&s, features[i].bytes.p, features[i].bytes.len);
	write_temp(path, s.p, s.len);
	if (perf_data_open(&d, path, &err) < 0)
		fail_msg("%s", err.msg);
	unlink(path);
	str_release(&s);
	return d;
}

static struct profile *load(struct perf_data *data, const struct profile_query *query)
{
	struct profile *p = NULL;
	struct err err = ERR_INIT;

	if (profile_load(&p, data, query, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static void put_one(struct str *s, uint64_t time_ns, uint32_t cpu, uint64_t weight, uint64_t cgroup)
{
	size_t at = begin(s, PERF_RECORD_SAMPLE, USER);

	put64(s, 0x1000);
	put32(s, 1);
	put32(s, 1);
	put64(s, time_ns);
	put32(s, cpu);
	put32(s, 0);
	put64(s, 1);
	put64(s, weight);
	put64(s, cgroup);
	finish(s, at);
}

static void put_cgroup(struct str *s, uint64_t id, const char *path)
{
	size_t at = begin(s, PERF_RECORD_CGROUP, 0);

	put64(s, id);
	put_name(s, path);
	put32(s, 1);             /* TID, TIME, CPU of the trailer */
	put32(s, 1);
	put64(s, 1);
	put32(s, 0);
	put32(s, 0);
	finish(s, at);
}

static uint64_t samples_of(const struct profile *p, uint32_t extra, uint64_t value)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->nr_entries; i++)
		if (profile_extra(p, p->entries[i].extra, extra) == value)
			n += p->entries[i].samples;
	return n;
}

static uint64_t samples_of_text(const struct profile *p, uint32_t extra, const char *text)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->nr_entries; i++) {
		const char *t = profile_extra_text(p, p->entries[i].extra, extra);

		if (t ? text && strcmp(t, text) == 0 : !text)
			n += p->entries[i].samples;
	}
	return n;
}

static void values_come_from_the_sample(void **state)
{
	static const struct extra list[] = {
		{ .kind = EXTRA_CGROUP }, { .kind = EXTRA_TIME, .quantum_ns = 1000 },
		{ .kind = EXTRA_WEIGHT },
	};
	struct profile_query query = { .extra_list = list, .nr_extras = 3 };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	put_cgroup(&data, 70, "/a");
	put_cgroup(&data, 71, "/b");
	put_one(&data, 1100, 0, 5, 70);
	put_one(&data, 1900, 0, 5, 71);
	put_one(&data, 2000, 0, 5, 71);
	put_one(&data, 2001, 0, 6, 99);
	p = load(recording(&data, CGROUP_TYPE, NULL, 0), &query);
	assert_int_equal(p->nr_entries, 4);
	assert_int_equal(samples_of_text(p, 0, "/a"), 1);
	assert_int_equal(samples_of_text(p, 0, "/b"), 2);
	assert_int_equal(samples_of_text(p, 0, NULL), 1);
	assert_int_equal(samples_of(p, 1, 1000), 2);
	assert_int_equal(samples_of(p, 1, 2000), 2);
	assert_int_equal(samples_of(p, 2, 5), 3);
	assert_int_equal(samples_of(p, 2, 6), 1);
	profile_free(p);
	/* without extras they are one */
	query.nr_extras = 0;
	p = load(recording(&data, CGROUP_TYPE, NULL, 0), &query);
	assert_int_equal(p->nr_entries, 1);
	profile_free(p);
	str_release(&data);
}

/* Of one sample in "/a" and eight in "/b" an eighth: (1+4)/8 = 0, (8+5)/8 = 1; "/b" is the first text then. */
static void texts_go_with_entries(void **state)
{
	static const struct extra list[] = { { .kind = EXTRA_CGROUP }, { .kind = EXTRA_WEIGHT } };
	struct profile_query query = { .extra_list = list, .nr_extras = 2, .lasting = true, .jobs = 1 };
	struct str data = STR_INIT;
	struct err err = ERR_INIT;
	struct profile *p;

	(void)state;
	put_cgroup(&data, 70, "/a");
	put_cgroup(&data, 71, "/b");
	put_one(&data, 1100, 0, 5, 70);
	for (unsigned i = 0; i < 8; i++)
		put_one(&data, 1200 + i, 0, 6, 71);
	p = load(recording(&data, CGROUP_TYPE, NULL, 0), &query);
	assert_int_equal(samples_of(p, 0, 0), 1);
	assert_int_equal(samples_of(p, 0, 1), 8);
	profile_fade(p, 1, 8);
	assert_int_equal(p->nr_entries, 1);
	assert_int_equal(samples_of(p, 0, 0), 1);
	assert_int_equal(samples_of_text(p, 0, "/b"), 1);
	assert_int_equal(samples_of(p, 1, 6), 1);
	data.len = 0;
	put_one(&data, 2000, 0, 6, 71);
	put_one(&data, 2001, 0, 5, 70);
	if (profile_add(p, recording(&data, CGROUP_TYPE, NULL, 0), 0, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(p->nr_entries, 2);
	assert_int_equal(samples_of_text(p, 0, "/b"), 2);
	assert_int_equal(samples_of(p, 0, 1), 1);
	assert_int_equal(samples_of_text(p, 0, "/a"), 1);
	profile_free(p);
	str_release(&data);
}

static void put_string(struct str *s, const char *text)
{
	size_t n = strlen(text);

	put32(s, 64);
	str_addn(s, text, n);
	while (n++ < 64)
		str_addc(s, '\0');
}

/* Four CPUs, of which 0 and 2 are socket 0 and 1 and 3 socket 7; node 1 has 0-1, node 4 has 3. */
static void topology(struct feature out[3])
{
	for (int i = 0; i < 3; i++)
		out[i].bytes = (struct str)STR_INIT;
	out[0].bit = FEATURE_NRCPUS;
	put32(&out[0].bytes, 4);
	put32(&out[0].bytes, 4);
	out[1].bit = FEATURE_CPU_TOPOLOGY;
	put32(&out[1].bytes, 2);
	put_string(&out[1].bytes, "0,2");
	put_string(&out[1].bytes, "1,3");
	put32(&out[1].bytes, 1);
	put_string(&out[1].bytes, "0-3");
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		put32(&out[1].bytes, cpu);
		put32(&out[1].bytes, cpu % 2 ? 7 : 0);
	}
	out[2].bit = FEATURE_NUMA_TOPOLOGY;
	put32(&out[2].bytes, 2);
	put32(&out[2].bytes, 1);
	put64(&out[2].bytes, 1000);
	put64(&out[2].bytes, 500);
	put_string(&out[2].bytes, "0-1");
	put32(&out[2].bytes, 4);
	put64(&out[2].bytes, 1000);
	put64(&out[2].bytes, 500);
	put_string(&out[2].bytes, "3,99999999999");
}

static void sockets_and_nodes_come_from_the_header(void **state)
{
	static const struct extra list[] = { { .kind = EXTRA_SOCKET }, { .kind = EXTRA_NODE } };
	struct profile_query query = { .extra_list = list, .nr_extras = 2 };
	struct feature features[3];
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	for (uint32_t cpu = 0; cpu < 5; cpu++)
		put_one(&data, 1, cpu, 0, 0);
	topology(features);
	p = load(recording(&data, CGROUP_TYPE, features, 3), &query);
	assert_int_equal(samples_of(p, 0, 0), 2);
	assert_int_equal(samples_of(p, 0, 7), 2);
	assert_int_equal(samples_of(p, 0, EXTRA_UNKNOWN), 1);
	assert_int_equal(samples_of(p, 1, 1), 2);
	assert_int_equal(samples_of(p, 1, 4), 1);
	assert_int_equal(samples_of(p, 1, EXTRA_UNKNOWN), 2);
	profile_free(p);
	/* cut anywhere: what is whole is believed, and nothing is read beyond */
	for (size_t cut = features[1].bytes.len; cut-- > 0;) {
		struct feature some[3] = { features[0], features[1], features[2] };

		some[1].bytes.len = cut;
		some[2].bytes.len = cut < some[2].bytes.len ? cut : some[2].bytes.len;
		p = load(recording(&data, CGROUP_TYPE, some, 3), &query);
		assert_int_equal(p->account.samples, 5);
		profile_free(p);
	}
	for (int i = 0; i < 3; i++)
		str_release(&features[i].bytes);
	str_release(&data);
}

static void a_recording_without_topology_knows_none(void **state)
{
	static const struct extra list[] = { { .kind = EXTRA_SOCKET }, { .kind = EXTRA_NODE },
					     { .kind = EXTRA_TRACE },
					     { .kind = EXTRA_FIELD, .name = "prev_comm" } };
	struct profile_query query = { .extra_list = list, .nr_extras = 4 };
	struct str data = STR_INIT;
	struct profile *p;

	(void)state;
	put_one(&data, 1, 0, 0, 0);
	p = load(recording(&data, CGROUP_TYPE, NULL, 0), &query);
	assert_int_equal(samples_of(p, 0, EXTRA_UNKNOWN), 1);
	assert_int_equal(samples_of(p, 1, EXTRA_UNKNOWN), 1);
	assert_int_equal(samples_of_text(p, 2, NULL), 1);
	assert_int_equal(samples_of_text(p, 3, NULL), 1);
	assert_int_equal(profile_field_width(p, 3, 0), 0);
	profile_free(p);
	str_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_from_the_sample),
		cmocka_unit_test(texts_go_with_entries),
		cmocka_unit_test(sockets_and_nodes_come_from_the_header),
		cmocka_unit_test(a_recording_without_topology_knows_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
