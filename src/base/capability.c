/* SPDX-License-Identifier: MIT */
#include "base/capability.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

int capability_keep(uint64_t most)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		uint32_t keep = (uint32_t)(most >> (32 * i));

		data[i].effective &= keep;
		data[i].permitted &= keep;
		data[i].inheritable &= keep;
	}
	/* what is no longer permitted and inheritable is no longer ambient: capabilities(7) */
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

void capability_need(uint64_t most)
{
	int r = getauxval(AT_SECURE) && geteuid() != 0 ? capability_keep(most) : 0;

	if (r < 0)
		log_info("capabilities cannot be given up: %s", strerror(-r));
}
