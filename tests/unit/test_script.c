/* SPDX-License-Identifier: MIT */
/*
 * Fields of script that few recordings have. What is expected is what perf script of Linux
 * 6.1 printed of the same bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/records.h"
#include "view/script.h"
#include "profile/memory_text.h"
#include "view/script_parts.h"

#define USER PERF_RECORD_MISC_USER
#define BASE (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | \
	      PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD)

static void put_base(struct str *s, uint64_t period)
{
	put64(s, 0x400100);
	put32(s, 100);
	put32(s, 100);
	put64(s, 2000);
	put64(s, 0x7f0000400010);
	put64(s, 7);
	put32(s, 1);
	put32(s, 0);
	put64(s, period);
}

/* The text of the samples in `data`, of one event. The caller frees it. */
static char *text_of(const struct perf_event_attr *attr, const struct str *data, const char *fields,
		     struct err *err)
{
	struct script_options options = { .fields = fields };
	struct str file = STR_INIT;
	struct recording recording;
	struct perf_data *d = NULL;
	struct script *script;
	char *text = NULL, path[32];
	size_t size = 0;
	FILE *out;

	put_file_of(&file, attr, 1, data, data->len);
	write_temp(path, file.p, file.len);
	if (perf_data_open(&d, path, err) < 0 || recording_load(&recording, d, NULL, err) < 0)
		fail_msg("%s", err->msg);
	unlink(path);
	str_release(&file);
	if (script_new(&script, &recording, &options, err) == 0) {
		struct decoder decoder;
		struct record record;

		out = open_memstream(&text, &size);
		decoder_init(&decoder, &d->events, false);
		for (size_t at = 0; at < data->len; at += record.size) {
			assert_int_equal(record_decode(&decoder, (const uint8_t *)data->p + at, &record,
						       err), 0);
			script_write(script, &record, out);
		}
		decoder_release(&decoder);
		script_flush(script, out);
		fclose(out);
		script_free(script);
	}
	recording_release(&recording);
	perf_data_close(d);
	return text;
}

static struct perf_event_attr attr_of(uint32_t type, uint64_t config, uint64_t sample_type)
{
	struct perf_event_attr attr = test_attr();

	attr.type = type;
	attr.config = config;
	attr.sample_type = sample_type;
	attr.freq = 0;
	return attr;
}

/* A memory sample with branches. */
static void put_memory(struct str *s, uint64_t data_src, uint64_t page)
{
	size_t at = begin(s, PERF_RECORD_SAMPLE, USER);

	put_base(s, 1000);
	put64(s, 2);
	put64(s, 0x400100);
	put64(s, 0x7f0000400200);
	put64(s, 0x1 | 12 << 4 | 1 << 20);
	put64(s, 0x400110);
	put64(s, 0x400120);
	put64(s, 0x2 | 4 | 7 << 4 | 4 << 20);
	put32(s, 300);
	put16(s, 40);
	put16(s, 5);
	put64(s, data_src);
	put64(s, 0x123456000);
	put64(s, page);
	put64(s, 4096);
	finish(s, at);
}

static void memory(void **state)
{
	struct perf_event_attr attr = attr_of(PERF_TYPE_RAW, 0x1cd, BASE | PERF_SAMPLE_BRANCH_STACK |
					      PERF_SAMPLE_WEIGHT_STRUCT | PERF_SAMPLE_DATA_SRC |
					      PERF_SAMPLE_PHYS_ADDR | PERF_SAMPLE_DATA_PAGE_SIZE |
					      PERF_SAMPLE_CODE_PAGE_SIZE);
	struct str data = STR_INIT;
	struct err err = ERR_INIT;
	char *text;

	(void)state;
	put_memory(&data, 0x68100142, 4096);
	put_memory(&data, 0x10e68100242, 2 << 20);
	put_memory(&data, 0, 0);
	text = text_of(&attr, &data, "addr,data_src,weight,ins_lat,ip,phys_addr,data_page_size,code_page_size",
		       &err);
	/* a text is padded to the widest before it */
	assert_string_equal(text,
"    7f0000400010        68100142 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A             300              40           400100       123456000 4K 4K\n"
"    7f0000400010     10e68100242 |OP LOAD|LVL LFB/MAB or L7 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A             300              40           400100       123456000 2M 4K\n"
"    7f0000400010               0 |OP No|LVL N/A|SNP N/A|TLB N/A|LCK No|BLK  N/A                                       300              40           400100       123456000 N/A 4K\n");
	free(text);
	text = text_of(&attr, &data, "brstack", &err);
	assert_memory_equal(text, " 0x400100/0x7f0000400200/M/-/-/12/COND  0x400110/0x400120/P/X/-/7/CALL \n", 72);
	free(text);
	text = text_of(&attr, &data, "brstacksym", &err);
	assert_memory_equal(text, "[unknown]/[unknown]/M/-/-/12/COND [unknown]/[unknown]/P/X/-/7/CALL \n", 67);
	free(text);
	str_release(&data);
}

