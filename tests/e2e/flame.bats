# The flame graph as a page: well-formed, and working in a browser where there is one.
load common

input()
{
	printf '%s\n' 'app;main;f;g 40' 'app;main;h;g 20' 'app;main;f 10' \
		'app;main;<script>document.title="owned"</script> 30'
}

@test "the picture is well-formed XML, names that mean harm included" {
	need python3
	input | "$SONDE" flame -q --folded - -o page.svg
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' page.svg
	# every script element is the page's own one
	[[ $(grep -c '<script' page.svg) == 1 ]]
}

@test "an existing picture is replaced whole, or left as it was" {
	echo old >page.svg
	chmod 0644 page.svg
	run "$SONDE" flame -q --folded /nonexistent -o page.svg
	[[ $status == 1 && $(<page.svg) == old ]]
	input | "$SONDE" flame --folded - -o page.svg >said
	[[ $(<said) == page.svg ]]
	grep -q '</svg>' page.svg
	[[ $(ls) == $'page.svg\nsaid' ]]
}

@test "zoom, search, keys and reset work in a browser" {
	need chromium "chromium is not installed"
	input | "$SONDE" flame -q --folded - -o page.svg
	sed '$d' page.svg >driven.svg
	cat >>driven.svg <<'SCRIPT'
<script><![CDATA[
(function () {
	var said = [], boxes = Array.from(document.querySelectorAll('#frames > g'));
	function box(name) { return boxes.filter(function (g) {
		return g.querySelector('title').textContent.indexOf(name + ' (') === 0; })[0]; }
	function say(text) { said.push(text); }
	function seen() { return boxes.filter(function (g) { return !g.classList.contains('hide'); }).length; }
	function key(name, extra) { window.dispatchEvent(new KeyboardEvent('keydown',
		Object.assign({ key: name, cancelable: true }, extra))); }
	window.prompt = function () { return '^g$'; };
	say(seen());
	box('f').querySelector('rect').dispatchEvent(new MouseEvent('click', { bubbles: true }));
	say(box('f').querySelector('rect').getAttribute('width'));
	say(seen());
	key('f', { ctrlKey: true });
	say(document.getElementById('matched').textContent);
	say(document.querySelectorAll('.hit').length);
	key('Escape');
	say(seen());
	key('ArrowUp'); key('ArrowUp');
	say(document.querySelector('.current title').textContent);
	say(document.title);
	document.documentElement.setAttribute('data-said', said.join('|'));
}());
]]></script></svg>
SCRIPT
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$PWD/profile" --dump-dom "file://$PWD/driven.svg" >dom 2>errors ||
		skip "chromium does not run here: $(tail -n 1 errors)"
	grep -o 'data-said="[^"]*"' dom
	# all, app, main, f, h, the hostile one, g, g; zoomed to f: all, app, main, f, g
	grep -qF 'data-said="8|1180|5|Matched: 60.00%|2|8|main (100 samples, 100.00%)|Flame Graph"' dom
}

@test "recording to draw: its messages are flame's, and the place of the picture is looked at first" {
	fails 129 "$SONDE" flame -F abc true
	says '^sonde flame: -F takes'
	fails 1 "$SONDE" flame -o no/where.svg -- touch ran
	[[ ! -e ran ]]
	ls /sys/bus/event_source/devices | grep -qE '^(cpu|cpu_core|armv)' && skip "this machine has a PMU"
	run --separate-stderr "$SONDE" flame -F 99 -- "$WORKLOADS/burn" 0.2
	[[ $status == 0 && $output == *flame.html && $stderr == *"sampling event 'cpu-clock' instead"* ]]
}

@test "a recording whose picture cannot be written is kept" {
	TMPDIR=$PWD run --separate-stderr "$SONDE" flame -e cpu-clock -o /dev/full -- "$WORKLOADS/burn" 0.2
	[[ $status == 1 && $stderr == *"the recording is kept: "* ]]
	file=$(sed -n 's/.*the recording is kept: //p' <<<"$stderr")
	"$SONDE" report -i "$file" | grep -q burn
}

@test "under sudo what is written belongs to the caller" {
	need_root
	export SUDO_UID=65534 SUDO_GID=65534
	input | "$SONDE" flame -q --folded - -o page.svg
	"$SONDE" record -q -e cpu-clock true
	"$SONDE" fold -o folded
	"$SONDE" stat -e cpu-clock -o counts true
	[[ $(stat -c %u:%g page.svg perf.data folded counts | sort -u) == 65534:65534 ]]
}

@test "a page is the default; -o FILE.svg and --svg make the picture" {
	"$SONDE" record -q -e page-faults -o faults -- true
	[[ $("$SONDE" flame -i faults) == flame.html && $("$SONDE" flame -i faults --svg) == flame.svg ]]
	grep -q '^<!DOCTYPE html>' flame.html
	grep -q '^<svg' flame.svg
	"$SONDE" flame -q -i faults -o x.svg
	"$SONDE" flame -q -i faults --html -o y.svg
	grep -q '^<svg' x.svg
	grep -q '^<!DOCTYPE html>' y.svg
	# a page has all events: that only one is drawn is said of the picture alone
	"$SONDE" record -q -e page-faults -e context-switches -o two -- true
	"$SONDE" flame -i two 2>said
	run ! grep -q 'is drawn' said
}

@test "--open starts what BROWSER names, without a shell, and is refused where there is none" {
	printf '#!/bin/sh\nprintf "%%s\n" "$@" >"$TOLD.part"; mv "$TOLD.part" "$TOLD"\n' >show
	chmod +x show
	export TOLD=$PWD/told
	"$SONDE" record -q -e page-faults -o faults -- true
	BROWSER="$PWD/show --new-window %s ; \$(touch ran):other" "$SONDE" flame -q --open -i faults -o 'a page;x.html'
	# the browser is not waited for: up to a minute, on a machine that is very busy
	for ((i = 0; i < 600; i++)); do [[ -e told ]] && break; sleep 0.1; done
	printf '%s\n' --new-window "$PWD/a page;x.html" ';' '$(touch' 'ran)' >want
	diff want told
	[[ ! -e ran ]]
	BROWSER=$PWD/none fails 1 "$SONDE" flame --open -i faults -o new.html
	[[ ! -e new.html ]]
	PATH=/none BROWSER='' fails 1 "$SONDE" flame --open -i faults -o new.html
	says 'no xdg-open'
	BROWSER='' DISPLAY='' fails 129 "$SONDE" flame --open -i faults -o -
}
