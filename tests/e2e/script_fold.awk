# The text of perf script or sonde script (default fields) to folded stacks, as
# stackcollapse-perf.pl makes them by default: the command, then from the root to the
# leaf what stands before a name's offset and arguments; "[binary]" without a name.
#
# With -v children=1 instead a line for each function, "SAMPLES PERIOD COMM;DSO;NAME":
# how often it stands in some sample's chain, once for each sample.

function flush_sample(i)
{
	if (comm == "")
		return
	if (!children) {
		count[comm stack]++
	} else {
		for (i in seen) {
			samples[i]++
			weight[i] += period
		}
		delete seen
	}
	comm = stack = ""
}

function frame(line, at, dso, name, base, slash)
{
	sub(/^[ \t]+/, "", line)
	line = substr(line, index(line, " ") + 1)
	match(line, / \([^ ]*( \(deleted\))?\)$/)
	name = substr(line, 1, RSTART - 1)
	dso = substr(line, RSTART + 2, RLENGTH - 3)
	sub(/\+0x[0-9a-f]+$/, "", name)
	base = dso
	if (match(base, /\/[^\/]*$/))
		base = substr(base, RSTART + 1)
	if (children) {
		seen[comm ";" base ";" name]
		return
	}
	if (name == "[unknown]") {
		name = dso == "[unknown]" ? "[unknown]" : dso ~ /^\[/ ? dso : "[" base "]"
	} else {
		gsub(/;/, ":", name)
		gsub(/["']/, "", name)
		if (name !~ /\.\(.*\)\./) {
			# what stands in front of the first parenthesis that opens arguments
			at = name
			gsub(/\(anonymous namespace\)/, "<anonymous namespace>", at)
			if (index(at, "("))
				name = substr(name, 1, index(at, "(") - 1)
		}
	}
	stack = ";" name stack
}

/^$/ { flush_sample(); next }

/^\t *[0-9a-f]+ .* \(.*\)$/ && comm != "" { frame($0); next }

{
	flush_sample()
	# "a command 23481 12786.389521:     333444 cpu-clock:ppp: "
	if (!match($0, /[ ]+-?[0-9]+(\/-?[0-9]+)?[ ]+(\[[0-9]+\] )?[0-9]+\.[0-9]+: +[0-9]+ /))
		next
	comm = substr($0, 1, RSTART - 1)
	sub(/^ +/, "", comm)
	if (!children)
		gsub(/ /, "_", comm)
	split(substr($0, RSTART, RLENGTH), words, " ")
	period = words[length(words)]
	# without a chain the leaf stands on the same line
	rest = substr($0, RSTART + RLENGTH)
	if (match(rest, /: +[0-9a-f]+ .* \(.*\)$/))
		frame(substr(rest, RSTART + 1))
}

END {
	flush_sample()
	if (children) {
		for (i in samples)
			print samples[i], weight[i], i
	} else {
		for (i in count)
			print i, count[i]
	}
}
