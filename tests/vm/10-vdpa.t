#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Provisioning by the vdpa tool, the netdev that comes of it, and every wrong
# input we can name: a clear message, nothing half made.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

# virtio feature bits by number, as device_features wants them
readonly F_NET_MAC=5 F_STATUS=16 F_CTRL_VQ=17 F_VERSION_1=32 F_ACCESS_PLATFORM=33

bits() {
	local bit value=0

	for bit in "$@"; do
		value=$((value | 1 << bit))
	done
	printf '0x%x' "$value"
}

devices() {
	vdpa dev show | cut -d: -f1 | xargs
}

add() {
	vdpa dev add name "$@"
}

# refuse_dev NAME REGEX ATTRIBUTE...: the device is refused and nothing is made.
refuse_dev() {
	local name=$1 regex=$2

	shift 2
	refuse "$name" "$regex" add wrong mgmtdev "pci/$VF1" "$@"
	[[ -z $(devices) ]] || { is "  and no device is left" "$(devices)" ""; vdpa dev del wrong; }
}

link_is() {
	ip link show "$1" | grep -q "$2"
}

card_up -- num_vfs=2 || give_up "the card does not come up"

# ---- what the management device says

mgmt=$(vdpa mgmtdev show "pci/$VF1")
like "the management device offers class net" "$mgmt" 'supported_classes net'
like "it says how many virtqueues there are" "$mgmt" 'max_supported_vqs 3'
for word in MTU MAC STATUS CSUM GUEST_CSUM MRG_RXBUF CTRL_VQ CTRL_MAC_ADDR \
	RING_INDIRECT_DESC RING_EVENT_IDX VERSION_1 ACCESS_PLATFORM IN_ORDER; do
	like "it offers $word" "$mgmt" "\\b$word\\b"
done

# ---- provisioning

check "a device without attributes" add plain mgmtdev "pci/$VF1"
like "has a locally administered address" "$(vdpa dev config show plain)" 'mac .[26ae]:'
like "and an MTU of 1500" "$(vdpa dev config show plain)" 'mtu 1500'
wait_for 20 netdev_of plain
check "virtio_vdpa made a netdev of it" netdev_of plain
refuse "a second device on the function is refused" 'busy|already' \
	add second mgmtdev "pci/$VF1"
refuse "a name that is taken is refused" 'exists' add plain mgmtdev "pci/$VF2"
refuse "a name that is a sysfs file of the function is refused" 'sysfs entry' \
	add reset mgmtdev "pci/$VF2"
first_mac=$(cat "/sys/class/net/$(netdev_of plain)/address")
check "it can be deleted" vdpa dev del plain
is "no device is left" "$(devices)" ""
add_dev plain "$VF1"
is "its address is the same the next time" \
	"$(cat "/sys/class/net/$(netdev_of plain)/address")" "$first_mac"
vdpa dev del plain

check "a device with mac, mtu and max_vqp" \
	add_dev tuned "$VF1" mac 02:aa:bb:cc:dd:01 mtu 1400 max_vqp 1
dev=$(netdev_of tuned)
is "the netdev has the MAC" "$(cat "/sys/class/net/$dev/address")" 02:aa:bb:cc:dd:01
is "and the MTU" "$(cat "/sys/class/net/$dev/mtu")" 1400
like "vdpa shows both" "$(vdpa dev config show tuned | xargs)" 'mac 02:aa:bb:cc:dd:01.*mtu 1400'
like "the features that were negotiated" "$(vdpa dev config show tuned | xargs)" \
	'negotiated_features.*CTRL_VQ.*VERSION_1.*ACCESS_PLATFORM'
