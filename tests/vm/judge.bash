# What has to be true of what tests/vm/measure left in the current directory, in TAP.
# Read by tests/vm/run, which sets mode, top and read_options. What perf measured in the
# same place is the oracle, and what is known of the programs by hand (exact.c).
# shellcheck shell=bash disable=SC2154,SC2317

EXACT=24000009 # instructions of ./exact; with one cycle each, its cycles too
PERIOD=100000

skip()
{
	echo "SKIP $*"
	exit 77
}

# well NAME...: they ended with status 0.
well()
{
	local name

	for name; do
		[[ -e $name.rc && $(<"$name.rc") == 0 ]] && continue
		echo "$name: status $(cat "$name.rc"): $(tail -n 3 "$name.err")"
		return 1
	done
}

# lacks FILE PATTERN
lacks()
{
	if grep -E -- "$2" "$1"; then
		echo "$1 has to be without $2"
		return 1
	fi
}

# counted NAME EVENT [NTH]: its count in NAME.csv, the first or the NTH of that name.
counted()
{
	awk -F , -v event="$2" -v nth="${3:-1}" '$3 == event && ++n == nth { print $1 }' "$1.csv"
}

# between VALUE LOW HIGH
between()
{
	echo "$1 has to be in $2 .. $3"
	awk -v v="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(v ~ /^[0-9.]+$/ && v >= low && v <= high) }'
}

# near VALUE WANT PERCENT
near()
{
	between "$1" "$(awk -v w="$2" -v p="$3" 'BEGIN { printf "%.3f", w * (1 - p / 100) }')" \
		"$(awk -v w="$2" -v p="$3" 'BEGIN { printf "%.3f", w * (1 + p / 100) }')"
}

# is_exact VALUE WANT: to the last one in an exact guest. A real CPU counts an instruction
# more now and then, where an interrupt comes, and the other guest counts time.
is_exact()
{
	case $mode in
	icount) between "$1" "$2" "$2" ;;
	*) near "$1" "$2" 0.1 ;;
	esac
}

# perf_script FILE FIELDS, sonde_script FILE FIELDS
perf_script()
{
	perf script --no-inline -i "$1.data" -F "$2" "${read_options[@]}" 2>perf.said
}

sonde_script()
{
	"$SONDE" script --no-inline -i "$1.data" -F "$2" "${read_options[@]}" 2>sonde.said
}

# sampled NAME [EVENT [WHERE]]: samples, of one event, in user or kernel.
sampled()
{
	perf_script "$1" event,ip | awk -v event="${2:-}" -v where="${3:-}" '
	NF && (event == "" || $1 == event ":") {
		space = length($2) == 16 && $2 ~ /^ffff[89a-f]/ ? "kernel" : "user"
		n += where == "" || where == space
	}
	END { print n + 0 }'
}

# as_asked NAME TEXT: perf says so of the event that sonde opened.
as_asked()
{
	perf evlist -v -i "$1.data" 2>&1 | tee evlist.said | grep -qE -- "$2" && return
	echo "$1.data lacks $2:"
	cat evlist.said
	return 1
}

# --- listing and the default events ---------------------------------------------

list_shows_the_pmu()
{
	local pmu

	read -r pmu <pmu
	[[ $pmu ]]
	well list list-pmu
	cat list-pmu.out
	grep -q " $pmu/" list-pmu.out
}

list_tells_what_is_not_here()
{
	well list
	grep -E '^  (cpu-cycles|cycles)' list.out
	grep -E '^  (cpu-cycles|cycles)' list.out | grep -qv '\[[0-9]'
	if [[ $mode == tcg ]]; then
		grep -E '^  instructions +\[[0-9]' list.out
	else
		grep -E '^  instructions' list.out | grep -v '\[[0-9]'
	fi
}

record_samples_cycles_by_default()
{
	well default
	cat default.err
	[[ $(wc -l <default.err) == 1 ]]
	perf evlist -v -i default.data >evlist.txt 2>/dev/null
	cat evlist.txt
	grep -q '^cycles' evlist.txt
	# perf prints type and config where they are not 0, which is hardware and cycles.
	lacks evlist.txt ' (type|config): '
	grep -q 'freq: 1' evlist.txt
	between "$(sampled default)" 20 100000
}

