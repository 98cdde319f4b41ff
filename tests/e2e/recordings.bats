# Files of other people's machines, read: RECORDINGS=DIR with expected.tsv in it.
load common

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
}

@test "every recording has the samples that perf counts in it" {
	local bad=0
	while IFS=$'\t' read -r file want events; do
		[[ $file == \#* || $want == - ]] && continue
		got=$("$SONDE" script -F event -i "$RECORDINGS/$file" 2>err | grep -c .) || true
		if [[ $got != "$want" ]]; then
			echo "$file: $got samples, expected $want; said: $(head -n 3 err)"
			bad=1
		fi
	done <"$RECORDINGS/expected.tsv"
	((!bad))
}

# Modifiers aside: some perfs print them as the recorder wrote them, some as the
# attribute has them.
@test "every recording's samples are of the events that perf names" {
	local bad=0
	while IFS=$'\t' read -r file want events; do
		[[ $file == \#* || $want == - || -z $events ]] && continue
		while read -r name; do
			name=${name%: }
			name=${name%%:*}
			if ! grep -qE "(^|,)$name(:[a-zA-Z]*)?/?(,|\$)" <<<"$events"; then
				echo "$file: a sample of '$name', which is not among $events"
				bad=1
			fi
		done < <("$SONDE" script -F event -i "$RECORDINGS/$file" 2>/dev/null | sort -u)
	done <"$RECORDINGS/expected.tsv"
	((!bad))
}

@test "what perf cannot read is kept up to its damage, or refused in one line" {
	while IFS=$'\t' read -r file want events; do
		[[ $file == \#* || $want != - ]] && continue
		run --separate-stderr "$SONDE" script -F event -i "$RECORDINGS/$file"
		echo "$file: status $status, ${#lines[@]} samples, said: $stderr"
		((status < 128))
		[[ -n $stderr ]]
	done <"$RECORDINGS/expected.tsv"
}

@test "every command goes through every recording" {
	for file in "$RECORDINGS"/*.data; do
		for cmd in "report --stdio" "report -j" script fold "script --header-only" evlist buildid-list; do
			run --separate-stderr timeout 60 "$SONDE" $cmd -i "$file"
			if ((status >= 124)) || ((status != 0 && ${#stderr_lines[@]} != 1)); then
				echo "$cmd $(basename "$file"): status $status: $stderr"
				return 1
			fi
		done
		run --separate-stderr timeout 60 "$SONDE" flame -i "$file" -o out.svg
		((status < 124)) || { echo "flame $(basename "$file"): status $status"; return 1; }
	done
}

@test "samples agree with perf script where perf is here" {
	need perf
	local bad=0
	while IFS=$'\t' read -r file want events; do
		[[ $file == \#* || $want == - ]] && continue
		# All frames of a chain, and what is in the file, not what AUX data decodes to. Names
		# are left out: perf takes those of the kernel and the vdso that run here.
		for fields in comm,tid,time,event,ip -sym,-symoff,-dso +misc,+pid,-sym,-symoff,-dso \
			+brstack,-sym,-symoff,-dso,-ip; do
			perf script --max-stack 1024 --no-itrace -F "$fields" -i "$RECORDINGS/$file" >perf.txt 2>/dev/null || continue
			[[ -s perf.txt ]] || continue
			[[ $fields == *brstack* ]] && ! grep -q '0x[0-9a-f]*/0x' perf.txt && continue
			"$SONDE" script --no-inline -F "$fields" -i "$RECORDINGS/$file" >sonde.txt 2>/dev/null
			if ! diff perf.txt sonde.txt >diff.txt; then
				echo "$file, -F $fields: $(grep -c '^[<>]' diff.txt) of $(wc -l <perf.txt) lines differ:"
				head -n 6 diff.txt
				bad=1
			fi
		done
	done <"$RECORDINGS/expected.tsv"
	((!bad))
}
