/* SPDX-License-Identifier: MIT */
#include "view/header.h"

#include <byteswap.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "formats/attr_text.h"

static const char *const feature_names[] = {
	[FEATURE_TRACING_DATA] = "TRACING_DATA", [FEATURE_BUILD_ID] = "BUILD_ID",
	[FEATURE_HOSTNAME] = "HOSTNAME", [FEATURE_OSRELEASE] = "OSRELEASE",
	[FEATURE_VERSION] = "VERSION", [FEATURE_ARCH] = "ARCH", [FEATURE_NRCPUS] = "NRCPUS",
	[FEATURE_CPUDESC] = "CPUDESC", [FEATURE_CPUID] = "CPUID",
	[FEATURE_TOTAL_MEM] = "TOTAL_MEM", [FEATURE_CMDLINE] = "CMDLINE",
	[FEATURE_EVENT_DESC] = "EVENT_DESC", [FEATURE_CPU_TOPOLOGY] = "CPU_TOPOLOGY",
	[FEATURE_NUMA_TOPOLOGY] = "NUMA_TOPOLOGY", [FEATURE_BRANCH_STACK] = "BRANCH_STACK",
	[FEATURE_PMU_MAPPINGS] = "PMU_MAPPINGS", [FEATURE_GROUP_DESC] = "GROUP_DESC",
	[FEATURE_AUXTRACE] = "AUXTRACE", [FEATURE_STAT] = "STAT", [FEATURE_CACHE] = "CACHE",
	[FEATURE_SAMPLE_TIME] = "SAMPLE_TIME", [FEATURE_MEM_TOPOLOGY] = "MEM_TOPOLOGY",
	[FEATURE_CLOCKID] = "CLOCKID", [FEATURE_DIR_FORMAT] = "DIR_FORMAT",
	[FEATURE_BPF_PROG_INFO] = "BPF_PROG_INFO", [FEATURE_BPF_BTF] = "BPF_BTF",
	[FEATURE_COMPRESSED] = "COMPRESSED", [FEATURE_CPU_PMU_CAPS] = "CPU_PMU_CAPS",
	[FEATURE_CLOCK_DATA] = "CLOCK_DATA", [FEATURE_HYBRID_TOPOLOGY] = "HYBRID_TOPOLOGY",
	[FEATURE_PMU_CAPS] = "PMU_CAPS",
};

static void line(const char *name, const char *value, FILE *out)
{
	struct str safe = STR_INIT;

	if (!value)
		return;
	str_add_safe(&safe, value);
	fprintf(out, "# %s : %s\n", name, safe.p);
	str_release(&safe);
}

static void write_cmdline(const struct perf_data *data, FILE *out)
{
	struct str text = STR_INIT;

	if (!data->cmdline)
		return;
	for (const char **word = data->cmdline; *word; word++)
		str_addf(&text, "%s ", *word);
	line("cmdline", text.p, out);
	str_release(&text);
}

static void write_event(const struct event_desc *event, FILE *out)
{
	struct str text = STR_INIT;

	str_addf(&text, "name = %s, ", event->name);
	if (event->nr_ids) {
		str_add(&text, ", id = {");
		for (uint32_t i = 0; i < event->nr_ids; i++)
			str_addf(&text, "%s %" PRIu64, i ? "," : "", event->ids[i]);
		str_add(&text, " }, ");
	}
	attr_text_add(&text, &event->attr, " = ", ", ");
	line("event", text.p, out);
	str_release(&text);
}

static void write_sample_time(const struct perf_data *data, FILE *out)
{
	uint64_t from = data->first_sample_ns, to = data->last_sample_ns;

	if (!to)
		return;
	fprintf(out, "# time of first sample : %" PRIu64 ".%06" PRIu64 "\n", from / 1000000000,
		from % 1000000000 / 1000);
	fprintf(out, "# time of last sample : %" PRIu64 ".%06" PRIu64 "\n", to / 1000000000,
		to % 1000000000 / 1000);
	fprintf(out, "# sample duration : %10.3f ms\n", (double)(to - from) / 1e6);
}

/* Which records the files beside the first have; 0 is none. */
static void write_directory(const struct perf_data *data, FILE *out)
{
	const struct feature_section *section = &data->features[FEATURE_DIR_FORMAT];
	uint64_t version;

	if (!section->present || section->size < sizeof(version))
		return;
	memcpy(&version, section->bytes, sizeof(version));
	fprintf(out, "# directory data version : %" PRIu64 "\n", data->swap ? bswap_64(version) : version);
}

static void write_missing(const struct perf_data *data, FILE *out)
{
	if (data->is_pipe)
		return;
	fputs("# missing features: ", out);
	for (unsigned f = 1; f < sizeof(feature_names) / sizeof(feature_names[0]); f++)
		if (!data->features[f].present)
			fprintf(out, "%s ", feature_names[f]);
	fputc('\n', out);
}

static void write_build_ids(const struct perf_data *data, FILE *out)
{
	for (uint32_t i = 0; i < data->nr_build_ids; i++) {
		const struct build_id_entry *b = &data->build_ids[i];
		struct str safe = STR_INIT;

		for (int j = 0; j < b->size; j++)
			str_addf(&safe, "%02x", b->build_id[j]);
		str_addc(&safe, ' ');
		str_add_safe(&safe, b->filename);
		fprintf(out, "# build id : %s\n", safe.p);
		str_release(&safe);
	}
}

void header_write(const struct perf_data *data, bool all, FILE *out)
{
	time_t created = (time_t)data->created_s;
	struct tm tm;
	char when[64] = "?";

	if (localtime_r(&created, &tm))
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	fprintf(out, "# ========\n# captured on    : %s\n", when);
	fprintf(out, "# header version : 1\n# data offset    : %" PRIu64 "\n", data->data_off);
	fprintf(out, "# data size      : %" PRIu64 "\n", data->data_size);
	if (!data->is_pipe)
		fprintf(out, "# feat offset    : %" PRIu64 "\n", data->data_off + data->data_size);
	line("hostname", data->hostname, out);
	line("os release", data->os_release, out);
	line("perf version", data->version, out);
	line("arch", data->arch, out);
	if (data->features[FEATURE_NRCPUS].present)
		fprintf(out, "# nrcpus online : %u\n# nrcpus avail : %u\n", data->nr_cpus_online,
			data->nr_cpus_avail);
	line("cpudesc", data->cpudesc, out);
	line("cpuid", data->cpuid, out);
	if (data->total_mem_kb)
		fprintf(out, "# total memory : %" PRIu64 " kB\n", data->total_mem_kb);
	write_cmdline(data, out);
	for (uint32_t i = 0; i < data->events.nr; i++)
		write_event(&data->events.v[i], out);
	if (data->clockid_res_ns)
		fprintf(out, "# clockid: resolution %" PRIu64 " ns\n", data->clockid_res_ns);
	write_sample_time(data, out);
	write_directory(data, out);
	if (all)
		write_build_ids(data, out);
	write_missing(data, out);
	fputs("# ========\n#\n", out);
}