stat_counts_cycles_by_default()
{
	local cycles ghz

	well default-stat
	cat default-stat.err
	lacks default-stat.err '\<(nan|inf)\>'
	cycles=$(awk '$2 == "cycles" { gsub(/,/, "", $1); print $1 }' default-stat.err)
	ghz=$(awk '$2 == "cycles" { print $4 }' default-stat.err)
	between "$cycles" 1000000 10000000000
	[[ $mode == here ]] || near "$ghz" 1 20
	# A PMU that lacks an event is another thing than no PMU.
	lacks default-stat.err 'no hardware PMU'
}

# --- counting ---------------------------------------------------------------------

cycles_are_those_of_user_and_kernel()
{
	local name

	well cycles cycles-group cycles-perf cycles-group-perf
	for name in cycles cycles-group cycles-perf cycles-group-perf; do
		local all user kernel limit=1
		all=$(counted $name cycles)
		user=$(counted $name cycles:u)
		kernel=$(counted $name cycles:k)
		echo "$name: $all, user $user, kernel $kernel"
		# Of a group, all are on for the same time.
		[[ $mode == icount && $name == *group* ]] && limit=0
		[[ $mode == tcg ]] && limit=10
		near "$all" $((user + kernel)) $limit
	done
	[[ $mode != icount ]] || is_exact "$(counted cycles cycles:u)" $EXACT
}

raw_cycles_are_cycles()
{
	local raw

	raw=$(sed -n 2p pmu)
	[[ $raw ]] || skip "sysfs has no code for cycles"
	well cycles-raw cycles-raw-perf
	cat cycles-raw.csv
	if [[ $mode == icount ]]; then
		is_exact "$(counted cycles-raw "$raw:u")" $EXACT
		is_exact "$(counted cycles-raw cycles:u)" $EXACT
	else
		near "$(counted cycles-raw "$raw:u")" "$(counted cycles-raw cycles:u)" 5
	fi
}

instructions_are_the_same_each_time()
{
	local i

	for i in 1 2 3; do
		well exact-$i exact-$i-perf
		is_exact "$(counted exact-$i instructions:u)" $EXACT
		is_exact "$(counted exact-$i-perf instructions:u)" $EXACT
	done
}

repeated_runs_do_not_differ()
{
	well repeat
	cat repeat.csv
	is_exact "$(counted repeat instructions:u)" $EXACT
	if [[ $mode == icount ]]; then
		[[ $(awk -F , '$3 == "instructions:u" { print $4 }' repeat.csv) == 0.00% ]]
	fi
}

raw_instructions_are_instructions()
{
	local raw

	raw=$(sed -n 3p pmu)
	[[ $raw ]] || skip "sysfs has no code for instructions"
	well insns-raw insns-raw-perf
	is_exact "$(counted insns-raw "$raw:u")" $EXACT
	is_exact "$(counted insns-raw instructions:u)" $EXACT
	is_exact "$(counted insns-raw-perf "$raw:u")" $EXACT
}

group_counts_both()
{
	well pair pair-perf
	cat pair.csv
	is_exact "$(counted pair instructions:u)" $EXACT
	[[ $mode != icount ]] || is_exact "$(counted pair cycles:u)" $EXACT
	awk -F , '$3 ~ /:u$/ && $5 != "100.00" { bad = 1 } END { exit bad }' pair.csv
}

children_are_counted()
{
	well children children-perf
	# The shell between them has some too.
	between "$(counted children instructions:u)" $((3 * EXACT)) $((3 * EXACT + 5000000))
	near "$(counted children instructions:u)" "$(counted children-perf instructions:u)" 1
}

children_are_left_out_with_i()
{
	well alone
	between "$(counted alone instructions:u)" 1 5000000
}

whole_machine_is_counted()
{
	well all-cpus
	between "$(counted all-cpus instructions:u)" $EXACT \
		$([[ $mode == here ]] && echo 1e13 || echo $((EXACT + 5000000)))
}

running_process_is_counted()
{
	well attach
	cat attach.csv
	between "$(counted attach instructions:u)" $EXACT $((EXACT + 1000000))
}

more_events_than_counters_are_scaled()
{
	local event i

	well many many-perf
	cat many.csv
	for event in cycles instructions; do
		near "$(counted many $event)" "$(counted many-perf $event)" 15
		for i in 1 2 3; do
			near "$(counted many $event:u $i)" "$(counted many-perf $event:u $i)" 15
		done
	done
	[[ $mode == here ]] && return 0
	# 12 events on at most 7 counters.
	awk -F , '$5 > 0 && $5 <= 90 { n++ } END { print n " events had a counter for part of the time"; exit n < 10 }' \
		many.csv
}

