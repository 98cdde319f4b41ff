# The README's commands work as they stand there.
load common

# The commands of the block that follows the heading "Quick start".
@test "the README's quick start runs" {
	need_system
	mkdir bin
	ln -s "$SONDE" bin/sonde
	PATH=$PWD/bin:$PATH
	awk '/^## Quick start/ { on = 1; next } /^## / { on = 0 }
	     on && /^```/ { block = !block; next } on && block && NF' "$TOP/README.md" |
		sed 's/ *#.*//' | grep -E '^sonde ' >commands
	[[ $(wc -l <commands) -ge 4 ]]
	while read -r line; do
		echo "\$ $line"
		bash -o pipefail -c "$line" </dev/null >out 2>err || {
			rc=$?
			# 141 is `| head` ending what feeds it.
			[[ $rc == 141 ]] || { cat err; return 1; }
		}
	done <commands
}

@test "the README's two commands are what .ci/run calls" {
	for target in demo check; do
		grep -qE "^(\\$ )?make( -j[0-9]*)? $target" "$TOP/README.md"
		grep -qE "make( -j[0-9]+)? $target" "$TOP/.ci/run"
	done
}

@test "the README's first line of installation is enough: deps name what is missing" {
	run -1 --separate-stderr env PATH=/nonexistent /bin/bash "$TOP/tests/deps.sh" check
	[[ $stderr == *gcc*bats* ]]
}

@test "make install puts program, pages and completion below DESTDIR and PREFIX" {
	need make
	# Without building anything anew: the build of this run is used as it is.
	make -s -C "$TOP" -o FORCE -n install DESTDIR="$PWD/root" PREFIX=/usr BUILD="$OUT" >plan 2>&1 || true
	grep -q "$PWD/root/usr/bin/sonde" plan
	grep -q "$PWD/root/usr/share/man/man1" plan
	grep -q "$PWD/root/usr/share/bash-completion/completions/sonde" plan
}

@test "completion offers commands and options" {
	mkdir bin
	ln -s "$SONDE" bin/sonde
	PATH=$PWD/bin:$PATH
	source "$TOP/doc/completion.bash"
	COMP_WORDS=(sonde re) COMP_CWORD=1
	_sonde
	[[ " ${COMPREPLY[*]} " == *" record "* && " ${COMPREPLY[*]} " == *" report "* ]]
	COMP_WORDS=(sonde record --call) COMP_CWORD=2
	_sonde
	[[ " ${COMPREPLY[*]} " == *" --call-graph "* ]]
}
