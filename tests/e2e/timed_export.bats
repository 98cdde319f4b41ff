# sonde export --firefox, --chrome, --perfetto: a place in time for each sample, as readers that
# were written from the forms' own documents see it.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	events=(-e cpu-clock:u -e page-faults)
	[[ $(id -u) == 0 && -e /sys/kernel/tracing/events/sched ]] && events+=(-e sched:sched_switch)
	"$SONDE" record -q -F 1999 -g "${events[@]}" -o "$DATA/two" -- \
		sh -c '"$0" 0.15; "$0" 0.15 & "$0" 0.1; wait' "$WORKLOADS/burn"
	perf script -i "$DATA/two" -F event 2>/dev/null |
		awk 'NF { sub(/:u?:?$/, "", $1); n[$1]++ } END { for (e in n) print e, n[e] }' |
		sort >"$DATA/counts"
	perf script -i "$DATA/two" -F pid,tid,time,event 2>/dev/null |
		awk 'NF { split($1, id, "/"); e = $3; sub(/:u?:?$/, "", e); sub(":", "", $2); print id[1], id[2], $2, e }' |
		sort >"$DATA/moments"
}

@test "Firefox: tables that fit together, perf's samples and markers in their threads and times" {
	need python3
	"$SONDE" export --firefox -q -i "$DATA/two" -o out
	perf script -i "$DATA/two" -F time 2>/dev/null | awk 'NF' | tr -d ' :' | sort -n | head -n 1 >first
	python3 - out first >got <<-'END'
		import json, sys
		d, first = json.load(open(sys.argv[1])), float(open(sys.argv[2]).read())
		meta = d["meta"]
		assert meta["preprocessedProfileVersion"] == 48 and isinstance(meta["interval"], (int, float))
		colors = {"transparent", "purple", "green", "orange", "yellow", "lightblue", "blue", "brown",
		          "magenta", "red", "lightred", "darkgrey", "grey"}
		assert all(c["color"] in colors and c["subcategories"] for c in meta["categories"])
		assert any(c["color"] == "grey" for c in meta["categories"])
		for l in d["libs"]:
		    assert set(l) == {"arch", "name", "path", "debugName", "debugPath", "breakpadId", "codeId"}
		    assert len(l["breakpadId"]) == 33
		columns = {
		    "samples": "stack time weight", "markers": "name startTime endTime phase category data",
		    "stackTable": "prefix frame category subcategory",
		    "frameTable": "address inlineDepth category subcategory func nativeSymbol innerWindowID "
		                  "implementation line column",
		    "funcTable": "name isJS relevantForJS resource fileName lineNumber columnNumber",
		    "resourceTable": "lib name host type",
		    "nativeSymbols": "libIndex address name functionSize",
		}
		def index(values, limit, other=()):
		    assert all(v in other or (type(v) is int and 0 <= v < limit) for v in values)
		for t in d["threads"]:
		    assert isinstance(t["pid"], str) and isinstance(t["tid"], int) and isinstance(t["name"], str)
		    for name, cols in columns.items():
		        table = t[name]
		        for c in cols.split(): assert len(table[c]) == table["length"], (name, c)
		    strings = t["stringArray"]
		    n = {k: t[k]["length"] for k in columns}
		    index(t["samples"]["stack"], n["stackTable"])
		    index(t["stackTable"]["frame"], n["frameTable"])
		    index(t["stackTable"]["category"], len(meta["categories"]))
		    for i, p in enumerate(t["stackTable"]["prefix"]): assert p is None or 0 <= p < i
		    index(t["frameTable"]["func"], n["funcTable"])
		    index(t["frameTable"]["category"], len(meta["categories"]))
		    index(t["funcTable"]["name"], len(strings))
		    index(t["funcTable"]["resource"], n["resourceTable"], (-1,))
		    index(t["resourceTable"]["lib"], len(d["libs"]))
		    index(t["resourceTable"]["name"], len(strings))
		    index(t["markers"]["name"], len(strings))
		    index(t["markers"]["category"], len(meta["categories"]))
		    times = t["samples"]["time"]
		    assert times == sorted(times) and t["samples"]["weightType"] == "samples"
		    def say(ms, event): print(t["pid"], t["tid"], "%.6f" % (first + ms / 1000), event)
		    for ms, w in zip(times, t["samples"]["weight"]):
		        for _ in range(w): say(ms, "cpu-clock")
		    for i in range(n["markers"]):
		        m = t["markers"]["data"][i]
		        assert m["type"] == meta["markerSchema"][0]["name"] and m["cause"]["stack"] < n["stackTable"]
		        name = strings[t["markers"]["name"][i]]
		        assert name != "sched:sched_switch" or "prev_comm=" in m["fields"]
		        say(t["markers"]["startTime"][i], name)
		        assert t["markers"]["phase"][i] == 0 and t["markers"]["endTime"][i] is None
		burn = [t for t in d["threads"] if t["name"] == "burn"]
		assert len(burn) == 3, [t["name"] for t in d["threads"]]
		names = {t["stringArray"][i] for t in burn for i in t["funcTable"]["name"]}
		assert {"burn_a", "burn_b", "burn_c", "main"} <= names
	END
	# perf prints microseconds: a time may end in one more or less
	sort got | awk '{ print $1, $2, $4 }' | sort >ours
	awk '{ print $1, $2, $4 }' "$DATA/moments" | sort | diff - ours
	paste <(sort got) "$DATA/moments" | awk '{ d = $3 - $7; if (d < -2e-6 || d > 2e-6) { print; bad = 1 } } END { exit bad }'
}

