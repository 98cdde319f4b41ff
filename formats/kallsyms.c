/* SPDX-License-Identifier: MIT */
#include "formats/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define TEXT_MAX ((size_t)512 << 20)

int kallsyms_read(const char *path, char **text, size_t *size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t cap = 1 << 20, len = 0;
	struct stat st;
	char *p;
	int ret = 0;

	if (fd < 0)
		return err_set(err, errno, "cannot open '%s': %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, EINVAL, "cannot read '%s': not a regular file", path);
	}
	p = mem_alloc(cap + 1);
	for (;;) {
		ssize_t n = read(fd, p + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			ret = err_set(err, errno, "cannot read '%s': %s", path, strerror(errno));
		if (n <= 0)
			break;
		len += (size_t)n;
		if (len == cap) {
			if (cap >= TEXT_MAX) {
				ret = err_set(err, EFBIG, "cannot read '%s': larger than %zu MB",
					      path, TEXT_MAX >> 20);
				break;
			}
			cap *= 2;
			p = mem_realloc_array(p, cap + 1, 1);
		}
	}
	close(fd);
	if (ret) {
		free(p);
		return ret;
	}
	p[len] = '\0';
	*text = p;
	*size = len;
	return 0;
}

static bool parse_hex(char **at, uint64_t *value)
{
	char *p = *at;
	uint64_t v = 0;

	for (;; p++) {
		unsigned digit;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			digit = (unsigned)(*p - 'a') + 10;
		else if (*p >= 'A' && *p <= 'F')
			digit = (unsigned)(*p - 'A') + 10;
		else
			break;
		if (p - *at == 16)
			return false;
		v = v << 4 | digit;
	}
	if (p == *at)
		return false;
	*at = p;
	*value = v;
	return true;
}

/* Cut the next line off, NUL for newline. NULL when the text is used up. */
static char *next_line(char **at, char *end)
{
	char *line = *at, *newline;

	if (line >= end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	if (newline)
		*newline = '\0';
	*at = newline ? newline + 1 : end;
	return line;
}

static bool parse_symbol(char *line, struct kallsyms_line *out)
{
	char *p = line, *tail;

	if (!parse_hex(&p, &out->addr) || p[0] != ' ' || !p[1] || p[2] != ' ' || !p[3])
		return false;
	out->type = p[1];
	out->name = p + 3;
	out->module = NULL;
	tail = out->name + strcspn(out->name, "\t ");
	if (tail == out->name)
		return false;
	if (*tail) {
		char *close;

		*tail++ = '\0';
		tail += strspn(tail, "\t ");
		close = strchr(tail, ']');
		if (tail[0] != '[' || !close || close == tail + 1)
			return false;
		*close = '\0';
		out->module = tail + 1;
	}
	return true;
}

bool kallsyms_next(char **at, char *end, struct kallsyms_line *out)
{
	char *line;

	while ((line = next_line(at, end)))
		if (parse_symbol(line, out))
			return true;
	return false;
}

static bool parse_module(char *line, struct modules_line *out)
{
	char *save = NULL, *name, *size, *addr, *rest;

	name = strtok_r(line, " \t", &save);
	size = strtok_r(NULL, " \t", &save);
	strtok_r(NULL, " \t", &save);            /* reference count */
	strtok_r(NULL, " \t", &save);            /* users */
	strtok_r(NULL, " \t", &save);            /* state */
	addr = strtok_r(NULL, " \t", &save);
	if (!name || !size || !addr || addr[0] != '0' || addr[1] != 'x')
		return false;
	addr += 2;
	errno = 0;
	out->name = name;
	out->size = strtoull(size, &rest, 10);
	return !errno && !*rest && rest != size && parse_hex(&addr, &out->addr) && !*addr;
}

bool modules_next(char **at, char *end, struct modules_line *out)
{
	char *line;

	while ((line = next_line(at, end)))
		if (parse_module(line, out))
			return true;
	return false;
}
