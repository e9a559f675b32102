# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Kernels for the lab: Debian's own packages, unpacked (not installed, which
# would bring an initramfs maker and run it) into the root tree, where
# compiling finds the headers. What the machine boots from lies beside it:
# kernel, modules disk, first-stage initramfs.

# Module directories the lab keeps, unpacked to plain .ko because xz under
# emulation is slow. Hardware a virtual machine never has is left out.
readonly MODULES_KEPT="arch block crypto fs kernel lib mm net virt
	drivers/base drivers/block drivers/char drivers/crypto/virtio drivers/dax
	drivers/dma drivers/dma-buf drivers/iommu drivers/nvdimm drivers/pci
	drivers/ptp drivers/uio drivers/vdpa drivers/vfio drivers/vhost
	drivers/virt drivers/virtio
	drivers/net/*.ko drivers/net/*.ko.xz drivers/net/bonding
	drivers/net/ipvlan drivers/net/netdevsim drivers/net/ovpn drivers/net/team
	drivers/net/vxlan drivers/net/wireguard drivers/net/phy/libphy*
	drivers/net/ethernet/intel/igb* drivers/net/ethernet/intel/e1000e"

# What the first stage needs to reach the root, the modules and the checkout.
readonly FIRST_STAGE_MODULES="virtio_blk ext4 overlay 9pnet_virtio 9p virtio-rng"

# A command in the tree, writable and with the network of this machine.
in_tree() {
	local tree=$1

	shift
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -euc '
		tree=$1; shift
		mount --rbind /dev "$tree/dev"
		mount -t proc proc "$tree/proc"
		mount -t tmpfs tmpfs "$tree/run"
		exec chroot "$tree" env LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' sh "$tree" "$@"
}

# Backports cannot take over anything by themselves: apt ranks them lowest.
refresh_package_lists() {
	local tree=$1

	cp -L /etc/resolv.conf "$tree/etc/resolv.conf" 2>/dev/null || true
	# Absent on a root made from mmdebstrap's default mirror is only one of
	# the two places.
	{ cat "$tree"/etc/apt/sources.list "$tree"/etc/apt/sources.list.d/0*.list 2>/dev/null || true; } |
		sed -n "s/^\(deb .* \)$LAB_SUITE main/\1$LAB_SUITE-backports main/p" \
			>"$tree/etc/apt/sources.list.d/backports.list"
	in_tree "$tree" apt-get -q update
}

# The newest release of a series ("6.12") with image, headers and kbuild: now
# and then the archive has the headers of a release before its image.
newest_release() {
	local tree=$1 series=$2 release

	in_tree "$tree" apt-cache pkgnames linux- >"$tree/tmp/names"
	sed -n "s/^linux-image-\(${series//./\\.}\.[^-]*-amd64\)\$/\1/p" "$tree/tmp/names" |
		sort -rV >"$tree/tmp/releases"
	while read -r release; do
		grep -qx "linux-headers-$release" "$tree/tmp/names" || continue
		grep -qx "linux-kbuild-${release%-amd64}" "$tree/tmp/names" || continue
		printf '%s\n' "$release"
		return
	done <"$tree/tmp/releases"
	die "no kernel $series in $LAB_SUITE or $LAB_SUITE-backports"
}

# From 7.x on the image is four packages; those a release has are taken.
release_packages() {
	local tree=$1 release=$2 name
	local -a wanted=("linux-image-$release" "linux-binary-$release"
		"linux-modules-$release" "linux-base-$release"
		"linux-headers-$release" "linux-headers-${release%-amd64}-common"
		"linux-kbuild-${release%-amd64}")

	for name in "${wanted[@]}"; do
		grep -x "$name" "$tree/tmp/names" || true
	done
}

# tar, not dpkg-deb -x: that one would put a directory in place of the tree's
# symbolic link /lib.
unpack_debs() {
	local tree=$1 deb

	for deb in "$tree"/tmp/debs/*.deb; do
		in_tree "$tree" dpkg-deb --fsys-tarfile "/tmp/debs/${deb##*/}" |
			tar -x --keep-directory-symlink --exclude='./usr/share/*' -C "$tree"
	done
}

