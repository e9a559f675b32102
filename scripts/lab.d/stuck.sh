# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Who is stuck in the lab's machine, for its kernel log. Read before anything is stuck and
# made of what bash has built in: then a program may not be startable any more.

readonly PF_KTHREAD=0x200000

# Lines of standard input as records of the kernel log, for the console as well.
into_kernel_log() {
	local line

	while IFS= read -r line; do
		echo "<4>lab: $line" >/dev/kmsg
	done
}

# Timer and other interrupts of each processor, to be read twice.
interrupt_counts() {
	local line

	while read -r line; do
		case $line in
		LOC:* | RES:* | CAL:* | IWI:*) echo "$line" ;;
		esac
	done </proc/interrupts
}

# Each thread of a program: its state, processor and system call. Nothing here may take a
# lock that somebody stuck has, so no command line.
user_threads() {
	local task stat call
	local -a field

	for task in /proc/[0-9]*/task/[0-9]*; do
		read -r stat <"$task/stat" || continue
		# Counted from the state on, which is field 3 of proc(5).
		read -ra field <<<"${stat##*) }"
		[[ $((field[6] & PF_KTHREAD)) -eq 0 ]] || continue
		call=''
		read -r call <"$task/syscall"
		echo "thread ${stat%%)*}) ${field[0]}, parent ${field[1]}, CPU ${field[36]}, in $call"
	done 2>/dev/null
}

# SysRq l: what the processors do, w: who waits and cannot be killed, t: all stacks and
# work queues, q: timers.
say_stuck() {
	local key

	echo "lab: last words" >/dev/kmsg
	interrupt_counts | into_kernel_log
	echo 1 >/proc/sys/kernel/sysrq
	for key in l w t q; do
		echo "$key" >/proc/sysrq-trigger
	done
	user_threads | into_kernel_log
	interrupt_counts | into_kernel_log
	echo "lab: end of last words" >/dev/kmsg
}
