/* SPDX-License-Identifier: MIT */
#include "engine/pfm.h"

#include <errno.h>
#include <stddef.h>

#if __has_include(<perfmon/pfmlib_perf_event.h>) && !defined(NO_PFM)

#include <dlfcn.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

static struct {
	bool tried;
	void *lib;
	int (*get_version)(void);
	pfm_err_t (*initialize)(void);
	const char *(*error)(int code);
	pfm_err_t (*encode)(const char *str, int plm, pfm_os_t os, void *args);
	pfm_err_t (*pmu_info)(pfm_pmu_t pmu, pfm_pmu_info_t *info);
	int (*event_next)(int idx);
	int (*find)(const char *name);
	pfm_err_t (*event_info)(int idx, pfm_os_t os, pfm_event_info_t *info);
	pfm_err_t (*attr_info)(int event, int attr, pfm_os_t os, pfm_event_attr_info_t *info);
	bool initialized;
	char version[32];
} pfm;

static bool load(void)
{
	const struct {
		const char *name;
		void **to;
	} symbols[] = {
		{ "pfm_get_version", (void **)&pfm.get_version },
		{ "pfm_initialize", (void **)&pfm.initialize },
		{ "pfm_strerror", (void **)&pfm.error },
		{ "pfm_get_os_event_encoding", (void **)&pfm.encode },
		{ "pfm_get_pmu_info", (void **)&pfm.pmu_info },
		{ "pfm_get_event_next", (void **)&pfm.event_next },
		{ "pfm_find_event", (void **)&pfm.find },
		{ "pfm_get_event_info", (void **)&pfm.event_info },
		{ "pfm_get_event_attr_info", (void **)&pfm.attr_info },
	};

	if (pfm.tried)
		return pfm.lib != NULL;
	pfm.tried = true;
	pfm.lib = dlopen("libpfm.so.4", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; pfm.lib && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		*symbols[i].to = dlsym(pfm.lib, symbols[i].name);
		if (!*symbols[i].to) {
			dlclose(pfm.lib);
			pfm.lib = NULL;
		}
	}
	return pfm.lib != NULL;
}

static bool ready(void)
{
	if (load() && !pfm.initialized)
		pfm.initialized = pfm.initialize() == PFM_SUCCESS;
	return pfm.initialized;
}

const char *pfm_version(void)
{
	int v;

	if (!load())
		return NULL;
	v = pfm.get_version();
	snprintf(pfm.version, sizeof(pfm.version), "libpfm4 %d.%d", v >> 16, v & 0xffff);
	return pfm.version;
}

/* The unit mask of `text`'s event that is nearest to one of the words behind its colons. */
static const char *near_umask(const char *text)
{
	const char *names[512], *near = NULL;
	char *copy = mem_strdup(text), *save = NULL, *word;
	pfm_event_info_t event = { .size = sizeof(event) };
	int idx, n = 0;

	word = strtok_r(copy, ":", &save);
	idx = word ? pfm.find(word) : -1;
	if (idx < 0 || pfm.event_info(idx, PFM_OS_PERF_EVENT_EXT, &event) != PFM_SUCCESS)
		goto out;
	for (int i = 0; i < event.nattrs && n < 511; i++) {
		pfm_event_attr_info_t attr = { .size = sizeof(attr) };

		if (pfm.attr_info(idx, i, PFM_OS_PERF_EVENT_EXT, &attr) == PFM_SUCCESS &&
		    attr.type == PFM_ATTR_UMASK)
			names[n++] = attr.name;
	}
	names[n] = NULL;
	while (!near && (word = strtok_r(NULL, ":", &save))) {
		near = str_nearest(word, names);
		if (near && strcasecmp(near, word) == 0)
			near = NULL;
	}
out:
	free(copy);
	return near;
}

static int wrong_umask(const char *text, int code, struct err *err)
{
	const char *near = near_umask(text);

	if (near)
		return err_set(err, EINVAL, "cannot encode event '%s': libpfm4 says %s; did you mean "
			       "the unit mask '%s'?", text, pfm.error(code), near);
	return err_set(err, EINVAL, "cannot encode event '%s': libpfm4 says %s; `sonde list pfm -v` "
		       "shows the unit masks", text, pfm.error(code));
}

