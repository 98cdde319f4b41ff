# The page of sonde flame in a browser: 4 million samples with 100,000 distinct stacks.

# Walks from the root of a program of 4,000 functions, along few roads where many go; the
# counts are such that few stacks have most of the samples.
page_stacks()
{
	awk -v stacks="$1" -v samples="$2" 'BEGIN {
		srand(7)
		for (i = 0; i < 4000; i++)
			name[i] = "app::module" i % 37 "::function_" i (i % 5 ? "(int, char const*)" : "<std::vector<std::string> >::call")
		while (n < stacks) {
			t = n % 8; s = "worker-100/" 100 + t ";main;run_" t; d = 6 + int(rand() * 30); f = t * 13
			for (k = 0; k < d; k++) { f = (f * 31 + 7 + int(rand() * rand() * 4)) % 4000; s = s ";" name[f] }
			if (s in seen) continue
			seen[s] = 1; left -= c = 1 + int(samples / stacks / 8.2 / (rand() + 0.02)); line[n++] = s " " c
		}
		left += samples
		for (i = 0; i < n; i++) print line[i]
		if (left > 0) print "worker-100/100;main;run_0", left
	}'
}

# page_drive FILE: opened, the median and the largest of 20 zooms; milliseconds
page_drive()
{
	sed '/^<\/body>/d' "$1" >"$TMP/driven.html"
	cat >>"$TMP/driven.html" <<-'END'
		<script>(function () {
		var c = document.getElementById('picture').getContext('2d'), times = [];
		/* what was drawn is there when a pixel of it can be read */
		function drawn() { c.getImageData(0, 0, 1, 1); return performance.now(); }
		var opened = drawn(), boxes = sonde.boxes().slice().sort(function (a, b) { return b.w - a.w; });
		for (var i = 0; i < 20; i++) {
			var t = performance.now();
			sonde.zoom(boxes[Math.floor((boxes.length - 1) * i / 20)]);
			times.push(drawn() - t);
		}
		times.sort(function (a, b) { return a - b; });
		var out = document.createElement('pre');
		out.id = 'said';
		out.textContent = '@' + [opened, times[10], times[19], sonde.sum()].map(Math.round).join(' ') + '@';
		document.body.appendChild(out);
		}());</script></body></html>
	END
	timeout 120 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$TMP/profile" --window-size=1200,900 --dump-dom "file://$TMP/driven.html" 2>/dev/null |
		sed -n 's/.*<pre id="said">@\(.*\)@<\/pre>.*/\1/p'
}

case_page()
{
	local stacks=100000 samples=4000000 folded=$BENCH/page.folded opened zoom most sum svg='' mb
	((QUICK)) && stacks=10000 samples=400000
	[[ -s $folded-$stacks ]] || page_stacks $stacks $samples >"$folded-$stacks"
	take sonde "$SONDE" flame -q -i "$folded-$stacks" -o "$TMP/page.html" || return
	"$SONDE" flame -q --folded "$folded-$stacks" -o "$TMP/page.svg" || return
	mb=$(calc "$(stat -c %s "$TMP/page.html") / 1e6")
	row "flame, page" - "$(median sonde)" - - -
	if command -v flamegraph.pl >/dev/null; then
		flamegraph.pl "$folded-$stacks" >"$TMP/theirs.svg" 2>/dev/null
		svg=", flamegraph.pl's $(calc "$(stat -c %s "$TMP/theirs.svg") / 1e6")"
	fi
	note "page of $samples samples, $stacks distinct stacks: $mb MB (goal: below 10); sonde's SVG" \
		"$(calc "$(stat -c %s "$TMP/page.svg") / 1e6") MB$svg"
	command -v chromium >/dev/null || { note "chromium is not installed: the page was not opened"; return 0; }
	read -r opened zoom most sum < <(page_drive "$TMP/page.html")
	[[ -n ${sum:-} ]] || { echo "bench: the page says nothing in chromium" >&2; return 1; }
	note "page in Chromium: opened after $opened ms (goal: 2000), a zoom takes $zoom ms (median of 20), $most ms" \
		"at most (goal: 100); it has $sum samples"
}

# The forms with a line for each sample: memory is to grow with stacks and threads, not with samples.
case_export()
{
	local form n
	for n in 1000000 4450000; do
		((QUICK)) && ((n /= 10))
		input redis "$n" || return
		for form in speedscope chrome firefox perfetto; do
			alone "export --$form of $n" "$REPLY" "$SONDE export --$form -q -i $REPLY"
		done
	done
}
