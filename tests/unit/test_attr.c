/* SPDX-License-Identifier: MIT */
/*
 * attr_configure: options and event -> perf_event_attr. What is expected was read
 * off `perf record -vv` (perf 6.1) with the same options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/attr.h"

static struct event new_event(uint32_t type, uint64_t config)
{
	static char name[] = "event";
	struct event e = { .attr = { .type = type, .config = config }, .name = name, .scale = 1.0,
			   .time = -1, .inherit = -1 };

	return e;
}

static const struct attr_options plain = { .default_freq = 4000, .inherit = true, .nr_events = 1,
					   .command = true };

static void configure(struct event *e, const struct attr_options *o, bool tracking)
{
	struct err err = ERR_INIT;

	assert_int_equal(attr_configure(e, o, tracking, NULL, &err), 0);
}

/* perf record -F 99 -g true */
static void test_command_with_chains(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct attr_options o = plain;

	(void)state;
	o.freq = 99;
	o.callgraph = CALLGRAPH_FP;
	configure(&e, &o, true);
	assert_int_equal(e.attr.size, sizeof(e.attr));
	assert_int_equal(e.attr.sample_freq, 99);
	assert_int_equal(e.attr.freq, 1);
	assert_int_equal(e.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			 PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_PERIOD);
	assert_int_equal(e.attr.read_format, PERF_FORMAT_ID | PERF_FORMAT_LOST);
	assert_true(e.attr.disabled && e.attr.enable_on_exec && e.attr.inherit);
	assert_true(e.attr.mmap && e.attr.mmap2 && e.attr.comm && e.attr.comm_exec && e.attr.task);
	assert_true(e.attr.ksymbol && e.attr.bpf_event && e.attr.sample_id_all);
	assert_false(e.attr.mmap_data || e.attr.inherit_stat || e.attr.exclude_callchain_user);
}

/* perf record -e sched:sched_switch -a -g: the event and its dummy */
static void test_tracepoint_on_all_cpus(void **state)
{
	struct event e = new_event(PERF_TYPE_TRACEPOINT, 0x174), dummy;
	struct attr_options o = plain;

	(void)state;
	o.command = false;
	o.per_cpu = true;
	o.nr_events = 2;
	o.callgraph = CALLGRAPH_FP;
	configure(&e, &o, false);
	assert_int_equal(e.attr.sample_period, 1);
	assert_int_equal(e.attr.freq, 0);
	assert_int_equal(e.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			 PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD |
			 PERF_SAMPLE_RAW | PERF_SAMPLE_IDENTIFIER);
	assert_true(e.attr.disabled);
	assert_false(e.attr.enable_on_exec || e.attr.mmap || e.attr.comm || e.attr.task);

	attr_make_dummy(&dummy);
	configure(&dummy, &o, true);
	assert_int_equal(dummy.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			 PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER);
	assert_false(dummy.attr.disabled || dummy.attr.enable_on_exec || dummy.attr.freq);
	assert_true(dummy.attr.mmap2 && dummy.attr.comm_exec && dummy.attr.task);
	free(dummy.name);
	free(dummy.pmu);
	free(dummy.event_text);
}

/* perf record -e cpu-clock -D 10 CMD: sampling waits, side-band begins with exec */
static void test_delay(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK), dummy;
	struct attr_options o = plain;

	(void)state;
	o.delayed = true;
	o.nr_events = 2;
	configure(&e, &o, false);
	assert_true(e.attr.disabled);
	assert_false(e.attr.enable_on_exec);
	attr_make_dummy(&dummy);
	configure(&dummy, &o, true);
	assert_true(dummy.attr.disabled && dummy.attr.enable_on_exec);
	free(dummy.name);
	free(dummy.pmu);
	free(dummy.event_text);
}

