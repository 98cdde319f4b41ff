# Differences between recordings of a program whose shares are known. What is noise is
# asked at a level of 99.99 %: at 95 % every twentieth run would find something by chance.
load common

# record FILE UNITS [SECONDS] [PROGRAM]
record()
{
	"$SONDE" record -q -e cpu-clock -F 999 -g -o "$1" "${4:-$WORKLOADS/burn}" "${3:-3}" "$2" >/dev/null
}

# The usual shares, and others: what the tests compare.
setup_file()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	record a.data aaaaabbbcc
	record b.data aaabbbbbcc
}

# these NAME...: those recordings, here
these()
{
	for name; do cp "$BATS_FILE_TMPDIR/$name" .; done
}

# column FUNCTION NAME: of diff --csv on standard input
column()
{
	awk -F , -v f="$1" -v name="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i }
		NR > 1 && $NF ~ "] " f "$" { print $c }'
}

@test "twice the same program: no difference is more than noise" {
	# By chance one pair in twenty has one; three pairs in a row are one in eight thousand.
	# Only the program's own rows: what interrupts it is no workload of ours.
	these a.data
	for try in 1 2 3; do
		((try == 1)) || record a.data aaaaabbbcc
		record b.data aaaaabbbcc
		"$SONDE" diff -s sym a.data b.data
		"$SONDE" diff -q -s sym -d burn --percentage relative a.data b.data >rows
		grep -q burn_a rows
		[[ -z $("$SONDE" diff -q -s sym -d burn --percentage relative --significant a.data b.data) ]] &&
			return 0
	done
	return 1
}

@test "shares that changed are found, with their size, and the one that did not is noise" {
	these a.data b.data
	"$SONDE" diff --level 99.99 --csv a.data b.data >diff.csv
	"$SONDE" diff --level 99.99 a.data b.data
	[[ $(column burn_a 1_noise <diff.csv) == 0 && $(column burn_b 1_noise <diff.csv) == 0 ]]
	[[ $(column burn_c 1_noise <diff.csv) == 1 ]]
	# 20 points; the standard error is sqrt(.5 * .5 / 3000 + .3 * .7 / 3000), 1.24 points
	for f in burn_a:-20 burn_b:20; do
		awk -v d="$(column "${f%:*}" 1_delta_percent <diff.csv)" -v e="${f#*:}" '
			BEGIN { exit !(d != "" && d - e < 5 && e - d < 5) }'
	done
	# the two largest stand first
	"$SONDE" diff -q -s sym a.data b.data | head -2 | sort -k 6 >first
	grep -q 'burn_a$' first
	grep -q 'burn_b$' first
}

@test "the call path tells where the change is" {
	these a.data b.data
	for by in -g --call-graph "--by path"; do
		# shellcheck disable=SC2086
		"$SONDE" diff -q $by --significant a.data b.data | head -2 >paths
		cat paths
		grep -q 'burn_a <- phase <- main <- ' paths
		grep -q 'burn_b <- phase <- main <- ' paths
	done
}

@test "amounts: half the run is half the time, and the shares stay" {
	these a.data
	record b.data aaaaabbbcc 1.5
	"$SONDE" diff -q -c ratio -s comm a.data b.data
	# ratio, with its interval, of 3000 and 1500 samples
	"$SONDE" diff --csv -c ratio -s comm a.data b.data |
		awk -F , 'NR == 2 { exit !($11 > 0.47 && $11 < 0.53 && $13 == 0) }'
	[[ -z $("$SONDE" diff -q -s comm --level 99.99 --significant a.data b.data) ]]
}

@test "a program that was built otherwise is matched by name" {
	need cc
	need nm
	mkdir other
	cc -O1 -fno-omit-frame-pointer -falign-functions=4096 -o other/burn \
		"$TOP/tests/workloads/burn.c"
	run ! cmp <(nm other/burn | grep burn_) <(nm "$WORKLOADS/burn" | grep burn_)
	these a.data
	record b.data aaabbbbbcc 3 "$PWD/other/burn"
	"$SONDE" diff --csv a.data b.data >diff.csv
	"$SONDE" diff a.data b.data
	for f in burn_a burn_b burn_c; do
		[[ $(column "$f" baseline_samples <diff.csv) -gt 100 ]]
		[[ $(column "$f" 1_samples <diff.csv) -gt 100 ]]
	done
}

