#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The card's tracepoints, with stock trace-cmd and perf: each event is seen when
# its cause happens and agrees with what the card says elsewhere.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

EVENTS=/sys/kernel/tracing/events/vsp

# record NAME COMMAND...: all events of the card while the command (or a function of
# this file) runs, as text.
record() {
	local name=$1

	shift
	trace-cmd record -q -e vsp -o "$WORK/$name.dat" bash -c '"$@"' bash "$@" \
		>"$WORK/$name.log" 2>&1 &&
		trace-cmd report -q "$WORK/$name.dat" >"$WORK/$name" 2>/dev/null
}

# seen NAME REGEX: behind the time stamp.
seen() {
	sed -n 's/.*: \(vsp_\)/\1/p' "$WORK/$1" | grep -E "^vsp_$2$"
}

saw() {
	seen "$@" >/dev/null
}

# The buffer to receive that was mapped last and is so still: "iova phys". Frames take
# the oldest first.
live_mapping() {
	sed -nE 's/.*vsp_(map|unmap): +fn='"$VF2"' iova=(0x[0-9a-f]+) phys=(0x[0-9a-f]+) .*perm=w$/\1 \2 \3/p' \
		"$WORK/$1" | awk '
		$1 == "map" { phys[$2] = $3; nr[$2] = NR }
		$1 == "unmap" { delete phys[$2] }
		END {
			for (iova in phys)
				if (nr[iova] > last) { last = nr[iova]; found = iova " " phys[iova] }
			print found
		}'
}

# faults_over COUNT: by the card's statistics.
faults_over() {
	[[ $(($(vsp rr "$VF1" stats.dma_faults))) -gt $1 ]]
}

# The card must not master the bus; the frame that is sent next is a fault.
provoke() {
	setpci -s "$VF1" COMMAND=0:4 || return
	ping_blue
	wait_for 60 faults_over "$FAULTS" && setpci -s "$VF1" COMMAND=4:4
}

# A netdev is in sysfs before its driver says DRIVER_OK.
add_and_wait() {
	vdpa dev add name red mgmtdev "pci/$VF1" && wait_for 60 driver_ok red
}

driver_ok() {
	grep -q 0x0000000f /sys/bus/vdpa/devices/"$1"/virtio*/status
}

export -f wait_for nap add_and_wait driver_ok provoke faults_over ping_blue in_red
export NEVER VF1 BLUE_IP

all_events_off() {
	! cat "$EVENTS"/*/enable | grep -qv 0
}

card_up forward=pair -- num_vfs=2 || give_up "the card does not load"
is "the card has its events" "$(cd "$EVENTS" && echo vsp_*)" \
	"vsp_dma_fault vsp_doorbell vsp_mailbox vsp_map vsp_msix vsp_state vsp_unmap"
check "they are off" all_events_off

check "trace-cmd records a vDPA device that is added" record add add_and_wait
like "commands of the mailbox by name" "$(seen add 'mailbox: .*')" \
	"fn=$VF1 cmd=set_vq_enable status=0"
like "the way of the device status" "$(seen add 'state: .*')" "what=status old=0xb new=0xf"
vdpa dev del red

# virtio_net maps its buffers when the interface is up for the first time and keeps
# them afterwards; nobody sends while red is down.
add_dev blue "$VF2" mac 02:00:00:00:00:02 || give_up "no vDPA device"
check "trace-cmd records an interface that is set up" record up ip link set "$(netdev_of blue)" up
check "buffers to receive are mapped for writing" saw up "map: +fn=$VF2 iova=.* perm=w"
read -r IOVA PHYS < <(live_mapping up)
is "a mapping seen in the trace is what vsp translate finds" \
	"$(vsp translate "$VF2" "${IOVA:-0}" | sed -n 's/^physical: //p')" "${PHYS:-none}"

add_dev red "$VF1" mac 02:00:00:00:00:01 || give_up "no second vDPA device"
into_netns red red "$RED_IP" && into_netns blue blue "$BLUE_IP" || give_up "no namespaces"
check "the built-in data path carries a ping" wait_for 60 ping_blue
check "trace-cmd records traffic" record run ip netns exec red ping -q -c 5 -i 0.2 -W 5 "$BLUE_IP"
check "doorbells of the transmit queue" saw run "doorbell: +fn=$VF1 queue=1"
check "interrupts of the receiver" saw run "msix: +fn=$VF2 vector=2 outcome=sent"
check "a buffer to send is mapped for reading" saw run "map: +fn=$VF1 iova=.* len=[0-9]+ perm=r"
check "buffers are unmapped" saw run "unmap: +fn=$VF1 iova=.* perm=r"
check "no access was a fault" sh -c "! grep -q vsp_dma_fault '$WORK/run'"
is "the events are off again" "$(cat "$EVENTS/enable")" 0

FAULTS=$(($(vsp rr "$VF1" stats.dma_faults)))
export FAULTS
check "trace-cmd records a frame that the card may not fetch" record fault provoke
is "each fault that is counted is traced" "$(seen fault 'dma_fault: .*' | wc -l)" \
	$(($(vsp rr "$VF1" stats.dma_faults) - FAULTS))
like "with its reason" "$(seen fault 'dma_fault: .*')" "fn=$VF1 .*why=bus master is off"

check "trace-cmd records a reset of a function and VFs that go" record reset \
	sh -c "echo 1 >/sys/bus/pci/devices/$VF2/reset; ip -all netns delete
		echo 0 >/sys/bus/pci/devices/$PF/sriov_numvfs"
check "function level reset" saw reset "state: +fn=$VF2 what=flr old=[0-9a-fx]+ new=0"
check "unplug" saw reset "state: +fn=$VF2 what=unplug old=0x1 new=0"

check "perf records the same" perf record -q -a -e 'vsp:*' -o "$WORK/perf.data" \
	sh -c "echo 1 >/sys/bus/pci/devices/$PF/sriov_numvfs"
like "and reports it" "$(perf script -i "$WORK/perf.data" 2>/dev/null)" \
	"vsp:vsp_state: fn=$VF1 what=plug old=0 new=0x1"
perf trace -a -e 'vsp:*' -o "$WORK/perf.trace" -- \
	sh -c "echo 1 >/sys/bus/pci/devices/$VF1/reset" 2>&1
# It prints fields as they are recorded: 2 is VSP_TRACE_FLR.
like "perf trace shows them as they come" "$(cat "$WORK/perf.trace")" \
	"vsp:vsp_state.*$VF1.*what: 2"
check "modprobe -r" card_down

finish
