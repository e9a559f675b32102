#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A function goes, by surprise or unbound, while somebody holds its vhost_vdpa
# device and does not care. Nobody hangs, the kernel says nothing bad, and when
# the function is back it can be used as before.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

readonly SLOT=/sys/kernel/debug/vsp/slot

# guest_add NAME: a device on VF3 in platform translation, for vhost_vdpa.
guest_add() {
	echo platform >"/sys/bus/pci/devices/$VF3/translation" &&
		echo 0 >/sys/bus/vdpa/drivers_autoprobe &&
		timeout 30 vdpa dev add name "$1" mgmtdev "pci/$VF3" &&
		echo "$1" >/sys/bus/vdpa/drivers/vhost_vdpa/bind
	local status=$?

	echo 1 >/sys/bus/vdpa/drivers_autoprobe
	return $status
}

user_start() {
	local node

	node=$(echo "/sys/bus/vdpa/devices/$1"/vhost-vdpa-*)
	vhost_vdpa_user "/dev/${node##*/}" >"$WORK/user" 2>&1 &
	echo $! >"$WORK/user.pid"
	disown
	wait_for 20 grep -q running "$WORK/user"
}

user_said() {
	grep -q "$1" "$WORK/user"
}

# Its last count of: sent, received.
user_count() {
	sed -nE "s/.*$1 ([0-9]+).*/\\1/p" "$WORK/user" | tail -n 1
}

user_moves() {
	in_red ping -q -c 1 -W 1 10.0.0.9 # nobody: a broadcast for everybody
	[[ $(user_count sent) -gt 5 && $(user_count received) -gt 0 ]]
}

user_lives() {
	kill -0 "$(<"$WORK/user.pid")"
}

user_end() {
	kill -TERM "$(<"$WORK/user.pid")"
	wait_for 20 process_gone "$(<"$WORK/user.pid")" && user_said closed
}

vdpa_shows() {
	timeout 20 vdpa dev show | grep -q "^$1:"
}

vdpa_lacks() {
	local shown

	shown=$(timeout 20 vdpa dev show) && ! grep -q "^$1:" <<<"$shown"
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
check "a device in platform translation, bound to vhost_vdpa" guest_add guest
refuse "the translation stays while there is a device" 'delete that first' \
	sh -c "echo card >/sys/bus/pci/devices/$VF3/translation"
check "a user drives it" user_start guest
check "frames go both ways" wait_for 20 user_moves

# ---- surprise removal with that user attached

refuse "the module stays while there is a user" 'in use' timeout 20 modprobe -r vdpa_sim_pcie
iperf_server
iperf_in_background
wait_for 10 red_sends
check "the card is pulled under iperf3" sh -c "echo 0 >$SLOT"
check "the functions go" wait_for 30 test ! -e "/sys/bus/pci/devices/$PF"
check "the other devices go with them" wait_for 30 vdpa_lacks red
check "the user is told" wait_for 10 user_said "needs reset"
check "its device is still there" vdpa_shows guest
check "network configuration does not hang" timeout 20 ip link show
check "nor does the user, who goes on as before" user_lives
check "the card is put back" sh -c "echo 1 >$SLOT"
check "its functions are found" wait_for 40 functions_are_back
refuse "the user's device has its name yet" 'taken|exists' guest_add guest
check "another name can be had before the user has gone" guest_add other
check "and deleted" timeout 30 vdpa dev del other
check "deleting the one in use does not hang" timeout 20 vdpa dev del guest
check "the user closes" user_end
check "and its device goes" wait_for 20 vdpa_lacks guest

iperf_end
ip -all netns delete
check "the same devices can be added again" two_namespaces
check "and have traffic, through the same switch" wait_for 40 ping_blue
check "the same device for vhost_vdpa too" guest_add guest
check "with a new user" user_start guest
check "that has traffic" wait_for 20 user_moves

# ---- unbound with a user attached

check "unbind with a user attached" \
	timeout 20 sh -c "echo $VF3 >/sys/bus/pci/drivers/vdpa_sim_pcie/unbind"
check "vdpa answers at once" vdpa_shows guest
check "the user is told again" wait_for 10 user_said "needs reset"
check "bind" timeout 20 sh -c "echo $VF3 >/sys/bus/pci/drivers/vdpa_sim_pcie/bind"
check "the others did not notice" wait_for 10 ping_blue
check "the user closes its device" user_end
check "which goes" wait_for 20 vdpa_lacks guest

switch_kill switch
modprobe -r vhost_vdpa
check "modprobe -r at the end" card_down
check "nothing is left" card_is_gone
finish
