# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The cases of a .t file: TAP, the kernel log checked with every case, waiting, JSON.
# lib.sh reads this file.
#
# Emulation is slow and uneven: nothing here sleeps for a guessed time. A test
# waits for a condition, with a limit that only a fault can reach. And a program that
# is started takes a tenth of a second, so that what every case does is done in bash.

# shellcheck source=scripts/lab.d/faults.sh
. "${0%/*}/../../scripts/lab.d/faults.sh"

WORK=$(mktemp -d)
TESTS=0
MARKS=0
KLOG=
PART=
exec {NEVER}<> <(:)

diag() {
	echo "# ${*//$'\n'/$'\n# '}"
}

# The kernel log since the last case ended is in $KLOG, which klog_read brings up to
# date. One process copies the log for the whole file, as starting one takes a tenth of
# a second under emulation: a mark goes into the log and is waited for. What stood there
# before is not copied, and `dmesg` has forgotten it: tests count its lines.
klog_open() {
	dmesg -C
	: >"$WORK/kmsg"
	perl -e '$| = 1; sysseek(STDIN, 0, 2) or die; print "here\n"; exec "cat"' \
		</dev/kmsg >>"$WORK/kmsg" 2>&1 &
	KLOG_COPIER=$!
	disown
	until [[ -s $WORK/kmsg ]]; do
		nap 0.02
	done
	exec {KLOG_FD}<"$WORK/kmsg"
	klog_read
	KLOG=
	CASE_START=${EPOCHREALTIME/[.,]/}
}

# Not in a subshell, which would take the lines with it.
klog_read() {
	local line seen=
	local -a lines

	MARKS=$((MARKS + 1))
	MARK="vsp-test: ${0##*/} $$ mark $MARKS"
	echo "<6>$MARK" >/dev/kmsg
	until [[ -n $seen ]]; do
		mapfile -u "$KLOG_FD" lines
		if [[ ${#lines[@]} -eq 0 ]]; then
			kill -0 "$KLOG_COPIER" 2>/dev/null || return
			nap 0.02
		fi
		for line in "${lines[@]}"; do
			line=$PART$line
			PART=
			[[ $line == *$'\n' ]] || { PART=$line && break; }
			case $line in
			*";$MARK"$'\n') seen=1 ;;
			# Lines that begin with a blank say which device the one before is about.
			" "* | *";vsp-test: "*) ;;
			*) KLOG+=${line#*;} ;;
			esac
		done
	done
}

# verdict STATUS NAME: every case ends here. A dirty kernel log fails it. What took two
# seconds or more since the case before says so.
verdict() {
	local status=$1 dirty took

	TESTS=$((TESTS + 1))
	klog_read || { diag "the kernel log can be read no more" && status=1; }
	if [[ -n $KLOG ]] &&
		dirty=$(grep -aE "$KLOG_FAULTS" <<<"$KLOG" | grep -avE "$KLOG_NO_FAULTS"); then
		diag "kernel log: $dirty"
		status=1
	fi
	[[ $status -eq 0 || -z $KLOG ]] || diag "$(tail -n 30 <<<"$KLOG")"
	KLOG=
	took=$(((${EPOCHREALTIME/[.,]/} - CASE_START) / 100000))
	[[ $took -lt 20 ]] || diag "after $((took / 10)).$((took % 10)) s"
	CASE_START=${EPOCHREALTIME/[.,]/}
	if [[ $status -eq 0 ]]; then
		echo "ok $TESTS - $2"
	else
		echo "not ok $TESTS - $2"
	fi
	return "$status"
}

# check NAME COMMAND...: the command succeeds.
check() {
	local name=$1 output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	[[ $status -eq 0 ]] || diag "status $status of: $*" $'\n'"$output"
	verdict "$status" "$name"
}

# refuse NAME REGEX COMMAND...: it fails, and says why in words that match, on
# its standard error or in the kernel log.
refuse() {
	local name=$1 regex=$2 output status=1

	shift 2
	if output=$("$@" 2>&1); then
		diag "succeeded: $*"
	else
		klog_read
		output+=$'\n'$KLOG
		grep -qE -- "$regex" <<<"$output" && status=0 ||
			diag "no match for /$regex/ in: $output"
	fi
	verdict "$status" "$name"
}

is() {
	[[ $2 == "$3" ]] && verdict 0 "$1" && return
	diag "got '$2', wanted '$3'"
	verdict 1 "$1"
}

like() {
	grep -qE -- "$3" <<<"$2" && verdict 0 "$1" && return
	diag "no match for /$3/ in:" $'\n'"$2"
	verdict 1 "$1"
}

# at_least NAME NUMBER LEAST
at_least() {
	awk -v a="${2:-0}" -v b="$3" 'BEGIN { exit !(a + 0 >= b + 0) }' && verdict 0 "$1" && return
	diag "got '$2', wanted at least $3"
	verdict 1 "$1"
}

# agree NAME A B: within 1 %, or two packets where there are few.
agree() {
	awk -v a="${2:-x}" -v b="${3:-x}" 'BEGIN {
		if (a !~ /^[0-9]+$/ || b !~ /^[0-9]+$/ || a == 0)
			exit 1
		d = a > b ? a - b : b - a
		exit !(d <= 2 || d <= a / 100) }' && verdict 0 "$1" && return
	diag "got '$2' and '$3'"
	verdict 1 "$1"
}

