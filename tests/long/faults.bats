# The faults of e2e/faults.bats many times over, at moments that nobody chose, and in their full size.
load ../e2e/faults

# killed OPTIONS...: a recording of the whole system that is killed after up to three seconds
killed()
{
	rm -f out*
	"$SONDE" record -q -F 5000 -e cpu-clock -e page-faults -a -g -o out "$@" 3>&- &
	sleep "$((RANDOM % 3)).$((RANDOM % 10))$((RANDOM % 10))$((RANDOM % 10))"
	kill -KILL $! 2>/dev/null || true
	wait $! || true
}

@test "200 recorders are killed at any moment, and all their files are read" {
	need_system
	begun=0 with=0
	for ((i = 0; i < 50; i++)); do
		for more in "" -z "--switch-output=100K" "-B -N --switch-output=1M"; do
			# shellcheck disable=SC2086
			killed $more
			for file in out*; do
				is_begun "$file" || continue
				reads "$file" || { cp "$file" "$OUT/unread.data"; echo "run $i, $more: kept as $OUT/unread.data"; false; }
				((begun += 1))
				((SAMPLES == 0)) || ((with += 1))
			done
		done
	done
	echo "# of 200 recorders $begun files, $with of them with samples" >&3
	((begun >= 100 && with > 0))
}

@test "a storm of 20,000 processes" {
	for more in "" "--call-graph unwind" "-a -z"; do
		[[ $more != -a* ]] || need_system
		rm -f out
		# shellcheck disable=SC2086
		record -m 32M -o out $more -- "$WORKLOADS/storm" forks 20000 2>said
		cat said
		all=$(faults_of out storm)
		lost=$(sed -n 's/.*lost \([0-9]*\) of .*/\1/p' said)
		"$SONDE" script -i out --show-task-events 2>/dev/null >tasks
		exits=$(grep -c 'storm .*PERF_RECORD_EXIT' tasks)
		echo "# ${more:-plain}: $all page faults, ${lost:-0} lost, $exits ends" >&3
		((all + ${lost:-0} >= 200000 && exits + ${lost:-0} >= 20001))
		# with stacks a machine may be too slow; without there is room for all
		[[ $more == *unwind || -z $lost ]]
	done
}

@test "5,000 threads in one process, started under the recorder, and attached to" {
	"$WORKLOADS/storm" threads 5000 || skip "5,000 threads are not allowed here"
	record -q -B -N -m 16M --strict -o out -- "$WORKLOADS/storm" threads 5000
	reads out
	(($(faults_of out storm) >= 50000))
	[[ $("$SONDE" script -i out -F tid | sort -u | grep -c .) == 5001 ]]
	# each has a counter on each CPU: the limit of open files is raised for them, or it is one line
	mkfifo hold
	"$WORKLOADS/storm" crowd 5000 <hold >ready 3>&- &
	pid=$!
	exec 7>hold
	wait_until test -s ready
	status=0
	record -p $pid -o out -- true 2>said || status=$?
	cat said
	((status == 0)) || [[ $status == 1 && $(grep -c . said) == 1 ]]
	[[ $status != 0 ]] || "$SONDE" script -i out --show-task-events 2>/dev/null |
		awk '/PERF_RECORD_COMM: storm/ { n++ } END { exit !(n == 5001) }'
	exec 7>&-
	wait $pid
}

@test "20,000 libraries loaded and unloaded" {
	record -q -g -m 32M --strict -o out -- "$WORKLOADS/storm" dlopen 20000 "$OUT/tests/preload/touch.so"
	[[ $("$SONDE" script -i out --show-mmap-events 2>/dev/null | grep -c 'PERF_RECORD_MMAP.*touch.so') -ge 20000 ]]
	(($("$SONDE" script -i out -F ip,sym | grep -c storm_touch) >= 20000))
}

@test "1,000 processes of one pid" {
	reuse_pid 1000 -m 32M
	"$SONDE" script -i out -F comm | awk '/reuse-/ { n[$1]++ } END { for (c in n) { all++; bad += n[c] < 100 }
		exit !(all == 1000 && !bad) }'
}
