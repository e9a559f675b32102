#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A function that is reset under its vDPA device comes back by itself: the virtio
# driver above loses time and nothing else, a TCP connection goes on.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

# reset FUNCTION: by the kernel, as an administrator does it.
reset() {
	echo 1 >"/sys/bus/pci/devices/$1/reset"
}

resets() {
	local i

	for ((i = 0; i < $2; i++)); do
		reset "$1" || return
	done
}

mac_of_red() {
	vdpa -j dev config show red >"$WORK/config" && json "$WORK/config" config red mac
}

add_and_delete() {
	local i

	for ((i = 0; i < $1; i++)); do
		vdpa dev add name loop mgmtdev "pci/$VF3" || return
		vdpa dev del loop || return
	done
}

cpu_off_and_on() {
	echo 0 >/sys/devices/system/cpu/cpu1/online && sleep 0.2 &&
		echo 1 >/sys/devices/system/cpu/cpu1/online
}

card_up queue_pairs=2 -- num_vfs=3 || give_up "the card does not come up"
two_namespaces || give_up "no namespaces"
# A backend that does not come back after the CPU was off would be another test's.
SWITCH_CORE=0 switch_start switch -- --port "$VF1" --port "$VF2"
wait_for 30 ping_blue || give_up "no traffic at all: $(cat "$WORK/switch.log")"
iperf_server
iperf_in_background
wait_for 10 red_sends || give_up "iperf3 does not send: $(cat "$WORK/iperf")"

# ---- function level reset

irqs=$(grep -c "vsp-$VF1" /proc/interrupts)
check "a function level reset of a VF under iperf3" reset "$VF1"
check "its TCP connection goes on" wait_for 10 same_connection
check "a reset of the receiving VF" reset "$VF2"
check "the connection goes on" wait_for 10 same_connection
is "the function has its interrupts" "$(grep -c "vsp-$VF1" /proc/interrupts)" "$irqs"
check "the control queue answers" mac_there_and_back

# The address came by the control queue, which the driver does not see.
in_red ip link set net0 address 02:00:00:00:00:77
check "10 resets in a row" resets "$VF1" 10
is "the device has the address that the control queue gave it" "$(mac_of_red)" 02:00:00:00:00:77
in_red ip link set net0 address 02:00:00:00:00:01
check "the connection still goes on" wait_for 20 same_connection

check "a reset of the PF takes its VFs along" reset "$PF"
check "and they come back with it, the connection too" wait_for 20 same_connection
check "the control queue of a VF answers" mac_there_and_back
like "a VF is a bus master again" "$(setpci -s "$VF1" COMMAND)" '...[4567cdef]'

# ---- beside other work

reset "$VF1" &
resetter=$!
check "the control queue is used while its function is in reset" mac_there_and_back
wait "$resetter"
check "and the connection goes on" wait_for 10 same_connection

add_and_delete 6 >"$WORK/loop" 2>&1 &
looper=$!
check "resets beside a loop of vdpa dev add and del" resets "$VF3" 6
wait "$looper"
is "the loop did not fail" "$?:$(cat "$WORK/loop")" "0:"
check "CPU 1 goes and comes back under traffic" cpu_off_and_on
check "the connection goes on" wait_for 10 same_connection

# ---- without a backend

switch_kill switch
check "a reset while the switch is dead" reset "$VF1"
check "and of the PF" reset "$PF"
SWITCH_CORE=0 switch_start switch -- --port "$VF1" --port "$VF2"
check "a new switch finds everything in place" wait_for 30 same_connection
iperf_end

check "modprobe -r at the end" card_down
check "nothing is left" card_is_gone
finish
