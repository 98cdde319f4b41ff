# User stacks unwound by tables: script next to perf's, unwinding alone, and what the file
# and the program under --call-graph unwind cost.

# A compiler, with 16 KB of stack in each sample, as perf writes them.
record_dwarf()
{
	perf record -q -F 999 -m 8M --call-graph dwarf,16384 -o "$1" -- \
		gcc -std=gnu11 -D_GNU_SOURCE -I. -Isrc -O3 -g -c -o /dev/null formats/perf_data.c
}

case_unwind_script()
{
	input dwarf $((QUICK ? 5000 : 48000)) || return
	versus "script of stacks of 16 KB" "$REPLY" ">=4" "$SONDE script -q -i $REPLY" \
		"perf script --no-inline -i $REPLY"
	versus "fold of stacks of 16 KB" "$REPLY" ">=4" "$SONDE fold -q -i $REPLY" \
		"perf script --no-inline -i $REPLY"
}

# Of one core; tests/unwind/speed counts.
case_unwind_frames()
{
	input dwarf $((QUICK ? 5000 : 48000)) || return
	make -s BUILD="$OUT" unwind-programs >/dev/null 2>&1
	note "unwinding alone: $("$OUT/tests/unwind/speed" "$REPLY" 3) (goal: above 5 million)"
}

# Two cores kept busy, alone, under --call-graph unwind and under perf's dwarf, in alternation:
# processor time of the work and its recorder together, and wall time; what was lost; bytes.
case_unwind_record()
{
	local hz i name small large

	cat >"$TMP/busy" <<-'END'
		work='def f(n): return n if n < 2 else f(n - 1) + f(n - 2)
		f(32)'
		for _ in 1 2; do /usr/bin/python3 -c "$work" & done
		wait
	END
	for hz in 99 999; do
		rm -f "$TMP"/*.take "$TMP/said"
		for ((i = 0; i < RUNS; i++)); do
			take none bash "$TMP/busy" || return
			take sonde bash -c "exec $SONDE record -F $hz --call-graph unwind -o $TMP/u.data -- bash $TMP/busy 2>>$TMP/said" || return
			take perf bash -c "exec perf record -q -F $hz --call-graph dwarf -o $TMP/p.data -- bash $TMP/busy" || return
		done
		small=$(stat -c %s "$TMP/u.data")
		perf record -q -F $hz --call-graph dwarf,16384 -o "$TMP/p16.data" -- bash "$TMP/busy" 2>/dev/null
		large=$(stat -c %s "$TMP/p16.data")
		note "--call-graph unwind at $hz Hz: $small bytes, perf's dwarf,16384 $large: 1/$(calc "$large / $small") (goal: 1/20)"
		for name in none sonde perf; do
			note "  processor time with $name $(median $name 2) s, wall $(median $name) s"
		done
		note "  $(grep -c Captured "$TMP/said") recordings, of which $(grep -c -i lost "$TMP/said") lost anything (goal: 0)"
	done
}

# --- a second opinion ----------------------------------------------------------------------

# Programs as the distribution ships them, without frame pointers: oracle_NAME RECORDER...
oracle_cc1plus()
{
	printf '%s\n' '#include <iostream>' '#include <map>' '#include <regex>' \
		'int main() { std::map<std::string, std::regex> m; m["a"] = std::regex("x+"); std::cout << m.size(); }' \
		>"$TMP/big.cc"
	CCACHE_DISABLE=1 "$@" g++ -O2 -c "$TMP/big.cc" -o "$TMP/big.o"
}

oracle_python3()
{
	cat >"$TMP/work.py" <<-'END'
		import json, random, re
		def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
		class Node:
		    def __init__(self, k): self.k, self.l, self.r = k, None, None
		def insert(n, k):
		    if n is None: return Node(k)
		    if k < n.k: n.l = insert(n.l, k)
		    else: n.r = insert(n.r, k)
		    return n
		def walk(n):
		    if n:
		        yield from walk(n.l)
		        yield n.k
		        yield from walk(n.r)
		for _ in range(12):
		    fib(22)
		    root = None
		    for i in range(8000): root = insert(root, random.random())
		    list(walk(root))
		    d = json.dumps({str(i): [i] * 10 for i in range(5000)})
		    json.loads(d), re.findall(r'(\d+)[^\d]+(\d+)', d)
		    sorted([random.random() for i in range(100000)], key=lambda x: -x)
	END
	"$@" "$(PATH=/usr/bin readlink -f /usr/bin/python3)" "$TMP/work.py"
}

oracle_sqlite3()
{
	cat >"$TMP/work.sql" <<-'END'
		create table t(a integer, b text, c real);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)
		insert into t select i, 'name' || (i * 7919 % 10007), i * 0.37 from n;
		create index tb on t(b);
		select count(*), sum(c), b from t group by b order by 2 desc limit 5;
	END
	"$@" sqlite3 :memory: ".read $TMP/work.sql" >/dev/null
}

oracle_redis()
{
	local server i
	redis-server --port 0 --unixsocket "$TMP/redis" --save '' >/dev/null &
	server=$!
	for ((i = 0; i < 100; i++)); do
		redis-cli -s "$TMP/redis" ping >/dev/null 2>&1 && break
		sleep 0.1
	done
	"$@" -p $server -- redis-benchmark -s "$TMP/redis" -q -n 20000 -r 10000 -t set,get,lpush,zadd,lrange_300 >/dev/null
	kill $server
	wait $server 2>/dev/null
}

# Whole stacks by sonde, by libunwind and by perf, and whether they are the same, on the same
# samples with 32 KB of stack; and how many are whole under --call-graph unwind.
case_unwind_oracle()
{
	local name file said

	make -s BUILD="$OUT" unwind-programs >/dev/null 2>&1
	for name in cc1plus python3 sqlite3 redis; do
		file=$TMP/$name.data
		"oracle_$name" perf record -q -F 999 -m 8M --call-graph dwarf,32768 -o "$file" 2>/dev/null || return
		perf script --no-inline --ns -F tid,time,ip,sym,dso -i "$file" >"$TMP/text" 2>/dev/null
		said=$("$OUT/tests/unwind/oracle" "$file" "$TMP/text") || said="NOT AS GOOD AS THE BEST: $said"
		note "$name, dwarf,32768: $said"
		"oracle_$name" "$SONDE" record -v -F 999 --call-graph unwind -o "$file" 2>"$TMP/said" >/dev/null || return
		note "$name, unwind: $(grep -E 'stacks' "$TMP/said")"
		rm -f "$file" "$TMP/text"
	done
}
