#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# vringh-lib as somebody else gets it: installed into an empty directory, found by
# pkg-config alone. What is visible, what is described, and whether the example
# works as the device of a stock driver (DPDK's virtio-user).

set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
ROOT=$(mktemp -d)
trap 'rm -rf "$ROOT"; kill $(jobs -p) 2>/dev/null' EXIT
export PKG_CONFIG_PATH=$ROOT/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$ROOT
export LD_LIBRARY_PATH=$ROOT/usr/lib
EXAMPLE="vringh-lib/examples/echo.c vringh-lib/examples/vhost_user.c"
MAN=$ROOT/usr/share/man
TESTS=0

check() {
	local name=$1 output status=ok

	shift
	output=$("$@" 2>&1) || status="not ok"
	TESTS=$((TESTS + 1))
	[[ $status == ok ]] || sed 's/^/# /' <<<"$output"
	echo "$status $TESTS - $name"
}

lib_make() {
	make --no-print-directory -C vringh-lib OUT="$ROOT/build" DESTDIR="$ROOT" PREFIX=/usr \
		WERROR=1 "$@"
}

# What the headers describe, inline functions too.
functions() {
	local header

	for header in vringh-lib/include/vrl/*.h; do
		vringh-lib/man/header2man --functions "$header"
	done | sort
}

symbols() {
	nm "$@" --defined-only | sed -n 's/.* T \([^@]*\).*/\1/p' | sort
}

# Declared in a header and not inline: gcc lists them.
visible_functions_are_those_of_the_headers() {
	printf '#include <%s>\n' vrl/{inflight,mem,vring,iotlb}.h >"$ROOT/all.c"
	gcc -I"$ROOT/usr/include" -fsyntax-only -aux-info "$ROOT/all.txt" "$ROOT/all.c" &&
		diff <(symbols -D "$ROOT/usr/lib/libvringh.so") \
			<(sed -n 's/.* extern .*\b\(vrl_[a-z_]*\) (.*/\1/p' "$ROOT/all.txt" | sort -u)
}

archive_shows_the_same() {
	diff <(symbols -D "$ROOT/usr/lib/libvringh.so") <(symbols -g "$ROOT/usr/lib/libvringh.a")
}

each_function_has_a_page() {
	local name status=0

	while read -r name; do
		[[ -s $MAN/man3/$name.3 ]] || { echo "no page for $name"; status=1; }
	done < <(functions)
	[[ $(functions | wc -l) -gt 20 ]] && return "$status"
}

pages_are_clean() {
	local page

	for page in "$MAN"/man3/vrl_*.3 "$MAN"/man7/*; do
		(cd "$MAN" && groff -ww -man -Tutf8 "$page") || return
	done 2>&1 >/dev/null | grep . && return 1
	return 0
}

build_example() {
	local cc=$1 out=$2

	shift 2
	# shellcheck disable=SC2046,SC2086 # words are what is meant
	"$cc" -std=gnu11 -Wall -Wextra -Werror -O2 -o "$out" $EXAMPLE \
		$(pkg-config --cflags vringh) "$@"
}

shared_example() {
	# shellcheck disable=SC2046
	build_example gcc "$ROOT/echo" $(pkg-config --libs vringh) &&
		ldd "$ROOT/echo" | grep "libvringh.so.0 => $ROOT"
}

static_example() {
	build_example gcc "$ROOT/echo-static" "$ROOT/usr/lib/libvringh.a" &&
		! ldd "$ROOT/echo-static" | grep libvringh
}

headers_stand_alone() {
	local header

	for header in "$ROOT"/usr/include/vrl/*.h; do
		echo "#include <vrl/${header##*/}>" | gcc -std=c11 -pedantic -Wall -Wextra -Werror \
			-I"$ROOT/usr/include" -fsyntax-only -x c - || return
		echo "#include <vrl/${header##*/}>" | g++ -std=c++17 -Wall -Wextra -Werror \
			-I"$ROOT/usr/include" -fsyntax-only -x c++ - || return
	done
}

# The C code of the README is a program.
quick_start_compiles() {
	awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' vringh-lib/README.md >"$ROOT/quick.c"
	[[ -s $ROOT/quick.c ]] || return
	# shellcheck disable=SC2046
	gcc -std=gnu11 -Wall -Wextra -Werror -c -o "$ROOT/quick.o" "$ROOT/quick.c" \
		$(pkg-config --cflags vringh)
}

build_client() {
	unset PKG_CONFIG_SYSROOT_DIR
	# shellcheck disable=SC2046
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$ROOT/client" tests/install/echo_client.c \
		$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g') $(pkg-config --libs libdpdk)
}

# echo_works PROGRAM VIRTIO-USER-OPTIONS
echo_works() {
	local socket=$ROOT/socket pid i

	rm -f "$socket"
	"$ROOT/$1" "$socket" >"$ROOT/echo.log" 2>&1 &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		[[ -S $socket ]] && break
		sleep 0.1
	done
	# The device ends when its driver hangs up; a crash of either is a failure.
	if timeout 120 "$ROOT/client" --no-huge --no-pci --no-telemetry -m 64 -l 0 \
		--file-prefix "echo$$" --vdev "net_virtio_user0,path=$socket,$2"; then
		wait "$pid" && return
	else
		kill "$pid" 2>/dev/null
	fi
	cat "$ROOT/echo.log"
	return 1
}

nothing_is_left() {
	lib_make uninstall >/dev/null && ! find "$ROOT/usr" -type f -o -type l | grep .
}

check "the library installs" lib_make install
check "the shared library shows the functions of the headers, and no more" \
	visible_functions_are_those_of_the_headers
check "so does the archive" archive_shows_the_same
check "each function has a page of the manual" each_function_has_a_page
check "groff has nothing to say of the pages" pages_are_clean
check "each header compiles alone, as C11 and as C++17" headers_stand_alone
check "the code of the README compiles" quick_start_compiles
check "the example builds with the shared library" shared_example
check "and with the archive" static_example
check "a driver for it builds" build_client
check "it echoes on split rings" echo_works echo queue_size=256,mrg_rxbuf=1
check "without mergeable buffers" echo_works echo queue_size=64,mrg_rxbuf=0
check "on packed rings" echo_works echo-static queue_size=256,mrg_rxbuf=1,packed_vq=1
check "with buffers used in order" echo_works echo queue_size=256,in_order=1
check "uninstalling leaves nothing" nothing_is_left
echo "1..$TESTS"
