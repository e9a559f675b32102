#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Configuration space, as lspci, setpci and sysfs show it. Root port, PF and VF
# must look as in tests/golden/, on every kernel. To renew these files after a
# change that is meant, and to look at what has changed:
#
#	scripts/lab run -- env VSP_GOLDEN=write tests/vm/05-config.t
#	git diff tests/golden

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

HERE=${0%/*}
PORT=10000:00:00.0
SYSFS=/sys/bus/pci/devices

# golden KIND FUNCTION
golden() {
	local want=$HERE/../golden/$1.txt

	lspci -D -vvv -xxxx -s "$2" | perl "$HERE/golden.pl" "$1" >"$WORK/$1.txt"
	grep -q '^00: ' "$WORK/$1.txt" || return
	if [[ ${VSP_GOLDEN:-} == write ]]; then
		cp "$WORK/$1.txt" "$want"
	fi
	diff -u --label "golden $1" --label "this $1" "$want" "$WORK/$1.txt"
}

# reg FUNCTION REGISTER: 05-config.t speaks setpci's language.
reg() {
	setpci -s "$1" "$2"
}

nr_functions() {
	lspci -D | grep -c '^10000:01:'
}

vpd_field() {
	lspci -vvv -s "$1" | sed -n "s/.*\[$2\] [^:]*: //p"
}

# Device Serial Number, which all PFs share.
serial_number() {
	lspci -vvv -s "$1" | sed -n 's/.*Device Serial Number //p'
}

# What lspci finds odd. A VF's Link Status is reserved, and so "unknown".
oddities() {
	lspci -D -vvv | awk '/^[0-9a-f]/ { ours = /^10000:/ } ours' |
		grep -vE 'LnkSta:|(Attn|Pwr)Ind Unknown' | tee "$WORK/lspci" |
		grep -iE 'unknown|invalid|<error>|!!!|checksum bad| Null$'
}

# MAC addresses of all functions, from the configuration area of their BAR 4.
mac_addresses() {
	perl -e 'for (@ARGV) {
			open(my $bar, "<:raw", $_) or next;
			sysseek($bar, 0x27000, 0) or next;
			sysread($bar, my $mac, 8) == 8 or next;
			print unpack("H12", $mac), "\n";
		}' /sys/kernel/debug/vsp/10000:01:*/registers
}

link_of() {
	lspci -vvv -s "$1" | sed -n 's/.*LnkSta:\tSpeed \([^,]*\), Width \(x[0-9]*\).*/\1 \2/p'
}

# ---- as users have it: driver bound, VFs enabled

card_up -- num_vfs=2 || give_up "the card does not come up"
check "the root port looks as in tests/golden/port.txt" golden port "$PORT"
check "a PF looks as in tests/golden/pf.txt" golden pf "$PF"
check "a VF looks as in tests/golden/vf.txt" golden vf "$VF1"
is "lspci finds nothing odd" "$(oddities)" ""
is "  in port, PF and two VFs" "$(grep -c '^10000' "$WORK/lspci")" 4
check "the vital product data is a file of sysfs" \
	grep -qa 'vdpa_sim_pcie vDPA SmartNIC' "$SYSFS/$PF/vpd"
is "the serial number in it is the default" "$(vpd_field "$PF" SN)" VSP00000001
is "its checksum is good" "$(vpd_field "$PF" RV | cut -d, -f1)" "checksum good"
card_down

# ---- every parameter, and setpci on a card that nobody drives

modprobe vsp_hw pfs=2 total_vfs=3 link_speed=8 link_width=4 serial=X-42 \
	vendor_id=0x1234 device_id=0x5678 vf_device_id=0x5679 \
	subsystem_vendor_id=0x9abc subsystem_id=0xdef0 || give_up "no card with parameters"
is "the PF has the ids that were asked for" \
	"$(lspci -D -n -s "$PF" | cut -d' ' -f3)" 1234:5678
