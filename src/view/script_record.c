/* SPDX-License-Identifier: MIT */
#include "view/script_record.h"

#include <inttypes.h>

#include "view/script.h"

void script_add_misc(struct str *out, const struct record *r)
{
	static const char modes[] = { ' ', 'K', 'U', 'H', 'G', 'g' };
	unsigned mode = r->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	char text[8] = "";
	int n = 0;

	if (mode && mode < sizeof(modes))
		text[n++] = modes[mode];
	if ((r->type == PERF_RECORD_MMAP || r->type == PERF_RECORD_MMAP2) &&
	    (r->misc & PERF_RECORD_MISC_MMAP_DATA))
		text[n++] = 'M';
	if (r->type == PERF_RECORD_COMM && (r->misc & PERF_RECORD_MISC_COMM_EXEC))
		text[n++] = 'E';
	if ((r->type == PERF_RECORD_SWITCH || r->type == PERF_RECORD_SWITCH_CPU_WIDE) &&
	    (r->misc & PERF_RECORD_MISC_SWITCH_OUT)) {
		text[n++] = 'S';
		if (r->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT)
			text[n++] = 'p';
	}
	str_addf(out, "%-6s", text);
}

static void add_mmap(struct str *out, const struct record *r)
{
	const struct record_mmap *m = &r->mmap;

	str_addf(out, " %d/%d: [%#" PRIx64 "(%#" PRIx64 ") @ %#" PRIx64, (int)m->pid, (int)m->tid,
		 m->start, m->len, m->pgoff);
	if (r->type == PERF_RECORD_MMAP) {
		str_addf(out, "]: %c ", r->misc & PERF_RECORD_MISC_MMAP_DATA ? 'r' : 'x');
	} else {
		if (m->has_inode) {
			str_addf(out, " %02x:%02x %" PRIu64 " %" PRIu64, m->maj, m->min, m->ino,
				 m->ino_generation);
		} else {
			str_add(out, " <");
			for (int i = 0; i < m->build_id_size; i++)
				str_addf(out, "%02x", m->build_id[i]);
			str_addc(out, '>');
		}
		str_addf(out, "]: %c%c%c%c ", m->prot & 1 ? 'r' : '-', m->prot & 2 ? 'w' : '-',
			 m->prot & 4 ? 'x' : '-', m->flags & 1 ? 's' : 'p');
	}
	str_add_safe(out, m->filename);
}

static void add_switch(struct str *out, const struct record *r)
{
	str_add(out, r->sw.out ? " OUT" : " IN ");
	if (r->sw.preempt)
		str_add(out, " preempt");
	if (r->type == PERF_RECORD_SWITCH_CPU_WIDE)
		str_addf(out, " %s pid/tid: %5d/%-5d", r->sw.out ? "next" : "prev",
			 (int)r->sw.next_prev_pid, (int)r->sw.next_prev_tid);
}

void script_add_record(struct str *out, const struct record *r)
{
	switch (r->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		add_mmap(out, r);
		break;
	case PERF_RECORD_COMM:
		str_addf(out, "%s: ", r->comm.exec ? " exec" : "");
		str_add_safe(out, r->comm.comm);
		str_addf(out, ":%d/%d", (int)r->comm.pid, (int)r->comm.tid);
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		str_addf(out, "(%d:%d):(%d:%d)", (int)r->task.pid, (int)r->task.tid,
			 (int)r->task.ppid, (int)r->task.ptid);
		break;
	case PERF_RECORD_LOST:
		str_addf(out, " lost %" PRIu64, r->lost.lost);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		str_addf(out, " lost %" PRIu64, r->lost_samples.lost);
		break;
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		add_switch(out, r);
		break;
	case PERF_RECORD_NAMESPACES:
		str_addf(out, " %d/%d - nr_namespaces: %" PRIu64, (int)r->namespaces.pid,
			 (int)r->namespaces.tid, r->namespaces.nr);
		break;
	case PERF_RECORD_KSYMBOL:
		str_addf(out, " addr %" PRIx64 " len %u type %u flags 0x%x name ", r->ksymbol.addr,
			 r->ksymbol.len, r->ksymbol.ksym_type, r->ksymbol.flags);
		str_add_safe(out, r->ksymbol.name);
		break;
	case PERF_RECORD_BPF_EVENT:
		str_addf(out, " type %u, flags %u, id %u", r->bpf.type, r->bpf.flags, r->bpf.id);
		break;
	default:
		break;
	}
}
