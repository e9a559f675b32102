# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The verdict on a run: the command's status, unless the kernel log says that
# something went wrong on the way (faults.sh).

readonly EXIT_NO_STATUS=97
readonly EXIT_PANIC=98
readonly EXIT_DIRTY_LOG=99
readonly EXIT_TIMEOUT=124

# shellcheck source=scripts/lab.d/faults.sh
. "$LAB_DIR/faults.sh"

# /dev/kmsg's records as lines like dmesg's.
format_kernel_log() {
	awk '/^[0-9]+,[0-9]+,[0-9]+,[^;]*;/ {
		split($0, field, ",")
		text = substr($0, index($0, ";") + 1)
		printf "[%5d.%06d] %s\n", field[3] / 1000000, field[3] % 1000000, text
	}' "$RUN/klog.raw" >"$RUN/dmesg.log"
	rm -f "$RUN/klog.raw"
}

# Lines that are faults; the console adds what a dead machine could not send.
# What lab.d/guest asked for as last words before the timeout is none.
faults_of() {
	local allow

	allow=$(IFS='|' && echo "${OPT_ALLOW[*]}")
	awk '/lab: last words/ { quiet = 1 }
		/lab: end of last words/ { quiet = 0 }
		!quiet && !seen[$0]++' "$@" 2>/dev/null |
		grep -aE "$KLOG_FAULTS" | grep -avE "$KLOG_NO_FAULTS${allow:+|$allow}" || true
}

show_console_end() {
	say "end of the console (whole: ${RUN#"$CHECKOUT"/}/console.log):"
	tail -n 40 "$RUN/console.log" >&2 || true
}

# Prints the exit status of the run; everything else goes to stderr.
run_status() {
	local status='' faults

	[[ ! -f $RUN/klog.raw ]] || format_kernel_log
	[[ ! -s $RUN/status ]] || status=$(<"$RUN/status")
	if [[ -n $TIMED_OUT ]]; then
		say "timeout: killed after $OPT_TIMEOUT s"
		show_console_end
		status=$EXIT_TIMEOUT
	elif [[ -z $status ]]; then
		if grep -aq 'Kernel panic' "$RUN/console.log" 2>/dev/null; then
			status=$EXIT_PANIC
			say "the kernel panicked"
		else
			status=$EXIT_NO_STATUS
			say "the machine ended without an exit status"
			cat "$RUN/qemu.log" >&2
		fi
		show_console_end
	fi
	if [[ -s $RUN/dmesg.log && $status -lt $EXIT_NO_STATUS ]]; then
		faults=$(faults_of "$RUN/dmesg.log")
	else
		faults=$(faults_of "$RUN/dmesg.log" "$RUN/console.log")
	fi
	if [[ -n $faults ]]; then
		say "kernel log is not clean (whole: ${RUN#"$CHECKOUT"/}/dmesg.log):"
		head -n 40 <<<"$faults" >&2
		[[ $status -ne 0 ]] || status=$EXIT_DIRTY_LOG
	fi
	printf '%s' "$status"
}
