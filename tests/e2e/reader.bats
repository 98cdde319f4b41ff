# Files of every kind that perf writes, read as perf reads them.
load common

# same PERF-SCRIPT-FILE SONDE-ARG...
same()
{
	perf script --no-inline -i "$1" >perf.txt 2>/dev/null || skip "perf cannot read here what it recorded"
	"$SONDE" script --no-inline -i "$1" >sonde.txt
	[[ -s perf.txt ]]
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
}

# tries COMMAND...: perf 6.1 aborts now and then while others record.
tries()
{
	for _ in 1 2 3 4 5; do
		"$@" 2>perf.err && return
	done
	skip "perf record fails here: $(tail -n 1 perf.err)"
}

@test "a series that --switch-output wrote" {
	need perf
	tries perf record -q -e cpu-clock -F 499 -o perf.data --switch-output=1s "$WORKLOADS/burn" 3 >/dev/null
	local nr=0
	for file in perf.data.2*; do
		same "$file"
		((++nr))
	done
	((nr >= 3))
	# all samples of the run, in as many parts
	total=0
	for file in perf.data.2*; do
		total=$((total + $(samples -i "$file")))
	done
	echo "$nr files, $total samples"
	((total > 900))
}

@test "compressed" {
	need perf
	tries perf record -q -e cpu-clock -F 4999 -g -z -o z.data "$WORKLOADS/burn" 0.4 >/dev/null
	same z.data
}

@test "through a pipe, compressed and not, from perf and from sonde" {
	need perf
	for z in "" -z; do
		# shellcheck disable=SC2086
		tries perf record -q -e cpu-clock -F 1999 -g $z -o - sh -c "$WORKLOADS/burn 0.3 >/dev/null" >p.data
		perf script --no-inline -i - <p.data >perf.txt 2>/dev/null || skip "perf cannot read here what it recorded"
		[[ -s perf.txt ]]
		"$SONDE" script --no-inline -i - < <(cat p.data) >sonde.txt
		awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
		# the same bytes as a file that can be mapped
		"$SONDE" script --no-inline -i p.data | cmp - sonde.txt
	done
	"$SONDE" record -q -e cpu-clock -F 1999 -o - sh -c "$WORKLOADS/burn 0.3 >/dev/null" 2>/dev/null >s.data
	"$SONDE" script -i - < <(cat s.data) >sonde.txt
	"$SONDE" script -i s.data | cmp - sonde.txt
	[[ -s sonde.txt ]]
}
