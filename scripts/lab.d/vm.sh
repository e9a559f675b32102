# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# The lab's virtual machine: QEMU with the cached disks read-only, so that any
# number of machines run at once, and what belongs to one run (first-stage
# scripts, command, fresh modules) in a second initramfs archive. Output, exit
# status and kernel log come through virtio ports, the console goes to a file.

readonly RUNS_KEPT=8

# Out-of-tree modules of build/modules/RELEASE with a module index that knows
# them, made here at native speed: STAGE/modules is copied over the index.
stage_modules() {
	local stage=$1 release=$2 source=$CHECKOUT/build/modules/$2

	compgen -G "$source/*.ko" >/dev/null || return 0
	mkdir -p "$stage/modules/updates"
	cp "$source"/*.ko "$stage/modules/updates/"
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private sh -euc '
		tree=$1 release=$2 stage=$3
		mount -t tmpfs tmpfs "$tree/tmp"
		mount --bind "$stage/modules/updates" "$tree/usr/lib/modules/$release/updates"
		chroot "$tree" /usr/sbin/depmod -o /tmp "$release"
		cp "$tree/tmp/lib/modules/$release"/modules.* "$stage/modules/"
	' sh "$(root_dir)/root" "$release" "$stage" || die "depmod failed for $source"
}

# What this boot does: its words, and settings for lab.d/guest.
stage_job() {
	local stage=$1 rows=24 cols=80

	[[ -z $OPT_SHELL ]] || read -r rows cols < <(stty size)
	cp "$LAB_DIR"/{guest,stuck.sh,limit} "$stage/"
	printf '%s\0' "${COMMAND[@]}" >"$stage/argv"
	printf '%s\n' "LAB_SHELL=$OPT_SHELL" "LAB_MERGE=$OPT_MERGE" \
		"LAB_TIMEOUT=$OPT_TIMEOUT" "LAB_TERM=${TERM:-vt100}" \
		"LAB_ROWS=$rows" "LAB_COLS=$cols" >"$stage/settings"
}

make_initrd() {
	local run=$1 kernel=$2 stage=$1/initrd.d

	mkdir -p "$stage/lab"
	cp "$LAB_DIR/init" "$stage/init"
	chmod 755 "$stage/init"
	stage_job "$stage/lab"
	stage_modules "$stage/lab" "$(<"$kernel/release")"
	{
		cat "$kernel/initrd"
		(cd "$stage" && find . | cpio -o -H newc --quiet)
	} >"$run/initrd"
	rm -rf "$stage"
}

# KVM is worth it only where a machine really boots with it: nested and
# container hosts often have the device but not the function.
pick_accel() {
	local known

	if [[ -n ${VSP_ACCEL:-} ]]; then
		echo "$VSP_ACCEL"
		return
	fi
	if ! grep -qwE 'svm|vmx' /proc/cpuinfo || [[ ! -w /dev/kvm ]]; then
		echo tcg
		return
	fi
	known=$LAB_CACHE/accel-$(uname -r)-$(qemu-system-x86_64 --version | cksum | cut -d' ' -f1)
	if [[ ! -s $known ]]; then
		say "trying whether KVM works here"
		if VSP_ACCEL=kvm "$CHECKOUT/scripts/lab" run --timeout 40 -- true >/dev/null 2>&1; then
			echo kvm >"$known"
		else
			echo tcg >"$known"
		fi
	fi
	cat "$known"
}

# What the host's own kernel found as the rate of its time stamp counter, in kHz. The
# emulator passes that counter on. The guest's kernel would measure it with a timer that
# a loaded host delays, and then its clock has run 7 or 20 times too fast.
tsc_rate() {
	[[ $(uname -m) == x86_64 && -z $OPT_ICOUNT ]] || return 0
	{
		[[ -e /sys/devices/system/cpu/cpu0/cpufreq ]] ||
			sed -nE 's/^cpu MHz.*: ([0-9]+)\.([0-9]{3})$/\1\2/p' /proc/cpuinfo
		dmesg 2>/dev/null | sed -nE 's/.*tsc: (Detected|Refined.*:) ([0-9]+)\.([0-9]{3}) MHz.*/\2\3/p'
	} | tail -n 1 || true
}