static void data_sources(void **state)
{
	static const struct { uint64_t src; const char *text; } cases[] = {
		{ 0x68100842, "        68100842 |OP LOAD|LVL L3 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A" },
		{ 0x1e05080021, "      1e05080021 |OP N/A|LVL N/A or N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A" },
		{ 0x30049100042, "     30049100042 |OP LOAD|LVL N/A hit|SNP None|TLB L2 hit|LCK N/A|BLK  N/A" },
		{ 0x1600000142, "      1600000142 |OP LOAD|LVL L1 or Any cache hit|SNP N/A|TLB N/A|LCK No|BLK  N/A" },
		{ 0x8a800000004,
		  "     8a800000004 |OP STORE|LVL Remote core, same node L4|SNP Peer|TLB N/A|LCK No|BLK  N/A" },
		{ 0x1ffff, "           1ffff |OP N/A|LVL N/A or L1 or LFB/MAB or L2 or L3 or Local RAM or Remote RAM (1 hop) or" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str out = STR_INIT;
		size_t width = 0;

		script_add_data_src(&out, cases[i].src, &width);
		/* perf cuts at 99; of what stands before that all has to agree */
		out.p[strlen(cases[i].text) < out.len ? strlen(cases[i].text) : out.len] = '\0';
		assert_string_equal(out.p, cases[i].text);
		str_release(&out);
	}
}

/* What report sorts by is called as in script; the bits are put together by the header's macros. */
static void memory_texts(void **state)
{
	static const struct { enum extra_kind kind; uint64_t src; const char *text; } cases[] = {
		{ EXTRA_MEM_LEVEL, 0, "N/A" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVL, NA), "N/A" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVL, L1) | PERF_MEM_S(LVL, HIT), "L1 hit" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVL, LOC_RAM) | PERF_MEM_S(LVL, MISS), "Local RAM miss" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVL, L1) | PERF_MEM_S(LVLNUM, L1), "L1 or L1" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, L2), "L2" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, L4), "L4" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, ANY_CACHE), "Any cache" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, LFB), "LFB/MAB" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, RAM), "RAM" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, PMEM), "PMEM" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(LVLNUM, NA), "N/A" },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(REMOTE, REMOTE), "Remote " },
		{ EXTRA_MEM_LEVEL, PERF_MEM_S(REMOTE, REMOTE) | PERF_MEM_S(LVLNUM, RAM), "Remote RAM" },
		{ EXTRA_MEM_LEVEL, (uint64_t)2 << 43 | PERF_MEM_S(LVL, L3) | PERF_MEM_S(LVLNUM, L3),
		  "node, same socket L3" },
		{ EXTRA_MEM_SNOOP, PERF_MEM_S(SNOOP, HITM), "HitM" },
		{ EXTRA_MEM_SNOOP, PERF_MEM_S(SNOOP, HIT) | PERF_MEM_S(SNOOPX, FWD), "Hit or Fwd" },
		{ EXTRA_MEM_SNOOP, (uint64_t)2 << 38, "Peer" },
		{ EXTRA_MEM_TLB, PERF_MEM_S(TLB, WK) | PERF_MEM_S(TLB, MISS), "Walker miss" },
		{ EXTRA_MEM_TLB, PERF_MEM_S(TLB, NA), "N/A" },
		{ EXTRA_MEM_LOCK, PERF_MEM_S(LOCK, LOCKED), "Yes" },
		{ EXTRA_MEM_BLOCK, PERF_MEM_S(BLK, DATA) | PERF_MEM_S(BLK, ADDR), "Data Addr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str out = STR_INIT;

		memory_add_text(&out, cases[i].kind, cases[i].src);
		assert_string_equal(out.p, cases[i].text);
		str_release(&out);
	}
	assert_string_equal(memory_op_text(PERF_MEM_S(OP, STORE)), "STORE");
}

