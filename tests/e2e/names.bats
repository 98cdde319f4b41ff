# Names of programs that a report would not find any more, and of code made at run time.
load common

# In a command that is recorded: wait until the recorder, its parent, holds FILE open, for a minute.
until_held='until_held() {
	for i in $(seq 600); do ls -l /proc/$PPID/fd | grep -q "/$1\$" && break; sleep 0.1; done; };'

# The cache of a test is its own, and so is the folder where perf keeps copies.
own_cache()
{
	export XDG_CACHE_HOME=$PWD/cache HOME=$PWD/home
	mkdir -p cache home
}

# named FILE: percent of the samples whose leaf has a name, by script's account of each.
named()
{
	"$SONDE" script -F event,ip,sym -i "$1" 2>/dev/null |
		awk 'NF { all++; if (!/\[unknown\]/) named++ } END { printf "%.2f\n", all ? 100 * named / all : 0 }'
}

# mostly_named FILE: at least 99 %, of 100 samples and more.
mostly_named()
{
	local percent
	percent=$(named "$1")
	echo "$percent % of $(samples -i "$1") samples named"
	[[ $(samples -i "$1") -ge 100 ]]
	awk -v p="$percent" 'BEGIN { exit !(p >= 99) }'
}

# A folder that is a root of its own for a program: /jail/bin/program and what it is linked to.
make_root()
{
	mkdir -p "$1/bin" "$1/tmp" "$1/proc"
	cp "$2" "$1/bin/program"
	ldd "$2" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$1$(dirname "$lib")"
		cp "$lib" "$1$lib"
	done
}

@test "a program in a mount namespace with its own root, which is gone when reported" {
	need_root
	need unshare
	own_cache
	make_root "$PWD/jail" "$WORKLOADS/burn"
	# a tmpfs that only the namespace sees holds the root
	cat >inner <<-SH
		mount -t tmpfs none "$PWD/hidden" && cp -r "$PWD/jail/." "$PWD/hidden/" &&
		exec chroot "$PWD/hidden" /bin/program 1
	SH
	mkdir hidden
	"$SONDE" record -q -e cpu-clock:u -F 999 -g -o r.data unshare -m sh inner >/dev/null ||
		skip "unshare -m does not work here"
	rm -r jail
	"$SONDE" fold -i r.data 2>/dev/null | grep -q 'program;.*main;phase;burn_a [0-9]'
	"$SONDE" report -i r.data --stdio --comm program -s sym --no-children -g none 2>/dev/null >out
	run ! grep -E '0x0000|unknown' out
	mostly_named r.data
	# without the copies there are no names, and the report says why
	"$SONDE" cache --purge
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q 'the mapped file cannot be opened here'
}

@test "a program that is replaced while it runs keeps its own names" {
	own_cache
	cp "$WORKLOADS/burn" program
	"$SONDE" record -q -e cpu-clock:u -F 999 -g -o r.data \
		sh -c "$until_held"' ./program 0.2; until_held program; cp '"$WORKLOADS/threads"' new
			mv new program' >/dev/null
	"$SONDE" fold -i r.data 2>/dev/null | grep -q 'main;phase;burn_a [0-9]'
	mostly_named r.data
	"$SONDE" cache --purge >/dev/null
	"$SONDE" fold -i r.data 2>/dev/null >there
	run ! grep -q burn_a there
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q 'its build-id differs'
	# and nothing is copied where that is not wanted
	cp "$WORKLOADS/burn" program
	"$SONDE" record -q -N -e cpu-clock:u -F 999 -o r.data sh -c './program 0.1; rm program' >/dev/null
	[[ -z $("$SONDE" cache --list | grep files/) ]]
}

@test "a program without build-id that was deleted, and one that was replaced" {
	own_cache
	need gcc
	gcc -g -O1 -Wl,--build-id=none -o program "$TOP/tests/workloads/burn.c"
	"$SONDE" record -q -e cpu-clock:u -F 999 -o r.data \
		sh -c "$until_held"' ./program 0.2; until_held program; cp '"$WORKLOADS/threads"' new
			mv new program' >/dev/null
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q burn_a
	rm program
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q burn_a
}

