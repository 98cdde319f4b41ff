/* SPDX-License-Identifier: MIT */
/*
 * writes [N]: N write system calls of one byte each to /dev/null, and no other.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) static int write_once(int fd)
{
	return write(fd, "x", 1) == 1;
}

int main(int argc, char **argv)
{
	long nr = argc > 1 ? atol(argv[1]) : 1000;
	int fd = open("/dev/null", O_WRONLY);

	if (fd < 0)
		return 1;
	while (nr-- > 0)
		if (!write_once(fd))
			return 1;
	return 0;
}
