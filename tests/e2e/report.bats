# sonde report for programs, and what it says of a recording beside its rows.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	cd "$DATA" || return 1
	"$SONDE" record -q -e cpu-clock,page-faults -c 100000 -g -o two "$WORKLOADS/burn" 0.5 >/dev/null
}

# as_text FILE ARG...: the rows of the text as "PERCENT|SAMPLES|PERIOD|COMM|DSO|SYM", events in turn.
as_text()
{
	"$SONDE" report -i "$1" -g none -q -t '|' -F overhead,sample,period,comm,dso,sym -s comm,dso,sym "${@:2}" |
		sed 's/^ *//; s/%//; s/|\[[.k]\] /|/' | grep .
}

@test "JSON is JSON, and its numbers are the text's" {
	need python3
	"$SONDE" report -i "$DATA/two" -j --no-children >r.json
	python3 -m json.tool r.json >/dev/null
	as_text "$DATA/two" --no-children >text
	python3 - r.json >json <<-'END'
		import json, sys
		r = json.load(open(sys.argv[1]))
		assert r["schema"] == "sonde-report" and r["version"] == 1
		for e in r["events"]:
		    assert sum(x["samples"] for x in e["rows"]) == e["samples"] == e["shown_samples"]
		    assert sum(x["period"] for x in e["rows"]) == e["period"] == e["percent_of"]
		    for x in e["rows"]:
		        print("%.2f|%d|%d|%s|%s|%s" % (100 * x["period"] / e["percent_of"], x["samples"],
		              x["period"], x["comm"], x["dso"], x["sym"] or "[unknown]"))
		assert r["account"]["samples"] == sum(e["samples"] for e in r["events"])
	END
	[[ $(wc -l <text) -gt 3 ]]
	diff text json
}

@test "JSON's chains are those of sonde fold" {
	need python3
	"$SONDE" report -i "$DATA/two" -j --no-children -g caller,0 -s comm >r.json
	python3 - r.json >json <<-'END'
		import json, sys
		for e in json.load(open(sys.argv[1]))["events"]:
		    assert e["chain_order"] == "caller"
		    for x in e["rows"]:
		        for c in x["chains"]:
		            print(";".join([e["event"], x["comm"]] + c["frames"]), c["samples"])
	END
	# fold is tidied for pictures: compare the functions of the workload
	"$SONDE" fold -i "$DATA/two" --by event >fold
	grep ';burn_[abc] ' json | sort >a
	grep ';burn_[abc] ' fold | sort >b
	[[ -s a ]]
	diff <(sed 's/^[^;]*;//' a) <(sed 's/^[^;]*;//' b)
}

@test "CSV is CSV, and its numbers are the text's" {
	need python3
	"$SONDE" report -i "$DATA/two" --csv --no-children -F overhead,sample,period,comm,dso,sym -s comm,dso,sym >r.csv
	as_text "$DATA/two" --no-children >text
	python3 - r.csv >csv <<-'END'
		import csv, sys
		rows = list(csv.DictReader(open(sys.argv[1], newline="")))
		assert all(None not in r and None not in r.values() for r in rows)
		for r in rows:
		    print("%.2f|%s|%s|%s|%s|%s" % (float(r["overhead"]), r["sample"], r["period"], r["comm"],
		          r["dso"], r["sym"] or "[unknown]"))
	END
	diff text csv
}

@test "names with quotes, commas and control characters are kept in their places" {
	need python3
	cp "$WORKLOADS/burn" 'a"b,c'
	"$SONDE" record -q -e cpu-clock -F 999 -o odd './a"b,c' 0.2 >/dev/null
	"$SONDE" report -i odd --csv -s comm,tgid >r.csv
	"$SONDE" report -i odd -j -s comm,tgid >r.json
	python3 - r.csv r.json <<-'END'
		import csv, json, sys
		rows = list(csv.DictReader(open(sys.argv[1], newline="")))
		assert 'a"b,c' in [r["comm"] for r in rows], rows
		rows = json.load(open(sys.argv[2]))["events"][0]["rows"]
		assert 'a"b,c' in [r["comm"] for r in rows], rows
	END
}

@test "one output at a time" {
	fails 129 "$SONDE" report -i "$DATA/two" -j --csv
	fails 129 "$SONDE" report -i "$DATA/two" -j -t ,
	fails 129 "$SONDE" report -i "$DATA/two" --csv --header
}

# listed OPTION FILE...: perf and sonde print the same lines, in whichever order.
listed()
{
	local option=$1 n=0
	shift
	for file; do
		perf report "$option" -i "$file" 2>/dev/null | sort >perf.txt
		[[ -s perf.txt ]] || continue
		"$SONDE" report "$option" -i "$file" 2>/dev/null | sort >sonde.txt
		n=$((n + 1))
		echo "$option $file:"
		diff perf.txt sonde.txt
	done
	((n))
}