@test "what can be found again is not copied" {
	own_cache
	cp "$WORKLOADS/burn" program
	"$SONDE" record -q -e cpu-clock:u -F 999 -o r.data ./program 0.2 >/dev/null
	[[ ! -e cache/sonde/files ]]
}

# Some work for node in a file.
node_work()
{
	cat >work.js <<-'JS'
		function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
		function sorter() {
			const a = [];
			for (let i = 0; i < 20000; i++) a.push((i * 7919) % 10007);
			a.sort((x, y) => x - y);
			return a[5];
		}
		let r = 0;
		while (process.cpuUsage().user < 1500000) r += fib(20) + sorter() + JSON.stringify([r]).length;
	JS
}

@test "node by its perf map" {
	need node
	own_cache
	node_work
	for more in "" --interpreted-frames-native-stack; do
		# shellcheck disable=SC2086
		"$SONDE" record -q -e cpu-clock -F 499 -o r.data \
			node --perf-basic-prof $more work.js >/dev/null
		mostly_named r.data
		"$SONDE" report -i r.data --stdio -s sym --no-children -g none 2>/dev/null |
			grep -qE 'JS:.*fib .*work.js:1'
		# the map goes, the names stay: record kept it
		pid=$("$SONDE" script -F pid -i r.data 2>/dev/null | awk 'NF { print $1; exit }')
		rm "/tmp/perf-$pid.map"
		mostly_named r.data
		"$SONDE" cache --purge >/dev/null
		"$SONDE" report -i r.data --stdio 2>/dev/null |
			grep -q 'by a program that does not tell its names'
	done
}

@test "node by its jitdump, without perf inject" {
	need node
	own_cache
	node_work
	for more in "" --interpreted-frames-native-stack; do
		for clock in "" "-k mono"; do
			# shellcheck disable=SC2086
			"$SONDE" record -q $clock -e cpu-clock -F 499 -o r.data \
				node --perf-prof $more work.js >/dev/null
			[[ -e $(echo jit-*.dump) ]]
			mostly_named r.data
			"$SONDE" report -i r.data --stdio -s sym --no-children -g none 2>/dev/null |
				grep -qE 'JS:.*fib .*work.js:1'
			rm jit-*.dump
		done
	done
}

# jitdump's own tool is the oracle: the same samples get the same names.
@test "the names of a jitdump are those of perf inject --jit" {
	need node
	need perf
	own_cache
	node_work
	"$SONDE" record -q -k mono -e cpu-clock:u -F 499 -o r.data node --perf-prof work.js >/dev/null
	perf inject --jit -i r.data -o j.data 2>/dev/null || skip "perf inject --jit fails here"
	perf script -F time,ip,sym -i j.data 2>/dev/null | grep -v 'Builtin\|unknown' | grep 'JS:' |
		awk '{ $1 = $1; print }' | sort >theirs
	"$SONDE" script -F time,ip,sym -i r.data 2>/dev/null | grep 'JS:' |
		awk '{ $1 = $1; print }' | sort >ours
	echo "perf names $(wc -l <theirs) samples of $(samples -i r.data)"
	[[ $(wc -l <theirs) -gt 30 ]]
	# all that perf names, and by the same names
	comm -23 theirs ours >missing
	echo "of $(wc -l <theirs) samples that perf names, $(wc -l <missing) are others here:"
	head -5 missing
	[[ $(wc -l <missing) -le $(($(wc -l <theirs) / 100)) ]]
}

