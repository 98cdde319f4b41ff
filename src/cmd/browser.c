/* SPDX-License-Identifier: MIT */
#include "cmd/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define OPENER "xdg-open"

struct words { VEC(char *) v; };

static void words_release(struct words *words)
{
	for (size_t i = 0; i < words->v.nr; i++)
		free(words->v.v[i]);
	vec_release(&words->v);
}

/* `word` with the path in the place of "%s"; *used says whether it was there. */
static char *with_path(const char *word, const char *path, bool *used)
{
	const char *at = strstr(word, "%s");
	struct str s = STR_INIT;

	if (!at)
		return mem_strdup(word);
	*used = true;
	str_addn(&s, word, (size_t)(at - word));
	str_add(&s, path);
	str_add(&s, at + 2);
	return str_take(&s);
}

static struct words browser_words(const char *path)
{
	const char *browser = getenv("BROWSER");
	struct words words = { 0 };
	char *copy = mem_strdup(browser && *browser ? browser : OPENER), *rest = copy, *word;
	bool used = false;

	rest[strcspn(rest, ":")] = '\0';
	while ((word = strsep(&rest, " \t")))
		if (*word)
			*vec_push(&words.v) = with_path(word, path, &used);
	if (!used)
		*vec_push(&words.v) = mem_strdup(path);
	*vec_push(&words.v) = NULL;
	free(copy);
	return words;
}

/* As execvp looks for it. */
static bool is_there(const char *program)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *folder;
	bool found = false;

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	copy = rest = mem_strdup(path ? path : "/usr/bin:/bin");
	while (!found && (folder = strsep(&rest, ":"))) {
		struct str s = STR_INIT;

		str_addf(&s, "%s/%s", *folder ? folder : ".", program);
		found = access(s.p, X_OK) == 0;
		str_release(&s);
	}
	free(copy);
	return found;
}

int browser_check(struct err *err)
{
	const char *browser = getenv("BROWSER");
	struct words words = browser_words("");
	int r = 0;

	if (!is_there(words.v.v[0]))
		r = browser && *browser ?
		    err_set(err, ENOENT, "--open: there is no program '%s', which $BROWSER names",
			    words.v.v[0]) :
		    err_set(err, ENOENT, "--open: there is no " OPENER " here; set BROWSER to a program that "
			    "shows pages, or open the file that is written without --open");
	else if (!(browser && *browser) && !getenv("DISPLAY") && !getenv("WAYLAND_DISPLAY"))
		r = err_set(err, ENOENT, "--open: no screen to open a browser on (neither DISPLAY nor "
			    "WAYLAND_DISPLAY is set); BROWSER may name a program that needs none");
	words_release(&words);
	return r;
}

/* A browser has no business with root's rights; most refuse to start with them. */
static void become_caller(void)
{
	const char *uid_text = getenv("SUDO_UID"), *gid_text = getenv("SUDO_GID");
	uint64_t uid, gid;

	if (geteuid() != 0 || !uid_text || !gid_text || str_u64(uid_text, &uid) < 0 ||
	    str_u64(gid_text, &gid) < 0 || uid >= UINT32_MAX || gid >= UINT32_MAX)
		return;
	if (setgroups(0, NULL) < 0 || setgid((gid_t)gid) < 0 || setuid((uid_t)uid) < 0)
		_exit(127);
}

/* In the child of a child: whom init inherits, so that nobody has to wait for it. */
static void start(char **argv, int failed)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), e;

	setsid();
	become_caller();
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	execvp(argv[0], argv);
	e = errno;
	if (write(failed, &e, sizeof(e)) < 0)
		_exit(126);
	_exit(127);
}

int browser_open(const char *path, struct err *err)
{
	char *whole = realpath(path, NULL);
	struct words words = browser_words(whole ? whole : path);
	int ends[2], e = 0, r = 0;
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0) {
			if (fork() == 0)
				start(words.v.v, ends[1]);
			_exit(0);
		}
		e = pid < 0 ? errno : 0;
		close(ends[1]);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		/* exec closes the pipe, and a failure is told through it */
		if (pid > 0 && read(ends[0], &e, sizeof(e)) != sizeof(e))
			e = 0;
		close(ends[0]);
	} else {
		e = errno;
	}
	if (e)
		r = err_set(err, e, "cannot start '%s' to show '%s': %s", words.v.v[0], path, strerror(e));
	words_release(&words);
	free(whole);
	return r;
}
