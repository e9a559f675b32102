# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# For the tests that give a function to user space, after lib.sh: vfio-pci, and
# what debugfs says of MSI-X.

# bind_to DRIVER FUNCTION: from whatever driver it has.
bind_to() {
	local driver=$1 fn=$2 dir=/sys/bus/pci/devices/$2

	[[ ! -e $dir/driver ]] || echo "$fn" >"$dir/driver/unbind" || return
	echo "$driver" >"$dir/driver_override" || return
	echo "$fn" >/sys/bus/pci/drivers_probe
	[[ $(basename "$(readlink "$dir/driver")") == "$driver" ]]
}

# vfio_bind FUNCTION: and wait for its group's device.
vfio_bind() {
	modprobe vfio-pci && bind_to vfio-pci "$1" || return
	wait_for 10 test -c \
		"/dev/vfio/$(basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")")"
}

# msix FUNCTION VECTOR COLUMN: 2 irq, 3 cpu, 4 sent, 5 coalesced, 6 masked, 7 pending,
# 8 dropped.
msix() {
	awk -v vector="$2" -v column="$3" '$1 == vector { print $column }' \
		"/sys/kernel/debug/vsp/$1/msix"
}

# handled FUNCTION VECTOR: times its handler was called, on all CPUs.
handled() {
	awk -v irq="$(msix "$1" "$2" 2):" '$1 == irq {
		for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
			sum += $i
		print sum + 0 }' /proc/interrupts
}
