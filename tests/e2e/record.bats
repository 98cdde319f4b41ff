#!/usr/bin/env bats
# sonde record, read by perf: what is in the file, how it ends, and what goes wrong.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR"
	PARANOID=$(cat /proc/sys/kernel/perf_event_paranoid)
}

teardown()
{
	! mountpoint -q disk 2>/dev/null || umount disk
}

need_perf()
{
	command -v perf >/dev/null || skip "perf is not installed"
}

need_root()
{
	[[ $(id -u) == 0 ]] || skip "needs root"
}

# standard output of a test is a pipe, which record without -o would write to
record()
{
	"$SONDE" record -e cpu-clock -o perf.data "$@"
}

samples()
{
	perf script -i "${1:-perf.data}" -F pid 2>/dev/null | grep -c .
}

said_samples()
{
	sed -n 's/.*(\([0-9]*\) samples).*/\1/p' <<<"$output"
}

@test "record: perf reads as many samples as were said, with names and chains" {
	need_perf
	run record -F 999 -g "$WORKLOADS/burn" 1
	[[ $status == 0 ]]
	[[ $(said_samples) -gt 100 ]]
	[[ $(samples) == "$(said_samples)" ]]
	perf script -i perf.data -F comm,ip,sym | grep -A2 'burn_a' | grep -q main
	# perf finds nothing to say against the file
	perf script -i perf.data 2>&1 >/dev/null | tee err
	[[ ! -s err ]]
	perf report -i perf.data --stdio 2>&1 >/dev/null | tee err
	[[ ! -s err ]]
}

@test "record: header, events and build-ids as perf shows them" {
	need_perf
	record -q -F 99 -g "$WORKLOADS/burn" 0.2
	run perf report --header-only -i perf.data
	[[ $output == *"hostname : $(uname -n)"* ]]
	[[ $output == *"os release : $(uname -r)"* ]]
	[[ $output == *"arch : $(uname -m)"* ]]
	[[ $output == *"nrcpus online : $(nproc)"* ]]
	[[ $output == *"total memory : $(awk '/MemTotal/ { print $2 }' /proc/meminfo) kB"* ]]
	[[ $output == *"cmdline : $(realpath "$SONDE") record -e cpu-clock -o perf.data -q -F 99 -g"* ]]
	[[ $output == *"CPU_TOPOLOGY info"* ]]
	[[ $output == *"sample duration"* ]]
	run perf evlist -v -i perf.data
	[[ $output == *"{ sample_period, sample_freq }: 99"* ]]
	[[ $output == *"IP|TID|TIME|CALLCHAIN|PERIOD"* ]]
	id=$(readelf -n "$WORKLOADS/burn" | awk '/Build ID/ { print $3 }')
	perf buildid-list -i perf.data | grep -F "$id $WORKLOADS/burn"
	perf buildid-list -i perf.data | grep -F "[kernel.kallsyms]"
}

