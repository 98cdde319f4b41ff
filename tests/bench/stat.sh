# What `sonde stat true` and `perf stat true` add to `true` alone.

case_stat_start()
{
	local n=$RUNS i t s p
	((n = QUICK ? 20 : 60))
	for ((i = 0; i < n; i++)); do
		take true true || return
		take sonde "$SONDE" stat true || return
		take perf perf stat true || return
	done
	t=$(median true) s=$(median sonde) p=$(median perf)
	note "true itself: $t s; what sonde adds is $(calc "($s - $t) / ($p - $t)") of what perf adds"
	row "stat true" - "$s" "$p" "$(calc "($p - $t) / ($s - $t)")" ">=4"
}
