# Views of sonde report that perf has too: groups, branches, rows within rows. perf is the oracle.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	command -v perf >/dev/null || return 0
	cd "$DATA" || return 1
	for _ in 1 2 3; do
		perf record -q -e '{cpu-clock,page-faults,context-switches}' -g -o group.data \
			"$WORKLOADS/faults" 20000 >/dev/null 2>&1 && break
	done
	for _ in 1 2 3; do
		perf record -q -e cpu-clock,page-faults -g -o two.data "$WORKLOADS/faults" 20000 >/dev/null 2>&1 && break
	done
	return 0
}

# same FILE ARG...: the lines of perf's report and of sonde's, in whichever order; but those of
# the dynamic linker's entry, from which nothing returns (sonde names the function of the call).
same()
{
	need perf
	[[ -e $1 ]] || skip "perf record fails here"
	perf report --stdio -f --no-inline -g none -i "$@" 2>/dev/null | lines >perf.txt
	"$SONDE" report --no-inline --stdio -g none -i "$@" 2>/dev/null | lines >sonde.txt
	echo "$*: $(wc -l <perf.txt) lines"
	[[ $(wc -l <perf.txt) -gt 4 ]]
	diff perf.txt sonde.txt
}

# Rows without a name are one for each address in perf's table, and one for each binary here;
# entries of a PLT and its head have no names or others in perf (script_diff.awk).
lines()
{
	sed "s/ *$//; s/^\(# Samples: .*\) of events '\([^,]*\)'$/\1 of event '\2'/" | grep -vE 'Tip|^#$|^$|\[unknown\]|0x[0-9a-f]{8}|_dl_start_user|_start$|plt$|_init$|\+0x|# Where in|^#  |'"$ACCOUNT" | sort
}

@test "a recorded group stands side by side" { same "$DATA/group.data"; }
@test "a group without children, with samples and periods" {
	same "$DATA/group.data" --no-children -n --show-total-period
}
@test "a group taken apart" { same "$DATA/group.data" --no-group; }
@test "events that are no group, side by side" { same "$DATA/two.data" --group; }
@test "a group by command and binary" { same "$DATA/group.data" -s comm,dso --no-children; }

# Order matters here.
@test "a group sorted by its second event" {
	need perf
	[[ -e $DATA/group.data ]] || skip "perf record fails here"
	for idx in 0 1; do
		args=(--stdio -g none --no-children --group-sort-idx $idx -s dso -i "$DATA/group.data")
		perf report "${args[@]}" 2>/dev/null | grep '^[^#]*%' | sed 's/ *$//' >perf.txt
		"$SONDE" report "${args[@]}" 2>/dev/null | grep '%' | grep -v '^#' | sed 's/ *$//' >sonde.txt
		[[ $(wc -l <perf.txt) -gt 1 ]]
		diff perf.txt sonde.txt
	done
}

@test "a recorded group of others" {
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	same "$RECORDINGS/group_desc-4.14.data" -s comm,dso
}

@test "rows within rows" {
	need perf
	[[ -e $DATA/two.data ]] || skip "perf record fails here"
	args=(--stdio --hierarchy --no-children -g none -s comm,dso -i "$DATA/two.data")
	perf report "${args[@]}" 2>/dev/null | sed 's/ *$//' | grep -v 'Tip\|^#$\|^$\|^#   ' >perf.txt
	"$SONDE" report "${args[@]}" 2>/dev/null | sed 's/ *$//' | grep -v '^#$\|^$' | grep -vE "$ACCOUNT" >sonde.txt
	# perf draws as many dots as the longest row is wide
	diff <(grep -v '^# \.' perf.txt) <(grep -v '^# \.\|^#  ' sonde.txt)
	"$SONDE" report --hierarchy -i "$DATA/two.data" -s dso,sym | grep -q '^  *[0-9.]*%  *\[.\] touch_pages'
	fails 129 "$SONDE" report --hierarchy -j -i "$DATA/two.data"
	fails 129 "$SONDE" report --hierarchy --group -i "$DATA/two.data"
}

