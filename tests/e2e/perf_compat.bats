# Sonde and perf on the same file, both ways round: what one wrote the other reads,
# and both print the same samples. perf is the oracle.
load common

# record NAME ARG...: by both, into sonde.NAME and perf.NAME. perf 6.1 aborts where
# another recorder with build-ids runs (the kernel then mixes up their MMAP2 records).
record()
{
	"$SONDE" record -q -o "sonde.$1" "${@:2}" >/dev/null
	perf record -q -o "perf.$1" "${@:2}" >/dev/null 2>&1 || rm -f "perf.$1"
}

setup_file()
{
	export DATA=$BATS_FILE_TMPDIR
	command -v perf >/dev/null || return 0
	cd "$DATA" || return 1
	record task -e cpu-clock -F 999 -g "$WORKLOADS/burn" 1
	# perf 6.1 reads groups in the first thread only
	perf record -q -e '{cpu-clock,page-faults}:S' -F 999 -g -o perf.group "$WORKLOADS/burn" 1 \
		>/dev/null 2>&1 || rm -f perf.group
	"$SONDE" record -q -e '{cpu-clock,page-faults}:S' -F 999 -g -o sonde.group \
		"$WORKLOADS/threads" 3 1 >/dev/null
	record plain -e cpu-clock -F 999 "$WORKLOADS/threads" 3 1
	if [[ $(id -u) == 0 ]]; then
		record system -e cpu-clock -F 999 -ag "$WORKLOADS/forks" 300
		record two -e context-switches,page-faults -c 1 -g "$WORKLOADS/forks" 40
	fi
	return 0
}

need_file()
{
	need perf
	[[ -e $DATA/$1 ]] && return
	[[ $(id -u) == 0 ]] || skip "only root may record this"
	[[ $1 == perf.* ]] && skip "perf itself cannot record this here"
	return 1
}

# same FILE [ARG...]: perf script and sonde script print the same of it.
same()
{
	need_file "$1"
	perf script --no-inline -i "$DATA/$1" "${@:2}" >perf.txt 2>perf.err
	"$SONDE" script --no-inline -i "$DATA/$1" "${@:2}" >sonde.txt 2>sonde.err
	echo "perf: $(grep -c . perf.txt) lines; sonde: $(grep -c . sonde.txt) lines"
	[[ -s perf.txt ]]
	awk -f "$TOP/tests/e2e/script_diff.awk" perf.txt sonde.txt
}

header()
{
	need_file "$1"
	perf report --header-only -i "$DATA/$1" >perf.txt 2>perf.err
	cat perf.txt perf.err
	[[ ! -s perf.err ]]
	for field in "hostname : $(hostname)" "os release : $(uname -r)" "arch : $(uname -m)" \
		"nrcpus avail" "cpudesc" "cpuid" "total memory" "cmdline" "event : name = cpu-clock" \
		"time of first sample" "time of last sample" "data size"; do
		echo "looking for: $field"
		grep -qF "$field" perf.txt
	done
}

@test "a file of sonde, a command with chains: same text" { same sonde.task; }
@test "a file of perf, a command with chains: same text" { same perf.task; }
@test "a file of sonde, threads without chains: same text" { same sonde.plain; }
@test "a file of perf, threads without chains: same text" { same perf.plain; }
@test "a file of sonde, the system with many short processes: same text" { same sonde.system; }
@test "a file of perf, the system with many short processes: same text" { same perf.system; }
@test "a file of sonde, two events with a sample each: same text" { same sonde.two; }
@test "a file of perf, two events with a sample each: same text" { same perf.two; }

fields="comm,pid,tid,cpu,time,event,period,ip,sym,symoff,dso"
@test "a file of sonde, the system, all fields: same text" { same sonde.system -F $fields; }
@test "a file of perf, the system, all fields: same text" { same perf.system -F $fields; }

@test "a file of perf, a group read with its leader: same text" { same perf.group; }

