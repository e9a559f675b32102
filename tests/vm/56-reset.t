#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# What a reset takes along on a card with two PFs of one VF each: function level
# reset of a VF, of a PF, reset of the whole bus. And what is below a root port in
# D3hot.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

PORT=10000:00:00.0
PF1=10000:01:00.1
# Function numbers: the PFs, then room for 8 VFs of each.
PF0_VF=10000:01:00.2
PF1_VF=10000:01:01.2
ALL=("$PF" "$PF1" "$PF0_VF" "$PF1_VF")
DEBUG=/sys/kernel/debug/vsp

is_back() {
	local function

	functions_are "${ALL[@]}" || return
	for function in "${ALL[@]}"; do
		bound "$function" || return
	done
}

# Resets of a function since power on: its register at 0x10.
resets() {
	dd if="$DEBUG/$1/registers" bs=4 skip=4 count=1 status=none | od -A n -t u4 | xargs
}

all_resets() {
	local function

	for function in "${ALL[@]}"; do
		resets "$function"
	done | xargs
}

# A 1 for each function that was reset since BEFORE.
was_reset() {
	local -a now

	read -ra now <<<"$(all_resets)"
	for ((i = 0; i < ${#ALL[@]}; i++)); do
		((now[i] > BEFORE[i])) && echo 1 || echo 0
	done | xargs
}

were_reset() {
	[[ $(was_reset) == "$*" ]]
}

remember() {
	read -ra BEFORE <<<"$(all_resets)"
}

flr() {
	echo flr >"/sys/bus/pci/devices/$1/reset_method" &&
		echo 1 >"/sys/bus/pci/devices/$1/reset"
}

fatal() {
	echo fatal >"$DEBUG/$1/aer"
}

# report FUNCTION: a completer abort, by the VF's own rules.
report() {
	echo nonfatal 0x8000 >"$DEBUG/$1/aer"
}

# By hand, as the kernel clears logs when it resets a function.
flr_by_hand() {
	setpci -s "$1" CAP_EXP+8.w=8000:8000
	wait_for 10 answers "$1"
}

# A VF's own id reads as all ones; its command register does not.
answers() {
	[[ $(setpci -s "$1" 4.w) != ffff ]]
}

# aer_status FUNCTION: uncorrectable errors it has logged.
aer_status() {
	setpci -s "$1" ECAP_AER+4.l
}

set_vfs() {
	echo "$2" >"/sys/bus/pci/devices/$1/sriov_numvfs"
}

slot() {
	echo "$1" >"$DEBUG/slot"
}

port_power() {
	setpci -s "$PORT" "CAP_PM+4.w=$1:3"
}

card_up pfs=2 -- num_vfs=1 || give_up "the card does not come up"
check "two PFs with a VF each" is_back

remember
check "function level reset of the VF of PF 1" flr "$PF1_VF"
is "resets that VF and nothing else" "$(was_reset)" "0 0 0 1"
remember
check "function level reset of PF 0" flr "$PF"
check "resets it and its VF" wait_for 10 were_reset 1 0 1 0
remember
check "PF 1 reports a fatal error" fatal "$PF1"
check "the reset of the bus resets all" wait_for 30 were_reset 1 1 1 1
check "a vDPA device works on the VF of PF 0" wait_for 20 device_works red "$PF0_VF"
check "and one on PF 1" device_works blue "$PF1"

# Masked in the PF, which decides for its VFs, so that nobody clears the status.
setpci -s "$PF1" ECAP_AER+8.l=8000:8000
refuse "an error of a VF that its PF masks" 'not permitted' \
	report "$PF1_VF"
is "is logged" "$(aer_status "$PF1_VF")" 00008000
check "function level reset of the VF" flr_by_hand "$PF1_VF"
is "leaves the log: it is sticky" "$(aer_status "$PF1_VF")" 00008000
check "the VF goes" set_vfs "$PF1" 0
check "and comes" set_vfs "$PF1" 1
is "as after power on" "$(aer_status "$PF1_VF")" 00000000
is "the other PF's VF has been there all the time" "$(functions)" "${ALL[*]}"

check "the root port goes to D3hot" port_power 3
is "nobody below answers" "$(setpci -s "$PF" 0.l)" ffffffff
refuse "nor reports an error" 'No such device' fatal "$PF"
check "back in D0" port_power 0
is "they do" "$(setpci -s "$PF" 0.w)" 5653
check "the root port sleeps again" port_power 3
check "the card is pulled" slot 0
check "which wakes up the kernel all the same" wait_for 30 functions_are ''
check "in D0" port_power 0
check "it is put back" wait_for 30 slot 1
check "and found" wait_for 60 is_back

check "modprobe -r" card_down
check "nothing is left" card_is_gone
finish
