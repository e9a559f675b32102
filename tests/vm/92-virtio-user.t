#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
#   testpmd green      testpmd blue          namespace red
#   virtio-user        virtio-user           net0 ─ virtio_vdpa
#   vhost-vdpa-N       vhost-vdpa-M                  │
#        VF1 ═══════════════╪═══ vsp-switch ═══════ VF3
#           the window     VF2                  the copies
#
# DPDK's virtio-user on vhost_vdpa: its memory is in the switch's window. Beside it in
# the same switch a netdev, whose frames the kernel copies. Then everybody dies.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vhost.sh
. "${0%/*}/vhost.sh"

GREEN_MAC=02:00:00:00:00:11
BLUE_MAC=02:00:00:00:00:12
NOBODY_IP=10.0.0.9
declare -A PMD_INS=()

# pmd NAME: testpmd on the device NAME, on CPU 0. It is told what to do, as starting
# another takes seconds, and minutes while a first one polls.
pmd() {
	local name=$1

	rm -f "$WORK/$name.in"
	mkfifo "$WORK/$name.in" && exec {PMD_IN}<>"$WORK/$name.in" || return
	PMD_INS[$name]=$PMD_IN
	(
		ulimit -l unlimited # vhost_vdpa counts what it pins
		exec stdbuf -oL dpdk-testpmd --lcores '0@0,1@0' --in-memory --no-pci \
			--no-telemetry -m 32 \
			--vdev "net_virtio_user0,path=$(node_of "$name"),queue_size=256" \
			-- -i --total-num-mbufs=2048 --port-topology=loop
	) >"$WORK/$name.pmd" 2>&1 <"$WORK/$name.in" &
	user_note "$name"
}

pmd_is_up() {
	wait_for 40 grep -q 'testpmd> ' "$WORK/$1.pmd" && user_lives "$1"
}

# pmd_do NAME COMMAND...
pmd_do() {
	local name=$1

	shift
	printf '%s\n' "$@" >&"${PMD_INS[$name]}"
}

pmd_answers() {
	grep -c 'TX-packets: .* TX-errors' "$WORK/$1.pmd"
}

pmd_answered() {
	[[ $(pmd_answers "$1") -gt $2 ]]
}

# pmd_ask NAME: for its statistics; it has done then what it had been told before.
pmd_ask() {
	local before

	before=$(pmd_answers "$1")
	pmd_do "$1" 'show port stats all'
	wait_for 20 pmd_answered "$1" "$before"
}

# pmd_forwards NAME MODE [COMMAND...]
pmd_forwards() {
	local name=$1 mode=$2

	shift 2
	pmd_do "$name" stop "set fwd $mode" "$@" start
	pmd_ask "$name" && grep 'packet forwarding - ports' "$WORK/$name.pmd" |
		tail -n 1 | grep "^$mode "
}

pmd_stops() {
	pmd_do "$1" stop && pmd_ask "$1"
}

trap 'users_kill; echo 0 >/proc/sys/vm/nr_hugepages; cleanup' EXIT

# pmd_count NAME RX|TX: packets, when it was last asked.
pmd_count() {
	sed -nE "s/^ *$2-packets: ([0-9]+) +.X-(missed|errors).*/\\1/p" "$WORK/$1.pmd" | tail -n 1
}

# pmd_moved NAME RX|TX LEAST
pmd_moved() {
	pmd_ask "$1" && [[ $(pmd_count "$1" "$2") -ge $3 ]]
}

# More than now.
pmd_goes_on() {
	local before

	pmd_ask "$1"
	before=$(pmd_count "$1" "$2")
	wait_for 30 pmd_moved "$1" "$2" $((before + 2000))
}

