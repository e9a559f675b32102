#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
#   QEMU green        QEMU blue          namespace red
#   virtio_net        virtio_net         net0 ─ virtio_vdpa
#   vhost-vdpa-N      vhost-vdpa-M                │
#      VF1 ════════════════╪═══ vsp-switch ═════ VF3
#
# Two QEMU guests and a netdev in one switch: pings and iperf3 between them, backends that
# die, drivers that let go under load, reboots, guests that are killed.
#
# named: an emulated guest in an emulated machine takes two minutes to boot (make check-guests)

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vhost.sh
. "${0%/*}/vhost.sh"
# shellcheck source=tests/vm/guests.sh
. "${0%/*}/guests.sh"

GREEN_IP=10.0.0.11
BLUE_GUEST_IP=10.0.0.12
TABLE=()

# row WHAT UNIT VALUE: of the table at the end; a case as well.
row() {
	TABLE+=("$(printf '%-36s %10s %s' "$1" "${3:-none}" "$2")")
	at_least "$1: $3 $2" "$3" 0.001
}

# window_counter FUNCTION NAME
window_counter() {
	sed -n "s/^$2: //p" "/sys/kernel/debug/vsp/$1/window"
}

red_pings() {
	in_red ping -q -c 1 -W 5 "$1"
}

red_client() {
	in_red timeout 100 iperf3 -c "$@" -i 1 -f m >"$WORK/red_client"
}

# red_iperf ADDRESS ARGUMENT...: Mbit/s
red_iperf() {
	wait_for 20 red_client "$@" && iperf_rate <"$WORK/red_client"
}

# load_on: a flood of pings from red to the guest of address $1, until load_off.
load_on() {
	ip netns exec red ping -q -f -s 1000 "$1" >"$WORK/load" 2>&1 &
	LOAD=$!
	disown
}

load_off() {
	kill -INT "$LOAD" && wait_for 10 process_gone "$LOAD"
	diag "load: $(grep received "$WORK/load")"
}

load_moves() {
	local before

	before=$(counter red rx_packets)
	sleep 1
	[[ $(counter red rx_packets) -gt $((before + 3)) ]]
}

# boots WHAT NAME TIMES: for the TIMESth time; meanwhile no switch takes its processor.
boots() {
	check "the switch ends" switch_stop switch
	check "$1 boots" guest_is_up "$2" "$3"
	three_ports
}

card_up -- num_vfs=3 || give_up "the card does not come up"
check "a netdev on the third function" add_dev red "$VF3" mac 02:00:00:00:00:01
check "in a namespace" into_netns red red "$RED_IP"

# ---- guests first, their backend later

check "a guest on the first function" guest_start green "$VF1" $GREEN_IP --mac 02:00:00:00:00:11
check "a guest on the second" guest_start blue "$VF2" $BLUE_GUEST_IP --mac 02:00:00:00:00:12
refuse "a function that is in use as a netdev is no guest's" 'in use by virtio_vdpa' \
	scripts/guest "$VF3"
refuse "nor is one that is not there" 'there is no function' scripts/guest 10000:01:00.7
check "the first one boots" guest_is_up green
check "so does the other" guest_is_up blue
check "its address is that of the device" guest_do green 'ip link show eth0 | grep 02:00:00:00:00:11'
three_ports
check "a ping from guest to guest" guest_reaches green $BLUE_GUEST_IP
check "from a netdev to a guest" wait_for 20 red_pings $GREEN_IP
check "from a guest to the netdev" guest_reaches blue "$RED_IP"
at_least "its memory is in the window by entries of 2 MiB" "$(window_counter "$VF1" as0.faults_2m)" 1
is "nothing of it was missing" "$(window_counter "$VF1" dma_faults)" 0
at_least "QEMU has the doorbell pages of the card" "$(guest_doorbells green)" 2
at_least "which rang before the backend polled" "$(vstat green 0 doorbells)" 1
check "the control queue answers it" guest_do green 'ip link set eth0 address 02:00:00:00:00:21'
check "as before" guest_do green 'ip link set eth0 address 02:00:00:00:00:11'

# ---- how fast

row "ping, guest to guest" ms "$(guest_rtt green $BLUE_GUEST_IP)"
row "ping, guest to netdev" ms "$(guest_rtt green "$RED_IP")"
check "iperf3 serves in a guest" guest_do blue 'iperf3 -s -D'
check "and in the other" guest_do green 'iperf3 -s -D'
row "TCP, guest to guest" Mbit/s "$(guest_iperf green $BLUE_GUEST_IP -n 2M)"
row "TCP, back" Mbit/s "$(guest_iperf green $BLUE_GUEST_IP -n 2M -R)"
row "UDP of 1400 bytes, guest to guest" Mbit/s "$(guest_iperf green $BLUE_GUEST_IP -n 1M -u -b 2M -l 1400)"
row "TCP, netdev to guest" Mbit/s "$(red_iperf $GREEN_IP -n 8M)"
row "TCP, guest to netdev" Mbit/s "$(red_iperf $GREEN_IP -n 2M -R)"
is "no frame was bad or a fault" "$(switch_counter switch 0 rx_drops)" 0

# ---- a backend that dies

load_on $GREEN_IP
check "under load" wait_for 20 load_moves
check "the switch is killed" switch_kill switch
check "the guest lives" guest_do green true
three_ports
check "with another all goes on" wait_for 40 load_moves
check "the guests reach each other" guest_reaches blue $GREEN_IP

# ---- a driver that lets go, and a guest that boots again, under load

check "the guest's driver lets go under load" guest_do green \
	'echo virtio0 >/sys/bus/virtio/drivers/virtio_net/unbind'
check "and takes it again" guest_do green 'echo virtio0 >/sys/bus/virtio/drivers/virtio_net/bind'
check "it is configured" guest_do green "ip address add $GREEN_IP/24 dev eth0; ip link set eth0 up"
check "and reached" wait_for 40 load_moves
guest_type green 'reboot -f'
check "while it reboots its neighbour is reached" wait_for 20 red_pings $BLUE_GUEST_IP
for i in 1 2 3; do
	nap 4
	guest_reset green
	check "and again ($i): the switch goes on" switch_runs switch
done
check "its neighbour is reached" wait_for 20 red_pings $BLUE_GUEST_IP
boots "it" green 2
check "it is reached" wait_for 40 load_moves

# ---- sudden death, under load

check "QEMU is killed" user_end green KILL
check "nothing of it is mapped any more" wait_for 10 nothing_mapped "$VF1"
check "its device goes" guest_gone green
load_off
check "the switch goes on" switch_runs switch
check "the neighbour as well" wait_for 20 red_pings $BLUE_GUEST_IP
check "another takes its place" guest_start green "$VF1" $GREEN_IP --mac 02:00:00:00:00:13
boots "it" green 1
check "and reaches the netdev" guest_reaches green "$RED_IP"
check "and its neighbour" guest_reaches green $BLUE_GUEST_IP

# ---- the end

guest_type green exit
check "a guest whose shell ends is off" guest_gone green
guest_type blue exit
check "so is the other" guest_gone blue
check "nothing is mapped" nothing_mapped "$VF1"
check "nor of the other" nothing_mapped "$VF2"
check "the switch ends" switch_stop switch
printf '#   %s\n' "${TABLE[@]}"
vhost_down red
finish
