/* SPDX-License-Identifier: MIT */
/* mapwatch: a mapping that we make wakes us, and is told as it was made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/attr.h"
#include "engine/buildids.h"
#include "engine/mapwatch.h"

#define PATIENCE_MS 60000                /* only a failure waits so long */

struct told {
	uint64_t addr;                   /* the one that is waited for */
	uint32_t nr, others;
	char name[PATH_MAX];
};

static void tell(void *arg, const void *record)
{
	const struct raw_mmap2 *m = record;
	struct told *told = arg;

	assert_int_equal(m->header.type, PERF_RECORD_MMAP2);
	assert_int_equal(m->pid, getpid());
	if (m->addr != told->addr) {
		told->others++;
		return;
	}
	snprintf(told->name, sizeof(told->name), "%s", m->filename);
	told->nr++;
}

/* Counters as mapwatch sees them: itself on every CPU, and one event. */
static void init(struct counters *c, struct event_list *events)
{
	struct target none = { 0 };
	struct err err;

	memset(c, 0, sizeof(*c));
	*events = (struct event_list){ .v = mem_zalloc(sizeof(*events->v)), .nr = 1, .cap = 1 };
	attr_make_dummy(&events->v[0]);
	events->v[0].attr.mmap2 = events->v[0].attr.inherit = 1;
	c->events = events;
	assert_int_equal(target_cpus(&none, &c->cpus, &err), 0);
	*vec_push(&c->threads) = (struct thread_id){ getpid(), getpid() };
	c->per_ring = 1;
}

static void release(struct counters *c)
{
	vec_release(&c->cpus);
	vec_release(&c->threads);
	event_list_release(c->events);
}

static void wait_for(struct mapwatch *watch, int epoll_fd, struct told *told)
{
	struct epoll_event event;

	while (!told->nr) {
		assert_int_equal(epoll_wait(epoll_fd, &event, 1, PATIENCE_MS), 1);
		assert_ptr_equal(event.data.ptr, watch);
		mapwatch_take(watch, tell, told);
	}
}

static void test_mapping_wakes(void **state)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), fd = open("/proc/self/exe", O_RDONLY);
	struct mapwatch *watch;
	struct event_list events;
	struct epoll_event event;
	struct counters c;
	char own[PATH_MAX] = "";

	(void)state;
	init(&c, &events);
	watch = mapwatch_new(&c);
	if (!watch) {
		print_message("skipped: no events can be opened here\n");
		close(epoll_fd);
		close(fd);
		release(&c);
		skip();
	}
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	assert_int_equal(mapwatch_poll(watch, epoll_fd), 0);
	/* twice: the first wake-up must not be the last */
	for (int i = 0; i < 2; i++) {
		void *code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
		struct told told = { .addr = (uint64_t)(uintptr_t)code };

		assert_ptr_not_equal(code, MAP_FAILED);
		wait_for(watch, epoll_fd, &told);
		assert_int_equal(told.nr, 1);
		assert_string_equal(told.name, own);
		munmap(code, 4096);
	}
	/* data is no one's business */
	munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), 4096);
	assert_int_equal(epoll_wait(epoll_fd, &event, 1, 0), 0);
	mapwatch_free(watch);
	close(epoll_fd);
	close(fd);
	release(&c);
}

/* One mapping after the other: they are still told of, and calm comes back. */
static void test_busy(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct told told = { .addr = 1 };
	struct mapwatch *watch;
	struct event_list events;
	struct counters c;
	void *code;

	(void)state;
	init(&c, &events);
	watch = mapwatch_new(&c);
	if (!watch) {
		print_message("skipped: no events can be opened here\n");
		close(fd);
		release(&c);
		skip();
	}
	assert_int_equal(mapwatch_wait_ms(watch), -1);
	/* looks that need a rest before them: how many there are in a row is the machine's affair */
	for (int i = 0; i < 3000 && mapwatch_wait_ms(watch) < 0; i++)
		mapwatch_take(watch, tell, &told);
	if (mapwatch_wait_ms(watch) < 0) {
		print_message("skipped: too little locked memory, or of the machine\n");
		mapwatch_free(watch);
		close(fd);
		release(&c);
		skip();
	}
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	told.addr = (uint64_t)(uintptr_t)code;
	mapwatch_take(watch, tell, &told);
	assert_int_equal(told.nr, 1);
	while (mapwatch_wait_ms(watch) >= 0)
		mapwatch_take(watch, tell, &told);
	munmap(code, 4096);
	mapwatch_free(watch);
	close(fd);
	release(&c);
}

/* A sonde that watches hundreds of threads does without. */
static void test_too_many(void **state)
{
	struct event_list events;
	struct counters c;

	(void)state;
	init(&c, &events);
	for (int i = 0; i < 300; i++)
		*vec_push(&c.threads) = (struct thread_id){ getpid(), getpid() };
	c.per_ring = c.threads.nr;
	assert_null(mapwatch_new(&c));
	release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapping_wakes),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
