#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The backend contract from the other end: contract.c says every word of it, the
# wrong ones as well, to a function without a driver, with one, and to one whose
# driver leaves while the backend is silent.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

run_contract() {
	contract "$@" >"$WORK/contract" 2>&1
	cases "$1" "$WORK/contract"
}

silent_is_attached() {
	grep -q attached "$WORK/silent"
}

# power_says WORD
power_says() {
	grep -q "^# $1" "$WORK/power"
}

# d_state 0|3: of the PF, which its VFs follow.
d_state() {
	setpci -s "$PF" "CAP_PM+4.w=$1:3"
}

function_is_free() {
	contract idle "$VF1" | grep -q '^1\.\.'
}

readonly TIMEOUT_MS=3000

card_up backend_timeout_ms=$TIMEOUT_MS -- num_vfs=2 || give_up "the card does not come up"

run_contract idle "$VF1"

add_dev red "$VF1" || give_up "no device"
ip link set "$(netdev_of red)" up
run_contract live "$VF1"
run_contract call "$VF1"

contract power "$VF1" >"$WORK/power" 2>&1 &
POWER=$!
check "power: the backend attaches" wait_for 20 power_says attached
check "power: the PF goes to D3hot" d_state 3
check "power: the backend follows" wait_for 40 power_says asleep
check "power: the PF goes back to D0" d_state 0
wait "$POWER"
cases power "$WORK/power"

# The reset that comes with `dev del` asks a backend that does not answer.
contract silent "$VF1" >"$WORK/silent" 2>&1 &
SILENT=$!
check "silent: the backend attaches" wait_for 10 silent_is_attached
START=$(now_ms)
check "silent: the device can be deleted" timeout 60 vdpa dev del red
TOOK=$(($(now_ms) - START))
at_least "silent: the kernel waited for the backend ($TOOK ms)" "$TOOK" $((TIMEOUT_MS * 9 / 10))
at_least "silent: but not for ever" $((5 * TIMEOUT_MS)) "$TOOK"
wait "$SILENT"
cases silent "$WORK/silent"
check "silent: the function is free for the next backend" wait_for 10 function_is_free
check "modprobe -r" card_down
check "nothing is left" card_is_gone
finish