static void put_written(struct str *s, const void *bytes, uint32_t n)
{
	size_t at = begin(s, PERF_RECORD_SAMPLE, USER);

	put_base(s, 1);
	put32(s, n);
	str_addn(s, bytes, n);
	finish(s, at);
}

static void bpf_output(void **state)
{
	struct perf_event_attr attr = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT,
					      BASE | PERF_SAMPLE_RAW);
	struct str data = STR_INIT;
	struct err err = ERR_INIT;
	char *text;

	(void)state;
	put_written(&data, "hello\0\0\0\0\0\0", 12);
	put_written(&data, "\1\2\3\4abcdefgh\177\0\33" "12\0\0\0", 20);
	text = text_of(&attr, &data, "event,bpf-output", &err);
	assert_string_equal(text, "bpf-output: \n"
				  "      BPF output: 0000: 68 65 6c 6c 6f 00 00 00  hello...\n"
				  "                  0008: 00 00 00 00              ....    \n"
				  "      BPF string: \"hello\"\n\n"
				  "bpf-output: \n"
				  "      BPF output: 0000: 01 02 03 04 61 62 63 64  ....abcd\n"
				  "                  0008: 65 66 67 68 7f 00 1b 31  efgh...1\n"
				  "                  0010: 32 00 00 00              2...    \n\n");
	free(text);
	str_release(&data);
}

static void page_sizes(void **state)
{
	static const struct { uint64_t bytes; const char *text; } cases[] = {
		{ 0, "N/A" }, { 4096, "4K" }, { 8192, "8K" }, { 12345, "12K" }, { 2 << 20, "2M" },
		{ 1 << 30, "1024M" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str out = STR_INIT;

		script_add_page_size(&out, cases[i].bytes);
		assert_string_equal(out.p, cases[i].text);
		str_release(&out);
	}
}

/* The clock said 4 s when it was 2020-09-13 12:26:40.123456789 UTC. */
static void time_of_day(void **state)
{
	const struct day_clock clock = { UINT64_C(1600000000123456789), UINT64_C(4000000000) };
	struct str out = STR_INIT;

	(void)state;
	setenv("TZ", "UTC", 1);
	script_add_time_of_day(&out, &clock, UINT64_C(5123456789), false);
	script_add_time_of_day(&out, &clock, UINT64_C(5246913578), true);
	assert_string_equal(out.p, "2020-09-13 12:26:41.246913 2020-09-13 12:26:41.370370367 ");
	str_release(&out);
}

static void what_is_not_there_is_said(void **state)
{
	static const struct { const char *fields, *says; } cases[] = {
		{ "tod", "time of day" }, { "weight", "have no WEIGHT" }, { "comm,ipc", "'ipc' cannot be printed" },
		{ "brstackinsn", "annotate" }, { "srcline", "needs 'ip'" }, { "periot", "did you mean 'period'" },
		{ "sym", "need 'ip'" }, { "xx:comm", "no type" },
	};
	struct perf_event_attr attr = attr_of(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, BASE);
	struct str data = STR_INIT;
	size_t at = begin(&data, PERF_RECORD_SAMPLE, USER);

	(void)state;
	put_base(&data, 1);
	finish(&data, at);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = ERR_INIT;

		assert_null(text_of(&attr, &data, cases[i].fields, &err));
		if (!strstr(err.msg, cases[i].says))
			fail_msg("-F %s: %s", cases[i].fields, err.msg);
	}
	str_release(&data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory), cmocka_unit_test(data_sources), cmocka_unit_test(memory_texts),
		cmocka_unit_test(bpf_output),
		cmocka_unit_test(page_sizes), cmocka_unit_test(time_of_day),
		cmocka_unit_test(what_is_not_there_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
