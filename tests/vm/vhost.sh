# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Devices for users of vhost_vdpa, for .t files; after lib.sh.

# guest_add NAME FUNCTION [ATTRIBUTE...]: a device with the card's translation, bound to
# vhost_vdpa.
guest_add() {
	local name=$1 function=$2 status

	shift 2
	echo 0 >/sys/bus/vdpa/drivers_autoprobe &&
		timeout 30 vdpa dev add name "$name" mgmtdev "pci/$function" "$@" &&
		echo "$name" >/sys/bus/vdpa/drivers/vhost_vdpa/bind
	status=$?
	echo 1 >/sys/bus/vdpa/drivers_autoprobe
	return $status
}

node_of() {
	local node

	node=$(echo "/sys/bus/vdpa/devices/$1"/vhost-vdpa-*)
	echo "/dev/${node##*/}"
}

# Ranges that users of a function have mapped.
ranges_of() {
	sed -n 's/^as0.ranges: //p' "/sys/kernel/debug/vsp/$1/window"
}

nothing_mapped() {
	[[ $(ranges_of "$1") -eq 0 ]]
}

# vhost_down NAME...: how a test ends: these devices go, then the modules.
vhost_down() {
	local name

	ip -all netns delete
	for name; do
		timeout 30 vdpa dev del "$name"
	done
	modprobe -r vhost_vdpa
	check "modprobe -r at the end" card_down
	check "nothing is left" card_is_gone
}

vdpa_lacks() {
	local shown

	shown=$(timeout 20 vdpa dev show) && ! grep -q "^$1:" <<<"$shown"
}

# One switch for two users and a netdev.
three_ports() {
	switch_start switch -- --port "$VF1" --port "$VF2" --port "$VF3" --json --stats=1
}

# ---- users: processes in the background, each with a name

# user_note NAME: the process just started.
user_note() {
	echo $! >"$WORK/$1.user"
	disown
}

user_lives() {
	kill -0 "$(<"$WORK/$1.user")"
}

# user_end NAME SIGNAL
user_end() {
	local pid

	pid=$(<"$WORK/$1.user")
	rm "$WORK/$1.user"
	kill "-$2" "$pid" && wait_for 30 process_gone "$pid"
}

users_kill() {
	local file

	for file in "$WORK"/*.user; do
		[[ ! -e $file ]] || kill -KILL "$(<"$file")"
	done
}
trap 'users_kill; cleanup' EXIT

# user_start NAME: one with queues, which sends and receives, on the device NAME.
user_start() {
	vhost_vdpa_user "$(node_of "$1")" >"$WORK/$1.said" 2>&1 &
	user_note "$1"
	wait_for 20 user_said "$1" running
}

user_said() {
	grep -q "$2" "$WORK/$1.said"
}

# user_count NAME sent|received: its last count.
user_count() {
	sed -nE "s/.*$2 ([0-9]+).*/\\1/p" "$WORK/$1.said" | tail -n 1
}

user_moves() {
	in_red ping -q -c 1 -W 1 10.0.0.9 # nobody: a broadcast for everybody
	[[ $(user_count "$1" sent) -gt 5 && $(user_count "$1" received) -gt 0 ]]
}
