# Reading a recording: fold, report, script and diff next to perf's, and one hashing pass
# over the file as the limit.
#
# Memory is judged without the pages of files, for either program alike: neither those of
# the recording, which both map, nor those of binaries and of Sonde's cache. What is not
# in the cache yet (names of the kernel, opened debug sections) costs time and memory once:
# of several runs the median does not show the first.

# stackcollapse-perf.pl's folding in short: what perf script prints to comm;root;..;leaf N.
# The first word is the command, "address symbol+offset (dso)" a frame, a blank line the end.
FOLD_AWK='
/^$/ { if (comm != "") count[comm stack]++; comm = stack = ""; next }
comm == "" { comm = $1; next }
{ name = $2; sub(/\+0x[0-9a-f]+$/, "", name); stack = ";" name stack }
END { for (s in count) print s, count[s] }'

case_fold()
{
	local file
	for name in redis compile; do
		input "$name" || return
		file=$REPLY
		versus "fold" "$file" ">=25" "$SONDE fold -q -i $file" "perf script -i $file"
	done
}

case_fold_awk()
{
	input redis || return
	versus "fold, perf folded by awk" "$REPLY" ">=100" "$SONDE fold -q -i $REPLY" \
		"perf script -i $REPLY | awk '$FOLD_AWK'"
}

# The other side is not perf here, but the limit.
case_fold_hash()
{
	local name
	for name in redis compile; do
		input "$name" || return
		versus "fold, against xxhsum -H3" "$REPLY" ">=0.25" "$SONDE fold -q -i $REPLY" \
			"xxhsum -q -H3 $REPLY"
	done
}

case_report()
{
	local name
	for name in redis compile; do
		input "$name" || return
		versus "report --stdio" "$REPLY" ">=30 mem<=0.25" \
			"$SONDE report --stdio --children -i $REPLY" \
			"perf report --stdio --children -i $REPLY"
	done
}

case_report_self()
{
	input redis || return
	versus "report --stdio --no-children" "$REPLY" ">=20 mem<=0.25" \
		"$SONDE report --stdio --no-children -i $REPLY" \
		"perf report --stdio --no-children -i $REPLY"
}

case_script()
{
	input redis || return
	versus "script" "$REPLY" ">=8" "$SONDE script -q -i $REPLY" "perf script -i $REPLY"
}

case_script_trace()
{
	input sched || return
	versus "script, tracepoints" "$REPLY" - "$SONDE script -q -i $REPLY" "perf script -i $REPLY"
}

case_diff()
{
	local a n=$((QUICK ? 200000 : 1000000))
	input redis "$n" || return
	a=$REPLY
	input compile "$n" || return
	versus "diff" "$a" ">=1" "$SONDE diff $a $REPLY" "perf diff $a $REPLY"
}

# How time and memory grow with the number of samples. perf's biggest is left out: it
# would take minutes.
case_growth()
{
	local n
	for n in 10000 100000 1000000 10000000; do
		((QUICK && n > 1000000)) && continue
		input redis "$n" || return
		if ((n > 1000000)); then
			alone "fold of $n" "$REPLY" "$SONDE fold -q -i $REPLY"
			alone "report of $n" "$REPLY" "$SONDE report --stdio --children -i $REPLY"
		else
			versus "fold of $n" "$REPLY" - "$SONDE fold -q -i $REPLY" "perf script -i $REPLY"
			versus "report of $n" "$REPLY" - \
				"$SONDE report --stdio --children -i $REPLY" \
				"perf report --stdio --children -i $REPLY"
		fi
	done
}
