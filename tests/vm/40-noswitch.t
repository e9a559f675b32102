#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Functions without a backend: the control queue works, frames wait; and the
# card's built-in forwarding as a backend's stand-in.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

# ---- no backend, forward=none

card_up -- num_vfs=2 || give_up "the card does not come up"
two_namespaces || give_up "no namespaces"
check "a MAC by the control queue without a backend" \
	in_red ip link set net0 address 02:00:00:00:00:11
like "the card has it" "$(vdpa dev config show red)" '02:00:00:00:00:11'
refuse "a ping gets no answer" '100% packet loss' in_red ping -c 2 -W 1 "$BLUE_IP"
like "the interface is still up" "$(in_red ip link show net0)" '[<,]UP[,>]'
check "a device with waiting frames can be deleted" timeout 20 vdpa dev del red
check "and the modules go" card_down
ip -all netns delete

# ---- forward=pair: VF 0 and 1, 2 and 3, ... are wired to each other

card_up forward=pair -- num_vfs=2 || give_up "the card does not come up with forward=pair"
add_dev red "$VF1" mac 02:00:00:00:00:01 && into_netns red red "$RED_IP"
add_dev blue "$VF2" mac 02:00:00:00:00:02 && into_netns blue blue "$BLUE_IP"
check "forward=pair: VF 0 reaches VF 1 without a process" wait_for 20 ping_blue
check "with large pings as well" in_red ping -q -c 3 -i 0.2 -W 5 -s 20000 "$BLUE_IP"
iperf_server
check "and TCP" in_red timeout 60 iperf3 -c "$BLUE_IP" -t 3
switch_start switch -- --port "$VF1" --port "$VF2"
wait_for 30 grep -q "forwarding between" "$WORK/switch.log"
check "a backend takes over" wait_for 30 ping_blue
check "and it is the backend that carries" switch_runs switch
check "it ends" switch_stop switch
check "when it has gone the card forwards again" wait_for 20 ping_blue
iperf_in_background
check "TCP as well" wait_for 20 red_sends
check "the modules go under traffic" timeout 60 bash -c \
	'modprobe -r virtio_vdpa; modprobe -r vdpa_sim_pcie vsp_hw'
check "nothing is left of them" card_is_gone
iperf_end
ip -all netns delete

# ---- forward=loop: what a function sends it receives

card_up forward=loop -- num_vfs=1 || give_up "the card does not come up with forward=loop"
add_dev red "$VF1" mac 02:00:00:00:00:01 && into_netns red red "$RED_IP"
in_red ip neighbour add "$BLUE_IP" lladdr 02:00:00:00:00:02 dev net0
before=$(counter red rx_packets)
in_red ping -q -c 20 -i 0.05 -W 1 "$BLUE_IP" >/dev/null
at_least "forward=loop: what was sent came back" "$(($(counter red rx_packets) - before))" 20
check "the modules go" card_down

finish