@test "record: the same attributes as perf record asks for" {
	need_perf
	need_root
	strip() { sed -E 's/^[^:]*: //; s/id = \{[^}]*\}, //; s/, build_id: 1//; s/size: [0-9]+, //;
			s/, watermark: 1|\{ wakeup_events, wakeup_watermark \}: [0-9]+, |, \{ wakeup_events, wakeup_watermark \}: [0-9]+//g' | sort; }
	for options in "-g" "-c 100000" "-d" "-s" "-i" "-F 99 --call-graph fp" "--switch-events -a" \
		"-a" "-a -g" "--sample-cpu"; do
		# it aborts now and then while others record
		for _ in 1 2 3 4; do
			perf record -q -e page-faults $options -o theirs true >/dev/null 2>&1 && break
		done
		"$SONDE" record -q -e page-faults $options -o ours true
		# perf tells events apart by ID where theirs are alike, sonde by IDENTIFIER
		diff <(perf evlist -v -i theirs | grep -v '^#' | sed 's/|ID|/|/; s/|IDENTIFIER//' | strip) \
			<(perf evlist -v -i ours | grep -v '^#' | sed 's/|IDENTIFIER//' | strip) \
			>diff || true
		# the one difference wanted: the dummy has no use for periods and frequencies
		grep '^[<>]' diff | grep -v 'task: 1' && { echo "$options"; cat diff; false; }
		true
	done
}

@test "record: the command's exit status, or 128 + its signal" {
	run record -q sh -c 'exit 7'
	[[ $status == 7 ]]
	run record -q sh -c 'kill -9 $$'
	[[ $status == 137 ]]
	[[ -s perf.data ]]
}

@test "record: a command that is not there costs no recording" {
	record -q true
	cp perf.data before
	run -127 record no-such-command-here
	[[ $output == "sonde record: cannot run 'no-such-command-here': command not found" ]]
	run record /etc/passwd
	[[ $status == 126 ]]
	printf '#!/no/such/interpreter\n' >script
	chmod +x script
	run -127 record ./script
	cmp perf.data before
	[[ ! -e perf.data.old ]]
}

@test "record: bad input is one line and a status" {
	one_line() { [[ $status != 0 && ${#lines[@]} == 1 && $output == *"$1"* ]] || { echo "$status: $output"; false; }; }
	run "$SONDE" record -p 4194305 -o x
	one_line "process 4194305"
	run "$SONDE" record -e no-such-event -o x true
	one_line "no-such-event"
	run "$SONDE" record -F 100000000 -o x true
	one_line "try -F max"
	run "$SONDE" record -o /no/such/folder/x true
	one_line "/no/such/folder/x"
	run "$SONDE" record -o . true
	one_line "directory"
	run "$SONDE" record -C 4096 -o x
	one_line "4096"
	run "$SONDE" record --no-such-option
	one_line "no-such-option"
	run "$SONDE" record -c 0 -o x true
	one_line "-c 0"
	run "$SONDE" record -F 99 -c 99 -o x true
	one_line "exclude each other"
	run "$WORKLOADS/denied" 38 perf_event_open "$SONDE" record -e cpu-clock -o x true
	one_line "no perf_event_open"
	if [[ $(id -u) == 0 ]]; then
		run "$WORKLOADS/denied" 1 perf_event_open "$SONDE" record -e cpu-clock -o x true
		one_line "seccomp"
	fi
	[[ ! -e x ]]
}

@test "record: without a PMU the default event becomes cpu-clock, a named one does not" {
	ls /sys/bus/event_source/devices | grep -qE '^(cpu|cpu_core|armv)' && skip "this machine has a PMU"
	run "$SONDE" record -F 99 -o perf.data true
	[[ $status == 0 ]]
	[[ $'\n'$output == *$'\n'"sonde: no hardware PMU for 'cycles'"*"cpu-clock"* ]]
	run "$SONDE" record -e cycles -o other true
	[[ $status == 1 ]]
	[[ $output == "sonde record: cannot open event 'cycles': this machine has no hardware PMU; try -e cpu-clock" ]]
	[[ ! -e other ]]
}

@test "record: -a sees many short processes" {
	need_perf
	need_root
	run record -F 2000 -a -g -- "$WORKLOADS/forks" 200
	[[ $status == 0 ]]
	[[ $(samples) == "$(said_samples)" ]]
	[[ $(perf script -i perf.data --show-task-events -F comm,pid,tid 2>/dev/null | grep -c 'PERF_RECORD_EXIT') -ge 200 ]]
	perf script -i perf.data -F comm | sort -u | grep -q 'child-'
}

@test "record: -p takes all threads and ends when they end" {
	need_perf
	nice -n 10 "$WORKLOADS/threads" 4 1000 &
	pid=$!
	until [[ $(ls /proc/$pid/task | wc -l) == 5 ]]; do :; done
	record -F 5000 -p $pid 2>said &
	recorder=$!
	# until all are in the file
	until [[ $("$SONDE" script -F comm -i perf.data 2>/dev/null | sort -u | grep -c 'worker-') == 4 ]]; do
		sleep 0.1
	done
	kill $pid
	wait $recorder
	output=$(<said)
	[[ $(samples) == "$(said_samples)" ]]
	[[ $(perf script -i perf.data -F comm | sort -u | grep -c 'worker-') == 4 ]]
	[[ $(perf script -i perf.data -F pid | sort -u | tr -d ' ') == "$pid" ]]
	perf script -i perf.data -F ip,sym | grep -q spin_worker
}

@test "record: -p with a command ends with the command, -t takes one thread" {
	need_perf
	nice -n 10 "$WORKLOADS/threads" 4 1000 &
	pid=$!
	until [[ $(ls /proc/$pid/task | wc -l) == 5 ]]; do :; done
	tid=$(ls /proc/$pid/task | tail -1)
	# a command that ends when there is a sample
	record -q -F 500 -t "$tid" sh -c 'until [ -n "$("$0" script -i perf.data 2>/dev/null)" ]; do :; done' "$SONDE"
	[[ $(perf script -i perf.data -F tid | sort -u | tr -d ' ') == "$tid" ]]
	kill $pid
}

@test "record: Ctrl-C ends a recording cleanly" {
	need_perf
	need_root
	# a function would be a subshell, which is not the one to be signalled
	"$SONDE" record -e cpu-clock -F 99 -a -o perf.data 2>said 3>&- &
	pid=$!
	until "$SONDE" script -F event -i perf.data 2>/dev/null | grep -q cpu-clock; do sleep 0.05; done
	kill -INT $pid
	wait $pid
	grep -q Captured said
	output=$(<said)
	[[ $(samples) -gt 0 && $(samples) == "$(said_samples)" ]]
	perf report --header-only -i perf.data | grep -q 'sample duration'
}

@test "record: a signal reaches the command and its status comes back" {
	"$SONDE" record -e cpu-clock -o perf.data -q sh -c 'trap "exit 9" TERM; : >here; while :; do sleep 0.1; done' 3>&- &
	pid=$!
	until [[ -e here ]]; do sleep 0.05; done
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	[[ $rc == 9 ]]
}

@test "record: after SIGKILL the file is whole to its last record, for perf too" {
	need_perf
	need_root
	readable=0
	for z in "" -z; do
		for i in 1 2 3 4 5; do
			rm -f perf.data
			"$SONDE" record -q -F 4000 -e cpu-clock -e sched:sched_switch -a $z -o perf.data &
			pid=$!
			# once when there are samples in it for sure, else at any moment
			[[ $i != 5 ]] || until "$SONDE" script -F event -i perf.data 2>/dev/null | grep -q cpu-clock; do :; done
			[[ $i == 5 ]] || sleep 0.$((RANDOM % 10))$((RANDOM % 10))
			kill -KILL $pid
			wait $pid || true
			# killed before the file was begun
			[[ -s perf.data ]] || continue
			perf script -i perf.data >>text 2>err
			! grep -v -i -e '^$' -e warning -e lost -e "check IO/CPU" err || false
			perf report --header-only -i perf.data | grep -q -e '^# cmdline :' -e '^# missing features:'
			((++readable))
		done
	done
	((readable >= 2))
	[[ $(grep -c cpu-clock text) -gt 0 ]]
}

@test "record: a full disk is one line, and what fitted is there" {
	need_perf
	need_root
	mkdir disk
	mount -t tmpfs -o size=400k tmpfs disk || skip "cannot mount a tmpfs here"
	for z in "" -z; do
		rm -f disk/*
		run "$SONDE" record -F max -e cpu-clock -a -g $z -o disk/perf.data -- sleep 20
		[[ $status == 1 ]]
		# a loss, and that the rings grew, may be told before
		[[ $output == *"No space left on device"* ]]
		perf script -i disk/perf.data -F pid >text 2>err
		# what a full ring loses at that rate may be told, nothing else
		! grep -v -i -e '^$' -e warning -e lost -e "check IO/CPU" err || false
		[[ $(grep -c . text) -gt 100 ]]
		[[ -n $z || $(grep -c . text) == "$(said_samples)" ]]
		perf report --header-only -i disk/perf.data | grep -q hostname
	done
}

@test "record: the previous file is kept, 0600, no stranger's link is followed" {
	record -q true
	record -q true
	[[ $(stat -c %a perf.data) == 600 && -s perf.data.old ]]
	need_root
	ln -s "$PWD/victim" link
	chown -h 12345 link
	echo precious >victim
	run "$SONDE" record -e cpu-clock -o link true
	[[ $status == 1 && $output == *"another user"* ]]
	[[ $(cat victim) == precious ]]
	SUDO_UID=12345 SUDO_GID=12345 "$SONDE" record -q -e cpu-clock -o given true
	[[ $(stat -c %u given) == 12345 ]]
}

@test "record: a pipe, to perf and into a file" {
	need_perf
	# what the command prints does not stand among the records, but on standard error
	"$SONDE" record -q -F 999 -e cpu-clock -o - "$WORKLOADS/burn" 0.3 >s.data 2>printed
	grep -q '^burn_a ' printed
	run ! grep -qa '^burn_a [0-9]* burn_b' s.data
	[[ $(perf script -i s.data -F comm 2>err | grep -c .) -gt 100 && ! -s err ]]
	quiet=(sh -c "exec '$WORKLOADS/burn' "'"$1" >/dev/null' -)
	"$SONDE" record -q -F 999 -e cpu-clock -o - "${quiet[@]}" 0.5 | perf script -i - -F comm,ip,sym >text 2>err
	[[ ! -s err ]]
	grep -q burn_a text
	# standard output alone, as perf does
	"$SONDE" record -q -F 999 -e cpu-clock "${quiet[@]}" 0.5 | perf report -i - --stdio | grep -q burn_a
	[[ ! -e perf.data ]]
	# a reader that goes away
	rc=0
	("$SONDE" record -q -F 999 -e cpu-clock -o - "${quiet[@]}" 2 || echo $? >rc) 2>err | head -c 100 >/dev/null
	grep -q 'Broken pipe' err
	[[ $(cat rc) == 1 ]]
}

@test "record: tracepoints with their fields, and a filter" {
	need_perf
	need_root
	"$SONDE" record -q -e sched:sched_switch -a -o perf.data -- sleep 0.3
	perf script -i perf.data 2>/dev/null | grep -q 'prev_comm=.*next_pid='
	"$SONDE" record -q -e sched:sched_switch --filter 'prev_comm == "sleep"' -a -o perf.data -- sleep 0.3
	[[ $(perf script -i perf.data 2>/dev/null | grep -c .) -gt 0 ]]
	[[ $(perf script -i perf.data 2>/dev/null | grep -vc 'prev_comm=sleep ') == 0 ]]
	run "$SONDE" record -e sched:sched_switch --filter 'no_field == 1' -a -o other true
	[[ $status != 0 && $output == *no_field* && ! -e other ]]
	"$SONDE" record -q -e sched:sched_switch -a -o - -- sleep 0.3 | perf script -i - 2>/dev/null | grep -q 'next_pid='
}

@test "record: -z is smaller and says the same" {
	need_perf
	run record -F 5000 -z -g "$WORKLOADS/burn" 1
	[[ $(samples) == "$(said_samples)" ]]
	perf report --header-only -i perf.data | grep -q 'compressed : Zstd, level = 1'
	raw=$(perf report -i perf.data --stats | awk '/SAMPLE events/ { print $3; exit }')
	[[ $raw == "$(said_samples)" ]]
}

@test "record: files, rings and user space where more is not allowed" {
	need_root
	# threads in plenty that take no time from the recorder
	nice -n 19 "$WORKLOADS/threads" 60 1000 &
	pid=$!
	until [[ $(ls /proc/$pid/task | wc -l) == 61 ]]; do :; done
	run bash -c "ulimit -Sn 50; '$SONDE' record -e cpu-clock -F 99 -p $pid -o perf.data sleep 0.2"
	kill $pid || true
	[[ $status == 0 && $output == *"raised RLIMIT_NOFILE from 50"* ]]
	command -v setpriv >/dev/null || skip "setpriv is not installed"
	[[ $PARANOID == 2 ]] || skip "perf_event_paranoid is $PARANOID, not 2"
	cp "$SONDE" sonde
	chmod 755 . sonde
	mkdir -m 777 open
	as() { setpriv --reuid=12345 --regid=12345 --clear-groups "$@"; }
	as ./sonde version >/dev/null || skip "an ordinary user cannot enter $PWD"
	run as ./sonde record -e cpu-clock -F 99 -o open/a true
	[[ $status == 0 && $output == *"recording user space only"*"kernel.perf_event_paranoid=1"* ]]
	run as ./sonde record -e cpu-clock -a -o open/b true
	[[ $status == 1 && ${#lines[@]} == 1 && $output == *"kernel.perf_event_paranoid=0"* ]]
	run as ./sonde record -e cpu-clock -p 1 -o open/b true
	[[ $status == 1 && ${#lines[@]} == 1 && $output == *"belongs to uid 0"* ]]
	run as ./sonde record -e cpu-clock -m 64M -o open/c true
	[[ $status == 0 && $output == *"locked memory allows rings of"* ]]
}

@test "record: -D, --max-size, -n, -k and -m" {
	need_perf
	record -q -F 1000 -D 700 "$WORKLOADS/burn" 1
	first=$(perf script -i perf.data -F time | head -1 | tr -d ' :')
	start=$(perf script -i perf.data --show-task-events -F comm,time 2>/dev/null | awk '/COMM exec/ { print $2 + 0; exit }')
	awk -v a="$start" -v b="$first" 'BEGIN { exit !(b - a > 0.6) }'
	run record -F 10000 --max-size 100K "$WORKLOADS/burn" 20
	[[ $output == *"--max-size"* ]]
	[[ $(stat -c %s perf.data) -lt 400000 ]]
	record -q -n "$WORKLOADS/burn" 0.2
	[[ $(samples) == 0 ]]
	record -q -k monotonic -F 99 "$WORKLOADS/burn" 0.5
	perf report --header-only -i perf.data | grep -q 'clockid frequency'
	now=$(awk '{ print $1 }' /proc/uptime)
	last=$(perf script -i perf.data -F time | tail -1 | tr -d ' :')
	awk -v a="$last" -v b="$now" 'BEGIN { exit !(b - a < 60 && a - b < 60) }'
	run record -m 100 true
	[[ $status == 0 && $output == *"512 KB"* ]]
}
