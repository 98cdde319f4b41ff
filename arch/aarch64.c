/* SPDX-License-Identifier: MIT */
/*
 * aarch64.  Registers: enum perf_event_arm_regs of Linux 6.12
 * (arch/arm64/include/uapi/asm/perf_regs.h).  PLT: ELF for the Arm 64-bit
 * Architecture, "Procedure Linkage Table", and with BTI of binutils.
 */
#include "arch/arch.h"

#include <elf.h>
#include <string.h>

static const char *const regs[] = {
	"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "lr", "sp", "pc",
	[46] = "vg",
};

/* Bit 55 chooses the translation table; the byte above it may be a tag. */
static bool is_kernel_addr(uint64_t addr)
{
	return addr >> 55 & 1;
}

/* Instructions are little-endian also where data are not. */
static uint32_t insn_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* [bti c] adrp x16, page; ldr x17, [x16, #lo12] */
static bool plt_slot(const uint8_t *code, size_t room, uint64_t addr, uint64_t got, uint64_t *slot)
{
	uint32_t adrp, ldr;
	int64_t pages;

	(void)got;
	if (room >= 4 && insn_at(code) == 0xd503245f) {
		code += 4;
		room -= 4;
		addr += 4;
	}
	if (room < 8)
		return false;
	adrp = insn_at(code);
	ldr = insn_at(code + 4);
	if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
		return false;
	pages = (int64_t)(adrp >> 5 & 0x7ffff) << 2 | (adrp >> 29 & 3);
	if (pages & 1 << 20)
		pages -= 1 << 21;
	*slot = (addr & ~0xfffull) + ((uint64_t)pages << 12) + (uint64_t)(ldr >> 10 & 0xfff) * 8;
	return true;
}

/* DWARF for the Arm 64-bit Architecture, "DWARF register names"; 32 is the program counter. */
static const uint8_t dwarf[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, 26, 27, 28, 29, 30, 31, 32,
};

/*
 * Pointer authentication signs a return address in the bits above the virtual address.
 * User addresses have 48 bits unless a program asks mmap for more by a hint above them
 * (Linux, Documentation/arch/arm64/memory.rst, "52-bit VA support in userspace"), so
 * whether this one was signed (DW_CFA_AARCH64_negate_ra_state) need not be known.
 */
static uint64_t code_addr(uint64_t saved)
{
	return saved & ((1ull << 48) - 1);
}

/* mov x8, #__NR_rt_sigreturn; svc #0 */
static bool is_sigreturn(const uint8_t *code, size_t room)
{
	return room >= 8 && insn_at(code) == 0xd2801168 && insn_at(code + 4) == 0xd4000001;
}

/*
 * struct rt_sigframe: siginfo of 128 bytes, then struct ucontext, whose uc_mcontext stands
 * at 176 and begins with the fault address (arch/arm64/kernel/signal.c and
 * uapi/asm/ucontext.h of Linux 6.12).
 */
static int sigframe_offset(unsigned dwarf_reg)
{
	return dwarf_reg <= 32 ? 128 + 176 + 8 + (int)dwarf_reg * 8 : -1;
}

static const char *const names[] = { "arm64", "aarch64_be", NULL };

const struct arch arch_aarch64 = {
	.name = "aarch64",
	.aliases = names,
	.e_machine = EM_AARCH64,
	.is_64bit = true,
	.regs = regs,
	.nr_regs = sizeof(regs) / sizeof(regs[0]),
	.reg_ip = 32,
	.reg_sp = 31,
	.is_kernel_addr = is_kernel_addr,
	.plt_header_size = 32,
	.plt_entry_size = 16,
	.plt_align = 8,
	.plt_slot = plt_slot,
	.reloc_irelative = R_AARCH64_IRELATIVE,
	.dwarf_regs = dwarf,
	.nr_dwarf_regs = sizeof(dwarf),
	.dwarf_sp = 31,
	.dwarf_fp = 29,
	.dwarf_ip = 32,
	.dwarf_ra = 30,
	.code_addr = code_addr,
	.sigreturn_step = 4,
	.is_sigreturn = is_sigreturn,
	.sigframe_offset = sigframe_offset,
};
