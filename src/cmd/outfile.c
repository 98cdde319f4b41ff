/* SPDX-License-Identifier: MIT */
#include "cmd/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/output.h"

static int cannot_write(const struct outfile *file, int failure, struct err *err)
{
	const char *path = strcmp(file->path, "-") == 0 ? "standard output" : file->path;

	return err_set(err, failure, "cannot write '%s': %s", path, strerror(failure));
}

int outfile_open(struct outfile *file, const char *path, struct err *err)
{
	struct stat st;
	mode_t mask;
	int fd;

	*file = (struct outfile){ .out = stdout, .path = path, .temporary = STR_INIT };
	if (strcmp(path, "-") == 0)
		return 0;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		file->out = fopen(path, "we");
		return file->out ? 0 : cannot_write(file, errno, err);
	}
	str_addf(&file->temporary, "%s.XXXXXX", path);
	fd = mkostemp(file->temporary.p, O_CLOEXEC);
	if (fd < 0) {
		str_release(&file->temporary);
		return cannot_write(file, errno, err);
	}
	mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	output_give_to_caller(fd);
	file->out = file_of(fd, "w");
	if (file->out)
		return 0;
	fd = errno;
	unlink(file->temporary.p);
	str_release(&file->temporary);
	return cannot_write(file, fd, err);
}

int outfile_end(struct outfile *file, int r, struct err *err)
{
	int failure = r < 0 ? -r : 0;

	if ((file->out == stdout ? fflush(file->out) : fclose(file->out)) != 0 && !failure)
		failure = errno;
	if (!failure && file->temporary.len && rename(file->temporary.p, file->path) < 0)
		failure = errno;
	if (failure && file->temporary.len)
		unlink(file->temporary.p);
	str_release(&file->temporary);
	return failure ? cannot_write(file, failure, err) : 0;
}
