# Annotating: the ten hottest functions of a C++ program with debug information, source and
# all, in one run of either. Its size comes from templates, as that of real ones does: every
# unit has its own regular expressions, maps and sorts.

ANNOTATE_UNITS=12

annotate_unit()
{
	cat <<-END
	#include <algorithm>
	#include <map>
	#include <regex>
	#include <string>
	#include <unordered_map>
	#include <vector>
	namespace unit$1 {
	struct key { long a; std::string b; bool operator<(const key &o) const { return a < o.a || (a == o.a && b < o.b); } };
	struct item { double weight; key k; std::vector<int> parts; };
	__attribute__((noinline)) double score(const std::vector<item> &v) {
		double s = 0;
		for (const auto &i : v) { s += i.weight * $1; for (int p : i.parts) s += p % ($1 + 2); }
		return s;
	}
	__attribute__((noinline)) long words(const std::string &text) {
		static const std::regex word("([a-z]+)([0-9]*)x$1");
		return std::distance(std::sregex_iterator(text.begin(), text.end(), word), std::sregex_iterator());
	}
	double run(unsigned seed) {
		std::map<key, item> tree; std::unordered_map<std::string, long> table; std::vector<item> list;
		for (int i = 0; i < 1500; i++) {
			seed = seed * 1103515245 + 12345;
			key k{ static_cast<long>(seed >> 8 & 1023), std::to_string(seed & 255) };
			tree[k] = item{ seed / 7.0, k, { i, i + 1, i * 2 } };
			table[k.b] += i;
			list.push_back(item{ seed / 3.0, k, { i, i } });
		}
		std::sort(list.begin(), list.end(), [](const item &a, const item &b) { return a.weight < b.weight; });
		std::stable_sort(list.begin(), list.end(), [](const item &a, const item &b) { return a.k < b.k; });
		double s = score(list);
		for (const auto &t : tree) s += t.second.weight;
		return s + words("abc12x$1 foo7x$1 barx$1 none") + table.size();
	}
	}
	double run$1(unsigned seed) { return unit$1::run(seed); }
	END
}

record_annotate()
{
	local dir=$BENCH/annotate.src i
	mkdir -p "$dir"
	for ((i = 0; i < ANNOTATE_UNITS; i++)); do
		annotate_unit $i >"$dir/unit$i.cc"
		echo "double run$i(unsigned);"
	done >"$dir/main.cc"
	{
		echo "int main() { double s = 0; for (unsigned r = 0; r < 12; r++) {"
		for ((i = 0; i < ANNOTATE_UNITS; i++)); do echo "s += run$i(r + $i);"; done
		echo "} return s == 1; }"
	} >>"$dir/main.cc"
	(cd "$dir" && printf '%s\n' main.cc unit*.cc | xargs -P2 -n1 g++ -O2 -g -c && g++ -o large ./*.o) || return
	"$SONDE" record -q -e cpu-clock -F 4999 -o "$1" -- "$dir/large"
}

# Both show the same ten: of perf's --percent-limit the percentages are of what -d leaves.
case_annotate()
{
	local file=$BENCH/annotate.data limit perf_limit
	[[ -s $file ]] || record_annotate "$file" || return
	read -r limit perf_limit < <("$SONDE" annotate -q -j -i "$file" -d large --percent-limit 0 --no-source \
		2>/dev/null | python3 -c '
import json, sys
e = [f["events"][0] for f in json.load(sys.stdin)["functions"]]
tenth = (e[9]["period"] + e[10]["period"]) / 2
print(100 * tenth / e[0]["total_period"], 100 * tenth / sum(x["period"] for x in e))') || return
	versus "annotate, ten functions" "$file" ">=5" \
		"$SONDE annotate --stdio -q -i $file -d large --percent-limit $limit" \
		"perf annotate --stdio -q -i $file -d large --percent-limit $perf_limit"
	note "annotate: a program of $(($(stat -c %s "$BENCH/annotate.src/large") >> 20)) MB; $(
		"$SONDE" annotate --stdio -q -i "$file" -d large --percent-limit "$limit" 2>/dev/null | grep -c 'Source code &') functions by sonde, $(
		perf annotate --stdio -q -i "$file" -d large --percent-limit "$perf_limit" 2>/dev/null | grep -c 'Source code &') by perf"
}
