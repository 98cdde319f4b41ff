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

@test "a tap zooms, a drag over the strip or the heat map chooses a part, a stack goes to the clipboard" {
	drive 'var all = sonde.sum(), n = sonde.state.to, picture = document.getElementById("picture"), strip = document.getElementById("strip");
		function point(on, type, x, y) {
			on.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, pointerType: "touch", bubbles: true }));
		}
		function at(b, type) {
			var r = picture.getBoundingClientRect();
			picture.dispatchEvent(new MouseEvent(type, { clientX: r.left + b.x + b.w / 2, clientY: r.top + b.y + 9, bubbles: true }));
		}
		function named(name) { return sonde.boxes().filter(function (b) { return sonde.name(b.pane.tree.frame[b.node]) === name; })[0]; }
		/* the picture is as high as what is seen of it */
		var deepest = 0;
		sonde.boxes().forEach(function (b) { deepest = Math.max(deepest, b.pane.tree.depth[b.node]); });
		say(picture.clientHeight === 18 * (deepest + 1));
		var b = named("main"), w = b.w; at(b, "click");
		say(named("main").w > w && named("main").w > 1100);
		at(named("main"), "dblclick"); say(sonde.state.view);
		sonde.view("flame");
		/* by the strip: the first half, and with one tap all again */
		var r = strip.getBoundingClientRect(), half;
		point(strip, "pointerdown", r.left, r.top + 5); point(strip, "pointerup", r.left + r.width / 2, r.top + 5);
		half = sonde.sum(); say(sonde.state.from === 0 && Math.abs(sonde.state.to - n / 2) < 2 && half > 0 && half < all);
		r = strip.getBoundingClientRect();
		point(strip, "pointerdown", r.left + 50, r.top + 5); point(strip, "pointerup", r.left + 50, r.top + 5);
		say(sonde.sum() === all);
		/* by the heat map: a cell of the first column at its foot to one of the last at its head is all */
		document.getElementById("heat").onclick();
		r = strip.getBoundingClientRect(); say(r.height);
		point(strip, "pointerdown", r.left + 1, r.bottom - 0.01); point(strip, "pointerup", r.right - 0.01, r.top + 0.01);
		say(sonde.state.from === 0 && sonde.state.to === n && sonde.sum() === all);
		r = strip.getBoundingClientRect();
		point(strip, "pointerdown", r.left + 1, r.bottom - 0.01); point(strip, "pointerup", r.left + 1, r.bottom - 20);
		var second = 1e9 / JSON.parse(document.getElementById("meta").textContent).bucket_ns;
		say(sonde.state.from === 0 && Math.abs(sonde.state.to - 1 - second * 20 / 150) <= 1 && sonde.sum() < all);
		document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
		/* the clipboard as a page has it, and where it has none */
		var copied = [];
		Object.defineProperty(navigator, "clipboard", { configurable: true, value: { writeText: function (t) { copied.push(t); return Promise.resolve(); } } });
		at(named("burn_c"), "click"); document.getElementById("do-copy").onclick();
		say(copied[0].split("\n")[0] + " " + (copied[0].split("\n").indexOf("main") > 0));
		Object.defineProperty(navigator, "clipboard", { configurable: true, value: undefined });
		document.execCommand = function (what) { copied.push(what + " " + document.activeElement.value); };
		document.getElementById("do-copy").onclick(); say(copied[1] === "copy " + copied[0]);' >said
	cat said
	[[ $(<said) == $'true\ntrue\naround\ntrue\ntrue\n150\ntrue\ntrue\nburn_c true\ntrue' ]]
}
