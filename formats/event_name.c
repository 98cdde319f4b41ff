/* SPDX-License-Identifier: MIT */
#include "formats/event_name.h"

#include <inttypes.h>
#include <stdbool.h>

static const char *const hardware[] = {
	"cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-misses",
	"bus-cycles", "stalled-cycles-frontend", "stalled-cycles-backend", "ref-cycles",
};

static const char *const software[] = {
	"cpu-clock", "task-clock", "page-faults", "context-switches", "cpu-migrations",
	"minor-faults", "major-faults", "alignment-faults", "emulation-faults", "dummy",
	"bpf-output", "cgroup-switches",
};

static const char *const caches[] = {
	"L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node",
};

/* [operation][0: accesses, 1: misses] */
static const char *const cache_ops[][2] = {
	{ "loads", "load-misses" }, { "stores", "store-misses" },
	{ "prefetches", "prefetch-misses" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void add_cache(struct str *out, uint64_t config)
{
	unsigned cache = config & 0xff, op = config >> 8 & 0xff, result = config >> 16 & 0xff;

	if (config > 0xffffff || cache >= COUNT(caches) || op >= COUNT(cache_ops) || result > 1)
		str_addf(out, "invalid-cache-0x%" PRIx64, config);
	else
		str_addf(out, "%s-%s", caches[cache], cache_ops[op][result]);
}

/*
 * Letters stand for what is not excluded, and only when something is; H and G
 * when they differ from what the other modifiers imply (perf's evsel__add_modifiers).
 */
void event_name_add_modifiers(struct str *out, const struct perf_event_attr *attr)
{
	char text[16];
	int n = 0;
	bool guest_excluded_by_default = false;

	if (attr->exclude_kernel || attr->exclude_user || attr->exclude_hv) {
		if (!attr->exclude_kernel)
			text[n++] = 'k';
		if (!attr->exclude_user)
			text[n++] = 'u';
		if (!attr->exclude_hv)
			text[n++] = 'h';
		guest_excluded_by_default = true;
	}
	for (unsigned i = 0; i < attr->precise_ip; i++)
		text[n++] = 'p';
	if (attr->precise_ip)
		guest_excluded_by_default = true;
	if (attr->exclude_host || attr->exclude_guest == guest_excluded_by_default) {
		if (!attr->exclude_host)
			text[n++] = 'H';
		if (!attr->exclude_guest)
			text[n++] = 'G';
	}
	if (!n)
		return;
	str_addc(out, ':');
	str_addn(out, text, (size_t)n);
}

void event_name_add(struct str *out, const struct perf_event_attr *attr)
{
	uint64_t config = attr->config;

	switch (attr->type) {
	case PERF_TYPE_HARDWARE:
		/* the upper half may name the PMU of a hybrid CPU */
		if ((config & 0xffffffff) < COUNT(hardware))
			str_add(out, hardware[config & 0xffffffff]);
		else
			str_addf(out, "unknown-hardware-0x%" PRIx64, config);
		break;
	case PERF_TYPE_SOFTWARE:
		if (config < COUNT(software))
			str_add(out, software[config]);
		else
			str_addf(out, "unknown-software-0x%" PRIx64, config);
		break;
	case PERF_TYPE_TRACEPOINT:
		str_add(out, "unknown tracepoint");
		return;
	case PERF_TYPE_HW_CACHE:
		add_cache(out, config & 0xffffffff);
		break;
	case PERF_TYPE_RAW:
		str_addf(out, "raw 0x%" PRIx64, config);
		break;
	case PERF_TYPE_BREAKPOINT:
		str_addf(out, "mem:0x%" PRIx64 ":%s%s%s", (uint64_t)attr->bp_addr,
			 attr->bp_type & 1 ? "r" : "", attr->bp_type & 2 ? "w" : "",
			 attr->bp_type & 4 ? "x" : "");
		break;
	default:
		str_addf(out, "pmu-type-%u/config=0x%" PRIx64 "/", attr->type, config);
		return;
	}
	event_name_add_modifiers(out, attr);
}
