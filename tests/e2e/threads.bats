# sonde record --threads: rings emptied by several threads into a recording in directory format.
# Page faults are counted to the last one by the target's own counter; whoever waits for the
# recorder asks it by --control.
source "$TOP/tests/e2e/faults.bash"

# attach ARG...: record FIRE into out; $RECORDER is its pid, and it has begun
attach()
{
	rm -f ctl ack
	mkfifo ctl ack
	exec 8<>ack
	"$SONDE" record -e page-faults -c 1 -p "$FIRE" -o out --control fifo:ctl,ack "$@" 2>said 3>&- &
	RECORDER=$!
	is_ready
}

# ends STATUS: it does, by itself
ends()
{
	status=0
	wait $RECORDER || status=$?
	exec 8>&- 9>&-
	cat said
	[[ $status == "$1" ]]
}

all_cpus()
{
	cat /sys/devices/system/cpu/online
}

# places: where each thread that empties rings may run
places()
{
	local task

	for task in "/proc/$RECORDER/task"/*; do
		[[ ${task##*/} == "$RECORDER" ]] || awk '/^Cpus_allowed_list/ { print $2 }' "$task/status"
	done | sort -n
}

# each_of LIST: "0,2-3" as lines
each_of()
{
	tr , '\n' <<<"$1" | awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }'
}

