/* SPDX-License-Identifier: MIT */
/* masks: the text of --threads, and which thread has which CPUs on a machine that is made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/masks.h"
#include "engine/topology.h"

/* Of each mask its CPUs and where it runs, as they were given. */
static void expect(const struct masks *m, const char *text)
{
	char line[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < m->nr; i++) {
		at += (size_t)sprintf(line + at, "%s", i ? ":" : "");
		for (size_t j = 0; j < m->v[i].cpus.nr; j++)
			at += (size_t)sprintf(line + at, "%s%d", j ? "," : "", m->v[i].cpus.v[j]);
		at += (size_t)sprintf(line + at, "/");
		for (size_t j = 0; j < m->v[i].on.nr; j++)
			at += (size_t)sprintf(line + at, "%s%d", j ? "," : "", m->v[i].on.v[j]);
	}
	assert_string_equal(line, text);
}

static void watch(cpu_vec *cpus, const char *list)
{
	vec_release(cpus);
	assert_int_equal(cpu_list_parse(list, cpus), 0);
}

static void test_given(void **state)
{
	struct masks m = { 0 }, out;
	cpu_vec cpus = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(masks_parse(&m, "0,2-4/2-4:1,5-7/5-7", &err), 0);
	assert_int_equal(m.kind, MASKS_GIVEN);
	expect(&m, "0,2,3,4/2,3,4:1,5,6,7/5,6,7");
	/* those that are not watched are left out; where a thread runs stays */
	watch(&cpus, "0-1,7");
	assert_int_equal(masks_settle(&m, &cpus, NULL, &out, &err), 0);
	expect(&out, "0/2,3,4:1,7/5,6,7");
	masks_release(&out);

	watch(&cpus, "0,3");
	assert_int_equal(masks_settle(&m, &cpus, NULL, &out, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "mask 2 "));
	watch(&cpus, "0-1,9");
	assert_int_equal(masks_settle(&m, &cpus, NULL, &out, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "CPU 9"));
	assert_int_equal(out.nr, 0);
	masks_release(&m);
	vec_release(&cpus);
}

static void test_what_is_none(void **state)
{
	static const struct {
		const char *spec, *says;
	} wrong[] = {
		{ "0", "'0'" }, { "cpus", "'cpus'" }, { "0/", "'0/'" }, { "/0", "'/0'" },
		{ "0/0:", "'0/0:'" }, { ":0/0", "':0/0'" }, { "0/0/0", "'0/0/0'" },
		{ "1-0/0", "'1-0/0'" }, { "0/0::1/1", "'0/0::1/1'" }, { "x/0", "'x/0'" },
		{ "0-2/0:1/1", "CPU 1" }, { "0/0-3:1/1", "CPU 1" },
	};
	struct masks m = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(masks_parse(&m, wrong[i].spec, &err), -EINVAL);
		assert_non_null(strstr(err.msg, wrong[i].says));
		assert_int_equal(m.kind, MASKS_NONE);
		assert_int_equal(m.nr, 0);
	}
}

/* --- groups, by sysfs ------------------------------------------------------------------- */

static char root[] = "/tmp/test_masks.XXXXXX";

static void put(int cpu, const char *name, int value)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/devices/system/cpu/cpu%d/topology/%s", root, cpu, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d\n", value);
	fclose(file);
}

/* Two packages of two cores of two CPUs, numbered as kernels do: siblings are 4 apart. */
static int setup(void **state)
{
	char command[512];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (int cpu = 0; cpu < 8; cpu++) {
		snprintf(command, sizeof(command), "mkdir -p %s/devices/system/cpu/cpu%d/topology "
			 "%s/devices/system/cpu/cpu%d/node%d", root, cpu, root, cpu, cpu % 4 / 2);
		if (system(command) != 0)
			return -1;
		put(cpu, "physical_package_id", cpu % 4 / 2);
		put(cpu, "die_id", 0);
		put(cpu, "core_id", cpu % 2);
	}
	return 0;
}

static int setup_again(void **state)
{
	snprintf(root, sizeof(root), "/tmp/test_masks.XXXXXX");
	return setup(state);
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void test_groups(void **state)
{
	static const struct {
		const char *spec, *watched, *masks;
	} cases[] = {
		{ NULL, "0-2", "0/0:1/1:2/2" },
		{ "", "5,6", "5/5:6/6" },
		{ "cpu", "3", "3/3" },
		{ "core", "0-7", "0,4/0,4:1,5/1,5:2,6/2,6:3,7/3,7" },
		{ "core", "1,2,5", "1,5/1,5:2/2" },
		{ "package", "0-7", "0,1,4,5/0,1,4,5:2,3,6,7/2,3,6,7" },
		{ "numa", "2-5", "2,3/2,3:4,5/4,5" },
	};
	struct masks m = { 0 }, out;
	struct err err = ERR_INIT;
	cpu_vec cpus = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		watch(&cpus, cases[i].watched);
		assert_int_equal(masks_parse(&m, cases[i].spec, &err), 0);
		assert_int_equal(masks_settle(&m, &cpus, root, &out, &err), 0);
		expect(&out, cases[i].masks);
		masks_release(&out);
	}
	masks_release(&m);
	vec_release(&cpus);
}

/* The same machine, each package with a cluster of two cores that no core_id tells of. */
static void test_clusters(void **state)
{
	static const char *const labels[] = {
		"S0-D0-CLS8", "S0-D0-CLS8", "S1-D0-CLS9", "S1-D0-CLS9",
	};
	struct topology_place place, first;
	char label[64];

	(void)state;
	for (int cpu = 0; cpu < 8; cpu++) {
		put(cpu, "cluster_id", 8 + cpu % 4 / 2);
		topology_find(root, cpu, TOPOLOGY_CLUSTER, 0, &place);
		topology_label(&place, TOPOLOGY_CLUSTER, label, sizeof(label));
		assert_string_equal(label, labels[cpu % 4]);
		if (!cpu)
			first = place;
		assert_int_equal(topology_compare(&first, &place), cpu % 4 / 2 ? -1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clusters, setup_again, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
