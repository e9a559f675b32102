# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# QEMU's monitor of every machine of `run`: what its processors and local APICs do can be
# asked when nothing in it answers any more. Two FIFOs in the run's directory, as the path
# of a socket may not be longer than 107 bytes and a checkout may lie deep.

# Adds it to QEMU[].
# shellcheck disable=SC2054 # the commas are QEMU's
add_monitor() {
	mkfifo "$RUN/monitor.in" "$RUN/monitor.out"
	QEMU+=(-chardev "pipe,id=monitor,path=$RUN/monitor" -mon chardev=monitor,mode=readline)
}

remove_monitor() {
	rm -f "$RUN"/monitor.{in,out}
}

# What QEMU said that nobody has read, its greeting at first.
forget_answers() {
	while read -r -t 0.2 -u "$1" -n 4096 || [[ -n ${REPLY:-} ]]; do
		REPLY=
	done
}

# ask IN OUT COMMAND: prints the answer. A second command prints what marks its end; the
# lines with escapes are the echo of a line editor.
ask() {
	local line mark=$((RANDOM + 0x10000))

	printf '%s\nprint /d %d\n' "$3" "$mark" >&"$1"
	while read -r -t 20 -u "$2" line; do
		line=${line%$'\r'}
		[[ $line != "$mark" ]] || return 0
		[[ $line == *$'\e['* ]] || printf '%s\n' "$line"
	done
	die "no answer from the monitor"
}

# One user at a time: two would read each other's answers.
cmd_monitor() {
	local run=$CHECKOUT/build/lab/last in out

	if [[ ${1:-} == --run ]]; then
		need_value "$@"
		run=$2
		shift 2
	fi
	[[ ${1:-} != -- ]] || shift
	[[ $# -gt 0 ]] || die "monitor: no command, for example: scripts/lab monitor info lapic"
	[[ -p $run/monitor.in && -e $run/initrd ]] || die "no machine runs in $run"
	exec {in}<>"$run/monitor.in" {out}<>"$run/monitor.out"
	flock "$in"
	forget_answers "$out"
	ask "$in" "$out" "$*"
}
