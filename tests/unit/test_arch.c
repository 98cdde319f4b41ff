/* SPDX-License-Identifier: MIT */
/*
 * arch: tables against the kernel's numbers, PLT entries against bytes that
 * binutils wrote (objdump -d; the addresses are those it printed).
 */
#include <asm/perf_regs.h>
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(arch_find("x86_64"), &arch_x86_64);
	assert_ptr_equal(arch_find("i686"), &arch_i386);
	assert_ptr_equal(arch_find("aarch64"), &arch_aarch64);
	assert_ptr_equal(arch_find("arm64"), &arch_aarch64);
	assert_ptr_equal(arch_find("armv7l"), &arch_arm);
	assert_ptr_equal(arch_find("vax"), &arch_generic);
	assert_ptr_equal(arch_find(NULL), &arch_generic);
	assert_ptr_equal(arch_of_machine(EM_386, false), &arch_i386);
	assert_ptr_equal(arch_of_machine(EM_X86_64, false), &arch_generic);
	assert_ptr_equal(arch_of_machine(EM_ARM, false), &arch_arm);
}

static void test_registers(void **state)
{
	(void)state;
#if defined(__x86_64__)
	assert_string_equal(arch_reg_name(&arch_x86_64, PERF_REG_X86_AX), "AX");
	assert_string_equal(arch_reg_name(&arch_x86_64, PERF_REG_X86_R15), "R15");
	assert_string_equal(arch_reg_name(&arch_x86_64, PERF_REG_X86_XMM15), "XMM15");
	assert_int_equal(arch_x86_64.reg_ip, PERF_REG_X86_IP);
	assert_int_equal(arch_x86_64.reg_sp, PERF_REG_X86_SP);
#endif
	/* arch/arm64 and arch/arm uapi/asm/perf_regs.h of Linux 6.12 */
	assert_string_equal(arch_reg_name(&arch_aarch64, 30), "lr");
	assert_string_equal(arch_reg_name(&arch_aarch64, 32), "pc");
	assert_string_equal(arch_reg_name(&arch_arm, 15), "pc");
	assert_null(arch_reg_name(&arch_arm, 16));
	assert_null(arch_reg_name(&arch_x86_64, 24));
	assert_null(arch_reg_name(&arch_generic, 0));
	for (size_t i = 0; arch_all[i]; i++) {
		assert_non_null(arch_reg_name(arch_all[i], (unsigned)arch_all[i]->reg_ip));
		assert_non_null(arch_reg_name(arch_all[i], (unsigned)arch_all[i]->reg_sp));
	}
}

static void test_kernel_addresses(void **state)
{
	(void)state;
	assert_true(arch_x86_64.is_kernel_addr(0xffffffff81000000));
	assert_false(arch_x86_64.is_kernel_addr(0x7fffffffffff));
	assert_true(arch_aarch64.is_kernel_addr(0xffff800010000000));
	assert_false(arch_aarch64.is_kernel_addr(0xb400ffff12345678));    /* tagged */
	assert_true(arch_arm.is_kernel_addr(0xc0008000));
	assert_false(arch_arm.is_kernel_addr(0x8000));
}

static void test_plt(void **state)
{
	static const struct {
		const struct arch *arch;
		uint8_t code[16];
		size_t size;
		uint64_t addr, got, slot;        /* slot 0: is no entry */
	} cases[] = {
		/* 1030: jmp *0x2fca(%rip) # 4000 */
		{ &arch_x86_64, { 0xff, 0x25, 0xca, 0x2f, 0, 0, 0x68, 0, 0, 0, 0, 0xe9 }, 16,
		  0x1030, 0, 0x4000 },
		/* 1050: endbr64; bnd jmp *0x2f75(%rip) # 3fd0 */
		{ &arch_x86_64, { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x75, 0x2f, 0, 0 }, 16,
		  0x1050, 0, 0x3fd0 },
		/* the header: push 0x2fe2(%rip) */
		{ &arch_x86_64, { 0xff, 0x35, 0xca, 0x2f, 0, 0, 0xff, 0x25, 0xcc, 0x2f, 0, 0 }, 16,
		  0x1020, 0, 0 },
		{ &arch_x86_64, { 0xff, 0x25, 0xca }, 3, 0x1030, 0, 0 },
		/* jmp *0x804c00c; jmp *0xc(%ebx) */
		{ &arch_i386, { 0xff, 0x25, 0x0c, 0xc0, 0x04, 0x08 }, 16, 0x8049030, 0, 0x804c00c },
		{ &arch_i386, { 0xff, 0xa3, 0x0c, 0, 0, 0 }, 16, 0x1030, 0x4000, 0x400c },
		/* 240: adrp x16, 20000; ldr x17, [x16, #8] */
		{ &arch_aarch64, { 0x10, 0x01, 0x00, 0x90, 0x11, 0x06, 0x40, 0xf9 }, 16,
		  0x240, 0, 0x20008 },
		/* the same behind bti c, by hand */
		{ &arch_aarch64,
		  { 0x5f, 0x24, 0x03, 0xd5, 0x10, 0x01, 0x00, 0x90, 0x11, 0x06, 0x40, 0xf9 }, 16,
		  0x240, 0, 0x20008 },
		/* adrp with a page before: 90000110 with imm21 = -1, by hand */
		{ &arch_aarch64, { 0xf0, 0xff, 0xff, 0xf0, 0x11, 0x06, 0x40, 0xf9 }, 16,
		  0x20240, 0, 0x1f008 },
		/* the header: stp x16, x30, [sp, #-16]! */
		{ &arch_aarch64, { 0xf0, 0x7b, 0xbf, 0xa9, 0xf0, 0x00, 0x00, 0xf0 }, 16,
		  0x210, 0, 0 },
		/* 168: add ip, pc, #0, 12; add ip, ip, #4096; ldr pc, [ip, #3740]! */
		{ &arch_arm, { 0x00, 0xc6, 0x8f, 0xe2, 0x01, 0xca, 0x8c, 0xe2, 0x9c, 0xfe, 0xbc,
			       0xe5 }, 12, 0x168, 0, 0x200c },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t slot = 0;
		bool found = cases[i].arch->plt_slot(cases[i].code, cases[i].size, cases[i].addr,
						     cases[i].got, &slot);

		assert_int_equal(found, cases[i].slot != 0);
		if (found)
			assert_int_equal(slot, cases[i].slot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_kernel_addresses),
		cmocka_unit_test(test_plt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
