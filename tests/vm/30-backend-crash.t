#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# A backend that dies or stops is a state of the function. Nobody hangs on it,
# nothing is lost for good, and the other functions do not notice. VSP_LONG=1 kills it
# six times instead of two.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

readonly TIMEOUT_MS=2000
BEST=1000000
# What takes longer does not answer, on a loaded machine either.
readonly HANGS=15000

start_pair() {
	switch_start switch -- --port "$VF1" --port "$VF2"
}

# Answers to the pings that run all the time: red has got 3 more than $1.
red_got_more() {
	[[ $(counter red rx_packets) -ge $(($1 + 3)) ]]
}

# took LIMIT_MS COMMAND...: succeeds, and in time. What may hang comes with timeout(1).
took() {
	local limit=$1 start

	shift
	start=$(now_ms)
	"$@" || return
	start=$(($(now_ms) - start))
	echo "took $start ms of $limit"
	[[ $start -le $limit ]]
}

card_up backend_timeout_ms=$TIMEOUT_MS -- num_vfs=4 || give_up "the card does not come up"
two_namespaces || give_up "no namespaces"
start_pair
wait_for 30 ping_blue || give_up "no traffic at all: $(cat "$WORK/switch.log")"
iperf_server
ip netns exec red ping -q -i 0.1 "$BLUE_IP" >"$WORK/pings" 2>&1 &
disown

# ---- kill -9 in mid-flight

# The best of two counts, or of six, because a loaded host adds what it likes. With
# all its checkers the debug kernel is several times slower.
LIMIT=2000
ROUNDS=2
[[ ${VSP_LONG:-0} != 1 ]] || ROUNDS=6
[[ $(uname -r) != *-vspdebug ]] || LIMIT=8000

for round in 1 2 3 4 5 6; do
	[[ $round -le $ROUNDS || $BEST -gt $LIMIT ]] || break
	iperf_in_background
	wait_for 10 red_sends
	check "round $round: kill -9 of the switch under iperf3" switch_kill switch
	check "round $round: vdpa answers at once" took $HANGS timeout 60 vdpa dev show
	check "round $round: the control queue answers" \
		took $HANGS mac_there_and_back
	check "round $round: the device is up, as the kernel has it" \
		in_red ip link show net0 up
	before=$(counter red rx_packets)
	start_pair
	# EAL needs a while under emulation; the clock runs from where it has the functions.
	wait_for 20 grep -q "forwarding between" "$WORK/switch.log"
	start=$(now_ms)
	check "round $round: a restarted switch carries traffic" \
		wait_for 15 red_got_more "$before"
	start=$(($(now_ms) - start))
	diag "after $start ms"
	[[ $start -ge $BEST ]] || BEST=$start
	check "round $round: and the old connection goes on" wait_for 20 red_sends
	iperf_end
done
at_least "the best of these took $BEST ms of $LIMIT" "$LIMIT" "$BEST"

# ---- a process that only stops answering

check "two more functions with their own switch" \
	add_dev third "$VF3" mac 02:00:00:00:00:03
add_dev fourth "$VF4" mac 02:00:00:00:00:04
into_netns third green 10.1.0.1
into_netns fourth yellow 10.1.0.2
SWITCH_CORE=0 switch_start other -- --port "$VF3" --port "$VF4"
check "they are connected" wait_for 60 ip netns exec green ping -q -c 1 -W 1 10.1.0.2

kill -STOP "${SWITCH_PIDS[other]}"
in_red ping -q -i 0.1 -c 100 "$BLUE_IP" >"$WORK/ping" 2>&1 &
pinger=$!
# A reset waits for the backend, once; deleting the device asks for one or two.
check "a device of a stopped backend can be deleted in time" \
	took $((4 * TIMEOUT_MS + HANGS)) timeout 60 vdpa dev del third
check "and the other" took $((4 * TIMEOUT_MS + HANGS)) timeout 60 vdpa dev del fourth
wait "$pinger"
like "the functions of the other switch did not notice" "$(cat "$WORK/ping")" ' 0% packet loss'
check "the functions can be used again" add_dev third "$VF3"
kill -CONT "${SWITCH_PIDS[other]}"
check "the stopped backend, awake again, ends in order" switch_stop other

# ---- the end

iperf_in_background
wait_for 10 red_sends
switch_kill switch
check "modprobe -r after all that, with devices" took $((2 * HANGS)) card_down
check "nothing is left of them" card_is_gone
iperf_end
finish
