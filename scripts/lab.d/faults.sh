# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# What counts as a fault in the kernel log, for the lab after each run and for
# the tests in it after each case. Extended regular expressions.
# shellcheck disable=SC2034 # for those who read this file

readonly KLOG_FAULTS='WARNING:|BUG:|Oops|Kernel panic|Call Trace:|KASAN|KFENCE|UBSAN|DMA-API:'\
'|possible (recursive|circular) locking|possible irq lock inversion|inconsistent lock state'\
'|suspicious RCU usage|bad unlock balance|lock held when returning|held lock freed'\
'|blocked for more than|soft lockup|hard LOCKUP|rcu.*(detected|self-detected) stall'\
'|refcount_t|general protection fault|unable to handle|scheduling while atomic'\
'|sleeping function called|list_(add|del) corruption|bad page state|Bad page map'\
'|unregister_netdevice: waiting for|nobody cared'
# What the debug kernel says at every boot.
readonly KLOG_NO_FAULTS='DMA-API: (preallocated|debugging enabled)'
