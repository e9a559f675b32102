# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# For the tests of translation, after lib.sh: IOMMU groups, and vsp_dma_test.ko
# bound to a function.

DMA_CASES="coherent-8k coherent-1m coherent-2m single page sg sync mask32"
# With a domain that translates.
TRANSLATED_CASES="unmapped direction master unaligned oversized user switch"

sysfs_of() {
	echo "/sys/bus/pci/devices/$1"
}

group_of() {
	basename "$(readlink "$(sysfs_of "$1")/iommu_group")"
}

group_type() {
	cat "$(sysfs_of "$1")/iommu_group/type"
}

set_group_type() {
	echo "$2" >"$(sysfs_of "$1")/iommu_group/type"
}

# dma_bind FUNCTION [PARAMETER...]: from whatever driver it has.
dma_bind() {
	local fn=$1 dir

	shift
	dir=$(sysfs_of "$fn")
	if [[ ! -e /sys/module/vsp_dma_test ]]; then
		insmod "build/test-modules/$(uname -r)/vsp_dma_test.ko" "$@" || return
	fi
	[[ ! -e $dir/driver ]] || echo "$fn" >"$dir/driver/unbind" || return
	echo vsp_dma_test >"$dir/driver_override"
	echo "$fn" >/sys/bus/pci/drivers_probe && [[ -e $dir/dma_test ]]
}

dma_unbind() {
	local dir

	dir=$(sysfs_of "$1")
	echo "$1" >"$dir/driver/unbind"
	echo >"$dir/driver_override"
}

# dma_case FUNCTION NAME
dma_case() {
	echo "$2" >"$(sysfs_of "$1")/dma_test"
}

# dma_cases WHAT FUNCTION NAME...: one check each.
dma_cases() {
	local what=$1 fn=$2 name

	shift 2
	for name in "$@"; do
		check "$what: $name" dma_case "$fn" "$name"
	done
}

# type_cases FUNCTION TYPE: the function's driver goes, the type changes, all
# cases that hold for it.
type_cases() {
	local fn=$1 type=$2

	dma_unbind "$fn"
	check "group type $type is taken while no driver is bound" set_group_type "$fn" "$type"
	is "  and is what the file says then" "$(group_type "$fn")" "$type"
	check "  and a driver binds" dma_bind "$fn"
	# shellcheck disable=SC2086 # words
	dma_cases "$type" "$fn" $DMA_CASES
	# shellcheck disable=SC2086 # words
	[[ $type == identity ]] || dma_cases "$type" "$fn" $TRANSLATED_CASES
}

dma_down() {
	rmmod vsp_dma_test 2>/dev/null
	modprobe -r vsp_hw vsp_iommu
}
