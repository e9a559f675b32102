# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The debug kernel of the lab: Debian's kernel source with the small
# configuration of debug.config, which has KASAN, lockdep and other checkers on.
# It is compiled in a throw-away copy of the root tree, so that the packages
# compiling a kernel takes burden nobody else. That takes long, so what came out
# is kept apart from the roots and outlives them:
#
#	$VSP_LAB/debug-<key>/	bzImage, modules, headers of one source version
#				and configuration
#
# From there the kernel goes to where all kernels lie (see kernel.sh).

readonly DEBUG_SERIES=6.12
readonly DEBUG_BUILD_PACKAGES="bison flex libelf-dev xz-utils"

# The version of the source package, by the lists fetched last.
debug_source_version() {
	in_tree "$1" apt-cache policy "linux-source-$DEBUG_SERIES" |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }' | grep .
}

# The symbols of debug.config, with or without value; not its comments.
debug_symbols() {
	grep -E '^(# )?CONFIG_' "$LAB_DIR/debug.config"
}

debug_result_dir() {
	local version=$1

	printf '%s/debug-%s' "$LAB_CACHE" "$({
		printf '%s\n' "$version"
		debug_symbols | sort
	} | sha256sum | cut -c1-12)"
}

# The root tree without kernels, with compiler's needs and source on top.
make_compile_tree() {
	local tree=$1 copy=$2 version=$3
	local -a packages

	read -ra packages <<<"$DEBUG_BUILD_PACKAGES"
	mkdir -p "$copy/usr/src"
	tar -c -C "$tree" --exclude=./usr/src --exclude=./usr/lib/modules --exclude=./boot . |
		tar -x -C "$copy"
	in_tree "$copy" apt-get -q -y --no-install-recommends \
		-o APT::Sandbox::User=root install \
		"${packages[@]}" "linux-source-$DEBUG_SERIES=$version"
	in_tree "$copy" tar -x -C /usr/src -f "/usr/src/linux-source-$DEBUG_SERIES.tar.xz"
	mv "$copy/usr/src/linux-source-$DEBUG_SERIES" "$copy/usr/src/linux"
}

in_source() {
	local copy=$1

	shift
	# Below what people do on this machine meanwhile.
	in_tree "$copy" env HOME=/tmp PWD=/usr/src/linux \
		KBUILD_BUILD_USER=lab KBUILD_BUILD_HOST=vsp-lab \
		nice -n 10 make -C /usr/src/linux "$@"
}

# Kconfig drops silently what has unmet dependencies; here that is an error.
configure_source() {
	local copy=$1 dropped

	cp "$LAB_DIR/debug.config" "$copy/usr/src/debug.config"
	in_source "$copy" KCONFIG_ALLCONFIG=/usr/src/debug.config allnoconfig
	dropped=$(debug_symbols | grep -vxFf "$copy/usr/src/linux/.config" || true)
	[[ -z $dropped ]] && return
	printf 'debug.config: the kernel does not take\n%s\n' "$dropped"
	return 1
}

compile_source() {
	local copy=$1

	configure_source "$copy"
	in_source "$copy" -s -j"$(nproc)" bzImage modules
}

# In the copy: /usr/src/result with what is kept. The headers are chosen by the
# kernel's own script for its packages.
collect_result() {
	local copy=$1 result release

	result=$copy/usr/src/result
	mkdir -p "$result"
	in_source "$copy" -s modules_install INSTALL_MOD_PATH=/usr/src/result/install DEPMOD=true
	# shellcheck disable=SC2016 # make's variable
	in_source "$copy" -s run-command \
		KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build /usr/src/result/headers'
	cp "$copy/usr/src/linux/.config" "$result/headers/.config"
	cp "$copy/usr/src/linux/arch/x86/boot/bzImage" "$result/bzImage"
	release=$(<"$copy/usr/src/linux/include/config/kernel.release")
	mv "$result/install/lib/modules/$release" "$result/modules"
	rm -rf "$result/install" "$result/modules/build"
	printf '%s\n' "$release" >"$result/release"
}

# Sets DEBUG_RESULT, compiling if need be. The lock is held while the root tree
# is in use, not while compiling: others go on building and testing meanwhile.
find_debug_result() {
	local tree work='' version

	tree=$(root_dir)/root
	take_lock
	step "package lists" refresh_package_lists "$tree"
	version=$(debug_source_version "$tree") ||
		die "no package linux-source-$DEBUG_SERIES in $LAB_SUITE"
	DEBUG_RESULT=$(debug_result_dir "$version")
	if [[ ! -f $DEBUG_RESULT/release ]]; then
		work=$(mktemp -d "$LAB_CACHE/compile.XXXXXX")
		step "debug kernel $version: compiler and source (1 to 3 minutes, 4 GB)" \
			make_compile_tree "$tree" "$work/copy" "$version"
	fi
	rm -rf "$tree"/var/lib/apt/lists/*
	drop_lock
	[[ -n $work ]] || return 0
	step "debug kernel $version: compiling (10 to 40 minutes)" compile_source "$work/copy"
	step "debug kernel $version: modules and headers" collect_result "$work/copy"
	mv -T "$work/copy/usr/src/result" "$DEBUG_RESULT"
	rm -rf --one-file-system "$work"
}

# The same for the lab as make_kernel of kernel.sh.
make_debug_kernel() {
	local tree=$1 result=$2 dir=$3 release headers modules

	release=$(<"$result/release")
	headers=/usr/src/linux-headers-$release
	modules=$tree/usr/lib/modules/$release
	rm -rf "$modules" "${tree:?}$headers"
	cp -a "$result/modules" "$modules"
	cp -a "$result/headers" "$tree$headers"
	ln -s "$headers" "$modules/build"
	mkdir "$modules/updates"
	in_tree "$tree" depmod "$release"
	cp "$result/bzImage" "$dir/vmlinuz"
	make_modules_disk "$tree" "$release" "$dir/modules.img"
	make_first_stage "$tree" "$release" "$dir/initrd"
	printf '%s\n' "$release" >"$dir/release"
}

# One of these at a time. Its lock is taken before the lab's, never after.
build_debug_kernel() {
	local dir tmp

	dir=$(kernel_dir debug)
	[[ -f $dir/release ]] && return
	exec {DEBUG_LOCK_FD}>"$LAB_CACHE/debug.lock"
	flock -n "$DEBUG_LOCK_FD" || {
		say "the debug kernel is being built; waiting for it"
		flock "$DEBUG_LOCK_FD"
	}
	if [[ ! -f $dir/release ]]; then
		find "$LAB_CACHE" -maxdepth 1 -name 'compile.*' -exec rm -rf --one-file-system {} +
		# The common log is started anew by every build.
		LAB_LOG=$LAB_CACHE/debug.log
		: >"$LAB_LOG"
		find_debug_result
		touch "$DEBUG_RESULT"
		take_lock
		tmp=$(mktemp -d "$LAB_CACHE/tmp.XXXXXX")
		step "kernel debug: image, modules, headers" \
			make_debug_kernel "$(root_dir)/root" "$DEBUG_RESULT" "$tmp"
		mv -T "$tmp" "$dir"
		drop_lock
	fi
	exec {DEBUG_LOCK_FD}>&-
	unset DEBUG_LOCK_FD
}

# Compiled kernels of former configurations, all but the one used last.
clean_old_debug_results() {
	find "$LAB_CACHE" -maxdepth 1 -name 'debug-*' -type d -printf '%T@ %p\n' |
		sort -rn | cut -d' ' -f2- | tail -n +2 |
		xargs -r -d '\n' rm -rf --one-file-system
}
