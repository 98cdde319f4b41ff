# sonde list and sonde doctor.
load common

@test "the lines for listing that people type" {
	"$SONDE" list >all
	"$SONDE" list sw >sw
	grep -q '^  context-switches OR cs ' sw
	run ! grep -q 'Hardware events' sw
	"$SONDE" list | grep L1-dcache
	for heading in "Hardware events" "Software events" "Cache events" Metrics; do
		grep -q "^$heading" all
	done
}

@test "tracepoints are those of tracefs, and perf's" {
	need_root
	[[ -d /sys/kernel/tracing/events/sched ]] || "$SONDE" list 'sched:*' >/dev/null
	[[ -d /sys/kernel/tracing/events/sched ]] || skip "this kernel has no tracepoints"
	"$SONDE" list 'sched:*' | grep -o 'sched:[a-z_0-9]*' | sort >ours
	(cd /sys/kernel/tracing/events && printf '%s\n' sched/*/id) | sed 's|/id||; s|/|:|' | sort >theirs
	cmp ours theirs
	"$SONDE" list tracepoint -j >json
	need perf
	perf list tracepoint 2>/dev/null | grep -oE '^  [^ ]+:[^ ]+' | tr -d ' ' | sort -u >p
	"$SONDE" list tracepoint sdt | grep -oE '^  [^ ]+:[^ ]+' | tr -d ' ' | sort -u >s
	diff p s
}

@test "-j is JSON with every event of the text" {
	need python3
	"$SONDE" list >text
	"$SONDE" list -j >json
	python3 - <<-'END'
	import json
	events = json.load(open('json'))
	text = open('text').read()
	assert len(events) > 60
	for e in events:
	    name = e.get('EventName') or e['MetricName']
	    assert '\n  ' + name in text, name
	    assert e['Available'] in (True, False)
	    assert e['Available'] or e['Reason'], e
	names = {e.get('EventName') for e in events}
	assert {'cpu-cycles', 'context-switches', 'L1-dcache-load-misses', 'duration_time'} <= names
	END
}

@test "what is listed as available can be counted, and the rest cannot" {
	need_kernel
	need python3
	"$SONDE" list -j hw sw cache pmu >json
	python3 - <<-'END' >events
	import json
	for e in json.load(open('json')):
	    if e['EventType'] != 'Raw event descriptor':
	        print(e['EventName'], e['Available'])
	END
	while read -r event available; do
		"$SONDE" stat -x';' -o out -e "$event" true 2>err
		if [[ $available == True ]]; then
			run ! grep -q '<not supported>' out
		else
			grep -q '<not supported>' out
		fi
	done <events
}

@test "a word is looked for in names, and nothing found is told" {
	"$SONDE" list faults | grep -q 'page-faults'
	run ! grep -q context-switches <("$SONDE" list faults)
	fails 1 "$SONDE" list xyzzy_nothing
	says "xyzzy_nothing"
}

@test "-v has fields and encodings" {
	need_root
	"$SONDE" list -v sched:sched_switch >out || skip "this kernel has no tracepoints"
	grep -q 'char\[16\] prev_comm' out
	"$SONDE" list -v metric | grep -q 'instructions / cycles'
}

@test "lines fit the width that COLUMNS gives, names apart" {
	COLUMNS=80 "$SONDE" list sw hw metric >out
	run ! grep -E '^ .{80}' <(grep -v 'not here' out)
}

@test "doctor goes through all, in JSON too, and says the same" {
	"$SONDE" doctor >text
	"$SONDE" doctor -j >json
	need python3
	python3 - <<-'END'
	import json
	rows = json.load(open('json'))
	names = [r['check'] for r in rows]
	for need in ('pmu', 'sample_rate', 'kernel_events', 'kernel_symbols', 'mlock', 'tracefs',
	             'kprobes', 'uprobes', 'btf', 'bpf', 'kernel_debug_info', 'debuginfod'):
	    assert need in names, need
	for r in rows:
	    assert r['state'] in ('yes', 'partly', 'no') and r['found'], r
	text = open('text').read()
	assert len([l for l in text.split('\n') if l and l[0] != ' ']) == len(rows)
	END
	# What it says of the PMU is what stat finds.
	"$SONDE" stat -x, -o out -e cycles:u true
	if grep -q '^<not supported>' out; then
		grep -q '^no *hardware PMU' text
	else
		grep -q '^yes *hardware PMU' text
	fi
	fails 129 "$SONDE" doctor now
}

@test "doctor as another user names the settings" {
	need_root
	need setpriv
	setpriv --reuid=65534 --clear-groups true || skip "setpriv does not work here"
	chmod 755 "$BATS_TEST_TMPDIR" || true
	cp "$SONDE" /tmp/sonde-doctor-$$
	chmod 755 /tmp/sonde-doctor-$$
	setpriv --reuid=65534 --clear-groups /tmp/sonde-doctor-$$ doctor >out || status=$?
	rm -f /tmp/sonde-doctor-$$
	cat out
	[[ ${status:-0} == 0 ]]
	paranoid=$(</proc/sys/kernel/perf_event_paranoid)
	((paranoid < 2)) || grep -q 'kernel.perf_event_paranoid=1' out
	((paranoid < 1)) || grep -q 'kernel.perf_event_paranoid=0' out
}

@test "for whom tracefs is closed a tracepoint is one line, and no wrong usage" {
	need_root
	need setpriv
	other=(setpriv --reuid=65534 --clear-groups)
	"${other[@]}" true || skip "setpriv does not work here"
	"${other[@]}" test -r /sys/kernel/tracing/events && skip "tracefs is open to everyone"
	dir=$(mktemp -d /tmp/sonde-user-XXXXXX)
	chmod 755 "$dir"
	cp "$SONDE" "$dir"
	fails 1 "${other[@]}" "$dir/sonde" list 'sched:*'
	says "sched:.*permission denied"
	fails 1 "${other[@]}" "$dir/sonde" stat -e sched:sched_switch true
	fails 1 "${other[@]}" "$dir/sonde" record -e sched:sched_switch true
	rm -rf "$dir"
}

@test "nothing is wider than the terminal" {
	need script
	for columns in 80 132; do
		script -qec "stty cols $columns; $SONDE list hw sw metric; $SONDE stat -e task-clock,context-switches,page-faults true; $SONDE stat -r 2 -e task-clock,context-switches true; $SONDE stat -e cycles,instructions,branches,cache-misses,faults true" typed >/dev/null
		tr -d '\r' <typed | sed '1d;$d' >lines
		grep -q page-faults lines
		run ! grep -E ".{$((columns + 1))}" lines
	done
}