@test "a file of perf, a group read with its leader: same counts" {
	need_file perf.group
	"$SONDE" report --stats -i "$DATA/perf.group" >sonde.txt
	perf report --stats -i "$DATA/perf.group" >perf.txt 2>/dev/null
	diff perf.txt sonde.txt
}

# perf 6.1 takes the values of all threads for one row. What is in the file is added up here.
@test "a file of sonde, a group read with its leader in threads: periods add up to the last values" {
	local tid id value line
	local -A last=()
	need_file sonde.group
	while read -r line; do
		case $line in
		*PERF_RECORD_SAMPLE*) tid=${line#*\): } tid=${tid%%:*} ;;
		'..... id '*)
			id=${line#* id } id=${id%%,*}
			value=${line#* value } value=${value%%,*}
			last[$tid.$id]=$((16#$value))
			;;
		esac
	done < <(perf script -D -i "$DATA/sonde.group" 2>/dev/null)
	echo "threads and ids: ${#last[@]}"
	((${#last[@]} >= 6))
	sum=0
	for value in "${last[@]}"; do sum=$((sum + value)); done
	said=$("$SONDE" script -G -F event,period -i "$DATA/sonde.group" | awk '{ s += $1 } END { printf "%d", s }')
	echo "values $sum, script $said"
	[[ $said == "$sum" ]]
}

@test "perf report --header-only reads a file of sonde" { header sonde.task; }
@test "perf report --header-only reads a system-wide file of sonde" { header sonde.system; }

# rows FILE: the lines of perf report's table, as "PERCENT SYMBOL".
@test "perf report counts the samples of a file of sonde as sonde does" {
	need perf
	perf report --stdio -g none --no-children -n -i "$DATA/sonde.task" >perf.txt 2>/dev/null
	n=$(samples -i "$DATA/sonde.task")
	total=$(awk '!/^#/ && NF { s += $2 } END { print s + 0 }' perf.txt)
	echo "perf counts $total, sonde prints $n"
	[[ $n == "$total" && $n -gt 500 ]]
}

@test "sonde report has perf report's rows, file of either" {
	need perf
	for file in sonde.task perf.task sonde.plain perf.plain; do
		[[ -e $DATA/$file ]] || continue
		perf report --stdio -g none --no-children -n -s comm,dso,sym -t ';' \
			-i "$DATA/$file" 2>/dev/null | awk '!/^#/ && NF' | sed 's/^ *//; s/ *; */;/g; s/ *$//' |
			sort >perf.txt
		"$SONDE" report --stdio -g none --no-children -n -s comm,dso,sym -t ';' \
			-i "$DATA/$file" 2>/dev/null | awk '!/^#/ && NF' | sed 's/^ *//; s/ *; */;/g; s/ *$//' |
			sort >sonde.txt
		# perf calls stripped code by its address, sonde by its function; the head of
		# a PLT is _init or .plt, and its entries may be others (script_diff.awk)
		grep -vE '0x[0-9a-f]{8,}|\[unknown\]|\+0x|_init$|plt$' perf.txt >p
		grep -vE '0x[0-9a-f]{8,}|\[unknown\]|\+0x|_init$|plt$' sonde.txt >s
		[[ -s p ]]
		diff p s
	done
}

@test "stackcollapse from sonde script is what sonde fold writes" {
	# The old way's awk in five lines: comm, then the frames from the root on.
	for file in "$DATA"/sonde.task; do
		"$SONDE" script -F comm,ip,sym -i "$file" 2>/dev/null | awk '
			NF == 0 { if (comm != "") count[comm stack]++; comm = stack = ""; next }
			comm == "" { comm = $1; next }
			{ sub(/^[ \t]*[0-9a-f]+ /, ""); stack = ";" $0 stack }
			END { for (s in count) print s, count[s] }' | sort >script.folded
		"$SONDE" fold -i "$file" 2>/dev/null | sort >fold.folded
		[[ -s script.folded ]]
		awk '{ s += $NF } END { print s }' script.folded fold.folded
		# burn's own frames have the same names in both.
		diff <(grep ';burn_[abc] ' script.folded) <(grep ';burn_[abc] ' fold.folded)
	done
}
