# perf script's text against sonde script's, line by line. Six differences are
# meant (doc/sonde-script.md) and let pass, and counted:
#
#   - a frame that perf has no name for, because the binary is stripped
#   - a return address that is the first byte of a function: perf names that one,
#     sonde the function that holds the call
#   - a PLT entry in a library with indirect functions: perf 6.1 goes by the order
#     of relocations, which is another one there, sonde by the jump's target
#   - the head of a PLT, which no symbol covers: perf 6.1 stretches _init, which has
#     no size, over it, and on arm64 over the first entry; sonde, as newer perf
#     does, calls it .plt
#   - a chain in which a word is no address but an unknown mark: perf throws the
#     whole chain away, sonde keeps what stands before that word
#   - an address without a name that only the program before an exec had mapped:
#     perf keeps the mappings of that one, sonde does not
#
# Everything else is an error.

# "	           1ab78 _start+0x8 (/usr/lib/ld.so)", in a chain, or behind the head of a sample
# without one: "threads 7 12.345678:  1001 cpu-clock:      7f1f0ba8b0 [unknown] (/usr/lib/libc.so.6)"
function frame(line, f, head)
{
	head = ""
	if (line !~ /^\t *[0-9a-f]+ .* \(.*\)$/) {
		while (match(line, /: +[0-9a-f]+ .* \(.*\)$/)) {
			head = head substr(line, 1, RSTART)
			line = substr(line, RSTART + 1)
		}
		if (head == "")
			return 0
	}
	sub(/^[ \t]+/, "", line)
	f["head"] = head
	f["ip"] = substr(line, 1, index(line, " ") - 1)
	line = substr(line, index(line, " ") + 1)
	match(line, / \([^ ]*( \(deleted\))?\)$/)
	f["sym"] = substr(line, 1, RSTART - 1)
	f["dso"] = substr(line, RSTART + 2, RLENGTH - 3)
	return 1
}

function in_chain(line)
{
	return line ~ /^\t *[0-9a-f]+ .* \(.*\)$/
}

# Is b, of sonde, one of the differences that are meant from a, of perf?
function meant(a, b)
{
	if (a["head"] != b["head"])
		return 0
	# perf prints what has no name by its place in the file
	if (a["sym"] == "[unknown]" && b["sym"] == "[unknown]" && b["dso"] == "[unknown]" &&
	    substr(a["ip"], length(a["ip"]) - 2) == substr(b["ip"], length(b["ip"]) - 2))
		return ++stale
	if (a["ip"] != b["ip"] || a["dso"] != b["dso"])
		return 0
	if (b["sym"] ~ /^\.plt\+|@plt\+/ && a["sym"] ~ /^_init\+|@plt\+|^\[unknown\]$/)
		return ++plts
	if (a["sym"] == "[unknown]")
		return ++unnamed
	if (was_chain && a["head"] == "" && a["sym"] ~ /\+0x0$/)
		return ++returns
	return 0
}

FNR == NR { perf[FNR] = $0; nr_perf = FNR; next }

# The frames of a chain that perf threw away: it has the empty line at once.
(after_head || dropping) && perf[at + 1] == "" && in_chain($0) {
	dropped += !dropping
	dropping = 1
	next
}

{
	at++
	dropping = 0
	after_head = !in_chain($0) && $0 != ""
	# the second and later frames of a chain are return addresses
	was_chain = inside
	inside = in_chain($0)
	if ($0 == perf[at] || frame(perf[at], a) && frame($0, b) && meant(a, b))
		next
	if (++bad <= 20)
		printf "line %d\n- %s\n+ %s\n", FNR, perf[at], $0
}

END {
	printf "%d lines, %d frames that perf does not name, %d returns to a function's start, %d PLT entries, %d chains that perf drops, %d addresses of a program before\n",
		FNR, unnamed, returns, plts, dropped, stale
	if (at != nr_perf || NR == FNR) {
		printf "perf has %d lines, sonde %d of them\n", nr_perf, at
		bad++
	}
	exit bad > 0
}
