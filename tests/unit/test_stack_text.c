/* SPDX-License-Identifier: MIT */
/* Text of stacks, read by hand: each line beside what stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "formats/stack_text.h"

static void add_piece(struct str *s, struct text_piece t)
{
	if (t.p)
		str_addn(s, t.p, t.len);
	else
		str_addc(s, '?');
}

/* "comm|pid|tid|cpu|time|event|samples|period|LEAF,module,kind;CALLER,..." of each sample, a line each. */
static void check(enum stack_text_form form, const char *text, const char *expected)
{
	struct stack_text_sample sample;
	struct stack_text t;
	struct str s = STR_INIT;

	assert_int_equal(stack_text_recognise(text, strlen(text)), form);
	stack_text_init(&t, form, text, strlen(text));
	while (stack_text_next(&t, &sample)) {
		add_piece(&s, sample.comm);
		str_addf(&s, "|%d|%d|%d|", (int)sample.pid, (int)sample.tid, (int)sample.cpu);
		if (sample.has_time)
			str_addf(&s, "%llu", (unsigned long long)sample.time_ns);
		str_addc(&s, '|');
		add_piece(&s, sample.event);
		str_addf(&s, "|%llu|%llu|", (unsigned long long)sample.samples, (unsigned long long)sample.period);
		for (uint32_t i = 0; i < sample.nr_frames; i++) {
			add_piece(&s, sample.frames[i].name);
			str_addc(&s, ',');
			add_piece(&s, sample.frames[i].module);
			str_addf(&s, ",%c;", (char)sample.frames[i].kind);
		}
		str_addc(&s, '\n');
	}
	assert_string_equal(s.p, expected);
	str_release(&s);
	stack_text_release(&t);
}

static void folded_lines(void **state)
{
	(void)state;
	check(STACK_TEXT_FOLDED, "w;main;f_[k] 3\r\n# x\n\nw-7/8;main;g_[i];h_[j] 2.75\nlone 1\n",
	      "w|-1|-1|-1||?|3|3|f,?,k;main,?,u;\n"
	      "w|7|8|-1||?|2|2|h,?,j;g,?,i;main,?,u;\n"
	      "lone|-1|-1|-1||?|1|1|lone,?,u;\n");
	check(STACK_TEXT_FOLDED, "a b;f(int, char) 12\nx-1;[unknown];[libc.so.6] 4\n;f 1",
	      "a b|-1|-1|-1||?|12|12|f(int, char),?,u;\n"
	      "x-1|-1|-1|-1||?|4|4|?,libc.so.6,?;?,?,?;\n"
	      "|-1|-1|-1||?|1|1|f,?,u;\n");
}

static void samples_with_chains(void **state)
{
	(void)state;
	check(STACK_TEXT_SCRIPT,
	      "perl 4 13 77/78 [003] 12.345678:     250000 cpu-clock:u: \n"
	      "\t    401136 burn_a(int)+0x6 (/bin/a b (deleted))\n"
	      "\t    401136 in::lined (inlined)\n"
	      "\t    401200 main+0x10 (/bin/burn)\n"
	      "\tffffffff81000130 entry+0x76 ([kernel.kallsyms])\n"
	      "\tffffffffc0000130 mod+0x76 ([ext4])\n"
	      "\t    7f0000000000 [unknown] (/lib/libc.so.6)\n"
	      "  burn.c:17\n"
	      "\t    7f0000000000 [unknown] ([unknown])\n"
	      "\t    7f0000000000 jit+0x1 (/tmp/perf-77.map)\n"
	      "\n",
	      "perl 4 13|77|78|3|12345678000|cpu-clock:u|1|250000|"
	      "burn_a(int),/bin/a b (deleted),u;in::lined,?,i;main,/bin/burn,u;entry,[kernel.kallsyms],k;mod,[ext4],k;"
	      "?,/lib/libc.so.6,?;?,?,?;jit,/tmp/perf-77.map,j;\n");
}

static void samples_in_one_line(void **state)
{
	(void)state;
	check(STACK_TEXT_SCRIPT,
	      "# header\n"
	      "burn  5885 24438.566502:          1 page-faults:      7f12 f+0x4 (/bin/x)\n"
	      "burn  5885 [001] 24438.566502123: sched:sched_switch: prev_comm=burn ==> next_pid=5 (x)\n"
	      "burn  5885/5885 24438.566502: raw 0x1c2: ffffffff81000130 [unknown] ([kernel.kallsyms])\n"
	      "          a burn  5 1.5: cycles:      7f12 g (/bin/x)\n"
	      "               b  6 1.5: cycles:      7f12 h (/bin/x)\n"
	      "burn  -1/-1 1.5: PERF_RECORD_EXIT(1:1):(2:2)\n"
	      ":12  12 1.5: cycles: \n",
	      "burn|5885|5885|-1|24438566502000|page-faults|1|1|f,/bin/x,u;\n"
	      "burn|5885|5885|1|24438566502123|sched:sched_switch|1|1|?,?,?;\n"
	      "burn|5885|5885|-1|24438566502000|raw 0x1c2|1|1|?,[kernel.kallsyms],k;\n"
	      "a burn|5|5|-1|1500000000|cycles|1|1|g,/bin/x,u;\n"
	      "b|6|6|-1|1500000000|cycles|1|1|h,/bin/x,u;\n"
	      ":12|12|12|-1|1500000000|cycles|1|1|?,?,?;\n");
}

static void what_is_neither(void **state)
{
	static const char *const texts[] = { "", "\n", "hello world\n", "a;b;c\n", "a;b c\n", "root:x:0:0::/root:/bin/sh\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(stack_text_recognise(texts[i], strlen(texts[i])), STACK_TEXT_NONE);
	assert_int_equal(stack_text_recognise("a;b 1\0", 6), STACK_TEXT_NONE);
	assert_int_equal(stack_text_recognise("PERFILE2", 8), STACK_TEXT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folded_lines),
		cmocka_unit_test(samples_with_chains),
		cmocka_unit_test(samples_in_one_line),
		cmocka_unit_test(what_is_neither),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
