# Compare a listing of sonde's disassembler with objdump's.
#
#	objdump -d --no-show-raw-insn FILE | awk -f objdump.awk -v ours=LISTING
#
# Lines of `ours` are "ADDRESS<TAB>MNEMONIC OPERANDS".  Every instruction of either has to
# be one of the other at the same address with the same mnemonic.  The differences that are
# none, each with its reason, are:
#
#  prefixes   objdump writes those that change nothing (cs, ds, data16, rex, notrack on a
#             jump, repz on ret); capstone leaves them out
#  xchg       66 90 is "xchg %ax,%ax" to objdump, and what it does: nop
#  suffixes   objdump leaves the size out where the operands tell it: stos, lgdt, pushf, ...
#  x87 wait   "finit" is two instructions, of which the first is wait: one address more
#  newer      what the decoder does not know is shown as bytes, in one line of the right
#             length. Only those named in `newer` may be; they are counted.
#  (bad)      bytes that objdump does not take either; where both go on may differ by 3
#  rex.W      a prefix at the end of a symbol, alone on its line; sonde shows the byte
#
# Says what is left, and ends with 1 if anything is.
BEGIN {
	FS = "\t"
	newer = "^(k[a-z]+[bwdq]|vpcmp[a-z]*|vptest[a-z]*|vpternlog[dq]|vpbroadcast[a-z]+|vpror[vdq]+|vprol[vdq]+|" \
		"vpermi2[a-z]+|vpermt2[a-z]+|rdpkru|wrpkru|serialize|rmpadjust|pvalidate|monitorx|mwaitx|tpause|" \
		"umwait|umonitor|tilerelease|movdir[a-z0-9]+|enqcmds?|cldemote|wbnoinvd|rdssp[dq]|incssp[dq]|" \
		"v[a-z0-9]+)$"
	while ((getline line < ours) > 0) {
		tab = index(line, "\t")
		sonde[substr(line, 1, tab - 1)] = substr(line, tab + 1)
		nr_ours++
	}
}
function mnemonic(text,   n, w, i) {
	n = split(text, w, /[ ,]+/)
	for (i = 1; i < n && w[i] ~ /^(cs|ds|es|ss|data16|addr32|notrack|bnd|rex(\.[A-Z]+)?|repz|repnz|rep|lock)$/; i++)
		;
	return w[i]
}
function plain(m) {
	if (m == "xchg" || m == "nopw" || m == "nopl")
		return "nop"
	if (m == "wait")
		return "fwait"
	if (m == "vmgexit")
		return "vmmcall"
	return m
}
/^ *[0-9a-f]+:\t/ {
	addr = $1
	gsub(/[ :]/, "", addr)
	nr++
	theirs = $2
	if (!(addr in sonde)) {
		lost[addr] = theirs
		next
	}
	mine = sonde[addr]
	delete sonde[addr]
	a = plain(mnemonic(theirs))
	b = plain(mnemonic(mine))
	if (a == b || a == b "q" || b ~ "^" a "[bwlq]$")
		next
	if (b == ".byte" && (a ~ newer || a == "(bad)" || a == ".byte")) {
		if (a ~ newer)
			unknown++
		else
			bad = 1
		next
	}
	if (a == "finit" && b == "fwait")
		next
	# 0f 01 d9 with a prefix, and what is no instruction on its own
	if (a ~ /^\(bad\)/ || theirs ~ /^(data16|cs|ds|es|ss|rex|lock|rep)/ && b == ".byte") {
		bad = 1
		next
	}
	differ[a " | " b]++
	nr_differ++
	example[a " | " b] = addr
}
END {
	for (addr in sonde) {
		extra++
		if (extra < 10)
			at = at " " addr ":" sonde[addr]
	}
	for (addr in lost) {
		missing++
		if (missing < 10)
			gone = gone " " addr ":" lost[addr]
	}
	for (d in differ)
		print differ[d], d, "(" example[d] ")"
	printf "%d instructions, %d newer than the decoder, %d only here%s, %d only there%s\n", nr, unknown, extra, at, missing, gone
	exit !(nr > 1000 && !nr_differ && unknown * 100 < nr && extra <= 4 && missing <= 4)
}