@test "branches: shares by symbol, binary and kind, as perf's" {
	need perf
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	for file in branch-4.14.data branch_stack_hw_index.data; do
		for keys in dso_from,dso_to,comm mispredict abort in_tx addr_from,addr_to,dso_to,comm cycles,comm; do
			# [H] is what perf says of an address that is 0; cycles over 32767 are less than
			# nothing to it. It takes some equal rows for two where mispredict and others
			# are keys with others beside them.
			perf report -f --stdio -i "$RECORDINGS/$file" -s "$keys" 2>/dev/null |
				grep '^[^#]*%' | sed 's/ *$//; s/\[[H.k]\]/[]/g' | sort >perf.txt
			"$SONDE" report --stdio -i "$RECORDINGS/$file" -s "$keys" 2>/dev/null |
				grep '^[^#]*%' | sed 's/ *$//; s/\[[.k]\]/[]/g' |
				awk -v k="$keys" 'k == "cycles,comm" && $2 > 32767 { sub(" " $2 " ", " " $2 - 65536 " ") } 1' |
				sort >sonde.txt
			sed -i 's/  */ /g' perf.txt sonde.txt
			echo "$file $keys: $(wc -l <perf.txt) rows"
			[[ -s perf.txt ]]
			diff perf.txt sonde.txt
		done
	done
	"$SONDE" report -i "$RECORDINGS/branch-4.14.data" -j | grep -q '"symbol_from"'
	fails 129 "$SONDE" report --no-branch-stack -i "$RECORDINGS/branch-4.14.data" -s mispredict
	says "of branches"
}

@test "what was not recorded is refused by name" {
	"$SONDE" record -q -e cpu-clock -o plain "$WORKLOADS/burn" 0.1 >/dev/null
	fails 1 "$SONDE" report -i plain -b
	says "no branches were recorded"
	fails 1 "$SONDE" report -i plain --mem-mode
	says "no sources of data"
	fails 1 "$SONDE" report -i plain -s symbol_from
	says "of branches"
}