# cases NAME FILE: the TAP of a program in FILE becomes ours. The kernel log is
# looked at once for all.
cases() {
	local line

	while read -r line; do
		case $line in
		"ok "*) TESTS=$((TESTS + 1)) && echo "ok $TESTS - $1: ${line#ok * - }" ;;
		"not ok "*) TESTS=$((TESTS + 1)) && echo "not ok $TESTS - $1: ${line#not ok * - }" ;;
		*) diag "$line" ;;
		esac
	done <"$2"
	check "$1: ran to its end" grep -q '^1\.\.' "$2"
}

# program NAME COMMAND...: runs it, its cases are ours.
program() {
	local name=$1

	shift
	timeout "${PROGRAM_LIMIT:-300}" "$@" >"$WORK/$name.tap" 2>&1
	cases "$name" "$WORK/$name.tap"
}

skip() {
	TESTS=$((TESTS + 1))
	echo "ok $TESTS - $1 # SKIP $2"
}

# The file cannot go on: one failed case, then the end.
give_up() {
	verdict 1 "$*"
	finish
}

finish() {
	echo "1..$TESTS"
	exit 0
}

# nap SECONDS: sleep without a process, on a pipe that nobody writes to.
nap() {
	read -r -t "$1" -u "$NEVER" || :
}

# wait_for SECONDS COMMAND...: true as soon as the command is. The time is a quiet
# machine's; a loaded one has four times as much.
wait_for() {
	local deadline=$((SECONDS + 4 * $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[[ $SECONDS -lt $deadline ]] || return 1
		nap 0.1
	done
}

now_ms() {
	date +%s%3N
}

# json FILE KEY...: one value out of a JSON file; keys of an array are numbers. In awk,
# as perl takes a second to load its parser under emulation.
json() {
	awk '
		BEGIN {
			for (i = 2; i < ARGC; i++)
				want[++wanted] = ARGV[i]
			ARGC = 2
		}
		function here(i) {
			if (depth != wanted)
				return 0
			for (i = 1; i <= depth; i++)
				if (key[i] "" != want[i] "")
					return 0
			return 1
		}
		function token(t) {
			if (t == ":") {
				in_key[depth] = 0
			} else if (t == ",") {
				if (array[depth]) key[depth]++; else in_key[depth] = 1
			} else if (t == "}" || t == "]") {
				depth--
			} else if (in_key[depth]) {
				key[depth] = substr(t, 2, length(t) - 2)
			} else if (here()) {
				found = t != "null"
				gsub(/^"|"$/, "", t)
				if (found) print t
				exit
			} else if (t == "{" || t == "[") {
				array[++depth] = t == "["
				in_key[depth] = t == "{"
				key[depth] = 0
			}
		}
		{
			while (match($0, /"([^"\\]|\\.)*"|[-+.0-9A-Za-z]+|[][{}:,]/)) {
				t = substr($0, RSTART, RLENGTH)
				$0 = substr($0, RSTART + RLENGTH)
				token(t)
			}
		}
		END { exit !found }' "$@"
}

