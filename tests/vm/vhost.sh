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
