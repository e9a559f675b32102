# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# What the .t files share: cases (tap.sh) and fixtures (card, vdpa devices, network
# namespaces, switch). A .t file loads and unloads for itself; whatever it leaves is
# removed at its exit.

set -uo pipefail

PF=10000:01:00.0
VF1=10000:01:00.1
VF2=10000:01:00.2
VF3=10000:01:00.3
VF4=10000:01:00.4
RED_IP=10.0.0.1
BLUE_IP=10.0.0.2
readonly PF VF1 VF2 VF3 VF4 RED_IP BLUE_IP

# shellcheck source=tests/vm/tap.sh
. "${0%/*}/tap.sh"

# Programs of tests/vm, compiled with the rest.
PATH=$PWD/build/vm:$PATH
declare -A SWITCH_PIDS=()

# ---- card and vdpa devices --------------------------------------------------------

# card_up [HW_PARAMETER...] [-- DRIVER_PARAMETER...]
card_up() {
	local -a hw=()

	while [[ $# -gt 0 && $1 != -- ]]; do
		hw+=("$1") && shift
	done
	[[ $# -eq 0 ]] || shift
	[[ ${#hw[@]} -eq 0 ]] || modprobe vsp_hw "${hw[@]}" || return
	modprobe vdpa_sim_pcie "$@" || return
	modprobe virtio_vdpa
}

card_down() {
	timeout 180 modprobe -r virtio_vdpa 2>/dev/null
	timeout 180 modprobe -r vdpa_sim_pcie vsp_hw vsp_iommu
}

card_is_gone() {
	! lsmod | grep -qE '^(vsp_hw|vdpa_sim_pcie) ' && ! lspci -D | grep -q '^10000:'
}

functions() {
	lspci -D | grep '^10000:01:' | cut -d' ' -f1 | xargs
}

# functions_are FUNCTION...: these and no others.
functions_are() {
	[[ $(functions) == "$*" ]]
}

bound() {
	[[ $(readlink "/sys/bus/pci/devices/$1/driver") == */vdpa_sim_pcie ]]
}

# device_works NAME FUNCTION: it can be added, its control queue answers, it goes.
device_works() {
	add_dev "$1" "$2" || return
	timeout 20 ip link set "$(netdev_of "$1")" address 02:00:00:00:00:21 || return
	vdpa dev del "$1"
}

# stock_inject FUNCTION UNCORRECTABLE CORRECTABLE: by the kernel's aer_inject, with
# the struct that its tool writes: bus, device, function, statuses, header, domain.
stock_inject() {
	local function=$1 uncorrectable=$2 correctable=$3

	perl -e '
		my ($fn, $unc, $cor) = @ARGV;
		open(my $f, ">", "/dev/aer_inject") or die "open: $!\n";
		syswrite($f, pack("CCCx L7", 1, 0, $fn, $unc, $cor, 1, 2, 3, 4, 0x10000))
			or die "write: $!\n";' "${function##*.}" "$((uncorrectable))" "$((correctable))"
}

# In platform translation the virtio device is the function's child.
netdev_of() {
	local dev=/sys/bus/vdpa/devices/$1

	basename "$(echo "$dev"/virtio*/net/*)" | grep -v '\*' ||
		basename "$(echo "$dev"/../virtio*/net/*)" | grep -v '\*'
}

# add_dev NAME FUNCTION [ATTRIBUTE...]: and wait for its netdev.
add_dev() {
	local name=$1 function=$2

	shift 2
	vdpa dev add name "$name" mgmtdev "pci/$function" "$@" || return
	wait_for 20 netdev_of "$name"
}

# into_netns VDPA_DEVICE NAMESPACE ADDRESS: its netdev, renamed to net0, up.
into_netns() {
	local dev

	dev=$(netdev_of "$1") || return
	ip netns add "$2" || return
	ip link set "$dev" netns "$2" name net0 || return
	ip -n "$2" link set lo up
	ip -n "$2" address add "$3/24" dev net0 && ip -n "$2" link set net0 up
}

# Two functions, their netdevs in two namespaces.
two_namespaces() {
	add_dev red "$VF1" mac 02:00:00:00:00:01 "$@" &&
		add_dev blue "$VF2" mac 02:00:00:00:00:02 "$@" &&
		into_netns red red "$RED_IP" && into_netns blue blue "$BLUE_IP"
}

in_red() {
	ip netns exec red "$@"
}

in_blue() {
	ip netns exec blue "$@"
}

ping_blue() {
	in_red ping -q -c 1 -W 1 "$BLUE_IP"
}

# Two commands of the control queue. The old address again, or blue would not know red.
mac_there_and_back() {
	in_red timeout 30 ip link set net0 address 02:00:00:00:01:01 &&
		in_red timeout 30 ip link set net0 address 02:00:00:00:00:01
}

server_listens() {
	in_blue ss -Hltn "sport = :5201" | grep -q .
}

# The server in blue, for as long as there is a blue.
iperf_server() {
	in_blue iperf3 -s -D && wait_for 10 server_listens
}

# iperf NAME ARGUMENT...: red against the server in blue; JSON in $WORK/NAME.
iperf() {
	local name=$1

	shift
	in_red timeout 60 iperf3 -J -c "$BLUE_IP" "$@" >"$WORK/$name" 2>&1 &&
		! json "$WORK/$name" error
}

# Until iperf_end; its words in $WORK/iperf.
iperf_in_background() {
	ip netns exec red iperf3 -c "$BLUE_IP" -t 600 >"$WORK/iperf" 2>&1 &
	IPERF=$!
	disown
}

iperf_end() {
	kill "$IPERF" 2>/dev/null
	wait_for 5 process_gone "$IPERF"
}

red_sends() {
	local before

	before=$(counter blue rx_packets)
	sleep 0.3
	[[ $(counter blue rx_packets) -gt $((before + 20)) ]]
}

# The connection that iperf3 has had since its start, and no other.
same_connection() {
	kill -0 "$IPERF" && red_sends
}

# Answers that red has not got to its pings, by the books of its namespace: ping itself
# forgets those on their way when it ends.
answers_missing() {
	in_red awk '
		/^Icmp:/ && !names { names = split($0, name); next }
		/^Icmp:/ { for (i = 2; i <= names; i++) value[name[i]] = $i }
		END { print value["OutEchos"] - value["InEchoReps"] }' /proc/net/snmp
}

# answered BEFORE [LOST]: at most so many (0) are missing more than BEFORE.
answered() {
	[[ $(answers_missing) -le $(($1 + ${2:-0})) ]]
}

# counter NAMESPACE NAME: of the netdev in it.
counter() {
	ip netns exec "$1" cat "/sys/class/net/net0/statistics/$2"
}

# vstat DEVICE QUEUE NAME: from the card's statistics registers.
vstat() {
	vdpa -j dev vstats show "$1" qidx "$2" >"$WORK/vstats" || return
	json "$WORK/vstats" vstats "$1" "$3"
}

# ---- the switch -------------------------------------------------------------------

# switch_start NAME ARGUMENT...: in the background; its words in $WORK/NAME.log.
# On CPU $SWITCH_CORE (1). EAL options come before --, as in the switch's own command line.
switch_start() {
	local name=$1
	local -a eal=()

	shift
	while [[ $# -gt 0 && $1 != -- ]]; do
		eal+=("$1") && shift
	done
	shift
	vsp-switch -l "${SWITCH_CORE:-1}" --no-huge --no-shconf --no-pci -m 256 "${eal[@]}" \
		-- "$@" >"$WORK/$name.log" 2>&1 </dev/null &
	SWITCH_PIDS[$name]=$!
	disown
}

# switch_counter NAME PORT COUNTER: in the last statistics it printed (--json).
switch_counter() {
	grep '^{' "$WORK/$1.log" | tail -n 1 >"$WORK/last.json"
	json "$WORK/last.json" ports "$2" "$3"
}

switch_runs() {
	[[ -n ${SWITCH_PIDS[$1]:-} ]] && kill -0 "${SWITCH_PIDS[$1]}" 2>/dev/null
}

# Or dead, with all its threads: when this shell takes note of that is the shell's affair,
# and under load it has been seen not to for a minute.
process_gone() {
	local state
	local -a tasks

	kill -0 "$1" 2>/dev/null || return 0
	{ read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null || return 0
	tasks=("/proc/$1/task"/*)
	[[ $state == Z && ${#tasks[@]} -eq 1 ]]
}

# switch_stop NAME: by SIGTERM; true when it ended by itself.
switch_stop() {
	local pid=${SWITCH_PIDS[$1]:-}

	[[ -n $pid ]] || return 0
	kill -TERM "$pid" 2>/dev/null
	wait_for 15 process_gone "$pid"
}

switch_kill() {
	local pid=${SWITCH_PIDS[$1]:-}

	[[ -n $pid ]] || return 0
	kill -KILL "$pid" 2>/dev/null
	unset "SWITCH_PIDS[$1]"
	wait_for 15 process_gone "$pid"
}

# ---- the end of a file --------------------------------------------------------------

cleanup() {
	local name

	for name in "${!SWITCH_PIDS[@]}"; do
		kill -CONT "${SWITCH_PIDS[$name]}" 2>/dev/null
		switch_kill "$name"
	done
	[[ -z ${IPERF:-} ]] || iperf_end
	ip -all netns delete 2>/dev/null
	[[ ! -e /sys/module/vsp_hw ]] || card_down >/dev/null 2>&1
	kill "$KLOG_COPIER"
	rm -rf "$WORK"
}

trap cleanup EXIT
klog_open
