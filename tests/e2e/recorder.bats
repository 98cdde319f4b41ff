# sonde record while it runs: commands, ranges of time, files that follow one another, the
# flight recorder, losses. Page faults are counted one by one, and whoever has to wait for
# the recorder asks it by --control or looks at what it says: nothing here takes its time.
load common

# faults NAME: a copy of the workload under a name of its own
faults()
{
	cp "$WORKLOADS/faults" "$1"
}

# of FILE COMM: how many samples perf finds in it, which has nothing to say against it
of()
{
	perf script -i "$1" -F comm >"$1.txt" 2>"$1.err"
	! grep -v -i -e '^$' -e warning -e 'lost' -e 'check IO/CPU' "$1.err" >&2 || return 1
	grep -c "^ *$2 *$" "$1.txt" || true
}

record()
{
	"$SONDE" record -e page-faults -c 1 -o out "$@"
}

pipes()
{
	need mkfifo
	need perf
	mkfifo ctl ack
	PIPES=fifo:ctl,ack
	cat >ask <<-'EOF'
		# ask COMMAND: the answer
		exec 3<>ack
		echo "$*" >ctl
		read -r answer <&3
		echo "$answer" >>answers
	EOF
}

@test "control: sampling goes on and off by command" {
	pipes
	faults before
	faults within
	faults after
	faults again
	record -q -D -1 --control $PIPES -- sh -ec './before 500; sh ask enable; ./within 500
		sh ask disable; ./after 500; sh ask "enable page-faults"; ./again 500'
	[[ $(of out before) == 0 && $(of out after) == 0 ]]
	[[ $(of out within) -ge 500 && $(of out again) -ge 500 ]]
	[[ $(tr '\n' ' ' <answers) == "ack ack ack " ]]
}

@test "control: ping, evlist, stop, and what is no command" {
	pipes
	status=0
	record --control $PIPES -- sh -ec 'sh ask ping; sh ask pong; sh ask "enable nothing"; sh ask snapshot
		sh ask evlist; sh ask evlist -v; sh ask stop; exec sleep 1000' >printed 2>said || status=$?
	[[ $status == 143 ]]
	[[ $(tr '\n' ' ' <answers) == "ack nack nack nack ack ack ack " ]]
	grep -q "no command 'pong'" said
	grep -q "no event 'nothing'" said
	grep -qx "page-faults" printed
	grep -q "^page-faults: .*sample_period.*: 1," printed
	[[ $(of out sh) -gt 0 ]]
}

@test "control: descriptors, whose other end may go" {
	need perf
	faults it
	exec 7< <(echo ping; echo disable)
	record -q --control fd:7 -- sh -c 'exec ./it 100' 7<&7
	exec 7<&-
	[[ -s out ]]
	of out it
}

@test "-D: ranges of time" {
	need perf
	faults late
	faults later
	record -v -D 0-1 -- sh -c 'until grep -q "switched off" said; do :; done; ./late 500' 2>said
	[[ $(of out late) == 0 ]]
	record -v -D 0-1,2-1000000000 -- sh -c \
		'until [ "$(grep -c "switched on" said)" = 2 ]; do :; done; ./later 500' 2>said
	[[ $(of out later) -ge 500 ]]
}

