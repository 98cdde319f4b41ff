#!/usr/bin/env python3
"""Does what sonde wrote stay what it is, whatever the names in it hold?

    plain.py KIND FILE...      KIND: text, tsv, csv, json, jsonl, xml, html, folded

Names of tests/e2e/security.bats hold markers, each of which has one way to show that a
name got out of its place. All that is wrong is printed; status 1.
"""
import csv
import io
import json
import re
import sys
import xml.dom.minidom

TURNING = re.compile("[\u2028\u2029\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def faults(kind, raw):
    try:
        text = raw.decode()
    except UnicodeDecodeError as e:
        yield "not UTF-8: %s" % e
        text = raw.decode(errors="replace")
    if not text:
        yield "empty"
    if kind == "csv":
        text = text.replace("\r\n", "\n")
    for what, bad in ("control character", CONTROL), ("turning mark", TURNING):
        found = bad.search(text)
        if found and kind not in ("json", "jsonl", "html"):
            yield "%s: %r" % (what, text[max(0, found.start() - 40):found.end() + 20])
    if re.search("^FORGED", text, re.M):
        yield "a name began a line"
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(text)))
        if len({len(r) for r in rows if r}) != 1:
            yield "rows of different lengths: %r" % sorted({len(r) for r in rows})
        for cell in (c for r in rows for field in r for c in field.split(";")):
            if re.match(r" *([=\uff1d]|[-+@\uff0b\uff0d\uff20].*[^-\w.:/ ])", cell):
                yield "a formula: %r" % cell
    elif kind == "json":
        json.loads(text)
    elif kind == "jsonl":
        for line in text.splitlines():
            json.loads(line)
    elif kind == "xml":
        dom = xml.dom.minidom.parseString(raw)
        if dom.getElementsByTagName("evil"):
            yield "a name became an element"
    elif kind == "html":
        if b"<evil" in raw or b"</script><evil" in raw:
            yield "a name may become an element"
    elif kind == "folded":
        for line in text.splitlines():
            stack, _, count = line.rpartition(" ")
            if not count.isdigit():
                yield "no count: %r" % line
            if "SPLIT" in stack.split(";"):
                yield "a name became two: %r" % line


def main():
    kind, bad = sys.argv[1], 0
    for path in sys.argv[2:]:
        with open(path, "rb") as f:
            raw = f.read()
        try:
            for fault in faults(kind, raw):
                print("%s (%s): %s" % (path, kind, fault))
                bad = 1
        except Exception as e:  # what a parser says is what is wrong
            print("%s (%s): %s" % (path, kind, e))
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
