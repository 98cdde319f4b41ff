# Sonde's numbers are perf's: on one file, whoever wrote it, the shares of functions
# with and without children, and the folded stacks. perf is the oracle; where the two
# differ, the text of perf script and of sonde script must differ for a known cause
# (script_diff.awk) and by as much.
load common

# both NAME COMMAND...: recorded by sonde and by perf.
both()
{
	"$SONDE" record -q -F 2999 -e cpu-clock -g -o "sonde.$1" "${@:2}" >/dev/null 2>&1 || rm -f "sonde.$1"
	for _ in 1 2 3; do
		perf record -q -F 2999 -e cpu-clock -g -o "perf.$1" "${@:2}" >/dev/null 2>&1 && return
	done
	rm -f "perf.$1"
}

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	command -v perf >/dev/null || return 0
	cd "$DATA" || return 1
	if command -v cc >/dev/null; then
		CCACHE_DISABLE=1 both cc cc -O2 -I"$TOP" -I"$TOP/src" -D_GNU_SOURCE -c "$TOP/src/base/str.c" -o str.o
	fi
	if command -v python3 >/dev/null; then
		cat >work.py <<-'END'
			import hashlib, json, re
			d = {hashlib.md5(str(i).encode()).hexdigest(): [i, str(i)] for i in range(60000)}
			s = json.dumps(d)
			print(len(re.findall(r'[a-f]{3}\d', s)), len(json.loads(s)), sorted(d)[0])
		END
		both python3 "$(python3 -c 'import sys; print(sys.executable)')" work.py
	fi
	if command -v sqlite3 >/dev/null; then
		cat >work.sql <<-'END'
			create table t(a integer, b text, c real);
			with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
			insert into t select i, 'name' || (i * 7919 % 10007), i * 0.37 from n;
			create index tb on t(b);
			select count(*), sum(c), b from t group by b order by 2 desc limit 5;
		END
		both sqlite3 sqlite3 :memory: '.read work.sql'
	fi
	return 0
}

# texts FILE: both scripts' text, which must differ for known causes only. perf's is made once.
texts()
{
	need perf
	[[ -e $1 ]] || skip "$(basename "$1"): its program is not installed, or it cannot be recorded here"
	[[ -e $1.perf.txt ]] || perf script --no-inline -i "$1" >"$1.perf.txt" 2>/dev/null
	cp "$1.perf.txt" perf.txt
	"$SONDE" script --no-inline -i "$1" >sonde.txt 2>/dev/null
	[[ -s perf.txt ]]
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
}

# rows FILE OPTION >rows: "PERCENT;SAMPLES;DSO;[k] NAME"
perf_rows()
{
	perf report --no-inline --stdio -g none -i "$1" -s dso,sym -t ';' "${@:2}" 2>/dev/null |
		sed '/^#/d; /^ *$/d; s/^ *//; s/ *; */;/g; s/ *$//'
}

sonde_rows()
{
	"$SONDE" report --no-inline --stdio -g none -i "$1" -s dso,sym -t ';' "${@:2}" 2>/dev/null |
		sed '/^#/d; /^ *$/d; s/^ *//'
}

# agree FILE: every function of half a percent and more, with children and without.
agree()
{
	texts "$1"
	for t in perf sonde; do
		awk -v children=1 -f "$TOP/tests/e2e/script_fold.awk" $t.txt >$t.kids
	done
	for children in 0 1; do
		local option=--no-children fields=overhead,sample,dso,sym
		((children)) && option=--children fields=overhead_children,sample,dso,sym
		perf_rows "$1" $option -F $fields >perf.rows
		sonde_rows "$1" $option -F $fields >sonde.rows
		[[ -s perf.rows ]]
		echo "$option:"
		awk -v limit=0.5 -v children=$children -f "$TOP/tests/e2e/report_agree.awk" \
			perf.kids sonde.kids perf.rows sonde.rows
	done
}

# folded FILE: sonde fold against stacks made of the text, one by one.
folded()
{
	texts "$1"
	awk -f "$TOP/tests/e2e/script_fold.awk" sonde.txt | sort >text.folded
	awk -f "$TOP/tests/e2e/script_fold.awk" perf.txt | sort >perf.folded
	"$SONDE" fold --no-inline -i "$1" 2>/dev/null | sort >sonde.folded
	[[ -s sonde.folded ]]
	echo "$(wc -l <sonde.folded) stacks, $(comm -12 perf.folded sonde.folded | wc -l) the same in perf's text"
	diff text.folded sonde.folded
	# no sample is lost or made up on the way
	[[ $(awk '{ s += $NF } END { print s }' perf.folded) == $(awk '{ s += $NF } END { print s }' sonde.folded) ]]
}

@test "a compile, recorded by sonde: shares as perf's" { agree "$DATA/sonde.cc"; }
@test "a compile, recorded by perf: shares as perf's" { agree "$DATA/perf.cc"; }
@test "python3, recorded by sonde: shares as perf's" { agree "$DATA/sonde.python3"; }
@test "python3, recorded by perf: shares as perf's" { agree "$DATA/perf.python3"; }
@test "sqlite3, recorded by sonde: shares as perf's" { agree "$DATA/sonde.sqlite3"; }
@test "sqlite3, recorded by perf: shares as perf's" { agree "$DATA/perf.sqlite3"; }

@test "a compile, recorded by sonde: stacks as in the text" { folded "$DATA/sonde.cc"; }
@test "a compile, recorded by perf: stacks as in the text" { folded "$DATA/perf.cc"; }
@test "python3, recorded by sonde: stacks as in the text" { folded "$DATA/sonde.python3"; }
@test "python3, recorded by perf: stacks as in the text" { folded "$DATA/perf.python3"; }
@test "sqlite3, recorded by sonde: stacks as in the text" { folded "$DATA/sonde.sqlite3"; }
@test "sqlite3, recorded by perf: stacks as in the text" { folded "$DATA/perf.sqlite3"; }

# shares REPORT: "PERCENT;SAMPLES;KEY" of a report on standard input, the key cut as perf cuts it.
shares()
{
	sed '/^#/d; /^ *$/d; s/^ *//; s/ *; */;/g; s/ *$//' | awk -F ';' '{ print $1 ";" $2 ";" substr($3, 1, 7) }' | sort
}

@test "recordings of others: shares of commands and of binaries as perf's" {
	need perf
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	n=0
	options=(--stdio -g none --no-children --no-branch-stack --no-group -n -t ';' -i one.data)
	for file in "$RECORDINGS"/*.data; do
		cp "$file" one.data
		chmod 600 one.data
		for key in comm dso; do
			timeout 60 perf report --no-itrace "${options[@]}" -s $key 2>/dev/null | shares >perf.rows || continue
			[[ -s perf.rows ]] || continue
			echo "$(basename "$file") $key: $(wc -l <perf.rows) rows"
			"$SONDE" report "${options[@]}" -s $key 2>/dev/null | shares >sonde.rows
			diff perf.rows sonde.rows
			n=$((n + 1))
		done
	done
	((n > 16))
}