@test "baseline and delta are perf diff's" {
	need perf
	these a.data b.data
	# Lines that are in both recordings: what is gone has no delta in perf's table, and
	# addresses without a name are rows of their own there.
	perf diff -q -t , a.data b.data 2>/dev/null | sed 's/ *,/,/g; s/[ %]*$//' |
		awk -F , '$1 != "" && $2 != "" && $4 ~ /[a-z]/ && $4 !~ /0x|\] 0|plt$|_init$/ { print $1 + 0, $2 + 0, $3, $4 }' |
		sort >perf.rows
	"$SONDE" diff -q -t , a.data b.data |
		awk -F , '$1 != "" && $4 != "gone" && $7 !~ /\+0x|plt$|\[unknown\]/ { print $1 + 0, $2 + 0, $6, $7 }' | sort >sonde.rows
	diff perf.rows sonde.rows
	[[ $(grep -c burn_ perf.rows) == 3 ]]
}

@test "perf.data.old and perf.data are meant when nothing is named" {
	these a.data b.data
	mv a.data perf.data.old
	mv b.data perf.data
	"$SONDE" diff >none
	"$SONDE" diff perf.data >one
	"$SONDE" diff perf.data.old perf.data >two
	cmp none one
	cmp none two
	grep -q burn_a none
}

@test "JSON and CSV are sound" {
	these a.data
	"$SONDE" diff -j -g -s comm,dso a.data a.data a.data >d.json
	need python3
	python3 - <<-'EOF'
		import json
		d = json.load(open("d.json"))
		assert d["schema"] == "sonde-diff" and len(d["files"]) == 3
		rows = d["events"][0]["rows"]
		assert all(f["delta"] == 0 and f["noise"] for r in rows for f in r["files"][1:])
		assert any(r["path"][-1] == "burn_a" and r["dso"] == "burn" for r in rows)
	EOF
	"$SONDE" diff --csv a.data a.data |
		python3 -c 'import csv, sys; r = list(csv.reader(sys.stdin)); assert all(len(x) == len(r[0]) for x in r)'
}

@test "what cannot be compared is refused in one line" {
	these a.data
	"$SONDE" record -q -e page-faults -c 1 -o f.data "$WORKLOADS/faults" 10
	fails 1 "$SONDE" diff a.data missing.data
	says "missing.data"
	fails 1 "$SONDE" diff -q a.data f.data
	says "no event in common"
	fails 1 "$SONDE" diff -q --by path f.data f.data
	says "no call chains"
	fails 129 "$SONDE" diff -c cycles a.data a.data
	says "not compared"
	fails 129 "$SONDE" diff -c median a.data a.data
	fails 129 "$SONDE" diff -o 2 a.data a.data
	fails 129 "$SONDE" diff --level 100 a.data a.data
	fails 129 "$SONDE" diff --json --csv a.data a.data
	fails 129 "$SONDE" diff --stream a.data a.data
	says "-g compares call paths"
	fails 1 "$SONDE" diff --time 0%-50%:0%-50%:1%-2% a.data a.data
	fails 129 "$SONDE" diff - -
}

@test "with children a function's share has what it called" {
	these a.data b.data
	"$SONDE" diff --level 99.99 --children --csv a.data b.data >diff.csv
	"$SONDE" diff --level 99.99 --children a.data b.data
	# main and phase are in all samples of both, and did not change
	for f in main phase; do
		[[ $(column "$f" 1_noise <diff.csv) == 1 ]]
		for n in baseline 1; do
			[[ $(column "$f" ${n}_samples <diff.csv) -gt 2000 ]]
		done
	done
	[[ $(column burn_a 1_noise <diff.csv) == 0 ]]
	# as many samples as report's chains have
	"$SONDE" report -i a.data -q -g none --no-inline --children -F overhead_children,sym -t , -s sym >rows
	p=$(awk -F , '/ phase$/ { print $1 + 0 }' rows)
	n=$("$SONDE" script -i a.data -F comm | grep -c .)
	awk -v p="$p" -v n="$n" -v s="$(column phase baseline_samples <diff.csv)" \
		'BEGIN { d = 100 * s / n - p; exit !(d < 0.02 && d > -0.02) }'
	fails 129 "$SONDE" diff --children -g a.data b.data
	says "does not go with -g"
}
