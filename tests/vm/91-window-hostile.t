#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
#    bad            good          namespace red     namespace blue
#  vhost-vdpa-N   vhost-vdpa-M    net0              net0
#      VF1 ═════════ VF2 ═════════ VF3 ═══ vsp-switch ═══ VF4
#
# A user of vhost_vdpa that names memory it has not mapped, takes memory away that is
# in use, and dies; beside it, in the same backend, one that does no such thing, and two
# netdevs. Only the bad one may suffer.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vhost.sh
. "${0%/*}/vhost.sh"
# shellcheck source=tests/vm/hostile.sh
. "${0%/*}/hostile.sh"

# pair PROGRAM ATTACK
pair() {
	attack "$2" "$1" "$2" "$VF1" "$(node_of bad)" "$(node_of good)"
	check "$2: nothing is mapped any more" wait_for 10 nothing_mapped "$VF1"
	check "$2: the switch is the same" switch_runs switch
}

card_up -- num_vfs=4 || give_up "the card does not come up"
modprobe vhost_vdpa || give_up "no vhost_vdpa"
guest_add bad "$VF1" || give_up "no device"
guest_add good "$VF2" || give_up "no device"
add_dev red "$VF3" mac 02:00:00:00:00:01 && into_netns red red "$RED_IP" || give_up "no red"
add_dev blue "$VF4" mac 02:00:00:00:00:02 && into_netns blue blue "$BLUE_IP" || give_up "no blue"
switch_start switch -- --port "$VF1" --port "$VF2" --port "$VF3" --port "$VF4"
check "the first ping passes" wait_for 30 ping_blue

pair window_hostile addresses
pair window_hostile tables
pair window_mortal maps
pair window_mortal rings
pair window_mortal ends

check "the switch ends" switch_stop switch
vhost_down red blue bad good
finish
