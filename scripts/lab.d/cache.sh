# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The lab's cache and the helpers all parts of scripts/lab share: messages,
# steps with progress, the lock, and where things lie. Everything in the cache
# is built under a temporary name and renamed when finished, so that a name
# that exists is complete.
#
#	$VSP_LAB/root-<key>/root	the root file system as a tree (chroot)
#	$VSP_LAB/root-<key>/root.img	the same as a read-only disk
#	$VSP_LAB/root-<key>/kernel-<name>-<hash>/	kernel, modules disk, initramfs
#	$VSP_LAB/debug-<key>/		the debug kernel as compiled, see debug.sh

LAB_CACHE=${VSP_LAB:-${HOME:-/root}/.cache/vdpa-sim-pcie}
LAB_LOG=
HEARTBEAT_PID=

say() {
	printf 'lab: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

need_root() {
	[[ $(id -u) -eq 0 ]] || die "$1 needs root"
}

need_commands() {
	local name

	for name in "$@"; do
		command -v "$name" >/dev/null ||
			die "$name is missing: run 'scripts/deps lab' as root"
	done
}

# A line every 15 s from a step that takes long; its end is its killer's work.
# The last sleep outlives that, so it must not hold the locks.
heartbeat() {
	local start=$SECONDS fd

	for fd in ${LOCK_FD:-} ${DEBUG_LOCK_FD:-}; do
		exec {fd}>&-
	done
	while sleep 15; do
		say "  ... $1: $((SECONDS - start)) s"
	done
}

stop_heartbeat() {
	[[ -z $HEARTBEAT_PID ]] || kill "$HEARTBEAT_PID" 2>/dev/null || true
	HEARTBEAT_PID=
}

# step TEXT COMMAND...: run a long command with its output in the build log,
# and say how long it took. Not to be called where errexit is off (if, ||).
step() {
	local what=$1 start=$SECONDS status=0

	shift
	say "$what"
	heartbeat "$what" &
	HEARTBEAT_PID=$!
	set +e
	(set -e; "$@") >>"$LAB_LOG" 2>&1 </dev/null
	status=$?
	set -e
	stop_heartbeat
	if [[ $status -ne 0 ]]; then
		tail -n 40 "$LAB_LOG" >&2
		die "failed (status $status): $what; the whole log: $LAB_LOG"
	fi
	say "  done: $((SECONDS - start)) s"
}

# Hashes what decides the root file system: the packages and the recipe.
root_key() {
	{
		sed 's/#.*//' "$LAB_DIR/packages" | xargs -n1 | sort
		cat "$LAB_DIR/rootfs.sh"
	} | sha256sum | cut -c1-12
}

root_dir() {
	printf '%s/root-%s' "$LAB_CACHE" "$(root_key)"
}

# The recipe's hash is in the name of what it made.
kernel_dir() {
	local -a recipe=("$LAB_DIR/kernel.sh")

	[[ $1 != debug ]] || recipe+=("$LAB_DIR/debug.sh" "$LAB_DIR/debug.config")
	printf '%s/kernel-%s-%s' "$(root_dir)" "$1" \
		"$(cat "${recipe[@]}" | sha256sum | cut -c1-8)"
}

require_kernel() {
	[[ -f $(kernel_dir "$1")/release ]] && return
	say "no kernel $1 in the cache yet: building"
	build_lab "$1"
}

# Two builds at once would fight over the same names; the second waits and
# then finds the work done. The lock goes with the process.
take_lock() {
	mkdir -p "$LAB_CACHE"
	exec {LOCK_FD}>"$LAB_CACHE/lock"
	flock -n "$LOCK_FD" && return
	say "another build is running; waiting for it"
	flock "$LOCK_FD"
}

drop_lock() {
	exec {LOCK_FD}>&-
	unset LOCK_FD
}

# Roots of former package lists, and of this one kernels of former recipes. The one in use and the newest other stay: a
# second checkout on another commit often shares the cache.
clean_old_roots() {
	local keep dir
	local -i others=0

	keep=$(root_dir)
	while read -r dir; do
		[[ $dir == "$keep" ]] && continue
		others+=1
		[[ $others -le ${1:-1} ]] && continue
		say "removing $dir"
		rm -rf --one-file-system "$dir"
	done < <(find "$LAB_CACHE" -maxdepth 1 -name 'root-*' -printf '%T@ %p\n' |
		sort -rn | cut -d' ' -f2-)
	find "$LAB_CACHE" -maxdepth 1 -name 'tmp.*' -exec rm -rf --one-file-system {} +
	find "$keep" -maxdepth 1 -name 'kernel-*' ! -name "$(basename "$(kernel_dir '[0-9]*')")" \
		! -name "$(basename "$(kernel_dir debug)")" -exec rm -rf --one-file-system {} +
	clean_old_debug_results
}
