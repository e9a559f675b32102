# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Attacks on one function while a netdev in red pings one in blue, for .t files; after
# lib.sh.

# Lines in the log that one attack may leave; printk's limit is 10 in 5 seconds.
LOG_LINES=60

ours_in_the_log() {
	grep -cE 'vsp_hw|vdpa_sim_pcie|vsp_iommu|vfio|10000:01:' <<<"$KLOG"
}

# attack NAME COMMAND...: while red pings blue.
attack() {
	local name=$1 lines missing

	shift
	missing=$(answers_missing)
	# Not by in_red: the signal is for ping, not for a shell around it.
	ip netns exec red ping -q -i 0.1 -W 10 "$BLUE_IP" >"$WORK/ping" 2>&1 &
	local pinger=$!
	timeout "${PROGRAM_LIMIT:-300}" "$@" >"$WORK/$name.tap" 2>&1
	kill -INT "$pinger" && wait "$pinger"
	klog_read
	lines=$(ours_in_the_log)
	at_least "$name: at most $LOG_LINES lines in the log ($lines)" "$LOG_LINES" "$lines"
	cases "$name" "$WORK/$name.tap"
	check "$name: none of the others' pings was lost" wait_for 10 answered "$missing"
}