@test "a JIT in a container: its own PID, its own /tmp" {
	need_root
	need unshare
	need python3
	own_cache
	# a program that writes machine code (a loop of 3 * 2^30 turns) and its map
	cat >jit.py <<-'PY'
		import ctypes, mmap, os
		if os.uname().machine != "x86_64":
		    raise SystemExit(77)
		code = bytes.fromhex("b9000000c0" "ffc9" "75fc" "c3")
		m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
		m.write(code)
		at = ctypes.addressof(ctypes.c_char.from_buffer(m))
		with open(f"/tmp/perf-{os.getpid()}.map", "w") as f:
		    f.write(f"{at:x} {len(code):x} my\x1b[31mloop<b>\n")
		ctypes.CFUNCTYPE(None)(at)()
	PY
	run "$SONDE" record -q -e cpu-clock:u -F 499 -o r.data \
		unshare -m -p -f --mount-proc sh -c 'mount -t tmpfs none /tmp && cd / && python3 -' <jit.py
	[[ $status == 77 ]] && skip "knows machine code of x86_64 only"
	[[ $status == 0 ]] || skip "unshare -m -p does not work here"
	"$SONDE" report -i r.data --stdio 2>/dev/null >out
	# and a name that would drive the terminal does not
	grep -qF 'my\x1b[31mloop<b>' out
	run ! grep -q $'\x1b' out
	"$SONDE" flame -i r.data -o f.svg 2>/dev/null
	grep -q 'loop&lt;b&gt;' f.svg
	"$SONDE" flame -i r.data -o f.html 2>/dev/null
	grep -q 'loop' f.html
	run ! grep -q $'loop<b>\|\x1b' f.svg f.html
}

@test "a map planted as a link to another's file is not read" {
	own_cache
	need python3
	cat >wait.py <<-'PY'
		import ctypes, mmap, os
		if os.uname().machine != "x86_64":
		    raise SystemExit(77)
		code = bytes.fromhex("b900000018" "ffc9" "75fc" "c3")
		m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
		m.write(code)
		at = ctypes.addressof(ctypes.c_char.from_buffer(m))
		with open("target", "w") as f:
		    f.write(f"{at:x} {len(code):x} planted\n")
		os.symlink(os.path.abspath("target"), f"/tmp/perf-{os.getpid()}.map")
		try:
		    ctypes.CFUNCTYPE(None)(at)()
		finally:
		    open("pid", "w").write(str(os.getpid()))
	PY
	run "$SONDE" record -q -e cpu-clock:u -F 499 -o r.data python3 wait.py
	[[ $status == 77 ]] && skip "knows machine code of x86_64 only"
	"$SONDE" report -i r.data --stdio 2>/dev/null >out
	rm -f "/tmp/perf-$(<pid).map"
	run ! grep -q planted out
	grep -q 'is not believed' out
}

# /tmp is everybody's: once the owner's map is gone, a third user may put one there.
@test "what another user's program said while it ran outlives a map planted afterwards" {
	need_root
	need python3
	need setpriv
	own_cache
	cat >spin.py <<-'PY'
		import ctypes, mmap, os, sys
		if os.uname().machine != "x86_64":
		    raise SystemExit(77)
		m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
		m.write(bytes.fromhex("ebfe"))
		at = ctypes.addressof(ctypes.c_char.from_buffer(m))
		with open(f"/tmp/perf-{os.getpid()}.map", "w") as f:
		    f.write(f"{at:x} 1000 own_name\n")
		print(flush=True)
		ctypes.CFUNCTYPE(None)(at)()
	PY
	coproc spin { exec setpriv --reuid=54983 --clear-groups timeout 60 python3 - 2>&1 3>&-; }
	cat spin.py >&"${spin[1]}"
	fd=${spin[1]}
	exec {fd}>&-
	read -r line <&"${spin[0]}" || skip "knows machine code of x86_64 only, and needs setpriv"
	[[ -z $line ]]
	# shellcheck disable=SC2154
	pid=$(pgrep -P "$spin_PID" python3)
	map=/tmp/perf-$pid.map
	# until it has run for a tenth of a second
	# shellcheck disable=SC2016
	"$SONDE" record -q -e cpu-clock:u -F 499 -o r.data -p "$pid" -- sh -c '
		ran() { read -r line </proc/$1/stat; set -- $line; echo "${14}"; }
		from=$(ran "$1")
		until [ "$(ran "$1")" -gt $((from + 10)) ]; do sleep 0.05; done' - "$pid"
	sed 's/own_name/planted/' "$map" >planted
	# while it lives, only its user's file is believed
	rm "$map"
	cp planted "$map"
	chown 54982 "$map"
	XDG_CACHE_HOME=$PWD/empty "$SONDE" report -i r.data --stdio >other 2>&1
	kill "$pid"
	while [[ -e /proc/$pid ]]; do sleep 0.01; done
	"$SONDE" report -i r.data --stdio >out 2>&1
	XDG_CACHE_HOME=$PWD/empty "$SONDE" report -i r.data --stdio >late 2>&1
	rm -f "$map"
	run ! grep -q planted other
	grep -q 'is not believed' other
	grep -q own_name out
	run ! grep -q planted out
	# later nobody can tell, and the report says whose names it shows
	grep -q "$map.* belongs to user 54982" late
}

