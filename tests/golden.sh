#!/bin/bash
# Commands with known output. TAP.
#
# tests/golden/NAME/ holds `cmd`, a shell script run in that folder with $SONDE;
# what it prints, both outputs together, has to be `expected`. BLESS=1 writes
# `expected` anew: look at the difference before it is committed.
set -u

SONDE=${SONDE:?}
export SONDE
n=0
got=$(mktemp)
trap 'rm -f "$got"' EXIT

for dir in tests/golden/*/; do
	[[ -e $dir/cmd ]] || continue
	n=$((n + 1))
	name=$(basename "$dir")
	(cd "$dir" && bash ./cmd) >"$got" 2>&1 </dev/null
	if [[ ${BLESS:-} == 1 ]]; then
		cp "$got" "$dir/expected"
	fi
	if diff -u "$dir/expected" "$got" >"$got.diff" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		sed 's/^/# /' "$got.diff"
		echo "# if this is as it should be: BLESS=1 tests/run $OUT golden"
	fi
	rm -f "$got.diff"
done
echo "1..$n"