kernel_arguments() {
	local rate="" check=""

	# A window has anonymous memory in a second address space, which that check
	# (of the debug kernel alone) takes for a fault.
	[[ $OPT_KERNEL != debug ]] || check=" page_table_check=off"
	[[ $1 == kvm ]] || rate=$(tsc_rate)
	# Page table isolation and fifth level page tables cost an emulated
	# machine much and prove nothing; an oops ends the run at once.
	printf '%s' "console=ttyS0 loglevel=5 log_buf_len=4M printk.devkmsg=on" \
		" panic=-1 oops=panic mitigations=off no5lvl tsc=reliable" \
		" net.ifnames=0 rdinit=/init${rate:+ tsc_early_khz=$rate}$check$OPT_APPEND"
}

# Fills QEMU[]: the machine without its ports.
# shellcheck disable=SC2054 # the commas are QEMU's
qemu_arguments() {
	local run=$1 kernel=$2 accel=$3

	QEMU=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
		-machine q35 -m "${OPT_MEM}G" -smp "$OPT_SMP"
		-kernel "$kernel/vmlinuz" -initrd "$run/initrd" -append "$(kernel_arguments "$accel")"
		-device isa-debug-exit,iobase=0xf4,iosize=1
		-drive "file=$(root_dir)/root.img,format=raw,if=none,id=root,readonly=on"
		-device virtio-blk-pci,drive=root
		-drive "file=$kernel/modules.img,format=raw,if=none,id=modules,readonly=on"
		-device virtio-blk-pci,drive=modules
		-virtfs "local,path=$CHECKOUT,mount_tag=vsp,security_model=none,multidevs=remap"
		-device virtio-rng-pci
		-serial "file:$run/console.log"
		-device virtio-serial-pci,max_ports=8)
	if [[ $accel == kvm ]]; then
		QEMU+=(-accel kvm -cpu host)
	# Without erms: the kernel would copy with `rep movsb`, which a real CPU
	# does by the line and the emulator byte by byte, ten times slower.
	elif [[ -n $OPT_ICOUNT ]]; then
		QEMU+=(-accel "tcg,thread=single" -cpu max,-erms -icount shift=0)
	else
		QEMU+=(-accel "tcg,thread=multi" -cpu max,-erms)
	fi
	QEMU+=("${OPT_QEMU[@]}")
}

add_port() {
	QEMU+=(-chardev "$2,id=$1" -device "virtserialport,chardev=$1,name=vsp.$1")
}

# A directory of its own for every run, under the checkout where it can be
# looked at; the newest RUNS_KEPT stay.
new_run_dir() {
	local base=$CHECKOUT/build/lab run old

	mkdir -p "$base"
	run=$(mktemp -d "$base/$(date +%m%d-%H%M%S).XXXX")
	chmod 755 "$run"
	ln -sfn "${run##*/}" "$base/last"
	# A directory with an initrd belongs to a machine that runs.
	while read -r old; do
		[[ -e $old/initrd && -z $(find "$old/initrd" -mmin +600) ]] || rm -rf "$old"
	done < <(find "$base" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' |
		sort -rn | cut -d' ' -f2- | tail -n "+$((RUNS_KEPT + 1))")
	printf '%s' "$run"
}

prepare_run() {
	local kernel accel

	need_root "the lab's machine"
	need_commands qemu-system-x86_64 cpio setpriv
	require_kernel "$OPT_KERNEL"
	kernel=$(kernel_dir "$OPT_KERNEL")
	accel=$(pick_accel)
	RUN=$(new_run_dir)
	make_initrd "$RUN" "$kernel"
	qemu_arguments "$RUN" "$kernel" "$accel"
	add_port status "file,path=$RUN/status"
	add_port klog "file,path=$RUN/klog.raw"
	add_monitor
	say "Linux $(<"$kernel/release"), $accel, $OPT_SMP CPUs, ${OPT_MEM} GiB; logs in ${RUN#"$CHECKOUT"/}"
}

