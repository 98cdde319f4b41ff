#!/usr/bin/env python3
"""Write a perf.data file from a description, for programs that cannot run here.

    recording.py OUT ARCH <DESCRIPTION

Lines of the description; numbers as in Python:

    map START LEN PGOFF PATH       a process's mapping (MMAP2, executable)
    kmap START LEN PGOFF NAME      the kernel's
    sample IP PERIOD [N]           N samples, one if not said
    ksample IP PERIOD [N]          in kernel mode
    access ADDR WEIGHT DATA_SRC    the memory access of all samples that follow
    branches FROM TO CYCLES ...    the branch stack of all samples that follow, newest first

(tools/perf/Documentation/perf.data-file-format.txt, linux/perf_event.h.)
"""
import struct
import sys

IP, TID, TIME, ADDR, PERIOD, BRANCH, WEIGHT, DATA_SRC = 1, 2, 4, 8, 1 << 8, 1 << 11, 1 << 14, 1 << 15
PID = 4242


def number(text):
    """Shells reckon with signs."""
    return int(text, 0) & (1 << 64) - 1


def string(text):
    raw = text.encode() + b"\0"
    raw += b"\0" * (-len(raw) % 64)
    return struct.pack("<I", len(raw)) + raw


def record(kind, misc, body):
    body += b"\0" * (-len(body) % 8)
    return struct.pack("<IHH", kind, misc, 8 + len(body)) + body


def main():
    out, arch = sys.argv[1:3]
    lines = [l.split() for l in sys.stdin if l.split() and not l.startswith("#")]
    with_branches = any(l[0] == "branches" for l in lines)
    with_access = any(l[0] == "access" for l in lines)
    sample_type = IP | TID | TIME | PERIOD | (BRANCH if with_branches else 0)
    sample_type |= ADDR | WEIGHT | DATA_SRC if with_access else 0
    data = record(3, 2, struct.pack("<II", PID, PID) + b"app\0\0\0\0\0")
    now, branches, access = 1000, b"", (0, 0, 0)
    for l in lines:
        if l[0] == "map":
            start, length, pgoff = (number(x) for x in l[1:4])
            data += record(10, 2, struct.pack("<IIQQQ", PID, PID, start, length, pgoff) +
                           struct.pack("<IIQQII", 8, 1, 77, 0, 5, 2) + l[4].encode() + b"\0")
        elif l[0] == "kmap":
            start, length, pgoff = (number(x) for x in l[1:4])
            data += record(1, 1, struct.pack("<iIQQQ", -1, 0, start, length, pgoff) + l[4].encode() + b"\0")
        elif l[0] == "access":
            access = [number(x) for x in l[1:4]]
        elif l[0] == "branches":
            words = [number(x) for x in l[1:]]
            n = len(words) // 3
            branches = struct.pack("<Q", n)
            for i in range(n):
                # struct perf_branch_entry: mispred, predicted, in_tx, abort, cycles:16 from bit 4
                branches += struct.pack("<QQQ", words[3 * i], words[3 * i + 1], 2 | words[3 * i + 2] << 4)
        elif l[0] in ("sample", "ksample"):
            ip, period = (number(x) for x in l[1:3])
            for _ in range(int(l[3]) if len(l) > 3 else 1):
                now += 1000
                body = struct.pack("<QIIQ", ip, PID, PID, now)
                body += struct.pack("<Q", access[0]) if with_access else b""
                body += struct.pack("<Q", period)
                if with_branches:
                    body += branches or struct.pack("<Q", 0)
                body += struct.pack("<QQ", *access[1:]) if with_access else b""
                data += record(9, 1 if l[0] == "ksample" else 2, body)
    # perf_event_attr: cpu-clock, 128 bytes
    attr = struct.pack("<IIQQQQQ", 1, 128, 0, 1000, sample_type, 0, 0)
    attr += struct.pack("<IIQQQ", 0, 0, 0, 0, 1 if with_branches else 0)
    attr += b"\0" * (128 - len(attr))
    ids = struct.pack("<Q", 7)
    at = 104
    id_off = at
    attr_off = id_off + len(ids)
    data_off = attr_off + 144
    feature_off = data_off + len(data)
    feature = string(arch)
    header = struct.pack("<8sQQ", b"PERFILE2", 104, 144)
    header += struct.pack("<QQ", attr_off, 144) + struct.pack("<QQ", data_off, len(data)) + struct.pack("<QQ", 0, 0)
    header += struct.pack("<QQQQ", 1 << 6, 0, 0, 0)
    with open(out, "wb") as f:
        f.write(header + ids + attr + struct.pack("<QQ", id_off, len(ids)) + data)
        f.write(struct.pack("<QQ", feature_off + 16, len(feature)) + feature)


main()
