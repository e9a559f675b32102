#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# vsp, the program that shows the card and works its switches, and its files in
# debugfs.

# shellcheck source=tests/vm/lib.sh
. "${0%/*}/lib.sh"

DEBUG=/sys/kernel/debug/vsp
COMMANDS="list rr wr translate aer unplug plug flr link msix"

# status_of COMMAND...: its exit status.
status_of() {
	local status=0

	"$@" >/dev/null 2>&1 || status=$?
	echo "$status"
}

every_command_has_help() {
	local command

	for command in $COMMANDS; do
		vsp "$command" --help | grep -q "^Usage: vsp $command" || return
		grep -q "^\.BI* \"*vsp $command" docs/vsp.8 && grep -qx "\.B $command" docs/vsp.8 ||
			{ echo "$command is not in the manual page"; return 1; }
	done
}

without_debugfs() {
	unshare -m sh -c 'umount /sys/kernel/debug && vsp list'
}

# List all functions to $WORK/list, then flat: "FUNCTION key value" a line, where
# the key of a queue is its number, a dot and the name. Starting perl is slow.
list_now() {
	vsp list --json >"$WORK/json" && perl -MJSON::PP -e '
		local $/;
		open(my $in, "<", $ARGV[0]);
		for my $f (@{decode_json(<$in>)->{functions}}) {
			print "$f->{name} $_ ", $f->{$_} // "null", "\n" for grep !ref $f->{$_}, keys %$f;
			for my $q (@{$f->{queues} // []}) {
				print "$f->{name} $q->{index}.$_ $q->{$_}\n" for keys %$q;
			}
		}' "$WORK/json" >"$WORK/list"
}

listed() {
	awk -v fn="$1" -v key="$2" '$1 == fn && $2 == key { print $3 }' "$WORK/list"
}

reg() {
	echo $(($(vsp rr "$@")))
}

reg_is() {
	[[ $(reg "$1" "$2") -eq $3 ]]
}

more_than() {
	[[ $(reg "$1" "$2") -gt $3 ]]
}

mailbox_answers() {
	(($(vsp rr "$VF1" mailbox.csr) & 0x1000))
}

# A mailbox command by nothing but register writes: get_status.
mailbox_by_hand() {
	vsp wr "$VF1" mailbox.version 1 && vsp wr "$VF1" mailbox.cmd 2 &&
		vsp wr "$VF1" mailbox.value 0 && vsp wr "$VF1" mailbox.csr 0x1100 &&
		wait_for 20 mailbox_answers
}

# Handler calls of the function's vector in /proc/interrupts.
interrupts() {
	awk -v irq="$1:" '$1 == irq { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i; print n }' \
		/proc/interrupts
}

msix_field() {
	awk -v vector="$1" -v field="$2" '$1 == vector { print $field }' <"$DEBUG/$VF1/msix"
}

sent_is_handled() {
	[[ $(msix_field "$1" 4) -gt 0 && $(msix_field "$1" 4) == "$(interrupts "$(msix_field "$1" 2)")" ]]
}

# complete_words LINE: what bash would offer at the end of it.
complete_words() {
	bash -c '. tools/vsp/vsp.bash
		COMP_LINE=$1 COMP_POINT=${#1}
		# readline breaks words at blanks and colons
		mapfile -t COMP_WORDS < <(grep -oE "[^ :]+|:" <<<"$1")
		[[ $1 == *[!\ :] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_vsp && echo "${COMPREPLY[@]}"' bash "$1"
}

# aer_counted FUNCTION CLASS
aer_counted() {
	grep -q '^TOTAL_ERR_.* [1-9]' "/sys/bus/pci/devices/$1/aer_dev_$2"
}

function_is_gone() {
	[[ ! -e $DEBUG/$1 ]]
}

# ---- without a card

is "no command at all is a usage error" "$(status_of vsp)" 2
is "an unknown command is a usage error" "$(status_of vsp frobnicate)" 2
is "too few arguments are a usage error" "$(status_of vsp wr 1 status)" 2
check "every command has help and a place in the manual page" every_command_has_help
refuse "without the module it says which to load" 'vsp_hw is not loaded; modprobe' vsp list

# ---- with one

card_up -- num_vfs=2 || give_up "the card does not load"
refuse "who is not root is told so" 'only root' setpriv --reuid 65534 vsp list
refuse "without debugfs it says what to mount" 'mount -t debugfs' without_debugfs
like "the list has a heading and one line per function" "$(vsp list | cut -d' ' -f1 | xargs)" \
	"^function 10000:00:00.0 $PF $VF1 $VF2\$"
check "a vDPA device on the function" add_dev red "$VF1"
check "the list in JSON" list_now
is "the list knows its driver" "$(listed "$VF1" driver)" vdpa_sim_pcie
is "the list knows its vDPA device" "$(listed "$VF1" vdpa)" red
is "the list knows its translation" "$(listed "$VF1" translation)" card
is "the list knows that it is a VF" "$(listed "$VF1" kind)" vf
is "the list knows no backend where there is none" "$(listed "$VF1" backend)" none
is "the list has the sizes of its queues" "$(listed "$VF1" 0.size)" "$(reg "$VF1" vq0.size)"
like "and as a table" "$(vsp list)" "^$VF1 +vf +vdpa_sim_pcie .* card +red +running "

is "a register by name" "$(vsp rr "$VF1" magic)" 0x31505356
is "a register by offset, 32 bits" "$(vsp rr "$VF1" 0)" 0x31505356
is "a register by offset, 8 bits" "$(vsp rr "$VF1" 1.8)" 0x53
is "a register by offset, 16 bits" "$(vsp rr "$VF1" 2.16)" 0x3150
is "a register by offset, 64 bits" "$(vsp rr "$VF1" 0.64)" 0x1000031505356
is "the end of an address is enough" "$(vsp rr 1 magic)$(vsp rr 00.1 magic)" 0x315053560x31505356
is "all registers with a name" "$(vsp rr 1 | wc -l)" \
	"$(vsp rr --names | grep -cE '^(stats\.)?(vq[0-2]|msix([0-9]|10)|vector([0-9]|10))\.|^[^0-9]+$')"
refuse "an unknown register is named" "no register bogus" vsp rr 1 bogus
refuse "an unknown function gets a list of those there" "no function 9; there are .*$VF2" vsp rr 9
refuse "an unaligned offset is refused" 'not aligned' vsp rr 1 0x31
refuse "an offset behind the BAR is refused" 'beyond' vsp rr 1 0x40000
refuse "a value that is too long is refused" 'more than 16 bits' vsp wr 1 mailbox.cmd 0x10000
refuse "the root port has no BAR 4" 'root port has no such thing' vsp rr port
check "the mailbox by register writes alone, answered by polling" mailbox_by_hand
is "its reply is the device status" "$(vsp rr 1 mailbox.value)" "$(vsp rr 1 status)"
DOORBELLS=$(reg 1 stats.vq0.doorbells)
check "a write to a doorbell" vsp wr 1 vq0.doorbell 0
check "which the device sees" wait_for 20 more_than 1 stats.vq0.doorbells "$DOORBELLS"
refuse "files of debugfs want whole registers" 'nvalid argument' \
	dd if=$DEBUG/$VF1/registers bs=3 count=1

# ---- link

check "link up by hand" vsp link 1 up 25000
is "with its speed" "$(vsp link 1)" "up 25000"
is "the registers say so" "$(vsp rr 1 link)$(reg 1 link_speed)" 0x125000
check "link down" vsp link 1 down
is "the registers say so" "$(vsp rr 1 link)" 0x0
is "a link that is neither is a usage error" "$(status_of vsp link 1 sideways)" 2
vdpa dev del red

# ---- with traffic

two_namespaces || give_up "no vDPA devices"
switch_start sw -- --port "$VF1" --port "$VF2"
check "the switch carries a ping" wait_for 60 ping_blue
list_now
is "the list knows the backend" "$(listed "$VF1" backend_comm)" vsp-switch
is "and its process" "$(listed "$VF1" backend_pid)" "${SWITCH_PIDS[sw]}"
at_least "and its packets" "$(listed "$VF1" 0.packets)" 1
check "interrupts that were sent were handled" wait_for 20 sent_is_handled 2
like "msix shows them for people" "$(vsp msix 1)" "^ +2 +$(msix_field 2 2) +$(msix_field 2 3) +[1-9]"
RING=$(vsp rr 1 vq0.desc)
vsp translate 1 "$RING" >"$WORK/walk"
like "a ring's address is walked" "$(cat "$WORK/walk")" '^ring: [0-9]+$'
like "to a page of this machine" "$(cat "$WORK/walk")" '^host page: frame 0x[0-9a-f]+, mapped [0-9]+ times'
like "and to the backend's address of it" "$(cat "$WORK/walk")" \
	'^backend address: 0x[0-9a-f]+, descriptor area of queue 0$'
PAGE=$(sed -n 's/^host page: frame \(0x[0-9a-f]*\),.*/\1/p' "$WORK/walk")
like "whose page table entry is of that page" "$(cat "$WORK/walk")" \
	"^backend pte: $PAGE"'000 r'
like "an address that is not mapped is a fault" "$(vsp translate 1 0xfff00000)" '^fault: '
is "which its exit status tells" "$(status_of vsp translate 1 0xfff00000)" 1

# ---- reset, completion, lifetime

RESETS=$(reg 1 reset_count)
check "function level reset" vsp flr 1
check "which the card has counted" more_than 1 reset_count "$RESETS"
check "the switch stops" switch_stop sw

is "completion of a command" "$(complete_words 'vsp trans')" translate
is "completion of a function, behind the colon" "$(complete_words 'vsp rr 10000:01:00.1')" 00.1
is "completion of all functions" "$(complete_words 'vsp flr ' | wc -w)" 4
is "completion of a register" "$(complete_words "vsp rr $VF1 stats.vq1.pack")" stats.vq1.packets
is "completion of a class of errors" "$(complete_words "vsp aer $VF1 non")" nonfatal
check "install puts program, manual page and completion in place" sh -c "
	make -s install-tool install-man DESTDIR=$WORK/root &&
	test -x $WORK/root/usr/local/sbin/vsp &&
	test -f $WORK/root/usr/local/share/man/man8/vsp.8 &&
	test -f $WORK/root/usr/local/share/bash-completion/completions/vsp"

# ---- platform translation

# No vDPA device: the function is as after power on.
vsp translate 01:00.0 0x7ffff000 >"$WORK/walk"
like "the platform's translation is shown as such" "$(cat "$WORK/walk")" '^translation: platform$'
like "with the kind of domain" "$(cat "$WORK/walk")" '^domain: (paging|identity)$'
like "and the levels of its table" "$(cat "$WORK/walk")" '^level 3: index 0, '

# ---- errors, slot

check "a correctable error" vsp aer 0 correctable
check "is counted by the kernel" wait_for 30 aer_counted "$PF" correctable
refuse "bits that are none of the class are refused" 'not those of a' vsp aer 0 correctable 0x2
is "a class that is none is a usage error" "$(status_of vsp aer 0 lethal)" 2

exec 8<"$DEBUG/$VF2/state" 9<"$DEBUG/$VF2/registers"
check "virtual functions go" sh -c "echo 0 >/sys/bus/pci/devices/$PF/sriov_numvfs"
check "with their files" wait_for 20 function_is_gone "$VF2"
refuse "one that is still open says that they have gone" 'No such device' sh -c 'cat <&8'
refuse "and so do the registers" 'No such device' sh -c 'dd bs=4 count=1 <&9'
exec 8<&- 9<&-
ip -all netns delete

check "the card is pulled" vsp unplug
refuse "once" 'out of its slot already' vsp unplug
check "the kernel removes its functions" wait_for 60 function_is_gone "$PF"
like "the list says why there are none" "$(vsp list)" '^The card is out of its slot'
check "the root port is still there" vsp msix port
check "the card is put back" vsp plug
refuse "once" 'in its slot already' vsp plug
check "the kernel finds it" wait_for 60 vsp rr "$PF" magic
check "modprobe -r" card_down
check "leaves nothing in debugfs" test ! -e "$DEBUG"

finish
