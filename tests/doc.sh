#!/bin/bash
# The documents and the program say the same. TAP.
#
# An option is documented where a line of doc/sonde-CMD.md begins with it in
# backticks, and the other names and its argument follow:
#
#	`-o FILE`, `--output=FILE`
#	- `-g`, `--call-graph MODE` -- record call chains
set -u

SONDE=${SONDE:?}
n=0
verdict()
{
	n=$((n + 1))
	if [[ $1 == 0 ]]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		[[ -n ${3:-} ]] && sed 's/^/# /' <<<"$3"
	fi
}

# The option names at the heads of a page's lines.
documented()
{
	grep -E '^[[:space:]]*([-*] )?(\*\*)?`-' "$1" |
		sed -E 's/^[[:space:]]*([-*] )?//; s/\*\*//g' |
		awk '{
			# Only the leading run: `..`, `..` and so on; prose behind it is prose.
			while (match($0, /^`[^`]*`/)) {
				word = substr($0, 2, RLENGTH - 2)
				$0 = substr($0, RLENGTH + 1)
				sub(/[ =\[].*/, "", word)
				# -F99 and the like do not occur: short ones are two characters.
				if (word ~ /^-[A-Za-z0-9]/ && word !~ /^--/)
					word = substr(word, 1, 2)
				if (word ~ /^-/ && word != "--" && word != "-")
					print word
				if (!sub(/^(,| or| \/)? +/, ""))
					break
			}
		}' | sort -u
}

offered()
{
	"$SONDE" "$1" --list-options | awk -F '\t' '
		$1 != "" { print $1 }
		$2 != "" { print $2 }' | sort -u
}

commands=$("$SONDE" --list-commands | cut -f1)
for cmd in $commands; do
	page=doc/sonde-$cmd.md
	[[ -e $page ]]
	verdict $? "$page exists" "sonde $cmd has no page"
	[[ -e $page ]] || continue

	# -h and --help every command has; a page may but need not say so. A page may
	# give a switch's negative as well.
	diff=$(diff <(offered "$cmd") <(documented "$page" |
		while read -r name; do
			[[ $name == -h || $name == --help ]] && continue
			if [[ $name == --no-* ]] && ! offered "$cmd" | grep -qxe "$name" &&
				offered "$cmd" | grep -qxe "--${name#--no-}"; then
				continue
			fi
			printf '%s\n' "$name"  # echo would take -e and -n for its own
		done))
	verdict $? "$page has the options of sonde $cmd -h, and no others" \
		"$(sed -n 's/^</only in the program:/p; s/^>/only on the page:/p' <<<"$diff")"

	long=$("$SONDE" "$cmd" -h | awk 'length > 80')
	[[ -z $long ]]
	verdict $? "sonde $cmd -h fits 80 columns" "$long"

	"$SONDE" "$cmd" -h | cmp -s - <("$SONDE" help "$cmd") && "$SONDE" "$cmd" --help >/dev/null
	verdict $? "sonde help $cmd is sonde $cmd -h"

	grep -q "sonde $cmd\`" README.md
	verdict $? "README.md has sonde $cmd in its table"

	grep -q "sonde-$cmd" doc/sonde.md
	verdict $? "doc/sonde.md names sonde-$cmd"
done

for page in doc/sonde-*.md; do
	cmd=$(basename "$page" .md)
	grep -qx "${cmd#sonde-}" <<<"$commands"
	verdict $? "$page is of a command that is there"
done

for man in "$OUT"/man/*.1; do
	if ! command -v groff >/dev/null; then
		n=$((n + 1))
		echo "ok $n - $(basename "$man") # SKIP groff is not installed"
		continue
	fi
	said=$(groff -man -Tutf8 -ww -P-c -rLL=78n "$man" 2>&1 >/dev/null)
	[[ -z $said ]]
	verdict $? "$(basename "$man") is sound troff" "$said"
done

missing=$(grep -oE '\]\([A-Za-z][A-Za-z0-9_./-]*\)' README.md CONTRIBUTING.md doc/*.md 2>/dev/null |
	sed -E 's/^([^:]*):\]\((.*)\)/\1 \2/' | while read -r from to; do
	[[ -e $(dirname "$from")/$to ]] || echo "$from: $to"
done)
[[ -z $missing ]]
verdict $? "links in the documents lead somewhere" "$missing"

echo "1..$n"
