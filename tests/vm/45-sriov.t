#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# 31 virtual functions, again and again, and those of one PF beside another's.
# The card forwards by itself, between VFs in pairs. VSP_LONG=1 makes it 50 times
# where it is 2 by default (10 minutes instead of one).

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

SYSFS=/sys/bus/pci/devices
TIMES=2
[[ ${VSP_LONG:-0} == 1 ]] && TIMES=50

nr_vfs() {
	compgen -G "$SYSFS/$1/virtfn*" | wc -l
}

set_vfs() {
	echo "$2" >"$SYSFS/$1/sriov_numvfs"
}

# every_vf TEST: VFs of $PF for which TEST, which gets the function's name, fails.
# Tests in bash alone: there are many of them.
every_vf() {
	local vf

	for vf in $(readlink "$SYSFS/$PF"/virtfn*); do
		"$@" "${vf##*/}" || echo "${vf##*/}"
	done
}

# 256 KiB of memory, and nothing else.
has_bar4() {
	local start end bar=

	while read -r start end _ && [[ ${#bar} -lt 6 ]]; do
		[[ $((start ? end - start + 1 : 0)) -eq 262144 ]] && bar+=4 || bar+=$((start ? 1 : 0))
	done <"$SYSFS/$1/resource"
	[[ $bar == 000040 ]]
}

has_vectors() {
	local -a vectors=("$SYSFS/$1"/msi_irqs/*)

	[[ ${#vectors[@]} -ge 4 ]]
}

has_flr() {
	[[ $(<"$SYSFS/$1/reset_method") == flr* ]]
}

has_backend_device() {
	[[ -c /dev/vsp/$1 ]]
}

has_mgmtdev() {
	[[ $MGMTDEVS == *"pci/$1:"* ]]
}

# Alone in its IOMMU group.
has_group() {
	local -a devices=("$SYSFS/$1"/iommu_group/devices/*)

	[[ ${devices[*]##*/} == "$1" ]]
}

# The two VFs of a pair in two namespaces.
pair_up() {
	add_dev red "$1" mac 02:00:00:00:00:01 && add_dev blue "$2" mac 02:00:00:00:00:02 &&
		into_netns red red "$RED_IP" && into_netns blue blue "$BLUE_IP"
}

pair_down() {
	ip -all netns delete
	vdpa dev del red && vdpa dev del blue
}

ping_some() {
	in_red ping -q -c 20 -i 0.02 -W 10 "$BLUE_IP" | tee "$WORK/ping" | grep -q ' 0% packet loss'
}

# Load on red to blue until stop_load.
start_load() {
	MISSING=$(answers_missing)
	ip netns exec red ping -i 0.005 -q "$BLUE_IP" >"$WORK/load" 2>&1 &
	LOAD=$!
}

stop_load() {
	kill -INT "$LOAD"
	wait "$LOAD"
}

vf_cycles() {
	local i

	for ((i = 1; i <= TIMES; i++)); do
		set_vfs "$PF" 0 && set_vfs "$PF" 31 || return
		[[ $(nr_vfs "$PF") == 31 ]] || { echo "cycle $i: $(nr_vfs "$PF") VFs"; return 1; }
	done
}

neighbours() {
	local i

	for i in 4 1 3 2; do
		set_vfs "$1" 0 && set_vfs "$1" "$i" && echo 1 >"$SYSFS/$1/reset" || return
	done
}

# What must be as before: memory map, IOMMUs, interrupts in use.
traces() {
	cat /proc/iomem
	ls /sys/class/iommu
	find /proc/irq -mindepth 1 -maxdepth 1 -name '[0-9]*' | sort
	ls /sys/kernel/debug/irq/domains 2>/dev/null
	grep -c vsp /proc/interrupts
}

module_cycles() {
	local i

	for ((i = 1; i <= $1; i++)); do
		modprobe vsp_hw total_vfs=31 && modprobe vdpa_sim_pcie num_vfs=31 || return
		[[ $(nr_vfs "$PF") == 31 ]] || { echo "cycle $i: no VFs"; return 1; }
		modprobe -r vdpa_sim_pcie vsp_hw vsp_iommu || { echo "cycle $i: still loaded"; return 1; }
	done
}

# Memory of the kernel that no cache can give back, in KiB. Without socket buffers:
# uevents, which the lab's mdev reads some time.
kernel_memory() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|Percpu|VmallocUsed|PageTables):/ { sum += $2 }
		/^skbuff_/ { sum -= $3 * $4 / 1024 }
		END { printf "%d\n", sum }' /proc/meminfo /proc/slabinfo
}

kernel_memory_below() {
	MEMORY=$(kernel_memory)
	[[ $MEMORY -lt $1 ]]
}

modprobe virtio_net
modprobe loop 2>/dev/null
traces >"$WORK/before"

# ---- 31 of them

card_up total_vfs=31 forward=pair -- num_vfs=31 || give_up "the card does not come up"
is "31 virtual functions" "$(nr_vfs "$PF")" 31
MGMTDEVS=$(vdpa mgmtdev show)
is "each has BAR 4 and no other" "$(every_vf has_bar4)" ""
is "each has its MSI-X vectors" "$(every_vf has_vectors)" ""
is "each can be reset by FLR" "$(every_vf has_flr)" ""
is "each is a management device" "$(every_vf has_mgmtdev)" ""
is "each has a backend device" "$(every_vf has_backend_device)" ""
is "each is alone in its IOMMU group" "$(every_vf has_group)" ""
check "the first two talk" pair_up "$VF1" "$VF2"
check "  without loss" ping_some
start_load
check "the last can be reset meanwhile" \
	sh -c "for i in 1 2 3; do echo 1 >$SYSFS/10000:01:03.7/reset; done"
check "the PF's VFs can be taken away under traffic" set_vfs "$PF" 0
stop_load
is "then there are none" "$(nr_vfs "$PF")" 0
is "nor vDPA devices" "$(vdpa dev show | wc -l)" 0
ip -all netns delete
set_vfs "$PF" 31
check "31 functions came and went $TIMES times" vf_cycles
check "the first two talk again" pair_up "$VF1" "$VF2"
check "  without loss" ping_some
pair_down
card_down

# ---- two PFs

card_up pfs=2 total_vfs=4 forward=pair -- num_vfs=4 || give_up "no card with two PFs"
check "two VFs of the first PF talk" pair_up 10000:01:00.2 10000:01:00.3
start_load
check "the other PF's VFs come and go, it is reset" neighbours "$VF1"
check "so is a VF of the first PF" sh -c "echo 1 >$SYSFS/10000:01:00.5/reset"
is "the first has all its VFs" "$(nr_vfs "$PF")" 4
stop_load
check "nothing was lost" wait_for 10 answered "$MISSING"
at_least "  of so many" "$(sed -n 's/ packets transmitted.*//p' "$WORK/load")" 20
pair_down
card_down

# ---- and the whole card

check "the card came and went with 31 functions" module_cycles 1
memory=$(kernel_memory)
check "and $TIMES times more" module_cycles "$TIMES"
traces >"$WORK/after"
check "memory map, IOMMUs, interrupts are as before" diff "$WORK/before" "$WORK/after"
# Slabs and page tables breathe by half a MiB. An image is 20 KiB, a function
# more: VSP_LONG=1 finds two that are lost in each cycle, the short run all 32.
check "the kernel's memory is not more than before" \
	wait_for 30 kernel_memory_below $((memory + TIMES * 20 + 1024))
diag "kernel memory $memory KiB, then $(kernel_memory) KiB"

finish