@test "callees can be left to their caller" {
	"$SONDE" record -q -e cpu-clock -g -o plain "$WORKLOADS/burn" 0.3 >/dev/null
	"$SONDE" report -i plain --no-children -q -g none -n -t, -s sym -F sample,sym >all
	"$SONDE" report -i plain --no-children -q -g none -n -t, -s sym -F sample,sym --ignore-callees '^phase$' >cut
	cat all cut
	# but for samples before a function has laid its frame: its caller is not in their chain
	[[ $(awk -F , '/ burn_/ { n += $1 } END { print n + 0 }' cut) == $("$SONDE" script -i plain -F comm,ip,sym |
		awk 'function end() { if (leaf ~ /^burn_/ && !was) k++; leaf = ""; was = 0 } /^[^ \t]/ { end() }
		     NF == 2 && /^[ \t]/ { if (leaf == "") leaf = $2; if ($2 == "phase") was = 1 }
		     END { end(); print k + 0 }') ]]
	# phase has what it and all below it had
	[[ $(awk -F , '/ phase$/ { print $1 + 0 }' cut) == $("$SONDE" script -i plain -F comm,ip,sym |
		awk '/^[^ \t]/ { n++; was = 0 } $2 == "phase" && !was { was = 1; k++ } END { print k }') ]]
	fails 129 "$SONDE" report -i plain --ignore-callees '('
}

@test "every option of perf report is known" {
	need perf
	"$SONDE" record -q -e cpu-clock -g -o perf.data "$WORKLOADS/burn" 0.1 >/dev/null
	perf report -h 2>&1 | grep -oE '^ {4}(-.,)? +--[a-z-]+' | grep -oE -- '--[a-z-]+' >options
	[[ $(wc -l <options) -gt 60 ]]
	while read -r option; do
		run "$SONDE" report "$option"
		echo "$option: $status: ${lines[0]}"
		[[ $output != *"unknown option"* && $output != *"could be several"* ]]
	done <options
	perf report -h 2>&1 | grep -oE '^ {4}-.' | grep -oE -- '-.$' >letters
	while read -r letter; do
		run "$SONDE" report "$letter"
		echo "$letter: $status: ${lines[0]}"
		[[ $output != *"unknown option"* ]]
	done <letters
}

@test "every sort key of perf report is known, or refused for a reason" {
	need perf
	"$SONDE" record -q -e cpu-clock -g -o perf.data "$WORKLOADS/burn" 0.1 >/dev/null
	perf report -h 2>&1 | sed -n '/ -s, --sort/,/ -S, --symbols/p' | sed '1d; $d; s/sort by key(s)://' |
		grep -oE '[a-z_]+' >keys
	[[ $(wc -l <keys) -gt 50 ]]
	while read -r key; do
		run "$SONDE" report -s "$key"
		echo "$key: $status: ${lines[0]}"
		[[ $output != *"no key"* ]]
		((status == 0 || status == 1 || status == 129))
	done <keys
}

@test "source lines are perf's, and inlined functions stand in chains" {
	need perf
	need cc
	need addr2line
	cat >inl.c <<-'END'
		static volatile unsigned long sink;
		static inline __attribute__((always_inline)) unsigned long leaf(unsigned long x)
		{
			for (int i = 0; i < 50; i++)
				x = x * 6364136223846793005ul + 1442695040888963407ul;
			return x;
		}
		static inline __attribute__((always_inline)) unsigned long middle(unsigned long x)
		{
			x ^= leaf(x + 1);
			return x >> 3;
		}
		__attribute__((noinline)) unsigned long outer(unsigned long x)
		{
			for (int i = 0; i < 100; i++)
				x += middle(x);
			return x;
		}
		int main(void)
		{
			for (int i = 0; i < 30000; i++)
				sink += outer(i);
			return 0;
		}
	END
	cc -g -O1 -fno-omit-frame-pointer -o inl inl.c
	perf_records -F 2999 -e cpu-clock:u -g -o perf.data ./inl
	for keys in srcline srcfile sym,srcline; do
		perf report --stdio -g none --no-children -s $keys 2>/dev/null | grep '^[^#]*%.*inl\.c' |
			sed 's/ *$//' | sort >perf.txt
		"$SONDE" report --stdio -g none --no-children -s $keys 2>/dev/null | grep '^[^#]*%.*inl\.c' |
			sed 's/ *$//' | sort >sonde.txt
		cat sonde.txt
		[[ -s perf.txt ]]
		diff perf.txt sonde.txt
	done
	"$SONDE" report -s srcfile --no-children --full-source-path | grep -qF "$PWD/inl.c"
	# of nearly all samples: outer, in it middle, in it leaf
	"$SONDE" report -q -g none -t, -s sym -F overhead_children,sym >rows
	cat rows
	for f in 'outer' 'middle (inlined)' 'leaf (inlined)'; do
		grep -F "[.] $f" rows | awk -F '%' '{ exit !($1 > 80) }'
	done
	! "$SONDE" report --no-inline -q -t, -s sym | grep -q inlined || false
}

@test "memory accesses: shares by weight, and words for where data came from, as perf's" {
	need perf
	need python3
	python3 "$TOP/tests/e2e/recording.py" mem.data x86_64 <<-'END'
		map 0x400000 0x10000 0 /nonexistent/app
		access 0x400100 100 0x68100142
		sample 0x401000 10 3
		access 0x400140 50 0x2a080a1
		sample 0x401000 10 2
		access 0x7fff0040 7 0x0
		sample 0x401100 10
		access 0x7fff0040 9 0x5408084a21
		sample 0x401108 10 2
		access 0x7fff0040 11 0x51e0500142
		sample 0x401108 10 2
	END
	for keys in local_weight,mem,dso snoop,tlb,locked,blocked dso_daddr; do
		perf report -f --stdio --mem-mode -i mem.data -s $keys 2>/dev/null | grep '^[^#]*%' | sed 's/  */ /g; s/ $//' |
			sort >perf.txt
		"$SONDE" report --stdio --mem-mode -i mem.data -s $keys | grep '^[^#]*%' | sed 's/  */ /g; s/ $//' |
			sort >sonde.txt
		cat sonde.txt
		[[ -s perf.txt ]]
		diff perf.txt sonde.txt
	done
	"$SONDE" report --mem-mode -i mem.data | grep -q 'Memory access'
	# three accesses of 100 to one line of the cache, of all 450 that were weighed
	"$SONDE" report --mem-mode -i mem.data -s dcacheline | grep -q '0x400100$'
	fails 1 "$SONDE" report -i mem.data -s transaction
	says "no event of the recording sampled it"
}

@test "on a terminal the point needs no scrolling, and --stdio shows all" {
	need script
	"$SONDE" record -q -F 999 -e cpu-clock -g -o perf.data "$WORKLOADS/burn" 0.5 >/dev/null
	script -qec "stty cols 80 rows 24; $SONDE report </dev/null" /dev/null </dev/null | tr -d '\r' >screen
	cat screen
	[[ $(wc -l <screen) -le 24 ]]
	# the three functions of the workload, in colours, each a line; no line is over 80 columns
	sed 's/\x1b\[[0-9;]*m//g; s/…/./g' screen >plain
	for f in burn_a burn_b burn_c; do
		[[ $(grep -c "\[\.\] $f\$" plain) == 1 ]]
	done
	grep -q $'\x1b\[31m' screen
	[[ $(grep -v '^#' plain | awk '{ n = length($0); if (n > m) m = n } END { print m + 0 }') -le 80 ]]
	script -qec "stty cols 80 rows 24; $SONDE report --stdio" /dev/null </dev/null >all
	[[ $(wc -l <all) -gt 30 ]]
	grep -q -- '--burn_a' all
	"$SONDE" report >piped
	! grep -q $'\x1b' piped || false
	grep -q -- '--burn_a' piped
}
