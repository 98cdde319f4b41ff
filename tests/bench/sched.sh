# The scheduler's recordings, next to perf sched: reading ten million events, and what a
# storm of 400 tasks costs while it is recorded.

# Events as perf sched record takes them, so that perf has what it looks at.
record_scheduler()
{
	"$SONDE" sched record -q -o "$1" -- perf bench sched messaging -g 10 -l 200 >/dev/null
}
GROW_scheduler=-k

case_sched_latency()
{
	input scheduler "$((QUICK ? 1000000 : 10000000))" || return
	versus "sched latency" "$REPLY" ">=3" "$SONDE sched latency -i $REPLY" "perf sched -i $REPLY latency"
}

# The same tasks all along: they were there before and go on after it. timeout ends all of them.
record_steady()
{
	timeout 60 perf bench sched messaging -g 2 -l 10000000 >/dev/null 2>&1 &
	local storm=$! status
	sleep 2
	"$SONDE" sched record -q -o "$1" -- sleep 0.5
	status=$?
	kill "$storm" && wait "$storm" 2>/dev/null
	return $status
}
GROW_steady=-k

# MB without pages of files of what was taken under sonde
anonymous() { megabytes sonde 4; }

# Memory does not grow with the number of events: ten times as many of the same 80 tasks take
# the same. Merged by name it does not grow with tasks that have ended, either; where each task
# is listed (-p), it does. In the scheduler's recording 400 tasks come and go with each copy.
case_sched_memory()
{
	local n most=$((QUICK ? 2000000 : 10000000)) events=() merged=() listed=()
	for n in $((most / 10)) $most; do
		input steady "$n" || return
		alone "sched latency of $n, same tasks" "$REPLY" "$SONDE sched latency -i $REPLY"
		events+=("$(anonymous)")
	done
	for n in $((most / 10)) $most; do
		input scheduler "$n" || return
		alone "sched latency of $n, new tasks" "$REPLY" "$SONDE sched latency -i $REPLY"
		merged+=("$(anonymous)")
		alone "sched latency -p of $n, new tasks" "$REPLY" "$SONDE sched latency -p -i $REPLY"
		listed+=("$(anonymous) for $("$SONDE" sched latency -p --csv -q -i "$REPLY" | wc -l) tasks")
	done
	note "sched latency, MB without pages of files, $((most / 10)) and $most events: the same tasks" \
		"${events[0]}, ${events[1]}; new ones, merged by name ${merged[0]}, ${merged[1]};" \
		"listed ${listed[0]}, ${listed[1]}"
}

mid() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# In turn; the storm's own time, and what was lost.
case_sched_storm()
{
	local i loops=$((QUICK ? 200 : 2000)) ours=() theirs=() lost=0
	for ((i = 0; i < RUNS; i++)); do
		ours+=("$("$SONDE" sched record -o "$TMP/storm" -- perf bench sched messaging -g 10 -l $loops 2>"$TMP/said" |
			awk '/Total time/ { print $3 }')")
		grep -q 'lost' "$TMP/said" && lost=$((lost + 1))
		theirs+=("$(perf sched record -o "$TMP/storm" -- perf bench sched messaging -g 10 -l $loops 2>/dev/null |
			awk '/Total time/ { print $3 }')")
	done
	row "sched record, storm" - "$(mid "${ours[@]}")" "$(mid "${theirs[@]}")" \
		"$(calc "$(mid "${theirs[@]}") / $(mid "${ours[@]}")")" ">=1"
	note "sched record: $lost of $RUNS storms with losses"
}

# Two tasks of one CPU that do nothing but wake each other: what recording costs a switch. The
# storm has few switches for its work, and its time is another each time, by more than that.
case_sched_pipe()
{
	local i loops=$((QUICK ? 30000 : 300000)) alone=() ours=() theirs=()
	local work=(taskset -c 1 perf bench sched pipe -l "$loops")

	(($(nproc) > 1)) || return
	seconds() { awk '/Total time/ { print $3 }'; }
	for ((i = 0; i < RUNS; i++)); do
		alone+=("$("${work[@]}" | seconds)")
		ours+=("$("$SONDE" sched record -q -o "$TMP/pipe" -- "${work[@]}" | seconds)")
		theirs+=("$(perf sched record -o "$TMP/pipe" -- "${work[@]}" 2>/dev/null | seconds)")
	done
	row "sched record, pipe" - "$(mid "${ours[@]}")" "$(mid "${theirs[@]}")" \
		"$(calc "$(mid "${theirs[@]}") / $(mid "${ours[@]}")")" ">=1"
	note "sched record: the pipe alone takes $(mid "${alone[@]}") s"
}

# The same storm, added up in the kernel: every switch that the kernel counts over the span.
case_sched_live()
{
	local storm status
	perf bench sched messaging -g 10 -l $((QUICK ? 600 : 2000)) >/dev/null 2>&1 &
	storm=$!
	sleep 1
	"$SONDE" sched live -j --duration 3 >"$TMP/live.json"
	status=$?
	wait "$storm"
	((status == 0)) || return
	note "sched live, storm: $(sed -E 's/.*"switches": ([0-9]+), "kernel_switches": ([0-9]+),.*"unseen": ([0-9]+),.*/\1 \2 \3/' "$TMP/live.json" |
		awk '{ printf "%d switches and %d unseen, the kernel counted %d (%.3f %%)", $1, $3, $2, 100 * ($1 + $3) / $2 }')"
}
