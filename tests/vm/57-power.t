#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Power states: a PF in D3hot takes its VFs along, traffic stands still, nothing
# is lost, and all goes on in D0.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

DEBUG=/sys/kernel/debug/vsp

# d_state 0|3: of the PF, by its registers.
d_state() {
	setpci -s "$PF" "CAP_PM+4.w=$1:3"
}

know_each_other() {
	ip -n red neighbour replace "$BLUE_IP" lladdr 02:00:00:00:00:02 dev net0 nud permanent
	ip -n blue neighbour replace "$RED_IP" lladdr 02:00:00:00:00:01 dev net0 nud permanent
}

no_ping() {
	! ping_blue
}

# Of the queues: nobody has asked for the mailbox's vector.
vf_pending() {
	awk '$1 >= 2 && $7 == 1 { n++ } END { print n + 0 }' "$DEBUG/$VF1/msix" "$DEBUG/$VF2/msix"
}

card_up -- num_vfs=2 || give_up "the card does not come up"
switch_start sw -- --port "$VF1" --port "$VF2"
check "two vdpa devices with netdevs" two_namespaces
check "ping through the switch" wait_for 60 ping_blue

# Neighbours do not expire while the card sleeps.
know_each_other
check "the PF goes to D3hot" d_state 3
is "its registers say so" "$(setpci -s "$PF" CAP_PM+4.w)" 000b
is "a VF has no power state of its own" \
	"$(lspci -vvv -s "$VF1" | grep -c 'Power Management')" 0
check "traffic of its VFs stands still" wait_for 20 no_ping
check "the switch is still there" switch_runs sw
in_red ping -q -c 3 -i 0.3 -W 5 "$BLUE_IP" >/dev/null 2>&1 &
PING=$!
check "frames wait meanwhile" wait_for 20 sh -c "[ -e /proc/$PING ]"
check "the PF goes back to D0" d_state 0
check "traffic goes on" wait_for 20 ping_blue
wait "$PING"
# Not the answers: the switch drops what comes before the other function is awake.
agree "and all frames that waited have been taken" "$(counter red tx_packets)" \
	"$(vstat red 1 packets)"
is "no interrupt is left pending" "$(vf_pending)" 0
setpci -s "$PF" CAP_PM+4.w=1:3
is "there is no D1" "$(setpci -s "$PF" CAP_PM+4.w)" 0008

check "a switch that stands still" kill -STOP "${SWITCH_PIDS[sw]}"
check "D3hot does not wait for it for ever" timeout 30 setpci -s "$PF" CAP_PM+4.w=3:3
check "nor does D0" d_state 0
kill -CONT "${SWITCH_PIDS[sw]}"
check "it takes up its functions again" wait_for 30 ping_blue

check "D3hot once more" d_state 3
check "vdpa dev del in D3hot ends" timeout 60 vdpa dev del red
check "modprobe -r in D3hot" card_down
check "nothing is left" card_is_gone
finish
