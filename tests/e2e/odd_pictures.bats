# Pages, tables and exports of recordings that have little in them, and of names that mean harm.
load common
load browser

FORMS="pprof firefox speedscope chrome perfetto callgrind json csv folded"

# sensible NAME SAMPLES: page, picture, report and exports of it, without a number that is none
sensible()
{
	local file=$1 want=$2 form
	"$SONDE" flame -q -i "$file" -o "$file.html"
	"$SONDE" flame -q -i "$file" -o "$file.svg"
	"$SONDE" report --stdio -i "$file" >"$file.txt"
	for form in $FORMS; do
		"$SONDE" export --$form -q -i "$file" -o "$file.$form"
	done
	"$SONDE" flame -q --diff "$file" "$file" -o "$file.diff.html" 2>said || grep -q 'no event in common' said
	run ! grep -aiE '(^|[^a-z_])-?(nan|inf)([^a-z_]|$)' "$file.txt" "$file.json" "$file.csv" "$file.firefox" "$file.chrome"
	run ! grep -E '="-?(nan|inf)' "$file.svg"
	awk -v want="$want" '{ n += $NF } END { exit n + 0 != want }' "$file.folded"
	python3 - "$file" "$want" <<-'END'
		import csv, json, sys, xml.dom.minidom
		file, want = sys.argv[1], int(sys.argv[2])
		xml.dom.minidom.parse(file + ".svg")
		for form in "firefox", "speedscope", "chrome", "json": json.load(open(file + "." + form))
		assert sum(s["samples"] for s in json.load(open(file + ".json"))["samples"]) == want
		assert sum(s["weight"] for s in json.load(open(file + ".chrome"))["samples"]) == want
		assert sum(sum(t["samples"]["weight"]) for t in json.load(open(file + ".firefox"))["threads"]) == want
		assert sum(sum(p["weights"]) for p in json.load(open(file + ".speedscope"))["profiles"]) == want
		assert sum(int(r["samples"]) for r in csv.DictReader(open(file + ".csv", newline=""))) == want
	END
	PAGE=$file.html drive 'say(sonde.sum()); ["icicle", "inverted", "table", "flame"].forEach(sonde.view);
		sonde.functions().forEach(function (x) { if (!(x.self >= 0 && x.total >= 0)) say("BAD"); });
		document.getElementById("search").value = "."; sonde.update(); say(/NaN|undefined/.test(document.body.innerText));' >said
	cat said
	[[ $(<said) == "$want"$'\nfalse' ]]
}

@test "no sample at all, and one without a call chain" {
	need python3
	"$SONDE" record -q -e page-faults:k -c 1000000 -o none -- true
	sensible none 0
	"$SONDE" record -q -e cpu-clock:u -o many -- "$WORKLOADS/burn" 0.1
	first=$("$SONDE" script -F time -i many 2>/dev/null | head -n 1 | tr -d ' :')
	# what is as early as the first sample: that one alone
	"$SONDE" script -i many 2>/dev/null | awk -v t="$first:" 'index($0, t) { print; exit }' >one
	[[ $(wc -l <one) == 1 ]]
	sensible one 1
}

@test "only the kernel" {
	need python3
	need_kernel
	"$SONDE" record -q -g -e page-faults -c 1 -o all -- true
	"$SONDE" fold -q --kernel -i all | awk '/_\[k\]/ { n = $NF; sub(/ [0-9]+$/, ""); k = split($0, f, ";"); s = f[1]
		for (i = 2; i <= k; i++) if (f[i] ~ /_\[k\]$/) s = s ";" f[i]; print s, n }' >kernel
	[[ -s kernel ]] || skip "no page fault was taken in the kernel"
	sensible kernel "$(awk '{ n += $NF } END { print n }' kernel)"
}

@test "names with markup, quotes, emoji, marks that turn the writing, and 4 KB stay text" {
	need python3
	long=$(printf 'std::map<std::string, std::vector<int> >::%.0s' $(seq 100))
	{
		printf '%s\n' 'a"b<c>;</script><script>document.title="owned"</script> 3' 'w;<img src=http://example.com/x onerror=say(1)> 2' \
			$'w;\U1F600 \u202eevil\u202c 4' 'w;--></style>&amp;&lt; 5' $'w;\x01\x1b[31m\xff\xfe 1'
		printf 'w;%s 6\n' "$long"
	} >names
	[[ ${#long} -gt 4000 ]]
	sensible names 21
	PAGE=names.html drive 'say(document.title); say(document.querySelectorAll("img").length + document.querySelectorAll("script[src],link,iframe").length);
		sonde.view("table"); say(document.querySelectorAll("#rows img, #rows script").length);
		say(performance.getEntriesByType("resource").length);
		var all = sonde.functions().map(function (x) { return sonde.name(x.f); });
		say(all.some(function (n) { return n === "\u{1F600} \u202eevil\u202c"; }) && all.some(function (n) { return n.length > 4000; }) &&
			all.indexOf("<img src=http://example.com/x onerror=say(1)>") >= 0);' >said
	cat said
	[[ $(tail -n 4 said) == $'0\n0\n0\ntrue' ]]
	run ! grep -qE 'owned|VIOLATION|ERROR' said
}
