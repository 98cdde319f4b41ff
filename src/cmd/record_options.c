/* SPDX-License-Identifier: MIT */
#include "cmd/record_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/mem.h"

/* --- what is taken -------------------------------------------------------------------- */

static int take_regs(struct record_wishes *w, const char *option, const char *arg, bool unset,
		     uint64_t *mask, struct err *err)
{
	struct utsname uts;

	*mask = 0;
	if (unset)
		return 0;
	if (arg && strcmp(arg, "?") == 0) {
		w->list_regs = true;
		return 0;
	}
	if (uname(&uts) < 0)
		return err_set(err, errno, "%s: uname: %s", option, strerror(errno));
	return attr_parse_regs(arg, option, uts.machine, mask, err);
}

int record_take_user_regs(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct record_wishes *w = opt->value;

	return take_regs(w, "--user-regs", arg, unset, &w->s->o.attr.asked_user_regs, err);
}

int record_take_intr_regs(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct record_wishes *w = opt->value;

	return take_regs(w, "-I", arg, unset, &w->s->o.attr.asked_intr_regs, err);
}

int record_print_regs(struct err *err)
{
	struct str names = STR_INIT;
	struct utsname uts;
	int r = 0;

	if (uname(&uts) == 0)
		attr_list_regs(uts.machine, &names);
	if (names.len)
		printf("available registers: %s\n", names.p);
	else
		r = err_set(err, ENOTSUP, "the registers of this machine have no names here");
	str_release(&names);
	return r;
}

/* Each list goes on where the one before has ended, as in perf. */
int record_take_cgroup(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct record_wishes *w = opt->value;

	(void)err;
	if (unset)
		str_clear(&w->cgroups);
	else
		str_addf(&w->cgroups, "%s%s", w->cgroups.len ? "," : "", arg);
	return 0;
}

int record_take_synth(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	/* what each word leaves in; maps are of tasks */
	static const struct {
		const char *word;
		unsigned with;
	} words[] = {
		{ "no", 0 },
		{ "all", WITHOUT_TASKS | WITHOUT_MAPS | WITHOUT_CGROUPS },
		{ "task", WITHOUT_TASKS },
		{ "mmap", WITHOUT_TASKS | WITHOUT_MAPS },
		{ "cgroup", WITHOUT_CGROUPS },
	};
	struct recorder_options *o = &((struct record_wishes *)opt->value)->s->o;
	const unsigned all = words[1].with;
	unsigned with = unset ? all : 0;

	for (size_t len; !unset && arg; arg = arg[len] ? arg + len + 1 : NULL) {
		size_t i = 0, nr = sizeof(words) / sizeof(*words);

		len = strcspn(arg, ",");
		while (i < nr && (strlen(words[i].word) != len || strncmp(words[i].word, arg, len) != 0))
			i++;
		if (i == nr)
			return err_set(err, EINVAL, "--synth takes no, all, task, mmap and cgroup, with commas "
				       "between, not '%.*s'", (int)len, arg);
		with |= words[i].with;
	}
	o->without = all & ~with;
	/* who names them wants them without --all-cgroups, too */
	o->with_cgroups = with & WITHOUT_CGROUPS && with != all;
	return 0;
}

/* --no-buildid-mmap: they are looked up, and stand in the file's header. */
int record_take_build_id_mmap(const struct opt *opt, const char *arg, bool unset, struct err *err)
{
	struct record_wishes *w = opt->value;

	(void)arg;
	(void)err;
	w->build_id_mmap = !unset;
	w->no_build_id_mmap = unset;
	return 0;
}

/* --- what goes together --------------------------------------------------------------- */

static bool is_all(const struct recorder_options *o)
{
	return target_is_cpus(&o->target) || (target_is_none(&o->target) && !o->command);
}

