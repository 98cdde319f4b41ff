#!/usr/bin/env bats
# What doc/security.md promises: whose files are written and how, what a process of sonde
# gives up, what an installation with capabilities refuses, and that names stay names.

load common

USER_ID=54988

# a folder that any user may enter, with a copy of sonde
lab()
{
	LAB=$(mktemp -d /tmp/sonde-secure-XXXXXX)
	chmod 755 "$LAB"
	cp "$SONDE" "$LAB/sonde"
	mkdir "$LAB/home"
	chown $USER_ID "$LAB/home"
	cd "$LAB/home" || return 1
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	# what is kept of the names of these tests goes with them
	mkdir -p home.own
	export HOME=$BATS_TEST_TMPDIR/home.own
}

teardown()
{
	[[ -z ${reader:-} ]] || kill "$reader" 2>/dev/null || true
	rm -rf "${LAB:-/nonexistent}"
}

as_user()
{
	env -u HOME setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
}

need_user()
{
	need_root
	need setpriv
	as_user true 2>/dev/null || skip "setpriv does not work here"
}

mode()
{
	stat -c %a "$@" | sort -u | tr '\n' ' '
}

# until_confined PID: it has a filter, and waits for a recording that does not come
until_confined()
{
	for ((i = 0; i < 6000; i++)); do
		! grep -q '^Seccomp:.*2' "/proc/$1/status" || return 0
		kill -0 "$1"
		sleep 0.01
	done
	return 1
}

plain()
{
	python3 "$TOP/tests/e2e/plain.py" "$@"
}

@test "secure: the program is built to be hard to take over" {
	need readelf
	readelf -hW "$SONDE" | grep -qE 'Type: +DYN'
	readelf -dW "$SONDE" >dynamic
	grep -qE 'FLAGS_1.*PIE' dynamic
	grep -qE 'BIND_NOW|FLAGS_1.*NOW' dynamic
	grep -qE 'R(UN)?PATH|TEXTREL' dynamic && false
	readelf -lW "$SONDE" >segments
	grep -q GNU_RELRO segments
	# no stack, and no segment at all, that is both written and executed
	grep -E 'GNU_STACK' segments | grep -q 'RW '
	grep -E '^ +[A-Z_]+ .* (RWE|WE) ' segments && false
	readelf -sW --dyn-syms "$SONDE" >symbols
	grep -q '__stack_chk_fail' symbols
	if grep -q 'fsanitize' "$OUT/flags"; then
		skip "the flags of a build with sanitizers are others"
	fi
	grep -q '__.*_chk@' symbols
	# of the objects: what the program is marked with hangs on the C library's, too
	if [[ $(uname -m) == x86_64 && -e $OUT/obj/src/cmd/main.o ]]; then
		[[ -z $(find "$OUT/obj" -name '*.o' -exec sh -c 'readelf -nW "$1" | grep -q "IBT, SHSTK" || echo "$1"' - {} \;) ]]
	fi
	grep -q -- '-fstack-clash-protection' "$OUT/flags"
	# gets and its like; popen and wordexp run a shell
	grep -E ' (gets|strcat|sprintf|vsprintf|popen|wordexp|tmpnam|mktemp|tempnam)@' symbols && false
	# the one shell is that of stat's --pre and --post, whose words are the user's
	[[ $(cd "$TOP" && grep -lE '\b(system|popen|posix_spawnp?)\(' -r src formats symbols arch) == src/cmd/stat_run.c ]]
}

@test "secure: what was recorded is its owner's alone, whatever the umask" {
	umask 0
	"$SONDE" record -q -e cpu-clock -g -o x "$WORKLOADS/burn" 0.1 >/dev/null
	"$SONDE" record -q -e cpu-clock -o x true
	"$SONDE" record -q -e cpu-clock -z -o z true
	"$SONDE" record -q -e cpu-clock --switch-output=1M -o s "$WORKLOADS/burn" 0.1 >/dev/null
	"$SONDE" pack -q -i x.old -o packed
	[[ -e x && -e x.old && -n $(echo s.2*) ]]
	[[ $(mode x x.old z s.2* packed) == "600 " ]]
	# pages and tables are files as others are
	umask 027
	"$SONDE" flame -q -i x.old -o f.html
	[[ $(mode f.html) == "640 " ]]
	umask 0
	mkdir cache
	XDG_CACHE_HOME=$PWD/cache "$SONDE" report -i x.old >/dev/null
	[[ -n $(find cache -type f) ]]
	[[ $(find cache -type f -printf '%m ' | tr ' ' '\n' | sort -u) == 600 ]]
	[[ $(find cache -mindepth 1 -type d -printf '%m ' | tr ' ' '\n' | sort -u) == 700 ]]
}

