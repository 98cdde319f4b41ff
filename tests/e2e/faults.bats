# What goes wrong around a recording: it is killed, signalled and stopped, its disk is full, slow
# or broken, whoever reads its pipe goes away, those it watches end. Nothing here takes its time:
# faults are counted (tests/preload/badwrite.c), and who has to wait waits for what is there.
load common

badwrite()
{
	BADWRITE=$1 BADWRITE_PATH=$PWD/${2:-out} BADWRITE_HOLD=$PWD/hold \
		LD_PRELOAD=$OUT/tests/preload/badwrite.so "${@:3}"
}

record()
{
	"$SONDE" record -e page-faults -c 1 "$@"
}

# wait_until COMMAND...: until it is so
wait_until()
{
	until "$@"; do sleep 0.02; done
}

# reads FILE: perf and sonde read it, and find the same samples, which are $SAMPLES then
reads()
{
	local why=0

	"$SONDE" script -i "$1" -F event >sonde.txt 2>sonde.err || why=1
	"$SONDE" report -i "$1" >sonde.report 2>>sonde.err || why=2
	# shellcheck disable=SC2034
	SAMPLES=$(grep -c . sonde.txt || true)
	if command -v perf >/dev/null; then
		perf script -i "$1" -F event >perf.txt 2>perf.err || why=3
		# which calls it an error that there are none
		((SAMPLES == 0)) || perf report -i "$1" --stdio >perf.report 2>>perf.err || why=4
		! grep -v -i -e '^$' -e warning -e lost -e 'check IO/CPU' perf.err || why=5
		[[ $(grep -c . perf.txt || true) == "$SAMPLES" ]] || why=6
	fi
	[[ $why == 0 ]] && return
	echo "$1 cannot be read ($why), $SAMPLES samples:"
	head -n 20 sonde.err perf.err
	return 1
}

# A file that was killed before its first bytes were written is none yet.
is_begun()
{
	[[ -e $1 && $(head -c 8 "$1" | tr -d '\0') == PERFILE2 ]]
}

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

said_samples()
{
	sed -n 's/.*(\([0-9]*\) samples).*/\1/p' "${1:-said}"
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
