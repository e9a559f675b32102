#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Loading, what lspci shows, virtual functions, unloading, again and again:
# VSP_LONG=1 loads and unloads 10 times at the end instead of 3.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

IOMEM=$(cat /proc/iomem)
NUMVFS=/sys/bus/pci/devices/$PF/sriov_numvfs

set_vfs() {
	echo "$1" >"$NUMVFS"
}

msix_line() {
	lspci -vvv -s "$1" | grep -A 2 'MSI-X:'
}

TIMES=3
[[ ${VSP_LONG:-0} != 1 ]] || TIMES=10

# TIMES: load, all VFs, unload, no trace in the resource tree.
cycles() {
	local i

	for ((i = 1; i <= TIMES; i++)); do
		modprobe vdpa_sim_pcie num_vfs=8 || return
		[[ -e /sys/bus/pci/devices/10000:01:01.0 ]] || { echo "cycle $i: no VF 8"; return 1; }
		modprobe -r vdpa_sim_pcie vsp_hw || { echo "cycle $i: still there"; return 1; }
		[[ $(cat /proc/iomem) == "$IOMEM" ]] || { echo "cycle $i: /proc/iomem differs"; return 1; }
	done
}

check "modprobe vdpa_sim_pcie alone loads what it needs" modprobe vdpa_sim_pcie
is "the modules vsp_hw, vdpa_sim_pcie and vdpa are there" \
	"$(lsmod | grep -cE '^(vsp_hw|vdpa_sim_pcie|vdpa) ')" 3
[[ -e /sys/bus/pci/devices/$PF ]] || give_up "there is no $PF"
is "the card is one function behind a root port" "$(functions)" "$PF"
like "the root port is bound to pcieport" "$(lspci -D -k -s 10000:00:)" 'driver in use: pcieport'
like "the function is bound to vdpa_sim_pcie" "$(lspci -D -k -s "$PF")" \
	'driver in use: vdpa_sim_pcie'
like "the MSI-X table is in BAR 4 at 0x1000" "$(msix_line "$PF")" \
	'Vector table: BAR=4 offset=00001000'
like "the pending bits are in BAR 4 at 0x9000" "$(msix_line "$PF")" 'PBA: BAR=4 offset=00009000'
like "MSI-X is enabled with 11 vectors" "$(msix_line "$PF")" 'Enable\+ Count=11'
like "lspci sees SR-IOV with 8 virtual functions" "$(lspci -vvv -s "$PF")" 'Total VFs: 8'
like "lspci finds no fault in the capabilities" \
	"$(lspci -vvv -s "$PF" | grep -ciE 'unknown|invalid|<error>|!!!')" '^0$'
check "the function has its character device" test -c "/dev/vsp/$PF"

check "a function level reset of the physical function" \
	sh -c "echo 1 >/sys/bus/pci/devices/$PF/reset"
check "4 virtual functions by sriov_numvfs" set_vfs 4
is "they are functions 1 to 4" "$(functions)" "$PF $VF1 $VF2 $VF3 $VF4"
like "a VF has its own MSI-X table in BAR 4" "$(msix_line "$VF1")" \
	'Vector table: BAR=4 offset=00001000'
like "a VF is a management device of vDPA" "$(vdpa mgmtdev show)" "^pci/$VF4:"
check "a VF has its character device" test -c "/dev/vsp/$VF4"
refuse "another number needs 0 first" 'busy' set_vfs 2
check "0 removes them" set_vfs 0
is "only the physical function is left" "$(functions)" "$PF"
check "nor are their character devices left" test ! -e "/dev/vsp/$VF1"
refuse "9 are more than there are" 'range|argument' set_vfs 9
check "8 virtual functions, the last behind ARI" set_vfs 8
check "the eighth is 01.0" test -e /sys/bus/pci/devices/10000:01:01.0

check "modprobe -r with virtual functions enabled" modprobe -r vdpa_sim_pcie vsp_hw
check "nothing is left of modules and card" card_is_gone
is "the resource tree is as before" "$(cat /proc/iomem)" "$IOMEM"

check "num_vfs=2 enables virtual functions at load" modprobe vdpa_sim_pcie num_vfs=2
is "there are two" "$(functions)" "$PF $VF1 $VF2"
like "they can be reset by FLR" "$(cat "/sys/bus/pci/devices/$VF1/reset_method")" '^flr'
check "a function level reset" sh -c "echo 1 >/sys/bus/pci/devices/$VF1/reset"
modprobe virtio_vdpa
check "the function works after it" add_dev after "$VF1"
check "its control queue answers" \
	timeout 20 ip link set "$(netdev_of after)" address 02:00:00:00:00:21
check "modprobe -r after it" card_down

card_up -- num_vfs=2
check "two vdpa devices with netdevs" two_namespaces
check "modprobe -r with devices bound and up" modprobe -r vdpa_sim_pcie vsp_hw
check "nothing is left of them" card_is_gone
ip -all netns delete
modprobe -r virtio_vdpa

check "$TIMES times loaded with 8 VFs and unloaded" cycles

finish
