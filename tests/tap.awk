# One program's TAP (cmocka's dialect and bats') -> what is worth showing, and as
# the last line "PASSED FAILED SKIPPED". In: name, rc, limit; took, its seconds. How long
# each of bats' cases took, or else the whole, goes to the file times.

function skip(test, why)
{
	skipped++
	printf "  skip: %s: %s: %s\n", name, test, why == "" ? "no reason given" : why
}

# bats -T: "ok 1 name in 123ms # skip why"
/^(not )?ok / && match($0, / in [0-9]+ms( # skip.*)?$/) {
	split(substr($0, RSTART + 4), word, "ms")
	rest_of_it = substr($0, RSTART + 4 + length(word[1]) + 2)
	$0 = substr($0, 1, RSTART - 1)
	test = $0
	sub(/^(not )?ok [0-9]+ (- )?/, "", test)
	printf "%8.1f  %s: %s\n", word[1] / 1000, name, test >>times
	timed = 1
	$0 = $0 rest_of_it
}

/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0; if (plan == 0) empty = 1; next }

# cmocka: "not ok 2 # SKIP name", its reason printed on the line before.
/^not ok [0-9]+ # SKIP/ {
	sub(/^not ok [0-9]+ # SKIP */, "")
	seen++
	skip($0, before)
	bad = 0
	before = ""
	next
}

/^ok / {
	seen++
	bad = 0
	sub(/^ok [0-9]+ (- )?/, "")
	if (match(tolower($0), /# skip/)) {
		why = substr($0, RSTART + RLENGTH)
		gsub(/^[: (]+|\)$/, "", why)
		test = substr($0, 1, RSTART - 1)
		sub(/ +$/, "", test)
		skip(test, why)
	} else
		passed++
	before = ""
	next
}

/^not ok / {
	seen++
	failed++
	bad = 1
	sub(/^not ok [0-9]+ (- )?/, "")
	printf "  FAILED: %s: %s\n", name, $0
	before = ""
	next
}

# cmocka's own closing line, where there is nothing to see.
/^# (not )?ok - / { bad = 0; next }

{
	before = $0
	sub(/^# */, "", before)
	sub(/^skip(ped)?: */, "", before)
	if (bad)
		print "    " $0
	else if ($0 !~ /^ok/)
		rest = rest "    " $0 "\n"
}

END {
	why = ""
	if (rc == 124 || rc == 137)
		why = "did not end within " limit " s"
	else if (seen < plan)
		why = "ended after " seen + 0 " of " plan " cases, status " rc
	else if (rc != 0 && !failed)
		why = "exit status " rc
	else if (seen == 0 && !empty)
		why = "ran no case"
	if (why != "") {
		failed++
		printf "  FAILED: %s: %s\n%s", name, why, rest
	}
	if (!timed)
		printf "%8.1f  %s\n", took, name >>times
	print passed + 0, failed + 0, skipped + 0
}
