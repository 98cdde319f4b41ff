#!/bin/bash
# make demo: profile a real program for a few seconds, show the ten hottest
# functions, draw a flame graph.
#
#	tests/demo.sh OUT
#
# The program is perl, which every Debian has, counting and sorting the words of
# this tree: hashing, regular expressions, sorting, some reading.
set -eu
cd "$(dirname "$0")/.."

OUT=${1:?usage: tests/demo.sh OUT}
sonde=$OUT/sonde
data=$OUT/demo.data
page=$OUT/demo.html

script='
	my (@files, %count, $lines);
	@files = glob("src/*/*.[ch] formats/*.[ch] symbols/*.[ch] doc/*.md");
	my $end = time + 4;
	do {
		for my $file (@files) {
			open(my $in, "<", $file) or next;
			while (<$in>) {
				$count{lc $1}++ while /([A-Za-z_]\w*)/g;
				$lines++;
			}
		}
		my @top = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
		$most = $top[0];
	} while (time < $end);
	print "perl read $lines lines; the most frequent word is \"$most\"\n";
'

echo "profiling perl for about four seconds ..."
"$sonde" record -F 997 -g -o "$data" -- perl -e "$script"
echo
echo "The ten hottest functions:"
echo
"$sonde" report --stdio --no-children -g none -i "$data" |
	awk '/^#/ || /^[[:space:]]*$/ { next } /%/ { print; if (++n == 10) exit }' >"$OUT/demo.txt"
cat "$OUT/demo.txt"
[[ $(wc -l <"$OUT/demo.txt") -gt 0 ]] || { echo "no function was sampled" >&2; exit 1; }
"$sonde" flame -i "$data" -o "$page"
[[ -s $page ]]
echo
echo "The flame graph is $(realpath "$page"); open it in a browser."
