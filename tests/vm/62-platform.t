#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Two functions in platform translation: their rings and buffers are mapped for
# the PCI function by the kernel's own DMA API, in each type of IOMMU group.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/iommu.sh
. "${0%/*}/iommu.sh"

DEBUGFS=/sys/kernel/debug/vsp

translation_is() {
	grep -qx "translation: $2" "$DEBUGFS/$1/state"
}

# The devices go; the functions get a group type and their driver again.
retype() {
	local fn

	vdpa dev del red && vdpa dev del blue || return
	ip -all netns delete
	for fn in "$VF1" "$VF2"; do
		echo "$fn" >"$(sysfs_of "$fn")/driver/unbind" &&
			set_group_type "$fn" "$1" &&
			echo "$fn" >/sys/bus/pci/drivers/vdpa_sim_pcie/bind || return
	done
}

set_translation() {
	echo "$1" >"$(sysfs_of "$VF1")/translation" &&
		echo "$1" >"$(sysfs_of "$VF2")/translation"
}

dma_faults() {
	vstat_register "$1" 0x26000
}

# 64 bit of a function's statistics registers.
vstat_register() {
	dd if="$DEBUGFS/$1/registers" bs=8 skip=$(($2 / 8)) count=1 2>/dev/null |
		od -An -tu8 | xargs
}

# traffic WHAT: both ways, and not one DMA fault.
traffic() {
	local what=$1

	check "$what: the first ping" wait_for 30 ping_blue
	iperf_server
	check "$what: TCP" iperf tcp -t 2
	at_least "  moved more than a megabyte" \
		"$(json "$WORK/tcp" end sum_received bytes)" 1000000
	check "$what: TCP, the other way" iperf reverse -t 2 -R
	is "  without a DMA fault" "$(dma_faults "$VF1") $(dma_faults "$VF2")" "0 0"
	in_blue pkill iperf3
}

card_up -- num_vfs=2 || give_up "the card does not come up"
check "platform translation is chosen per function" set_translation platform
check "two functions in two namespaces" two_namespaces
check "the card knows: platform" translation_is "$VF1" platform
switch_start switch -- --port "$VF1" --port "$VF2"
is "the group's type is the host's default" "$(group_type "$VF1")" DMA-FQ
traffic DMA-FQ

switch_kill switch
switch_start switch -- --port "$VF1" --port "$VF2"
check "a killed switch is followed by the next" wait_for 30 ping_blue

for type in DMA identity; do
	check "group type $type" retype "$type"
	check "  and platform translation again" set_translation platform
	check "  two functions in two namespaces" two_namespaces
	traffic "$type"
done

check "back to the card's own translation" retype auto
set_translation card
check "  two functions in two namespaces" two_namespaces
check "  the card knows: card" translation_is "$VF1" card
check "  ping" wait_for 30 ping_blue

check "the switch ends" switch_stop switch
check "the modules go" card_down
finish
