# What perf recorded of the whole system, next to perf: in a file of its own, since nobody
# else may record meanwhile (perf 6.1 then mixes up build-ids).
load common

# same PERF-SCRIPT-FILE SONDE-ARG...
same()
{
	perf script --no-inline -i "$1" >perf.txt 2>/dev/null
	"$SONDE" script --no-inline -i "$1" >sonde.txt
	[[ -s perf.txt ]]
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
}

@test "a directory that --threads wrote" {
	need perf
	need_system
	perf_records -e cpu-clock -F 499 -o dir.data --threads=cpu -a "$WORKLOADS/forks" 100
	[[ -d dir.data ]]
	same dir.data
}

@test "fields of tracepoints are keys, and trace is the key of their recordings" {
	need perf
	need_root
	perf_records -e sched:sched_switch -a -o switch.data "$WORKLOADS/forks" 20
	same_keys switch.data prev_comm,prev_state,next_pid
	same_keys switch.data sched:sched_switch.next_comm,comm
	same_keys switch.data prev_prio,trace
	same_keys switch.data trace_fields
	same_keys switch.data trace --raw-trace
	"$SONDE" record -q -e cpu-clock -o two true
	fails 129 "$SONDE" report -i two -s trace_fields
	says "needs tracepoints"
	fails 129 "$SONDE" report -i switch.data -s no_such_field
	says "no_such_field"
	"$SONDE" record -q -e sched:sched_process_exit -o exits.data "$WORKLOADS/forks" 5 >/dev/null
	"$SONDE" evlist -i exits.data | grep -q dummy && return 0
	"$SONDE" report -i exits.data >sonde.txt
	grep -q 'Trace output' sonde.txt
}
