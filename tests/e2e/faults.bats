# What goes wrong around a recording: it is killed, signalled and stopped, its disk is full, slow
# or broken, whoever reads its pipe goes away, those it watches end. Nothing here takes its time:
# faults are counted (tests/preload/badwrite.c), and who has to wait waits for what is there.
load faults

@test "killed: all that was taken from the rings is there" {
	for more in "" -z "--switch-output=20K" "--call-graph unwind"; do
		rm -f out* killed
		mkfifo ctl
		# a command makes the recorder empty its rings, and -z has them written a little later
		status=0
		# shellcheck disable=SC2086
		record -q -B -N -o out $more --control fifo:ctl -- sh -c '"$0" 2000
			until [ "$(for f in out*; do "$SONDE" script -i $f -F event; done | grep -c .)" -ge 2000 ]; do
				echo ping >ctl
			done 2>/dev/null
			kill -KILL $PPID' "$WORKLOADS/faults" 2>said || status=$?
		[[ $status == 137 ]]
		rm ctl
		all=0
		for file in out*; do
			# the next one of --switch-output may just have been made
			is_begun "$file" || continue
			reads "$file"
			all=$((all + SAMPLES))
		done
		((all >= 2000))
	done
}

@test "killed before each of its writes, and in their middle: what is there is read" {
	begun=0
	for more in "" -z "--switch-output=20K"; do
		for n in 3 4 5 6 7 8 10 13; do
			rm -f out*
			# shellcheck disable=SC2086
			badwrite "kill=$n" out "$SONDE" record -q -B -N -e page-faults -c 1 -m 64K -o out $more -- \
				sh -c 'for i in 1 2 3; do "$0" 300; done' "$WORKLOADS/faults" || true
			for file in out*; do
				is_begun "$file" || continue
				reads "$file" || { echo "killed at write $n, $more"; false; }
				begun=$((begun + 1))
			done
		done
	done
	((begun >= 15))
}

@test "signals: SIGINT, SIGTERM and SIGHUP end it, and the file is complete" {
	for signal in INT TERM HUP; do
		rm -f out*
		mkfifo ctl ack
		exec 8<>ack
		# a job of its own: what is started in the background ignores SIGINT
		(trap - INT; exec "$SONDE" record -e page-faults -c 1 -p $$ -o out --control fifo:ctl,ack) 2>said 7>&- &
		pid=$!
		echo ping >ctl
		read -r answer <&8
		: | cat >/dev/null
		kill -$signal $pid
		status=0
		wait $pid || status=$?
		exec 8>&-
		rm ctl ack
		echo "$signal $status $(<said)"
		[[ $answer == ack && $status == 0 ]]
		grep -q '^\[ sonde record: Captured' said
		reads out
		[[ $SAMPLES -gt 0 && $(said_samples) == "$SAMPLES" ]]
		# what stands behind the samples is there as well
		"$SONDE" buildid-list -i out | grep -q bash
	done
}

