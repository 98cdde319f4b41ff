/* SPDX-License-Identifier: MIT */
/* What is done when a command comes through --control, or SIGUSR2. */
#include "engine/recorder_priv.h"

#include <inttypes.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/str.h"
#include "formats/attr_text.h"

int recorder_snapshot(struct recorder *r, struct err *err)
{
	r->want_snapshot = false;
	if (r->o->next_file.on)
		return recorder_next_file(r, err);
	if (r->o->overwrite)
		return recorder_dump(r, err);
	log_note("SIGUSR2 and 'snapshot' do nothing without --switch-output=signal or --overwrite");
	return 0;
}

static void print_line(const struct recorder *r, struct str *line)
{
	struct str safe = STR_INIT;

	str_add_safe(&safe, line->p);
	if (r->o->print)
		r->o->print(safe.p);
	str_release(&safe);
	str_clear(line);
}

static void add_group(struct str *line, const struct event_list *l, uint32_t leader)
{
	bool any = false;

	str_add(line, l->v[leader].name);
	for (uint32_t i = 0; i < l->nr; i++) {
		if (i == leader || l->v[i].leader != leader)
			continue;
		str_addf(line, ",%s", l->v[i].name);
		any = true;
	}
	if (any) {
		struct str braces = STR_INIT;

		str_addf(&braces, "{%s}", line->p);
		str_release(line);
		*line = braces;
	}
}

/* As perf evlist writes them. */
static void list_events(const struct recorder *r, const struct control_command *c)
{
	const struct event_list *l = r->events;
	struct str line = STR_INIT;

	for (uint32_t i = 0; i < l->nr; i++) {
		const struct perf_event_attr *attr = &l->v[i].attr;

		if (c->group && l->v[i].leader != i)
			continue;
		if (c->group)
			add_group(&line, l, i);
		else
			str_add(&line, l->v[i].name);
		if (c->verbose) {
			str_add(&line, ": ");
			attr_text_add(&line, attr, ": ", ", ");
		} else if (c->freq) {
			str_addf(&line, ": sample_%s=%" PRIu64, attr->freq ? "freq" : "period",
				 (uint64_t)attr->sample_period);
		}
		print_line(r, &line);
	}
	str_release(&line);
}

static bool switch_events(struct recorder *r, const struct control_command *c)
{
	bool on = c->verb == CONTROL_ENABLE;

	if (!counters_switch(&r->counters, c->event, on)) {
		log_note("--control: there is no event '%s' to %s", c->event, on ? "enable" : "disable");
		return false;
	}
	log_info("%s switched %s (--control)", c->event ? c->event : "sampling", on ? "on" : "off");
	return true;
}

/* -1: it failed and so does the recording; 0: it was no command; 1: done. */
static int carry_out(struct recorder *r, const struct control_command *c, struct err *err)
{
	switch (c->verb) {
	case CONTROL_ENABLE:
	case CONTROL_DISABLE:
		return switch_events(r, c);
	case CONTROL_SNAPSHOT:
		if (!r->o->next_file.on && !r->o->overwrite) {
			recorder_snapshot(r, err);
			return 0;
		}
		return recorder_snapshot(r, err) < 0 ? -1 : 1;
	case CONTROL_STOP:
		r->stop = true;
		return 1;
	case CONTROL_EVLIST:
		list_events(r, c);
		return 1;
	case CONTROL_PING:
		return 1;
	case CONTROL_UNKNOWN:
		break;
	}
	log_note("--control: there is no command '%s'; enable, disable, snapshot, ping, stop and evlist "
		 "are", c->text);
	return 0;
}

int recorder_obey(struct recorder *r, struct err *err)
{
	struct control *c = r->o->control;
	struct control_command command;
	int done = 1;

	while (c && done >= 0 && control_next(c, &command)) {
		/* who has an answer knows that the rings were emptied */
		if (r->crew && recorder_drain_crew(r, err) < 0)
			return -err->code;
		done = carry_out(r, &command, err);
		control_answer(c, done > 0);
	}
	/* At its end a pipe is readable for ever. */
	if (c && c->ended && !r->control_gone) {
		epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
		r->control_gone = true;
	}
	return done < 0 ? -err->code : 0;
}