@test "sonde cache shows, bounds and deletes" {
	own_cache
	"$SONDE" cache | grep -q "^$PWD/cache/sonde$"
	"$SONDE" cache | grep -q ' limit: 1024 MB'
	"$SONDE" cache --limit 64M
	"$SONDE" cache | grep -q ' limit: 64 MB'
	mkdir -p -m 700 cache/sonde/files
	(umask 077 && head -c 100000 /dev/zero >cache/sonde/files/one)
	"$SONDE" cache --list | grep -q '^ *1[0-9]*  20.*  files/one$'
	"$SONDE" cache --purge | grep -q 'deleted 1 file, '
	[[ ! -e cache/sonde/files/one ]]
	"$SONDE" cache | grep -q ' limit: 64 MB'
	"$SONDE" cache --limit 0
	"$SONDE" cache | grep -q 'switched off'
	fails 129 "$SONDE" cache --limit much
	says 'is not a size'
	fails 129 "$SONDE" cache --list --purge
	fails 129 "$SONDE" cache list
	chmod 777 cache/sonde
	fails 1 "$SONDE" cache --purge
	says 'others may write to it'
}

@test "a BPF program that was loaded before the recording" {
	need_root
	need python3
	[[ $(uname -m) == x86_64 ]] || skip "knows the number of bpf(2) on x86_64 only"
	cat >load.py <<-'PY'
		import ctypes, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		insns = struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)
		code, gpl = ctypes.create_string_buffer(insns), ctypes.create_string_buffer(b"GPL")
		attr = struct.pack("<IIQQIIQII16s", 1, 2, ctypes.addressof(code), ctypes.addressof(gpl),
				   0, 0, 0, 0, 0, b"sonde_probe").ljust(120, b"\0")
		fd = libc.syscall(321, 5, ctypes.create_string_buffer(attr), 120)
		print("loaded" if fd >= 0 else "no", flush=True)
		sys.stdin.read()
	PY
	coproc LOADER { exec python3 load.py; }
	read -r said <&"${LOADER[0]}"
	[[ $said == loaded ]] || skip "no BPF program can be loaded here"
	grep -q 'bpf_prog_.*_sonde_probe' /proc/kallsyms || skip "the kernel does not tell names of BPF programs"
	"$SONDE" record -q -e cpu-clock -o r.data true
	# the oracle is the kernel: same address, same name
	awk '/_sonde_probe/ { print $1, $3 }' /proc/kallsyms >kernel
	"$SONDE" script -D -i r.data 2>/dev/null |
		sed -n 's/.*PERF_RECORD_KSYMBOL addr \([0-9a-f]*\) .* name \(bpf_prog_.*_sonde_probe\)$/\1 \2/p' >ours
	eval "exec ${LOADER[1]}>&-"
	diff kernel ours
}

@test "the library names what nm names, in a program of forty lines" {
	need nm
	[[ $(wc -l <"$TOP/tests/library/names.c") -le 40 ]]
	[[ -x $OUT/tests/library/names ]] || skip "make check builds tests/library/names"
	nm --defined-only -S "$WORKLOADS/burn" | awk '$3 ~ /^[tT]$/ && NF == 4 { print $1, $4 }' >nm
	[[ $(wc -l <nm) -ge 5 ]]
	# shellcheck disable=SC2046
	"$OUT/tests/library/names" "$WORKLOADS/burn" $(cut -d' ' -f1 nm) 0x0 >ours
	while read -r _ name; do
		grep -qF " $name+0 " ours
	done <nm
	grep -qE ' burn_a\+0 .*burn.c:[1-9]' ours
	tail -n 1 ours | grep -q '^0 ? no symbol'
}

# One of the programs that users profile, by its name in PATH: each is named to 99 %.
real()
{
	"$SONDE" record -q -e cpu-clock -F 999 -o real.data "$@" >/dev/null 2>&1
	mostly_named real.data
}

