#!/usr/bin/env python3
# Delays from the raw events of a recording, by the rules and by perf sched latency's own.
#
#	perf script -F cpu,time,event,trace --ns -i FILE | sched_oracle.py
#
# prints "tid rule nr total_ns max_ns" for each task and rule:
#   all   from sched_wakeup (or sched_waking where no sched_wakeup came: some kernels keep what
#         idle CPUs do from perf_event_open), or from the switch that threw it out (R and R+),
#         to the switch that brings it
#   perf  as perf 6.1 reckons: sched_waking is not looked at; a task that was thrown out
#         inside the kernel (R+) counts as asleep; one never seen before that comes counts
#         as having waited for 0 ns
# and "tid runtime ns" with the sum of sched_stat_runtime.
import re
import sys

events = []
for line in sys.stdin:
    m = re.match(r'\s*\[(\d+)\]\s+(\d+)\.(\d+):\s+sched:(\w+):\s+(.*)', line)
    if m:
        events.append((int(m[2]) * 10**9 + int(m[3].ljust(9, '0')), m[4], m[5], m[1]))
has_wakeup = any(e[1] == 'sched_wakeup' for e in events)


def field(text, name):
    m = re.search(r'(?:^| )' + name + r'=(\S+)', text)
    return m[1] if m else None


def delays(perf):
    ready, known, out, runs, waking = {}, set(), {}, {}, {}
    wakes = {'sched_wakeup', 'sched_wakeup_new'}
    if not perf and not has_wakeup:
        wakes.add('sched_waking')
    for time, name, text, cpu in events:
        if name in wakes:
            tid = int(re.search(r' pid=(\d+)', ' ' + text)[1])
            if tid in ready and ready[tid] is None or tid not in known:
                ready[tid] = time
            known.add(tid)
        elif name == 'sched_waking' and not perf:
            tid = int(re.search(r' pid=(\d+)', ' ' + text)[1])
            if ready.get(tid) is None:
                waking[tid] = time
        elif name == 'sched_stat_runtime' and perf:
            tid = int(re.search(r' pid=(\d+)', ' ' + text)[1])
            if tid not in known:
                ready[tid] = time    # perf takes it for ready
            known.add(tid)
        elif name == 'sched_switch':
            prev, state = int(field(text, 'prev_pid')), field(text, 'prev_state')
            nxt = int(field(text, 'next_pid'))
            if not perf and runs.get(cpu, prev) != prev:
                ready[runs[cpu]] = None  # when it left was not recorded
            runs[cpu] = nxt
            if prev:
                runnable = state == 'R' or (state == 'R+' and not perf)
                ready[prev] = time if runnable else None
                known.add(prev)
            if nxt:
                early = waking.pop(nxt, None)
                if nxt in known or early is not None:
                    since = early if ready.get(nxt) is None else ready[nxt]
                else:
                    since = time if perf else None
                if isinstance(since, int):
                    d = out.setdefault(nxt, [0, 0, 0])
                    d[0] += 1
                    d[1] += time - since
                    d[2] = max(d[2], time - since)
                known.add(nxt)
                ready[nxt] = 'runs'
        # while it runs a wake-up changes nothing
    return out


for rule in ('all', 'perf'):
    for tid, d in sorted(delays(rule == 'perf').items()):
        print(tid, rule, *d)
charged = {}
for _, name, text, _ in events:
    if name == 'sched_stat_runtime':
        tid = int(re.search(r' pid=(\d+)', ' ' + text)[1])
        charged[tid] = charged.get(tid, 0) + int(re.search(r'runtime=(\d+)', text)[1])
for tid, ns in sorted(charged.items()):
    print(tid, 'runtime', ns)
