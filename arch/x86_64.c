/* SPDX-License-Identifier: MIT */
/*
 * x86, 64 and 32 bits.  Registers: enum perf_event_x86_regs of Linux 6.12
 * (arch/x86/include/uapi/asm/perf_regs.h).  PLT: System V ABI, AMD64 and i386
 * supplements, "Procedure Linkage Table", and the IBT variants of binutils.
 */
#include "arch/arch.h"

#include <elf.h>
#include <string.h>

static const char *const regs_64[] = {
	"AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP", "IP", "FLAGS", "CS", "SS",
	"DS", "ES", "FS", "GS", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
	[32] = "XMM0", [34] = "XMM1", [36] = "XMM2", [38] = "XMM3", [40] = "XMM4",
	[42] = "XMM5", [44] = "XMM6", [46] = "XMM7", [48] = "XMM8", [50] = "XMM9",
	[52] = "XMM10", [54] = "XMM11", [56] = "XMM12", [58] = "XMM13", [60] = "XMM14",
	[62] = "XMM15",
};

static const char *const regs_32[] = {
	"AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP", "IP", "FLAGS", "CS", "SS",
	"DS", "ES", "FS", "GS",
};

static bool is_kernel_64(uint64_t addr)
{
	return addr >> 63;
}

/* CONFIG_PAGE_OFFSET's default, the 3 GB / 1 GB split. */
static bool is_kernel_32(uint64_t addr)
{
	return addr >= 0xc0000000;
}

static int32_t le32(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			 (uint32_t)p[3] << 24);
}

/* Bytes of endbr64 or endbr32 and of the bnd prefix before the jump. */
static size_t prefix_size(const uint8_t *code, size_t room)
{
	size_t at = 0;

	if (room >= 4 && code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e &&
	    (code[3] == 0xfa || code[3] == 0xfb))
		at = 4;
	if (room > at && code[at] == 0xf2)
		at++;
	return at;
}

/* jmp *disp32(%rip) */
static bool plt_slot_64(const uint8_t *code, size_t room, uint64_t addr, uint64_t got,
			uint64_t *slot)
{
	size_t at = prefix_size(code, room);

	(void)got;
	if (room < at + 6 || code[at] != 0xff || code[at + 1] != 0x25)
		return false;
	*slot = addr + at + 6 + (uint64_t)(int64_t)le32(code + at + 2);
	return true;
}

/* jmp *abs32, or jmp *disp32(%ebx) with the GOT's address in %ebx */
static bool plt_slot_32(const uint8_t *code, size_t room, uint64_t addr, uint64_t got,
			uint64_t *slot)
{
	size_t at = prefix_size(code, room);

	(void)addr;
	if (room < at + 6 || code[at] != 0xff || (code[at + 1] != 0x25 && code[at + 1] != 0xa3))
		return false;
	*slot = (uint32_t)le32(code + at + 2);
	if (code[at + 1] == 0xa3)
		*slot = (uint32_t)(*slot + got);
	return true;
}

/*
 * DWARF's numbers: System V ABI, AMD64 supplement, figure 3.36, and i386 supplement,
 * table 2.14.
 */
static const uint8_t dwarf_64[] = { 0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8 };
static const uint8_t dwarf_32[] = { 0, 2, 3, 1, 7, 6, 4, 5, 8 };

/*
 * call rel32, or FF /2 with its ModRM byte, which says how long the operand is (Intel's
 * manual, volume 2, 2.1.5 and CALL).
 */
static bool is_call(const uint8_t *before, uint64_t ra, uint64_t *target)
{
	const uint8_t *end = before + ARCH_CALL_BYTES;

	*target = 0;
	if (end[-5] == 0xe8) {
		*target = ra + (uint64_t)(int64_t)le32(end - 4);
		return true;
	}
	for (unsigned size = 2; size <= ARCH_CALL_BYTES; size++) {
		uint8_t modrm = end[-(int)size + 1], mod = modrm >> 6, rm = modrm & 7;
		unsigned need = 2;

		if (end[-(int)size] != 0xff || (modrm >> 3 & 7) != 2)
			continue;
		if (mod != 3 && rm == 4)
			need++;
		if (mod == 1)
			need++;
		else if (mod == 2 || (mod == 0 && rm == 5))
			need += 4;
		if (need == size)
			return true;
	}
	return false;
}

/* mov $__NR_rt_sigreturn, %rax; syscall */
static bool is_sigreturn_64(const uint8_t *code, size_t room)
{
	static const uint8_t trampoline[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

	return room >= sizeof(trampoline) && memcmp(code, trampoline, sizeof(trampoline)) == 0;
}

/*
 * struct rt_sigframe behind its pretcode, which the handler's ret has taken: a
 * struct ucontext, whose uc_mcontext stands at 40 (arch/x86/include/asm/sigframe.h and
 * uapi/asm/sigcontext.h of Linux 6.12).
 */
static int sigframe_offset_64(unsigned dwarf_reg)
{
	static const uint8_t at[] = {
		144, 136, 152, 128, 112, 104, 120, 160, 40, 48, 56, 64, 72, 80, 88, 96, 168,
	};

	return dwarf_reg < sizeof(at) ? at[dwarf_reg] : -1;
}

static const char *const names_64[] = { "amd64", NULL };
static const char *const names_32[] = { "i486", "i586", "i686", "x86", NULL };

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.aliases = names_64,
	.e_machine = EM_X86_64,
	.is_64bit = true,
	.regs = regs_64,
	.nr_regs = sizeof(regs_64) / sizeof(regs_64[0]),
	.reg_ip = 8,
	.reg_sp = 7,
	.is_kernel_addr = is_kernel_64,
	.plt_header_size = 16,
	.plt_entry_size = 16,
	.plt_align = 8,
	.plt_slot = plt_slot_64,
	.reloc_irelative = R_X86_64_IRELATIVE,
	.dwarf_regs = dwarf_64,
	.nr_dwarf_regs = sizeof(dwarf_64),
	.dwarf_sp = 7,
	.dwarf_fp = 6,
	.dwarf_ip = 16,
	.dwarf_ra = 16,
	.sigreturn_step = 7,
	.is_sigreturn = is_sigreturn_64,
	.sigframe_offset = sigframe_offset_64,
	.is_call = is_call,
};

const struct arch arch_i386 = {
	.name = "i386",
	.aliases = names_32,
	.e_machine = EM_386,
	.regs = regs_32,
	.nr_regs = sizeof(regs_32) / sizeof(regs_32[0]),
	.reg_ip = 8,
	.reg_sp = 7,
	.is_kernel_addr = is_kernel_32,
	.plt_header_size = 16,
	.plt_entry_size = 16,
	.plt_align = 8,
	.plt_slot = plt_slot_32,
	.reloc_irelative = R_386_IRELATIVE,
	.dwarf_regs = dwarf_32,
	.nr_dwarf_regs = sizeof(dwarf_32),
	.dwarf_sp = 4,
	.dwarf_fp = 5,
	.dwarf_ip = 8,
	.dwarf_ra = 8,
	.is_call = is_call,
};
