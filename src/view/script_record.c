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
	str_addf(out, " %-11s", !r->sw.out ? "IN" : r->sw.preempt ? "OUT preempt" : "OUT");
	if (r->type == PERF_RECORD_SWITCH_CPU_WIDE)
		str_addf(out, "  %s pid/tid: %5d/%-5d", r->sw.out ? "next" : "prev",
			 (int)r->sw.next_prev_pid, (int)r->sw.next_prev_tid);
}

/* Four to a line: "[0/net: 3/0xf00000a0, 1/uts: ...". */
static void add_namespaces(struct str *out, const struct record_namespaces *n)
{
	static const char *const names[] = { "net", "uts", "ipc", "pid", "user", "mnt", "cgroup" };
	enum { ROOM = sizeof(n->ns) / sizeof(n->ns[0]), NAMES = sizeof(names) / sizeof(names[0]) };

	str_addf(out, " %d/%d - nr_namespaces: %" PRIu64 "\n\t\t[", (int)n->pid, (int)n->tid, n->nr);
	for (uint64_t i = 0; i < n->nr && i < ROOM; i++) {
		if (i && i % 4 == 0)
			str_add(out, "\n\t\t ");
		str_addf(out, "%" PRIu64 "/%s: %" PRIu64 "/0x%" PRIx64 "%s", i,
			 i < NAMES ? names[i] : "unknown", n->ns[i].dev, n->ns[i].ino,
			 i + 1 < n->nr && i + 1 < ROOM ? ", " : "");
	}
	str_addc(out, ']');
}

static void add_text_poke(struct str *out, const struct record_text_poke *t)
{
	str_addf(out, " %" PRIx64 "  old len %u new len %u", t->addr, t->old_len, t->new_len);
	str_addf(out, "\n%22s", "Old bytes:");
	for (unsigned i = 0; i < t->old_len; i++)
		str_addf(out, " %02x", t->bytes[i]);
	str_addf(out, "\n%22s", "New bytes:");
	for (unsigned i = 0; i < t->new_len; i++)
		str_addf(out, " %02x", t->bytes[t->old_len + i]);
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
		add_namespaces(out, &r->namespaces);
		break;
	case PERF_RECORD_KSYMBOL:
		str_addf(out, " addr %" PRIx64 " len %u type %u flags 0x%x name ", r->ksymbol.addr,
			 r->ksymbol.len, r->ksymbol.ksym_type, r->ksymbol.flags);
		str_add_safe(out, r->ksymbol.name);
		break;
	case PERF_RECORD_BPF_EVENT:
		str_addf(out, " type %u, flags %u, id %u", r->bpf.type, r->bpf.flags, r->bpf.id);
		break;
	case PERF_RECORD_CGROUP:
		str_addf(out, " cgroup: %" PRIu64 " ", r->cgroup.id);
		str_add_safe(out, r->cgroup.path);
		break;
	case PERF_RECORD_TEXT_POKE:
		add_text_poke(out, &r->text_poke);
		break;
	case PERF_RECORD_AUX:
		str_addf(out, " offset: %#" PRIx64 " size: %#" PRIx64 " flags: %#" PRIx64 " [%s%s%s]",
			 r->aux.offset, r->aux.size, r->aux.flags, r->aux.flags & 1 ? "T" : "",
			 r->aux.flags & 2 ? "O" : "", r->aux.flags & 4 ? "P" : "");
		break;
	default:
		break;
	}
}
