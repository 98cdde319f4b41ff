/* SPDX-License-Identifier: MIT */
/*
 * arm, 32 bits.  Registers: enum perf_event_arm_regs of Linux 6.12
 * (arch/arm/include/uapi/asm/perf_regs.h).  PLT: the entries binutils writes.
 */
#include "arch/arch.h"

#include <elf.h>

static const char *const regs[] = {
	"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10",
	"fp", "ip", "sp", "lr", "pc",
};

/* CONFIG_VMSPLIT_3G, and the 16 MB of modules below it. */
static bool is_kernel_addr(uint64_t addr)
{
	return addr >= 0xbf000000;
}

static uint32_t insn_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* An ARM immediate: 8 bits turned right by twice the upper 4. */
static uint32_t immediate(uint32_t insn)
{
	uint32_t value = insn & 0xff, turn = (insn >> 8 & 0xf) * 2;

	return turn ? value >> turn | value << (32 - turn) : value;
}

/* add ip, pc, #a; [add ip, ip, #b;]... ldr pc, [ip, #c]! */
static bool plt_slot(const uint8_t *code, size_t room, uint64_t addr, uint64_t got, uint64_t *slot)
{
	uint32_t where = (uint32_t)addr + 8;

	(void)got;
	if (room < 8 || (insn_at(code) & 0xfffff000) != 0xe28fc000)
		return false;
	where += immediate(insn_at(code));
	for (size_t at = 4; at + 4 <= room && at <= 12; at += 4) {
		uint32_t insn = insn_at(code + at);

		if ((insn & 0xfffff000) == 0xe28cc000) {
			where += immediate(insn);
		} else if ((insn & 0xfffff000) == 0xe5bcf000) {
			*slot = (uint32_t)(where + (insn & 0xfff));
			return true;
		} else {
			return false;
		}
	}
	return false;
}

static const char *const names[] = {
	"armv7l", "armv6l", "armv5tel", "armv5tejl", "armv8l", "armv7b", NULL,
};

const struct arch arch_arm = {
	.name = "arm",
	.aliases = names,
	.e_machine = EM_ARM,
	.regs = regs,
	.nr_regs = sizeof(regs) / sizeof(regs[0]),
	.reg_ip = 15,
	.reg_sp = 13,
	.is_kernel_addr = is_kernel_addr,
	.plt_header_size = 20,
	.plt_entry_size = 12,
	.plt_align = 4,
	.plt_slot = plt_slot,
	.reloc_irelative = R_ARM_IRELATIVE,
};
