/* SPDX-License-Identifier: MIT */
#include "engine/hotplug.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

/* The group of uevents that the kernel itself sends, see kobject_uevent_net_broadcast(). */
#define KERNEL_GROUP 1

/* "onli" and "offl" alone: of all else that happens to devices we are not to be woken. */
static int keep_to_cpus(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f6e6c69, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x6f66666c, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int hotplug_open(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int code;

	if (fd >= 0 && keep_to_cpus(fd) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	code = errno;
	if (fd >= 0)
		close(fd);
	return -code;
}

bool hotplug_parse(const char *text, size_t size, struct hotplug_change *change)
{
	static const char device[] = "@/devices/system/cpu/cpu";
	const char *at;
	char *end;
	long cpu;

	if (!size || !memchr(text, '\0', size))
		return false;
	change->online = str_starts(text, "online@");
	if (!change->online && !str_starts(text, "offline@"))
		return false;
	at = strchr(text, '@');
	if (!str_starts(at, device))
		return false;
	at += sizeof(device) - 1;
	if (*at < '0' || *at > '9')
		return false;
	cpu = strtol(at, &end, 10);
	change->cpu = (int)cpu;
	return !*end && cpu <= 1000000;
}

bool hotplug_next(int fd, struct hotplug_change *change)
{
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	char text[4096];
	ssize_t n;

	while (fd >= 0) {
		n = recvfrom(fd, text, sizeof(text), 0, (struct sockaddr *)&from, &size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				log_debug("CPUs that come and go: %s", strerror(errno));
			return false;
		}
		/* anybody may write to a socket of netlink; only the kernel has the number 0 */
		if (size == sizeof(from) && from.nl_pid == 0 && hotplug_parse(text, (size_t)n, change))
			return true;
	}
	return false;
}
