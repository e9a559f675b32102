#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Errors that the card reports, by its own knob and by the kernel's aer_inject,
# and what the kernel's AER service makes of them.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

PORT=10000:00:00.0
DEBUG=/sys/kernel/debug/vsp

# aer FUNCTION CLASS [BITS]
aer() {
	echo "${*:2}" >"$DEBUG/$1/aer"
}

# count FUNCTION correctable|nonfatal|fatal
count() {
	awk '/^TOTAL/ { print $2 }' "/sys/bus/pci/devices/$1/aer_dev_$2"
}

counted() {
	[[ $(count "$1" "$2") -ge $3 ]]
}

link_resets() {
	[[ $(dmesg | grep -c 'Root Port link has been reset') -ge $1 ]]
}

answers() {
	[[ $(setpci -s "$1" 0.w) == 5653 ]]
}

card_up -- num_vfs=2 || give_up "the card does not come up"

check "the PF reports a correctable error" aer "$PF" correctable
check "the AER service counts it" wait_for 10 counted "$PF" correctable 1
like "and says which" "$(dmesg)" "$PF:    \\[ 6\\] BadTLP"
check "another bit" aer "$PF" correctable 0x1000
check "is counted as that" wait_for 10 grep -q '^Timeout 1' "/sys/bus/pci/devices/$PF/aer_dev_correctable"

check "the PF reports a non-fatal error" aer "$PF" nonfatal
check "it is counted" wait_for 10 counted "$PF" nonfatal 1
like "with the header of the TLP" "$(dmesg)" 'TLP Header: (0x)?20000001'
check "a VF reports one of its own" aer "$VF1" nonfatal 0x8000
check "it is counted there" wait_for 10 counted "$VF1" nonfatal 1
check "the PF reports a fatal error" aer "$PF" fatal
check "the link is reset" wait_for 20 link_resets 1
check "the PF answers again" wait_for 10 answers "$PF"
is "the root port counted what it received" \
	"$(cat "/sys/bus/pci/devices/$PORT/aer_rootport_total_err_cor" \
	"/sys/bus/pci/devices/$PORT/aer_rootport_total_err_fatal" | xargs)" '2 1'
check "the root port reports one of its own" aer "$PORT" correctable
check "which is counted, too" wait_for 10 counted "$PORT" correctable 1

refuse "bits of another class are refused" 'Invalid argument' aer "$PF" correctable 0x2
refuse "an unknown class is refused" 'Invalid argument' aer "$PF" lethal
refuse "a VF has no errors of the link" 'Invalid argument' aer "$VF1" correctable 0x40
setpci -s "$PF" ECAP_AER+14.l=40:40
refuse "a masked error is not reported" 'not permitted' aer "$PF" correctable 0x40
setpci -s "$PF" ECAP_AER+14.l=0:40
setpci -s "$PF" CAP_EXP+8.w=0:1
refuse "nor is one when reporting is off" 'not permitted' aer "$PF" correctable 0x40
setpci -s "$PF" CAP_EXP+8.w=1:1
refuse "a VF that is not there reports nothing" 'No such file' aer "$VF3" nonfatal

check "the kernel's aer_inject is there" modprobe aer_inject
# It leaves the ops of our bus swapped for its own while it is loaded.
COR=$(count "$PF" correctable)
check "it injects a correctable error" stock_inject "$PF" 0 0x40
check "which is counted" wait_for 10 counted "$PF" correctable $((COR + 1))
NONFATAL=$(count "$PF" nonfatal)
check "a non-fatal one" stock_inject "$PF" 0x100000 0
check "is counted" wait_for 10 counted "$PF" nonfatal $((NONFATAL + 1))
check "a fatal one" stock_inject "$PF" 0x40000 0
check "resets the link" wait_for 20 link_resets 2
check "the card still answers to it" wait_for 10 answers "$PF"
check "aer_inject goes" modprobe -r aer_inject

check "a vDPA device works after all that" device_works red "$VF1"

check "Secondary Bus Reset begins" setpci -s "$PORT" 3e.w=40:40
is "while it is on nobody answers" "$(setpci -s "$PF" 0.l)" ffffffff
check "it ends" setpci -s "$PORT" 3e.w=0:40
check "the PF answers" wait_for 10 answers "$PF"
is "with its registers reset: no VF" "$(setpci -s "$PF" ECAP_SRIOV+8.w)" 0000

check "modprobe -r" card_down
check "nothing is left" card_is_gone
finish
