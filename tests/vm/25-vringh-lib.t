#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# vringh-lib as the kernel compiles it: the vectors that the unit tests run on the
# host, from a module that has the library's sources in it.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

TAP=/sys/kernel/debug/vrl_test/tap

dir_is_gone() {
	[[ ! -e ${TAP%/*} ]]
}

check "the module of the library's tests loads" \
	insmod "build/test-modules/$(uname -r)/vrl_test.ko" || give_up "no module to test"
timeout 120 cat "$TAP" >"$WORK/vrl.tap"
cases "the kernel's build" "$WORK/vrl.tap"
at_least "as many vectors ran as there are names in the tables" \
	"$(grep -cE '^(not )?ok ' "$WORK/vrl.tap")" \
	"$(cat tests/vectors/{chains,scripts}_*.c | grep -cE '\.name = "|^	\{ "')"
check "the module unloads" rmmod vrl_test
check "it leaves nothing in debugfs" dir_is_gone
finish
