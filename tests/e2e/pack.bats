# Recordings that carry their names to another machine. Names of functions: inlined ones
# need the binary's DWARF, so what is compared is asked for without.
load common

# elsewhere COMMAND...: with no binary, no kernel names and no cache of binaries to be found.
elsewhere()
{
	local cmd=$1
	shift
	mkdir -p empty home
	: >nothing
	HOME=$PWD/home "$SONDE" "$cmd" --symfs "$PWD/empty" --kallsyms "$PWD/nothing" "$@" 2>/dev/null
}

# A recording r.data of a program that is a copy of burn.
record_copy()
{
	cp "$WORKLOADS/burn" program
	"$SONDE" record -q -e cpu-clock -F 1999 -g -o r.data "$PWD/program" 0.4 >/dev/null
}

@test "packed, a recording reads elsewhere as it did at home" {
	record_copy
	cmds=("report --stdio" "report --stdio -v" "report -s dso,sym --no-children -g caller" script fold "fold --all")
	for cmd in "${cmds[@]/%/ --no-inline}"; do
		# shellcheck disable=SC2086
		"$SONDE" $cmd -i r.data 2>/dev/null >"home-${cmd// /_}"
	done
	"$SONDE" pack -i r.data -o p.data
	rm program
	for cmd in "${cmds[@]/%/ --no-inline}"; do
		# shellcheck disable=SC2086
		elsewhere $cmd -i p.data >there
		# the last line of a report names the recording
		diff <(sed 's/-i r\.data/-i p.data/' "home-${cmd// /_}") there
	done
	grep -q 'main;phase;burn_a [0-9]' home-fold_--no-inline
	# and without the names it does not
	elsewhere fold -i r.data >there
	run ! grep burn_a there
}

@test "another program in the same place is not taken for the one that ran" {
	record_copy
	"$SONDE" fold --no-inline -i r.data 2>/dev/null >at-home
	"$SONDE" pack -q -i r.data
	cp "$WORKLOADS/threads" program
	"$SONDE" fold --no-inline -i r.data.packed 2>/dev/null >there
	diff at-home there
}

@test "the file that ran goes before the packed names" {
	record_copy
	"$SONDE" pack -q -i r.data -o p.data
	"$SONDE" fold -i r.data >a 2>/dev/null
	"$SONDE" fold -i p.data >b 2>/dev/null
	cmp a b
}

@test "perf reads a packed recording as the recording" {
	need perf
	record_copy
	"$SONDE" pack -q -i r.data -o p.data
	perf script -i r.data >a 2>/dev/null
	perf script -i p.data >b 2>b.err
	cmp a b
	[[ $(grep -c burn_a a) -gt 100 ]]
	perf report --stdio -i p.data 2>&1 | grep -q burn_a
	perf report --header-only -i p.data >header 2>&1
	run ! grep -i unknown header
	# it rewrites files, and an unknown feature bit would crash it
	perf inject -b -i p.data -o i.data
	perf script -i i.data >c 2>/dev/null
	cmp a c
}

@test "packing twice changes nothing; to standard output it is the same" {
	record_copy
	"$SONDE" pack -i r.data -o p.data
	rm program
	elsewhere pack -i p.data -o q.data
	cmp p.data q.data
	"$SONDE" pack -i p.data -o - >r.out
	"$SONDE" fold -i r.out >a 2>/dev/null
	"$SONDE" fold -i p.data >b 2>/dev/null
	cmp a b
	"$SONDE" pack -i - -o s.data <p.data
	cmp p.data s.data
	[[ $(stat -c %a p.data) == 600 ]]
}

@test "what cannot be packed is refused in one line, and leaves no file" {
	record_copy
	fails 129 "$SONDE" pack -i r.data -o r.data
	says "the recording itself"
	fails 129 "$SONDE" pack -i r.data -o ./r.data
	fails 129 "$SONDE" pack -i - <r.data
	fails 129 "$SONDE" pack r.data
	fails 1 "$SONDE" pack -i missing.data
	fails 1 "$SONDE" pack -i r.data -o no/such/dir
	fails 1 "$SONDE" pack -i r.data -o /dev/full
	says "No space left"
	[[ ! -e x.data ]]
	run ! compgen -G 'x.data.*'
	run ! compgen -G 'r.data.*'
	[[ -c /dev/full ]]
}

# flat FILE: packed, it has the same samples, the names of the functions, and perf reads it.
flat()
{
	"$SONDE" pack -i "$1" -o flat.data
	"$SONDE" script --no-inline -i "$1" >a 2>/dev/null
	"$SONDE" script --no-inline -i flat.data >b 2>/dev/null
	[[ $(wc -l <a) -gt 100 ]]
	cmp a b
	perf script --no-inline -i flat.data >perf.txt 2>/dev/null
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt b
	run ! compgen -G 'flat.data.*'
}

@test "a stream is packed as a file" {
	need perf
	"$SONDE" record -q -e cpu-clock,page-faults -F 999 -g -o - sh -c "$WORKLOADS/burn 0.3 >&2" >pipe.data
	flat pipe.data
	# names come along
	cp "$WORKLOADS/burn" here
	"$SONDE" record -q -e cpu-clock -F 999 -o - sh -c './here 0.3 >&2' >pipe.data
	"$SONDE" pack -q -i pipe.data -o flat.data
	rm here
	"$SONDE" report -i flat.data | grep -q 'burn_a$'
	perf_records -e cpu-clock -F 999 -g -o pipe.perf "$WORKLOADS/burn" 0.1
	perf record -q -e cpu-clock -F 999 -g -o - "$WORKLOADS/burn" 0.3 >pipe.perf 2>/dev/null || skip "perf record fails here"
	flat pipe.perf
}

@test "a recording in directory format is packed as a file" {
	need perf
	need_root
	perf record --threads -q -e cpu-clock -F 999 -g -o dir.data -- "$WORKLOADS/burn" 0.3 >/dev/null 2>&1 ||
		skip "perf record --threads fails here"
	[[ -d dir.data ]] || skip "this perf does not record directories"
	flat dir.data
}

@test "recordings of other people's machines are packed and stay what they are" {
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	local bad=0
	for f in "$RECORDINGS"/*.data; do
		if ! "$SONDE" pack -q -i "$f" -o p.data 2>err; then
			grep -qE 'cut off|damaged|other byte order' err || { cat err; bad=1; }
			continue
		fi
		"$SONDE" script -i "$f" >a 2>/dev/null
		"$SONDE" script -i p.data >b 2>/dev/null
		cmp a b || { echo "$f"; bad=1; }
		rm p.data
	done
	((!bad))
}
