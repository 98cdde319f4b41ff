# bash completion for sonde. Commands and options are asked of the program itself.

_sonde()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local sonde=${COMP_WORDS[0]} cmd=${COMP_WORDS[1]}

	COMPREPLY=()
	if ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $cmd == help ]]; }; then
		mapfile -t COMPREPLY < <(compgen -W "$("$sonde" --list-commands 2>/dev/null |
			cut -f1)" -- "$cur")
		return
	fi
	if [[ $cmd == sched ]] && ((COMP_CWORD == 2)) && [[ $cur != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$sonde" sched --list-commands 2>/dev/null |
			cut -f1)" -- "$cur")
		return
	fi
	if [[ $cur == -* && $cmd == sched ]] && ((COMP_CWORD > 2)); then
		mapfile -t COMPREPLY < <(compgen -W "$("$sonde" sched "${COMP_WORDS[2]}" --list-options \
			2>/dev/null | awk -F '\t' '{ print $1; print $2 }')" -- "$cur")
		return
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$sonde" "$cmd" --list-options 2>/dev/null |
			awk -F '\t' '{ print $1; print $2 }')" -- "$cur")
		return
	fi
	case $prev in
	-p | --pid)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur")
		return
		;;
	-u | --uid)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -o default -- "$cur")
}

complete -o filenames -F _sonde sonde
