# What recording costs: the same work without a profiler, under perf record and under sonde
# record, in turn, the whole system with call chains at 99, 999 and 9999 Hz. For each: the
# work's time, the recorder's own processor time, bytes a sample, and what was lost. The work's
# own processor time stands in the notes: what the kernel does for the profiler in its stead.

RECORD_FREQS=${RECORD_FREQS:-99 999 9999}

# The work, each a command line that takes some seconds.
work_storm() { echo "perf bench sched messaging -g 5 -l $((QUICK ? 200 : 1000))"; }
work_forks() { echo "$OUT/tests/workloads/forks $((QUICK ? 300 : 2000))"; }
work_compile()
{
	# what needs no library's headers
	echo "grep -L 'event-parse.h' src/*/*.c formats/*.c | head -n $((QUICK ? 8 : 40)) | xargs -P 2 -n 2 \
		${CC:-gcc} -std=gnu11 -O2 -D_GNU_SOURCE -DSONDE_VERSION='\"x\"' -Isrc -I. -fsyntax-only -w"
}
work_redis()
{
	echo "redis-benchmark -s $TMP/redis -q -t set,get -n $((QUICK ? 20000 : 150000)) -c 20"
}

have_storm() { perf bench sched messaging -g 1 -l 1 >/dev/null 2>&1; }
have_forks() { [[ -x $OUT/tests/workloads/forks ]]; }
have_compile() { bash -c "$(work_compile)" >/dev/null 2>&1; }
have_redis()
{
	command -v redis-server redis-benchmark >/dev/null || return
	redis-server --port 0 --unixsocket "$TMP/redis" --save '' --dir "$TMP" >/dev/null 2>&1 &
	redis_pid=$!
	until [[ -S $TMP/redis ]]; do kill -0 $redis_pid 2>/dev/null || return; done
}

# recorded NAME WORK COMMAND...: the work's time under NAME_work, the recorder's under NAME
recorded()
{
	local name=$1 work=$2 line
	shift 2
	rm -f "$TMP/ready" "$TMP/done"
	mkfifo "$TMP/done"
	# shellcheck disable=SC2016
	take "$name" "$@" -- sh -c ': >"$0/ready"; read x <"$0/done"' "$TMP" &
	line=$!
	until [[ -e $TMP/ready ]]; do
		kill -0 $line 2>/dev/null || break
		sleep 0.05
	done
	take "${name}_work" bash -c "$work" || return
	[[ -p $TMP/done ]] && kill -0 $line 2>/dev/null && echo >"$TMP/done"
	wait $line
}

# sizes NAME FILE: what tests/bench/sizes.c says of it, a line each time
sizes() { "$OUT/tests/bench/sizes" "$2" >>"$TMP/$1.take"; }

record_one()
{
	local name=$1 hz=$2 work i options frames
	work=$(work_"$name")
	options="-F $hz -a -g"
	rm -f "$TMP"/*.take
	for ((i = 0; i < RUNS; i++)); do
		take none_work bash -c "$work" || return
		# shellcheck disable=SC2086
		recorded sonde "$work" "$SONDE" record -q $options -o "$TMP/sonde.data" || return
		sizes sonde_size "$TMP/sonde.data"
		# perf 6.1 aborts now and then where another recorder runs
		# shellcheck disable=SC2086
		recorded perf "$work" perf record -q $options -o "$TMP/perf.data" || continue
		sizes perf_size "$TMP/perf.data"
	done
	[[ -s $TMP/perf_work.take && -s $TMP/perf.take ]] || { note "$name at $hz Hz: perf record failed"; return; }
	row "record $name $hz, work" - "$(median sonde_work)" "$(median perf_work)" \
		"$(calc "$(median perf_work) / $(median sonde_work)")" ">=0.97"
	row "record $name $hz, cpu" - "$(median sonde 2)" "$(median perf 2)" \
		"$(calc "$(median perf 2) / ($(median sonde 2) + 0.001)")" ">=2"
	# A chain's frames are 8 bytes each, whoever writes them, and no two runs see the same:
	# so bytes at equal depth, perf's.
	frames=$(median perf_size 3)
	row "record $name $hz, bytes" - "$(calc "$(median sonde_size 2) + 8 * $frames")" \
		"$(calc "$(median perf_size 2) + 8 * $frames")" \
		"$(calc "($(median perf_size 2) + 8 * $frames) / ($(median sonde_size 2) + 8 * $frames)")" ">=1"
	note "record $name $hz: alone $(median none_work) s, under sonde $(median sonde_work) s, under perf" \
		"$(median perf_work) s; cpu of the work: alone $(median none_work 2) s," \
		"under sonde $(median sonde_work 2) s, under perf $(median perf_work 2) s;" \
		"lost: sonde $(median sonde_size 7), perf $(median perf_size 7);" \
		"samples: sonde $(median sonde_size 1), perf $(median perf_size 1);" \
		"bytes of a sample without its chain: sonde $(median sonde_size 2), perf $(median perf_size 2);" \
		"of a side-band record: sonde $(median sonde_size 5) ($(median sonde_size 4) of them), perf" \
		"$(median perf_size 5) ($(median perf_size 4)); of the whole file for each sample:" \
		"sonde $(median sonde_size 6), perf $(median perf_size 6)"
}

case_record()
{
	local name hz
	redis_pid=
	for name in ${RECORD_WORK:-redis compile storm forks}; do
		have_"$name" || { note "record: no $name here"; continue; }
		for hz in $RECORD_FREQS; do
			record_one "$name" "$hz" || echo "bench: record $name at $hz Hz was not run to its end" >&2
		done
		if [[ $name == redis ]]; then
			kill "$redis_pid"
			wait "$redis_pid"
		fi
	done 2>/dev/null
}
