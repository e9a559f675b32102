# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# What the .t files share: TAP, the kernel log checked with every case, and
# fixtures (card, vdpa devices, network namespaces, switch). A .t file loads and
# unloads for itself; whatever it leaves is removed at its exit.
#
# Emulation is slow and uneven: nothing here sleeps for a guessed time. A test
# waits for a condition, with a limit that only a fault can reach.

set -uo pipefail

PF=10000:01:00.0
VF1=10000:01:00.1
VF2=10000:01:00.2
VF3=10000:01:00.3
VF4=10000:01:00.4
RED_IP=10.0.0.1
BLUE_IP=10.0.0.2
readonly PF VF1 VF2 VF3 VF4 RED_IP BLUE_IP

# shellcheck source=scripts/lab.d/faults.sh
. "${0%/*}/../../scripts/lab.d/faults.sh"

# Programs of tests/vm, compiled with the rest.
PATH=$PWD/build/vm:$PATH
WORK=$(mktemp -d)
TESTS=0
MARKS=0
declare -A SWITCH_PIDS=()

# ---- TAP ----------------------------------------------------------------------

diag() {
	sed 's/^/# /' <<<"$*"
}

klog_mark() {
	MARKS=$((MARKS + 1))
	MARK="vsp-test: ${0##*/} $$ mark $MARKS"
	echo "<6>$MARK" >/dev/kmsg
}

# Kernel log since the last case ended.
klog() {
	dmesg | awk -v mark="$MARK" 'seen; index($0, mark) { seen = 1 }'
}

# verdict STATUS NAME: every case ends here. A dirty kernel log fails it.
verdict() {
	local status=$1 dirty

	TESTS=$((TESTS + 1))
	if dirty=$(klog | grep -E "$KLOG_FAULTS" | grep -vE "$KLOG_NO_FAULTS"); then
		diag "kernel log: $dirty"
		status=1
	fi
	klog_mark
	if [[ $status -eq 0 ]]; then
		echo "ok $TESTS - $2"
	else
		echo "not ok $TESTS - $2"
	fi
	return "$status"
}

# check NAME COMMAND...: the command succeeds.
check() {
	local name=$1 output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	[[ $status -eq 0 ]] || diag "status $status of: $*" $'\n'"$output"
	verdict "$status" "$name"
}

# refuse NAME REGEX COMMAND...: it fails, and says why in words that match, on
# its standard error or in the kernel log.
refuse() {
	local name=$1 regex=$2 output status=1

	shift 2
	if output=$("$@" 2>&1); then
		diag "succeeded: $*"
	else
		output+=$'\n'$(klog)
		grep -qE -- "$regex" <<<"$output" && status=0 ||
			diag "no match for /$regex/ in: $output"
	fi
	verdict "$status" "$name"
}

is() {
	[[ $2 == "$3" ]] && verdict 0 "$1" && return
	diag "got '$2', wanted '$3'"
	verdict 1 "$1"
}

like() {
	grep -qE -- "$3" <<<"$2" && verdict 0 "$1" && return
	diag "no match for /$3/ in:" $'\n'"$2"
	verdict 1 "$1"
}

# at_least NAME NUMBER LEAST
at_least() {
	awk -v a="${2:-0}" -v b="$3" 'BEGIN { exit !(a + 0 >= b + 0) }' && verdict 0 "$1" && return
	diag "got '$2', wanted at least $3"
	verdict 1 "$1"
}

# agree NAME A B: within 1 %, or two packets where there are few.
agree() {
	awk -v a="${2:-x}" -v b="${3:-x}" 'BEGIN {
		if (a !~ /^[0-9]+$/ || b !~ /^[0-9]+$/ || a == 0)
			exit 1
		d = a > b ? a - b : b - a
		exit !(d <= 2 || d <= a / 100) }' && verdict 0 "$1" && return
	diag "got '$2' and '$3'"
	verdict 1 "$1"
}

# cases NAME FILE: the TAP of a program in FILE becomes ours. The kernel log is
# looked at once for all.
cases() {
	local line

	while read -r line; do
		case $line in
		"ok "*) TESTS=$((TESTS + 1)) && echo "ok $TESTS - $1: ${line#ok * - }" ;;
		"not ok "*) TESTS=$((TESTS + 1)) && echo "not ok $TESTS - $1: ${line#not ok * - }" ;;
		*) diag "$line" ;;
		esac
	done <"$2"
	check "$1: ran to its end" grep -q '^1\.\.' "$2"
}

# program NAME COMMAND...: runs it, its cases are ours.
program() {
	local name=$1

	shift
	timeout "${PROGRAM_LIMIT:-300}" "$@" >"$WORK/$name.tap" 2>&1
	cases "$name" "$WORK/$name.tap"
}

skip() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}

# The file cannot go on: one failed case, then the end.
give_up() {
	verdict 1 "$*"
	finish
}

finish() {
	echo "1..$TESTS"
	exit 0
}

# wait_for SECONDS COMMAND...: true as soon as the command is.
wait_for() {
	local deadline=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[[ $SECONDS -lt $deadline ]] || return 1
		sleep 0.2
	done
}

now_ms() {
	date +%s%3N
}

# json FILE KEY...: one value out of a JSON file.
json() {
	perl -MJSON::PP -e '
		my ($file, @keys) = @ARGV;
		local $/;
		open(my $in, "<", $file) or exit 1;
		my $at = eval { decode_json(<$in>) } or exit 1;
		for (@keys) {
			$at = ref $at eq "ARRAY" ? $at->[$_] : $at->{$_};
			defined $at or exit 1;
		}
		print ref $at ? encode_json($at) : $at, "\n";' "$@"
}

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
	timeout 60 modprobe -r virtio_vdpa 2>/dev/null
	timeout 60 modprobe -r vdpa_sim_pcie vsp_hw vsp_iommu
}

card_is_gone() {
	! lsmod | grep -qE '^(vsp_hw|vdpa_sim_pcie) ' && ! lspci -D | grep -q '^10000:'
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

# pings_lost FILE: what ping -q has sent and not got back, by its last words. One that
# was stopped had some on their way.
pings_lost() {
	awk '/packets transmitted/ { lost = $1 - $4; seen = $4 > 0 } END { print seen ? lost : 999999 }' "$1"
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

process_gone() {
	! kill -0 "$1" 2>/dev/null
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
	ip -all netns delete 2>/dev/null
	card_down >/dev/null 2>&1
	rm -rf "$WORK"
}

trap cleanup EXIT
klog_mark
