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

# Memory does not grow with the number of events.
case_sched_memory()
{
	local n
	for n in 100000 1000000 $((QUICK ? 2000000 : 10000000)); do
		input scheduler "$n" || return
		alone "sched latency of $n" "$REPLY" "$SONDE sched latency -i $REPLY"
	done
}

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
	mid() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
	row "sched record, storm" - "$(mid "${ours[@]}")" "$(mid "${theirs[@]}")" \
		"$(calc "$(mid "${theirs[@]}") / $(mid "${ours[@]}")")" ">=1"
	note "sched record: $lost of $RUNS storms with losses"
}
