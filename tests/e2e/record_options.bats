#!/usr/bin/env bats
# sonde record: options of perf record that are rarer; what they did is read by perf.

load common

setup()
{
	GROUPS_MADE=()
	cd "$BATS_TEST_TMPDIR" || return 1
	need perf
}

teardown()
{
	[[ -z ${PROCESS-} ]] || kill "$PROCESS" 2>/dev/null || true
	[[ -z ${RECORDER-} ]] || kill "$RECORDER" 2>/dev/null || true
	((!${#GROUPS_MADE[@]})) || rmdir "${GROUPS_MADE[@]}"
}

# standard output of a test is a pipe, which record without -o would write to
record()
{
	"$SONDE" record -e cpu-clock -o perf.data "$@"
}

attr()
{
	perf evlist -v -i perf.data 2>/dev/null
}

# make_groups NAME...: below the hierarchy that events know; MOUNT is where
make_groups()
{
	MOUNT=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
	[[ -n $MOUNT ]] || skip "no cgroup2 is mounted"
	! grep -q '^[^ ]* [^ ]* cgroup .*perf_event' /proc/self/mounts || skip "perf_event is in cgroup v1"
	for name; do
		mkdir "$MOUNT/$name" 2>/dev/null || skip "cgroups cannot be made here"
		GROUPS_MADE+=("$MOUNT/$name")
	done
}

@test "record: each option of perf record is known, or refused with one line" {
	options=$(perf record -h 2>&1 | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+')
	[[ $(wc -w <<<"$options") -gt 60 ]]
	for option in $options; do
		run "$SONDE" record --dry-run "$option" x y
		echo "$option: status $status, said: $output"
		[[ $output != *"unknown option"* ]]
		[[ $status == 0 || ${#lines[@]} == 1 ]]
	done
	[[ ! -e perf.data ]]
}

@test "record: what is refused names what there is instead" {
	while read -r option words; do
		fails 129 "$SONDE" record "$option" true
		says "option $option is not there: .*$words"
	done <<-'END'
		--aux-sample not recorded
		--snapshot --overwrite
		--kcore /proc/kcore
		--mmap-flush -m
		--num-thread-synthesize --synth=task
		--off-cpu sonde sched record
		--vmlinux -k FILE
		--debuginfod DEBUGINFOD_URLS
		--clang-path no source
		--setup-filter --filter
	END
	while IFS='|' read -r options words; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" record $options true
		says "$words"
	done <<-'END'
		--user-regs=ax,nothing|'nothing' is no register; there are
		-Inothing|'nothing' is no register
		--call-graph unwind --user-regs|--call-graph dwarf or fp
		-e cs --running-time|no event does
		--synth=some|takes no, all, task, mmap and cgroup
		--call-graph unwind --synth=task|--synth=mmap
		--per-thread -a|neither -a nor -C
		--per-thread -s|give one of them
		--per-thread --threads|give one of them
		--per-thread -e software/config=0,inherit/|cannot be
		--with-self --exclude-perf|exclude each other
		--buildid-mmap -B|exclude each other
		--proc-map-timeout 0|from 1 on
		-G some|-a or -C
		-a -e cs -G no-such-group|no-such-group
		-a -e cs -G /,/|more cgroups than
	END
	[[ ! -e perf.data ]]
}

@test "record: --dry-run runs nothing and writes nothing, and finds what is wrong" {
	"$SONDE" record --dry-run -e cpu-clock touch ran
	[[ ! -e ran && ! -e perf.data ]]
	fails 129 "$SONDE" record --dry-run -e no-such-event true
}

@test "record: --user-regs and -I, as perf names and reads them" {
	[[ $("$SONDE" record '-I?') == "$(perf record '--user-regs=?' 2>&1 | sed -n 's/ *$//; /^available/p')" ]]
	record -F 999 --user-regs=ax,SP -Iip,sp "$WORKLOADS/burn" 0.2 2>said
	# the bits of arch/x86/include/uapi/asm/perf_regs.h and of arm64's
	[[ $(uname -m) != x86_64 ]] || [[ $(attr) == *"sample_regs_user: 0x81, sample_regs_intr: 0x180"* ]]
	perf script -i perf.data -F ip,iregs,uregs | sed 's/ *$//' >perf.txt
	"$SONDE" script -i perf.data -F ip,iregs,uregs | sed 's/ *$//' >sonde.txt
	[[ $(wc -l <perf.txt) -gt 50 ]]
	diff perf.txt sonde.txt
	# cpu-clock's instruction is the one of the registers
	awk '{ ip = $0; sub(/.* (IP|pc):0x/, "", ip); sub(/ .*/, "", ip); n += $1 == ip }
		END { print n, NR; exit n != NR }' perf.txt
}

@test "record: --user-regs and -I without a list are all, beside stacks as well" {
	all=$(perf record '--user-regs=?' 2>&1 | sed -n 's/^available registers://p' | wc -w)
	record -q --user-regs -I true
	for kind in user intr; do
		mask=$(attr | sed -n "s/.*sample_regs_$kind: 0x\([0-9a-f]*\).*/\1/p" | head -1)
		[[ $(bc <<<"obase=2; ibase=16; ${mask^^}" | tr -d '0\n' | wc -c) == "$all" ]]
	done
	for mode in dwarf unwind; do
		record -F 999 --call-graph $mode -I "$WORKLOADS/burn" 0.2 2>said
		said=$(sed -n 's/.*(\([0-9]*\) samples).*/\1/p' said)
		perf script -i perf.data -F comm,ip,sym,iregs >perf.txt 2>err
		[[ ! -s err ]]
		[[ $said -gt 100 && $(grep -c 'ABI:' perf.txt) == "$said" ]]
		grep -q 'burn_a' perf.txt
	done
}

@test "record: -G samples each event in its group only" {
	need_root
	make_groups "sonde-$$-a" "sonde-$$-b"
	where=$MOUNT/sonde-$$-a
	write=syscalls:sys_enter_write
	for groups in "sonde-$$-a,sonde-$$-b" "sonde-$$-b,sonde-$$-a"; do
		"$SONDE" record -q -a -o perf.data -e $write:u -e $write -G "$groups" bash -c "
			echo \$\$ >$where/cgroup.procs
			for i in 1 2 3 4 5; do echo >/dev/null; done"
		perf script -i perf.data -F comm,event | sort | uniq -c >"in-${groups//,/-}"
		cat "in-${groups//,/-}"
	done
	# in the first list the first event is the command's group's, in the second the second one
	[[ $(awk '{ print $1, $2, $3 }' "in-sonde-$$-a-sonde-$$-b") == "5 bash $write:u:" ]]
	[[ $(awk '{ print $1, $2, $3 }' "in-sonde-$$-b-sonde-$$-a") == "5 bash $write:" ]]
	fails 129 "$SONDE" record -a -e '{cs,faults}' -G "sonde-$$-a,sonde-$$-b" true
	says "counts a group in one"
}

@test "record: --group makes one group of all events" {
	"$SONDE" record -q -o perf.data -e cpu-clock,cs -e faults --group true
	perf evlist -g -i perf.data | grep -qx '{cpu-clock,cs,faults}'
	# who is in a group is switched by its first
	[[ $(attr | grep -E '^(cpu-clock|cs|faults)' | grep -c 'disabled: 1') == 1 ]]
	"$SONDE" record -q -o perf.data -e cpu-clock,cs -e faults true
	[[ $(perf evlist -g -i perf.data) != *'{'* ]]
}

rings()
{
	grep -c 'anon_inode:\[perf_event\]' "/proc/$1/maps"
}

has_rings()
{
	[[ $(rings "$1") == "$2" ]]
}

@test "record: --per-thread has a ring for each thread" {
	n=$(($(nproc) + 2))
	"$WORKLOADS/threads" "$n" 60 &
	PROCESS=$!
	wait_until has_tasks $PROCESS $((n + 1))
	# without -N others look at what is mapped
	"$SONDE" record -q -N -o perf.data -e cpu-clock,faults --per-thread -p $PROCESS &
	RECORDER=$!
	wait_until has_rings $RECORDER $((n + 1))
	kill -INT $RECORDER
	wait $RECORDER
	RECORDER=
	[[ $(attr) == *comm* && $(attr) != *inherit* ]]
	# nobody else is in it
	[[ -z $(comm -13 <(basename -a /proc/$PROCESS/task/* | sort) <(perf script -i perf.data -F tid | tr -d ' ' | sort -u)) ]]
}

@test "record: --per-thread samples a command and nothing that it starts" {
	record -q -F 999 --per-thread "$WORKLOADS/burn" 0.2
	[[ $(perf script -i perf.data -F comm,ip,sym | grep -c '^ *burn .*burn_[abc]') -gt 100 ]]
	record -q -F 999 --per-thread sh -c "$WORKLOADS/burn 0.2; :"
	[[ $(perf script -i perf.data -F comm | grep -c burn) == 0 ]]
	record -q -F 999 sh -c "$WORKLOADS/burn 0.2; :"
	[[ $(perf script -i perf.data -F comm | grep -c burn) -gt 100 ]]
}

# tells WHAT: perf sees such records of what was there at the start
tells()
{
	perf script -i perf.data --show-task-events --show-mmap-events 2>/dev/null | grep -qE "PERF_RECORD_$1"
}

@test "record: --synth describes what it names" {
	sleep 1000 &
	PROCESS=$!
	wait_until grep -qx sleep /proc/$PROCESS/comm
	record -q -p $PROCESS true
	tells "COMM: sleep:$PROCESS" && tells "MMAP2 $PROCESS/.*/sleep"
	record -q -p $PROCESS --synth=mmap true
	tells "MMAP2 $PROCESS/.*/sleep"
	record -q -p $PROCESS --synth=task true
	tells "COMM: sleep:$PROCESS"
	run ! tells "MMAP2 $PROCESS/"
	record -q -p $PROCESS --synth=no true
	run ! tells "(COMM: sleep|FORK|MMAP2)"
	[[ $(id -u) != 0 ]] || tells "MMAP -1/0: .*kernel"
}

@test "record: control groups that were there have their names" {
	need_root
	make_groups "sonde-$$-there"
	id=$(stat -c %i "$MOUNT/sonde-$$-there")
	told() { perf report -D -i perf.data 2>/dev/null | grep -c "PERF_RECORD_CGROUP cgroup: $id /sonde-$$-there"; }
	record -q --all-cgroups bash -c "echo \$\$ >$MOUNT/sonde-$$-there/cgroup.procs; exec $WORKLOADS/burn 0.2"
	[[ $(told) == 1 ]]
	perf report -i perf.data --stdio -s cgroup | grep -q "/sonde-$$-there"
	diff <(perf report -i perf.data --stdio -s cgroup | grep -v '^#' | grep .) \
		<("$SONDE" report -i perf.data --stdio -s cgroup | grep -v '^#' | grep .)
	record -q --synth=task,cgroup true
	[[ $(told) == 1 ]]
	record -q --all-cgroups --synth=task true
	[[ $(told) == 0 ]]
	record -q true
	[[ $(told) == 0 ]]
}

@test "record: --sample-identifier, --running-time, --no-bpf-event, --buildid-mmap" {
	record -q true
	[[ $(attr) != *IDENTIFIER* && $(attr) == *bpf_event* && $(attr) != *RUNNING* ]]
	record -q --sample-identifier --no-bpf-event "$WORKLOADS/burn" 0.1
	[[ $(attr | grep -c IDENTIFIER) == "$(attr | grep -c .)" && $(attr) != *bpf_event* ]]
	perf script -i perf.data 2>&1 >/dev/null | tee err
	[[ ! -s err ]]
	[[ $(perf script -i perf.data -F ip | grep -c .) == "$("$SONDE" script -i perf.data -F ip | grep -c .)" ]]
	"$SONDE" record -q -o perf.data -e '{cpu-clock,faults}:S' --running-time "$WORKLOADS/burn" 0.1
	[[ $(attr | grep -c 'TOTAL_TIME_ENABLED|TOTAL_TIME_RUNNING') == 2 ]]
	perf script -i perf.data -D >dump
	[[ $(grep -c 'time running 0*[1-9a-f]' dump) -gt 50 ]]
	[[ $(grep -c 'time running' dump) == "$(grep -c 'time enabled' dump)" ]]
	if "$SONDE" record -q -o perf.data -e cpu-clock --buildid-mmap true 2>said; then
		[[ $(attr) == *"build_id: 1"* ]]
	else
		grep -q 'does not write build-ids' said
	fi
	record -q --no-buildid-mmap "$WORKLOADS/burn" 0.05
	[[ $(attr) != *"build_id: 1"* ]]
	id=$(readelf -n "$WORKLOADS/burn" | awk '/Build ID/ { print $3 }')
	perf buildid-list -i perf.data | grep -F "$id $WORKLOADS/burn"
}

@test "record: --exclude-perf leaves sonde out of what the scheduler tells" {
	need_root
	own() { perf script -i perf.data -F comm,pid 2>/dev/null | grep -cE "^ *sonde +$1"; }
	for option in --exclude-perf --no-exclude-perf; do
		"$SONDE" record -q -o perf.data -a -e sched:sched_switch $option sleep 0.1 &
		RECORDER=$!
		wait $RECORDER
		own $RECORDER >"own$option" || true
		RECORDER=
	done
	# it has waited for its command
	[[ $(<own--exclude-perf) == 0 && $(<own--no-exclude-perf) -gt 0 ]]
}