@test "Chrome: perf's samples of each event, frames whose parents are there" {
	need python3
	"$SONDE" export --chrome -q -i "$DATA/two" -o out
	python3 - out >got <<-'END'
		import collections, json, sys
		d = json.load(open(sys.argv[1]))
		n = collections.Counter()
		for f in d["stackFrames"].values():
		    assert f["name"] and ("parent" not in f or str(f["parent"]) in d["stackFrames"])
		for s in d["samples"]:
		    assert str(s["sf"]) in d["stackFrames"] and s["ts"] >= 0
		    n[s["name"].split(":u")[0]] += s["weight"]
		for e in d["traceEvents"]: assert e["ph"] in "Mi" and "pid" in e and "tid" in e
		instants = collections.Counter(e["name"] for e in d["traceEvents"] if e["ph"] == "i")
		for e in instants: assert instants[e] == n[e], e
		assert instants or not any(":" in e for e in n)
		assert {e["args"]["name"] for e in d["traceEvents"] if e["name"] == "thread_name"} >= {"burn", "sh"}
		for e in sorted(n): print(e, n[e])
	END
	diff "$DATA/counts" got
	"$SONDE" export --chrome -q --period -i "$DATA/two" -e cpu-clock:u -o out
	python3 -c 'import json, sys; print(sum(s["weight"] for s in json.load(open("out"))["samples"]))' >period
	perf script -i "$DATA/two" -F period,event 2>/dev/null | awk '/cpu-clock/ { n += $1 } END { print n }' | diff - period
}

