/* SPDX-License-Identifier: MIT */
#include "engine/tracefs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

#define PLACE "/sys/kernel/tracing"
#define OLD_PLACE "/sys/kernel/debug/tracing"

static const char *found;

static bool has_events(const char *dir, int *code)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/events", dir);
	if (faccessat(AT_FDCWD, path, R_OK | X_OK, AT_EACCESS) < 0) {
		if (errno != ENOENT)
			*code = errno;
		return false;
	}
	/* The folders may be open where the files are not (0440 since Linux 5.16). */
	snprintf(path, sizeof(path), "%s/events/header_page", dir);
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0 || errno != EACCES)
		return true;
	*code = EACCES;
	return false;
}

char *tracefs_grant(void)
{
	struct str s = STR_INIT;

	/* By the group, which is what all files of tracefs are open to. */
	str_addf(&s, "sudo mount -o remount,mode=750,gid=%u " PLACE, getegid());
	return str_take(&s);
}

static int not_readable(const char *what, struct err *err)
{
	char *grant = tracefs_grant();

	err_set(err, EACCES, "cannot read %s: permission denied; run as root, or `%s` opens it to your "
		"group", what, grant);
	free(grant);
	return -EACCES;
}

const char *tracefs_dir_quiet(void)
{
	int code;

	if (!found && has_events(PLACE, &code))
		found = PLACE;
	/* Not looked at before it is needed: reading it mounts it (CONFIG_TRACING). */
	if (!found && has_events(OLD_PLACE, &code))
		found = OLD_PLACE;
	return found;
}

const char *tracefs_dir(const char *given, struct err *err)
{
	int code = 0;

	if (given)
		return given;
	if (found)
		return found;
	if (has_events(PLACE, &code))
		return found = PLACE;
	if (code != EACCES && mount("tracefs", PLACE, "tracefs", 0, NULL) == 0) {
		log_note("mounted tracefs on " PLACE);
		return found = PLACE;
	}
	if (has_events(OLD_PLACE, &code))
		return found = OLD_PLACE;
	if (code == EACCES)
		not_readable(PLACE, err);
	else if (faccessat(AT_FDCWD, PLACE, F_OK, 0) < 0)
		err_set(err, ENOENT, "this kernel has no tracefs (no " PLACE "): it was built "
			"without CONFIG_TRACING");
	else
		err_set(err, ENOENT, "tracefs is not mounted; "
			"`sudo mount -t tracefs nodev " PLACE "` mounts it");
	return NULL;
}

static bool is_plain(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static bool event_path(char *path, size_t size, const char *tracefs, const char *system,
		       const char *name, const char *file)
{
	return is_plain(system) && is_plain(name) &&
	       snprintf(path, size, "%s/events/%s/%s/%s", tracefs, system, name, file) < (int)size;
}

int tracefs_id(const char *tracefs, const char *system, const char *name, uint64_t *id,
	       struct err *err)
{
	char path[1024], text[32];
	ssize_t n = -ENOENT;

	if (event_path(path, sizeof(path), tracefs, system, name, "id"))
		n = file_read_small(path, text, sizeof(text));
	if (n == -EACCES)
		return not_readable(path, err);
	if (n < 0)
		return err_set(err, (int)-n, "cannot read the id of tracepoint '%s:%s': %s",
			       system, name, strerror((int)-n));
	if (str_u64(text, id) < 0)
		return err_set(err, EINVAL, "'%s' holds '%s' and not a tracepoint's id", path, text);
	return 0;
}

struct names {
	char **v;
	size_t nr, cap;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The matching entries of a folder, sorted. */
static int read_names(const char *path, const char *glob, struct names *names)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && entry->d_type != DT_REG &&
		    str_glob(glob, entry->d_name))
			*vec_push(names) = mem_strdup(entry->d_name);
	closedir(dir);
	if (names->nr)
		qsort(names->v, names->nr, sizeof(*names->v), by_text);
	return 0;
}

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->v[i]);
	vec_release(names);
}

