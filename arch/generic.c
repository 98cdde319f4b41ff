/* SPDX-License-Identifier: MIT */
/* The fall-back: a machine that is not known. The upper half is the kernel's, as on most. */
#include "arch/arch.h"

static bool is_kernel_addr(uint64_t addr)
{
	return addr >> 63;
}

const struct arch arch_generic = {
	.name = "unknown",
	.is_64bit = true,
	.reg_ip = -1,
	.reg_sp = -1,
	.is_kernel_addr = is_kernel_addr,
};
