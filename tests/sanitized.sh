#!/bin/bash
# Every command under a sanitizer, from its start to its end, as TAP.
#
#	tests/sanitized.sh leaks SONDE          SONDE was built with SAN=1: nothing is leaked
#	tests/sanitized.sh races SONDE          with TSAN=1: recording and reading have no race
#
# A sanitizer that found something ends the program with status 66.
set -u
cd "$(dirname "$0")/.." || exit 2

kind=$1 sonde=$(realpath "$2") burn=$(realpath "${WORKLOADS:-build/tests/workloads}/burn")
case $kind in
leaks) sanitize=address ;;
races) sanitize=thread ;;
*) echo "$0: leaks or races, not '$kind'" >&2; exit 2 ;;
esac
export ASAN_OPTIONS=detect_leaks=1:exitcode=66 LSAN_OPTIONS=exitcode=66
export TSAN_OPTIONS=exitcode=66:halt_on_error=0 LC_ALL=C.UTF-8
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp
unset XDG_CACHE_HOME DEBUGINFOD_URLS
cd "$tmp" || exit 2
n=0

verdict()
{
	((n++))
	if (($1 == 0)); then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		tail -n 60 said | sed 's/^/# /'
	fi
}

# clean ARG...: sonde does it with status 0 and has nothing against it
clean()
{
	timeout 120 "$sonde" "$@" >out 2>said
	verdict $? "sonde $*"
}

# A test that cannot fail is none: a program that does what is looked for.
shown_to_find()
{
	case $kind in
	leaks) echo '#include <stdlib.h>
		void *volatile p;
		int main(void) { p = malloc(9); p = NULL; return 0; }' ;;
	races) echo '#include <pthread.h>
		int n;
		static void *add(void *p) { n++; return p; }
		int main(void) { pthread_t t; pthread_create(&t, 0, add, 0); n++;
			return pthread_join(t, 0); }' ;;
	esac >bad.c
	gcc -O0 -fsanitize=$sanitize -o bad bad.c -lpthread 2>said && ./bad >out 2>said
	[[ $? == 66 ]]
	verdict $? "what $sanitize looks for is found"
}

# top ends with what it watches
watch()
{
	"$burn" 10 >/dev/null &
	clean top --stdio -d 1 -e cpu-clock -p $!
	wait
}

common()
{
	clean record -q -e cpu-clock -F 2000 -g -o plain.data -- "$burn" 1
	clean record -q -e cpu-clock -F 2000 -z -g -o packed.data -- "$burn" 0.5
	clean record -q --threads -e cpu-clock -e page-faults -c 1000 -m 16K -o folder.data -- "$burn" 0.5
	clean record -q --threads -z --call-graph dwarf -F 2000 -e cpu-clock -o folder.packed -- "$burn" 0.5
	clean record -q -e cpu-clock --switch-output=20K -F 2000 -o part.data -- "$burn" 0.5
	for jobs in 1 3; do
		clean report --stdio --jobs $jobs -i plain.data
		clean fold -j $jobs -i packed.data
		clean fold -j $jobs -i folder.data
	done
	clean script -i packed.data
	clean flame -q -i plain.data -o f.svg
	clean flame -q -i plain.data -o f.html
}

if [[ $kind == leaks ]]; then
	shown_to_find
	common
	clean report --stdio --children -s comm,dso,sym -i plain.data
	clean annotate --stdio -i plain.data burn_a
	clean diff plain.data packed.data
	clean stat -e task-clock,context-switches true
	clean stat -x, -r 2 -e page-faults true
	clean list
	clean script -F ip,sym,dso,time -i plain.data
	clean record -q -e dummy -e cpu-clock --call-graph unwind -F 500 -o unwound.data -- "$burn" 0.3
	clean report --stdio -i unwound.data
	clean export --pprof -q -i plain.data -o p.pb.gz
	clean export --speedscope -q -i plain.data -o p.json
	clean evlist -v -i plain.data
	clean buildid-list -i plain.data
	clean pack -i plain.data -o pack.data
	clean cache
	if [[ $(id -u) == 0 && -e /sys/kernel/tracing/events/sched ]]; then
		clean sched record -q -o sched.data -- "$burn" 0.2
		clean sched latency -i sched.data
		clean sched timehist -i sched.data
		clean sched map -i sched.data
	else
		echo "ok $((++n)) - sonde sched # SKIP only root may record it"
	fi
	clean help
	clean help record
	clean version
	watch
	clean doctor
else
	shown_to_find
	common
	watch
fi
echo 1..$n
