#!/usr/bin/env bats
# The screens of report and top, driven through tmux.

load common

setup_file()
{
	export LC_ALL=C.UTF-8
	cd "$BATS_FILE_TMPDIR" || return
	"$SONDE" record -q -F 499 -e cpu-clock,page-faults -g -o perf.data "$WORKLOADS/burn" 1 >/dev/null
}

setup()
{
	need tmux
	cd "$BATS_FILE_TMPDIR" || return
	socket=sonde-$$-$BATS_TEST_NUMBER
}

teardown()
{
	tmux -L "$socket" kill-server 2>/dev/null || true
	[[ -z ${pid:-} ]] || kill "$pid" 2>/dev/null || true
}

# start COLUMNS LINES: a shell in a terminal of that size
start()
{
	tmux -L "$socket" -f /dev/null new-session -d -s s -x "$1" -y "$2" -c "$PWD" \
		"env -u NO_COLOR PS1='prompt> ' HOME='$HOME' bash --norc --noprofile -i"
	see 'prompt>'
}

keys()
{
	tmux -L "$socket" send-keys -t s "$@"
}

screen()
{
	tmux -L "$socket" capture-pane -t s -p
}

# see PATTERN: wait until the screen has it, up to a minute
see()
{
	local i

	for ((i = 0; i < 600; i++)); do
		screen | grep -q -- "$1" && return
		sleep 0.1
	done
	echo "no '$1' on the screen:"
	screen
	return 1
}

# gone PATTERN: wait until the screen has it no more
gone()
{
	local i

	for ((i = 0; i < 600; i++)); do
		screen | grep -q -- "$1" || return 0
		sleep 0.1
	done
	echo "'$1' stays on the screen:"
	screen
	return 1
}

# count FILE PATTERN N: wait until so many lines of the file have it, up to a minute
count()
{
	local i

	for ((i = 0; i < 600; i++)); do
		[[ $(grep -c -- "$2" "$1") -ge $3 ]] && return
		sleep 0.1
	done
	echo "no '$2' in $1:"
	tail -n 30 "$1"
	return 1
}

@test "report: unfold, filter, annotate, switch events, help, quit" {
	start 100 30
	keys "$SONDE report; echo ended \$?" Enter
	see "^Samples: .* of event 'cpu-clock' (of 2)"
	see '^+ .*\[\.\] phase'
	# to phase, wherever it is, by its name
	keys / phase Enter
	see 'Filter: phase'
	gone 'burn_a'
	keys Enter
	see '^- .*\[\.\] phase'
	keys Enter
	see '^+ .*\[\.\] phase'
	# all below it: what comes first there, burn_a or the call's own line, is a sample's luck
	keys e
	see '^  .* [0-9.]*% burn_a'
	keys Enter
	gone '% burn_a'
	keys Escape
	see '^+ .*\[\.\] burn_a'
	keys / burn_a Enter
	see 'Filter: burn_a'
	keys a
	see "^burn_a  .*/burn"
	see 'imul\|mul \|add \|jmp\|ret\|mov '
	keys q
	see 'Filter: burn_a'
	keys Escape
	see '\[\.\] burn_b'
	keys d
	see 'DSO: '
	keys d t
	see 'Command: burn'
	keys Escape
	gone 'Command: burn'
	keys Tab
	see "of event 'page-faults'"
	keys BTab
	see "of event 'cpu-clock'"
	keys '?'
	see 'unfold or fold'
	keys q
	see '\[\.\] burn_b'
	keys q
	see 'ended 0'
}

@test "report: resized to 40x10 and back, stopped by Ctrl-Z and brought back by fg" {
	start 100 30
	keys "$SONDE report" Enter
	see '\[\.\] burn_b'
	tmux -L "$socket" resize-window -t s -x 40 -y 10
	# the last line is the tenth, cut to forty columns
	see '^? help.*…$'
	[[ $(screen | wc -l) -eq 10 ]]
	tmux -L "$socket" resize-window -t s -x 100 -y 30
	see '/ filter'
	see '\[\.\] burn_c'
	keys C-z
	see 'Stopped'
	keys fg Enter
	see '^? help.*/ filter'
	see '\[\.\] burn_c'
	keys C-c
	gone '/ filter'
	# the terminal is as it was: what is typed is seen
	keys 'echo se''en' Enter
	see '^seen'
}

