#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Who may include whom, as greps (docs/architecture.md has the drawing). Prints
# each line that breaks a rule; the exit status is 1 if there is any.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

broken=0

# rule WHY ALLOWED FILE...: each include of the files must match ALLOWED, an
# extended regular expression for what stands between the quotes or brackets.
only_includes() {
	local why=$1 allowed=$2

	shift 2
	grep -nHE '^[[:blank:]]*#[[:blank:]]*include' "$@" 2>/dev/null |
		grep -vE "include[[:blank:]]+[<\"]($allowed)[>\"]" | complain "$why"
}

# The files must not have a line that matches, unless it matches EXCEPT as well.
never() {
	local why=$1 pattern=$2

	shift 2
	grep -nHE "$pattern" "$@" 2>/dev/null |
		grep -vE "${EXCEPT:-^$}" | complain "$why"
}

complain() {
	local line

	while read -r line; do
		printf '%s\n\t^ %s\n' "$line" "$1"
		broken=1
	done
}

# Sources below the directories, optionally without those that match SKIP.
sources() {
	find "$@" -name '*.[ch]' 2>/dev/null | grep -vE "${SKIP:-^$}" | sort
}

files_of() {
	mapfile -t files < <(sources "$@")
	[[ ${#files[@]} -gt 0 ]]
}

# complain() runs in the last part of a pipe and must set our variable.
shopt -s lastpipe

files_of vringh-lib/include && only_includes \
	'public headers of vringh-lib know linux/types.h only' \
	'linux/types\.h|vrl/[a-z_]+\.h|stdbool\.h|stddef\.h|stdint\.h' "${files[@]}"
SKIP=/platform.h files_of vringh-lib/src && only_includes \
	'src/platform.h is the one seam of vringh-lib' \
	'vrl/[a-z_]+\.h|[a-z_]+\.h' "${files[@]}"
SKIP='/platform.h|/examples/' files_of vringh-lib && never \
	'vringh-lib does not allocate, lock, print, sleep or touch user pointers' \
	'\b(printk|pr_[a-z]+|printf|fprintf|[kv]?malloc|kzalloc|calloc|k?free|mutex_|spin_lock|copy_(from|to)_user|msleep|schedule)\(' \
	"${files[@]}"

files_of vdpa_sim_pcie/uapi && only_includes \
	'the contract knows linux/types.h and linux/ioctl.h only' \
	'linux/types\.h|linux/ioctl\.h' "${files[@]}"
only_includes 'what driver and hardware share stands alone' \
	'linux/types\.h' vdpa_sim_pcie/hw/regs.h vdpa_sim_pcie/hw/vsp_hw.h

files_of vdpa_sim_pcie/iommu && never \
	'the IOMMU does not know what is behind it' \
	'include[[:blank:]]+".*(hw|driver|uapi)/' "${files[@]}"
only_includes 'the radix tree knows no IOMMU core: it is compiled on the host as well' \
	'radix\.h|radix_host\.h|linux/(gfp|types|align|atomic|errno|minmax)\.h' \
	vdpa_sim_pcie/iommu/radix.c vdpa_sim_pcie/iommu/radix.h
only_includes 'what card and IOMMU share stands alone' \
	'radix\.h|linux/(types|spinlock)\.h' vdpa_sim_pcie/iommu/vsp_iommu.h
files_of vdpa_sim_pcie/driver && {
	EXCEPT='"[./]*(hw/)?(regs|vsp_hw)\.h"' never \
		'the driver sees the hardware through regs.h and vsp_hw.h only' \
		'include[[:blank:]]+".*(hw/|iommu/|uapi/)' "${files[@]}"
	never 'only the backend speaks the contract' \
		'include.*vdpa_sim_pcie\.h"' "${files[@]}"
}
files_of vdpa_sim_pcie/hw && never \
	'the hardware does not know its driver' 'include.*driver/' "${files[@]}"
files_of vdpa_sim_pcie/hw/config_space.c vdpa_sim_pcie/hw/config_space.h && never \
	'config_space is compiled on the host as well: no kernel headers beyond the uapi' \
	'include[[:blank:]]+<linux/(pci|device|module|slab|kernel|spinlock|io)\.h>' "${files[@]}"

SKIP='vdpa_sim_pcie/compat\.h' files_of vdpa_sim_pcie vringh-lib && never \
	'compat.h alone knows kernel versions' \
	'LINUX_VERSION_CODE|KERNEL_VERSION\(' "${files[@]}"
files_of vdpa_sim_pcie && {
	never 'exported symbols begin with vsp_' \
		'EXPORT_SYMBOL(_GPL)?\((v[^s]|vs[^p]|[^v])' "${files[@]}"
	never 'no assertion that a peer could reach' \
		'\b(BUG|BUG_ON|VM_BUG_ON|panic)\(' "${files[@]}"
}

files_of dpdk-app && {
	never 'the application speaks the contract, not the modules'"'"' insides' \
		'include.*(hw/|driver/|compat\.h)' "${files[@]}"
}
SKIP='dpdk-app/pmd/' files_of dpdk-app && never \
	'driver headers of DPDK belong to pmd/ only' \
	'include.*(ethdev_driver|bus_vdev_driver|bus_driver|_internal)\.h' "${files[@]}"
files_of dpdk-app/app && never \
	'the switch uses the public interface of port/ only' \
	'include.*(vsp_priv\.h|uapi/|/vdpa_sim_pcie\.h|vrl/)' "${files[@]}"

files_of vdpa_sim_pcie vringh-lib dpdk-app && never \
	'nothing includes the tests' 'include.*tests/' "${files[@]}"

exit "$broken"
