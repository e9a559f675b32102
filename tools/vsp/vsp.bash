# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Completion for vsp(8): commands, functions of the card (root sees them) and
# names of registers. Stands alone; bash-completion need not be loaded.

_vsp_functions() {
	local dir

	for dir in /sys/kernel/debug/vsp/*:*/; do
		[[ -d $dir ]] && basename "$dir"
	done
}

# The colons of an address break words for readline: what it sees as the word
# is only what stands behind the last one.
_vsp_reply() {
	local word=$1 tail=$2 found

	COMPREPLY=()
	while read -r found; do
		COMPREPLY+=("${found#"${word%"$tail"}"}")
	done < <(compgen -W "$3" -- "$word")
}

_vsp() {
	local line=${COMP_LINE:0:COMP_POINT} tail=${COMP_WORDS[COMP_CWORD]} word nr
	local -a words

	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=("")
	nr=$((${#words[@]} - 1))
	word=${words[nr]}
	[[ $tail != : ]] || tail=
	case $nr,${words[1]} in
	1,*) _vsp_reply "$word" "$tail" \
		"list rr wr translate aer unplug plug flr link msix --help" ;;
	2,list) _vsp_reply "$word" "$tail" "--json" ;;
	2,unplug | 2,plug) COMPREPLY=() ;;
	2,aer) _vsp_reply "$word" "$tail" "$(_vsp_functions) port" ;;
	2,*) _vsp_reply "$word" "$tail" "$(_vsp_functions)" ;;
	3,rr | 3,wr) _vsp_reply "$word" "$tail" "$(vsp rr --names 2>/dev/null)" ;;
	3,aer) _vsp_reply "$word" "$tail" "correctable nonfatal fatal" ;;
	3,link) _vsp_reply "$word" "$tail" "up down" ;;
	*) COMPREPLY=() ;;
	esac
}

complete -F _vsp vsp
