#!/usr/bin/env bats
# Functions that were inlined, in every view of a recording with call chains.
load common

# All its time is in inner(), which is in middle(), which is in outer(): one function of code.
setup_file()
{
	DATA=$BATS_FILE_TMPDIR
	export DATA
	cd "$DATA"
	cat >nest.c <<-'END'
	static volatile unsigned long v;
	static inline __attribute__((always_inline)) void inner(unsigned long n)
	{
		for (unsigned long i = 0; i < n; i++)
			v += i * i;
	}
	static inline __attribute__((always_inline)) void middle(unsigned long n)
	{
		inner(n);
	}
	__attribute__((noinline)) void outer(unsigned long n)
	{
		middle(n);
		v++;
	}
	int main(void)
	{
		for (int i = 0; i < 40; i++)
			outer(10000000);
		return 0;
	}
	END
	gcc -O2 -g -fno-omit-frame-pointer -fno-optimize-sibling-calls -o nest nest.c
	"$SONDE" record -q -e cpu-clock:u -F 499 -g -o nest.data -- ./nest
}

@test "script: inlined functions stand before the function that has their code, as addr2line names them" {
	cd "$DATA"
	"$SONDE" script -i nest.data -F ip,sym | awk '
		NF == 0 { if (chain ~ /^inner\(i\) middle\(i\) outer( |$)/) good++; if (chain != "") all++; chain = ""; next }
		{ chain = chain (chain == "" ? "" : " ") $2 ($3 == "(inlined)" ? "(i)" : "") }
		END { print good, all; exit !(good > 20 && good >= 0.9 * all) }'
	# the lines are those of addr2line
	"$SONDE" script -i nest.data -F ip,sym,srcline | awk '
		/outer$/ && !ip { ip = $1 } END { print ip }' >ip
	"$SONDE" script -i nest.data -F ip,sym,srcline | awk -v ip="$(cat ip)" '
		$1 == ip { names = 1; next } names && /nest.c/ { print $1; } { names = 0 }' | sort -u >ours
	addr2line -ai -e nest "$(cat ip)" | sed -n 's/.*\///; s/ (disc.*//; /nest.c/p' | sort -u >theirs
	diff ours theirs
}

@test "script --no-inline, and the same without debug information" {
	cd "$DATA"
	! "$SONDE" script --no-inline -i nest.data | grep -q inlined || false
	"$SONDE" script --no-inline -i nest.data >without
	"$SONDE" script -i nest.data | grep -v '(inlined)$' >rest
	diff without rest
}

@test "fold and flame: frames of their own, marked with _[i]" {
	cd "$DATA"
	"$SONDE" fold --all -i nest.data 2>/dev/null >folded
	grep -q 'main;outer;middle_\[i\];inner_\[i\] ' folded
	"$SONDE" fold --no-inline -i nest.data 2>/dev/null >plain
	! grep -q 'middle\|inner' plain || false
	[[ $(awk '{ s += $NF } END { print s }' folded) == $(awk '{ s += $NF } END { print s }' plain) ]]
	"$SONDE" flame -i nest.data -o nest.svg 2>/dev/null
	grep -qF '<title>middle [inlined] (' nest.svg
}

@test "report: a row for each under Children, Self for the function that has the code" {
	cd "$DATA"
	"$SONDE" report --stdio -g none -i nest.data -F overhead_children,overhead,sym -t ';' 2>/dev/null |
		grep -v '^#' | tr -d ' %' >rows
	cat rows
	awk -F';' '/inner\(inlined\)/ && $1 > 90 && $2 == 0 { a++ } /middle\(inlined\)/ && $1 > 90 { a++ }
		/\]outer$/ && $1 > 90 && $2 > 90 { a++ } END { exit a != 3 }' rows
	! "$SONDE" report --stdio --no-inline -i nest.data 2>/dev/null | grep -q inlined || false
}

@test "report by srcline: the lines of the loop" {
	cd "$DATA"
	"$SONDE" report --stdio --no-children -g none -s srcline -i nest.data 2>/dev/null >rows
	cat rows
	awk '/nest.c:[45]/ { gsub("%", ""); s += $1 } END { exit !(s > 90) }' rows
}
