#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
#   namespace red            vsp-switch            namespace blue
#   net0 ─ virtio_vdpa ─ VF1 ═══╪═══ VF2 ─ virtio_vdpa ─ net0
#                               │
#                           net_tap ─ tap0 of the host
#
# Every frame between the namespaces passes through the DPDK process.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

TAP_IP=10.0.0.3

ping_sizes() {
	in_red ping -q -c 3 -i 0.2 -W 5 -s "$1" "$BLUE_IP"
}

iperf_bytes() {
	json "$WORK/$1" end "${2:-sum_received}" bytes
}

# Half a second without a frame.
quiet() {
	local before

	before=$(counter red rx_packets)
	nap 0.5
	[[ $(counter red rx_packets) == "$before" ]]
}

# Interrupts so far of the vector that ends in $2, of function $1.
interrupts() {
	awk -v name="vsp-$1-$2" '$NF == name {
		for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
			sum += $i
		print sum + 0 }' /proc/interrupts
}

vectors() {
	awk -v name="vsp-$1-" 'index($NF, name) == 1 { print substr($NF, length(name) + 1) }' \
		/proc/interrupts | sort | xargs
}

card_up -- num_vfs=3 || give_up "the card does not come up"
check "two functions in two namespaces" two_namespaces
modprobe tun
switch_start switch --vdev=net_tap0,iface=tap0 -- \
	--port "$VF1" --port "$VF2" --port eth:net_tap0 --json
check "vsp-switch carries the first ping" wait_for 30 ping_blue ||
	diag "$(cat "$WORK/switch.log")"
switch_runs switch || give_up "vsp-switch has ended: $(cat "$WORK/switch.log")"

# Kernels of the 6 series do not ask for it.
if [[ $(uname -r) == [7-9].* ]]; then
	like "the netdev wants its buffers back in order" \
		"$(vdpa dev config show red | xargs)" 'negotiated_features.* IN_ORDER'
fi

# ---- vectors

is "one named vector per virtqueue, one for the configuration" "$(vectors "$VF1")" \
	"config ctrl rx0 tx0"
rx_before=$(interrupts "$VF1" rx0)
tx_before=$(interrupts "$VF2" rx0)

# ---- ping and bulk

for size in 0 1 18 56 1000 1472 1473 20000; do
	check "ping with $size bytes" ping_sizes "$size"
done

iperf_server
check "TCP from red to blue" iperf tcp -t 2
at_least "  moved more than a megabyte" "$(iperf_bytes tcp)" 1000000
check "TCP from blue to red" iperf tcp_reverse -t 2 -R
at_least "  moved more than a megabyte" "$(iperf_bytes tcp_reverse)" 1000000
check "TCP both ways at once, 4 streams" iperf tcp_bidir -t 2 --bidir -P 4
check "UDP of 1400 bytes at 50 Mbit/s" iperf udp -t 2 -u -b 50M -l 1400
at_least "  arrived for the most part" "$(json "$WORK/udp" end sum packets)" 1000
check "UDP of 64 bytes" iperf udp64 -t 2 -u -b 5M -l 64
check "TCP with checksums by software" sh -c \
	'ip netns exec red ethtool -K net0 tx off && ip netns exec red timeout 60 iperf3 -c '"$BLUE_IP"' -t 2'
in_red ethtool -K net0 tx on >/dev/null
is "no TCP segment or UDP datagram had a bad checksum" \
	"$(in_blue nstat -asz TcpInCsumErrors UdpInCsumErrors | awk '/Csum/ { n += $2 } END { print n + 0 }')" 0

at_least "the receive vector of red counts up" \
	"$(($(interrupts "$VF1" rx0) - rx_before))" 10
at_least "and that of blue" "$(($(interrupts "$VF2" rx0) - tx_before))" 10
at_least "the card counted its MSI-X of the receive queue" "$(vstat red 0 msix_sent)" 10

# The column of CPU $2 in the line of vector $1.
on_cpu() {
	awk -v name="vsp-$VF1-$1" -v column=$(($2 + 2)) '$NF == name { print $column }' \
		/proc/interrupts
}

moves_to_cpu() {
	local virq before

	virq=$(awk -v name="vsp-$VF1-rx0" '$NF == name { print $1 + 0 }' /proc/interrupts)
	echo "$1" >"/proc/irq/$virq/smp_affinity_list" || return
	before=$(on_cpu rx0 "$1")
	in_red ping -q -c 20 -i 0.05 -W 2 "$BLUE_IP" >/dev/null
	[[ $(on_cpu rx0 "$1") -ge $((before + 3)) ]]
}

check "smp_affinity moves a vector to CPU 0" moves_to_cpu 0
check "and to CPU 1" moves_to_cpu 1

# ---- learning and flooding, seen from a third port

tap_saw() {
	tcpdump -n -r "$WORK/tap.pcap" 2>/dev/null | grep "$1"
}

check "the TAP port is there" ip link show tap0
ip address add "$TAP_IP/24" dev tap0
ip link set tap0 up
check "the host reaches red through it" wait_for 20 ping -q -c 1 -W 1 "$RED_IP"
check "and blue" wait_for 20 ping -q -c 1 -W 1 "$BLUE_IP"
check "red reaches the host" in_red ping -q -c 1 -W 5 "$TAP_IP"
ping_blue >/dev/null
timeout 120 tcpdump -i tap0 -n -U -w "$WORK/tap.pcap" --immediate-mode 2>"$WORK/tcpdump" &
dumper=$!
wait_for 10 grep -q 'listening on' "$WORK/tcpdump"
in_red ping -q -c 5 -i 0.2 -W 2 "$BLUE_IP" >/dev/null
in_red ping -q -c 3 -i 0.2 -W 1 -b 10.0.0.255 >/dev/null 2>&1
in_red ping -q -c 1 -W 1 10.0.0.77 >/dev/null
check "a third port sees broadcasts" wait_for 10 tap_saw 'who-has 10.0.0.77'
kill -INT "$dumper" && wait "$dumper"
is "but not the unicast between two others" "$(tap_saw "$RED_IP > $BLUE_IP: ICMP" | wc -l)" 0

# ---- the books: quiet first, then the switch's counters against the netdevs'

in_red pkill iperf3
wait_for 10 quiet
check "vsp-switch ends by SIGTERM" switch_stop switch
wait "${SWITCH_PIDS[switch]}" 2>/dev/null
for side in red blue; do
	[[ $side == red ]] && port=0 || port=1
	for what in packets bytes; do
		agree "what $side sent is what its port received, $what" \
			"$(counter $side tx_$what)" \
			"$(switch_counter switch $port rx_$what)"
		agree "what $side received is what its port sent, $what" \
			"$(counter $side rx_$what)" \
			"$(switch_counter switch $port tx_$what)"
	done
done
agree "the card's statistics registers say the same" \
	"$(counter red tx_packets)" "$(vstat red 1 packets)"

check "the modules go" card_down
finish
