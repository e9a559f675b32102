#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A driver and a backend that mean no good, on VF3; traffic on VF1 and VF2. Only VF3
# may suffer, the kernel log gets a few lines at most, and after a reset VF3 works.
#
# VSP_LONG=1 attacks for longer. VSP_FUZZ_SECONDS and VSP_FUZZ_SEED are for the mailbox's
# fuzzer; ten minutes:
#	scripts/lab run --timeout 900 -- env VSP_FUZZ_SECONDS=600 prove -v tests/vm/75-hostile.t

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/vm/vfio.sh
. "${0%/*}/vfio.sh"
# shellcheck source=tests/vm/hostile.sh
. "${0%/*}/hostile.sh"

TIMES=1
[[ ${VSP_LONG:-0} != 1 ]] || TIMES=4
FUZZ_SECONDS=${VSP_FUZZ_SECONDS:-$((8 * TIMES))}
FUZZ_SEED=${VSP_FUZZ_SEED:-$(date +%s)}
PROGRAM_LIMIT=$((FUZZ_SECONDS + 300))

check "the card comes up" card_up forward=loop backend_timeout_ms=200 -- num_vfs=3 ||
	give_up "no card"
check "two functions in two namespaces" two_namespaces
switch_start switch -- --port "$VF1" --port "$VF2"
check "the first ping passes" wait_for 30 ping_blue
check "vfio-pci takes the third" vfio_bind "$VF3" || give_up "no vfio-pci"

attack bar vfio_hostile bar "$VF3" $((2 * TIMES))
attack config vfio_hostile config "$VF3" $((2 * TIMES))
attack rings vfio_hostile rings "$VF3" $((3 * TIMES))
attack unmap vfio_hostile unmap "$VF3"
attack storm vfio_hostile storm "$VF3"
attack backend vfio_hostile backend "$VF3" $((3 * TIMES))
attack mailbox mbox_fuzz "$VF3" "$FUZZ_SECONDS" "$FUZZ_SEED"

check "the in-kernel driver takes the function" bind_to vdpa_sim_pcie "$VF3"
check "it works as if nothing had been" add_dev green "$VF3"
check "its control queue answers" \
	timeout 20 ip link set "$(netdev_of green)" address 02:00:00:00:00:21
check "pings pass" wait_for 30 ping_blue
check "modprobe -r" card_down
check "nothing is left" card_is_gone
modprobe -r vfio-pci
finish
