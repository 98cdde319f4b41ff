# Text of other tools as input: folded stacks, and what perf script prints.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	"$SONDE" record -q -F 1999 -g -e cpu-clock:u -e page-faults -o "$DATA/two" -- \
		sh -c '"$0" 0.2; "$0" 0.1' "$WORKLOADS/burn"
	perf script -i "$DATA/two" >"$DATA/script" 2>/dev/null
	"$SONDE" script -i "$DATA/two" >"$DATA/ours" 2>/dev/null
	"$SONDE" fold -q --all --event cpu-clock:u -i "$DATA/two" >"$DATA/folded"
}

# rows FILE: samples, command, binary and function of each row of each event
rows()
{
	"$SONDE" report --stdio --no-children -g none -n -t '|' -i "$1" 2>/dev/null |
		awk -F '|' '!/^#/ && NF { sub(/ +$/, "", $5); print $2 "|" $3 "|" $4 "|" $5 }' | sort
}

@test "report of a recording's text is the report of the recording" {
	rows "$DATA/two" >want
	[[ $(wc -l <want) -gt 4 ]]
	rows "$DATA/ours" | diff want -
	# perf may call functions of libraries by other names, but not the program's own
	grep ' burn_[abc]$' want >own
	[[ $(wc -l <own) == 3 ]]
	rows "$DATA/script" | grep ' burn_[abc]$' | diff own -
	"$SONDE" report --stdio --no-children -g none -n -t '|' -i - <"$DATA/script" 2>/dev/null >piped
	"$SONDE" report --stdio --no-children -g none -n -t '|' -i "$DATA/script" 2>/dev/null | diff - piped
	# threads have their names where they are asked for by number
	"$SONDE" report --stdio -g none -s pid -i "$DATA/script" 2>/dev/null | grep -qE ' [0-9]+:burn'
}

@test "folded stacks come out as they went in, from files and pipes" {
	"$SONDE" fold -q --all -i "$DATA/folded" | diff "$DATA/folded" -
	"$SONDE" fold -q --all -i - <"$DATA/folded" | diff "$DATA/folded" -
	"$SONDE" fold -q --all --event cpu-clock:u -i "$DATA/ours" | diff "$DATA/folded" -
	# one that has no thread's name, blanks, a fraction, and a count that is large
	printf 'main 3\na b;f(int, char) 5.9\nx;y 4000000000\n' >odd
	"$SONDE" fold -q -i odd --full-names >out
	printf 'a_b;f(int, char) 5\nmain;main 3\nx;y 4000000000\n' | diff - out
}

@test "flame, diff and export take text; samples add up to perf's" {
	need python3
	perf script -i "$DATA/two" -F event 2>/dev/null | awk '/cpu-clock/ { n++ } END { print n }' >want
	for file in script folded; do
		"$SONDE" export --csv -q -i "$DATA/$file" |
			python3 -c 'import csv, sys; print(sum(int(r["samples"]) for r in csv.DictReader(sys.stdin) if r["event"] != "page-faults"))' |
			diff want -
		"$SONDE" flame -q -i "$DATA/$file" -o $file.html
		event=cpu-clock:u
		[[ $file == script ]] || event=samples
		"$SONDE" flame -q -i "$DATA/$file" -e $event -o $file.svg
		"$SONDE" flame -q --folded - -o piped.html <"$DATA/$file"
		grep -q '</html>' piped.html
		grep -q burn_a $file.html
		grep -q burn_a $file.svg
	done
	"$SONDE" diff --json "$DATA/two" "$DATA/ours" >diff.json 2>/dev/null
	python3 - diff.json <<-'END'
		import json, sys
		rows = [r for e in json.load(open(sys.argv[1]))["events"] for r in e["rows"]]
		assert len(rows) > 4, len(rows)
		for r in rows:
		    a, b = r["files"]
		    assert a["samples"] == b["samples"], r
	END
}

@test "filters hold for text; what text does not tell is refused" {
	n=$(grep -c 'burn .*cpu-clock' "$DATA/script")
	pid=$(awk '/^burn .*cpu-clock/ { print $2; exit }' "$DATA/script")
	some=$(grep -c "burn *$pid .*cpu-clock" "$DATA/script")
	((some > 0 && some < n))
	count() { "$SONDE" fold -q --event cpu-clock:u -i "$DATA/script" "$@" | awk '{ n += $NF } END { print n + 0 }'; }
	[[ $(count --comm burn) == "$n" && $(count --pid "$pid") == "$some" && $(count --comm none) == 0 ]]
	half=$(count --time 0%-50%)
	((half > 0 && half < $(count)))
	for cmd in script annotate evlist "report --stats" "report -D" "sched latency" buildid-list; do
		fails 1 "$SONDE" $cmd -i "$DATA/folded"
		says 'not perf.data but text'
	done
	fails 1 "$SONDE" report -s symoff -i "$DATA/folded"
	fails 1 "$SONDE" report -i /etc/passwd
}