/* perf record -e cpu-clock -T -d; perf record -s -W */
static void test_data_weight_stat(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct attr_options o = plain;

	(void)state;
	o.addresses = true;
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			 PERF_SAMPLE_ADDR | PERF_SAMPLE_PERIOD | PERF_SAMPLE_DATA_SRC);
	assert_int_equal(e.attr.sample_freq, 4000);
	assert_true(e.attr.mmap_data);

	e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	o = plain;
	o.weight = o.per_thread_counts = true;
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			 PERF_SAMPLE_PERIOD | PERF_SAMPLE_WEIGHT_STRUCT);
	assert_int_equal(e.attr.read_format, PERF_FORMAT_TOTAL_TIME_ENABLED |
			 PERF_FORMAT_TOTAL_TIME_RUNNING | PERF_FORMAT_ID | PERF_FORMAT_LOST);
	assert_true(e.attr.inherit_stat);
}

/* perf record --call-graph dwarf -e cpu-clock:u -c 100000 */
static void test_dwarf(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct attr_options o = plain;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(attr_parse_callgraph("dwarf", &o, &err), 0);
	o.user_regs = attr_user_regs("x86_64");
	o.period = 100000;
	e.attr.exclude_kernel = e.attr.exclude_hv = 1;
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_period, 100000);
	assert_int_equal(e.attr.freq, 0);
	assert_int_equal(e.attr.sample_type, PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			 PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER);
	assert_int_equal(e.attr.sample_regs_user, 0xff0fff);
	assert_int_equal(e.attr.sample_stack_user, 8192);
	assert_true(e.attr.exclude_callchain_user && e.attr.mmap_data && e.attr.exclude_kernel);
}

static void test_callgraph_words(void **state)
{
	struct attr_options o = plain;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(attr_parse_callgraph("dwarf,16384", &o, &err), 0);
	assert_int_equal(o.stack_bytes, 16384);
	assert_int_equal(attr_parse_callgraph("dwarf,1001", &o, &err), 0);
	assert_int_equal(o.stack_bytes, 1008);
	assert_int_equal(attr_parse_callgraph("dwarf,64K", &o, &err), -EINVAL);
	assert_int_equal(attr_parse_callgraph("dwarf,", &o, &err), -EINVAL);
	assert_int_equal(attr_parse_callgraph("dwarfs", &o, &err), -EINVAL);
	assert_int_equal(attr_parse_callgraph("fp", &o, &err), 0);
	assert_int_equal(o.callgraph, CALLGRAPH_FP);
}

static void test_branch_words(void **state)
{
	struct attr_options o = plain;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(attr_parse_branches("any_call,u", &o, &err), 0);
	assert_int_equal(o.branch_type, PERF_SAMPLE_BRANCH_ANY_CALL | PERF_SAMPLE_BRANCH_USER);
	assert_int_equal(attr_parse_branches("u", &o, &err), 0);
	assert_int_equal(o.branch_type, PERF_SAMPLE_BRANCH_ANY | PERF_SAMPLE_BRANCH_USER);
	assert_int_equal(attr_parse_branches("any,sideways", &o, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "'sideways'"));
}

/* An event's own terms go before -F; a tracepoint follows -F and -c. */
static void test_rates(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct attr_options o = plain;

	(void)state;
	o.freq = 99;
	e.attr.sample_period = 777;
	e.has_period = true;
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_period, 777);
	assert_int_equal(e.attr.freq, 0);

	e = new_event(PERF_TYPE_TRACEPOINT, 1);
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_freq, 99);
	assert_int_equal(e.attr.freq, 1);

	e = new_event(PERF_TYPE_TRACEPOINT, 1);
	o = plain;
	o.no_samples = true;
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_period, 0);
}