@test "Perfetto: packets that protoc knows all of, a sample for each of perf's" {
	need protoc
	"$SONDE" export --perfetto -q -i "$DATA/two" -o out
	cat >trace.proto <<-'END'
		syntax = "proto2";
		message Trace { repeated TracePacket packet = 1; }
		message TracePacket {
			optional uint64 timestamp = 8; optional uint32 trusted_packet_sequence_id = 10;
			optional TrackEvent track_event = 11; optional InternedData interned_data = 12;
			optional uint32 sequence_flags = 13; optional TracePacketDefaults trace_packet_defaults = 59;
			optional TrackDescriptor track_descriptor = 60; optional PerfSample perf_sample = 66;
		}
		message TracePacketDefaults { optional PerfSampleDefaults perf_sample_defaults = 12; }
		message PerfSampleDefaults { optional Timebase timebase = 1; }
		message Timebase { optional uint64 period = 1; optional uint64 frequency = 2; optional string name = 10; }
		message TrackDescriptor {
			optional uint64 uuid = 1; optional ProcessDescriptor process = 3; optional ThreadDescriptor thread = 4;
		}
		message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
		message ThreadDescriptor { optional int32 pid = 1; optional int64 tid = 2; optional string thread_name = 5; }
		message TrackEvent {
			repeated DebugAnnotation debug_annotations = 4; optional uint32 type = 9;
			optional uint64 track_uuid = 11; repeated string categories = 22; optional string name = 23;
		}
		message DebugAnnotation { optional string string_value = 6; optional string name = 10; }
		message InternedData {
			repeated InternedString function_names = 5; repeated Frame frames = 6; repeated Callstack callstacks = 7;
			repeated InternedString build_ids = 16; repeated InternedString mapping_paths = 17;
			repeated Mapping mappings = 19;
		}
		message InternedString { optional uint64 iid = 1; optional string str = 2; }
		message Mapping { optional uint64 iid = 1; optional uint64 build_id = 2; repeated uint64 path_string_ids = 7; }
		message Frame {
			optional uint64 iid = 1; optional uint64 function_name_id = 2; optional uint64 mapping_id = 3;
			optional uint64 rel_pc = 4;
		}
		message Callstack { optional uint64 iid = 1; repeated uint64 frame_ids = 2; }
		message PerfSample {
			optional uint32 cpu = 1; optional uint32 pid = 2; optional uint32 tid = 3;
			optional uint64 callstack_iid = 4; optional uint32 cpu_mode = 5;
		}
	END
	protoc --decode=Trace trace.proto <out >text
	run ! grep -E '^ *[0-9]+[ :]' text
	# by sequence, whose name its defaults tell
	awk '/^packet \{/ { sample = 0; name = "" }
	     /^  perf_sample \{/ { sample = 1 }
	     /^        name:/ { name = $2; gsub(/"|:u/, "", name) }
	     /^  trusted_packet_sequence_id:/ { sequence = $2 }
	     /^\}/ { if (name) called[sequence] = name; if (sample) n[sequence]++ }
	     END { for (s in n) print called[s], n[s] }' text | sed 's/ *$//' | sort >got
	cat got
	diff "$DATA/counts" got
	# and each in perf's thread, CPU and nanosecond
	awk '/^packet \{/ { time = "" } /^  timestamp:/ { time = $2 } /^    cpu:/ { cpu = $2 }
	     /^    pid:/ { pid = $2 } /^    tid:/ { tid = $2 }
	     /^    callstack_iid:/ { printf "%d %d %d %d\n", pid, tid, cpu, time }' text | sort >got
	perf script --ns -i "$DATA/two" -F pid,tid,cpu,time 2>/dev/null | tr -d '[]:' |
		awk 'NF { split($1, id, "/"); sub(/\./, "", $3); printf "%d %d %d %d\n", id[1], id[2], $2, $3 }' | sort | diff - got
}

# sums FILE [ARG...]: samples, or periods, of each event in each form that has more than one of them
sums()
{
	local form
	for form in json csv speedscope chrome firefox callgrind; do
		"$SONDE" export --$form -q -i "$@" -o $form || return
	done
	python3 - "$*" <<-'END'
		import collections, csv, json, sys
		period = "--period" in sys.argv[1]
		kind = "period" if period else "samples"
		def add(form, pairs):
		    n = collections.Counter()
		    for event, value in pairs: n[event.split(":")[0]] += int(value)
		    print(form, sorted(n.items()))
		d = json.load(open("json"))
		add("json", ((d["events"][s["event"]]["name"], s[kind]) for s in d["samples"]))
		add("csv", ((r["event"], r[kind]) for r in csv.DictReader(open("csv", newline=""))))
		add("speedscope", ((p["name"], w) for p in json.load(open("speedscope"))["profiles"] for w in p["weights"]))
		add("chrome", ((s["name"], s["weight"]) for s in json.load(open("chrome"))["samples"]))
		lines = dict(l.rstrip("\n").split(": ", 1) for l in open("callgrind") if l[:7] in ("events:", "summary"))
		add("callgrind", zip(lines["events"].split(), lines["summary"].split()))
		# a marker stands for one sample; the first event's are weighed
		d = json.load(open("firefox"))
		first = json.load(open("json"))["events"][0]["name"]
		n = [(first, w) for t in d["threads"] for w in t["samples"]["weight"]]
		if not period:
		    n += [(t["stringArray"][m], 1) for t in d["threads"] for m in t["markers"]["name"]]
		add("firefox", n)
	END
}

@test "one total in every form: groups read by their leader, packed, unwound" {
	need python3
	need protoc
	"$SONDE" record -q -e '{cpu-clock,page-faults}:S' -g -o group -- "$WORKLOADS/faults" 20000
	"$SONDE" record -q -z -F 1999 -g -e cpu-clock:u -e page-faults -o packed -- "$WORKLOADS/faults" 20000
	"$SONDE" record -q -F 999 --call-graph dwarf,8192 -e cpu-clock:u -o dwarf -- "$WORKLOADS/burn" 0.1
	for file in group packed dwarf; do
		for what in '' --period; do
			sums $file $what >got
			echo "$file $what"
			cat got
			perf script -i $file -F event,period 2>/dev/null | awk -v what=$what '
				NF { sub(/:.*/, "", $2); n[$2] += what ? $1 : 1 }
				END { for (e in n) printf "(\x27%s\x27, %d)\n", e, n[e] }' | sort | paste -sd, |
				sed 's/,(/, (/g; s/.*/[&]/' >want
			cat want
			[[ $(wc -c <want) -gt 10 ]]
			# Firefox has no number for the period of a marker
			sed 's/, (.page.*/]/' want >want.firefox
			while read -r form sum; do
				[[ $form == firefox && $what ]] && want=want.firefox || want=want
				diff <(echo "$sum") $want
			done <got
		done
		n=$(perf script -i $file -F event 2>/dev/null | grep -c .)
		[[ $("$SONDE" export --perfetto -q -i $file | protoc --decode_raw | grep -c '^  66 {') == "$n" ]]
		# through a pipe that cannot be read twice
		for form in chrome firefox perfetto; do
			"$SONDE" export --$form -q -i $file | grep -av '"title":\|^{"meta"' >file.out
			cat $file | "$SONDE" export --$form -q -i - | grep -av '"title":\|^{"meta"' | cmp - file.out
		done
	done
}

@test "one event of several, no samples, no times and what cannot be" {
	need python3
	"$SONDE" export --firefox -q -i "$DATA/two" -e page-faults -o out
	python3 - out >got <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		print("page-faults", sum(sum(t["samples"]["weight"]) for t in d["threads"]))
		assert not any(t["markers"]["length"] for t in d["threads"])
	END
	grep '^page-faults' "$DATA/counts" | diff - got
	"$SONDE" record -q -e page-faults:k -c 1000000 -o none -- true
	for form in firefox chrome perfetto; do
		"$SONDE" export --$form -q -i none -o out
		[[ $form == perfetto ]] || python3 -c 'import json; json.load(open("out"))'
		fails 1 "$SONDE" export --$form -q -i "$DATA/two" -o /dev/full
		"$SONDE" export --$form -q -i "$DATA/two" | head -c 1 >/dev/null
	done
	fails 129 "$SONDE" export --firefox --chrome
}
