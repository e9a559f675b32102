#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A function goes, by surprise or unbound, while somebody holds its vhost_vdpa
# device and does not care. Nobody hangs, the kernel says nothing bad, and when
# the function is back it can be used as before.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vhost.sh
. "${0%/*}/vhost.sh"

readonly SLOT=/sys/kernel/debug/vsp/slot

vdpa_shows() {
	timeout 20 vdpa dev show | grep -q "^$1:"
}

platform_translation() {
	echo platform >"/sys/bus/pci/devices/$VF3/translation"
}

user_closes() {
	user_end guest TERM && user_said guest closed
}

functions_are_back() {
	[[ -e /sys/bus/pci/devices/$VF3/translation ]] && vdpa mgmtdev show "pci/$VF3" &&
		vdpa mgmtdev show "pci/$VF2"
}

card_up -- num_vfs=3 || give_up "the card does not come up"
modprobe vhost_vdpa || give_up "no vhost_vdpa"
two_namespaces || give_up "no namespaces"
switch_start switch -- --port "$VF1" --port "$VF2" --port "$VF3"
wait_for 30 ping_blue || give_up "no traffic at all: $(cat "$WORK/switch.log")"

# ---- the choice of translation

is "a function starts with the card's translation" \
	"$(cat "/sys/bus/pci/devices/$VF3/translation")" card
refuse "another word is refused" 'must be card or platform' \
	sh -c "echo none >/sys/bus/pci/devices/$VF3/translation"
check "the platform's is chosen" platform_translation
check "a device in platform translation, bound to vhost_vdpa" guest_add guest "$VF3"
refuse "the translation stays while there is a device" 'delete that first' \
	sh -c "echo card >/sys/bus/pci/devices/$VF3/translation"
check "a user drives it" user_start guest
check "frames go both ways" wait_for 20 user_moves guest

# ---- surprise removal with that user attached

refuse "the module stays while there is a user" 'in use' timeout 20 modprobe -r vdpa_sim_pcie
iperf_server
iperf_in_background
wait_for 10 red_sends
check "the card is pulled under iperf3" sh -c "echo 0 >$SLOT"
check "the functions go" wait_for 30 test ! -e "/sys/bus/pci/devices/$PF"
check "the other devices go with them" wait_for 30 vdpa_lacks red
check "the user is told" wait_for 10 user_said guest "needs reset"
check "its device is still there" vdpa_shows guest
check "network configuration does not hang" timeout 20 ip link show
check "nor does the user, who goes on as before" user_lives guest
check "the card is put back" sh -c "echo 1 >$SLOT"
check "its functions are found" wait_for 40 functions_are_back
refuse "the user's device has its name yet" 'taken|exists' guest_add guest "$VF3"
check "another name can be had before the user has gone" guest_add other "$VF3"
check "and deleted" timeout 30 vdpa dev del other
check "deleting the one in use does not hang" timeout 20 vdpa dev del guest
check "the user closes" user_closes
check "and its device goes" wait_for 20 vdpa_lacks guest

iperf_end
ip -all netns delete
check "the same devices can be added again" two_namespaces
check "and have traffic, through the same switch" wait_for 40 ping_blue
check "the function has the card's translation again" platform_translation
check "the same device for vhost_vdpa too" guest_add guest "$VF3"
check "with a new user" user_start guest
check "that has traffic" wait_for 20 user_moves guest

# ---- unbound with a user attached

check "unbind with a user attached" \
	timeout 20 sh -c "echo $VF3 >/sys/bus/pci/drivers/vdpa_sim_pcie/unbind"
check "vdpa answers at once" vdpa_shows guest
check "the user is told again" wait_for 10 user_said guest "needs reset"
check "bind" timeout 20 sh -c "echo $VF3 >/sys/bus/pci/drivers/vdpa_sim_pcie/bind"
check "the others did not notice" wait_for 10 ping_blue
check "the user closes its device" user_closes
check "which goes" wait_for 20 vdpa_lacks guest

switch_kill switch
vhost_down red blue
finish
