# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The lab's root file system: Debian 13 from packages, as a tree to compile in
# and as a disk to boot from. This file's text is part of the cache key, so
# every change of the recipe makes a new root.

readonly LAB_SUITE=trixie

# The address this machine takes Debian (label $1) from, if it does. Read from
# apt's own lists, so that mirrors and proxies of the site are kept to.
host_mirror() {
	command -v apt-get >/dev/null || return 0
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	apt-get indextargets --format '$(REPO_URI)|$(ORIGIN)|$(LABEL)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' -v label="$1" '$2 == "Debian" && $3 == label { print $1; exit }'
}

# sources.list lines; empty when mmdebstrap's own default shall decide.
root_sources() {
	local main=${VSP_MIRROR:-} security=${VSP_MIRROR_SECURITY:-}

	if [[ -z $main ]]; then
		main=$(host_mirror Debian)
		security=${security:-$(host_mirror Debian-Security)}
	fi
	[[ -n $main ]] || return 0
	main=${main%/}
	security=${security:-$main-security}
	printf 'deb %s %s main\n' \
		"$main" "$LAB_SUITE" "$main" "$LAB_SUITE-updates" \
		"${security%/}" "$LAB_SUITE-security"
}

# Proxies and the like of this machine, which mmdebstrap does not take over.
host_apt_options() {
	command -v apt-config >/dev/null || return 0
	apt-config dump |
		grep -E '^Acquire::(https?::Proxy|Retries|Check-Valid-Until|Check-Date)' || true
}

# No documentation, no other languages; the directories /vsp (the checkout) and
# /lab (a run's own files) are mount points.
make_tree() {
	local tmp=$1
	local -a list sources=()

	mapfile -t list < <(sed 's/#.*//' "$LAB_DIR/packages" | xargs -n1)
	root_sources >"$tmp/sources.list"
	host_apt_options >"$tmp/apt.conf"
	# Without sources mmdebstrap falls back to its default mirror.
	[[ ! -s $tmp/sources.list ]] || sources=("$tmp/sources.list")
	# shellcheck disable=SC2016 # $1 is for the hooks' shell
	mmdebstrap --mode=root --variant=minbase --format=directory \
		--aptopt="$tmp/apt.conf" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='force-unsafe-io' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/info/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(IFS=, && echo "${list[*]}")" \
		--customize-hook='mkdir -p "$1/vsp" "$1/lab"' \
		--customize-hook='ln -sf /proc/self/mounts "$1/etc/mtab"' \
		"$LAB_SUITE" "$tmp/root" "${sources[@]}"
}

# Made before any kernel is unpacked into the tree, so the disk has none. Read
# only, hence without journal and checksums.
make_disk() {
	local tree=$1 image=$2 size

	size=$(du -sm --apparent-size "$tree" | cut -f1)
	rm -f "$image"
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 -N 131072 \
		-E root_owner=0:0,lazy_itable_init=1 \
		-d "$tree" "$image" "$((size + size / 4 + 64))M"
}
