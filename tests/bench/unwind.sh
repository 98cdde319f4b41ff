# User stacks unwound by tables: script next to perf's, unwinding alone, and what the file
# and the program under --call-graph unwind cost.

# A compiler, with 16 KB of stack in each sample, as perf writes them.
record_dwarf()
{
	perf record -q -F 999 -m 8M --call-graph dwarf,16384 -o "$1" -- \
		gcc -std=gnu11 -D_GNU_SOURCE -I. -Isrc -O3 -g -c -o /dev/null formats/perf_data.c
}

case_unwind_script()
{
	input dwarf $((QUICK ? 5000 : 48000)) || return
	versus "script of stacks of 16 KB" "$REPLY" ">=4" "$SONDE script -q -i $REPLY" \
		"perf script --no-inline -i $REPLY"
	versus "fold of stacks of 16 KB" "$REPLY" ">=4" "$SONDE fold -q -i $REPLY" \
		"perf script --no-inline -i $REPLY"
}

# Of one core; tests/unwind/speed counts.
case_unwind_frames()
{
	input dwarf $((QUICK ? 5000 : 48000)) || return
	make -s BUILD="$OUT" unwind-programs >/dev/null 2>&1
	note "unwinding alone: $("$OUT/tests/unwind/speed" "$REPLY" 3) (goal: above 5 million)"
}

# Bytes of the same work under perf's dwarf,16384 and under unwind; wall time of the work
# under either and under none, in alternation.
case_unwind_record()
{
	local work i hz small large
	work="$(readlink -f /usr/bin/python3) -c 'def f(n): return n if n < 2 else f(n-1) + f(n-2)
f(31)'"
	for hz in 99 999; do
		rm -f "$TMP"/*.take
		for ((i = 0; i < RUNS; i++)); do
			take none bash -c "$work" || return
			take sonde bash -c "$SONDE record -q -F $hz --call-graph unwind -o $TMP/u.data -- $work" || return
			take perf bash -c "perf record -q -F $hz --call-graph dwarf -o $TMP/p.data -- $work" || return
		done
		small=$(stat -c %s "$TMP/u.data")
		perf record -q -F $hz --call-graph dwarf,16384 -o "$TMP/p16.data" -- bash -c "$work" 2>/dev/null
		large=$(stat -c %s "$TMP/p16.data")
		note "--call-graph unwind at $hz Hz: $small bytes, perf's dwarf,16384 $large: 1/$(calc "$large / $small") (goal: 1/20)"
		note "  the work alone takes $(median none) s, under sonde $(median sonde) s, under perf's dwarf $(median perf) s"
	done
}
