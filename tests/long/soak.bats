# A long recording of the whole system under a mixed load. SOAK_SECONDS (3600) is how long,
# SOAK_OPTIONS more options of record (-B where perf 6.1 records meanwhile: it aborts at build-ids
# that others asked for).
load ../e2e/common

teardown()
{
	[[ -z ${LOADS:-} ]] || kill $LOADS 2>/dev/null || true
	[[ -z ${RECORDER:-} ]] || kill -INT "$RECORDER" 2>/dev/null || true
	wait
}

# again COMMAND...: over and over, below the recorder's priority, until this test is over
again()
{
	local end=$((SECONDS + SOAK_SECONDS + 5))

	(exec 3>&- >>"again.$1" 2>&1
	renice -n 5 $BASHPID >/dev/null
	while ((SECONDS < end)); do
		"$@" || sleep 0.2
	done) &
	LOADS+=" $!"
}

compile()
{
	gcc -std=gnu11 -D_GNU_SOURCE -O2 -c -o object.$BASHPID "$TOP/tests/workloads/schedule.c"
	rm object.$BASHPID
	echo did
}

switches()
{
	"$WORKLOADS/switches" 5000
	echo did
}

forks()
{
	"$WORKLOADS/storm" forks 200
	echo did
}

serve()
{
	exec python3 -m http.server --bind 127.0.0.1 --directory served "$PORT"
}

requests()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		exec 6<>"/dev/tcp/127.0.0.1/$PORT"
		printf 'GET / HTTP/1.0\r\n\r\n' >&6
		grep -q ' 200 OK' <&6
		exec 6>&-
	done
	echo did
	sleep 0.05
}

rss()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$RECORDER/status"
}

# Each file that was closed is read, and then no longer needed.
read_closed()
{
	for file in soak.2*; do
		[[ -e $file ]] || continue
		"$SONDE" script -i "$file" -F event,comm >text 2>err
		! grep -E 'Damaged|Unfinished' err || false
		"$SONDE" report -i "$file" >report 2>err
		grep -q '^ *[0-9.]*%' report
		((samples += $(grep -c . text))) || true
		((files += 1))
		rm "$file"
	done
}

@test "soak: the whole system for SOAK_SECONDS: memory flat, nothing lost, all files read" {
	need_root
	need gcc
	need taskset
	: "${SOAK_SECONDS:=3600}" "${SOAK_OPTIONS:=}"
	samples=0 files=0
	"$SONDE" record -F 999 -e cpu-clock -a -g -o soak --switch-output=10s --strict $SOAK_OPTIONS \
		2>said 3>&- &
	RECORDER=$!
	again compile
	again switches
	again forks
	if command -v python3 >/dev/null; then
		PORT=$((20000 + RANDOM % 10000))
		mkdir served
		again serve
		again requests
	else
		echo "# python3 is not installed: no server" >&3
	fi
	start=$SECONDS
	while ((SECONDS - start < SOAK_SECONDS)); do
		rss >>memory
		read_closed
		sleep 1
	done
	kill -INT $RECORDER
	status=0
	wait $RECORDER || status=$?
	RECORDER=
	read_closed
	cat said
	# after the first fifth it has seen what there is
	nr=$(grep -c . memory)
	before=$(head -n $((nr * 2 / 5)) memory | tail -n +$((nr / 5)) | sort -n | tail -n 1)
	after=$(tail -n $((nr / 5)) memory | sort -n | tail -n 1)
	# the load was there
	for load in again.*; do
		[[ $load == again.serve ]] || echo "# $load: $(grep -c did "$load") times" >&3
		[[ $load == again.serve ]] || grep -q did "$load"
	done
	lost=$(sed -n 's/.*lost \([0-9]*\) of .*/\1/p' said)
	echo "# $((SECONDS - start)) s, $files files, $samples samples, ${lost:-0} lost, status $status;" \
		"most memory $before KB in the second fifth, $after KB in the last" >&3
	((status == 0 && files >= SOAK_SECONDS / 20 && samples > 0))
	((after <= before * 11 / 10 + 1024))
}
