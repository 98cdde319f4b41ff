# Options that perf's users type: known, true in what they do, or refused in a line.
load common

# perf_options WORD...: the long and the short options that perf's help of a command lists
perf_options()
{
	perf "$@" -h 2>&1 | grep -oE '^ {4}(-[A-Za-z]|    )(, | )?(--[a-z][A-Za-z0-9-]*)?' |
		grep -oE -- '(^|[ ,])(--[A-Za-z0-9-]+|-[A-Za-z])' | tr -d ' ,' | sort -u
}

# known WORD...: what is not known of these options. The first word behind an option may be
# its argument, the second one is an option that no command has.
known()
{
	local option said bad=0 n=0

	while read -r option; do
		n=$((n + 1))
		said=$("$SONDE" "$@" "$option" --zzz --zzz 2>&1 >/dev/null </dev/null) || true
		if [[ $said == *"unknown option"* && $said != *"unknown option '--zzz'"* ]] ||
		   [[ $said == *"could be several"* || $said == *$'\n'* || ! $said ]]; then
			echo "$*: $option: $said"
			bad=1
		fi
	done
	echo "$*: $n options"
	((n >= 3 && !bad))
}

@test "every option that perf lists is known, or refused in one line" {
	need perf
	for command in stat list evlist buildid-list diff annotate "sched latency" "sched timehist" "sched map"; do
		# shellcheck disable=SC2086
		perf_options $command >options
		# shellcheck disable=SC2086
		known $command <options
	done
}

@test "options of newer perfs, and those that are not there, are refused with what to use instead" {
	while IFS='|' read -r words pattern; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" $words
		says "$pattern"
	done <<-'END'
	stat -T true|tx-start
	stat --transaction true|tx-start
	stat --smi-cost true|msr/smi/
	stat --iostat true|sonde list pmu
	stat --iostat=list true|sonde list pmu
	stat --cputype=core true|cpu_core
	stat --hybrid-merge true|two lines
	stat -A --percore-show-thread true|--per-core
	stat -b 1 -a|perf events
	stat --bpf-counters true|perf events
	stat --metric-no-group -e cs true|-M
	stat --metric-no-merge -e cs true|-M
	stat --metric-no-threshold -e cs true|-M
	stat --td-level 1 true|--topdown
	stat --td-level x --topdown true|takes a number
	stat --no-csv-summary true|--summary with -x
	stat --no-csv-summary -I 100 --summary true|--summary with -x
	stat -n -g true|nothing to group
	stat -M  |needs an argument
	list --cputype=atom|--unit cpu_core
	list --debug|-v
	list --unit msr hw|does not go with 'hw'
	list --unit|needs an argument
	list -o|needs an argument
	diff -D a b|sonde script -D
	diff -i a|BASELINE RECORDING
	diff --stream a b|-g
	diff --cycles-hist a b|-c delta-abs
	diff -m -k vmlinux a b|-m does not go with -k
	annotate --data-type=int|source lines
	annotate --type-stat|source lines
	annotate --insn-stat|source lines
	annotate --code-with-type|source lines
	annotate --skip-empty|--no-group
	annotate --addr2line=x|no other program
	END
	fails 129 "$SONDE" stat -M "" true
	says "sonde list metric"
	fails any "$SONDE" stat --td-level 2 --topdown true
	says "level 1"
	fails 127 "$SONDE" stat record -e cs true
	says "not kept in recordings"
	fails 1 "$SONDE" diff
	says "no file 'perf.data.old'; sonde diff BASELINE RECORDING"
}

# calls EVENT FILTER COMMAND...: how often the command makes a system call, as perf counts
calls()
{
	perf stat -x, -o calls.csv -e "syscalls:sys_enter_$1" ${2:+--filter "$2"} "${@:3}" >/dev/null 2>&1
	awk -F, '/syscalls:/ { print $1 }' calls.csv
}

need_calls()
{
	need perf
	need_root
	perf stat -e syscalls:sys_enter_sync true >/dev/null 2>&1 || skip "perf cannot count system calls here"
}

@test "stat -g makes one group of all events, of metrics too; --metric-no-group makes none" {
	need_calls
	grouped='group_fd > 0 && group_fd < 1000'
	[[ $(calls perf_event_open "$grouped" "$SONDE" stat -e cs,faults,task-clock true) == 0 ]]
	# at least: an older kernel may have to be asked again, for less
	(($(calls perf_event_open "$grouped" "$SONDE" stat -g -e cs,faults -e task-clock true) >= 2))
	(($(calls perf_event_open "$grouped" "$SONDE" stat --group -e cs,faults -e '{task-clock,cpu-clock}' true) >= 3))
	"$SONDE" stat -x, -o out -g -e cs,faults -e task-clock true
	! grep -q '<not' out
	[[ $(grep -c '100\.00' out) == 3 ]]
}

@test "-M asks for each event once, with --metric-no-merge for each metric" {
	# the events of both are cycles and instructions; not every machine has them
	[[ $("$SONDE" stat -x, -M ipc true 2>&1 | grep -c '^[0-9<]') == 2 ]]
	[[ $("$SONDE" stat -x, -M ipc --metric-no-group true 2>&1 | grep -c '^[0-9<]') == 2 ]]
	[[ $("$SONDE" stat -x, -M ipc,cpi --metric-no-merge true 2>&1 | grep -c '^[0-9<]') == 4 ]]
	# options behind -M hold for it, too
	[[ $("$SONDE" stat -x, --metric-no-merge -M ipc,cpi true 2>&1 | grep -c '^[0-9<]') == 4 ]]
}

