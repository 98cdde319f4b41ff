/* SPDX-License-Identifier: MIT */
#include "profile/memory_text.h"

#include <inttypes.h>
#include <linux/perf_event.h>

struct word { uint64_t bit; const char *text; };

/* Append the words whose bits are set, " or " between; false if there is none. */
static bool add_words(struct str *s, const struct word *words, size_t nr, uint64_t bits,
		      const char *between)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		if (!(bits & words[i].bit))
			continue;
		str_addf(s, "%s%s", any ? between : "", words[i].text);
		any = true;
	}
	return any;
}

#define ADD_WORDS(s, words, bits, between) \
	add_words(s, words, sizeof(words) / sizeof((words)[0]), bits, between)

static void add_result(struct str *s, uint64_t bits, uint64_t hit, uint64_t miss)
{
	if (bits & hit)
		str_add(s, " hit");
	if (bits & miss)
		str_add(s, " miss");
}

static void add_level(struct str *s, union perf_mem_data_src src)
{
	static const struct word levels[] = {
		{ PERF_MEM_LVL_NA, "N/A" }, { PERF_MEM_LVL_L1, "L1" }, { PERF_MEM_LVL_LFB, "LFB/MAB" }, { PERF_MEM_LVL_L2, "L2" },
		{ PERF_MEM_LVL_L3, "L3" }, { PERF_MEM_LVL_LOC_RAM, "Local RAM" },
		{ PERF_MEM_LVL_REM_RAM1, "Remote RAM (1 hop)" },
		{ PERF_MEM_LVL_REM_RAM2, "Remote RAM (2 hops)" },
		{ PERF_MEM_LVL_REM_CCE1, "Remote Cache (1 hop)" },
		{ PERF_MEM_LVL_REM_CCE2, "Remote Cache (2 hops)" }, { PERF_MEM_LVL_IO, "I/O" },
		{ PERF_MEM_LVL_UNC, "Uncached" },
	};
	static const char *const numbers[16] = {
		[PERF_MEM_LVLNUM_L1] = "L1", [PERF_MEM_LVLNUM_L2] = "L2", [PERF_MEM_LVLNUM_L3] = "L3",
		[PERF_MEM_LVLNUM_L4] = "L4", [0x09] = "CXL", [0x0a] = "I/O",
		[PERF_MEM_LVLNUM_ANY_CACHE] = "Any cache",
		[PERF_MEM_LVLNUM_LFB] = "LFB/MAB", [PERF_MEM_LVLNUM_RAM] = "RAM",
		[PERF_MEM_LVLNUM_PMEM] = "PMEM", [PERF_MEM_LVLNUM_NA] = "N/A",
	};
	const char *number = numbers[src.mem_lvl_num];
	bool any;

	if (src.mem_remote)
		str_add(s, "Remote ");
	any = ADD_WORDS(s, levels, src.mem_lvl, " or ");
	if (src.mem_lvl_num) {
		str_add(s, any ? " or " : "");
		if (number)
			str_add(s, number);
		else
			str_addf(s, "L%u", (unsigned)src.mem_lvl_num);
		any = true;
	}
	if (!any)
		str_add(s, "N/A");
	add_result(s, src.mem_lvl, PERF_MEM_LVL_HIT, PERF_MEM_LVL_MISS);
}

static void add_tlb(struct str *s, uint64_t tlb)
{
	static const struct word words[] = {
		{ PERF_MEM_TLB_L1, "L1" }, { PERF_MEM_TLB_L2, "L2" }, { PERF_MEM_TLB_WK, "Walker" },
		{ PERF_MEM_TLB_OS, "Fault" },
	};

	if (tlb & PERF_MEM_TLB_NA)
		tlb = 0;
	if (!ADD_WORDS(s, words, tlb, " or "))
		str_add(s, "N/A");
	add_result(s, tlb, PERF_MEM_TLB_HIT, PERF_MEM_TLB_MISS);
}

static void add_snoop(struct str *s, union perf_mem_data_src src)
{
	static const struct word words[] = {
		{ PERF_MEM_SNOOP_NA, "N/A" }, { PERF_MEM_SNOOP_NONE, "None" }, { PERF_MEM_SNOOP_HIT, "Hit" },
		{ PERF_MEM_SNOOP_MISS, "Miss" }, { PERF_MEM_SNOOP_HITM, "HitM" },
	};
	bool any = ADD_WORDS(s, words, src.mem_snoop, " or ");

	if (src.mem_snoopx & PERF_MEM_SNOOPX_FWD) {
		str_addf(s, "%sFwd", any ? " or " : "");
		any = true;
	}
	if (!any)
		str_add(s, "N/A");
}

static void add_block(struct str *s, uint64_t blocked)
{
	static const struct word words[] = {
		{ PERF_MEM_BLK_DATA, "Data" }, { PERF_MEM_BLK_ADDR, "Addr" },
	};

	if (!blocked || (blocked & PERF_MEM_BLK_NA) || !ADD_WORDS(s, words, blocked, " "))
		str_add(s, "N/A");
}

void memory_add_text(struct str *s, enum extra_kind kind, uint64_t data_src)
{
	union perf_mem_data_src src = { .val = data_src };

	switch (kind) {
	case EXTRA_MEM_LEVEL: add_level(s, src); break;
	case EXTRA_MEM_SNOOP: add_snoop(s, src); break;
	case EXTRA_MEM_TLB: add_tlb(s, src.mem_dtlb); break;
	case EXTRA_MEM_LOCK:
		str_add(s, src.mem_lock & PERF_MEM_LOCK_NA ? "N/A" :
			   src.mem_lock & PERF_MEM_LOCK_LOCKED ? "Yes" : "No");
		break;
	default: add_block(s, src.mem_blk); break;
	}
}

void transaction_add_text(struct str *s, uint64_t t)
{
	static const struct word words[] = {
		{ PERF_TXN_ELISION, "EL" }, { PERF_TXN_TRANSACTION, "TX" }, { PERF_TXN_SYNC, "SYNC" },
		{ PERF_TXN_ASYNC, "ASYNC" }, { PERF_TXN_RETRY, "RETRY" }, { PERF_TXN_CONFLICT, "CON" },
		{ PERF_TXN_CAPACITY_WRITE, "CAP-WRITE" }, { PERF_TXN_CAPACITY_READ, "CAP-READ" },
	};
	bool any = ADD_WORDS(s, words, t, " ");

	if (t && !(t & (PERF_TXN_SYNC | PERF_TXN_ASYNC)))
		str_addf(s, "%sNEITHER", any ? " " : "");
	if (t & PERF_TXN_ABORT_MASK)
		str_addf(s, " :%" PRIx64, (t & PERF_TXN_ABORT_MASK) >> PERF_TXN_ABORT_SHIFT);
}

void page_size_add_text(struct str *s, uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	unsigned u = 0;

	for (; bytes >= 1024 && !(bytes & 1023) && units[u + 1]; u++)
		bytes >>= 10;
	if (bytes)
		str_addf(s, "%" PRIu64 "%c", bytes, units[u]);
	else
		str_add(s, "N/A");
}
