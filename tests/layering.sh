#!/bin/bash
# A room includes only itself and the rooms above it. Proved over the #include
# lines of the tree.
#
#	tests/layering.sh [--tap] [TOP]     violations, "FILE:LINE: ROOM includes ROOM"
#
# With --tap it also tries itself on trees that are wrong (tests/fixtures/layering
# is made on the fly: a script that cannot fail proves nothing).
set -u

rooms=(src/base arch formats symbols src/engine src/profile src/sched src/bpf src/view src/cmd)

# violations TOP: every #include "..." that goes down, or to nowhere.
violations()
{
	(cd "$1" && find "${rooms[@]}" -name '*.[ch]' 2>/dev/null | sort | xargs -r awk -v rooms="${rooms[*]}" '
	BEGIN {
		nr_rooms = split(rooms, room)
		for (i = 1; i <= nr_rooms; i++)
			rank[room[i]] = i
	}
	# Longest first does not matter: no room is another one\x27s folder.
	function room_of(path,   i)
	{
		for (i = 1; i <= nr_rooms; i++)
			if (index(path, room[i] "/") == 1)
				return room[i]
		return ""
	}
	function there(path,   line, r)
	{
		r = (getline line < path)
		close(path)
		return r >= 0
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, q, "\"")
		mine = room_of(FILENAME)
		# The compiler is given -I. and -Isrc, and looks next to the file first.
		dir = FILENAME
		sub(/[^\/]*$/, "", dir)
		if (q[2] ~ /\.\.\//)
			target = ""
		else if (there(dir q[2]))
			target = dir q[2]
		else if (there("src/" q[2]))
			target = "src/" q[2]
		else
			target = q[2]
		# A BPF skeleton is generated in the build, for its own room.
		if (q[2] ~ /\.skel\.h$/)
			target = dir q[2]
		theirs = room_of(target)
		if (theirs == "")
			printf "%s:%d: %s includes \"%s\", which is in no room\n", FILENAME, FNR, mine, q[2]
		else if (rank[theirs] > rank[mine])
			printf "%s:%d: %s includes \"%s\", of the room below: %s\n", FILENAME, FNR, mine, q[2], theirs
	}')
}

# perf_event_open has one caller.
callers()
{
	(cd "$1" && grep -rnE '(SYS|__NR)_perf_event_open' --include='*.[ch]' \
		$(for r in "${rooms[@]}"; do [[ $r != src/engine && -d $r ]] && echo "$r"; done) /dev/null)
}

# Only src/cmd exits. A handler for a child after fork uses _exit, which is another word.
exits()
{
	(cd "$1" && grep -rnE '(^|[^_[:alnum:]])exit\(' --include='*.c' \
		$(for r in "${rooms[@]}"; do [[ $r != src/cmd && -d $r ]] && echo "$r"; done) /dev/null |
		grep -vE ':[[:space:]]*(\*|//)')
}

if [[ ${1:-} != --tap ]]; then
	found=$(violations "${1:-.}"; callers "${1:-.}"; exits "${1:-.}")
	[[ -z $found ]] && exit 0
	printf '%s\n' "$found"
	exit 1
fi

n=0
verdict()
{
	n=$((n + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		[[ -n ${3:-} ]] && sed 's/^/# /' <<<"$3"
	fi
}

echo 1..6
found=$(violations .)
[[ -z $found ]]
verdict $? "each room includes only rooms above it" "$found"
found=$(callers .)
[[ -z $found ]]
verdict $? "only src/engine calls perf_event_open" "$found"
found=$(exits .)
[[ -z $found ]]
verdict $? "only src/cmd exits" "$found"

bad=$(mktemp -d)
trap 'rm -rf "$bad"' EXIT
mkdir -p "$bad"/src/{base,view,engine} "$bad"/formats
touch "$bad"/src/view/table.h "$bad"/src/engine/ring.h
echo '#include "view/table.h"' >"$bad"/src/base/up.c
echo 'void f(void) { exit(1); syscall(__NR_perf_event_open); }' >"$bad"/formats/x.c
found=$(violations "$bad")
[[ $found == *'src/base/up.c:1: src/base includes'* ]]
verdict $? "an include of a lower room is found" "$found"
echo '#include "../src/engine/ring.h"' >"$bad"/src/base/up.c
found=$(violations "$bad")
[[ $found == *'in no room'* ]]
verdict $? "a detour by ../ is found" "$found"
[[ $(callers "$bad") == *x.c* && $(exits "$bad") == *x.c* ]]
verdict $? "a second caller of perf_event_open and an exit are found"
