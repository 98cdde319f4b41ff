# sonde export: every form has the recording's samples, as readers that are not ours see it.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	"$SONDE" record -q -F 1999 -g -e cpu-clock:u -e page-faults -o "$DATA/two" -- \
		"$WORKLOADS/burn" 0.3
	perf script -i "$DATA/two" -F event 2>/dev/null |
		awk 'NF { sub(/:u?:?$/, "", $1); n[$1]++ } END { for (e in n) print e, n[e] }' |
		sort >"$DATA/counts"
}

# exported FORM [ARG...]: into out
exported()
{
	"$SONDE" export "--$1" -q -i "$DATA/two" -o out "${@:2}"
}

@test "JSON, speedscope and CSV have perf's samples of each event" {
	need python3
	cat "$DATA/counts"
	[[ $(wc -l <"$DATA/counts") == 2 ]]
	exported json
	python3 - out >json <<-'END'
		import collections, json, sys
		d = json.load(open(sys.argv[1]))
		assert d["schema"] == "sonde-profile" and d["version"] == 1
		n = collections.Counter()
		for s in d["samples"]:
		    n[d["events"][s["event"]]["name"].split(":")[0]] += s["samples"]
		    names = [d["frames"][f]["name"] for f in s["stack"]]
		    assert names
		for e in sorted(n): print(e, n[e])
	END
	diff "$DATA/counts" json
	exported speedscope
	python3 - out >speedscope <<-'END'
		import json, sys
		d = json.load(open(sys.argv[1]))
		assert d["$schema"] == "https://www.speedscope.app/file-format-schema.json"
		for p in sorted(d["profiles"], key=lambda p: p["name"]):
		    assert p["type"] == "sampled" and len(p["samples"]) == len(p["weights"])
		    assert p["startValue"] == 0 and p["endValue"] == sum(p["weights"])
		    assert all(0 <= f < len(d["shared"]["frames"]) for s in p["samples"] for f in s)
		    print(p["name"].split(":")[0], sum(p["weights"]))
	END
	diff "$DATA/counts" speedscope
	exported csv
	python3 - out >csv <<-'END'
		import collections, csv, sys
		n = collections.Counter()
		for row in csv.DictReader(open(sys.argv[1], newline="")):
		    assert row["stack"] and row["comm"] == "burn"
		    n[row["event"].split(":")[0]] += int(row["samples"])
		for e in sorted(n): print(e, n[e])
	END
	diff "$DATA/counts" csv
}

@test "callgrind_annotate reads the costs, own and with callees" {
	need callgrind_annotate
	exported callgrind -e cpu-clock:u
	callgrind_annotate --threshold=100 out >own.txt
	cat own.txt
	[[ $(sed -n 's/^\([0-9,]*\) (100.0%)  PROGRAM TOTALS/\1/p' own.txt | tr -d ,) == \
		$(awk '/^cpu-clock/ { print $2 }' "$DATA/counts") ]]
	"$SONDE" report --stdio --children -t , -g none -s sym -i "$DATA/two" >children.txt 2>/dev/null
	callgrind_annotate --inclusive=yes --threshold=100 out >all.txt
	# main's share with all that it calls, from the one and from the other
	awk -F , '$3 ~ / main$/ && !n++ { print $1 + 0 }' children.txt >ours
	sed -n 's/^ *[0-9,]* ( *\([0-9.]*\)%) .*:main .*/\1/p' all.txt | head -n 1 >theirs
	cat ours theirs
	[[ -s ours ]]
	awk 'NR == 1 { a = $1 } { d = $1 - a } END { exit !(NR == 2 && d < 0.011 && d > -0.011) }' ours theirs
}

@test "pprof is a gzipped profile.proto, as protoc decodes it" {
	need protoc
	exported pprof --tasks
	cat >profile.proto <<-'END'
		syntax = "proto3";
		message Profile {
			repeated ValueType sample_type = 1; repeated Sample sample = 2;
			repeated Mapping mapping = 3; repeated Location location = 4;
			repeated Function function = 5; repeated string string_table = 6;
			int64 time_nanos = 9; int64 duration_nanos = 10;
			ValueType period_type = 11; int64 period = 12; repeated int64 comment = 13;
		}
		message ValueType { int64 type = 1; int64 unit = 2; }
		message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
		message Label { int64 key = 1; int64 str = 2; int64 num = 3; int64 num_unit = 4; }
		message Mapping {
			uint64 id = 1; uint64 memory_start = 2; uint64 memory_limit = 3; uint64 file_offset = 4;
			int64 filename = 5; int64 build_id = 6; bool has_functions = 7; bool has_filenames = 8;
			bool has_line_numbers = 9; bool has_inline_frames = 10;
		}
		message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; }
		message Line { uint64 function_id = 1; int64 line = 2; }
		message Function { int64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; }
	END
	gzip -dc <out | protoc --decode=Profile profile.proto >text
	# nothing that the description does not know: protoc prints that as bare numbers
	run ! grep -E '^ *[0-9]+[ :]' text
	head -n 40 text
	# four values a sample: of cpu-clock how many and their time, and so for page-faults
	awk '/^sample \{/ { v = 0 } /^  value:/ { sum[v++] += $2 } END { for (i = 0; i < 4; i += 2) print sum[i] }' \
		text | sort >sums
	awk '{ print $2 }' "$DATA/counts" | sort >want
	diff want sums
	grep -q '"burn_a"' text
}

@test "folded stacks are those of fold, and --reverse turns them over" {
	exported folded -e cpu-clock:u
	"$SONDE" fold -q --all --event cpu-clock:u -i "$DATA/two" | diff - out
	sort out >forth
	exported folded -e cpu-clock:u --reverse
	awk '{ n = $NF; sub(/ [0-9]+$/, ""); k = split($0, f, ";"); line = f[k]
	       for (i = k - 1; i; i--) line = line ";" f[i]; print line, n }' out | sort | diff forth -
}

@test "what cannot be: one line" {
	fails 129 "$SONDE" export
	fails 129 "$SONDE" export --json --csv
	fails 129 "$SONDE" export --json extra
	fails 129 "$SONDE" export --json --reverse
	fails 1 "$SONDE" export --json -i "$DATA/two" -e no-such-event
	fails 1 "$SONDE" export --json -i "$DATA/two" -o /no/such/folder/x
	for form in pprof speedscope callgrind json csv folded; do
		fails 1 "$SONDE" export --$form -q -i "$DATA/two" -o /dev/full
		"$SONDE" export --$form -q -i "$DATA/two" | head -c 1 >/dev/null
	done
	echo kept >kept
	: >empty
	fails any "$SONDE" export --json -i empty -o kept
	[[ $(<kept) == kept ]]
}