static int each_of_system(const char *tracefs, const char *system, const char *name_glob,
			  int (*fn)(const char *system, const char *name, void *arg), void *arg)
{
	char path[1024];
	struct names names = { 0 };
	int r = 0;

	snprintf(path, sizeof(path), "%s/events/%s", tracefs, system);
	/* A system that vanishes or is closed to us has no tracepoints for us. */
	if (read_names(path, name_glob, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.nr && !r; i++)
		r = fn(system, names.v[i], arg);
	names_release(&names);
	return r;
}

int tracefs_each(const char *tracefs, const char *system_glob, const char *name_glob,
		 int (*fn)(const char *system, const char *name, void *arg), void *arg,
		 struct err *err)
{
	char path[1024];
	struct names systems = { 0 };
	int r;

	/* The usual case, `sched:*`, need not read the names of all systems. */
	if (!str_is_glob(system_glob)) {
		if (!is_plain(system_glob))
			return 0;
		return each_of_system(tracefs, system_glob, name_glob, fn, arg);
	}
	snprintf(path, sizeof(path), "%s/events", tracefs);
	r = read_names(path, system_glob, &systems);
	if (r < 0)
		return err_set(err, -r, "cannot read '%s': %s", path, strerror(-r));
	for (size_t i = 0; i < systems.nr && !r; i++)
		r = each_of_system(tracefs, systems.v[i], name_glob, fn, arg);
	names_release(&systems);
	return r;
}

/* The number behind KEY in "...;\tKEY:12;..."; 0 if there is none. */
static unsigned key_number(const char *line, const char *end, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = line; p + n < end; p++)
		if (memcmp(p, key, n) == 0)
			return (unsigned)strtoul(p + n, NULL, 10);
	return 0;
}

/* "char comm[16]", "__data_loc char[] name", "unsigned long args[6]", "const char * filename" */
static void split_declaration(const char *decl, size_t len, struct tracefs_field *field)
{
	size_t array = len, name_end, name_at;
	struct str type = STR_INIT;

	if (len && decl[len - 1] == ']') {
		while (array && decl[array - 1] != '[')
			array--;
		array = array ? array - 1 : len;
	}
	name_end = array;
	while (name_end && decl[name_end - 1] == ' ')
		name_end--;
	name_at = name_end;
	while (name_at && decl[name_at - 1] != ' ' && decl[name_at - 1] != '*')
		name_at--;
	field->name = mem_strndup(decl + name_at, name_end - name_at);
	str_addn(&type, decl, name_at);
	while (type.len && type.p[type.len - 1] == ' ')
		type.p[--type.len] = '\0';
	str_addn(&type, decl + array, len - array);
	field->type = str_take(&type);
	field->is_dynamic = str_starts(field->type, "__data_loc") ||
			    str_starts(field->type, "__rel_loc");
	field->is_array = field->is_dynamic || array < len;
	/* What the kernel's filter takes for a string: filter_assign_type(), trace_events_filter.c */
	field->is_string = (field->is_array && strstr(field->type, "char")) ||
			   strcmp(field->type, "char *") == 0 ||
			   strcmp(field->type, "const char *") == 0;
}

void tracefs_format_parse(const char *text, struct tracefs_format *format)
{
	memset(format, 0, sizeof(*format));
	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *p = line + strspn(line, " \t");

		if (str_starts(p, "field:")) {
			const char *decl = p + strlen("field:");
			const char *stop = memchr(decl, ';', (size_t)(end - decl));
			struct tracefs_field *field;

			if (stop) {
				format->v = mem_realloc_array(format->v, format->nr + 1,
							      sizeof(*format->v));
				field = &format->v[format->nr++];
				memset(field, 0, sizeof(*field));
				split_declaration(decl, (size_t)(stop - decl), field);
				field->offset = key_number(stop, end, "offset:");
				field->size = key_number(stop, end, "size:");
				field->is_signed = key_number(stop, end, "signed:");
			}
		} else if (str_starts(p, "print fmt: ") && !format->print) {
			p += strlen("print fmt: ");
			format->print = mem_strndup(p, (size_t)(end - p));
		}
		line = *end ? end + 1 : end;
	}
}

int tracefs_format_read(const char *tracefs, const char *system, const char *name,
			struct tracefs_format *format, struct err *err)
{
	char path[1024], *text = NULL;

	errno = ENOENT;
	if (event_path(path, sizeof(path), tracefs, system, name, "format"))
		text = file_read_all(path, 1 << 20, NULL);
	if (!text)
		return err_set(err, errno, "cannot read the format of tracepoint '%s:%s': %s", system,
			       name, strerror(errno));
	tracefs_format_parse(text, format);
	free(text);
	return 0;
}

void tracefs_format_release(struct tracefs_format *format)
{
	for (uint32_t i = 0; i < format->nr; i++) {
		free(format->v[i].name);
		free(format->v[i].type);
	}
	free(format->v);
	free(format->print);
	memset(format, 0, sizeof(*format));
}
