/* SPDX-License-Identifier: MIT */
#include "arch/arch.h"

#include <string.h>
#include <sys/utsname.h>

const struct arch *const arch_all[] = {
	&arch_x86_64, &arch_i386, &arch_aarch64, &arch_arm, NULL,
};

static bool has_name(const struct arch *arch, const char *name)
{
	if (strcmp(arch->name, name) == 0)
		return true;
	for (size_t i = 0; arch->aliases && arch->aliases[i]; i++)
		if (strcmp(arch->aliases[i], name) == 0)
			return true;
	return false;
}

const struct arch *arch_find(const char *name)
{
	for (size_t i = 0; name && arch_all[i]; i++)
		if (has_name(arch_all[i], name))
			return arch_all[i];
	return &arch_generic;
}

const struct arch *arch_of_machine(uint16_t e_machine, bool is_64bit)
{
	for (size_t i = 0; arch_all[i]; i++)
		if (arch_all[i]->e_machine == e_machine && arch_all[i]->is_64bit == is_64bit)
			return arch_all[i];
	return &arch_generic;
}

const struct arch *arch_host(void)
{
	struct utsname name;

	return uname(&name) == 0 ? arch_find(name.machine) : &arch_generic;
}

const char *arch_reg_name(const struct arch *arch, unsigned index)
{
	return index < arch->nr_regs ? arch->regs[index] : NULL;
}