@test "a full disk: one line, exit status 1, and what fitted is there" {
	need_root
	for more in "" -z "--switch-output=20K"; do
		for how in "" noalloc=1; do
			size=$([[ $more == -z ]] && echo 24k || echo 64k)
			mkdir -p disk
			mount -t tmpfs -o size=$size tmpfs disk || skip "cannot mount a tmpfs here"
			status=0
			# shellcheck disable=SC2086
			badwrite "$how" disk/out "$SONDE" record -B -N -g -d -m 1M -e page-faults -c 1 -o disk/out $more \
				-- "$WORKLOADS/faults" 10000 2>said || status=$?
			cat said
			mkdir -p kept
			mv disk/* kept
			umount disk
			[[ $status == 1 ]]
			[[ $(grep -c 'No space left on device; the disk is full' said) == 1 ]]
			for file in kept/*; do reads "$file"; done
			rm -r kept
		done
	done
}

@test "writes that are short or interrupted lose nothing" {
	for more in "" -z; do
		for fault in short=1000,eintr=2 short=97,eintr=3; do
			# shellcheck disable=SC2086
			badwrite $fault out "$SONDE" record -B -N -e page-faults -c 1 -m 1M -o out $more -- "$WORKLOADS/faults" 1000 2>said
			reads out
			((SAMPLES >= 1000 && SAMPLES == $(said_samples)))
		done
		# standard output likewise
		# shellcheck disable=SC2086
		badwrite short=101,eintr=3 out "$SONDE" record -B -N -q -e page-faults -c 1 -m 1M -o - $more -- \
			"$WORKLOADS/faults" 1000 >out 2>said
		"$SONDE" script -i - -F event <out >sonde.txt
		(($(grep -c . sonde.txt) >= 1000))
	done
}

@test "a broken disk: one line, exit status 1, and what was written is there" {
	for more in "" -z "--switch-output=20K" --overwrite; do
		for fault in after=20000 beyond=30000; do
			rm -f out*
			status=0
			# shellcheck disable=SC2086
			badwrite $fault out "$SONDE" record -B -N -m 256K -e page-faults -c 1 -g -d -o out $more -- \
				"$WORKLOADS/faults" 6000 2>said || status=$?
			cat said
			[[ $status == 1 ]]
			[[ $(grep -c "cannot write 'out': Input/output error" said) == 1 ]]
			all=0
			for file in out*; do
				reads "$file"
				all=$((all + SAMPLES))
			done
			# where the file could not be closed, or is written by a thread, it is said
			grep -q '(at most [0-9]* samples)' said || ((all == $(said_samples)))
			[[ $fault$more != beyond=30000 ]] || ((all > 100 && all == $(said_samples)))
		done
		# none at all: nothing is left, and the file before is back
		rm -f out*
		echo before >out
		status=0
		# shellcheck disable=SC2086
		badwrite after=100 out "$SONDE" record -e page-faults -c 1 -o out $more true 2>said || status=$?
		[[ $status == 1 && $(<out) == before && $(echo out*) == out && $(grep -c . said) == 1 ]]
	done
}

@test "a disk slower than the rings: what is lost is told, with the cause" {
	need taskset
	fire 20000
	mkfifo ctl ack
	exec 8<>ack
	badwrite hold=1 out "$SONDE" record -e page-faults -c 1 -m 64K -p "$FIRE" -o out --strict \
		--control fifo:ctl,ack 2>said 3>&- &
	pid=$!
	is_ready
	# from now on the disk takes nothing, while the ring is filled many times over
	touch hold
	next_round 1
	wait_until test -e hold.held
	sleep 0.3                        # as slow as this at least
	rm hold
	next_round 2
	status=0
	wait $pid || status=$?
	cat said
	[[ $status == 3 ]]
	reads out
	lost=$(sed -n 's/.*lost \([0-9]*\) of .*/\1/p' said)
	((lost > 10000 && SAMPLES + lost >= $(tail -n 1 fired)))
	grep -qE "a single write to 'out' took (0\.[2-9]|[1-9])" said
}

