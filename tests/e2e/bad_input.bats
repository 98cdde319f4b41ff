# Bad input: one clear line, a non-zero exit, and nothing lost.
load common

@test "no such command" {
	echo precious >perf.data
	fails 127 "$SONDE" record -e cpu-clock /no/such/program
	says "/no/such/program"
	[[ $(<perf.data) == precious ]]
	fails 127 "$SONDE" record -e cpu-clock nonesuch-program
	fails 126 "$SONDE" record -e cpu-clock /etc/passwd
	[[ $(<perf.data) == precious ]]
}

@test "no such process or thread" {
	echo precious >perf.data
	fails any "$SONDE" record -e cpu-clock -p 4194303 sleep 1
	says "4194303"
	fails any "$SONDE" record -e cpu-clock -t 4194303 sleep 1
	fails any "$SONDE" record -e cpu-clock -p abc sleep 1
	fails any "$SONDE" record -e cpu-clock -u nonesuchuser sleep 1
	[[ $(<perf.data) == precious ]]
}

@test "no such event, and the nearest that there is" {
	echo precious >perf.data
	fails any "$SONDE" record -e cpu-clokc true
	says "cpu-clock"
	fails any "$SONDE" record -e nonesuch:nonesuch true
	fails any "$SONDE" record -e '' true
	[[ $(<perf.data) == precious ]]
}

@test "no such CPU" {
	need_root
	fails any "$SONDE" record -e cpu-clock -C 9999 true
	fails any "$SONDE" record -e cpu-clock -C x true
}

@test "an output that cannot be written" {
	fails any "$SONDE" record -e cpu-clock -o /no/such/folder/x true
	says "/no/such/folder/x"
	mkdir folder
	fails any "$SONDE" record -e cpu-clock -o folder true
	"$SONDE" record -q -e cpu-clock -g "$WORKLOADS/burn" 0.2 >/dev/null
	fails any "$SONDE" flame -o /no/such/folder/x
	says "/no/such/folder/x"
}

@test "a full disk: the recording fails aloud, and what is there can be read" {
	need_root
	mkdir small
	mount -t tmpfs -o size=256k tmpfs small 2>/dev/null || skip "a tmpfs cannot be mounted here"
	run --separate-stderr "$SONDE" record -q -e cpu-clock -F 20000 -g -o small/x.data "$WORKLOADS/burn" 3
	rc=$status said=$stderr nr=${#stderr_lines[@]}
	run --separate-stderr "$SONDE" script -F event -i small/x.data
	n=${#lines[@]}
	umount small
	echo "record: status $rc, said: $said; then $n samples read"
	((rc != 0 && rc < 128 && nr == 1 && n > 100))
	[[ $said == *"No space left"* ]]
}

@test "reports into a full disk fail" {
	"$SONDE" record -q -e cpu-clock -g -o b.data "$WORKLOADS/burn" 0.5 >/dev/null
	for cmd in "report --stdio" script fold; do
		run --separate-stderr bash -c "\"\$SONDE\" $cmd -i b.data >/dev/full"
		echo "$cmd: $status: $stderr"
		[[ $status == 1 && $stderr == *"No space left"* ]]
	done
	fails any "$SONDE" flame -i b.data -o /dev/full
}

@test "an empty file, no file, a folder, a file that is not perf.data" {
	: >empty
	head -c 5000 /dev/urandom >noise
	mkdir folder
	echo "PERFILE2" >short
	{ printf PERFILE2; head -c 4000 /dev/urandom; } >almost
	for cmd in "report --stdio" script fold flame "script --header-only"; do
		for file in empty noise folder short almost none /bin/true /dev/null; do
			echo "sonde $cmd -i $file"
			fails any "$SONDE" $cmd -i "$file"
			says "$(basename "$file")"
		done
	done
}

@test "no perf.data at all, where one is expected" {
	fails any "$SONDE" report --stdio
	says "perf.data"
	says "record"
}

# A cut file: whatever comes before the cut is shown; nothing crashes.
@test "a file cut at any byte" {
	"$SONDE" record -q -e cpu-clock -F 200 -g -o whole "$WORKLOADS/burn" 0.5 >/dev/null
	size=$(stat -c %s whole)
	all=$(samples -i whole)
	before=0
	((all > 50))
	cuts=0
	for ((at = 1; at < size; at += at < 400 ? 7 : size / 150 + 1)); do
		head -c "$at" whole >cut
		rc=0
		timeout 20 "$SONDE" script -F event -i cut >out 2>err || rc=$?
		n=$(grep -c . out) || true
		if ((rc >= 124 || (rc != 0 && $(wc -l <err) != 1) || n > all || n < before)); then
			echo "cut at $at of $size: status $rc, $n samples after $before of $all: $(head -n 3 err)"
			return 1
		fi
		before=$n
		((++cuts))
	done
	echo "$cuts cuts, the last with $before of $all samples"
	((cuts > 100 && before > all / 2))
	for ((at = size / 3; at < size; at += size / 9)); do
		head -c "$at" whole >cut
		for cmd in "report --stdio" fold "flame -o x.svg" "script --header"; do
			rc=0
			timeout 20 "$SONDE" $cmd -i cut >out 2>err || rc=$?
			((rc == 0 || (rc < 124 && $(wc -l <err) == 1))) || {
				echo "$cmd, cut at $at of $size: status $rc: $(head -n 3 err)"
				return 1
			}
		done
	done
}

@test "a file with any byte turned over does not crash anything" {
	"$SONDE" record -q -e cpu-clock -F 200 -g -o whole "$WORKLOADS/burn" 0.3 >/dev/null
	size=$(stat -c %s whole)
	for ((at = 0; at < size; at += at < 400 ? 5 : size / 100 + 1)); do
		cp whole turned
		printf '\xff' | dd of=turned bs=1 seek="$at" conv=notrunc status=none
		rc=0
		timeout 20 "$SONDE" script -i turned >out 2>err || rc=$?
		((rc < 124)) || { echo "byte $at: status $rc: $(head -n 3 err)"; return 1; }
	done
}

@test "a rate above the kernel's limit" {
	limit=$(</proc/sys/kernel/perf_event_max_sample_rate)
	fails any "$SONDE" record -e cpu-clock -F $((limit * 2)) true
	says "$limit"
	says "perf_event_max_sample_rate"
	"$SONDE" record -q -e cpu-clock -F max true
}

@test "a kernel without perf_event_open, and one that forbids it" {
	fails any "$WORKLOADS/denied" 38 perf_event_open "$SONDE" record -e cpu-clock true
	says "perf_event_open|perf_events"
	fails any "$WORKLOADS/denied" 1 perf_event_open "$SONDE" record -e cpu-clock true
	[[ ! -e perf.data ]]
}

@test "the exit status of the command is record's" {
	run --separate-stderr "$SONDE" record -q -e cpu-clock sh -c 'exit 7'
	[[ $status == 7 ]]
	run --separate-stderr "$SONDE" record -q -e cpu-clock sh -c 'kill -TERM $$'
	[[ $status == 143 ]]
}

@test "a reader that goes away is no error" {
	"$SONDE" record -q -e cpu-clock -F 2000 -g -o b.data "$WORKLOADS/burn" 1 >/dev/null
	for cmd in script "report --stdio" fold; do
		"$SONDE" $cmd -i b.data 2>err | head -n 1 >out
		echo "$cmd: $(<err)"
		[[ -s out && ! -s err ]]
	done
}
