# sonde flame --html: the page in a browser shows what the report says.
load common
load browser

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	cp "$WORKLOADS/burn" "$DATA/<img src=x onerror=alert()>&\""
	"$SONDE" record -q -F 1999 -g -e cpu-clock:u -e page-faults -o "$DATA/two" -- sh -c \
		'"$0" 0.3; exec "$1" 0.1' "$WORKLOADS/burn" "$DATA/<img src=x onerror=alert()>&\""
	"$SONDE" flame -q --html -i "$DATA/two" -o "$DATA/page.html"
}

@test "samples of each event and function are those of perf and of the report" {
	drive 'say(sonde.sum()); sonde.functions().forEach(function (x) {
		if (/^burn_[abc]$/.test(sonde.name(x.f))) say(sonde.name(x.f) + " " + x.self + " " + x.total); });
		sonde.state.event = 1; sonde.update(); say(sonde.sum());' >said
	cat said
	perf script -i "$DATA/two" -F event 2>/dev/null |
		awk 'NF { n[$1]++ } END { print n["cpu-clock:u:"]; print n["page-faults:"] }' >want
	cat want
	[[ $(sed -n 1p said) == $(sed -n 1p want) && $(tail -n 1 said) == $(sed -n 2p want) ]]
	# percent of the report against samples of the page
	"$SONDE" report --stdio -n -t , -g none -s sym --no-children -i "$DATA/two" 2>/dev/null |
		awk -F , '/^# Samples/ { n++ } n == 1 && /burn_[abc]$/ { sub(/.* /, "", $3); print $3, $2 }' |
		sort >report
	# of two programs, so each name is there twice
	awk '/^burn/ { print $1, $2 }' said | sort >page
	[[ $(wc -l <page) == 6 ]]
	diff report page
}

@test "flame, callers, around, search and zoom add up" {
	drive 'var all = sonde.sum(), t, f, self = 0, mains = 0;
		say(sum(sonde.panes()[0].tree) === all);
		sonde.functions().forEach(function (x) { self += x.self; if (sonde.name(x.f) === "main") { f = x; mains += x.total; } });
		say(self === all);
		sonde.view("inverted"); say(sum(sonde.panes()[0].tree) === all);
		sonde.focus(f.f); say(sonde.panes().map(function (p) { return p.tree.total[0] === f.total; }).join());
		sonde.view("icicle");
		document.getElementById("search").value = "^main$"; sonde.update();
		say(sonde.matched() === mains);
		var b = sonde.boxes().filter(function (b) { return sonde.name(b.pane.tree.frame[b.node]) === "main"; })[0], w = b.w;
		sonde.zoom(b);
		b = sonde.boxes().filter(function (c) { return c.node === b.node; })[0];
		say(b.w > w || w > 1100); say(b.w > 1100);' >said
	cat said
	[[ $(<said) == $'true\ntrue\ntrue\ntrue,true\ntrue\ntrue\ntrue' ]]
}

@test "parts of the time and threads are parts of the whole" {
	drive 'var all = sonde.sum(), n = sonde.state.to, a, b, threads = 0, tasks = document.getElementById("task").options;
		say(n > 50);
		sonde.span(0, n >> 1); a = sonde.sum();
		sonde.span(n >> 1, n); b = sonde.sum();
		say(a > 0 && b > 0 && a + b === all);
		sonde.span(0, n);
		for (var i = 0; i + 1 < tasks.length; i++) { sonde.state.task = i; sonde.update(); threads += sonde.sum(); }
		say(threads === all);' >said
	cat said
	[[ $(<said) == $'true\ntrue\ntrue' ]]
}

@test "keys do what the help says; names stay text" {
	drive 'var key = function (k) { document.dispatchEvent(new KeyboardEvent("keydown", { key: k, bubbles: true, cancelable: true })); };
		key("t"); say(sonde.state.view + document.querySelectorAll("#rows tr").length.toString().replace(/[1-9][0-9]*/, "+"));
		key("v"); say(sonde.state.view); key("f"); say(sonde.state.view);
		key("ArrowUp"); key("ArrowUp"); key("s"); say(sonde.state.view);
		key("Escape"); say(sonde.state.view);
		key("?"); say(document.getElementById("help").hidden);
		say(document.querySelectorAll("img").length);
		say(Array.from(document.getElementById("task").options).some(function (o) { return o.textContent.indexOf("<img src=x") === 0; }));' >said
	cat said
	[[ $(<said) == $'table+\ninverted\nflame\naround\nflame\nfalse\n0\ntrue' ]]
	# nothing in the page names a place to load from
	run ! grep -nE '(src|href) *= *["'"'"']?(https?:|//)' "$DATA/page.html"
}

@test "recordings with nothing, without chains and through a pipe give a page" {
	"$SONDE" record -q -e page-faults:k -c 1000000 -o none -- true
	"$SONDE" record -q -e cpu-clock:u -o flat -- "$WORKLOADS/burn" 0.1
	for file in none flat; do
		"$SONDE" flame -q -i $file -o $file.html
		grep -q '</html>' $file.html
	done
	"$SONDE" flame -q -i - -o piped.html --html <flat
	grep -q '</html>' piped.html
	PAGE=none.html drive 'say(sonde.sum()); sonde.view("table"); sonde.view("inverted"); say("alive");' >said
	cat said
	[[ $(<said) == $'0\nalive' ]]
	fails 1 "$SONDE" flame --html --folded x
	fails 129 "$SONDE" flame --html --svg -i flat
	fails 129 "$SONDE" flame --width 700 -i flat
	fails 129 "$SONDE" flame --colors hot -i flat
}

@test "processes, CPUs and both halves of a ratio are parts of the whole; stacks are copied" {
	drive 'var all = sonde.sum(), part = 0, name = sonde.name;
		["process", "cpu"].forEach(function (id) {
			part = 0;
			for (var i = 0; i + 1 < document.getElementById(id).options.length; i++) { sonde.state[id] = i; sonde.update(); part += sonde.sum(); }
			sonde.state[id] = -1; sonde.update();
			say(part === all);
		});
		say(document.getElementById("process").options.length);
		var colors = document.getElementById("colors"), other = 0;
		sonde.state.event = 1; sonde.update(); other = sonde.sum();
		sonde.state.event = 0; sonde.state.over = 1; sonde.update();
		var t = sonde.panes()[0].tree; say(t.sums[0][0] === other && t.total[0] === all);
		say(Array.from(colors.options).some(function (o) { return o.textContent === "for each of page-faults"; }));
		sonde.state.over = -1; sonde.view("flame");
		var b = sonde.boxes().filter(function (b) { return name(b.pane.tree.frame[b.node]) === "burn_b"; })[0];
		var lines = sonde.stack(b).split("\n"); say(lines[0] + " " + (lines.indexOf("main") > 0));
		document.dispatchEvent(new Event("x")); window.dispatchEvent(new Event("beforeprint"));
		say(document.documentElement.className); window.dispatchEvent(new Event("afterprint"));' >said
	cat said
	# sh became burn, and then the second one
	[[ $(<said) == $'true\ntrue\n3\ntrue\ntrue\nburn_b true\nlight' ]]
}