# Leaves in DIR/kernel the modules of MODULES_KEPT, uncompressed.
trim_modules() {
	local dir=$1 kept

	rm -rf "$dir/all"
	mv "$dir/kernel" "$dir/all"
	mkdir "$dir/kernel"
	(
		cd "$dir/all" || exit
		for kept in $MODULES_KEPT; do
			[[ ! -e $kept ]] || cp -a --parents "$kept" "$dir/kernel"
		done
	)
	rm -rf "$dir/all"
	find "$dir/kernel" -name '*.ko.xz' -print0 | xargs -0 -r -n 64 xz -d -T1
}

unpack_kernel() {
	local tree=$1 series=$2 release
	local -a packages

	refresh_package_lists "$tree"
	release=$(newest_release "$tree" "$series")
	mapfile -t packages < <(release_packages "$tree" "$release")
	rm -rf "$tree/tmp/debs"
	mkdir "$tree/tmp/debs"
	in_tree "$tree" sh -c 'cd /tmp/debs && exec apt-get -q -o APT::Sandbox::User=root download "$@"' \
		sh "${packages[@]}"
	rm -rf "$tree/usr/lib/modules/$release"
	unpack_debs "$tree"
	rm -rf "$tree/tmp/debs" "$tree"/var/lib/apt/lists/*
	trim_modules "$tree/usr/lib/modules/$release"
	# Mount point of a run's own modules, see vm.sh.
	mkdir -p "$tree/usr/lib/modules/$release/updates"
	in_tree "$tree" depmod "$release"
	printf '%s\n' "$release" >"$tree/tmp/release"
}

# /usr/lib/modules/RELEASE as a disk that is laid over the root disk.
make_modules_disk() {
	local tree=$1 release=$2 image=$3 stage size

	stage=$(mktemp -d "$LAB_CACHE/tmp.XXXXXX")
	mkdir -p "$stage/usr/lib/modules"
	cp -a "$tree/usr/lib/modules/$release" "$stage/usr/lib/modules/"
	size=$(du -sm "$stage" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -m 0 \
		-E root_owner=0:0,lazy_itable_init=1 \
		-d "$stage" "$image" "$((size + size / 4 + 16))M"
	rm -rf "$stage"
}

# Busybox and the first modules, in the order they must be loaded. A run adds
# its own files in a second archive, see vm.sh.
make_first_stage() {
	local tree=$1 release=$2 archive=$3 stage module applet

	stage=$(mktemp -d "$LAB_CACHE/tmp.XXXXXX")
	mkdir -p "$stage"/{bin,dev,proc,modules}
	cp "$tree/bin/busybox" "$stage/bin/busybox"
	for applet in sh mount mkdir insmod cp uname switch_root; do
		ln -s busybox "$stage/bin/$applet"
	done
	for module in $FIRST_STAGE_MODULES; do
		in_tree "$tree" modprobe -S "$release" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$stage/modules/paths"
	while read -r module; do
		cp "$tree$module" "$stage/modules/"
		printf '%s\n' "${module##*/}" >>"$stage/modules/order"
	done <"$stage/modules/paths"
	(cd "$stage" && find . | cpio -o -H newc --quiet) >"$archive"
	rm -rf "$stage"
}

make_kernel() {
	local tree=$1 series=$2 dir=$3 release

	unpack_kernel "$tree" "$series"
	release=$(<"$tree/tmp/release")
	# Debian moved the kernel from /boot to the modules' directory in 7.x. There it is in
	# the machine, too: for guests.
	mv "$tree/boot/vmlinuz-$release" "$tree/usr/lib/modules/$release/vmlinuz" 2>/dev/null || true
	cp "$tree/usr/lib/modules/$release/vmlinuz" "$dir/vmlinuz"
	make_modules_disk "$tree" "$release" "$dir/modules.img"
	make_first_stage "$tree" "$release" "$dir/initrd"
	printf '%s\n' "$release" >"$dir/release"
}