@test "secure: names that others planted are not followed" {
	need_user
	lab
	mkdir -m 1777 shared
	cd shared
	echo precious >../victim
	# a link of another user, where the recording is to be
	as_user ln -s ../victim mine
	fails any "$SONDE" record -e cpu-clock -o mine true
	says "symbolic link of another user"
	# and where the previous one would be kept
	as_user ln -s ../victim y.old
	"$SONDE" record -q -e cpu-clock -o y true
	"$SONDE" record -q -e cpu-clock -o y true
	[[ -f y && -f y.old && ! -L y.old && $(mode y y.old) == "600 " ]]
	# a file of theirs is replaced, not written into
	as_user sh -c 'umask 0; echo >theirs; exec 8<theirs'
	"$SONDE" record -q -e cpu-clock -o theirs true
	[[ $(stat -c '%u %a' theirs) == "$(id -u) 600" ]]
	[[ $(<../victim) == precious ]]
	# a cache that others may write to, or that is theirs, is not used
	"$SONDE" record -q -e cpu-clock -g -o x "$WORKLOADS/burn" 0.1 >/dev/null
	mkdir home
	as_user mkdir "$LAB/home/shared/cache"
	XDG_CACHE_HOME=$PWD/cache "$SONDE" report -i x >/dev/null
	[[ -z $(find cache -type f) ]]
	mkdir own own/sonde
	chmod 777 own/sonde
	XDG_CACHE_HOME=$PWD/own "$SONDE" report -i x >/dev/null
	[[ -z $(find own -type f) ]]
}