# --- sampling ---------------------------------------------------------------------

# By -c: each event is a sample. How late the interrupt comes is the machine's affair,
# so user samples may lie in the kernel and the other way round; the attr may not.
period_gives_count_over_period()
{
	well user user-perf
	as_asked user 'exclude_kernel: 1'
	if [[ $mode == icount ]]; then
		between "$(sampled user)" $((EXACT / PERIOD)) $((EXACT / PERIOD))
		between "$(sampled user cycles:u user)" $((EXACT / PERIOD)) $((EXACT / PERIOD))
		between "$(sampled user-perf)" $((EXACT / PERIOD)) $((EXACT / PERIOD))
	else
		between "$(sampled user)" 10 1000000
		between "$(sampled user cycles:u user)" $(($(sampled user) * 8 / 10)) 1000000
	fi
}

kernel_only()
{
	well kernel kernel-perf
	as_asked kernel 'exclude_user: 1'
	between "$(sampled kernel)" 10 1000000
	[[ $mode != icount ]] || near "$(sampled kernel)" "$(sampled kernel-perf)" 5
	# Where time is counted, the interrupt comes late, and waits for the way back to
	# user space while the kernel has them off: then fewer addresses are the kernel's.
	case $mode in
	tcg) between "$(sampled kernel cycles:k kernel)" 1 1000000 ;;
	*) between "$(sampled kernel cycles:k kernel)" $(($(sampled kernel) / 2)) 1000000 ;;
	esac
}

frequency()
{
	local n

	well freq freq-perf
	as_asked freq 'sample_freq \}: 1000,'
	as_asked freq 'freq: 1'
	n=$(sampled freq)
	# 0.2 s at 1000 Hz; a busy host takes time from the guests that go by its clock.
	case $mode in
	tcg) between "$n" 20 400 ;;
	*) near "$n" 200 20 ;;
	esac
}

raw_event_is_sampled()
{
	local raw

	raw=$(sed -n 2p pmu)
	[[ $raw ]] || skip "sysfs has no code for cycles"
	well raw raw-perf
	as_asked raw "^$raw:u"
	as_asked raw 'type: 4'
	between "$(sampled raw "$raw:u")" 10 1000000
	[[ $mode != icount ]] || between "$(sampled raw)" $((EXACT / PERIOD)) $((EXACT / PERIOD))
}

two_events_are_told_apart()
{
	well two two-perf
	between "$(sampled two cycles:u)" 1 10000
	between "$(sampled two cycles:k)" 1 10000
	[[ $mode == icount ]] || return 0
	near "$(sampled two cycles:u)" "$(sampled two-perf cycles:u)" 10
	near "$(sampled two cycles:k)" "$(sampled two-perf cycles:k)" 10
}

group_is_sampled_with_its_leader()
{
	well pair-record pair-record-perf
	perf_script pair-record event,period | sort | uniq -c
	between "$(sampled pair-record instructions:u)" 1 1000
	between "$(sampled pair-record instructions:u)" "$(sampled pair-record cycles:u)" \
		"$(sampled pair-record cycles:u)"
	[[ $mode != icount ]] || between "$(sampled pair-record cycles:u)" $((EXACT / PERIOD)) $((EXACT / PERIOD))
}

chains_go_back_to_main()
{
	well chains
	"$SONDE" fold -i chains.data "${read_options[@]}" >folded.txt 2>&1
	cat folded.txt
	# A busy host leaves the guest that goes by its clock a few rounds of work only.
	grep -q ';main;phase;burn_[abc][; ]' folded.txt
	[[ $mode == tcg ]] || grep -q ';main;phase;burn_b[; ]' folded.txt
}

# whole FOLDED: every stack of leaf is known, from the program's entry on.
whole()
{
	cat "$1"
	grep -q ';leaf ' "$1"
	! grep ';leaf ' "$1" | grep -v -E \
		'^deep;_start;([^;]*;)*main;(deep;deep;deep;deep;deep;deep;deep|raiser;([^;]*;)*handler);leaf [0-9]+$'
}

stacks_are_unwound_while_recording()
{
	well unwind unwind-script
	grep 'stacks unwound while recording' unwind.err
	whole unwind-script.out
	grep -q ';deep;leaf ' unwind-script.out
	grep -q ';handler;leaf ' unwind-script.out
}

