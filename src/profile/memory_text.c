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

/*
 * "N/A" where nothing was said, not even of how far away. PERF_MEM_TLB_HIT and _MISS are
 * the same bits of their field as PERF_MEM_LVL_HIT and _MISS (linux/perf_event.h).
 */
static void add_result(struct str *s, size_t from, uint64_t bits)
{
	_Static_assert(PERF_MEM_TLB_HIT == PERF_MEM_LVL_HIT && PERF_MEM_TLB_MISS == PERF_MEM_LVL_MISS,
		       "one function for both");
	if (s->len == from)
		str_add(s, "N/A");
	if (bits & PERF_MEM_LVL_HIT)
		str_add(s, " hit");
	if (bits & PERF_MEM_LVL_MISS)
		str_add(s, " miss");
}

static void add_level(struct str *s, union perf_mem_data_src src)
{
	static const struct word levels[] = {
		{ PERF_MEM_LVL_NA, "N/A" }, { PERF_MEM_LVL_L1, "L1" }, { PERF_MEM_LVL_LFB, "LFB/MAB" },
		{ PERF_MEM_LVL_L2, "L2" }, { PERF_MEM_LVL_L3, "L3" },
		{ PERF_MEM_LVL_LOC_RAM, "Local RAM" }, { PERF_MEM_LVL_REM_RAM1, "Remote RAM (1 hop)" },
		{ PERF_MEM_LVL_REM_RAM2, "Remote RAM (2 hops)" },
		{ PERF_MEM_LVL_REM_CCE1, "Remote Cache (1 hop)" },
		{ PERF_MEM_LVL_REM_CCE2, "Remote Cache (2 hops)" }, { PERF_MEM_LVL_IO, "I/O" },
		{ PERF_MEM_LVL_UNC, "Uncached" },
	};
	/* 9 and 10: PERF_MEM_LVLNUM_CXL and _IO, which older headers have not */
	static const char *const numbers[16] = {
		[0x9] = "CXL", [0xa] = "I/O", [PERF_MEM_LVLNUM_ANY_CACHE] = "Any cache",
		[PERF_MEM_LVLNUM_LFB] = "LFB/MAB", [PERF_MEM_LVLNUM_RAM] = "RAM",
		[PERF_MEM_LVLNUM_PMEM] = "PMEM", [PERF_MEM_LVLNUM_NA] = "N/A",
	};
	/* mem_hops, since Linux 5.16: 43, three bits; it tells the place in the stead of mem_lvl */
	static const char *const hops[8] = {
		NULL, "core, same node", "node, same socket", "socket, same board", "board",
	};
	unsigned number = src.mem_lvl_num, hop = src.val >> 43 & 7;
	size_t from = s->len;
	bool any = false;

	if (src.mem_remote)
		str_add(s, "Remote ");
	if (hop)
		str_addf(s, "%s ", hops[hop] ? hops[hop] : "N/A");
	else
		any = ADD_WORDS(s, levels, src.mem_lvl, " or ");
	if (number) {
		str_add(s, any ? " or " : "");
		if (numbers[number])
			str_add(s, numbers[number]);
		else
			str_addf(s, "L%u", number);
	}
	add_result(s, from, src.mem_lvl);
}

static void add_tlb(struct str *s, uint64_t tlb)
{
	static const struct word words[] = {
		{ PERF_MEM_TLB_NA, "N/A" }, { PERF_MEM_TLB_L1, "L1" }, { PERF_MEM_TLB_L2, "L2" },
		{ PERF_MEM_TLB_WK, "Walker" }, { PERF_MEM_TLB_OS, "Fault" },
	};
	size_t from = s->len;

	ADD_WORDS(s, words, tlb, " or ");
	add_result(s, from, tlb);
}

static void add_snoop(struct str *s, union perf_mem_data_src src)
{
	static const struct word words[] = {
		{ PERF_MEM_SNOOP_NA, "N/A" }, { PERF_MEM_SNOOP_NONE, "None" }, { PERF_MEM_SNOOP_HIT, "Hit" },
		{ PERF_MEM_SNOOP_MISS, "Miss" }, { PERF_MEM_SNOOP_HITM, "HitM" },
	};
	/* 2: PERF_MEM_SNOOPX_PEER, since Linux 6.1 */
	static const struct word more[] = { { PERF_MEM_SNOOPX_FWD, "Fwd" }, { 2, "Peer" } };
	size_t from = s->len;

	if (ADD_WORDS(s, words, src.mem_snoop, " or ") && src.mem_snoopx)
		str_add(s, " or ");
	ADD_WORDS(s, more, src.mem_snoopx, " or ");
	if (s->len == from)
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

const char *memory_op_text(uint64_t data_src)
{
	static const struct word words[] = {
		{ PERF_MEM_OP_NA, "N/A" }, { PERF_MEM_OP_LOAD, "LOAD" }, { PERF_MEM_OP_STORE, "STORE" },
		{ PERF_MEM_OP_PFETCH, "PFETCH" }, { PERF_MEM_OP_EXEC, "EXEC" },
	};
	union perf_mem_data_src src = { .val = data_src };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (src.mem_op & words[i].bit)
			return words[i].text;
	return "No";
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