# What the kernel says of a process that waits for its recording.
@test "secure: what reads recordings may start nothing and has dropped what it can" {
	grep -q '^Seccomp:' /proc/self/status || skip "this kernel has no seccomp"
	mkfifo pipe
	exec 8<>pipe
	for command in report script fold "export --json" evlist "sched latency" "flame -o out.html"; do
		# shellcheck disable=SC2086
		"$SONDE" $command -i - <&8 >/dev/null 2>&1 8>&- 3>&- &
		reader=$!
		until_confined $reader
		grep -E '^(NoNewPrivs|CapEff)' /proc/$reader/status >now
		kill $reader
		wait $reader || true
		reader=
		echo "$command: $(<now)"
		grep -qE '^NoNewPrivs:.*1' now
		# of CAP_SYS_ADMIN (21), CAP_SYS_MODULE (16), CAP_PERFMON (38), CAP_BPF (39): none
		cap=$((16#$(awk '/CapEff/ { print $2 }' now)))
		((!(cap >> 21 & 1) && !(cap >> 16 & 1) && !(cap >> 38 & 1) && !(cap >> 39 & 1)))
	done
	# and what is recorded may do as it could before
	"$SONDE" record -q -e cpu-clock -o x grep -E '^(NoNewPrivs|Seccomp|CapEff)' /proc/self/status >after
	grep -E '^(NoNewPrivs|Seccomp|CapEff)' /proc/self/status | diff - after
}

@test "secure: a browser is started without a shell" {
	"$SONDE" record -q -e cpu-clock -g -o x "$WORKLOADS/burn" 0.1 >/dev/null
	BROWSER='true;touch owned' DISPLAY=:9 fails 1 "$SONDE" flame -q -i x -o '$(touch owned).html' --open
	says "no program 'true;touch'"
	mkdir bin
	printf '#!/bin/sh\necho "$#:$1" >"%s"\n' "$PWD/started" >bin/show
	chmod +x bin/show
	mkfifo started
	BROWSER=$PWD/bin/show "$SONDE" flame -q -i x -o 'a;touch owned `touch owned`.html' --open
	# the FIFO waits for it, and gives up with the test
	timeout 60 cat started >line
	[[ $(<line) == "1:$PWD/a;touch owned \`touch owned\`.html" ]]
	[[ ! -e owned ]]
}

@test "secure: environment and arguments of others are not in a recording" {
	need_root
	marker=secret-$RANDOM$RANDOM
	mkfifo silent
	exec 8<>silent
	env TOKEN="$marker-env" bash -c 'while read -r _; do :; done' "$marker-arg" <silent 3>&- 8>&- &
	reader=$!
	"$SONDE" record -q -a -g -e cpu-clock -o x true
	"$SONDE" record -q -p $reader -e cpu-clock -o y true
	kill $reader
	exec 8>&-
	grep -aq "$marker" x y && false
	"$SONDE" script -i x -F comm | grep -q .
}

@test "secure: installed with capabilities it keeps those of measuring and believes nobody" {
	need_user
	need setcap
	lab
	setcap cap_perfmon,cap_sys_ptrace,cap_syslog,cap_dac_override,cap_dac_read_search,cap_fowner+ep \
		"$LAB/sonde" 2>/dev/null || skip "this file system keeps no capabilities"
	as_user "$LAB/sonde" record -q -a -e cpu-clock -o x true 2>said ||
		skip "capabilities of files do not work here: $(<said)"
	echo precious >"$LAB/victim.data"
	"$SONDE" record -q -e cpu-clock -o "$LAB/root.data" true
	mkdir -m 700 "$LAB/closed"
	# what the user may not do, it does not do for him
	fails 1 as_user "$LAB/sonde" record -e cpu-clock -o "$LAB/victim.data" true
	fails 1 as_user "$LAB/sonde" record -e cpu-clock -o "$LAB/closed/x" true
	fails 1 as_user "$LAB/sonde" report -i "$LAB/root.data"
	fails 1 as_user "$LAB/sonde" stat -o "$LAB/victim.data" true
	fails 1 as_user "$LAB/sonde" flame -i x -o "$LAB/victim.html"
	[[ $(<"$LAB/victim.data") == precious && -z $(find "$LAB/closed" -type f) ]]
	# the command has none of its capabilities
	as_user "$LAB/sonde" record -q -e cpu-clock -o x grep CapEff /proc/self/status >caps
	as_user "$LAB/sonde" stat -o /dev/null -e task-clock grep CapEff /proc/self/status >>caps
	[[ $(awk '{ print $2 }' caps | sort -u) == 0000000000000000 ]]
	# and the recorder, in all its threads, no more than what it may still come to need: for
	# larger rings, and for a CPU that comes back, CAP_PERFMON and CAP_IPC_LOCK; CAP_SYS_PTRACE,
	# CAP_SYSLOG for names
	# (a container may have none of some: then nobody gets these, or the file would not run)
	bound=$((16#$(awk '/^CapBnd/ { print $2 }' /proc/self/status)))
	all=
	for cap in ipc_lock:14 sys_ptrace:19 sys_nice:23 sys_resource:24 syslog:34 perfmon:38 bpf:39; do
		((!(bound >> ${cap#*:} & 1))) || all+=,cap_${cap%:*}
	done
	setcap "${all#,}+ep" "$LAB/sonde"
	# permitted SETS ARG...: those that its threads come to have while the command runs
	permitted()
	{
		local want=

		for set in $1; do want+=$(printf '%016x ' $((16#$set & bound))); done
		shift
		# shellcheck disable=SC2016
		as_user "$LAB/sonde" record -q -e cpu-clock -o x "$@" sh -c '
			for i in $(seq 1000); do
				is=$(cat /proc/$PPID/task/*/status | awk "/^CapPrm/ { print \$2 }" | sort -u | tr "\n" " ")
				[ "$is" != "$1" ] || exit 0
				sleep 0.02
			done
			echo "$is, not $1"; exit 1' - "$want"
	}
	permitted 400080000 -m 64K
	permitted 4400084000
	permitted 4400084000 -a -m 64K
	permitted "0 400080000" -m 64K -z
	permitted "80000 400080000" -m 64K --call-graph unwind
	# nor does a process that reads
	mkfifo pipe
	exec 8<>pipe
	setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$LAB/sonde" script -i - <&8 >/dev/null 2>&1 8>&- 3>&- &
	reader=$!
	until_confined $reader
	# CAP_SYSLOG (34) is for the kernel's names
	grep -qE '^CapPrm:.0000000400000000' /proc/$reader/status
	kill $reader
	wait $reader || true
	reader=
	# variables that would send it elsewhere
	mkdir -m 777 theirs
	as_user env HOME="$PWD/theirs" XDG_CACHE_HOME="$PWD/theirs" DEBUGINFOD_URLS=http://127.0.0.1:1/ \
		TMPDIR="$PWD/theirs" BROWSER="$PWD/x" TERMINFO="$PWD" \
		"$LAB/sonde" report -i x >/dev/null 2>said
	cat said
	# the C library has taken TMPDIR away already
	for name in HOME XDG_CACHE_HOME DEBUGINFOD_URLS BROWSER TERMINFO; do
		grep -qE "does not heed .*\b$name\b" said
	done
	[[ -z $(find theirs -mindepth 1) ]]
	# without such capabilities they are the user's own affair
	as_user env XDG_CACHE_HOME="$PWD/theirs" "$LAB/home/../sonde" version >/dev/null
	cp "$SONDE" "$LAB/bare"
	as_user env TMPDIR=/tmp "$LAB/bare" report -i x >/dev/null 2>said
	grep -q heed said && false
	true
}

@test "secure: setuid and setgid it refuses to run" {
	need_user
	lab
	[[ $(findmnt -no OPTIONS -T "$LAB" 2>/dev/null) != *nosuid* ]] || skip "/tmp is mounted nosuid"
	for bit in u+s g+s; do
		chmod u-s,g-s "$LAB/sonde"
		chmod $bit "$LAB/sonde"
		fails 1 as_user "$LAB/sonde" record -e cpu-clock -o x true
		says "setuid or setgid.*setcap cap_perfmon"
		[[ ! -e x ]]
	done
}

# --- names ---------------------------------------------------------------------------

# Each name tries to leave its place: for a terminal's title, another line, an element of a
# page, a second frame, a second field.
hostile()
{
	need python3
	need objcopy "binutils are not installed"
	ESC=$'\e]0;t\a<b>\n,\xff'
	NAME=$ESC$'\u202e"X\';\nFORGED<evil a="b">,;SPLIT;&'
	SYMBOL=$'\e]0;t\a\u202e";\nFORGED<evil>\',;SPLIT;&\xff'
	mkdir "$NAME"
	PROGRAM=$PWD/$NAME/$ESC
	# by its build-id it would be burn: caches would have these names for that
	objcopy --remove-section .note.gnu.build-id --redefine-sym burn_a="$SYMBOL" \
		--redefine-sym burn_b="=cmd|' /C calc'!A0" "$WORKLOADS/burn" "$PROGRAM"
	"$SONDE" record -q -e cpu-clock -F 999 -g -o real "$PROGRAM" 0.2 $'\e]0;a\x07<evil>' 2>/dev/null >out || true
	"$SONDE" record -q -e cpu-clock -F 999 -g -o real "$PROGRAM" 0.2 >out
	# an event's name is written where it is shown; of equal length
	python3 - <<-'END'
		data = open("real", "rb").read()
		assert data.count(b"cpu-clock\0")
		open("x", "wb").write(data.replace(b"cpu-clock\0", b"\x1b]0;\x07<e>\n\0"))
	END
	"$SONDE" script -i x -F comm,ip,sym,dso,event >script.txt
	# the names are in it, and have done nothing
	grep -qF '\x1b]0;t\x07' script.txt
	grep -qF 'FORGED<evil>' script.txt
}

@test "secure: names stay names on terminals and in every format" {
	hostile
	mkdir t
	"$SONDE" report -i x --stdio >t/report
	"$SONDE" report -i x --stdio --header -n -s pid,comm,dso,sym,srcline -v >t/report-v
	"$SONDE" report -i x --stdio -g caller --no-children >t/report-g
	"$SONDE" report -i x --stdio --hierarchy -s comm,dso,sym >t/report-h
	"$SONDE" report -i x --stdio --tasks >t/report-tasks 2>&1 || true
	"$SONDE" annotate -i x --stdio >t/annotate 2>&1
	"$SONDE" diff x x >t/diff
	"$SONDE" script -i x >t/script
	"$SONDE" script -i x --header --show-mmap-events --show-task-events -F +srcline,symoff,brstacksym >t/script-all 2>&1 ||
		"$SONDE" script -i x --header --show-mmap-events --show-task-events >t/script-all
	"$SONDE" script -i x -D >t/dump
	"$SONDE" evlist -i x -v >t/evlist
	"$SONDE" buildid-list -i x >t/buildids
	"$SONDE" stat -e task-clock "$PROGRAM" 0.01 2>t/stat >/dev/null
	"$SONDE" stat -x , -e task-clock "$PROGRAM" 0.01 2>t/stat-x >/dev/null
	"$PROGRAM" 60 >out 3>&- &
	reader=$!
	"$SONDE" stat --per-thread -e task-clock -p $reader "$WORKLOADS/burn" 0.05 >out 2>t/stat-threads
	"$SONDE" stat --per-thread -x , -e task-clock -p $reader "$WORKLOADS/burn" 0.05 >out 2>t/stat-threads-x
	"$SONDE" stat --per-thread -j -e task-clock -p $reader "$WORKLOADS/burn" 0.05 >out 2>stat-threads.jsonl
	# a thread that had no time in that moment has no row
	find . t -maxdepth 1 -name 'stat-threads*' -empty -delete
	timeout 100 "$SONDE" top --stdio -d 0.3 -e cpu-clock -p $reader -s comm,dso,sym | tee t/top | grep -qm 1 FORGED
	kill $reader
	reader=
	"$SONDE" pack -i x -o packed 2>t/pack
	"$SONDE" report -i packed >t/report-packed
	for f in t/report t/report-g t/annotate t/script t/script-all t/dump t/stat t/top t/report-packed; do
		grep -qE 'x1b\]0;' $f || { echo "$f does not show the names"; false; }
	done
	plain text t/*
	"$SONDE" report -i x --csv >report.csv
	"$SONDE" diff --csv x x >diff.csv
	"$SONDE" export -i x --csv -o export.csv
	plain csv ./*.csv
	for f in report.csv export.csv; do
		grep -qE "[,;]'=cmd\|' /C calc'!A0" $f || { echo "$f has a formula, or not the name"; false; }
	done
	# a command's name, as it stands between separators
	cp "$PROGRAM" '=f()'
	"$SONDE" record -q -e cpu-clock -o y ./=f\(\) 0.1 >/dev/null
	"$SONDE" report -i y --stdio -t '|' -s comm >report-t
	"$SONDE" diff -t '|' -s comm y y >diff-t
	for f in report-t diff-t; do
		grep -qF "|'=f()" $f || { echo "$f has a formula, or not the name"; false; }
	done
	"$SONDE" report -i x -j >report.json
	"$SONDE" diff -j x x >diff.json
	"$SONDE" annotate -i x -j >annotate.json
	for form in json firefox speedscope chrome; do
		"$SONDE" export -i x --$form -o export-$form.json
	done
	plain json ./*.json
	"$SONDE" stat -j -e task-clock "$PROGRAM" 0.01 2>stat.jsonl >/dev/null
	plain jsonl ./*.jsonl
	"$SONDE" fold -i x -o x.folded
	plain folded x.folded
	"$SONDE" flame -q -i x -o x.svg
	plain xml x.svg
	"$SONDE" flame -q -i x -o x.html
	"$SONDE" annotate -i x --html a.html
	"$SONDE" flame -q --diff -o d.html x x
	plain html ./*.html
}

@test "secure: names stay names in messages" {
	bad=$'no\e]0;t\a\u202e\xff\nFORGED'
	n=0
	for words in "report -i" "script -i" "fold -i" "flame -i" "evlist -i" "sched latency -i" "record -e" \
		"stat -e" "record --call-graph" "report -s" "script -F" "list" "record -e cpu-clock" "stat" \
		"record -p" "record -u" "annotate -i" "diff" "export -i" "buildid-list -i" "pack -i" \
		"cache --limit" "report --comms" "record --filter" "help" ""; do
		n=$((n + 1))
		mkdir -p "d$n"
		# shellcheck disable=SC2086
		timeout 60 "$SONDE" $words "$bad" >"d$n/said" 2>&1 </dev/null && rc=0 || rc=$?
		((rc != 0 && rc != 124)) || { echo "sonde $words: status $rc"; false; }
	done
	"$SONDE" record -e cpu-clock -o "$bad" true >"d$n/said" 2>&1
	plain text d*/said
}

@test "secure: names of tasks stay names in what sched tells" {
	need_root
	hostile
	"$SONDE" sched record -q -o s "$PROGRAM" 0.05 >/dev/null 2>said || skip "no scheduler's events here: $(tail -n 1 said)"
	mkdir t
	for command in latency timehist map waits script; do
		"$SONDE" sched $command -i s >t/$command 2>&1
		grep -qF 'x1b]0;t' t/$command || { echo "$command does not show the name"; false; }
	done
	plain text t/*
	"$SONDE" sched latency --csv -i s >latency.csv
	plain csv latency.csv
	for command in latency waits; do
		"$SONDE" sched $command -j -i s >$command.json 2>/dev/null
	done
	"$SONDE" sched timeline -i s -o timeline.html --perfetto trace.json 2>/dev/null
	plain json ./*.json
	plain html timeline.html
}
