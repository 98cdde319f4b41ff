#!/bin/bash
# Run the fuzzers' harnesses over what is kept of fuzzing, under ASan and UBSan, as TAP.
#
#	tests/fuzz/replay.sh OUT        OUT/san or OUT has the programs (make SAN=1 fuzz-replay)
#
# And two whole recordings, as a file and as a pipe, with every byte cut and turned over.
# To run one by hand: build/san/tests/fuzz/fuzz_NAME FILE...
set -u
cd "$(dirname "$0")/../.." || exit 2

out=$1
[[ $out == */san ]] || out=$out/san
export ASAN_OPTIONS=max_allocation_size_mb=512:hard_rss_limit_mb=2048:detect_leaks=1
harnesses=(tests/fuzz/fuzz_*.c)
echo "1..$((${#harnesses[@]} + 2))"
n=0

# replay WHAT NAME ARGUMENT...
replay()
{
	local what=$1 program=$out/tests/fuzz/fuzz_$2 said
	shift 2
	((n++))
	if said=$("$program" "$@" 2>&1); then
		echo "ok $n - $what: $(sed 's/.*: //' <<<"$said")"
	else
		echo "not ok $n - $what: $program $*"
		tail -n 40 <<<"$said" | sed 's/^/# /'
	fi
}

for h in "${harnesses[@]}"; do
	name=$(basename "$h" .c)
	name=${name#fuzz_}
	replay "inputs kept of $name" "$name" "tests/fuzz/corpus/$name"
done
replay "a recording damaged at every byte" perf_data --damage tests/fuzz/damage/seekable
replay "a pipe damaged at every byte" perf_data --damage tests/fuzz/damage/pipe
