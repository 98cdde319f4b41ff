# Do the rows of two reports agree, and is each difference one of the names alone?
#
#	awk -v limit=0.5 [-v children=1] -f report_agree.awk PERF-KIDS SONDE-KIDS PERF-ROWS SONDE-ROWS
#
# ROWS are "PERCENT;SAMPLES;DSO;[k] NAME" of perf and of sonde.  KIDS are script_fold.awk's
# counts by function out of the text of perf script and of sonde script, which
# script_diff.awk has found to differ in names for known causes only.  A row of `limit`
# percent or more that is not equal to a hundredth must be one that the two texts
# count differently, by just so much as the rows differ.
#
# What perf has no name for stands in its report as an address, and in that of sonde as
# a function range or as [unknown]; without children the samples of
# those in each binary are as many, PLT entries and the head of a PLT among them, of which
# perf names some only.

function key(dso, name)
{
	return dso ";" substr(name, 5)
}

function nameless(name)
{
	return name ~ /^\[.\] (0x)?[0-9a-f]+$/ && length(name) >= 20 || name ~ /\[unknown\]$/ || name ~ /\+0x[0-9a-f]+$/ ||
	       name ~ /@plt$|^\[.\] (\.plt|_init)$/
}

function abs(x)
{
	return x < 0 ? -x : x
}

FILENAME != last { last = FILENAME; file++ }

file <= 2 {
	# "SAMPLES PERIOD COMM;DSO;NAME"
	split($0, w, " ")
	rest = substr($0, length(w[1]) + length(w[2]) + 3)
	k = substr(rest, index(rest, ";") + 1)
	text[file, k] += w[2]
	next
}

{
	n = split($0, f, ";")
	name = f[4]
	for (i = 5; i <= n; i++)
		name = name ";" f[i]
	percent = f[1] + 0
	if (nameless(name)) {
		unnamed[file, f[3]] += f[2]
		binaries[f[3]]
		next
	}
	row[file, key(f[3], name)] += percent
	keys[key(f[3], name)]++
}

END {
	for (k in keys) {
		p = row[3, k]
		s = row[4, k]
		if (p < limit && s < limit)
			continue
		compared++
		if (abs(p - s) < 0.0101)
			continue
		# periods of the two texts, as the rows have percent of them
		if (p > s && text[1, k] > text[2, k] || p < s && text[1, k] < text[2, k]) {
			base = text[1, k] > 0 && p > 0 ? text[1, k] / p : text[2, k] / s
			if (abs((text[1, k] - text[2, k]) / base - (p - s)) < 0.05 + 0.01 * keys[k]) {
				renamed++
				continue
			}
		}
		printf "perf %.2f%% sonde %.2f%% (text: perf %d, sonde %d) %s\n", p, s, text[1, k], text[2, k], k
		bad++
	}
	for (d in binaries) {
		if (children || d == "[unknown]")
			continue
		sums++
		if (unnamed[3, d] != unnamed[4, d]) {
			printf "without a name: perf %d, sonde %d samples of %s\n", unnamed[3, d], unnamed[4, d], d
			bad++
		}
	}
	printf "%d rows of %s %% or more compared, %d of them with another name in the text, %d sums of what perf does not name\n",
		compared, limit, renamed, sums
	exit bad > 0 || !compared
}
