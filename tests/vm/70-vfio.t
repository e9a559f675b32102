#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A function in the hands of a driver in user space: stock vfio-pci, the software
# IOMMU, vfio.c. Alone with itself, then as the neighbour of a netdev; killed in the
# middle of it; and back to the in-kernel driver.
#
#   vfio.c ─ vfio-pci ─ VF1 ═══ vsp-switch ═══ VF2 ─ virtio_vdpa ─ net0 (blue)

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vfio.sh
. "${0%/*}/vfio.sh"

VFIO_IP=10.0.0.9

flood_runs() {
	grep -q '^ok .* running' "$WORK/flood.tap"
}

# Started again and again while it floods itself; memory is unpinned in mid-flight.
killed_in_flight() {
	local i pid

	for i in 1 2 3 4 5; do
		vfio flood "$VF1" >"$WORK/flood.tap" 2>&1 &
		pid=$!
		disown
		wait_for 20 flood_runs || { echo "$i: $(cat "$WORK/flood.tap")"; return 1; }
		kill -KILL "$pid"
		wait_for 10 process_gone "$pid" || return
	done
}

check "the card comes up behind its IOMMU" card_up forward=loop -- num_vfs=2 ||
	give_up "no card"
check "vfio-pci takes the function" vfio_bind "$VF1" || give_up "no vfio-pci"

program mailbox vfio mailbox "$VF1"
program loop vfio loop "$VF1"
check "5 times killed under traffic" killed_in_flight
program after vfio loop "$VF1"
program again vfio mailbox "$VF1"

# ---- a neighbour: one frame each way through the switch

check "VF2 is a netdev" add_dev blue "$VF2" mac 02:00:00:00:00:02
check "in a namespace" into_netns blue blue "$BLUE_IP"
switch_start switch -- --port "$VF1" --port "$VF2"
program arp vfio arp "$VF1" "$VFIO_IP" "$BLUE_IP"
check "the switch ends by SIGTERM" switch_stop switch
check "no fault of DMA at the neighbour" test "$(vstat blue 0 drops)" = 0
check "its device goes" vdpa dev del blue
ip netns delete blue

# ---- back to the kernel

check "the in-kernel driver takes the function again" bind_to vdpa_sim_pcie "$VF1"
check "and it works" two_namespaces
switch_start switch -- --port "$VF1" --port "$VF2"
check "pings pass" wait_for 30 ping_blue
check "modprobe -r" card_down
check "nothing is left" card_is_gone
modprobe -r vfio-pci
finish
