#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The card's own memory, BAR 2: a file goes into it and back to a disk straight
# from the mapping. VSP_DDR_FULL=1 takes a file of 2 GiB + 4 KiB, for a machine
# of 12 GiB or more and a disk of 5 GiB:
#
#	truncate -s 5G build/ddr.img
#	scripts/lab run --mem 12 --qemu "-drive file=build/ddr.img,format=raw,if=virtio" \
#		-- env VSP_DDR_FULL=1 VSP_DDR_DISK=/dev/vdc tests/vm/48-ddr.t

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

if [[ ${VSP_DDR_FULL:-0} == 1 ]]; then
	SIZE=$((2 * 1024 * 1024 * 1024 + 4096))
	DDR_MB=4096
else
	SIZE=$((32 * 1024 * 1024 + 4096))
	DDR_MB=64
fi
DISK_DIR=$WORK/disk
SYSFS=/sys/bus/pci/devices/$PF
IOMEM=$(cat /proc/iomem)

# A real file system, so that there is a page cache to drop.
disk_up() {
	local disk=${VSP_DDR_DISK:-}

	if [[ -z $disk ]]; then
		disk=$WORK/disk.img
		modprobe loop
		truncate -s $((SIZE * 5 / 2)) "$disk"
		set -- -o loop
	fi
	mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 "$disk" &&
		mkdir -p "$DISK_DIR" && mount "$@" "$disk" "$DISK_DIR"
}

disk_down() {
	umount "$DISK_DIR" 2>/dev/null
}

forget_files() {
	sync && echo 3 >/proc/sys/vm/drop_caches
}

# bar NUMBER: "START END" of a BAR of the PF.
bar() {
	sed -n "$(($1 + 1))p" "$SYSFS/resource" | cut -d' ' -f1,2
}

bar_size() {
	local start end

	read -r start end < <(bar "$1")
	echo $((end - start + 1))
}

save() {
	ddr save "$1" "$SIZE" >"$DISK_DIR/back" 2>"$WORK/save"
}

save_by_pipe() {
	ddr save "$1" "$SIZE" 2>"$WORK/save" | cat >"$DISK_DIR/back"
	[[ ${PIPESTATUS[*]} == "0 0" ]]
}

save_direct() {
	ddr save "$1" "$SIZE" direct >"$DISK_DIR/back"
}

same() {
	forget_files && cmp "$DISK_DIR/file" "$DISK_DIR/back"
}

# A process that has the memory mapped, until descriptor 8 is closed.
holder_sees() {
	grep -q "$1" "$WORK/hold"
}

start_holder() {
	mkfifo "$WORK/until"
	ddr hold "$1" <"$WORK/until" >"$WORK/hold" 2>&1 &
	HOLDER=$!
	exec 8>"$WORK/until"
}

trap 'disk_down; cleanup' EXIT

refuse "a size that is no power of two is refused" 'ddr_mb=3 is neither' modprobe vsp_hw ddr_mb=3
modprobe vsp_hw ddr_mb="$DDR_MB" total_vfs=2 || give_up "no card with $DDR_MB MiB"
is "BAR 2 has the size that was asked for" "$(bar_size 2)" $((DDR_MB * 1024 * 1024))
like "lspci shows it, 64 bit and prefetchable" "$(lspci -vv -s "$PF")" \
	'Region 2: Memory at .*64-bit, prefetchable'
read -r ddr_start ddr_end < <(bar 2)
read -r bar4_start _ < <(bar 4)
is "it is naturally aligned" $((ddr_start % (DDR_MB * 1024 * 1024))) 0
is "the BARs 4 follow it in the port's window" $((bar4_start)) $((ddr_end + 1))
is "the second half reads as zero at power on" \
	"$(ddr peek "$SYSFS/resource2" $((DDR_MB * 512 * 1024)))" 0x00000000

modprobe vdpa_sim_pcie num_vfs=2 || give_up "the driver does not load"
check "resource2 can be mapped while a driver has the function" \
	ddr poke "$SYSFS/resource2" 4096 0x12345678
is "what was written is there" "$(ddr peek "$SYSFS/resource2" 4096)" 0x12345678
is "the write-combining file shows the same memory" \
	"$(ddr peek "$SYSFS/resource2_wc" 4096)" 0x12345678
is "so does the backend's mapping" "$(ddr peek "/dev/vsp/$PF" 4096)" 0x12345678
check "the backend writes the last word" \
	ddr poke "/dev/vsp/$PF" $((DDR_MB * 1024 * 1024 - 4)) 0xcafe0001
is "and it is the last word of BAR 2" \
	"$(ddr peek "$SYSFS/resource2" $((DDR_MB * 1024 * 1024 - 4)))" 0xcafe0001
refuse "a VF has none" 'no memory' ddr peek "/dev/vsp/$VF1" 0
refuse "BAR 4 is the driver's" 'Invalid argument' ddr peek "$SYSFS/resource4" 0
check "a function level reset" sh -c "echo 1 >$SYSFS/reset"
is "leaves the memory as it is" "$(ddr peek "$SYSFS/resource2" 4096)" 0x12345678

check "a disk for the file" disk_up
check "a file of $SIZE bytes" ddr fill "$DISK_DIR/file" "$SIZE"
forget_files
is "it is read into the card's memory" \
	"$(ddr load "$SYSFS/resource2" "$DISK_DIR/file")" "$SIZE"
check "and written back straight from the mapping" save "$SYSFS/resource2"
diag "$(cat "$WORK/save")"
like "  all of it" "$(cat "$WORK/save")" "^$SIZE bytes"
# One call takes 0x7ffff000 bytes at most.
is "  in as few calls as the kernel permits" \
	"$(sed 's/.*, \([0-9]*\) calls.*/\1/' "$WORK/save")" $((SIZE / 0x7ffff000 + 1))
check "the disk has the same bytes" same
rm -f "$DISK_DIR/back"
if [[ ${VSP_DDR_FULL:-0} != 1 ]]; then
	check "through a pipe, which takes a little at a time" save_by_pipe "$SYSFS/resource2_wc"
	at_least "  partial writes were many" \
		"$(sed 's/.*, \([0-9]*\) partial/\1/' "$WORK/save")" 100
	check "the disk has the same bytes" same
	rm -f "$DISK_DIR/back"
fi
check "from the backend's mapping" save "/dev/vsp/$PF"
check "the disk has the same bytes" same
refuse "O_DIRECT is not for the memory of a card" 'Bad address' save_direct "$SYSFS/resource2"
disk_down

start_holder "$SYSFS/resource2"
check "a process maps the memory and stays" wait_for 20 holder_sees mapped
check "the modules can be unloaded nevertheless" card_down
is "the resource tree is as before" "$(cat /proc/iomem)" "$IOMEM"
exec 8>&-
wait "$HOLDER"
is "the process has lost the mapping" "$(tail -n 1 "$WORK/hold")" gone

modprobe vsp_hw || give_up "no card"
is "without ddr_mb there is no BAR 2" "$(bar 2)" "0x0000000000000000 0x0000000000000000"
modprobe -r vsp_hw

finish
