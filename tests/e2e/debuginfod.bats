# Debug files from servers: one that has them, one that has none, one that hangs.
load common

# A server of files below srv/ on a port of its own, whose requests are in srv.log; what is
# asked of it below /hang never ends. Its address is in $server.
serve()
{
	cat >server.py <<-'PY'
		import http.server, os, sys, time
		class Handler(http.server.SimpleHTTPRequestHandler):
		    def do_GET(self):
		        if self.path.startswith("/hang"):
		            self.log_request("hang")
		            while True:
		                time.sleep(3600)
		        super().do_GET()
		http.server.ThreadingHTTPServer.daemon_threads = True
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		os.chdir("srv")
		print(server.server_address[1], flush=True)
		server.serve_forever()
	PY
	mkdir -p srv
	coproc SERVER { exec python3 server.py 2>srv.log; }
	read -r port <&"${SERVER[0]}"
	server=http://127.0.0.1:$port
}

teardown()
{
	[[ -z ${SERVER_PID:-} ]] || kill "$SERVER_PID"
}

# A recording of a stripped program whose debug file is on the server and nowhere else.
stripped()
{
	need python3
	need objcopy
	ldconfig -p 2>/dev/null | grep -q libdebuginfod.so.1 || skip "libdebuginfod.so.1 is not installed"
	unset DEBUGINFOD_URLS DEBUGINFOD_CACHE_PATH no_proxy http_proxy
	export HOME=$PWD/home XDG_CACHE_HOME=$PWD/cache
	mkdir home
	cp "$WORKLOADS/burn" program
	id=$("$SONDE" buildid-list -i program)
	[[ ${#id} == 40 ]] || skip "this linker gives no build-id"
	mkdir -p "srv/buildid/$id"
	objcopy --only-keep-debug program "srv/buildid/$id/debuginfo"
	strip program
	"$SONDE" record -q -N -e cpu-clock:u -F 999 -g -o r.data ./program 0.2 >/dev/null
	serve
}

# What is asked of the server, of the recorded program: "debuginfo 1"
asked()
{
	grep -o "GET [^ ]*/buildid/$id/[a-z]*" srv.log | sed 's,.*/,,' | sort | uniq -c |
		awk '{ print $2, $1 }'
}

@test "a debug file of a server gives names and lines, and is fetched once" {
	stripped
	"$SONDE" report -i r.data --stdio >out 2>err
	run ! grep -q burn_a out
	[[ ! -s srv.log ]]
	DEBUGINFOD_URLS=$server "$SONDE" report -i r.data --stdio --debuginfod-timeout 60 >out 2>err
	grep -q burn_a out
	[[ $(asked) == "debuginfo 1" ]]
	# the file is in the cache of libdebuginfod, and no one is asked again
	cmp "srv/buildid/$id/debuginfo" "cache/debuginfod_client/$id/debuginfo"
	DEBUGINFOD_URLS=$server "$SONDE" script -F ip,sym,srcline -i r.data >lines 2>err
	grep -q 'burn.c:[1-9]' lines
	[[ $(asked) == "debuginfo 1" ]]
	# off is off, whatever is in the cache
	"$SONDE" report -i r.data --stdio >out 2>err
	run ! grep -q burn_a out
}

@test "a binary that is gone comes from a server, with its debug file" {
	stripped
	mv program "srv/buildid/$id/executable"
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q 'cannot be opened here'
	export DEBUGINFOD_URLS=$server
	"$SONDE" fold -i r.data --debuginfod-timeout 60 >out 2>err
	grep -q 'main;phase;burn_a [0-9]' out
	[[ $(asked) == "debuginfo 1
executable 1" ]]
}

@test "a source file that is gone comes from a server" {
	need cc
	stripped
	mkdir src
	cp "$TOP/tests/workloads/burn.c" src/gone.c
	cc -O1 -g -fno-omit-frame-pointer -Wl,--build-id -o compiled "$PWD/src/gone.c"
	id=$("$SONDE" buildid-list -i compiled)
	"$SONDE" record -q -N -e cpu-clock:u -F 999 -o s.data ./compiled 0.3 >/dev/null
	"$SONDE" annotate -i s.data burn_a >here 2>err
	[[ ! -s err && ! -s srv.log ]]
	mkdir -p "srv/buildid/$id/source$PWD/src"
	mv src/gone.c "srv/buildid/$id/source$PWD/src"
	"$SONDE" annotate -i s.data burn_a >without 2>err
	grep -q "gone.c' cannot be read" err
	DEBUGINFOD_URLS=$server "$SONDE" annotate -i s.data --debuginfod-timeout 60 burn_a >there 2>err
	[[ ! -s err ]]
	diff here there
	run ! diff -q here without
	# once, and not where no one is to be asked
	grep -c "GET /buildid/$id/source" srv.log
	[[ $(grep -c "GET /buildid/$id/source.*gone.c" srv.log) == 1 ]]
	DEBUGINFOD_URLS=$server "$SONDE" annotate -i s.data --debuginfod-timeout 0 burn_a >there 2>err
	diff without there
}

@test "a server that has it not, and one that sends another's" {
	stripped
	export DEBUGINFOD_URLS=$server
	mv "srv/buildid/$id" elsewhere
	"$SONDE" report -i r.data --stdio --debuginfod-timeout 60 >out 2>err
	run ! grep -q burn_a out
	grep -q 'program+0x' out
	[[ ! -s err ]]
	[[ $(asked) == "debuginfo 1" ]]
	rm -r cache/debuginfod_client
	mkdir "srv/buildid/$id"
	cp "$WORKLOADS/threads" "srv/buildid/$id/debuginfo"
	"$SONDE" report -i r.data --stdio --debuginfod-timeout 60 >out 2>err
	run ! grep -qE 'burn_a|worker' out
	grep -q 'program+0x' out
}

@test "a server that hangs costs the deadline, once, and the answer is what is known here" {
	stripped
	"$SONDE" report -i r.data --stdio >without 2>/dev/null
	# The clock of the test is the server's: it was asked, and the answer is there though it
	# never answered.
	DEBUGINFOD_URLS=$server/hang "$SONDE" report -i r.data --stdio --debuginfod-timeout 2 >out 2>err
	[[ $(asked) == "debuginfo 1" ]]
	diff without out
	grep -q 'within 2 s.*--debuginfod-timeout' err
	[[ $(wc -l <err) == 1 ]]
	# what is in the cache is found nevertheless
	DEBUGINFOD_URLS=$server "$SONDE" report -i r.data --stdio --debuginfod-timeout 60 >with 2>/dev/null
	DEBUGINFOD_URLS=$server/hang "$SONDE" report -i r.data --stdio --debuginfod-timeout 2 >out 2>err
	diff with out
	grep -q burn_a out
	# nothing half fetched is left
	[[ -z $(find cache/debuginfod_client -name '*.??????' -newer with) ]]
}

@test "--debuginfod-timeout 0 asks no one, and nonsense is refused" {
	stripped
	export DEBUGINFOD_URLS=$server
	"$SONDE" report -i r.data --stdio --debuginfod-timeout 0 >out 2>err
	run ! grep -q burn_a out
	[[ ! -s srv.log && ! -s err ]]
	fails 1 "$SONDE" report -i r.data --debuginfod-timeout soon
	says 'is not a number of seconds'
	DEBUGINFOD_URLS=" " "$SONDE" report -i r.data --stdio >out 2>err
	[[ ! -s srv.log && ! -s err ]]
}

@test "without DEBUGINFOD_URLS the library is not even opened" {
	stripped
	# what the loader opens; with the variable it is there, so that this can be told here
	DEBUGINFOD_URLS=$server LD_DEBUG=files LD_DEBUG_OUTPUT=$PWD/asked \
		"$SONDE" report -i r.data --stdio --debuginfod-timeout 60 >/dev/null 2>&1
	cat asked.* 2>/dev/null | grep -q 'libdebuginfod\.so' || skip "this loader does not tell what it opens"
	for urls in "" " "; do
		rm -f quiet.*
		DEBUGINFOD_URLS=$urls LD_DEBUG=files LD_DEBUG_OUTPUT=$PWD/quiet \
			"$SONDE" report -i r.data --stdio >/dev/null 2>&1
		cat quiet.* | grep -q 'libelf'
		run ! grep -q 'libdebuginfod\|libcurl' quiet.*
	done
	rm -f quiet.*
	env -u DEBUGINFOD_URLS LD_DEBUG=files LD_DEBUG_OUTPUT="$PWD/quiet" \
		"$SONDE" report -i r.data --stdio >/dev/null 2>&1
	run ! grep -q 'libdebuginfod\|libcurl' quiet.*
}