static int settle_threads(const struct recorder_options *o, struct err *err)
{
	const struct {
		bool given;
		const char *why;
	} others[] = {
		{ is_all(o), "watches threads; give a command, -p, -t or -u, and neither -a nor -C" },
		{ o->affinity != AFFINITY_ANY, "has rings that belong to no CPU, of which --affinity goes to "
		  "one after the other; give one of them" },
		{ o->threads.kind != MASKS_NONE, "has rings that belong to no CPU, by which --threads shares "
		  "them out; give one of them" },
		{ o->attr.per_thread_counts, "follows no thread that is started, of which -s tells the counts "
		  "when they end; give one of them" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others) && o->target.per_thread; i++)
		if (others[i].given)
			return err_set(err, EINVAL, "--per-thread %s", others[i].why);
	return 0;
}

int record_settle_wishes(struct record_wishes *w, struct err *err)
{
	struct recorder_options *o = &w->s->o;

	if (settle_threads(o, err) < 0)
		return -EINVAL;
	if (o->target.per_thread)
		o->attr.inherit = false;
	if (w->cgroups.len && !is_all(o))
		return err_set(err, EINVAL, "-G watches a cgroup on whole CPUs; give -a or -C with it, and not -p, "
			       "-t or -u");
	if (o->with_self && o->without_self)
		return err_set(err, EINVAL, "--with-self and --exclude-perf exclude each other");
	if (w->build_id_mmap && o->no_build_ids)
		return err_set(err, EINVAL, "--buildid-mmap and -B exclude each other");
	o->need_build_ids = w->build_id_mmap;
	if (w->has_map_ms && (!w->map_ms || w->map_ms > UINT32_MAX))
		return err_set(err, EINVAL, "--proc-map-timeout takes milliseconds, from 1 on");
	o->map_ms = w->has_map_ms ? (unsigned)w->map_ms : 0;
	return 0;
}

static int settle_cgroups(struct record_wishes *w, struct err *err)
{
	struct event_list *events = &w->s->events;
	const struct cgroup **of = mem_zalloc((events->nr + 1) * sizeof(*of));
	int r = w->cgroups.len ? cgroup_assign(&w->groups, w->cgroups.p, of, events->nr, err) : 0;

	for (uint32_t i = 0; i < events->nr && r == 0; i++) {
		struct event *e = &events->v[i];

		e->cgroup = of[i];
		if (e->cgroup != of[e->leader])
			r = err_set(err, EINVAL, "-G: event '%s' is of another cgroup than the first of its "
				    "group, '%s'; the kernel counts a group in one", e->name,
				    events->v[e->leader].name);
	}
	free(of);
	return r;
}

int record_settle_events(struct record_wishes *w, struct err *err)
{
	struct attr_options *attr = &w->s->o.attr;
	struct event_list *events = &w->s->events;
	bool reads = false;

	for (uint32_t i = 0; i < events->nr; i++) {
		reads |= events->v[i].sample_read;
		if (w->group)
			events->v[i].leader = 0;
		if (events->v[i].inherit > 0 && w->s->o.target.per_thread)
			return err_set(err, EINVAL, "event '%s' is to be inherited, which a thread's own ring "
				       "(--per-thread) cannot be", events->v[i].name);
	}
	if (attr->running_time && !reads)
		return err_set(err, EINVAL, "--running-time tells of values that samples read, and no event does; "
			       "-e '{a,b}:S' does");
	if (attr->callgraph == CALLGRAPH_UNWIND && attr->asked_user_regs)
		return err_set(err, EINVAL, "--call-graph unwind keeps no registers of what it has unwound; with "
			       "--user-regs, give --call-graph dwarf or fp");
	if (attr->callgraph == CALLGRAPH_UNWIND && w->s->o.without & WITHOUT_MAPS)
		return err_set(err, EINVAL, "--call-graph unwind has to know what is mapped, which --synth leaves "
			       "out; give --synth=mmap, or --call-graph fp");
	if (attr->callgraph == CALLGRAPH_UNWIND && attr->asked_intr_regs &&
	    attr->stack_bytes > ATTR_STACK_BEFORE_REGS) {
		attr->stack_bytes = ATTR_STACK_BEFORE_REGS;
		log_note("beside registers (-I) samples have room for %u bytes of stack", attr->stack_bytes);
	}
	return settle_cgroups(w, err);
}

void record_wishes_release(struct record_wishes *w)
{
	str_release(&w->cgroups);
	cgroup_set_release(&w->groups);
}
