# sonde evlist and sonde buildid-list, next to perf's.
load common

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	cd "$DATA" || return 1
	"$SONDE" record -q -e '{cpu-clock,page-faults}' -e faults -g -o sonde.data "$WORKLOADS/burn" 0.2 >/dev/null
	command -v perf >/dev/null || return 0
	tries perf.data -e '{cpu-clock,page-faults}' -e 'cs,faults' -c 1000 "$WORKLOADS/burn" 0.2
	tries pipe.data -e cpu-clock -o - "$WORKLOADS/burn" 0.2
	tries mmap.data --buildid-mmap -e cpu-clock "$WORKLOADS/burn" 0.2
	[[ $(id -u) != 0 ]] || tries point.data -e sched:sched_switch,page-faults -a sleep 0.1
}

# tries FILE ARG...: perf 6.1 aborts now and then where others record; then the file is not there.
tries()
{
	for _ in 1 2 3 4 5; do
		if [[ $1 == pipe.data ]]; then
			perf record -q "${@:2}" >"$1" 2>/dev/null && return
		else
			perf record -q -o "$1" "${@:2}" >/dev/null 2>&1 && return
		fi
		rm -f "$1"
	done
	return 0
}

# same COMMAND FILE...: perf and sonde print the same of those files that perf reads.
same()
{
	local command=$1 bad=0 n=0
	shift
	for file; do
		[[ -e $file ]] || continue
		# where a sample was in the vdso, perf names its copy of it; of a pipe's
		# events it has not yet read the names; with -H it has a library in a
		# container twice
		perf $command -i "$file" 2>/dev/null |
			sed "s/'perf /'sonde /; s|/tmp/perf-vdso.so-......|[vdso]|; s/:uH/:u/" |
			if [[ $command == buildid-list* ]]; then awk '!seen[$0]++'; else cat; fi >perf.txt
		[[ -s perf.txt ]] || continue
		"$SONDE" $command -i "$file" >sonde.txt 2>/dev/null
		n=$((n + 1))
		# perf lists a binary again for each inode that it was seen under, and in
		# another order then: in a container, or where one was built anew meanwhile
		if [[ $command == buildid-list* ]]; then
			sort -u -o perf.txt perf.txt
			sort -u -o sonde.txt sonde.txt
		fi
		if ! diff perf.txt sonde.txt >diff.txt; then
			echo "$command $file:"
			head -n 6 diff.txt
			bad=1
		fi
	done
	echo "$n files"
	((n && !bad))
}

@test "evlist prints what perf evlist does" {
	need perf
	for options in "" " -v" " -F" " -g" " --trace-fields"; do
		same "evlist$options" "$DATA"/*.data
	done
}

@test "buildid-list prints what perf buildid-list does" {
	need perf
	same buildid-list "$DATA"/*.data
	same "buildid-list -H" "$DATA"/*.data
}

# perf has an entry for each inode, and reads those of a name as one.
@test "the same library in a container is listed once" {
	need perf
	need_root
	need unshare
	cp "$WORKLOADS/burn" here
	cp here there
	perf_records -e cpu-clock -a -o twice.data \
		sh -c './here 0.1; unshare -m sh -c "mount --bind there here && ./here 0.1"'
	[[ $("$SONDE" buildid-list -i twice.data | grep -c "$PWD/here$") == 1 ]]
	same buildid-list twice.data
}

# Not: attributes of a pipe's events, where perf 6.1 reads beyond their end; names in
# recordings of later perfs; the vdso, which perf copies to a file with a random name.
@test "both print of others' recordings what perf does" {
	need perf
	[[ -n ${RECORDINGS:-} ]] || skip "RECORDINGS is not set to a folder of recordings"
	mapfile -t old < <(ls "$RECORDINGS"/*-[34].*.data | grep -v piped)
	same evlist "${old[@]}"
	same "evlist -v" "${old[@]}"
	same "evlist -F" "${old[@]}"
	same "evlist -g" "${old[@]}"
	same buildid-list "${old[@]}"
}

@test "evlist -g shows a group that sonde recorded" {
	run "$SONDE" evlist -g -i "$DATA/sonde.data"
	echo "$output"
	[[ ${lines[0]} =~ ^\{cpu-clock(:u)?,page-faults(:u)?\}$ && ${lines[1]} =~ ^faults(:u)?$ ]]
}

@test "the build-id of a binary and of the kernel" {
	need readelf
	[[ $("$SONDE" buildid-list -i "$SONDE") == "$(readelf -n "$SONDE" | awk '/Build ID/ { print $3 }')" ]]
	need perf
	[[ $("$SONDE" buildid-list -k) == "$(perf buildid-list -k)" ]]
}

@test "what cannot be listed is said in a line" {
	echo nonsense >none
	fails 1 "$SONDE" evlist -i none
	fails 1 "$SONDE" buildid-list -i none
	fails 1 "$SONDE" buildid-list -i /no/such/file
	fails 129 "$SONDE" evlist -gv -i none
	fails 129 "$SONDE" evlist none
}

@test "buildid-list -m prints the kernel and its modules as perf does" {
	need perf
	need_root
	perf buildid-list -m 2>/dev/null >perf.txt
	"$SONDE" buildid-list -m >sonde.txt
	[[ -s perf.txt ]]
	# perf has a module's path where its file is
	diff <(awk '{ print $1, $2, $3 }' perf.txt | sort) <(awk '{ print $1, $2, $3 }' sonde.txt | sort)
}
