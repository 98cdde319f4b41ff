# What e2e/faults.bats and long/faults.bats share.
# shellcheck shell=bash disable=SC2154,SC2034
source "$TOP/tests/e2e/common.bash"

badwrite()
{
	BADWRITE=$1 BADWRITE_PATH=$PWD/${2:-out} BADWRITE_HOLD=$PWD/hold \
		LD_PRELOAD=$OUT/tests/preload/badwrite.so "${@:3}"
}

record()
{
	"$SONDE" record -e page-faults -c 1 "$@"
}

# reads FILE: perf and sonde read it, and find the same samples, which are $SAMPLES then
reads()
{
	local why=0

	"$SONDE" script -i "$1" -F event >sonde.txt 2>sonde.err || why=1
	"$SONDE" report -i "$1" >sonde.report 2>>sonde.err || why=2
	# shellcheck disable=SC2034
	SAMPLES=$(grep -c . sonde.txt || true)
	if command -v perf >/dev/null; then
		perf script -i "$1" -F event >perf.txt 2>perf.err || why=3
		# which calls it an error that there are none
		((SAMPLES == 0)) || perf report -i "$1" --stdio >perf.report 2>>perf.err || why=4
		! grep -v -i -e '^$' -e warning -e lost -e 'check IO/CPU' -e kallsyms -e kptr_restrict \
			-e "can't be resolved" perf.err || why=5
		[[ $(grep -c . perf.txt || true) == "$SAMPLES" ]] || why=6
	fi
	[[ $why == 0 ]] && return
	echo "$1 cannot be read ($why), $SAMPLES samples:"
	head -n 20 sonde.err perf.err
	return 1
}

said_samples()
{
	sed -n 's/.*(\([0-9]*\) samples).*/\1/p' said
}

# is_ready: the recorder whose --control is fifo:ctl,ack has begun, and has emptied its rings
is_ready()
{
	local answer

	echo ping >ctl
	read -r answer <&8
	[[ $answer == ack ]]
}

# stops PID, and runs on: by its state in /proc
is_stopped()
{
	grep -q '^State:.T' "/proc/$1/status"
}

# fire ROUNDS: a target that makes as many page faults, round by round; its pid is FIRE
fire()
{
	local cpu

	cpu=$(taskset -cp $$ | grep -o '[0-9]*$')
	rm -f in fired
	mkfifo in
	exec 9<>in
	"$WORKLOADS/fire" "$cpu" "$1" <in >fired 9>&- 8>&- 3>&- &
	wait_until has_fired 0
	FIRE=$(head -n 1 fired)
}

# has_fired N: so many rounds
has_fired()
{
	[[ $(grep -c . fired || true) == $(($1 + 1)) ]]
}

# next_round N: the Nth; the one behind the last is its end
next_round()
{
	echo >in
	wait_until has_fired "$1"
}

# A file that was killed before its first bytes were written is none yet.
is_begun()
{
	[[ -e $1 && $(head -c 8 "$1" | tr -d '\0') == PERFILE2 ]]
}

# lost_samples FILE...: what their LOST_SAMPLES records say, summed up
lost_samples()
{
	for file; do "$SONDE" script -i "$file" --show-lost-events 2>/dev/null; done |
		awk '/LOST_SAMPLES lost/ { s += $NF } END { print s + 0 }'
}

# faults_of FILE COMM: how many samples of it
faults_of()
{
	"$SONDE" script -i "$1" -F comm 2>/dev/null | grep -c "^ *$2 *$" || true
}

# reuse_pid N ARG...: record N processes of one pid into out, with these options
reuse_pid()
{
	local same n=$1

	shift
	need_root
	need unshare
	unshare -p -f true 2>/dev/null || skip "cannot make a pid namespace here"
	# only there may pids be chosen without harm to others
	same=$(unshare -p -f -m --mount-proc "$SONDE" record -q "$@" -e page-faults -c 1 -o out -- \
		"$WORKLOADS/storm" reuse "$n")
	[[ $same == $((n - 1)) ]] || skip "pids cannot be chosen here (ns_last_pid)"
}