# Here nothing but the files that ran is at hand, and not the guest's vdso with its trampoline.
stacks_are_unwound_when_read()
{
	local file

	well dwarf dwarf-perf
	for file in dwarf dwarf-perf; do
		"$SONDE" fold --no-inline -i $file.data "${read_options[@]}" 2>folded.said | grep -v ';handler;leaf ' >folded.txt
		whole folded.txt
		grep -q ';deep;leaf ' folded.txt
	done
}

threads_are_followed()
{
	well threads
	perf_script threads comm | sort | uniq -c | tee comms.txt
	grep -q worker-1 comms.txt
	grep -q worker-2 comms.txt
}

whole_machine_is_sampled()
{
	well system
	perf_script system comm,cpu,event | tee samples.txt | head -n 5
	grep -q 'exact.*\[0' samples.txt
}

shares_are_known()
{
	well user
	"$SONDE" report --stdio -g none -t , -s sym -i user.data "${read_options[@]}" >report.txt 2>&1
	cat report.txt
	near "$(awk -F , '/^[0-9].*spin_long/ { print $1 + 0 }' report.txt)" 75 \
		"$([[ $mode == icount ]] && echo 1 || echo 5)"
}

# --- a CPU goes offline and comes back (plug in measure) ---------------------------

# faults FILE PHASE CPU [EVENT]: samples of the storm of one phase on a CPU
faults()
{
	sonde_script "$1" comm,cpu,event | awk -v comm="storm-$2" -v cpu="[00$3]" -v event="${4:-page-faults}:" '
		$1 == comm && $2 == cpu && $3 == event { n++ } END { print n + 0 }'
}

# all_phases FILE [EVENT]: each touched 1,000 pages
all_phases()
{
	between "$(faults "$1" before 1 "${2:-}")" 1000 2000
	between "$(faults "$1" without 0 "${2:-}")" 1000 2000
	between "$(faults "$1" after 1 "${2:-}")" 1000 2000
}

cpu_that_comes_back_is_recorded_again()
{
	well plug-one
	grep 'CPU 1 went offline .* after the start' plug-one.err
	grep 'CPU 1 came back .* recorded from here on' plug-one.err
	lacks plug-one.err 'lost|not recorded'
	all_phases plug-one
}

# The events that were opened anew have ids of their own, which no file knows.
cpu_that_comes_back_has_its_events()
{
	local file

	for file in plug-two plug-packed plug-threads plug-latest; do
		well $file
		grep 'CPU 1 came back .* recorded from here on' $file.err
		all_phases $file page-faults
		all_phases $file page-faults:u
		perf_script $file comm,cpu,event >perf.txt
		sonde_script $file comm,cpu,event >sonde.txt
		between "$(grep -c 'storm-after.*001' perf.txt)" "$(grep -c 'storm-after.*001' sonde.txt)" \
			"$(grep -c 'storm-after.*001' sonde.txt)"
	done
}

cpu_that_comes_back_has_its_switches()
{
	well plug-sched
	grep 'CPU 1 came back .* recorded from here on' plug-sched.err
	# at the latest by its end, whose sample says -1 for a thread if that was waited for already
	sonde_script plug-sched cpu,event,trace >switches.txt
	grep -c '^ *.001. *sched:sched_switch: prev_comm=storm-after ' switches.txt
	"$SONDE" sched latency -i plug-sched.data >latency.txt
	grep 'storm-after' latency.txt
	"$SONDE" sched timehist -i plug-sched.data >/dev/null
}

cpu_that_comes_back_is_counted_on()
{
	local event

	well plug-stat
	cat plug-stat.csv
	grep 'CPU 1 came back .* goes on counting' plug-stat.err
	for event in page-faults page-faults:u; do
		between "$(awk -F , -v event=$event '$1 == "CPU1" && $4 == event { print $2 }' plug-stat.csv)" 2000 9000
		between "$(awk -F , -v event=$event '$1 == "CPU0" && $4 == event { print $2 }' plug-stat.csv)" 1000 9000
	done
}

# Events of tasks stay with the tasks.
tasks_are_followed_to_the_cpu()
{
	well plug-task
	all_phases plug-task
}

cpu_that_was_not_there_is_told()
{
	well plug-new
	grep 'CPU 1 came online .* not recorded' plug-new.err
	between "$(faults plug-new after 1)" 0 0
}

