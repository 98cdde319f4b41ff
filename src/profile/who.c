/* SPDX-License-Identifier: MIT */
#include "profile/who.h"

static void narrow(struct who *who, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns > who->from_ns)
		who->from_ns = from_ns;
	if (to_ns < who->to_ns)
		who->to_ns = to_ns;
}

void who_find(struct who *who, const struct process_table *processes, uint32_t pid, uint32_t tid,
	      uint64_t time_ns)
{
	uint64_t from, to;

	who->pid = pid;
	who->tid = tid;
	who->hash = 0;
	who->image = process_image_span(processes, pid, time_ns, &who->from_ns, &who->to_ns);
	who->comm = process_comm_span(processes, pid, tid, time_ns, &from, &to);
	narrow(who, from, to);
	who->space = image_space(who->image);
	who->epoch = image_epoch_span(who->image, time_ns, &from, &to);
	narrow(who, from, to);
}
