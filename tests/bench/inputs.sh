# Recordings to measure on: real programs, recorded here and grown to size.
#
# record_NAME FILE makes the small one, with frame pointers as far as the programs have
# them; input NAME [SAMPLES] in run grows it. GROW_NAME are options for that.

# A compile with many short processes: this program's own sources.
record_compile()
{
	local cflags="-std=gnu11 -D_GNU_SOURCE -I. -Isrc $(pkg-config --cflags libtraceevent)"
	export cflags CC=${CC:-gcc}
	"$SONDE" record -q -F 4999 -g -o "$1" -- \
		sh -c 'ls src/base/*.c src/profile/*.c src/view/*.c formats/*.c | head -n 60 |
		xargs -P2 -n1 $CC $cflags -O2 -g -c -o /dev/null'
}

# A server of keys and values under load.
record_redis()
{
	local sock=$TMP/redis.sock
	export sock
	"$SONDE" record -q -F 4999 -g -o "$1" -- sh -c '
		redis-server --port 0 --unixsocket $sock --save "" --appendonly no >/dev/null &
		for i in 1 2 3 4 5 6 7 8 9 10; do [ -S $sock ] && break; sleep 0.2; done
		redis-benchmark -s $sock -q -n 60000 -c 20 -t set,get,incr,lrange_100,mset >/dev/null
		redis-cli -s $sock shutdown nosave'
}

# A storm for the scheduler, seen by its tracepoints.
record_sched()
{
	"$SONDE" record -q -e 'sched:*' -a -o "$1" -- perf bench sched messaging -g 4 -l 200 >/dev/null
}
GROW_sched=-k
