/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Range table of an IOTLB: which IOVAs lead where, and with which permission.
 * A sorted array of inclusive ranges [first, last] without overlap, so that the
 * whole 64-bit space is one range like any other and nothing wraps.
 *
 * The array is the caller's. Any number of readers may translate at the same
 * time; whoever adds or deletes keeps readers out meanwhile (lock, seqcount).
 */
#ifndef VRL_IOTLB_H
#define VRL_IOTLB_H

#include <vrl/types.h>

#define VRL_PERM_R	(1u << 0)	/* the device may read */
#define VRL_PERM_W	(1u << 1)	/* the device may write */

/*
 * @addr belongs to @first: a pointer of this side or any other linear number;
 * the library only adds to it, modulo 2^64.
 */
struct vrl_iotlb_entry {
	__u64 first;
	__u64 last;
	__u64 addr;
	__u32 perm;
	__u32 reserved;			/* 0 */
};

struct vrl_iotlb {
	struct vrl_iotlb_entry *entries;
	__u32 nr;
	__u32 max;
};

/*
 * Where a reader found its last range, so that it looks there first. One per
 * reader, zeroed at start; stale contents are harmless.
 */
struct vrl_iotlb_hint {
	__u32 index;
};

/**
 * vrl_iotlb_init() - make an empty table
 * @t:       table
 * @entries: memory for @max entries; the caller's, as long as the table is used
 * @max:     most ranges the table can hold, up to 2^31
 */
void vrl_iotlb_init(struct vrl_iotlb *t, struct vrl_iotlb_entry *entries,
		    __u32 max);

/**
 * vrl_iotlb_add() - map a range
 * @t:     table; no reader may be inside
 * @first: first IOVA
 * @last:  last IOVA, inclusive
 * @addr:  where @first leads
 * @perm:  VRL_PERM_R, VRL_PERM_W or both
 *
 * Return: 0; -EINVAL if @first > @last or @perm is none or unknown; -EEXIST if
 * any byte is mapped already; -ENOSPC if the table is full. On error nothing
 * has changed.
 */
int vrl_iotlb_add(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		  __u32 perm);

/**
 * vrl_iotlb_del() - unmap whatever is mapped in a range
 * @t:     table; no reader may be inside
 * @first: first IOVA
 * @last:  last IOVA, inclusive
 *
 * Ranges that reach out of [@first, @last] keep their outer part. A hole inside
 * one range makes two of it, for which the table needs a free entry.
 *
 * Return: 0; -EINVAL if @first > @last; -ENOENT if nothing was mapped there;
 * -ENOSPC if a split has no room. On error nothing has changed.
 */
int vrl_iotlb_del(struct vrl_iotlb *t, __u64 first, __u64 last);

/**
 * vrl_iotlb_translate() - find out where an IOVA leads
 * @t:    table; the caller keeps it from changing during the call
 * @hint: the reader's own
 * @iova: first byte wanted
 * @perm: permissions needed, all of them
 * @addr: out: where @iova leads
 * @len:  in: bytes wanted, > 0; out: bytes that lie together from @addr, > 0
 *        and <= in. What is left needs another call, also if the next range
 *        happens to follow in memory.
 *
 * Return: 0; -EINVAL if *@len is 0; -EFAULT if @iova is not mapped; -EACCES if
 * it is, but not for @perm. On error the outputs are untouched.
 */
int vrl_iotlb_translate(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint,
			__u64 iova, __u32 perm, __u64 *addr, __u64 *len);

#endif /* VRL_IOTLB_H */