@test "--stats counts records as perf does" {
	need perf
	perf_records -e cpu-clock,faults -o perf.data "$WORKLOADS/forks" 20
	listed --stats "$DATA/two" perf.data
}

@test "--tasks lists the threads that perf lists" {
	need perf
	perf_records -e cpu-clock -o forks.data "$WORKLOADS/forks" 20
	perf_records -e cpu-clock -o threads.data "$WORKLOADS/threads" 3 0.1
	listed --tasks "$DATA/two" forks.data threads.data
	# nothing is executed within it, and no thread shares its process
	perf_records -e cpu-clock -o burn.data "$WORKLOADS/burn" 0.1
	listed --mmaps burn.data
}

@test "--stats, --tasks and --mmaps of others' recordings" {
	need perf
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	mapfile -t old < <(ls "$RECORDINGS"/*-[34].*.data)
	listed --stats "${old[@]}"
	listed --tasks "${old[@]}"
}

@test "-T shows what threads counted, as perf does" {
	need perf
	perf_records -s -e cpu-clock,page-faults -o s.data "$WORKLOADS/threads" 3 0.1
	perf report -T -i s.data --stdio 2>/dev/null | sed -n '/PID *TID/,$p' >perf.txt
	"$SONDE" report -T -i s.data 2>/dev/null | sed -n '/PID *TID/,$p' >sonde.txt
	[[ $(wc -l <perf.txt) == 4 ]]
	diff <(sort perf.txt) <(sort sonde.txt)
	run --separate-stderr "$SONDE" report -T -i "$DATA/two"
	[[ $status == 0 && $stderr == *"-T: no thread"* ]]
}

@test "lists go alone" {
	fails 129 "$SONDE" report -i "$DATA/two" --stats --tasks
	fails 129 "$SONDE" report -i "$DATA/two" --stats -j
	fails 129 "$SONDE" report -i "$DATA/two" -T --csv
}

@test "sort keys of time, machine and callers have perf's rows" {
	need perf
	perf_records --sample-cpu -e cpu-clock -F 999 -g -o perf.data "$WORKLOADS/burn" 0.5
	same_keys perf.data time,comm --no-children
	same_keys perf.data time,sym --no-children --time-quantum 20ms
	same_keys perf.data socket,comm --no-children
	same_keys perf.data cgroup,parent,comm --no-children
	same_keys perf.data weight,local_weight,comm --no-children
	same_keys perf.data sym --no-children -p 'burn_[ab]'
	same_keys perf.data comm --no-children -p 'burn_[ab]' -x
	same_keys perf.data comm,sym --no-children --socket-filter 0
	same_keys perf.data comm,sym --no-children -U
}

@test "a bad pattern, a bad quantum, bad widths" {
	fails 129 "$SONDE" report -i "$DATA/two" -p '('
	says "regular expression"
	fails 129 "$SONDE" report -i "$DATA/two" --time-quantum 5
	fails 129 "$SONDE" report -i "$DATA/two" --time-quantum 0ms
	fails 129 "$SONDE" report -i "$DATA/two" -w 1,x
	fails 129 "$SONDE" report -i "$DATA/two" -w 100000
	fails 129 "$SONDE" report -i "$DATA/two" --socket-filter 0,1
	fails 129 "$SONDE" report -i "$DATA/two" -s ipc_lbr
	says "not supported"
}

@test "symoff tells the addresses of a function apart" {
	"$SONDE" report -i "$DATA/two" -q -g none --no-children -t '|' -F sample,symoff | grep burn_a >rows
	"$SONDE" script -i "$DATA/two" -G -F ip,sym,symoff | awk '$2 ~ /^burn_a[+]/ { n[$2]++ }
		END { for (s in n) print n[s] "|[.] " s }' >counted
	sed 's/^ *//' rows | sort >a
	sort counted >b
	[[ $(wc -l <a) -gt 1 ]]
	diff a b
}

@test "a recording in a pipe is read without -i, other text is left to its reader" {
	"$SONDE" record -q -e cpu-clock true
	"$SONDE" record -q -e page-faults -c 1 -o - true >stream
	[[ $(cat stream | "$SONDE" evlist) == page-faults* ]]
	cat stream | "$SONDE" report | grep -q "of event 'page-faults"
	printf '%s\n' PERFI b | while read -r line; do
		timeout 5 "$SONDE" evlist >>read
		echo "$line" >>lines
	done
	[[ $(<lines) == $'PERFI\nb' && $(sort -u read) == cpu-clock* ]]
}

@test "a file's name is not taken for a symbol's without a word" {
	run --separate-stderr "$SONDE" report "$DATA/two"
	[[ $stderr == *"a recording is given with -i"* ]]
}
