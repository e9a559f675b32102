#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Interrupts: masks, pending bits and statistics by the raw table (vfio_msix.c),
# bursts, affinity, managed affinity, and a CPU that goes away under load.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vfio.sh
. "${0%/*}/vfio.sh"
# shellcheck source=tests/vm/iommu.sh
. "${0%/*}/iommu.sh"

SWITCH_CORE=0
RX0=2	# the vector of the first receive queue

cpu_online() {
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}

# One moment: the handler was called once for each message sent.
balanced() {
	[[ $(msix "$1" "$2" 4) == "$(handled "$1" "$2")" ]]
}

books_balance() {
	wait_for 10 balanced "$1" "$2" || { cat "/sys/kernel/debug/vsp/$1/msix" && return 1; }
}

check "the card comes up" card_up forward=loop -- num_vfs=3 || give_up "no card"

# ---- the raw table

check "vfio-pci takes a function" vfio_bind "$VF3" || give_up "no vfio-pci"
program table vfio_msix "$VF3"
check "the function goes back to its driver" bind_to vdpa_sim_pcie "$VF3"

# ---- bursts: every one raised is sent or merged into one under way

add_dev green "$VF3" || give_up "no device"
echo 0 >"/proc/irq/$(msix "$VF3" 1 2)/smp_affinity_list"
program burst taskset -c 1 contract burst "$VF3"
at_least "of a burst some are merged" "$(msix "$VF3" 1 5)" 1
check "each that was sent was handled once" books_balance "$VF3" 1
check "the device goes" vdpa dev del green

# ---- managed affinity

# vectors of the test module: the managed ones are those of the queues
managed_raise() {
	echo "$RX0" >"$(sysfs_of "$VF3")/dma_raise"
}

managed_cpus() {
	cat "/proc/irq/$(msix "$VF3" "$1" 2)/effective_affinity_list"
}

pending_is() {
	[[ $(msix "$VF3" "$1" 7) == "$2" ]]
}

managed_vector_on_cpu1() {
	local v

	for v in 2 3 4 5 6 7 8 9 10; do
		[[ $(cat "/proc/irq/$(msix "$VF3" $v 2)/smp_affinity_list") == 1 ]] &&
			echo "$v" && return
	done
	return 1
}

count_rises() {
	[[ $(handled "$VF3" "$1") -gt $2 ]]
}

check "a driver with managed vectors" dma_bind "$VF3" managed=1
VECTOR=$(managed_vector_on_cpu1)
check "one of them belongs to CPU 1 ($VECTOR)" test -n "$VECTOR"
RX0=$VECTOR
before=$(handled "$VF3" "$VECTOR")
managed_raise
check "it fires" wait_for 10 count_rises "$VECTOR" "$before"
check "CPU 1 goes offline" cpu_online 1 0
before=$(handled "$VF3" "$VECTOR")
managed_raise
check "the vector is shut down with it, what is raised is pending" \
	wait_for 10 pending_is "$VECTOR" 1
check "CPU 1 comes back" cpu_online 1 1
check "and with it the interrupt" wait_for 10 count_rises "$VECTOR" "$before"
check "which is pending no more" pending_is "$VECTOR" 0
check "the test driver lets go" dma_unbind "$VF3"
rmmod vsp_dma_test

# ---- a CPU goes offline under load

vectors_on_cpu() {
	local v

	for v in 2 3; do
		echo "$1" >"/proc/irq/$(msix "$VF1" $v 2)/smp_affinity_list" || return
	done
}

effective() {
	cat "/proc/irq/$(msix "$VF1" 2 2)/effective_affinity_list"
}

check "two functions in two namespaces" two_namespaces
switch_start switch -- --port "$VF1" --port "$VF2"
check "the first ping passes" wait_for 30 ping_blue
check "vectors are put on CPU 1" vectors_on_cpu 1
is "and are there" "$(effective)" 1
MISSING=$(answers_missing)
in_red ping -q -i 0.01 -c 400 -W 5 "$BLUE_IP" >/dev/null 2>&1 &
PING=$!
for _ in 1 2 3; do
	cpu_online 1 0 || break
	moved=$(effective)
	cpu_online 1 1 && vectors_on_cpu 1
done
is "CPU 1 offline: the vectors moved to CPU 0" "$moved" 0
wait "$PING"
check "of 400 pings none was lost" wait_for 10 answered "$MISSING"
for v in 1 2 3; do
	check "vector $v: each message sent was handled once" books_balance "$VF1" "$v"
done
check "the modules go" card_down
finish
