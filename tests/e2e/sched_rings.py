#!/usr/bin/env python3
"""Compare two recordings of the same switches, byte by byte.

    sched_rings.py WIDE NARROW

WIDE was recorded over a longer time and lost nothing.  On each CPU the sched_switch and
sched_stat_runtime samples of NARROW have to be those of WIDE, one after the other; where a
LOST record of these events stands, just as many are missing.  NARROW may have what WIDE has
not: on some machines perf_event_open does not get to see switches that end a CPU's idling.
Both have samples of TID|TIME|CPU|PERIOD|RAW|IDENTIFIER, by one clock.  Prints how many are
equal, lost, and in NARROW alone.
(tools/perf/Documentation/perf.data-file-format.txt, linux/perf_event.h.)
"""
import struct
import sys

TRACEFS = "/sys/kernel/tracing", "/sys/kernel/debug/tracing"
LOST, SAMPLE, TRACEPOINT = 2, 9, 2


def event_id(name):
    for folder in TRACEFS:
        try:
            return int(open("%s/events/sched/%s/id" % (folder, name)).read())
        except OSError:
            pass
    raise SystemExit("no tracefs")


def events_of(data, wanted):
    """The wanted events' ids in samples -> their name."""
    attr_size, at, size = struct.unpack_from("<QQQ", data, 16)
    ids = {}
    for entry in range(at, at + size, attr_size):
        kind, _, config = struct.unpack_from("<IIQ", data, entry)
        where, length = struct.unpack_from("<QQ", data, entry + attr_size - 16)
        if kind == TRACEPOINT and config in wanted:
            for i in range(where, where + length, 8):
                ids[struct.unpack_from("<Q", data, i)[0]] = wanted[config]
    return ids


def text(raw, at):
    return bytes(raw[at:at + 16]).split(b"\0")[0]


def fields(name, raw):
    """What the tracepoint says; of a name only what stands before its end."""
    common = struct.unpack_from("<H", raw, 0) + struct.unpack_from("<i", raw, 4)
    if name == "sched_switch":
        return common + (text(raw, 8), raw[24:40], text(raw, 40), raw[56:64])
    where, pid, runtime = struct.unpack_from("<IIQ", raw, 8)
    return common + (text(raw, where & 0xffff), where >> 16, pid, runtime)


def read(path):
    data = memoryview(open(path, "rb").read())
    wanted = {event_id(name): name for name in ("sched_switch", "sched_stat_runtime")}
    ids = events_of(data, wanted)
    at, size = struct.unpack_from("<QQ", data, 40)
    end, cpus = at + size, {}
    while at < end:
        kind, _, length = struct.unpack_from("<IHH", data, at)
        name = ids.get(struct.unpack_from("<Q", data, at + 8)[0])
        if kind == SAMPLE and name:
            time, cpu = struct.unpack_from("<QI", data, at + 24)
            raw_size, = struct.unpack_from("<I", data, at + 48)
            raw = data[at + 52:at + 52 + raw_size]
            cpus.setdefault(cpu, []).append((time, 0, fields(name, raw)))
        elif kind == LOST and name:
            lost, _, time, cpu = struct.unpack_from("<QQQI", data, at + 16)
            cpus.setdefault(cpu, []).append((time, lost, None))
        at += length
    return cpus


def behind(rows, theirs, at, lost):
    """Where WIDE goes on behind a gap: what it has not itself seen of it, it does not skip."""
    after = [what for _, n, what in rows[:3] if not n]
    for unseen in range(2 + lost // 100):
        if theirs[at + lost - unseen:][:len(after)] == after:
            return at + lost - unseen
    return at + lost


def compare(rows, wide):
    """What is equal, lost and in `rows` alone of one CPU."""
    theirs = [what for _, _, what in wide]
    equal = missing = alone = 0
    # what was lost at the very end is told for want of a later place
    while rows[-1][1]:
        rows.pop()
    while not any(row[2] == rows[0][2] for row in wide if abs(row[0] - rows[0][0]) < 1e6):
        alone += 1
        rows.pop(0)
    at = next(i for i, row in enumerate(wide) if row[2] == rows[0][2] and row[0] >= rows[0][0])
    for i, (time, lost, what) in enumerate(rows):
        if lost:
            missing += lost
            at = behind(rows[i + 1:i + 4], theirs[:at + lost + 3], at, lost)
        elif what == theirs[at]:
            assert time <= wide[at][0], (time, wide[at])
            equal += 1
            at += 1
        else:
            # prev_comm
            assert what[2].startswith(b"swapper/"), (time, what, theirs[at])
            alone += 1
    return equal, missing, alone


def main():
    wide, narrow = (read(path) for path in sys.argv[1:3])
    for rows in wide.values():
        assert not any(lost for _, lost, _ in rows), "the other recording lost some"
    print(*(sum(n) for n in zip(*(compare(rows, wide[cpu]) for cpu, rows in narrow.items()))))


main()
