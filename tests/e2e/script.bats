# sonde script's options against perf's: all known, the same text, or refused in a line.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	cd "$DATA" || return 1
	"$SONDE" record -q -o two -e cpu-clock,page-faults -F 499 -g "$WORKLOADS/faults" 20000 >/dev/null
	command -v perf >/dev/null || return 0
	by_perf perf.plain -e cpu-clock -F 1999 "$WORKLOADS/burn" 0.3
	by_perf perf.chains -e cpu-clock,page-faults -F 499 -g "$WORKLOADS/faults" 20000
}

# by_perf FILE ARG...: perf 6.1 aborts now and then while others record.
by_perf()
{
	for _ in 1 2 3 4 5; do
		perf record -q -o "$1" "${@:2}" >"$1.err" 2>&1 && return
		rm -f "$1"
	done
}

# same FILE ARG...: the same text as perf's, whatever records of perf's own tools say.
same()
{
	need perf
	[[ -e $DATA/$1 ]] || skip "perf cannot record this here"
	perf script --no-inline -i "$DATA/$1" "${@:2}" 2>/dev/null >perf.txt
	"$SONDE" script --no-inline -i "$DATA/$1" "${@:2}" >sonde.txt 2>sonde.err
	[[ -s perf.txt ]]
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
}

@test "every option of perf script is there, or is refused with the reason" {
	need perf
	perf script -h >help.txt 2>&1 || true
	grep -oE '^ +(-[A-Za-z], )?--[a-z-]+|^ +-[A-Za-z], --[A-Za-z-]+' help.txt | tr -d ' ' >options.txt
	(($(grep -c . options.txt) > 60))
	"$SONDE" script --list-options >ours.txt
	while read -r line; do
		long=${line##*,} short=
		[[ $line == *,* ]] && short=${line%%,*}
		for name in $long $short; do
			grep -qE -- "(^|	)$name	" ours.txt && continue
			status=0
			"$SONDE" script "$name" >out.txt 2>err.txt || status=$?
			if [[ $status != 129 || $(grep -c . err.txt) != 1 ]] || ! grep -q "is not there: " err.txt; then
				echo "$name: status $status: $(<err.txt)"
				return 1
			fi
		done
	done <options.txt
}

@test "every field of perf script is there, or is refused with the reason" {
	need perf
	fields=$(perf script -h 2>&1 | grep -oE 'Fields: .*' | head -n 1)
	fields=${fields#Fields: }
	[[ $fields == comm,* ]]
	for field in ${fields//,/ } machine_pid vcpu; do
		status=0
		"$SONDE" script -i "$DATA/two" -F "+$field" >out.txt 2>err.txt || status=$?
		((status == 0)) && [[ -s out.txt ]] && continue
		echo "$field: $(<err.txt)"
		[[ $status == 1 && $(grep -c . err.txt) == 1 ]]
		grep -qE "cannot (be printed|print '$field')|needs" err.txt
	done
}

@test "scripts of other languages are refused" {
	for words in "-s x.py" "-l" "record syscall-counts" "report syscall-counts" "-g python"; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" script $words
	done
}

@test "-D: bytes and words of every record, then its text, as perf has them" {
	need perf
	for file in perf.plain perf.chains; do
		[[ -e $DATA/$file ]] || skip "perf cannot record this here"
		perf script --no-inline -D -i "$DATA/$file" 2>/dev/null >perf.txt
		"$SONDE" script --no-inline -D -i "$DATA/$file" >sonde.txt 2>/dev/null
		awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
	done
}

@test "lines of source, and instructions" {
	need perf
	need cc
	cat >w.c <<-'END'
	static volatile unsigned long x;
	int main(void)
	{
		for (unsigned long i = 0; i < 150000000; i++)
			x += i;
		return 0;
	}
	END
	cc -g -O1 -o w w.c
	by_perf "$DATA/lines" -e cpu-clock -F 199 ./w
	same lines -F comm,ip,sym,srcline
	same lines -F ip,srcline --full-source-path
	same lines -F ip,insn,insnlen
	grep -q '^  w.c:[45]$' <("$SONDE" script -i "$DATA/lines" -F ip,srcline)
}

@test "times: --ns, --reltime, --deltatime" {
	for how in --ns --reltime --deltatime "--ns --deltatime"; do
		# shellcheck disable=SC2086
		same perf.plain $how -F comm,tid,time,event
	done
}

@test "records of tasks, mappings and rounds" {
	same perf.plain --show-task-events
	same perf.plain --show-mmap-events
	same perf.chains --show-mmap-events --show-task-events -F +misc
	# perf 6.1 then prints samples as they stand in the file; here they stay in time
	"$SONDE" script -i "$DATA/perf.plain" --show-round-events >rounds.txt
	[[ $(grep -c '^PERF_RECORD_FINISHED_ROUND$' rounds.txt) == \
	   $(perf script -i "$DATA/perf.plain" --show-round-events 2>/dev/null | grep -c FINISHED_ROUND) ]]
	grep -v FINISHED_ROUND rounds.txt | cmp - <("$SONDE" script -i "$DATA/perf.plain")
}

@test "--stop-bt ends chains" {
	same perf.chains --stop-bt main
	same perf.chains --stop-bt main,asm_exc_page_fault
}

@test "--switch-on, --switch-off" {
	same perf.chains --switch-on page-faults
	same perf.chains --switch-on page-faults --switch-off cpu-clock
	same perf.chains --switch-on page-faults --switch-off cpu-clock --show-on-off-events
	# alone, --switch-off leaves out no more than one sample in perf 6.1; what it is told to do is here
	"$SONDE" script -F event -G -i "$DATA/perf.chains" >all.txt
	"$SONDE" script -F event -G -i "$DATA/perf.chains" --switch-off cpu-clock >some.txt
	sed '/cpu-clock/,$d' all.txt | cmp - some.txt
	fails 1 "$SONDE" script -i "$DATA/two" --switch-on no-such-event
	says no-such-event
}

@test "--per-event-dump writes a file for each event" {
	cp "$DATA/two" .
	"$SONDE" script -i two --per-event-dump >said.txt
	"$SONDE" script -i two >all.txt
	for event in cpu-clock page-faults; do
		grep -q "Wrote .* MB two.$event.dump ([0-9]* samples)" said.txt
		[[ -s two.$event.dump ]]
		! grep -qvE "^	|^$| $event: " two.$event.dump || false
	done
	cat two.*.dump | sort >parts.txt
	sort all.txt | cmp - parts.txt
	ln -sf /nonexistent/target two.cpu-clock.dump
	fails 1 "$SONDE" script -i two --per-event-dump
}
