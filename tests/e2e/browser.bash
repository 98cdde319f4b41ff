# What the tests of pages share: a browser without a screen.
# shellcheck shell=bash disable=SC2154

# drive SCRIPT: run it in the page; what it gives to say() is printed, a line each.
drive()
{
	need chromium "chromium is not installed"
	sed '/^<\/body>/d' "${PAGE:-$DATA/page.html}" >driven.html
	cat >>driven.html <<-END
		<script>(function () {
		var said = [], say = function (x) { said.push(x); };
		window.addEventListener('securitypolicyviolation', function () { said.push('VIOLATION'); });
		window.addEventListener('error', function (e) { said.push('ERROR ' + e.message); });
		var sum = function (t) { var n = 0; t.kids(0).forEach(function (k) { n += t.total[k]; }); return n; };
		try { $1 } catch (e) { say('ERROR ' + e); }
		var out = document.createElement('pre');
		out.id = 'said';
		out.textContent = '@' + said.join('@') + '@';
		document.body.appendChild(out);
		}());</script></body></html>
	END
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$PWD/profile" --window-size=1200,900 --dump-dom "file://$PWD/driven.html" \
		>dom 2>errors || skip "chromium does not run here: $(tail -n 1 errors)"
	sed -n 's/.*<pre id="said">@\(.*\)@<\/pre>.*/\1/p' dom | tr @ '\n'
}
