/* SPDX-License-Identifier: MIT */
/*
 * forks [N]: N short processes, one after the other: every other one becomes
 * /bin/true, the rest work a little under the name child-K and end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) static void spin_child(void)
{
	for (uint64_t n = 1000000; n;) {
		n--;
		__asm__ volatile("" : "+r"(n));
	}
}

int main(int argc, char **argv)
{
	unsigned nr = argc > 1 ? (unsigned)atoi(argv[1]) : 100;

	for (unsigned i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			char name[16];

			if (i % 2 == 0) {
				execl("/bin/true", "true", NULL);
				_exit(127);
			}
			snprintf(name, sizeof(name), "child-%u", i % 1000000);
			prctl(PR_SET_NAME, name, 0, 0, 0);
			spin_child();
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	return 0;
}