@test "real binaries: python3" {
	need python3
	own_cache
	real python3 -c 'import json; s = 0
for i in range(60000): s += len(json.dumps({"a": i, "b": [i] * 9}))
print(sorted(str(i) for i in range(100000))[5], s)'
}

@test "real binaries: cc1plus and libstdc++" {
	need g++
	own_cache
	printf '#include <regex>\n#include <iostream>\nint main() { std::regex r("a+b"); std::cout << std::regex_search("aab", r); }\n' >a.cc
	real g++ -O1 -o a a.cc
	printf '#include <map>\n#include <sstream>\nint main() { std::map<std::string, int> m; for (int i = 0; i < 400000; i++) { std::ostringstream o; o << i; m[o.str()]++; } return m.size() > 5 ? 0 : 1; }\n' >b.cc
	g++ -O1 -o b b.cc
	real ./b
	"$SONDE" report -i real.data --stdio -s dso,sym 2>/dev/null | grep -q 'libstdc++.*std::'
}

@test "real binaries: libc" {
	own_cache
	real sh -c 'seq 1 300000 | sort -R | sort -n | md5sum'
}

# A sonde that sees no debug packages.
without_debug()
{
	cat >bare <<-SH
		#!/bin/sh
		exec unshare -m sh -c 'mount -t tmpfs none /usr/lib/debug && exec "\$0" "\$@"' "$SONDE" "\$@"
	SH
	chmod +x bare
	./bare version >/dev/null 2>&1 || skip "unshare -m does not work here"
}

@test "real binaries: libc and libstdc++, with their debug packages and without" {
	need_root
	need unshare
	need g++
	own_cache
	[[ -d /usr/lib/debug ]] || skip "/usr/lib/debug is not there"
	without_debug
	printf '#include <map>\n#include <sstream>\nint main() { std::map<std::string, int> m; for (int i = 0; i < 200000; i++) { std::ostringstream o; o << i; m[o.str()]++; } return m.size() > 5 ? 0 : 1; }\n' >b.cc
	g++ -O1 -o b b.cc
	real ./b
	"$SONDE" report -i real.data --stdio -s dso,sym 2>/dev/null >with
	SONDE=$PWD/bare mostly_named real.data
	./bare report -i real.data --stdio -s dso,sym 2>/dev/null >without
	grep -q 'libstdc++.*std::' with
	grep -q 'libstdc++.*std::' without
	# malloc's inner function is local: without the package it is known by its extent alone
	id=$("$SONDE" buildid-list -i real.data | awk '/\/libc\.so\.6$/ { print $1 }')
	[[ -e /usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug ]] || skip "libc's debug package is not installed"
	grep -q 'libc.so.6 .* _int_malloc' with
	run ! grep -q '_int_malloc' without
	grep -q 'libc.so.6 .* libc.so.6+0x' without
}

@test "--debug-dir has the names of a stripped program, and the program when it is gone" {
	need objcopy
	own_cache
	cp "$WORKLOADS/burn" program
	id=$("$SONDE" buildid-list -i program)
	[[ ${#id} == 40 ]] || skip "this linker gives no build-id"
	mkdir -p "dbg/.build-id/${id:0:2}"
	objcopy --only-keep-debug program "dbg/.build-id/${id:0:2}/${id:2}.debug"
	strip program
	"$SONDE" record -q -N -e cpu-clock:u -F 999 -o r.data ./program 0.2 >/dev/null
	run ! grep -q burn_a <("$SONDE" report -i r.data --stdio 2>/dev/null)
	"$SONDE" report -i r.data --stdio --debug-dir dbg 2>/dev/null | grep -q burn_a
	# the index of the stripped program's names does not stand in the way of the others
	run ! grep -q burn_a <("$SONDE" report -i r.data --stdio 2>/dev/null)
	mv program "dbg/.build-id/${id:0:2}/${id:2}"
	"$SONDE" report -i r.data --stdio 2>/dev/null | grep -q 'cannot be opened here'
	"$SONDE" report -i r.data --stdio --debug-dir dbg 2>/dev/null | grep -q burn_a
}
