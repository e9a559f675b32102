# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# QEMU guests (scripts/guest), for .t files; after vhost.sh. Each has a name; commands
# are typed into its console, and what that shows is read.

# The guest's clock is the emulator's, which passes on this machine's; it need not measure
# it with a timer that comes late. What it would check about itself takes it long.
guest_append() {
	local rate

	rate=$(sed -nE 's/.* tsc_early_khz=([0-9]+).*/\1/p' /proc/cmdline)
	echo "tsc=reliable ${rate:+tsc_early_khz=$rate} lsm= cryptomgr.notests"
}

# guest_start NAME FUNCTION ADDRESS [OPTION...]: its device has its name. It is up later.
guest_start() {
	local name=$1 function=$2 address=$3

	shift 3
	rm -f "$WORK/$name.in" "$WORK/$name.pid"
	mkfifo "$WORK/$name.in" || return
	scripts/guest --name "$name" --address "$address/24" --append "$(guest_append)" "$@" \
		"$function" -- -pidfile "$WORK/$name.pid" -cpu max,-erms \
		<>"$WORK/$name.in" >"$WORK/$name.console" 2>&1 &
	disown
	# user_end() and users_kill() are for QEMU; the script ends after it.
	wait_for 30 test -s "$WORK/$name.pid" || { diag "$(<"$WORK/$name.console")"; return 1; }
	cp "$WORK/$name.pid" "$WORK/$name.user"
}

# A reboot shows it once more.
guest_boots() {
	grep -ac 'guest is up' "$WORK/$1.console"
}

guest_booted() {
	[[ $(guest_boots "$1") -ge $2 ]]
}

# guest_is_up NAME [BOOTS]
guest_is_up() {
	wait_for 150 guest_booted "$1" "${2:-1}"
	guest_do "$1" true
}

# Also when nobody reads it.
guest_type() {
	printf '%s\n' "$2" 1<>"$WORK/$1.in"
}

# A system reset by QEMU's monitor, which shares the console.
guest_reset() {
	printf '\001csystem_reset\n\001c' 1<>"$WORK/$1.in"
}

# guest_do NAME COMMAND [SECONDS]: and wait for its end; its status is ours. The mark is
# one only when the guest's shell has put the status into it.
guest_do() {
	local mark=${EPOCHREALTIME/[.,]/}

	guest_type "$1" "$2; echo \"=\$? $mark\""
	wait_for "${3:-30}" grep -aqE "^=[0-9]+ $mark" "$WORK/$1.console" &&
		grep -aqE "^=0 $mark" "$WORK/$1.console" && return
	tail -n 20 "$WORK/$1.console" >&2
	return 1
}

# What it showed of the last command.
guest_said() {
	tr -d '\r' <"$WORK/$1.console" | awk '
		/^=[0-9]+ [0-9]+$/ { said = text; text = ""; next }
		{ text = text $0 "\n" }
		END { printf "%s", said }'
}

# guest_ping NAME ADDRESS [COUNT]
guest_ping() {
	guest_do "$1" "ping -q -c ${3:-1} -W 5 $2"
}

guest_reaches() {
	wait_for 20 guest_ping "$1" "$2"
}

# guest_rtt NAME ADDRESS: average of 10, in ms.
guest_rtt() {
	guest_ping "$1" "$2" 10 || return
	guest_said "$1" | sed -nE 's|.*min/avg/max = [0-9.]+/([0-9.]+)/.*|\1|p'
}

# Mbit/s at the receiver, of what iperf3 says.
iperf_rate() {
	awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") print $(i - 1) }'
}

# guest_iperf NAME ADDRESS ARGUMENT...: Mbit/s. A given amount, as an emulated guest needs
# seconds to begin; and again, as a server does not listen for a moment after a client.
# With -i 0 there is no timer, and iperf3 does not see that it has sent all.
guest_iperf() {
	local name=$1 address=$2

	shift 2
	guest_do "$name" "for i in 1 2 3 4 5; do iperf3 -c $address -i 1 -f m $* && break; sleep 2; done" 100
	guest_said "$name" | iperf_rate
}

# Pages of doorbells that QEMU has mapped.
guest_doorbells() {
	grep -c '/dev/vhost-vdpa-' "/proc/$(<"$WORK/$1.user")/maps"
}

# The script has ended, and so its device is gone.
guest_gone() {
	rm -f "$WORK/$1.user"
	wait_for 30 process_gone "$(<"$WORK/$1.pid")" && wait_for 30 vdpa_lacks "$1"
}
