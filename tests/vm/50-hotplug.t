#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The card in its slot: pulled without a warning, put back, powered off and on,
# removed and found again. The kernel's pciehp does the rest, unmodified.
# VSP_LONG=1 pulls and plugs 20 times instead of 3.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

PORT=10000:00:00.0
SLOT=/sys/kernel/debug/vsp/slot
POWER=/sys/bus/pci/slots/7/power
CYCLES=3
[[ ${VSP_LONG:-0} != 1 ]] || CYCLES=20

is_back() {
	functions_are "$PF" "$VF1" "$VF2" && bound "$PF" && bound "$VF2" && [[ -c /dev/vsp/$VF2 ]]
}

unplug() {
	echo 0 >"$SLOT"
}

plug() {
	echo 1 >"$SLOT"
}

power() {
	echo "$1" >"$POWER"
}

# pciehp has noticed so many times that the link went down.
link_downs() {
	[[ $(dmesg | grep -c 'pciehp: Slot(7): Link Down') -ge $1 ]]
}

# What the port's registers say of slot and link.
port_word() {
	setpci -s "$PORT" "$1"
}

port_bit() {
	(((0x$(port_word "$1") & $2) != 0)) && echo 1 || echo 0
}

cycles() {
	local i

	for ((i = 1; i <= CYCLES; i++)); do
		unplug || return
		wait_for 30 functions_are '' || { echo "cycle $i: still there: $(functions)"; return 1; }
		wait_for 30 plug || { echo "cycle $i: cannot plug"; return 1; }
		wait_for 30 is_back || { echo "cycle $i: not back: $(functions)"; return 1; }
	done
}

card_up -- num_vfs=2 || give_up "the card does not come up"
check "the card is in its slot with two VFs" is_back
IOMEM=$(cat /proc/iomem)
is "the slot says so" "$(cat "$SLOT")" 1
is "a card is present" "$(port_bit CAP_EXP+1a.w 0x40)" 1
is "the link is up" "$(port_bit CAP_EXP+12.w 0x2000)" 1

add_dev red "$VF1" && add_dev blue "$VF2"
check "two vDPA devices with netdevs" netdev_of blue
check "the card is pulled" unplug
# Or pciehp was faster.
like "at once nobody answers" "$(setpci -s "$PF" 0.l 2>/dev/null)" '^(ffffffff)?$'
is "no card is present" "$(port_bit CAP_EXP+1a.w 0x40)" 0
is "the link is down" "$(port_bit CAP_EXP+12.w 0x2000)" 0
check "pciehp removes its functions" wait_for 30 functions_are ''
like "pciehp says why" "$(dmesg)" 'pciehp: Slot\(7\): Card not present'
is "the vDPA devices are gone" "$(vdpa dev show)" ''
is "nothing is left to add one to" "$(vdpa mgmtdev show)" ''
is "nor for a backend to open" "$(ls /dev/vsp 2>/dev/null)" ''
refuse "it cannot be pulled again" 'No such device' unplug

check "the card is put back" wait_for 30 plug
check "pciehp finds it, and the driver enables its VFs" wait_for 30 is_back
refuse "it cannot be put in twice" 'File exists' plug
is "its BARs are where they were" "$(cat /proc/iomem)" "$IOMEM"
check "the same vdpa dev add works again" device_works red "$VF1"

check "slot power off" power 0
check "takes the card off the bus" wait_for 30 functions_are ''
is "it is still in the slot" "$(cat "$SLOT") $(port_bit CAP_EXP+1a.w 0x40)" '1 1'
is "the slot says that it has no power" "$(cat "$POWER")" 0
check "slot power on" power 1
check "brings it back" wait_for 30 is_back
check "it works" device_works red "$VF1"

check "Link Disable" setpci -s "$PORT" CAP_EXP+10.w=10:10
check "is noticed as Link Down" wait_for 30 link_downs 2
check "pciehp finds a card in the slot, enables the link, and it is back" wait_for 30 is_back

check "remove" sh -c "echo 1 >/sys/bus/pci/devices/$PF/remove"
check "takes the functions away" functions_are ''
check "rescan" sh -c 'echo 1 >/sys/bus/pci/rescan'
check "finds them" wait_for 30 is_back
check "remove of the root port" sh -c "echo 1 >/sys/bus/pci/devices/$PORT/remove"
check "takes all" sh -c '! lspci -D | grep -q ^10000'
check "rescan after it" sh -c 'echo 1 >/sys/bus/pci/rescan'
check "finds the port and the card" wait_for 30 is_back
check "it works after that" device_works red "$VF1"

check "$CYCLES times pulled and put back" cycles
is "the resource tree is as before" "$(cat /proc/iomem)" "$IOMEM"

check "pulled again" unplug
check "modprobe -r of a card that is out" card_down
check "nothing is left of it" card_is_gone

card_up -- num_vfs=2
check "slot power off, with a new card" power 0
check "modprobe -r of a card without power" card_down
check "nothing is left of that" card_is_gone

card_up -- num_vfs=2
unplug
check "modprobe -r while pciehp removes it" card_down
check "nothing is left after the race" card_is_gone

finish
