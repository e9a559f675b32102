#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The window: what a user of vhost_vdpa maps is what the backend of the function
# sees, as long as it is mapped, in the direction that is permitted, and nothing of
# anybody else. window.c is user and backend.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vhost.sh
. "${0%/*}/vhost.sh"

# hold NAME: a user that has something mapped, until it is told to end.
hold() {
	window hold - "$(node_of "$1")" >"$WORK/$1.holds" 2>&1 &
	user_note "$1"
	wait_for 20 grep -q held "$WORK/$1.holds"
}

# what a backend sees at the address where the user has its secret
look() {
	window look "$1" | sed -n 's/^sees //p'
}

echo 8 >/proc/sys/vm/nr_hugepages
card_up -- num_vfs=3 || give_up "the card does not come up"
modprobe vhost_vdpa || give_up "no vhost_vdpa"

check "a device with the card's translation, bound to vhost_vdpa" guest_add green "$VF1"
is "by default" "$(cat "/sys/bus/pci/devices/$VF1/translation")" card
program map window map "$VF1" "$(node_of green)"
program limits window_limits "$VF1" "$(node_of green)"
program queues window_vq "$VF1" "$(node_of green)"
program race window_race "$VF1" "$(node_of green)"

# What was mapped has gone back: to the system, not just to the user.
huge_pages_free() {
	awk '/^HugePages_Total/ { t = $2 } /^HugePages_Free/ { f = $2 }
		END { exit !(t && t == f) }' /proc/meminfo
}
check "all huge pages that were mapped are free again" wait_for 10 huge_pages_free

# ---- neighbours

check "a second device" guest_add blue "$VF2"
check "whose user maps its memory" hold blue
is "its backend sees it" "$(look "$VF2")" 0x5ec2e7
program spy window spy "$VF1" "$(node_of green)"
check "the user ends" user_end blue TERM
like "and finds its memory as it was" "$(cat "$WORK/blue.holds")" '^ok .*nobody has written'
check "nothing is mapped then" wait_for 20 nothing_mapped "$VF2"

# ---- sudden death

check "a user maps its memory once more" hold blue
check "a user of the other, too" hold green
check "one is killed" user_end blue KILL
check "its memory is not mapped any more" wait_for 20 nothing_mapped "$VF2"
is "that of the other one still is" "$(look "$VF1")" 0x5ec2e7
check "which is killed as well" user_end green KILL
check "and leaves nothing" wait_for 20 nothing_mapped "$VF1"

# ---- gone with a user

check "a user again" hold blue
refuse "the module stays while there is one" 'in use' timeout 20 modprobe -r vdpa_sim_pcie
check "unbind its function" \
	timeout 20 sh -c "echo $VF2 >/sys/bus/pci/drivers/vdpa_sim_pcie/unbind"
check "vdpa answers at once" timeout 20 vdpa dev show
check "bind" timeout 20 sh -c "echo $VF2 >/sys/bus/pci/drivers/vdpa_sim_pcie/bind"
is "the memory is not the function's any more" "$(ranges_of "$VF2")" 0
is "a backend sees nothing" "$(look "$VF2")" 0
check "the user closes" user_end blue TERM
check "and its device goes" wait_for 20 vdpa_lacks blue
check "the function can be used as before" guest_add blue "$VF2"
check "with a user" hold blue
is "whose memory its backend sees" "$(look "$VF2")" 0x5ec2e7
check "a function level reset under it" sh -c "echo 1 >/sys/bus/pci/devices/$VF2/reset"
is "leaves what is mapped" "$(look "$VF2")" 0x5ec2e7
check "and that ends" user_end blue TERM

# ---- a backend that knows no windows: the kernel copies, from ranges as well

check "a netdev beside it" add_dev red "$VF3" mac 02:00:00:00:00:01
check "in a namespace" into_netns red red "$RED_IP"
switch_start switch -- --port "$VF2" --port "$VF3"
check "a user with queues" user_start blue
check "frames go both ways, by copy" wait_for 60 user_moves blue
check "it ends" user_end blue TERM
switch_stop switch
echo 0 >/proc/sys/vm/nr_hugepages
vhost_down red blue green
finish