@test "report: a terminal of 20 columns; TERM=dumb and pipes have text" {
	start 20 8
	keys "$SONDE report; echo ended \$?" Enter
	see '^Samples'
	keys Down Down e Right Left a
	see '^q back\|^? help\|…'
	keys q q
	see 'ended 0'
	tmux -L "$socket" resize-window -t s -x 100 -y 30
	keys clear Enter
	keys "TERM=dumb $SONDE report | cat; echo piped" Enter
	see '^piped'
	keys clear Enter
	keys "TERM=dumb $SONDE report --tui; echo ended \$?" Enter
	see 'TERM=dumb is no terminal that a screen can be drawn on'
	see 'ended 129'
	"$SONDE" report | grep -q -- '--burn_a'
	fails 129 "$SONDE" report --tui --csv
	says 'take one of them'
}

@test "report: names with wide characters and escapes keep the columns" {
	local name=$'\xe6\xbc\xa2\xe5\xad\x97e\xcc\x81\x1b[31m'

	start 100 30
	cp "$WORKLOADS/burn" "$name"
	"$SONDE" record -q -F 499 -e cpu-clock -o wide.data "./$name" 0.5 >/dev/null
	keys "$SONDE report -s dso,sym -i wide.data" Enter
	see 'burn_a$'
	screen | grep -q $'\xe6\xbc\xa2\xe5\xad\x97e\xcc\x81\\\\x1b\[31m *\[\.\] burn_a$'
	# the brackets stand one below the other, by columns: two wide characters have two each
	screen | grep '\[[.k]\]' | sed $'s/\xe6\xbc\xa2/xx/g; s/\xe5\xad\x97/xx/g; s/\xcc\x81//g' |
		awk '{ at[match($0, /\[[.k]\] /)]++ } END { n = 0; for (i in at) n++; exit n != 1 }'
	keys q
	see 'prompt>'
}

@test "report: events of a group side by side, as in the text" {
	"$SONDE" record -q -F 499 -e '{cpu-clock,task-clock}' -e page-faults -o group.data \
		"$WORKLOADS/burn" 0.5 >/dev/null
	"$SONDE" report --stdio -i group.data >group.out
	start 110 30
	keys "$SONDE report -i group.data" Enter
	see "of events 'anon group { cpu-clock, task-clock }' (of 2)"
	# the same two percentages as in the text, below a title over both
	screen | grep -q '^ *Overhead  Command'
	grep 'burn_a$' group.out | head -1 | awk '{ print $1, $2 }' | tee theirs
	grep -Eqx '[0-9.]+% [0-9.]+%' theirs
	screen | grep 'burn_a$' | awk '{ print $1, $2 }' | diff - theirs
	keys 1
	see 'burn_a$'
	keys 2
	see 'not so many events'
	keys Tab
	see "of event 'page-faults'"
	keys n
	see 'samples  cpu-clock, task-clock'
	keys q BTab
	see "of events 'anon group"
	keys q
	see 'prompt>'
	keys clear Enter "$SONDE report --no-group -i group.data" Enter
	see "of event 'cpu-clock' (of 3)"
	keys q
}

@test "top: a process, its functions, stand still, and leave" {
	"$WORKLOADS/burn" 600 >/dev/null 3>&- &
	pid=$!

	start 160 30
	keys "$SONDE top -e cpu-clock -g -d 0.2 -p $pid; echo ended \$?" Enter
	see '\[\.\] burn_a'
	see "of event 'cpu-clock'.*lost [0-9].*(process $pid)"
	keys f
	see 'standing still'
	keys f
	gone 'standing still'
	keys / burn_a Enter
	see 'Filter: burn_a'
	keys a
	see '^burn_a  .*/burn'
	keys q Escape
	see '\[\.\] burn_b'
	keys i
	see 'samples since the beginning'
	keys q
	see '\[\.\] burn_b'
	tmux -L "$socket" resize-window -t s -x 40 -y 10
	see '^? help.*…$'
	tmux -L "$socket" resize-window -t s -x 160 -y 30
	see '/ filter'
	keys C-z
	see 'Stopped'
	keys fg Enter
	see '/ filter'
	see '\[\.\] burn_b'
	keys q
	gone '/ filter'
	keys 'echo ended ''$?' Enter
	see '^ended 0'
}

@test "top: chains as text, one table after the other" {
	"$WORKLOADS/burn" 600 >/dev/null 3>&- &
	pid=$!
	"$SONDE" top -g -e cpu-clock -F 499 -d 0.2 -p $pid >chains.out 2>err 3>&- &
	local top=$!
	# what fades is of parts of a sample long before the tenth
	count chains.out '^# sonde top' 10
	kill $pid
	pid=
	wait $top
	grep -q -- '--burn_a' chains.out
}

