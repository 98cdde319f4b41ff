#!/usr/bin/env bats
# Stacks without frame pointers: recorded by perf and by sonde, unwound by both.

bats_require_minimum_version 1.5.0

setup()
{
	cd "$BATS_TEST_TMPDIR"
	command -v gcc >/dev/null || skip "gcc is not installed"
	# main calls deep(6) ... deep(0), which works and sorts: libc has no frame pointers
	cat >deep.c <<-'C'
	#include <stdlib.h>
	static volatile int sink;
	static int less(const void *a, const void *b) { sink++; return *(const int *)a - *(const int *)b; }
	__attribute__((noinline)) void deep(int n)
	{
		int v[512];
		if (n) { deep(n - 1); sink++; return; }
		for (int i = 0; i < 512; i++) v[i] = i * 7919 % 512;
		qsort(v, 512, sizeof(v[0]), less);
	}
	int main(void) { for (int i = 0; i < 6000; i++) deep(6); return 0; }
	C
	gcc -O2 -fomit-frame-pointer -o deep deep.c
}

need_perf()
{
	command -v perf >/dev/null || skip "perf is not installed"
}

record()
{
	"$SONDE" record -q -e cpu-clock:u -F 999 -o "$@"
}

# perf 6.1 gives up when the kernel hands it the build-id of a file as of another: again
perf_record()
{
	local i
	for i in 1 2 3 4 5; do
		perf record -q -e cpu-clock:u -F 999 "$@" 2>/dev/null && return
	done
	skip "perf cannot record here"
}

# How many samples of `sonde script` or `perf script` on standard input have all of
# _start, main, 7 times deep and qsort, of how many.
whole()
{
	awk '/^$/ { if (n) { all++; ok += deep == 7 && main && start } n = deep = main = start = 0; next }
	     { n++ } $2 ~ /^deep\+/ { deep++ } $2 ~ /^main\+/ { main = 1 } $2 ~ /^_start\+/ { start = 1 }
	     END { print ok + 0, all + 0 }'
}

# most WHOLE ALL: nearly all (the program's start and end are samples too)
most()
{
	echo "# $1 of $2 are whole" >&2
	(($2 > 20 && $1 * 100 >= $2 * 95))
}

@test "unwind: perf's recording is unwound as perf does it, frame by frame" {
	need_perf
	perf_record --call-graph dwarf,16384 -o perf.data ./deep
	"$SONDE" script --no-inline -i perf.data >sonde.txt
	perf script --no-inline -i perf.data >perf.txt 2>/dev/null
	most $(whole <sonde.txt)
	# without the names of PLT entries, which perf has not
	cut -d' ' -f1 <(sed 's/^\t *//' sonde.txt) >sonde.ips
	cut -d' ' -f1 <(sed 's/^\t *//' perf.txt) >perf.ips
	diff perf.ips sonde.ips
}

@test "unwind: --call-graph unwind writes call chains that perf reads whole" {
	record unwind.data --call-graph unwind ./deep
	most $("$SONDE" script -i unwind.data | whole)
	need_perf
	most $(perf script --no-inline -i unwind.data 2>/dev/null | whole)
}

@test "unwind: --call-graph unwind takes at most a twentieth of perf's dwarf,16384" {
	need_perf
	record unwind.data --call-graph unwind ./deep
	perf_record --call-graph dwarf,16384 -o perf.data ./deep
	(($(stat -c %s unwind.data) * 20 <= $(stat -c %s perf.data)))
}

@test "unwind: --call-graph dwarf writes the live part of the stack, and both read it" {
	record dwarf.data --call-graph dwarf,65528 ./deep
	most $("$SONDE" script -i dwarf.data | whole)
	need_perf
	most $(perf script --no-inline -i dwarf.data 2>/dev/null | whole)
	perf_record --call-graph dwarf,65528 -o perf.data ./deep
	(($(stat -c %s dwarf.data) * 2 <= $(stat -c %s perf.data)))
	record packed.data -z --call-graph dwarf,65528 ./deep
	(($(stat -c %s packed.data) * 8 <= $(stat -c %s perf.data)))
	most $("$SONDE" script -i packed.data | whole)
}

@test "unwind: a running process is unwound too" {
	# without end, and begun
	sed -i 's/i < 6000/1/' deep.c && gcc -O2 -fomit-frame-pointer -o deep deep.c
	./deep 3>&- &
	pid=$!
	# ran N: until it has had N hundredths of a second more
	cat >ran <<-'END'
		had() { read -r line </proc/$1/stat; set -- $line; echo "${14}"; }
		from=$(had "$1")
		until [ "$(had "$1")" -ge $((from + $2)) ]; do sleep 0.02; done
	END
	sh ran $pid 5
	run --separate-stderr "$SONDE" record -e cpu-clock:u -F 999 --call-graph unwind -o p.data -p $pid -- sh ran $pid 30
	kill $pid
	[[ $status == 0 ]]
	[[ $stderr != *"written with their stacks"* ]]
	most $("$SONDE" script -i p.data | whole)
}

@test "unwind: a stack that was cut is kept, and the report says why" {
	record short.data --call-graph dwarf,1024 ./deep
	run --separate-stderr "$SONDE" report --stdio -i short.data
	[[ $status == 0 ]]
	[[ $output == *"Cut short: the stacks of"*"the stack goes on above the copied part"* ]]
	[[ $output == *deep* ]]
	# and so does the report of what was unwound while it was recorded
	record short.data --call-graph unwind,1024 ./deep
	run --separate-stderr "$SONDE" report --stdio -i short.data
	[[ $status == 0 ]]
	[[ $output == *"Cut short: the stacks of"*"the stack goes on above the copied part"* ]]
	[[ $output == *deep* ]]
	record whole.data --call-graph unwind ./deep
	run --separate-stderr "$SONDE" report --stdio -i whole.data
	[[ $output != *"the stack goes on above the copied part"* ]]
	need_perf
	perf script --no-inline -i short.data 2>/dev/null | grep -q ' deep+'
}

@test "unwind: fold and report take unwound chains" {
	record dwarf.data --call-graph dwarf,16384 ./deep
	"$SONDE" fold -i dwarf.data | grep -q '^deep;_start;.*;main;deep;deep;deep;deep;deep;deep;deep;.*less'
	"$SONDE" report --stdio --children -i dwarf.data | grep -E '^ +(9[0-9]|100)\.[0-9]+% .* main *$'
}

@test "unwind: auto chooses by the program and says so" {
	run --separate-stderr "$SONDE" record -e cpu-clock -F 99 --call-graph auto -o a.data ./deep
	[[ $stderr == *"are unwound"*"keeps no frame pointers"* ]]
	gcc -O2 -fno-omit-frame-pointer -o deep deep.c
	run --separate-stderr "$SONDE" record -e cpu-clock -F 99 --call-graph auto -o a.data ./deep
	[[ $stderr == *"by frame pointers"* ]]
}

@test "unwind: what cannot be had is refused in a line" {
	run --separate-stderr "$SONDE" record -e cpu-clock --call-graph unwind,70000 -o a.data true
	[[ $status == 129 && $stderr == *"65528"* ]] || [[ $status != 0 && $stderr == *"65528"* ]]
	run --separate-stderr "$SONDE" record -e cpu-clock --call-graph unwound -o a.data true
	[[ $status != 0 && $stderr == *"--call-graph takes fp"* ]]
	run --separate-stderr "$SONDE" record -e cpu-clock --call-graph lbr -o a.data true
	[[ $status != 0 && $stderr == *"branch records"* ]]
}