@test "stat -S calls sync before each run, and not without it" {
	need_calls
	[[ $(calls sync "" "$SONDE" stat -r 3 -e cs true) == 0 ]]
	[[ $(calls sync "" "$SONDE" stat -S -r 3 -e cs true) == 3 ]]
	[[ $(calls sync "" "$SONDE" stat --sync -e cs true) == 1 ]]
}

@test "stat -x --summary marks the total as perf does, --no-csv-summary does not" {
	for options in "" --no-csv-summary; do
		"$SONDE" stat -x, -o s -e faults -I 1000 --summary $options true
		grep faults s | tail -n 1 | sed 's/:u,/,/' >sonde.txt
		if [[ $options ]]; then
			grep -qE '^[0-9]+,,faults,' sonde.txt
		else
			grep -qE '^         summary,[0-9]+,,faults,' sonde.txt
		fi
		command -v perf >/dev/null || continue
		perf stat -x, -o p -e faults -I 1000 --summary $options true
		# perf 6.1 loses the count itself now and then
		sed -E 's/[0-9]+/N/g' sonde.txt >a
		grep faults p | tail -n 1 | sed -E 's/:u,/,/; s/<not counted>|[0-9]+/N/g' >b
		diff a b
	done
}

@test "stat --per-cluster has a line for each cluster that the kernel tells of" {
	need_system
	cat /sys/devices/system/cpu/cpu[0-9]*/topology/cluster_id >ids 2>/dev/null || skip "no clusters here"
	[[ $(wc -l <ids) == $(nproc --all) ]] || skip "CPUs are offline"
	"$SONDE" stat -j -a --per-cluster -e cs sleep 0.01 2>out
	cat out
	[[ $(grep -c '"cluster" : "S[0-9]*-D[0-9]*-CLS[0-9]*"' out) -ge $(sort -u ids | wc -l) ]]
	[[ $(grep -o '"aggregate-number" : [0-9]*' out | awk '{ n += $3 } END { print n }') == $(nproc --all) ]]
}

@test "list --unit has the events of one PMU, -o the same in a file, --no-desc names alone" {
	pmu=$(cd /sys/bus/event_source/devices && for d in *; do [[ ! -d $d/events ]] || { echo "$d"; break; }; done)
	[[ $pmu ]] || skip "no PMU describes events here"
	(cd "/sys/bus/event_source/devices/$pmu/events" && printf '%s\n' *) |
		grep -vE '\.(unit|scale|per-pkg|snapshot)$' | sed "s|.*|$pmu/&/|" | sort >want
	"$SONDE" list --unit "$pmu" | grep -oE "^  $pmu/[^ ]*" | tr -d ' ' | sort >got
	diff want got
	fails 1 "$SONDE" list --unit nosuch
	says "sonde list pmu"
	"$SONDE" list -o file sw
	"$SONDE" list sw | diff - file
	fails 1 "$SONDE" list -o /nonexistent/file sw
	says "nonexistent"
	"$SONDE" list --no-desc -j sw >bare
	"$SONDE" list -d -j sw >full
	! grep -q BriefDescription bare
	grep -q BriefDescription full
	diff <(grep -o '"EventName": "[^"]*"' bare) <(grep -o '"EventName": "[^"]*"' full)
}

@test "buildid-list -v says where its lines come from" {
	"$SONDE" record -q -e cpu-clock -o file "$WORKLOADS/burn" 0.05 >/dev/null
	"$SONDE" buildid-list -v -i file 2>said >lines
	[[ $(wc -l <said) == 1 ]]
	# a library in a container has an entry more, and one line
	entries=$(sed -nE 's/.*own list of build-ids, ([0-9]+) entries$/\1/p' said)
	((entries >= $(wc -l <lines)))
	"$SONDE" buildid-list -i file 2>&1 | diff - lines
	"$SONDE" buildid-list -v -H -i file 2>said >/dev/null
	grep -q "binaries with samples" said
}

@test "evlist and buildid-list say that a recording was cut short, and where" {
	"$SONDE" record -q -e cpu-clock -o whole "$WORKLOADS/burn" 0.05 >/dev/null
	size=$(($(stat -c %s whole) / 2))
	head -c $size whole >half
	for command in evlist buildid-list "buildid-list -H"; do
		# shellcheck disable=SC2086
		[[ -z $("$SONDE" $command -i whole 2>&1 >/dev/null) ]]
		# shellcheck disable=SC2086
		"$SONDE" $command -i half 2>said >/dev/null
		grep -q "Damaged: at byte $size the file is cut off" said
	done
}

@test "lists of names, ids and cgroups that name nothing are refused" {
	"$SONDE" record -q -e cpu-clock -o data true
	while read -r words; do
		eval "fails any $SONDE $words"
	done <<-'END'
	report -i data --comms ''
	script -i data --dsos ,
	annotate -i data -d ''
	diff -C '' data data
	diff -S , data data
	diff --time '' data data
	annotate -i data --source-dir nowhere
	stat -p '' true
	stat -t '' true
	stat -G '' true
	stat --for-each-cgroup , true
	stat -x '' true
	record -p '' -o none true
	record -t '' -o none true
	sched latency -s ''
	END
	[[ ! -e none ]]
}