check "the interface comes up" ip link set "$dev" up
check "a new MAC through the control queue" ip link set "$dev" address 02:aa:bb:cc:dd:02
like "the card has taken it" "$(vdpa dev config show tuned)" '02:aa:bb:cc:dd:02'
refuse "a multicast MAC is refused" 'assign|Address' ip link set "$dev" address 01:00:00:00:00:01
refuse "an MTU above the device's is refused" 'maximum|Invalid' ip link set "$dev" mtu 1401
like "statistics of a queue can be read" "$(vdpa dev vstats show tuned qidx 1)" 'doorbells'
refuse "but not of a queue that is not there" 'No such|Invalid|range|answers' \
	vdpa dev vstats show tuned qidx 99
vdpa dev del tuned
check "the netdev is gone" test ! -e "/sys/class/net/$dev"

some=$(bits $F_NET_MAC $F_STATUS $F_CTRL_VQ $F_VERSION_1 $F_ACCESS_PLATFORM)
check "a device with a subset of the features" \
	add_dev few "$VF1" mac 02:aa:bb:cc:dd:03 device_features "$some"
config=$(vdpa dev config show few | xargs)
like "the driver took the subset" "$config" 'negotiated_features.*MAC.*STATUS.*CTRL_VQ'
is "and nothing beside it" "$(grep -cE 'CSUM|MRG_RXBUF|INDIRECT' <<<"$config")" 0
vdpa dev del few

# ---- wrong input

refuse "an unknown management device" 'No such|not found' \
	add wrong mgmtdev pci/10000:01:1f.7
refuse "a management device of no function" 'No such|not found' add wrong mgmtdev "pci/$VF3"
refuse_dev "MTU 67 is too small" '68|range' mtu 67
refuse_dev "MTU 9217 is too large" '68.*9216' mtu 9217
refuse_dev "no queue pair" 'pair|max_vqp' max_vqp 0
refuse_dev "more queue pairs than the function has" '1|pair|max_vqp' max_vqp 2
refuse_dev "a multicast MAC" '[Mm][Aa][Cc]|address' mac 03:00:00:00:00:01
refuse_dev "an all-zero MAC" '[Mm][Aa][Cc]|address' mac 00:00:00:00:00:00
refuse_dev "features the card does not have" 'feature' \
	device_features "$(bits $F_VERSION_1 $F_ACCESS_PLATFORM 50)"
refuse_dev "features without VERSION_1" 'VERSION_1' device_features "$(bits $F_ACCESS_PLATFORM)"
refuse_dev "features without ACCESS_PLATFORM" 'ACCESS_PLATFORM' \
	device_features "$(bits $F_VERSION_1)"
is "after all that no device is there" "$(devices)" ""
check "and the function still takes a good one" add_dev good "$VF1"
vdpa dev del good

# ---- the character device

exec 9<>"/dev/vsp/$VF1"
refuse "a second backend on a function is refused" 'busy' dd if="/dev/vsp/$VF1" count=0 status=none
exec 9<&-
check "after the first has closed it is let in" dd if="/dev/vsp/$VF1" count=0 status=none
like "the character device is not for everybody" "$(stat -c "%a %U" "/dev/vsp/$VF1")" "^6[06]0 root"
card_down || give_up "the modules stay"

# ---- module parameters

for parameter in total_vfs=-1 total_vfs=32 queue_pairs=0 queue_pairs=9 \
	forward=backwards backend_timeout_ms=0; do
	name=${parameter%=*}
	refuse "vsp_hw $parameter is refused in clear words" "vsp_hw:.*$name" \
		modprobe vsp_hw "$parameter"
done
refuse "num_vfs=9 of 8 is refused in clear words" 'num_vfs=9.*0 to 8' \
	modprobe vdpa_sim_pcie num_vfs=9
refuse "num_vfs=-1 is refused in clear words" 'num_vfs=-1.*range' \
	modprobe vdpa_sim_pcie num_vfs=-1
is "and no virtual function is there" "$(lspci -D | grep -c '10000:01:00.1')" 0
check "the modules go after that" card_down
check "nothing is left of them" card_is_gone

finish
