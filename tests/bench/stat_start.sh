#!/bin/bash
# What `sonde stat true` and `perf stat true` add to `true`, in turn, and the ratio.
#
#	tests/bench/stat_start.sh [RUNS]        SONDE names the program
#
# The last line is "ratio R": sonde's addition over perf's, of the medians. The
# aim is 0.25 or less.
set -eu
SONDE=${SONDE:-build/sonde}
RUNS=${1:-60}
command -v perf >/dev/null || { echo "skipped: perf is not installed"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# once FILE COMMAND...: append the microseconds that it took.
once()
{
	local file=$1 a b
	shift
	a=$EPOCHREALTIME
	"$@" >/dev/null 2>&1
	b=$EPOCHREALTIME
	echo $((${b/./} - ${a/./})) >>"$tmp/$file"
}

median()
{
	sort -n "$tmp/$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

true=$(type -P true)
for ((i = 0; i < RUNS; i++)); do
	once true "$true"
	once sonde "$SONDE" stat "$true"
	once perf perf stat "$true"
done
t=$(median true) s=$(median sonde) p=$(median perf)
echo "true $t us, sonde stat true $s us, perf stat true $p us (medians of $RUNS)"
awk -v t="$t" -v s="$s" -v p="$p" 'BEGIN { printf "ratio %.3f\n", (s - t) / (p - t) }'
