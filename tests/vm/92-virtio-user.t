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

GREEN_MAC=02:00:00:00:00:11
BLUE_MAC=02:00:00:00:00:12
NOBODY_IP=10.0.0.9

# guest_add NAME FUNCTION MAC: a device with the card's translation, for vhost_vdpa.
guest_add() {
	echo 0 >/sys/bus/vdpa/drivers_autoprobe &&
		timeout 30 vdpa dev add name "$1" mgmtdev "pci/$2" mac "$3" &&
		echo "$1" >/sys/bus/vdpa/drivers/vhost_vdpa/bind
	local status=$?

	echo 1 >/sys/bus/vdpa/drivers_autoprobe
	return $status
}

node_of() {
	local node

	node=$(echo "/sys/bus/vdpa/devices/$1"/vhost-vdpa-*)
	echo "/dev/${node##*/}"
}

# pmd NAME MODE ARGUMENT...: testpmd on the device NAME, on CPU 0, until it forwards.
pmd() {
	local name=$1 mode=$2

	shift 2
	(
		ulimit -l unlimited # vhost_vdpa counts what it pins
		exec dpdk-testpmd --lcores '0@0,1@0' --in-memory --no-pci --no-telemetry -m 32 \
			--vdev "net_virtio_user0,path=$(node_of "$name"),queue_size=256" \
			-- --forward-mode="$mode" --stats-period 1 --total-num-mbufs=2048 \
			--port-topology=loop "$@"
	) >"$WORK/$name.pmd" 2>&1 </dev/null &
	echo $! >"$WORK/$name.pid"
	disown
	wait_for 40 grep -q 'NIC statistics' "$WORK/$name.pmd" && pmd_lives "$name"
}

pmd_lives() {
	kill -0 "$(<"$WORK/$1.pid")"
}

# pmd_end NAME SIGNAL
pmd_end() {
	local pid

	pid=$(<"$WORK/$1.pid")
	rm "$WORK/$1.pid"
	kill "-$2" "$pid" && wait_for 30 process_gone "$pid"
}

pmds_end() {
	local file

	for file in "$WORK"/*.pid; do
		[[ ! -e $file ]] || kill -KILL "$(<"$file")"
	done
	echo 0 >/proc/sys/vm/nr_hugepages
}
trap 'pmds_end; cleanup' EXIT

# pmd_count NAME RX|TX: packets, as it counts itself, once a second and at its end.
pmd_count() {
	sed -nE "s/^ *$2-packets: ([0-9]+).*/\\1/p" "$WORK/$1.pmd" | tail -n 1
}

pmd_moved() {
	[[ $(pmd_count "$1" "$2") -ge $3 ]]
}

# More than before, in the same testpmd.
pmd_goes_on() {
	local before

	before=$(pmd_count "$1" "$2")
	wait_for 30 pmd_moved "$1" "$2" $((before + 2000))
}

# No frame for a second at any port, by the switch's books.
switch_quiet() {
	grep '^{' "$WORK/switch.log" | tail -n 2 | perl -MJSON::PP -e '
		my @sum = map { my $n = 0; $n += $_->{rx_packets} + $_->{tx_packets}
			for @{decode_json($_)->{ports}}; $n } <STDIN>;
		exit !(@sum == 2 && $sum[0] == $sum[1])'
}

ways() {
	local port ways=

	for port in 0 1 2; do
		ways+="$(switch_counter switch $port way) "
	done
	echo "$ways"
}

ways_are() {
	[[ $(ways) == "$* " ]]
}

three_ports() {
	switch_start switch -- --port "$VF1" --port "$VF2" --port "$VF3" --json --stats=1
}

ping_pmd() {
	in_red ping -q -c 3 -i 0.2 -W 2 -s "${1:-56}" "$NOBODY_IP"
}

ranges_of() {
	sed -n 's/^as0.ranges: //p' "/sys/kernel/debug/vsp/$1/window"
}

nothing_mapped() {
	[[ $(ranges_of "$1") -eq 0 ]]
}