# counts LINE: how many packets each port has got and given, of a line of statistics.
counts() {
	local rest=$1

	while [[ $rest =~ \"[rt]x_packets\":([0-9]+)(.*) ]]; do
		printf '%s ' "${BASH_REMATCH[1]}"
		rest=${BASH_REMATCH[2]}
	done
}

# No frame for a second at any port, by the switch's books.
switch_quiet() {
	local -a lines

	mapfile -t lines < <(grep '^{' "$WORK/switch.log" | tail -n 2)
	[[ ${#lines[@]} -eq 2 && $(counts "${lines[0]}") == "$(counts "${lines[1]}")" ]]
}

ways() {
	local rest ways=

	rest=$(grep '^{' "$WORK/switch.log" | tail -n 1)
	while [[ $rest =~ \"way\":\"([a-z]+)\"(.*) ]]; do
		ways+="${BASH_REMATCH[1]} "
		rest=${BASH_REMATCH[2]}
	done
	echo "$ways"
}

ways_are() {
	[[ $(ways) == "$* " ]]
}

ping_pmd() {
	in_red ping -q -c 3 -i 0.2 -W 2 -s "${1:-56}" "$NOBODY_IP"
}

# by_the_books SIZE: txonly to rxonly, frames of that size. All are stopped in the
# order of the frames, so that none is under way.
by_the_books() {
	local sent got port0 port1

	sent=$(pmd_count green TX)
	got=$(pmd_count blue RX)
	port0=$(switch_counter switch 0 rx_packets)
	port1=$(switch_counter switch 1 tx_packets)
	check "$1 bytes: a receiver" pmd_forwards blue rxonly
	check "and a sender" pmd_forwards green txonly "set txpkts $1" "set eth-peer 0 $BLUE_MAC"
	check "thousands of frames arrive" wait_for 30 pmd_moved blue RX $((got + 5000))
	is "by the window" "$(ways)" "window window copy "
	check "the sender stops" pmd_stops green
	check "the switch comes to rest" wait_for 20 switch_quiet
	check "the receiver stops" pmd_stops blue
	sent=$(($(pmd_count green TX) - sent))
	got=$(($(pmd_count blue RX) - got))
	agree "what was sent is what its port received" "$sent" \
		"$(($(switch_counter switch 0 rx_packets) - port0))"
	agree "what was received is what its port sent" "$got" \
		"$(($(switch_counter switch 1 tx_packets) - port1))"
	is "no frame was bad or a fault" "$(switch_counter switch 0 rx_drops)" 0
	diag "$sent sent, $got received"
}

echo 64 >/proc/sys/vm/nr_hugepages
card_up -- num_vfs=3 || give_up "the card does not come up"
modprobe vhost_vdpa || give_up "no vhost_vdpa"
guest_add green "$VF1" mac $GREEN_MAC || give_up "no device green"
guest_add blue "$VF2" mac $BLUE_MAC || give_up "no device blue"
check "a netdev on the third function" add_dev red "$VF3" mac 02:00:00:00:00:01
check "in a namespace" into_netns red red "$RED_IP"
three_ports

# ---- two ways in one switch

pmd blue
pmd green
check "testpmd on virtio-user" pmd_is_up blue
check "and another" pmd_is_up green
check "one answers pings" pmd_forwards blue icmpecho
check "a netdev reaches it" wait_for 30 ping_pmd
check "with 1400 bytes" ping_pmd 1400
is "one by the window, one by copies" "$(ways)" "window window copy "
like "virtio-user wants its buffers back in order" "$(vdpa dev config show blue | xargs)" \
	'negotiated_features.* IN_ORDER'
at_least "its memory is in the window" "$(ranges_of "$VF2")" 1

# ---- counting

check "the one stops" pmd_stops blue
check "so does the other" pmd_stops green
check "the switch comes to rest" wait_for 20 switch_quiet
by_the_books 64
by_the_books 1500

# ---- both directions at once

check "one sends all back" pmd_forwards green macswap
check "one sends flows" pmd_forwards blue flowgen "set eth-peer 0 $GREEN_MAC"
check "they come back" pmd_goes_on blue RX

# ---- sudden death, under load

check "the one that sends back is killed" user_end green KILL
check "nothing of it is mapped any more" wait_for 10 nothing_mapped "$VF1"
check "the switch goes on" switch_runs switch
check "the other one as well" user_lives blue
pmd green
check "another takes its place" pmd_is_up green
check "and sends back" pmd_forwards green macswap
check "and frames come back again" pmd_goes_on blue RX
check "the switch is killed" switch_kill switch
check "both are still there" eval 'user_lives blue && user_lives green'
three_ports
check "a new one takes over" wait_for 40 ways_are window window copy
check "and frames come back as before" pmd_goes_on blue RX
check "both are killed at once" eval 'user_end blue KILL; user_end green KILL'
check "and leave nothing" eval 'wait_for 10 nothing_mapped "$VF1" && wait_for 10 nothing_mapped "$VF2"'
pmd green
check "testpmd again" pmd_is_up green
check "answers pings" pmd_forwards green icmpecho
check "of a netdev through the same switch" wait_for 30 ping_pmd
check "it ends" user_end green INT
check "and nothing of it is mapped" wait_for 10 nothing_mapped "$VF1"
check "the switch ends" switch_stop switch
vhost_down red green blue
finish