@test "record: a FIFO that nobody reads can be waited for, and the wait be ended" {
	mkfifo nobody somebody
	"$SONDE" record -q -e page-faults -o nobody true 2>said 3>&- &
	pid=$!
	# signals come through a descriptor from now on (SIGTERM is bit 14)
	for ((i = 0; i < 3000; i++)); do
		(((16#$(awk '/^SigBlk/ { print $2 }' /proc/$pid/status) >> 14 & 1) == 0)) || break
		sleep 0.01
	done
	kill $pid
	for ((i = 0; i < 3000; i++)); do
		! grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null || { sleep 0.01; continue; }
		ended=yes
		break
	done
	kill -KILL $pid 2>/dev/null || true
	[[ $ended == yes ]]
	status=0
	wait $pid || status=$?
	((status))
	# one who comes late gets all of it
	"$SONDE" record -q -e page-faults -c 1 -o somebody -- "$WORKLOADS/faults" 50 2>said 3>&- &
	pid=$!
	cat somebody >got
	wait $pid
	(($(samples -i got) >= 50))
}

@test "--switch-output: another file at SIGUSR2, each readable by itself" {
	pipes
	faults early
	faults late
	record --switch-output --control $PIPES -- sh -ec './early 500; kill -USR2 $PPID
		until grep -q "wrote out\.2" said; do :; done; sh ask ping; ./late 500' 2>said
	set -- out.2*
	echo "$*"
	[[ $# == 2 && ! -e out ]]
	[[ $(of "$1" early) -ge 500 && $(of "$1" late) == 0 ]]
	[[ $(of "$2" late) -ge 500 && $(of "$2" early) == 0 ]]
	# the shell was there before the file was begun
	perf script -i "$2" --show-task-events 2>/dev/null | grep -q 'PERF_RECORD_COMM: sh:'
	perf script -i "$2" --show-mmap-events 2>/dev/null | grep 'PERF_RECORD_MMAP' | grep -q '^ *sh .*/libc'
	perf report --header-only -i "$2" | grep -q 'cmdline'
	perf buildid-list -i "$2" | grep -q libc
	[[ $(stat -c %a "$2") == 600 ]]
}

@test "--switch-output: at a size, and the latest are kept" {
	need perf
	faults much
	# a round behind every step, of as many samples as fill a file
	record -B --switch-output=40K --switch-max-files=2 -m 1M -- sh -ec 'for i in 1 2 3 4; do ./much 2000
		until [ "$(grep -c "wrote out\.2" said)" -ge $i ]; do :; done; done' 2>said
	set -- out.2*
	[[ $# == 2 ]]
	[[ $(grep -c 'wrote out\.2' said) -ge 4 ]]
	grep -qE 'out\.2[0-9]* and [0-9]+ before it' said
	for file; do of "$file" much; done
	[[ $(of "$1" much) -gt 500 ]]
}

@test "--overwrite: the latest is kept" {
	need perf
	faults early
	faults late
	record --overwrite -m 64K --strict -- sh -ec './early 20000; ./late 200'
	early=$(of out early) late=$(of out late)
	echo "early $early late $late"
	((late >= 200))
	# a record has over 32 bytes
	((early < 65536 / 32 * $(getconf _NPROCESSORS_CONF)))
	grep -q "$(readelf -n late | awk '/Build ID/ { print $3 }')" <(perf buildid-list -i out)
	# in order of time for each CPU
	perf script -i out -F time,cpu 2>/dev/null >by-perf || perf script -i out -F time >by-perf
	[[ -s by-perf ]]
	[[ $("$SONDE" script -i out -F comm | grep -c late) == "$late" ]]
}

@test "--overwrite: a file for each snapshot, with what is new" {
	pipes
	faults early
	faults late
	record -q --overwrite --switch-output --control $PIPES -m 256K -- sh -ec './early 200; sh ask snapshot
		./late 200'
	set -- out.2*
	[[ $# == 2 ]]
	[[ $(of "$1" early) -ge 200 && $(of "$1" late) == 0 ]]
	[[ $(of "$2" late) -ge 200 && $(of "$2" early) == 0 ]]
	# in one file likewise
	faults third
	record -q --overwrite --control $PIPES -m 256K -- sh -ec './early 200; sh ask snapshot; ./third 200'
	[[ $(of out early) -ge 200 && $(of out third) -ge 200 ]]
}

@test "--strict: what was lost is told by event, CPU and time, and is an exit status" {
	pipes
	need taskset
	cpu=$(taskset -cp $$ | grep -o '[0-9]*$')
	# The recorder stands still while a ring of one page takes 2000 faults. A LOST record,
	# which bears the time, comes before the next one for which there is room.
	step='kill -STOP $PPID; "$0" 2000; kill -CONT $PPID; sh ask ping; "$0" 10'
	status=0
	record --strict -m 1 --control $PIPES -- taskset -c "$cpu" sh -c "$step" "$WORKLOADS/faults" 2>said || status=$?
	cat said
	[[ $status == 3 ]]
	grep -qE 'lost [0-9]+ of [0-9]+ records .*s after the first sample' said
	if grep -q 'lost of page-faults: ' said; then
		told=$(grep -o '[0-9]* on CPU' said | awk '{ s += $1 } END { print s }')
		written=$(perf script -D -i out 2>/dev/null | awk '/LOST_SAMPLES/ { s += $NF } END { print s + 0 }')
		echo "told $told written $written"
		((told > 1000))
		[[ $written == 0 || $written == "$told" ]]
		"$SONDE" script -i out --show-lost-events | grep -q "LOST_SAMPLES lost"
	fi
	# the command's own status goes before
	status=0
	record -q --strict -m 1 --control $PIPES -- sh -c "$step; exit 7" "$WORKLOADS/faults" || status=$?
	[[ $status == 7 ]]
	record -q -m 1 --control $PIPES -- sh -c "$step" "$WORKLOADS/faults"
	record -q --strict -- "$WORKLOADS/faults" 10
}

@test "record: rings grow when something was lost" {
	need perf
	need taskset
	faults early
	faults late
	cpu=$(taskset -cp $$ | grep -o '[0-9]*$')
	# more than any ring there is from the start, and then what only a larger one takes
	record -- taskset -c "$cpu" sh -ec 'kill -STOP $PPID; ./early 300000; kill -CONT $PPID
		until grep -q "rings have grown" said || grep -q "cannot grow" said; do ./early 10; done
		kill -STOP $PPID; ./late 300000; kill -CONT $PPID' 2>said
	cat said
	[[ $(of out early) -lt 300000 ]]
	if grep -q 'rings have grown from [0-9]* to [0-9]* KB' said; then
		(($(of out late) >= 300000))
	else
		grep -q 'cannot grow' said
	fi
	# a size that was asked for stays
	record -m 64K -- sh -c 'kill -STOP $PPID; ./early 5000; kill -CONT $PPID; ./early 10' 2>said
	run ! grep -q 'grow' said
}

@test "record: what is told as lost at the end stands behind all that was recorded" {
	need perf
	faults early
	mkfifo ctl ack
	# first it loses samples, and then there is nothing but the ends of others, a round for each
	record -q -m 64K --control fifo:ctl,ack -- sh -ec 'exec 8<>ack; kill -STOP $PPID; ./early 20000
		kill -CONT $PPID; echo disable >ctl; read -r a <&8
		for i in 1 2 3 4; do ./early 1; echo ping >ctl; read -r a <&8; done'
	"$SONDE" script -i out --show-lost-events | grep -q LOST_SAMPLES ||
		skip "the kernel does not count what an event loses (before Linux 6.0)"
	# perf says so of what is out of order
	n=$(of out early)
	((n > 0 && n < 20000))
}

@test "recorder: while nothing comes it waits without a limit of time" {
	need_root
	[[ -r /proc/self/syscall ]] || skip "no /proc/PID/syscall here"
	sleep 1000 3>&- &
	stopped=$!
	kill -STOP $stopped
	"$SONDE" record -q -e page-faults -p $stopped -o out 3>&- &
	pid=$!
	# epoll_wait(fd, events, 64, -1), within some seconds of its start
	for ((i = 0; i < 600; i++)); do
		! grep -q ' 0x40 0xffffffff ' /proc/$pid/syscall || break
		sleep 0.1
	done
	grep ' 0x40 0xffffffff ' /proc/$pid/syscall
	# and it still hears when the process ends
	kill -KILL $stopped
	wait $pid
}

@test "--affinity: the recorder goes where the ring is that it empties" {
	pipes
	need taskset
	faults it
	cpu=$(taskset -cp $$ | grep -o '[0-9]*$')
	# Rings are emptied in the order of their CPUs, and the last is written to by the command.
	for how in cpu node; do
		record -q --affinity=$how --control $PIPES -- taskset -c "$cpu" sh -ec './it 100; sh ask ping
			grep Cpus_allowed_list /proc/$PPID/status >allowed'
		[[ $(of out it) -ge 100 ]]
		read -r _ list <allowed
		echo "$how: $list"
		[[ $how != cpu || $list == "$cpu" ]]
		node=$(echo /sys/devices/system/cpu/cpu"$cpu"/node*)
		[[ $how != node || ! -e $node/cpulist || $(nproc) != "$(getconf _NPROCESSORS_ONLN)" || $list == "$(<"$node/cpulist")" ]]
	done
}

@test "--with-self: the recorder's own samples" {
	need perf
	need_root
	[[ -e /sys/kernel/tracing/events/raw_syscalls || -e /sys/kernel/debug/tracing/events/raw_syscalls ]] ||
		skip "no tracepoints here"
	own() { perf script -i self -F pid 2>/dev/null | grep -cx " *$(<pid) *" || true; }
	"$SONDE" record -q -e raw_syscalls:sys_enter -a -m 4M -o self -- sh -c 'echo $PPID >pid'
	[[ $(own) == 0 ]]
	"$SONDE" record -q -e raw_syscalls:sys_enter -a -m 4M -o self --with-self -- sh -c 'echo $PPID >pid'
	[[ $(own) -gt 0 ]]
}

@test "recorder: -B next to a recorder with build-ids, which the kernel mixes up" {
	pipes
	need_root
	faults it
	"$SONDE" record -q -e cpu-clock -F 9 -a -o other --control $PIPES &
	[[ $(sh ask ping; tail -n 1 answers) == ack ]]
	for more in "" --overwrite "--call-graph unwind"; do
		# shellcheck disable=SC2086
		record -q -B $more ./it 100
		[[ $(of out it) -ge 100 ]]
		perf script -i out --show-mmap-events 2>/dev/null | grep -q 'PERF_RECORD_MMAP2 .*/it$'
	done
	# looked up, and not read where the kernel says one stood
	record -q --no-buildid-mmap ./it 100
	id=$(readelf -n it | awk '/Build ID/ { print $3 }')
	[[ $(perf buildid-list -i out | awk '/\/it$/ { print $1 }') == "$id" ]]
	sh ask stop
	wait
}

@test "recorder: options that make no sense are one line" {
	for option in "-D x" "-D 20-10" "-D 10-20,15-30" "--control pipe:1" "--control fifo:/dev/null" \
		"--switch-output=1" "--switch-output=0s" "--switch-output=1T" "--switch-max-files=2" \
		"--overwrite --no-buffering" "--switch-output=1M -o -" --affinity=x; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" record -e page-faults $option true
	done
	[[ ! -e perf.data ]]
}
