# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Commands in the lab's root file system at native speed. Each call has a mount
# namespace of its own, so nothing is left mounted and calls do not disturb
# each other. The tree is read-only in there (it is shared by all checkouts);
# the checkout at /vsp and the usual scratch places are not.

# Runs in the new mount namespace: enter_chroot TREE CHECKOUT COMMAND...
enter_chroot() {
	local tree=$1 checkout=$2 dir

	shift 2
	mount --bind "$tree" "$tree"
	mount -o remount,bind,ro "$tree"
	mount --bind "$checkout" "$tree/vsp"
	mount --rbind /dev "$tree/dev"
	mount -t proc proc "$tree/proc"
	mount --rbind /sys "$tree/sys"
	for dir in tmp run var/tmp; do
		mount -t tmpfs -o mode=1777 tmpfs "$tree/$dir"
	done
	# The caller's environment stays (MAKEFLAGS with its jobserver, CC, V=1),
	# without what means this machine's own directories.
	exec env -u TMPDIR -u LD_LIBRARY_PATH -u LD_PRELOAD \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/tmp LC_ALL=C.UTF-8 KVER="$KVER" KDIR="/lib/modules/$KVER/build" \
		chroot "$tree" /bin/sh -c 'cd /vsp && exec "$@"' sh "$@"
}

cmd_chroot() {
	need_root "lab chroot"
	parse_options "$@"
	require_kernel "$OPT_KERNEL"
	KVER=$(<"$(kernel_dir "$OPT_KERNEL")/release")
	export KVER
	# shellcheck disable=SC2016,SC2153 # for the inner shell; CHECKOUT is from lab
	exec unshare --mount --propagation private \
		bash -c 'set -euo pipefail; . "$1"; shift; enter_chroot "$@"' bash \
		"$LAB_DIR/chroot.sh" "$(root_dir)/root" "$CHECKOUT" \
		"${COMMAND[@]:-/bin/bash}"
}