@test "--threads: what is recorded is what was fired, and each thread has its file and its place" {
	need taskset
	cpus=$(all_cpus)
	ours=$(taskset -cp $$ | grep -o '[0-9]*$')
	for more in --threads "--threads=$cpus/$ours -z" "--threads=numa --call-graph dwarf,512"; do
		rm -rf out*
		fire 300,100
		# shellcheck disable=SC2086
		attach -m 4M --strict $more
		places >where
		next_round 1
		is_ready
		next_round 2
		next_round 3
		ends 0
		echo "$more: $(ls out)"
		reads out
		((SAMPLES == $(tail -n 1 fired) && SAMPLES >= 400 && SAMPLES == $(said_samples)))
		[[ $(stat -c %a out out/* | sort -u | tr '\n' ' ') == "600 700 " ]]
		# a thread for each file of records
		[[ $(find out -name 'data.*' | grep -c .) == $(grep -c . where) ]]
		case $more in
		*/*) [[ $(<where) == "$ours" ]] ;;
		--threads) each_of "$cpus" >want
			# elsewhere there are CPUs that are not ours to run on
			[[ $(nproc) != "$(getconf _NPROCESSORS_ONLN)" ]] || diff want where ;;
		esac
	done
}

@test "--threads: perf and sonde have one order of time for all files" {
	need perf
	record -q --threads -o out -- "$WORKLOADS/storm" forks 100
	"$SONDE" script -i out --ns -F time,tid,comm,event | tr -s ' ' >a
	perf script -i out --ns -F time,tid,comm,event 2>/dev/null | tr -s ' ' | grep -v '^$' >b
	# of the same nanosecond on two CPUs either may be first
	for file in a b; do
		awk '{ t = $3; sub(/\./, "", t); if (t + 0 < last) { print "after " last ": " $0; exit 1 } last = t + 0 }' $file
		sort $file >$file.sorted
	done
	diff a.sorted b.sorted
	[[ $(grep -c storm b) -ge 1000 ]]
	for reader in "$SONDE" perf; do
		$reader report --header-only -i out 2>/dev/null | grep -x '# directory data version : 1'
	done
	# all of it, summed up as perf does
	diff <("$SONDE" report -i out --stats) <(perf report -i out --stats 2>/dev/null) >said ||
		! grep -e TOTAL -e SAMPLE -e FORK -e MMAP -e FINISHED said
}

@test "--threads: recorded and lost are what was fired, told by event and CPU" {
	need taskset
	fire 20000,500
	attach -m 64K --threads --strict
	kill -STOP $RECORDER
	wait_until is_stopped $RECORDER
	next_round 1
	kill -CONT $RECORDER
	is_ready
	next_round 2
	next_round 3
	ends 3
	reads out
	told=$(sed -n 's/.*lost of page-faults: //p' said | grep -o '[0-9]* on' | awk '{ s += $1 } END { print s }')
	if [[ -z $told ]]; then
		skip "this kernel does not count losses by event (Linux 6.0)"
	fi
	fired=$(tail -n 1 fired)
	echo "$SAMPLES recorded, $told lost, $fired fired"
	((told > 10000 && SAMPLES + told == fired))
	# the side-band event may have lost the target's end
	written=$(lost_samples out)
	((written >= told && written <= told + 5))
}

@test "--threads: rings grow while threads empty them" {
	need taskset
	cp "$WORKLOADS/faults" early
	cp "$WORKLOADS/faults" late
	cpu=$(taskset -cp $$ | grep -o '[0-9]*$')
	record --threads -o out -- taskset -c "$cpu" sh -ec 'kill -STOP $PPID; ./early 300000; kill -CONT $PPID
		until grep -q "rings have grown" said || grep -q "cannot grow" said; do ./early 10; done
		kill -STOP $PPID; ./late 300000; kill -CONT $PPID' 2>said
	cat said
	if grep -q 'rings have grown from [0-9]* to [0-9]* KB' said; then
		(($(faults_of out late) >= 300000))
	else
		grep -q 'cannot grow' said
	fi
	(($(samples -i out) == $(said_samples)))
}

@test "--threads: a killed recorder leaves what it wrote" {
	readable=0
	for how in 5 12 "12 -z"; do
		rm -rf out flat
		status=0
		# shellcheck disable=SC2086
		badwrite "kill=${how% *}" out "$SONDE" record -q --threads -e page-faults -c 1 -m 64K ${how#"${how% *}"} \
			-o out -- "$WORKLOADS/faults" 6000 || status=$?
		[[ $status == 137 || $status == 0 ]]
		# written in pieces of pages, the last record of a file may be cut there
		"$SONDE" script -i out -F event >text 2>said || { cat said; false; }
		! grep -v -e 'the last record is cut off' -e 'the last compressed record is cut off' -e '^$' said
		readable=$((readable + $(grep -c . text || true)))
		# perf 6.1 falls over such an end; as one file it reads it
		"$SONDE" pack -q -i out -o flat
		reads flat
		((SAMPLES == $(grep -c . text || true)))
	done
	((readable > 0))
}

@test "--threads: a disk that takes no more from one of them ends the recording" {
	status=0
	badwrite beyond=30000 out/data. "$SONDE" record --threads -e page-faults -c 1 -o out -m 64K \
		-- "$WORKLOADS/faults" 6000 2>said || status=$?
	cat said
	[[ $status == 1 ]]
	[[ $(grep -c "cannot write 'out/data.[0-9]*': Input/output error" said) == 1 ]]
	reads out
	((SAMPLES > 0 && SAMPLES == $(said_samples)))
	# nothing to begin with: what was there is back
	rm -rf out*
	echo before >out
	status=0
	badwrite after=100 out "$SONDE" record -e page-faults -c 1 --threads -o out true 2>said || status=$?
	[[ $status == 1 && $(<out) == before && $(echo out*) == out && $(grep -c . said) == 1 ]]
}

@test "--threads: what was there before is kept, whichever it was" {
	record -q --threads -o out true
	record -q -o out true
	[[ -f out && -d out.old && -s out.old/data ]]
	record -q --threads -o out/ true
	[[ -d out && -f out.old ]]
	record -q --threads -o out true
	[[ -d out && -d out.old && ! -e out/.old ]]
	record -q --threads -o out true
	[[ -d out && -d out.old && ! -e out.old/.old && $(echo out*) == "out out.old" ]]
	# a folder with anything else in it stays where it is
	touch out/notes
	fails 1 "$SONDE" record -q -e page-faults --threads -o out true
	fails 1 "$SONDE" record -q -e page-faults -o out true
	rm out/notes
	touch out.old/notes
	fails 1 "$SONDE" record -q -e page-faults --threads -o out true
	[[ -e out/data && -e out.old/notes && -e out.old/data && -e out.old/data.0 ]]
	mkdir empty
	fails 1 "$SONDE" record -q -e page-faults --threads -o empty true
	fails 1 "$SONDE" record -q -e page-faults --threads -o . true
	ln -s /nonexistent/place there
	fails 1 "$SONDE" record -q -e page-faults --threads -o there true
	[[ -L there ]]
}

@test "--threads: it ends with the command, at a size, and when told to" {
	status=0
	record --threads -o out -- sh -c 'exit 7' || status=$?
	[[ $status == 7 ]]
	record --threads --max-size 20K -o out -- sh -c '"$0" 20000; exec sleep 1000' "$WORKLOADS/faults" 2>said || true
	grep -q -e '--max-size' said
	reads out
	((SAMPLES > 100 && SAMPLES == $(said_samples)))
	mkfifo ctl ack
	exec 8<>ack
	"$SONDE" record -q -e page-faults -c 1 --threads -D -1 --control fifo:ctl,ack -o out -- \
		sleep 1000 8>&- 3>&- &
	pid=$!
	for word in enable disable ping; do
		echo $word >ctl
		read -r answer <&8
		[[ $answer == ack ]]
	done
	kill -INT $pid
	wait $pid || true
	reads out
}

@test "--threads: what does not go with it is one line" {
	cpus=$(all_cpus)
	for option in --threads=x "--threads=0/0:0/1" "--threads=0/0:1/0" "--threads=0/" "--threads -o -" \
		"--threads --overwrite" "--threads --switch-output=1M" "--threads --affinity=cpu" \
		"--threads --timestamp-filename" "--threads --call-graph unwind" "--threads --aio"; do
		# shellcheck disable=SC2086
		fails 129 "$SONDE" record -e page-faults $option true
	done
	for option in "--threads=4095/0" "--threads=$cpus/4095" "--threads -o /dev/null"; do
		# shellcheck disable=SC2086
		fails 1 "$SONDE" record -e page-faults $option true
	done
	if [[ $(getconf _NPROCESSORS_ONLN) -gt 1 ]]; then
		fails 1 "$SONDE" record -e page-faults "--threads=${cpus%%[,-]*}/${cpus%%[,-]*}" true
		says 'whose ring nobody would empty'
	fi
	[[ ! -e perf.data ]]
	# the last word counts
	record -q --threads --no-threads -o out true
	[[ -f out ]]
}