# --- the files, read on this machine ----------------------------------------------

# as_many FILE...: perf and sonde find as many samples in each.
as_many()
{
	local file bad=0 perf sonde

	for file; do
		perf=$(perf_script "${file%.data}" event | grep -c .)
		sonde=$(sonde_script "${file%.data}" event | grep -c .)
		echo "$file: perf $perf, sonde $sonde"
		((perf > 0 && perf == sonde)) || bad=1
	done
	return "$bad"
}

# pair-record*.data are groups that were read with their leader's samples (S).
both_read_as_many_samples()
{
	as_many [!p]*.data
}

sampled_groups_are_read_like_perf()
{
	as_many pair-record*.data
}

# One sample and one frame a line. What ran before its first COMM record has the name
# of later on in sonde; perf has ":PID", and gets that name here.
comparable()
{
	sed -E 's/^( *[^ ].*: +)([0-9a-f]+ .* \(.*\))$/\1\n\t\2/' "$1" | awk '
	NR == FNR { if ($1 !~ /^:/ && $2 ~ /^[0-9]+$/) name[$2] = $1; next }
	$1 ~ /^:[0-9]+$/ && $2 in name { sub(/^ *:[0-9]+/, sprintf("%16s", name[$2])) }
	{ print }' "$1" -
}

both_print_the_same()
{
	local file fields bad=0

	for file in [!p]*.data; do
		file=${file%.data}
		# perf unwinds stacks of the architecture it runs on
		[[ $file == dwarf* ]] && continue
		fields=comm,tid,time,event,period,ip,sym,symoff,dso
		perf_script "$file" "$fields" >perf.raw
		sonde_script "$file" "$fields" >sonde.raw
		comparable perf.raw >perf.txt
		comparable sonde.raw >sonde.txt
		[[ -s perf.txt ]] && awk -f "$top/tests/e2e/script_diff.awk" perf.txt sonde.txt >diff.txt && continue
		bad=1
		echo "$file:"
		tail -n 15 diff.txt
	done
	return "$bad"
}

# What sonde said where it measured, and says here.
sonde_reads_the_same_here()
{
	well default-script default-report
	sonde_script default comm,pid,tid,time,period,event,ip,sym >script.txt
	diff default-script.out script.txt | head -n 10
	cmp default-script.out script.txt
	"$SONDE" report --stdio -i default.data "${read_options[@]}" >report.txt
	# the command that it names has the path there in it
	sed -i 's| -i [^ ]*/| -i |' default-report.out
	diff default-report.out report.txt | head -n 10
	cmp default-report.out report.txt
}

tests=(list_shows_the_pmu list_tells_what_is_not_here record_samples_cycles_by_default
	stat_counts_cycles_by_default cycles_are_those_of_user_and_kernel raw_cycles_are_cycles
	period_gives_count_over_period kernel_only frequency raw_event_is_sampled
	two_events_are_told_apart chains_go_back_to_main stacks_are_unwound_while_recording
	stacks_are_unwound_when_read threads_are_followed
	whole_machine_is_sampled both_read_as_many_samples both_print_the_same
	sonde_reads_the_same_here)
[[ $mode != tcg ]] || tests+=(cpu_that_comes_back_is_recorded_again cpu_that_comes_back_has_its_events
	cpu_that_comes_back_has_its_switches cpu_that_comes_back_is_counted_on
	tasks_are_followed_to_the_cpu cpu_that_was_not_there_is_told)
[[ $mode == tcg ]] || tests+=(instructions_are_the_same_each_time repeated_runs_do_not_differ
	raw_instructions_are_instructions group_counts_both children_are_counted
	children_are_left_out_with_i whole_machine_is_counted running_process_is_counted
	more_events_than_counters_are_scaled group_is_sampled_with_its_leader
	shares_are_known sampled_groups_are_read_like_perf)

echo "1..${#tests[@]}"
number=0 failures=0
for name in "${tests[@]}"; do
	((++number))
	(
		set -e -o pipefail
		"$name"
	) >said 2>&1
	status=$?
	case $status in
	0) echo "ok $number - ${name//_/ }" ;;
	77) echo "ok $number - ${name//_/ } # $(tail -n 1 said)" ;;
	*)
		echo "not ok $number - ${name//_/ }"
		tail -n 25 said | sed 's/^/# /'
		failures=1
		;;
	esac
done
exit $failures
