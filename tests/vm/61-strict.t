#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# boot: --append iommu.strict=1;swiotlb=16384,force
#
# A host that flushes at every unmap, and that has bounce buffers: for a card
# marked as untrusted, and for one without an IOMMU.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/iommu.sh
. "${0%/*}/iommu.sh"

# Bounce buffers taken at most since boot, in slabs.
bounced() {
	cat /sys/kernel/debug/swiotlb/io_tlb_used_hiwater
}

reset_bounced() {
	echo 0 >/sys/kernel/debug/swiotlb/io_tlb_used_hiwater
}

modprobe vsp_hw forward=loop || give_up "the card does not come up"
is "iommu.strict=1: the default type is DMA" "$(group_type "$PF")" DMA
check "a driver binds" dma_bind "$PF"
# shellcheck disable=SC2086 # words
dma_cases "strict" "$PF" $DMA_CASES $TRANSLATED_CASES fence
check "the modules go" dma_down

modprobe vsp_hw forward=loop untrusted=1 || give_up "the card does not come up"
is "untrusted=1: the type is DMA" "$(group_type "$PF")" DMA
refuse "  and identity is refused" 'Invalid argument' set_group_type "$PF" identity
check "  a driver binds" dma_bind "$PF"
reset_bounced
# shellcheck disable=SC2086 # words
dma_cases "untrusted" "$PF" $DMA_CASES $TRANSLATED_CASES
at_least "  unaligned buffers were bounced" "$(bounced)" 1
check "the modules go" dma_down

modprobe vsp_hw forward=loop iommu=0 || give_up "the card does not come up"
check "iommu=0: a driver binds" dma_bind "$PF"
reset_bounced
# shellcheck disable=SC2086 # words
dma_cases "iommu=0, bounced" "$PF" $DMA_CASES
at_least "  buffers were bounced" "$(bounced)" 1
check "the modules go" dma_down
finish