int pfm_parse(const char *text, struct perf_event_attr *attr, char **pmu, struct err *err)
{
	pfm_perf_encode_arg_t arg = { .attr = attr, .size = sizeof(arg) };
	pfm_event_info_t event = { .size = sizeof(event) };
	pfm_pmu_info_t info = { .size = sizeof(info) };
	int r;

	if (!ready())
		return 0;
	r = pfm.encode(text, PFM_PLM0 | PFM_PLM3 | PFM_PLMH, PFM_OS_PERF_EVENT_EXT, &arg);
	if (r == PFM_ERR_NOTFOUND || r == PFM_ERR_NOTSUPP || r == PFM_ERR_NOINIT)
		return 0;
	if (r != PFM_SUCCESS)
		return wrong_umask(text, r, err);
	attr->size = sizeof(*attr);
	if (pfm.event_info(arg.idx, PFM_OS_PERF_EVENT_EXT, &event) == PFM_SUCCESS &&
	    pfm.pmu_info(event.pmu, &info) == PFM_SUCCESS && info.name)
		*pmu = mem_strdup(info.name);
	return 1;
}

static int each_of_event(const pfm_pmu_info_t *pmu, int idx,
			 int (*fn)(const struct pfm_entry *entry, void *arg), void *arg)
{
	pfm_event_info_t event = { .size = sizeof(event) };
	struct pfm_entry entry = { .pmu = pmu->name };
	int r;

	if (pfm.event_info(idx, PFM_OS_PERF_EVENT_EXT, &event) != PFM_SUCCESS)
		return 0;
	entry.name = event.name;
	entry.desc = event.desc;
	r = fn(&entry, arg);
	for (int i = 0; i < event.nattrs && !r; i++) {
		pfm_event_attr_info_t attr = { .size = sizeof(attr) };

		if (pfm.attr_info(idx, i, PFM_OS_PERF_EVENT_EXT, &attr) != PFM_SUCCESS ||
		    attr.type != PFM_ATTR_UMASK)
			continue;
		entry.umask = attr.name;
		entry.desc = attr.desc;
		entry.is_default = attr.is_dfl;
		r = fn(&entry, arg);
	}
	return r;
}

int pfm_each(int (*fn)(const struct pfm_entry *entry, void *arg), void *arg)
{
	int r = 0;

	if (!ready())
		return 0;
	for (int p = 0; p < PFM_PMU_MAX && !r; p++) {
		pfm_pmu_info_t pmu = { .size = sizeof(pmu) };

		/* The OS's own generic events are in sonde's tables already. */
		if (pfm.pmu_info((pfm_pmu_t)p, &pmu) != PFM_SUCCESS || !pmu.is_present ||
		    pmu.type == PFM_PMU_TYPE_OS_GENERIC)
			continue;
		for (int i = pmu.first_event; i >= 0 && !r; i = pfm.event_next(i))
			r = each_of_event(&pmu, i, fn, arg);
	}
	return r;
}

struct name_call {
	int (*fn)(const char *name, void *arg);
	void *arg;
};

static int call_name(const struct pfm_entry *entry, void *arg)
{
	const struct name_call *call = arg;

	return entry->umask ? 0 : call->fn(entry->name, call->arg);
}

int pfm_each_name(int (*fn)(const char *name, void *arg), void *arg)
{
	struct name_call call = { fn, arg };

	return pfm_each(call_name, &call);
}

#else

const char *pfm_version(void)
{
	return NULL;
}

int pfm_parse(const char *text, struct perf_event_attr *attr, char **pmu, struct err *err)
{
	(void)text, (void)attr, (void)pmu, (void)err;
	return 0;
}

int pfm_each(int (*fn)(const struct pfm_entry *entry, void *arg), void *arg)
{
	(void)fn, (void)arg;
	return 0;
}

int pfm_each_name(int (*fn)(const char *name, void *arg), void *arg)
{
	(void)fn, (void)arg;
	return 0;
}

#endif