abandon_machine() {
	kill -9 "$QEMU_PID" 2>/dev/null || true
	rm -f "$RUN"/{initrd,out,err}
	remove_monitor
	exit "$1"
}

# The machine in the background so that signals are taken at once; it dies with
# this shell even if that is killed hard.
wait_for_machine() {
	local timer=

	setpriv --pdeathsig KILL "${QEMU[@]}" </dev/null 2>"$RUN/qemu.log" &
	QEMU_PID=$!
	trap 'abandon_machine 130' INT
	trap 'abandon_machine 143' TERM HUP
	if [[ $OPT_TIMEOUT -gt 0 ]]; then
		setpriv --pdeathsig KILL sleep "$OPT_TIMEOUT" &
		timer=$!
	fi
	wait -n "$QEMU_PID" ${timer:+"$timer"} 2>/dev/null || true
	if kill -0 "$QEMU_PID" 2>/dev/null; then
		TIMED_OUT=1
		kill -9 "$QEMU_PID"
	fi
	[[ -z $timer ]] || kill "$timer" 2>/dev/null || true
	wait "$QEMU_PID" 2>/dev/null || true
	trap - INT TERM HUP
	rm -f "$RUN/initrd"
	remove_monitor
}

same_file() {
	[[ $(readlink /proc/self/fd/1) == "$(readlink /proc/self/fd/2)" ]]
}

cmd_run() {
	local out_pid err_pid=

	parse_options "$@"
	[[ ${#COMMAND[@]} -gt 0 ]] || die "run: no command after --"
	OPT_SHELL='' OPT_MERGE='' TIMED_OUT=''
	if same_file; then OPT_MERGE=1; fi
	prepare_run
	mkfifo "$RUN/out" "$RUN/err"
	cat "$RUN/out" & out_pid=$!
	cat "$RUN/err" >&2 & err_pid=$!
	add_port out "file,path=$RUN/out"
	add_port err "file,path=$RUN/err"
	wait_for_machine
	finish_output "$out_pid" "$err_pid"
	if died_at_boot && [[ -z ${LAB_AGAIN:-} ]]; then
		say "the kernel panicked before the command (${RUN#"$CHECKOUT"/}/console.log); once more"
		LAB_AGAIN=1 exec "$CHECKOUT/scripts/lab" run "$@"
	fi
	exit "$(run_status)"
}

# Nothing of this project runs before the command. But emulators have been seen to run
# code that the booting kernel was just patching: "Oops: int3" in sched_clock_cpu().
died_at_boot() {
	grep -aq 'Kernel panic' "$RUN/console.log" &&
		! grep -aq 'lab: command starts' "$RUN/console.log"
}

# A QEMU that never started never opened the pipes: open them for it.
finish_output() {
	: <>"$RUN/out" <>"$RUN/err"
	wait "$@" 2>/dev/null || true
	rm -f "$RUN/out" "$RUN/err"
}

# shellcheck disable=SC2034 # TIMED_OUT is for klog.sh
cmd_shell() {
	local terminal

	parse_options "$@"
	[[ -t 0 ]] || die "shell: no terminal (use run)"
	OPT_SHELL=1 OPT_MERGE=1 OPT_TIMEOUT=0 TIMED_OUT=''
	prepare_run
	# shellcheck disable=SC2054 # the commas are QEMU's
	QEMU+=(-chardev stdio,id=terminal,signal=off -device virtconsole,chardev=terminal)
	terminal=$(stty -g)
	stty raw -echo
	"${QEMU[@]}" 2>"$RUN/qemu.log" || true
	stty "$terminal"
	rm -f "$RUN/initrd"
	remove_monitor
	exit "$(run_status)"
}
