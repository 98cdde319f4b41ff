/* SPDX-License-Identifier: MIT */
#include "view/script_parts.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "profile/memory_text.h"

#define NS_PER_S UINT64_C(1000000000)

void script_add_regs(struct str *out, const struct arch *arch, uint64_t abi, uint64_t mask,
		     const u64_una *regs)
{
	unsigned n = 0;

	str_addf(out, " ABI:%" PRIu64 " ", abi);
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name;

		if (!(mask >> bit & 1))
			continue;
		name = arch_reg_name(arch, bit);
		str_addf(out, "%5s:0x%" PRIx64 " ", name ? name : "unknown", (uint64_t)regs[n++]);
	}
}

/* --- where data came from ------------------------------------------------------------------ */

void script_add_data_src(struct str *out, uint64_t src, size_t *width)
{
	enum { MOST = 99 };              /* perf's buffer ends there */
	struct str text = STR_INIT, block = STR_INIT;

	str_addf(&text, "%16" PRIx64 " |OP %s|LVL ", src, memory_op_text(src));
	memory_add_text(&text, EXTRA_MEM_LEVEL, src);
	str_add(&text, "|SNP ");
	memory_add_text(&text, EXTRA_MEM_SNOOP, src);
	str_add(&text, "|TLB ");
	memory_add_text(&text, EXTRA_MEM_TLB, src);
	str_add(&text, "|LCK ");
	memory_add_text(&text, EXTRA_MEM_LOCK, src);
	memory_add_text(&block, EXTRA_MEM_BLOCK, src);
	str_addf(&text, "|BLK  %s", block.p);
	str_release(&block);
	if (text.len > MOST) {
		text.len = MOST;
		text.p[MOST] = '\0';
	}
	if (*width < text.len)
		*width = text.len;
	str_addf(out, "%-*s", (int)*width, text.p);
	str_release(&text);
}

/* --- BPF ------------------------------------------------------------------------------------- */

/* Printable, and NULs from somewhere on. */
static bool is_string(const uint8_t *bytes, size_t n)
{
	size_t i = 0;

	while (i < n && isprint(bytes[i]))
		i++;
	if (i == n)
		return false;
	while (i < n && !bytes[i])
		i++;
	return i == n;
}

void script_add_bpf_output(struct str *out, const struct sample *sample)
{
	enum { COLUMNS = 8 };
	const uint8_t *bytes = sample->raw;
	size_t n = sample->raw_size;

	str_addc(out, '\n');
	for (size_t at = 0; at < n; at += COLUMNS) {
		str_addf(out, "%17s %04zx:", at ? "" : "BPF output:", at);
		for (size_t i = at; i < at + COLUMNS; i++)
			if (i < n)
				str_addf(out, " %02x", bytes[i]);
			else
				str_add(out, "   ");
		str_add(out, "  ");
		for (size_t i = at; i < at + COLUMNS; i++)
			str_addc(out, i >= n ? ' ' : isprint(bytes[i]) ? (char)bytes[i] : '.');
		str_addc(out, '\n');
	}
	if (n && is_string(bytes, n))
		str_addf(out, "%17s \"%s\"\n", "BPF string:", (const char *)bytes);
}

/* --- sizes and times ------------------------------------------------------------------------- */

void script_add_page_size(struct str *out, uint64_t bytes)
{
	static const char units[] = "BKMG";
	unsigned i = 0;

	if (!bytes) {
		str_add(out, "N/A");
		return;
	}
	for (; bytes / 1024 > 1 && units[i + 1]; i++)
		bytes /= 1024;
	str_addf(out, "%" PRIu64 "%c", bytes, units[i]);
}

/* The CLOCK_DATA section: u32 version, clockid; u64 time of day, time of the clock. */
bool script_day_clock(const struct perf_data *data, struct day_clock *out)
{
	const struct feature_section *f = &data->features[FEATURE_CLOCK_DATA];

	if (!f->present || f->size < 24)
		return false;
	memcpy(&out->wall_ns, f->bytes + 8, 8);
	memcpy(&out->clock_ns, f->bytes + 16, 8);
	if (data->swap) {
		out->wall_ns = __builtin_bswap64(out->wall_ns);
		out->clock_ns = __builtin_bswap64(out->clock_ns);
	}
	return true;
}

void script_add_time_of_day(struct str *out, const struct day_clock *clock, uint64_t time_ns,
			    bool ns)
{
	uint64_t wall_ns = clock->wall_ns + (time_ns - clock->clock_ns);
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	char day[32] = "";
	struct tm tm;

	if (!localtime_r(&seconds, &tm) || !strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm)) {
		str_add(out, "N/A ");
		return;
	}
	if (ns)
		str_addf(out, "%s.%09" PRIu64 " ", day, wall_ns % NS_PER_S);
	else
		str_addf(out, "%s.%06" PRIu64 " ", day, wall_ns % NS_PER_S / 1000);
}

const char *script_branch_type(uint64_t flags)
{
	/* PERF_BR_... of linux/perf_event.h */
	static const char *const types[16] = {
		"", "COND", "UNCOND", "IND", "CALL", "IND_CALL", "RET", "SYSCALL", "SYSRET",
		"COND_CALL", "COND_RET", "ERET", "IRQ", "SERROR", "NO_TX", "",
	};

	return types[flags >> 20 & 0xf];
}

void script_add_branch_flags(struct str *out, uint64_t flags)
{
	str_addf(out, "/%c/%c/%c/%u/%s ", flags & 1 ? 'M' : flags & 2 ? 'P' : '-',
		 flags & 4 ? 'X' : '-', flags & 8 ? 'A' : '-', (unsigned)(flags >> 4 & 0xffff),
		 script_branch_type(flags));
}