@test "top: plain tables of a process, until it ends" {
	"$WORKLOADS/burn" 600 >/dev/null 3>&- &
	pid=$!
	"$SONDE" top -ns comm,sym -e cpu-clock -d 0.3 -p $pid >out 2>err 3>&- &
	local top=$!
	count out 'burn_a$' 2
	kill $pid
	pid=
	wait $top
	cat out err
	grep -q 'those that were watched have ended' err
	grep -q '^# Overhead  *Samples  Command  Symbol' out
	# 5 : 3 : 2, as burn tells: the largest first
	grep -E -o 'burn_[abc]$' out | head -1 | grep -qx burn_a
	! grep -q $'\x1b' out || false
}

@test "top: -E rows, no more; events of a group side by side" {
	"$WORKLOADS/burn" 600 >/dev/null 3>&- &
	pid=$!
	"$SONDE" top -e '{cpu-clock,task-clock}' -E 2 -d 0.2 -p $pid >side.out 2>err 3>&- &
	local top=$!
	count side.out "burn_a$" 2
	kill $pid
	pid=
	wait $top
	grep -q "of events 'anon group { cpu-clock, task-clock }'" side.out
	grep -Eq '^ *[0-9.]+% +[0-9.]+% .*burn_a$' side.out
	# no table has three
	awk '/^#/ { n = 0 } /%/ { if (++n > 2) exit 1 }' side.out
}

@test "top: sonde's own work, only if it is asked for" {
	need_root
	[[ -e /sys/kernel/tracing/events/raw_syscalls || -e /sys/kernel/debug/tracing/events/raw_syscalls ]] ||
		skip "no tracepoints here"
	"$SONDE" top -e raw_syscalls:sys_enter -a -m 4M -s pid -E 1000000 -d 0.2 --with-self >with 2>err 3>&- &
	pid=$!
	count with "^ .* $pid:sonde" 1
	kill $pid
	wait $pid
	"$SONDE" top -e raw_syscalls:sys_enter -a -m 4M -s pid -E 1000000 -d 0.2 >without 2>err 3>&- &
	pid=$!
	count without '^# sonde top' 4
	kill $pid
	wait $pid
	run ! grep -q " $pid:sonde" without
	pid=
}

@test "top: code that a JIT tells the name of when it runs already" {
	need python3
	# a program that writes machine code (a loop without end), and its map when it is told to
	cat >late.py <<-'PY'
		import ctypes, mmap, os, threading
		if os.uname().machine != "x86_64":
		    raise SystemExit(77)
		m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
		m.write(bytes.fromhex("ebfe"))
		at = ctypes.addressof(ctypes.c_char.from_buffer(m))
		threading.Thread(target=ctypes.CFUNCTYPE(None)(at), daemon=True).start()
		with open("go") as f:
		    f.read()
		with open(f"/tmp/perf-{os.getpid()}.map", "w") as f:
		    f.write(f"{at:x} 2 late_loop\n")
		threading.Event().wait()
	PY
	[[ $(uname -m) == x86_64 ]] || skip "knows machine code of x86_64 only"
	mkfifo go
	python3 late.py 3>&- &
	pid=$!
	"$SONDE" top -e cpu-clock:u -d 0.2 -p $pid >late.out 2>late.err 3>&- &
	local top=$!
	count late.out "\[JIT\] tid $pid .*\[unknown\]" 1
	! grep -q late_loop late.out || false
	echo >go
	count late.out "\[JIT\] tid $pid .*late_loop" 1
	rm -f "/tmp/perf-$pid.map"
	kill $pid
	pid=
	wait $top
}

@test "top: what it does not have is refused with a reason" {
	fails 129 "$SONDE" top -K -U
	says 'hide everything'
	fails 129 "$SONDE" top -d 0
	says 'seconds between two looks'
	fails 129 "$SONDE" top true
	says 'starts no commands'
	fails 129 "$SONDE" top --group --hierarchy
	says 'leave out --group'
	fails 129 "$SONDE" top --overwrite
	says 'rings are emptied'
	fails 129 "$SONDE" top -G web
	says '--all-cgroups'
	fails 1 "$SONDE" top --stdio -p 999999999
	says '999999999'
	fails 129 "$SONDE" top --stdio --tui
	says 'take one of them'
}
