/* SPDX-License-Identifier: MIT */
/*
 * naming FILE [JOBS] <ADDRESSES: hexadecimal addresses of FILE in, and out what
 * `addr2line -afi -e FILE` prints for them: the address, then a line for each function
 * and a line for its file and line, innermost first.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "symbols/symbols.h"

#define CHUNK 2048
#define FRAMES 256

struct job {
	pthread_t thread;
	struct module *module;
	const uint64_t *addrs;
	size_t nr;
	struct str text;
};

static void add_address(struct str *s, struct module *module, uint64_t addr)
{
	struct source_frame frames[FRAMES];
	uint32_t nr = module_lines(module, addr, frames, FRAMES);
	struct symbol symbol;

	str_add(s, "0x");
	str_add_hex(s, addr, 16, '0');
	if (!nr || !frames[nr - 1].name) {
		module_symbol(module, addr, &symbol);
		if (!nr)
			frames[nr++] = (struct source_frame){ 0 };
		frames[nr - 1].name = symbol.name;
	}
	for (uint32_t i = 0; i < nr; i++) {
		str_addc(s, '\n');
		str_add(s, frames[i].name ? frames[i].name : "??");
		str_addc(s, '\n');
		str_add(s, frames[i].file ? frames[i].file : "??");
		str_addc(s, ':');
		if (frames[i].line)
			str_add_dec(s, frames[i].line, 0, ' ');
		else
			str_addc(s, frames[i].file ? '?' : '0');
	}
	str_addc(s, '\n');
}

static void *work(void *arg)
{
	struct job *job = arg;

	for (size_t i = 0; i < job->nr; i++)
		add_address(&job->text, job->module, job->addrs[i]);
	return NULL;
}

static uint64_t *read_addresses(size_t *nr)
{
	uint64_t *v = NULL;
	size_t cap = 0;
	char line[64];

	*nr = 0;
	while (fgets(line, sizeof(line), stdin)) {
		if (*nr == cap) {
			cap = cap ? cap * 2 : 1024;
			v = mem_realloc_array(v, cap, sizeof(*v));
		}
		v[(*nr)++] = strtoull(line, NULL, 16);
	}
	return v;
}

int main(int argc, char **argv)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t nr_jobs = argc > 2 ? strtoul(argv[2], NULL, 10) : cores > 0 ? (size_t)cores : 1, nr;
	struct symbol_options options = { .no_demangle = true };
	struct module_set *set = module_set_new(&options);
	struct module *module;
	struct job *jobs;
	uint64_t *addrs;

	if (argc < 2 || !nr_jobs) {
		fprintf(stderr, "naming FILE [JOBS] <ADDRESSES\n");
		return 2;
	}
	module = module_intern(set, MODULE_FILE, argv[1], NULL, 0);
	addrs = read_addresses(&nr);
	jobs = mem_zalloc(nr_jobs * sizeof(*jobs));
	for (size_t done = 0; done < nr;) {
		size_t used = 0;

		for (; used < nr_jobs && done < nr; used++) {
			struct job *job = &jobs[used];

			job->module = module;
			job->addrs = addrs + done;
			job->nr = nr - done < CHUNK ? nr - done : CHUNK;
			if (!job->text.p)
				job->text = (struct str)STR_INIT;
			done += job->nr;
			if (pthread_create(&job->thread, NULL, work, job) != 0)
				return 1;
		}
		for (size_t i = 0; i < used; i++) {
			pthread_join(jobs[i].thread, NULL);
			fwrite(jobs[i].text.p, 1, jobs[i].text.len, stdout);
			str_clear(&jobs[i].text);
		}
	}
	module_set_free(set);
	for (size_t i = 0; i < nr_jobs; i++)
		str_release(&jobs[i].text);
	free(jobs);
	free(addrs);
	return 0;
}
