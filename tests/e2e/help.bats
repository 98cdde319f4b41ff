# What a user sees who asks, and who errs.
load common

@test "sonde alone shows the commands and fails as wrong usage" {
	run -129 "$SONDE"
	[[ $output == *record* && $output == *report* && $output == *flame* ]]
}

@test "sonde help, -h and --help show the same and succeed" {
	"$SONDE" help >a
	"$SONDE" -h >b
	"$SONDE" --help >c
	cmp a b
	cmp a c
	run ! grep -E '.{81}' a
}

@test "sonde version, -v and --version name the version and the libraries" {
	run -0 "$SONDE" version
	[[ ${lines[0]} =~ ^sonde\ [0-9]+\.[0-9]+ ]]
	[[ $output == *"libelf 0"* && $output == *"zlib 1"* ]]
	[[ $("$SONDE" --version) == "$output" && $("$SONDE" -v) == "$output" ]]
}

@test "an unknown command suggests the nearest" {
	fails 129 "$SONDE" recrod
	says "'recrod'.*did you mean 'record'"
	fails 129 "$SONDE" help flaem
	says "did you mean 'flame'"
	fails 129 "$SONDE" xyzzyxyzzy
	says "sonde help lists them"
}

@test "an unknown option suggests the nearest, for every command" {
	for cmd in $("$SONDE" --list-commands | cut -f1); do
		long=$("$SONDE" "$cmd" --list-options | cut -f2 | grep -E '^--[a-z]{6,}$' | head -n 1)
		[[ -n $long ]] || continue
		# Two letters swapped: --output becomes --otuput.
		wrong=$(sed -E 's/^--(.)(.)(.)/--\1\3\2/' <<<"$long")
		[[ $wrong != "$long" ]] || continue
		echo "sonde $cmd $wrong"
		fails 129 "$SONDE" "$cmd" "$wrong"
		says "did you mean '$long"
	done
}

@test "an option without its argument, a number that is none" {
	fails 129 "$SONDE" record -F
	fails 129 "$SONDE" record -m
	fails 129 "$SONDE" record -c many true
	fails 129 "$SONDE" report --percent-limit
}

@test "a reader that goes away is no error" {
	for cmd in help "record -h" version; do
		"$SONDE" $cmd 2>err | head -n 1 >/dev/null
		[[ ! -s err ]]
	done
}

@test "output that cannot be written is an error" {
	run -1 --separate-stderr bash -c '"$SONDE" help >/dev/full'
	says "No space left"
}

@test "control characters in what the user typed do not reach the terminal" {
	fails 129 "$SONDE" $'\e[31mred'
	run ! grep -q $'\e' <<<"$stderr"
}
