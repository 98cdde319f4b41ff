# Addresses to functions, lines and what was inlined there.

# A list of distinct addresses of functions of a kernel with full debug information
# (Debian: linux-image-*-dbg), in no order: REPLY is the vmlinux, $TMP/addresses the list.
kernel_addresses()
{
	local count=$((QUICK ? 100000 : 1000000)) f
	REPLY=
	for f in /usr/lib/debug/boot/vmlinux-* /usr/lib/debug/lib/modules/*/vmlinux; do
		[[ -s $f ]] && readelf -SW "$f" | grep -q '\.debug_info' && REPLY=$f
	done
	[[ -n $REPLY ]] || return 1
	nm -S --defined-only "$REPLY" | perl -ne '
		BEGIN { srand 1 }
		my ($at, $size, $type) = split;
		next unless $type =~ /^[tTwW]$/ && $at =~ /^ffffffff8/ && length $size == 16;
		my $low = hex substr $at, 8;
		$seen{$_} = 1 for $low .. $low + (hex $size) - 1;
		END {
			my @all = sort { $a <=> $b } keys %seen;
			for my $i (0 .. '$count' - 1) {
				last if $i > $#all;
				my $j = $i + int rand @all - $i;
				@all[$i, $j] = @all[$j, $i];
				printf "ffffffff%08x\n", $all[$i];
			}
		}' >"$TMP/addresses"
}

# How long naming itself takes with the index of the first run against without one: what is
# left of a run is reading the list and printing, of which the seconds are not taken.
again_from_index()
{
	local i s p
	export XDG_CACHE_HOME=$TMP/cache
	rm -f "$TMP"/*.take "$TMP"/*.times
	for ((i = 0; i < RUNS; i++)); do
		rm -rf "$XDG_CACHE_HOME"
		mkdir -p "$XDG_CACHE_HOME"
		take perf bash -c "'$OUT/tests/bench/naming' -t '$1' <'$TMP/addresses' 2>>'$TMP/first.times'"
		take sonde bash -c "'$OUT/tests/bench/naming' -t '$1' <'$TMP/addresses' 2>>'$TMP/again.times'"
	done
	for ((i = 1; i <= 2; i++)); do
		s=$(cut -d' ' -f$i "$TMP/again.times" | sort -g | sed -n "$((RUNS / 2 + 1))p")
		p=$(cut -d' ' -f$i "$TMP/first.times" | sort -g | sed -n "$((RUNS / 2 + 1))p")
		row "naming, again$( ((i == 2)) && echo ', cpu')" - "$s" "$p" "$(calc "$p / $s")" ">=5"
	done
	unset XDG_CACHE_HOME
}

case_naming()
{
	kernel_addresses || { note "naming: no kernel with debug information here (linux-image-*-dbg)"; return 0; }
	note "naming: $(wc -l <"$TMP/addresses") addresses of $REPLY against addr2line -afi"
	# each time as the first
	versus "naming (addr2line)" - ">=20" \
		"XDG_CACHE_HOME=\$(mktemp -d -p '$TMP') exec '$OUT/tests/bench/naming' '$REPLY' <'$TMP/addresses'" \
		"addr2line -afi -e '$REPLY' <'$TMP/addresses'"
	again_from_index "$REPLY"
	# eu-addr2line takes most of an hour for a million
	head -n 20000 "$TMP/addresses" >"$TMP/some"
	command -v eu-addr2line >/dev/null || return 0
	versus "naming (eu-addr2line), 20000" - ">=3" \
		"XDG_CACHE_HOME=\$(mktemp -d -p '$TMP') exec '$OUT/tests/bench/naming' '$REPLY' <'$TMP/some'" \
		"eu-addr2line -afi -e '$REPLY' <'$TMP/some'"
}

# A C++ program with debug information and much that is inlined.
record_inlined()
{
	cat >"$BENCH/inlined.cc" <<-'END'
	#include <algorithm>
	#include <map>
	#include <string>
	#include <vector>
	__attribute__((noinline)) long sorted(std::vector<long> &v)
	{
		std::sort(v.begin(), v.end(), [](long a, long b) { return a * 7919 % 1009 < b * 7919 % 1009; });
		return v[3];
	}
	__attribute__((noinline)) long counted(int n)
	{
		std::map<std::string, int> m;
		for (int i = 0; i < n; i++) m[std::to_string(i % 97)] += i;
		return m.size();
	}
	int main()
	{
		std::vector<long> v;
		long s = 0;
		for (int i = 0; i < 2000; i++) v.push_back(i * 31 % 977);
		for (int r = 0; r < 60000; r++) s += sorted(v) + counted(300);
		return s == 1;
	}
	END
	g++ -O2 -g -o "$BENCH/inlined" "$BENCH/inlined.cc" &&
		"$SONDE" record -q -F 1999 --call-graph dwarf,8192 -o "$1" -- "$BENCH/inlined"
	[[ -s $1 ]]
}

case_inlines()
{
	local file=$BENCH/inlined.data
	[[ -s $file ]] || record_inlined "$file" || return
	versus "report, inlined" "$file" ">=10" \
		"'$SONDE' report --stdio -i '$file'" "perf report --stdio -i '$file' 2>/dev/null"
}