# by_the_books SIZE: txonly to rxonly, frames of that size. All are stopped in the
# order of the frames, so that none is under way.
by_the_books() {
	local sent got

	check "$1 bytes: a receiver" pmd blue rxonly
	check "and a sender" pmd green txonly --txpkts="$1" --eth-peer=0,$BLUE_MAC
	check "thousands of frames arrive" wait_for 30 pmd_moved blue RX 5000
	is "by the window" "$(ways)" "window window copy "
	check "the sender ends" pmd_end green INT
	check "the switch comes to rest" wait_for 20 switch_quiet
	check "the receiver ends" pmd_end blue INT
	sent=$(pmd_count green TX)
	got=$(pmd_count blue RX)
	agree "what was sent is what its port received" "$sent" \
		"$(($(switch_counter switch 0 rx_packets) - PORT0))"
	agree "what was received is what its port sent" "$got" \
		"$(($(switch_counter switch 1 tx_packets) - PORT1))"
	is "no frame was bad or a fault" "$(switch_counter switch 0 rx_drops)" 0
	PORT0=$(switch_counter switch 0 rx_packets)
	PORT1=$(switch_counter switch 1 tx_packets)
	diag "$sent sent, $got received"
}

echo 64 >/proc/sys/vm/nr_hugepages
card_up -- num_vfs=3 || give_up "the card does not come up"
modprobe vhost_vdpa || give_up "no vhost_vdpa"
guest_add green "$VF1" $GREEN_MAC || give_up "no device green"
guest_add blue "$VF2" $BLUE_MAC || give_up "no device blue"
check "a netdev on the third function" add_dev red "$VF3" mac 02:00:00:00:00:01
check "in a namespace" into_netns red red "$RED_IP"
three_ports

# ---- two ways in one switch

check "testpmd answers pings on virtio-user" pmd blue icmpecho
check "a netdev reaches it" wait_for 30 ping_pmd
check "with 1400 bytes" ping_pmd 1400
is "one by the window, one by copies" "$(switch_counter switch 1 way) $(switch_counter switch 2 way)" \
	"window copy"
at_least "its memory is in the window" "$(ranges_of "$VF2")" 1
check "it ends" pmd_end blue INT
check "and nothing of it is mapped" wait_for 10 nothing_mapped "$VF2"

# ---- counting

check "the switch comes to rest" wait_for 20 switch_quiet
PORT0=$(switch_counter switch 0 rx_packets)
PORT1=$(switch_counter switch 1 tx_packets)
by_the_books 64
by_the_books 1500

# ---- both directions at once

check "one sends flows" pmd blue flowgen --eth-peer=0,$GREEN_MAC
check "one sends all back" pmd green macswap
check "they come back" wait_for 40 pmd_moved blue RX 5000

# ---- sudden death, under load

check "the one that sends back is killed" pmd_end green KILL
check "nothing of it is mapped any more" wait_for 10 nothing_mapped "$VF1"
check "the switch goes on" switch_runs switch
check "the other one as well" pmd_lives blue
check "another takes its place" pmd green macswap
check "and frames come back again" pmd_goes_on blue RX
check "the switch is killed" switch_kill switch
check "both are still there" eval 'pmd_lives blue && pmd_lives green'
three_ports
check "a new one takes over" wait_for 40 ways_are window window copy
check "and frames come back as before" pmd_goes_on blue RX
check "both are killed at once" eval 'pmd_end blue KILL; pmd_end green KILL'
check "and leave nothing" eval 'wait_for 10 nothing_mapped "$VF1" && wait_for 10 nothing_mapped "$VF2"'
check "testpmd answers pings again" pmd green icmpecho
check "a netdev reaches it through the same switch" wait_for 30 ping_pmd
check "it ends" pmd_end green INT
check "the switch ends" switch_stop switch

ip -all netns delete
for name in red green blue; do
	timeout 30 vdpa dev del $name
done
modprobe -r vhost_vdpa
check "modprobe -r at the end" card_down
check "nothing is left" card_is_gone
finish
