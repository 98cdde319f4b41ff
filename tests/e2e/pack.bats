# Recordings that carry their names to another machine.
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
	"$SONDE" record -q -e cpu-clock -F 999 -g -o r.data "$PWD/program" 2 >/dev/null
}

@test "packed, a recording reads elsewhere as it did at home" {
	record_copy
	for cmd in "report --stdio" "report --stdio -v" "report -s dso,sym --no-children -g caller" \
		script fold "fold --all"; do
		# shellcheck disable=SC2086
		"$SONDE" $cmd -i r.data 2>/dev/null >"home-${cmd// /_}"
	done
	"$SONDE" pack -i r.data -o p.data
	rm program
	for cmd in "report --stdio" "report --stdio -v" "report -s dso,sym --no-children -g caller" \
		script fold "fold --all"; do
		# shellcheck disable=SC2086
		elsewhere $cmd -i p.data >there
		diff "home-${cmd// /_}" there
	done
	grep -q 'main;phase;burn_a [0-9]' home-fold
	# and without the names it does not
	elsewhere fold -i r.data >there
	run ! grep burn_a there
}

@test "another program in the same place is not taken for the one that ran" {
	record_copy
	"$SONDE" fold -i r.data 2>/dev/null >at-home
	"$SONDE" pack -q -i r.data
	cp "$WORKLOADS/threads" program
	"$SONDE" fold -i r.data.packed 2>/dev/null >there
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
	"$SONDE" record -q -e cpu-clock -o - true >pipe.data
	fails 1 "$SONDE" pack -i pipe.data -o x.data
	says "pipe format"
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

@test "recordings of other people's machines are packed and stay what they are" {
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	local bad=0
	for f in "$RECORDINGS"/*.data; do
		if ! "$SONDE" pack -q -i "$f" -o p.data 2>err; then
			grep -qE 'pipe format|cut off|damaged|directory format' err || { cat err; bad=1; }
			continue
		fi
		"$SONDE" script -i "$f" >a 2>/dev/null
		"$SONDE" script -i p.data >b 2>/dev/null
		cmp a b || { echo "$f"; bad=1; }
		rm p.data
	done
	((!bad))
}
