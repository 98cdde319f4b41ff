# perf script's text against sonde script's, line by line. Six differences are
# meant (doc/sonde-script.md) and let pass, and counted:
#
#   - a frame that perf has no name for, because the binary is stripped
#   - a return address that is the first byte of a function: perf names that one,
#     sonde the function that holds the call
#   - a PLT entry in a library with indirect functions: perf 6.1 goes by the order
#     of relocations, which is another one there, sonde by the jump's target
#   - the head of a PLT, which no symbol covers: perf 6.1 stretches _init, which has
#     no size, over it; sonde says where in the file it is if an unwind table covers
#     it, which on arm64 none does
#   - a chain in which a word is no address but an unknown mark: perf throws the
#     whole chain away, sonde keeps what stands before that word
#   - an address without a name that only the program before an exec had mapped:
#     perf keeps the mappings of that one, sonde does not
#
# Everything else is an error.

function frame(line, f)
{
	# "	           1ab78 _start+0x8 (/usr/lib/ld.so)"
	if (line !~ /^[ \t]+[0-9a-f]+ .* \(.*\)$/)
		return 0
	sub(/^[ \t]+/, "", line)
	f["ip"] = substr(line, 1, index(line, " ") - 1)
	line = substr(line, index(line, " ") + 1)
	match(line, / \([^ ]*( \(deleted\))?\)$/)
	f["sym"] = substr(line, 1, RSTART - 1)
	f["dso"] = substr(line, RSTART + 1)
	return 1
}

# A sample without a chain has its one frame behind the head, where perf has no name
# for it: "threads 7 12.345678:  1001 cpu-clock:      7f1f0ba8b0 [unknown] (/usr/lib/libc.so.6)"
function unnamed_leaf(theirs, ours, at)
{
	at = index(theirs, " [unknown] (")
	return at && substr(theirs, 1, at) ~ /: +[0-9a-f]+ $/ && substr(theirs, 1, at) == substr(ours, 1, at) &&
	       substr(ours, length(ours) - length(theirs) + at + 11) == substr(theirs, at + 11)
}

FNR == NR { perf[FNR] = $0; nr_perf = FNR; next }

# The frames of a chain that perf threw away: it has the empty line at once.
(after_head || dropping) && perf[at + 1] == "" && frame($0, b) {
	dropped += !dropping
	dropping = 1
	next
}

{
	at++
	dropping = 0
	after_head = !frame($0, b) && $0 != ""
	if ($0 == perf[at]) {
		in_chain = frame($0, a)
		next
	}
	if (frame(perf[at], a) && frame($0, b) && a["ip"] == b["ip"] && a["dso"] == b["dso"]) {
		if (a["sym"] == "[unknown]") {
			in_chain = 1
			unnamed++
			next
		}
		if ((a["sym"] ~ /@plt\+/ && b["sym"] ~ /@plt\+/) ||
		    (a["sym"] ~ /^_init\+/ && b["sym"] ~ /\+0x[0-9a-f]+\+0x/) ||
		    (a["sym"] ~ /^_init\+0x[0-9a-f][0-9a-f]?$/ && b["sym"] == "[unknown]")) {
			in_chain = 1
			plts++
			next
		}
		if (in_chain && a["sym"] ~ /\+0x0$/) {
			returns++
			next
		}
	}
	if (frame(perf[at], a) && frame($0, b) && a["sym"] == "[unknown]" &&
	    b["sym"] == "[unknown]" && b["dso"] == "([unknown])") {
		in_chain = 1
		stale++
		next
	}
	if (unnamed_leaf(perf[at], $0)) {
		unnamed++
		next
	}
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