like "the subsystem ids too" "$(lspci -vn -s "$PF")" 'Subsystem: 9abc:def0'
is "the VFs' device id is in the SR-IOV capability" "$(reg "$PF" ECAP_SRIOV+1a.w)" 5679
is "the serial number is in the VPD of the second PF" "$(vpd_field "$VF1" SN)" X-42
is "both PFs have one Device Serial Number" "$(serial_number "$PF")" "$(serial_number "$VF1")"
is "the link of the root port" "$(link_of "$PORT")" "8GT/s x4"
is "the link of the PF" "$(link_of "$PF")" "8GT/s x4"
is "the kernel sees that speed" "$(cat "$SYSFS/$PF/current_link_speed")" "8.0 GT/s PCIe"
is "and that width" "$(cat "$SYSFS/$PF/current_link_width")" 4
is "the header says multi-function" "$(reg "$PF" HEADER_TYPE)" 80
is "ARI chains the PFs" "$(reg "$PF" ECAP_ARI+5.b) $(reg "$VF1" ECAP_ARI+5.b)" "01 00"
is "setpci finds the capabilities where they belong" \
	"$(reg "$PF" 34.b) $(reg "$PF" 40.b) $(reg "$PF" 70.b) $(reg "$PF" b0.b) $(reg "$PF" d0.b)" \
	"40 01 10 11 03"
is "and the extended ones" \
	"$(reg "$PF" 100.w) $(reg "$PF" 150.w) $(reg "$PF" 1a0.w) $(reg "$PF" 210.w)" \
	"0001 0003 000e 0010"
setpci -s "$PF" INTERRUPT_LINE=2a VENDOR_ID=ffff CAP_MSIX+4.l=0 CACHE_LINE_SIZE=10
is "setpci writes what is writable" "$(reg "$PF" INTERRUPT_LINE)$(reg "$PF" CACHE_LINE_SIZE)" 2a10
is "and nothing else" "$(reg "$PF" VENDOR_ID) $(reg "$PF" CAP_MSIX+4.l)" "1234 00001004"
bar=$(reg "$PF" BASE_ADDRESS_4)
setpci -s "$PF" BASE_ADDRESS_4=ffffffff
is "a BAR shows its size" "$(reg "$PF" BASE_ADDRESS_4)" fffc000c
setpci -s "$PF" BASE_ADDRESS_4="$bar"
setpci -s "$PF" COMMAND=2:2
is "resource4 of a function without a driver can be mapped: the magic" \
	"$(ddr peek "$SYSFS/$PF/resource4" 0)" 0x31505356
is "and the size of the configuration area" "$(ddr peek "$SYSFS/$PF/resource4" 4)" 0x00010000
like "lspci -t draws port and functions" "$(lspci -t | tr -d '\n')" \
	'\[10000:00\]---00.0-\[01\]--\+-00.0.*-00.1'
modprobe -r vsp_hw

for bad in pfs=0 pfs=9 total_vfs=32 link_speed=3 link_width=12 serial= serial="a b" \
	vendor_id=0xffff device_id=0x10000; do
	refuse "$bad is refused, by name" "parameter ${bad%%=*}" modprobe vsp_hw "$bad"
done

# ---- several PFs

card_up pfs=2 total_vfs=4 -- num_vfs=3 || give_up "no card with two PFs"
is "two PFs, then three VFs of each" "$(functions)" \
	"$PF $VF1 $VF2 $VF3 $VF4 10000:01:00.6 10000:01:00.7 10000:01:01.0"
is "the VFs know their PF" "$(basename "$(readlink "$SYSFS/10000:01:00.6/physfn")")" "$VF1"
is "the second PF can have none" \
	"$(echo 0 >"$SYSFS/$VF1/sriov_numvfs" && functions)" "$PF $VF1 $VF2 $VF3 $VF4"
is "and has them again" "$(echo 1 >"$SYSFS/$VF1/sriov_numvfs" && functions)" \
	"$PF $VF1 $VF2 $VF3 $VF4 10000:01:00.6"
card_down

# Or the netdev waits until 256 new devices have been told to user space.
modprobe virtio_net
card_up pfs=8 total_vfs=31 -- num_vfs=31 || give_up "no card with 256 functions"
is "8 PFs and 248 VFs are on one bus" "$(nr_functions)" 256
is "all are management devices of vDPA" "$(vdpa mgmtdev show | grep -c '^pci/10000:')" 256
is "all have a character device" "$(find /dev/vsp -type c | wc -l)" 256
is "no two have one MAC address" "$(mac_addresses | sort -u | wc -l)" 256
check "a vDPA device on the last one" add_dev last 10000:01:1f.7
is "its MAC address ends in its index" \
	"$(cat "/sys/class/net/$(netdev_of last)/address")" 02:56:53:50:00:ff
check "they go with the modules" card_down
check "and leave nothing" card_is_gone

finish
