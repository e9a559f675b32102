#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Errors that the card reports, under traffic: the driver recovers, the virtio
# driver above it loses time and nothing else.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

# inject FUNCTION CLASS
inject() {
	echo "$2" >"/sys/kernel/debug/vsp/$1/aer"
}

# recovered COUNT: the kernel has said so that often.
recovered() {
	[[ $(dmesg | grep -c 'AER: device recovery successful') -ge $1 ]]
}

# goes_on NAME: the connection does, after a fatal error. A loaded host adds what it
# likes to the time, so that the best is looked at in the end.
goes_on() {
	local start

	start=$(now_ms)
	check "$1" wait_for 20 same_connection
	start=$(($(now_ms) - start))
	diag "after $start ms"
	[[ $start -ge $BEST ]] || BEST=$start
}

# With all its checkers the debug kernel is several times slower.
LIMIT=5000
[[ $(uname -r) != *-vspdebug ]] || LIMIT=20000
BEST=1000000

card_up queue_pairs=2 -- num_vfs=3 || give_up "the card does not come up"
two_namespaces || give_up "no namespaces"
SWITCH_CORE=0 switch_start switch -- --port "$VF1" --port "$VF2"
wait_for 30 ping_blue || give_up "no traffic at all: $(cat "$WORK/switch.log")"
iperf_server
iperf_in_background
wait_for 10 red_sends || give_up "iperf3 does not send: $(cat "$WORK/iperf")"

# ---- PCIe errors

check "a correctable error under iperf3" inject "$PF" correctable
check "nothing happens to the connection" wait_for 10 same_connection
check "a non-fatal error" inject "$PF" nonfatal
check "the kernel calls the recovery successful" wait_for 20 recovered 1
check "the connection goes on" wait_for 10 same_connection
check "the control queue answers" mac_there_and_back
check "a fatal error: the bus is reset" inject "$PF" fatal
goes_on "the connection goes on after it"
check "the kernel calls this recovery successful too" wait_for 20 recovered 2
check "the control queue answers after it" mac_there_and_back
check "a second fatal error" inject "$PF" fatal
goes_on "the connection goes on after that"
check "a VF reports a non-fatal error" inject "$VF1" nonfatal
check "the connection goes on as before" wait_for 20 same_connection

# ---- the same by the kernel's aer_inject

check "the kernel's aer_inject is there" modprobe aer_inject
check "it injects a correctable error" stock_inject "$PF" 0 0x40
check "the connection does not notice" wait_for 10 same_connection
check "a non-fatal one" stock_inject "$PF" 0x100000 0
check "is recovered from" wait_for 20 recovered 5
check "with the same connection" wait_for 20 same_connection
check "a fatal one" stock_inject "$PF" 0x40000 0
check "is recovered from, too" wait_for 20 recovered 6
goes_on "with the same connection still"
at_least "the best of these took $BEST ms of $LIMIT" "$LIMIT" "$BEST"
iperf_end
check "aer_inject goes" modprobe -r aer_inject

check "modprobe -r at the end" card_down
check "nothing is left" card_is_gone
finish
