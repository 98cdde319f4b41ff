# sonde flame --diff: what is drawn of two recordings, over counts that were reckoned by hand.
load common
load browser

# f: 500 of 1000, then 560: p = 0.53, z = 0.06 / sqrt(0.53 * 0.47 * 2 / 1000) = 2.69, whose chance is
# 0.0072: with three of the eight boxes beyond doubt (g: 300, then 100; gone: 100, then none; new: none,
# then 240) Holm asks for 0.05 / 5 at most. k: 60, then 80, has z = 1.75 and is noise.
setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	printf '%s\n' 'w;main;f 500' 'w;main;g 300' 'w;main;h 40' 'w;main;k 60' 'w;main;gone 100' >"$DATA/before"
	printf '%s\n' 'w;main;f 560' 'w;main;g 100' 'w;main;h 20' 'w;main;k 80' 'w;main;new 240' >"$DATA/after"
}

@test "the page tells changes, and how sure they are" {
	"$SONDE" flame -q --diff "$DATA/before" "$DATA/after" -o page.html
	PAGE=page.html drive 'sonde.functions().forEach(function (x) { var c = x.change;
			say([sonde.name(x.f), x.total, c.before.toFixed(3), c.after.toFixed(3), c.z.toFixed(2), c.real].join(" ")); });
		var t = sonde.panes()[0].tree; say(sonde.sum() + " " + t.sums[0][0] + " " + t.sums[1][0]);
		sonde.state.side = 0; sonde.update(); say(sonde.sum());
		sonde.view("inverted"); t = sonde.panes()[0].tree; say(t.sums[0][0] + " " + t.sums[1][0]);
		var f = sonde.functions().filter(function (x) { return sonde.name(x.f) === "gone"; })[0]; sonde.focus(f.f);
		say(sonde.panes().map(function (p) { return p.tree.sums[0][0] + "-" + p.tree.sums[1][0]; }).join());
		say(document.getElementById("command").textContent.indexOf("before: ") === 0);' >said
	cat said
	sort said | grep -E '^(f|g|h|k|gone|new|main) ' >rows
	diff - rows <<-'END'
		f 560 0.500 0.560 2.69 true
		g 100 0.300 0.100 -11.18 true
		gone 0 0.100 0.000 -10.26 true
		h 20 0.040 0.020 -2.62 true
		k 80 0.060 0.080 1.75 false
		main 1000 1.000 1.000 0.00 false
		new 240 0.000 0.240 16.51 true
	END
	[[ $(grep -vE '^(f|g|h|k|gone|new|main) ' said) == $'1000 1000 1000\n1000\n1000 1000\n100-0,100-0\ntrue' ]]
}

@test "the picture has the same, well-formed" {
	need python3
	"$SONDE" flame -q --diff "$DATA/before" "$DATA/after" -o x.svg
	python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' x.svg
	grep -o '<title>[^<]*</title>' x.svg | sort | tee titles
	grep -qF '<title>f (560 samples, 56.00%; 50.00% before, +6.00 points)</title>' titles
	grep -qF '<title>g (100 samples, 10.00%; 30.00% before, -20.00 points)</title>' titles
	grep -qF '<title>new (240 samples, 24.00%; 0.00% before, +24.00 points)</title>' titles
	grep -qF '<title>main (1,000 samples, 100.00%; 100.00% before, +0.00 points, noise)</title>' titles
	grep -qF '1,000 samples before, 1,000 after' x.svg
}

@test "recordings: the same one twice has no change; events that only one has are no reason to fail" {
	"$SONDE" record -q -g -e page-faults -o one -- "$WORKLOADS/burn" 0.1
	"$SONDE" record -q -g -e page-faults -e context-switches -o two -- "$WORKLOADS/burn" 0.1
	"$SONDE" flame -q --diff one two -o page.html
	"$SONDE" flame -q --diff one one -o same.svg
	run ! grep -E 'points\)' same.svg
	PAGE=page.html drive 'say(sonde.sum() > 0 && sonde.extras()[0].total[0] > 0);' >said
	[[ $(<said) == true ]]
	cp one perf.data.old
	cp two perf.data
	[[ $("$SONDE" flame --diff) == flame.html ]]
}

@test "what cannot be: one line" {
	echo 'a;b 1' >folded
	fails 129 "$SONDE" flame --diff one
	fails 129 "$SONDE" flame --diff one two three
	fails 129 "$SONDE" flame --diff -i one two three
	fails 129 "$SONDE" flame --diff --colors kind folded folded
	fails 1 "$SONDE" flame --diff folded none
	"$SONDE" record -q -e page-faults -o faults -- true
	fails 1 "$SONDE" flame -q --diff folded faults -o x.html
	says 'no event in common'
	fails 1 "$SONDE" flame -q --diff folded folded -o /no/such/folder/x.html
}
