#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The software IOMMU: groups, their types, the DMA API in each, and the module's
# life. The card itself reads and writes what a test driver maps. VSP_LONG=1 loads and
# unloads 10 times instead of 4.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/iommu.sh
. "${0%/*}/iommu.sh"

TIMES=4
[[ ${VSP_LONG:-0} != 1 ]] || TIMES=10
FUNCTIONS="10000:00:00.0 $PF $VF1 $VF2"

vfs_up() {
	echo "$1" >"$(sysfs_of "$PF")/sriov_numvfs"
}

# A function of the card is behind our IOMMU, and nothing else is.
iommu_devices() {
	find /sys/class/iommu/vsp_iommu/devices/ -mindepth 1 -printf '%f\n' | sort | xargs
}

groups() {
	local fn

	for fn in $FUNCTIONS; do
		group_of "$fn"
	done | sort -u | wc -l
}

reload() {
	modprobe vsp_hw && modprobe -r vsp_hw vsp_iommu
}

# The devices' references must all come back, or the second fails.
cycles() {
	local i

	for ((i = 1; i <= TIMES; i++)); do
		reload || { echo "cycle $i"; return 1; }
	done
}

modprobe vsp_hw forward=loop total_vfs=2 || give_up "the card does not come up"
modprobe vdpa_sim_pcie num_vfs=2
is "the IOMMU has the root port and all functions, and nothing else" "$(iommu_devices)" \
	"$FUNCTIONS"
is "each is in a group of its own" "$(groups)" 4
is "the host's default type is taken over" "$(group_type "$VF1")" DMA-FQ
is "the MSI window is reserved" "$(cat "$(sysfs_of "$VF1")/iommu_group/reserved_regions")" \
	"0x00000000fee00000 0x00000000feefffff msi"
refuse "the IOMMU stays while there are devices behind it" 'in use' rmmod vsp_iommu
refuse "the type of a bound function stays" 'not permitted' set_group_type "$VF1" identity

modprobe -r vdpa_sim_pcie
modprobe vsp_hw forward=loop total_vfs=2
check "a driver binds by driver_override" dma_bind "$PF"
# shellcheck disable=SC2086 # words
dma_cases "DMA-FQ" "$PF" $DMA_CASES $TRANSLATED_CASES
type_cases "$PF" DMA
check "DMA: nothing is written after unmap" dma_case "$PF" fence
check "DMA becomes DMA-FQ with the driver bound" set_group_type "$PF" DMA-FQ
type_cases "$PF" identity
dma_unbind "$PF"
check "auto is the host's default again" set_group_type "$PF" auto
is "  which is DMA-FQ" "$(group_type "$PF")" DMA-FQ

check "the modules go" dma_down
check "$TIMES times loaded and unloaded" cycles
is "no IOMMU is left" "$(ls /sys/class/iommu)" ""
check "no group is left" test -z "$(ls /sys/kernel/iommu_groups)"

check "iommu=0: the card comes without one" modprobe vsp_hw forward=loop iommu=0
check "  and has no group" test ! -e "$(sysfs_of "$PF")/iommu_group"
check "  a driver binds" dma_bind "$PF"
# shellcheck disable=SC2086 # words
dma_cases "iommu=0" "$PF" $DMA_CASES
check "the modules go" dma_down
finish