/* {a,b}:S: the leader samples and reads, the member only counts. */
static void test_group_read(void **state)
{
	struct event leader = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct event member = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS);
	struct attr_options o = plain;
	struct err err = ERR_INIT;

	(void)state;
	o.nr_events = 3;
	leader.sample_read = member.sample_read = true;
	configure(&leader, &o, false);
	assert_int_equal(attr_configure(&member, &o, false, &leader, &err), 0);
	assert_int_equal(leader.attr.sample_freq, 4000);
	assert_int_equal(member.attr.sample_freq, 0);
	assert_int_equal(member.attr.freq, 0);
	assert_int_equal(member.attr.disabled, 0);
	assert_true(leader.attr.sample_type & PERF_SAMPLE_READ);
	assert_int_equal(leader.attr.read_format & PERF_FORMAT_GROUP, PERF_FORMAT_GROUP);
	assert_int_equal(member.attr.read_format, leader.attr.read_format);
}

/* perf record --user-regs=ax,R8 -I, and the same with --call-graph dwarf */
static void test_registers(void **state)
{
	const uint64_t general = 0xff0fff;
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK), dummy;
	struct attr_options o = plain;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(attr_parse_regs("ax,R8", "--user-regs", "x86_64", &o.asked_user_regs, &err), 0);
	assert_int_equal(o.asked_user_regs, 1 | 1 << 16);
	assert_int_equal(attr_parse_regs(NULL, "-I", "x86_64", &o.asked_intr_regs, &err), 0);
	assert_int_equal(o.asked_intr_regs, general);
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_regs_user, 0x10001);
	assert_int_equal(e.attr.sample_regs_intr, general);
	assert_int_equal(e.attr.sample_type & ~(uint64_t)PERF_SAMPLE_PERIOD,
			 PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_REGS_USER |
			 PERF_SAMPLE_REGS_INTR);
	attr_make_dummy(&dummy);
	configure(&dummy, &o, true);
	assert_int_equal(dummy.attr.sample_regs_user | dummy.attr.sample_regs_intr, 0);
	free(dummy.name);
	free(dummy.pmu);
	free(dummy.event_text);

	/* unwinding needs all of them */
	o.user_regs = attr_user_regs("x86_64");
	o.callgraph = CALLGRAPH_DWARF;
	o.stack_bytes = 8192;
	e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	configure(&e, &o, true);
	assert_int_equal(e.attr.sample_regs_user, general);
	o.stack_bytes = 65528;
	e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	assert_int_equal(attr_configure(&e, &o, true, NULL, &err), -EINVAL);
}

static void test_register_words(void **state)
{
	static const char *const wrong[] = { "", "ax,", ",ax", "eax", "ax bx", "ds", "XMM0", "r16" };
	struct err err = ERR_INIT;
	uint64_t mask = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(attr_parse_regs(wrong[i], "-I", "x86_64", &mask, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "there are AX BX CX"));
	assert_int_equal(attr_parse_regs("ax", "-I", "m68k", &mask, &err), -ENOTSUP);
	assert_int_equal(mask, 7);
	/* x29 and lr have bits 29 and 30 (arch/arm64/include/uapi/asm/perf_regs.h) */
	assert_int_equal(attr_parse_regs("x29,LR", "-I", "aarch64", &mask, &err), 0);
	assert_int_equal(mask, 3u << 29);
}

/* perf record --sample-identifier --running-time --no-bpf-event */
static void test_small_switches(void **state)
{
	struct event e = new_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
	struct attr_options o = plain;

	(void)state;
	o.identifier = o.running_time = o.no_bpf = true;
	configure(&e, &o, true);
	assert_true(e.attr.sample_type & PERF_SAMPLE_IDENTIFIER);
	assert_int_equal(e.attr.read_format, PERF_FORMAT_ID | PERF_FORMAT_LOST |
			 PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);
	assert_true(e.attr.ksymbol);
	assert_false(e.attr.bpf_event || e.attr.inherit_stat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_with_chains),
		cmocka_unit_test(test_tracepoint_on_all_cpus),
		cmocka_unit_test(test_delay),
		cmocka_unit_test(test_data_weight_stat),
		cmocka_unit_test(test_dwarf),
		cmocka_unit_test(test_callgraph_words),
		cmocka_unit_test(test_branch_words),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_group_read),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_register_words),
		cmocka_unit_test(test_small_switches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
