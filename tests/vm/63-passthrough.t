#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# boot: --append iommu=pt;intel_iommu=on --qemu -device;intel-iommu
#
# Beside another IOMMU, which has the machine's own devices, and with the host's
# default set to pass through.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/iommu.sh
. "${0%/*}/iommu.sh"

# Group and device of everything that is not the card's.
host_groups() {
	find /sys/kernel/iommu_groups/ -path '*/devices/*' | grep -v 10000: | sort
}

before=$(host_groups)
at_least "the machine's IOMMU has groups" "$(wc -l <<<"$before")" 3
modprobe vsp_hw forward=loop || give_up "the card does not come up"
is "they are as before with the card" "$(host_groups)" "$before"
check "the card's functions are behind our own" \
	test -e "/sys/class/iommu/vsp_iommu/devices/$PF"
is "iommu=pt: the default type is identity" "$(group_type "$PF")" identity
check "a driver binds" dma_bind "$PF"
# shellcheck disable=SC2086 # words
dma_cases "iommu=pt" "$PF" $DMA_CASES
type_cases "$PF" DMA
check "the modules go" dma_down
is "the machine's groups are as before" "$(host_groups)" "$before"
finish