@test "losses: recorded and lost are what was fired, to the last event" {
	need taskset
	# the target goes on or ends while the recorder is stopped
	for case in "goes on" "goes on:--switch-output=40K" "ends:-z"; do
		how=${case%:*} more=${case#"${case%:*}"}
		more=${more#:}
		rm -f out* ctl ack
		mkfifo ctl ack
		exec 8<>ack
		fire 20000,500
		# shellcheck disable=SC2086
		"$SONDE" record -e page-faults -c 1 -m 64K -p "$FIRE" -o out $more --strict \
			--control fifo:ctl,ack 2>said 3>&- &
		pid=$!
		is_ready
		kill -STOP $pid
		wait_until is_stopped $pid
		next_round 1
		if [[ $how == ends ]]; then
			next_round 2
			next_round 3
			kill -CONT $pid
		else
			kill -CONT $pid
			is_ready
			next_round 2
			next_round 3
		fi
		status=0
		wait $pid || status=$?
		exec 8>&- 9>&-
		echo "$how $more: $(<said)"
		[[ $status == 3 ]]
		all=0
		for file in out*; do
			reads "$file"
			all=$((all + SAMPLES))
		done
		told=$(sed -n 's/.*lost of page-faults: //p' said | grep -o '[0-9]* on' | awk '{ s += $1 } END { print s }')
		if [[ -z $told ]]; then
			skip "this kernel does not count losses by event (Linux 6.0)"
		fi
		fired=$(tail -n 1 fired)
		echo "$all recorded, $told lost, $fired fired"
		((fired >= 20500 && all + told == fired))
		# in the files as well: of the side-band event at most the target's end
		written=$(lost_samples out*)
		((written == told || written == told + 1))
		# and a loss is told by one file, not by LOST in the next one again
		reported=0
		for file in out*; do
			reported=$((reported + $("$SONDE" report -i "$file" --stdio 2>/dev/null |
				sed -n 's/^# Lost: \([0-9,]*\) events.*/\1/p' | tr -d , | grep . || echo 0)))
		done
		echo "$reported reported"
		((reported == written))
		if [[ $how == ends ]]; then
			grep -qE 'from [0-9.]+ s after the first sample on' said
		else
			# it begins with the last sample before
			grep -oE 'from [0-9.]+ to [0-9.]+ s after' said | awk '$2 < $4 { n++ } END { exit n != 1 }'
		fi
	done
}

# The recorder is gone, or its file is closed while it waits for the command.
is_closed_or_gone()
{
	! kill -0 "$1" 2>/dev/null || ! "$SONDE" script -i out 2>&1 >/dev/null | grep -q Unfinished
}

@test "Ctrl-C again and again: to the command, then the file is closed, then the command is killed" {
	for signal in INT TERM HUP; do
		rm -f out* ctl ack got
		mkfifo ctl ack
		exec 8<>ack
		# deaf to all that can be ignored
		(trap - INT; exec "$SONDE" record -e page-faults -c 1 -o out --control fifo:ctl,ack -- \
			sh -c 'trap "echo >>got" INT HUP TERM; : >here; while :; do sleep 0.05; done') 2>said 3>&- &
		pid=$!
		is_ready
		wait_until test -e here
		kill -$signal $pid
		wait_until test -e got
		kill -$signal $pid
		wait_until is_closed_or_gone $pid
		while kill -$signal $pid 2>/dev/null; do sleep 0.05; done
		status=0
		wait $pid || status=$?
		exec 8>&-
		echo "$signal $status $(<said)"
		[[ $status == 137 ]]
		reads out
		((SAMPLES > 0 && SAMPLES == $(said_samples)))
		rm here
	done
}

@test "who reads the pipe goes away: one line and no signal; sonde script and report end in silence" {
	record -q -o - -- "$WORKLOADS/faults" 20000 2>said | head -c 1000 >part || true
	[[ $(stat -c %s part) == 1000 ]]
	[[ $(<said) == "sonde record: cannot write 'standard output': Broken pipe" ]]
	record -q -B -N -o out -- "$WORKLOADS/faults" 20000
	for command in script report fold; do
		"$SONDE" $command -i out 2>said | head -n 1 >part
		echo "$command: ${PIPESTATUS[*]} $(<said)"
		[[ $(grep -c . said) == 0 && $(grep -c . part) -le 1 ]]
	done
}

@test "storms of forks, threads, execs in threads and libraries: every page fault is there" {
	storm=$WORKLOADS/storm
	# no sample has room for less than 24 bytes: rings that take all of them
	record -q -B -N -m 16M --strict -o out -- "$storm" forks 1000
	reads out
	(($(faults_of out storm) >= 10000))
	[[ $("$SONDE" script -i out --show-task-events 2>/dev/null | grep -c PERF_RECORD_EXIT) == 1001 ]]
	record -q -B -N -m 16M --strict -o out -- "$storm" threads 300
	reads out
	(($(faults_of out storm) >= 3000))
	[[ $("$SONDE" script -i out -F tid | sort -u | grep -c .) == 301 ]]
	record -q -m 16M --strict -o out -- "$storm" exec 10
	reads out
	# eleven programs, of which all but the first are called by /proc/self/exe
	(($(faults_of out exe) >= 100 && $(faults_of out storm) >= 10))
	[[ $("$SONDE" script -i out --show-task-events 2>/dev/null | grep -c 'PERF_RECORD_COMM exec') == 11 ]]
	record -q -m 16M --strict -o out -- "$storm" dlopen 100 "$OUT/tests/preload/touch.so"
	reads out
	[[ $("$SONDE" script -i out --show-mmap-events 2>/dev/null | grep -c 'PERF_RECORD_MMAP.*touch.so') -ge 100 ]]
	(($("$SONDE" script -i out -F ip,sym | grep -c storm_touch) >= 100))
}

@test "a pid that is used again is another process" {
	reuse_pid 5 -m 16M
	reads out
	for i in 0 1 2 3 4; do
		(($(faults_of out reuse-$i) >= 100))
	done
	[[ $("$SONDE" script -i out -F comm,pid | grep reuse- | awk '{ print $2 }' | sort -u | grep -c .) == 1 ]]
}

# The program of the child of $outer has begun.
inner_runs()
{
	inner=$(<"/proc/$outer/task/$outer/children")
	inner=${inner%% *}
	[[ -n $inner && $(<"/proc/$inner/comm") == inner ]]
}

@test "a target in other pid, mount and user namespaces, whose program is nowhere else" {
	need unshare
	unshare -p -f -m -U -r --mount-proc true 2>/dev/null || skip "cannot make these namespaces here"
	cat >inside <<-'EOF2'
		mount -t tmpfs tmpfs /mnt && cp "$1" /mnt/inner || exit 9
		echo ready >ready
		exec /mnt/inner "${@:2}"
	EOF2
	# started by the recorder, and attached to
	record -q -g -m 16M -o out -- unshare -p -f -m -U -r --mount-proc \
		bash inside "$WORKLOADS/storm" pages 500
	reads out
	(($(faults_of out inner) >= 500))
	"$SONDE" script -i out --show-mmap-events 2>/dev/null | grep -q 'inner .*PERF_RECORD_MMAP.*/mnt/inner'
	rm ready
	mkfifo hold
	unshare -p -f -m -U -r --mount-proc bash inside "$WORKLOADS/storm" wait <hold 3>&- &
	exec 7>hold
	wait_until test -e ready
	outer=$!
	[[ -e /proc/$outer/task/$outer/children ]] || skip "this kernel does not tell a process's children"
	wait_until inner_runs
	record -q -o out -p "$inner" -- true
	"$SONDE" script -i out --show-mmap-events 2>/dev/null | grep -q 'inner .*PERF_RECORD_MMAP.*/mnt/inner'
	exec 7>&-
	wait $outer
}

@test "a target that has ended, is ending, is a zombie, or is stopped" {
	# a zombie: its parent waits for another
	mkfifo hold
	"$WORKLOADS/storm" zombie <hold >zombie 3>&- &
	parent=$!
	exec 7>hold
	wait_until test -s zombie
	fails 1 "$SONDE" record -e page-faults -p "$(<zombie)" -o out
	says 'have ended already'
	exec 7>&-
	wait $parent
	[[ ! -e out ]]
	# at any moment between, it is one line or a recording that ends by itself
	for i in 1 2 3 4 5 6; do
		"$WORKLOADS/faults" 3000 3>&- &
		pid=$!
		status=0
		"$SONDE" record -q -e page-faults -p $pid -o out 2>said || status=$?
		wait $pid
		echo "$status $(<said)"
		if [[ $status == 0 ]]; then
			reads out
		else
			[[ $status == 1 && $(grep -c . said) == 1 ]]
		fi
	done
	# one that is stopped is attached to, and what it does when it goes on is seen
	fire 100
	kill -STOP "$FIRE"
	wait_until is_stopped "$FIRE"
	mkfifo ctl ack
	exec 8<>ack
	record -q -p "$FIRE" -o out --control fifo:ctl,ack 3>&- &
	pid=$!
	is_ready
	kill -CONT "$FIRE"
	next_round 1
	next_round 2
	wait $pid
	reads out
	((SAMPLES == $(tail -n 1 fired) && SAMPLES >= 100))
}

@test "few files and little memory: one line and an exit status, or a recording" {
	for limit in "-n 5" "-n 8" "-n 12" "-n 13" "-n 14" "-v 6000" "-v 9000" "-v 12000" "-v 20000"; do
		for more in "-m 1M" "-m 1M -z -g" "--call-graph unwind"; do
			rm -f out*
			status=0
			# shellcheck disable=SC2086
			(ulimit -S $limit; ulimit -H $limit; exec "$SONDE" record -e page-faults -c 1 -o out $more -- \
				"$WORKLOADS/faults" 100) >said 2>&1 || status=$?
			echo "$limit $more: $status $(<said)"
			# 127: not even its libraries could be loaded
			((status <= 1 || status == 127))
			# remarks may stand beside it: what was lost, that CMD is waited for
			[[ $status != 1 ]] || [[ $(grep -cE '^sonde.*: (cannot|out of memory|zstd cannot) ' said) == 1 ]]
			! is_begun out || "$SONDE" script -i out -F event >sonde.txt
			[[ $status != 0 || $more == *unwind ]] || (($(grep -c . sonde.txt) >= 100))
		done
	done
	record -q -B -N -o out -- "$WORKLOADS/faults" 5000
	for limit in "-n 4" "-v 9000" "-v 12000" "-v 16000"; do
		for command in report script; do
			status=0
			# shellcheck disable=SC2086
			(ulimit $limit; exec "$SONDE" $command -i out) >text 2>said || status=$?
			echo "$limit $command: $status $(<said)"
			((status <= 1 || status == 127))
		done
	done
}

@test "a wall clock that is set while files follow one another" {
	mkfifo ctl ack
	exec 8<>ack
	fire 300,300,300
	LD_PRELOAD=$OUT/tests/preload/clockstep.so "$SONDE" record -e page-faults -c 1 -p "$FIRE" -o out --switch-output \
		--control fifo:ctl,ack 2>said 3>&- &
	pid=$!
	is_ready
	for i in 1 2 3; do
		next_round $i
		echo snapshot >ctl
		read -r answer <&8
		[[ $answer == ack ]]
	done
	next_round 4
	wait $pid
	cat said
	all=0
	for file in out.*; do
		reads "$file"
		all=$((all + SAMPLES))
	done
	# four files of four hours and days, and every fault in one of them
	[[ $(ls out.* | grep -c .) == 4 && $all == "$(tail -n 1 fired)" ]]
}

# The kernel stamps all records by that clock, so that the test need not set the machine's.
@test "a clock that is set back or on while it stamps samples (-k realtime)" {
	need python3
	cat >step.py <<-'PY'
		import struct, sys
		raw, step, out = bytearray(open("out", "rb").read()), int(float(sys.argv[1]) * 1e9), sys.argv[2]
		attr, _, at, size = struct.unpack_from("<QQQQ", raw, 24)
		kind = struct.unpack_from("<Q", raw, attr + 24)[0]
		trailer = [b for b in (2, 4, 64, 512, 128, 65536) if kind & b]
		records, end = [], at + size
		while at < end:
		    what, _, size = struct.unpack_from("<IHH", raw, at)
		    if what == 9:
		        records.append((at + 8 + 8 * sum(1 for b in (65536, 1, 2) if kind & b), True))
		    elif what < 64:
		        records.append((at + size - 8 * len(trailer) + 8 * (kind >> 1 & 1), False))
		    at += size
		half = sum(sample for _, sample in records) // 2
		for at, sample in records:
		    half -= sample
		    if half < 0:
		        time = struct.unpack_from("<Q", raw, at)[0]
		        struct.pack_into("<Q", raw, at, max(time + step, 1))
		open(out, "wb").write(raw)
	PY
	record -q -k realtime -e page-faults -c 1 -o out -- "$WORKLOADS/faults" 500
	"$SONDE" report -i out --stdio -g none -F overhead,sample,comm,sym 2>/dev/null | grep '%' >want
	((FAULTS = $(samples -i out)))
	((FAULTS >= 500))
	# an hour, and what a board without a clock does when it meets its first time server
	for step in -3600 3600 1700000000; do
		python3 step.py $step stepped
		[[ $(samples -i stepped) == "$FAULTS" ]]
		"$SONDE" report -i stepped --stdio -g none -F overhead,sample,comm,sym 2>/dev/null | grep '%' >got
		diff want got
		for view in "report --stdio -s time" "script --time 0%-50%" "export --firefox -o e.json" "flame -q -o f.html"; do
			# shellcheck disable=SC2086
			timeout 100 "$SONDE" ${view%% *} -i stepped ${view#* } >text
		done
	done
}

@test "a recorder in a time namespace: the reference time is of the clock that samples bear" {
	need perf
	unshare -T --monotonic 1000000 true 2>/dev/null || skip "cannot make a time namespace here"
	unshare -T -f --monotonic 1000000 "$SONDE" record -q -k monotonic -e page-faults -c 1 -o out -- "$WORKLOADS/faults" 10
	perf report --header-only -i out >header
	grep 'reference time' header
	reference=$(sed -n 's/.*reference time: .* = \([0-9]*\)\..*(monotonic).*/\1/p' header)
	first=$("$SONDE" script -i out -F time | head -n 1 | tr -d ' ' | cut -d . -f 1)
	# not eleven days apart
	((first - reference < 100000 && reference - first < 100000))
}
