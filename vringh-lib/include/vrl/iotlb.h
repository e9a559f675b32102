/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Range table of an IOTLB: which IOVAs lead where, and with which permission.
 * A sorted array of inclusive ranges [first, last] without overlap, so that the
 * whole 64-bit space is one range like any other and nothing wraps.
 *
 * The table is one block of memory without pointers into itself: one process (or
 * the kernel) writes it, any number of others read it through a mapping of their
 * own, read-only. Readers never wait: a sequence number tells them that the table
 * changed under their hands, and then they look again.
 *
 * A reader keeps a hint of its own: a copy of the range that it uses all the time.
 * An address inside of it is translated without touching the table at all. So that
 * the hint does not outlive the range, the reader compares the sequence numbers
 * once per burst (vrl_iotlb_sync). A writer that takes memory away for good must
 * wait for that, or keep the pages until then: the table cannot know who is still
 * copying.
 */
#ifndef VRL_IOTLB_H
#define VRL_IOTLB_H

#include <vrl/types.h>

#define VRL_PERM_R	(1u << 0)	/* the device may read */
#define VRL_PERM_W	(1u << 1)	/* the device may write */

/* Most ranges of a table; what does not fit is refused, never evicted. */
#define VRL_IOTLB_MAX	4096

/*
 * @addr belongs to @first: a pointer of this side or any other linear number;
 * the library only adds to it, modulo 2^64. A reader in another address space
 * adds its own base (vrl/mem.h).
 */
struct vrl_iotlb_entry {
	__u64 first;
	__u64 last;
	__u64 addr;
	__u32 perm;
	__u32 reserved;			/* 0 */
};

/* @seq is odd while the writer is at work. Written by the functions below only. */
struct vrl_iotlb {
	__u32 seq;
	__u32 nr;
	__u32 max;
	__u32 reserved;			/* 0 */
	struct vrl_iotlb_entry entries[];
};

/*
 * A reader's own: a copy of its hot range, and what it knows of the table. One
 * per reader (and, where a reader reads and writes different ranges in turn, one
 * per direction). Zeroed, it is empty and believes the table's own @max; a reader
 * that does not trust the writer starts it with vrl_iotlb_attach().
 *
 * A range becomes hot when it was looked up several times in a row, and is dropped
 * at the first other one: with addresses that alternate between ranges the test for
 * the hot range then fails predictably, where a copy of the range used last would
 * cost a mispredicted branch each time. Until then the range found last is only a
 * candidate: if it replaced @first, the next lookup would have to wait for this one.
 */
struct vrl_iotlb_hint {
	__u64 first;
	__u64 size;			/* last - first + 1, at most 2^64 - 1; or 0 */
	__u64 addr;			/* where @first leads */
	__u32 perm;
	__u32 seq;			/* of the table when it was copied */
	__u32 max;			/* most ranges believed; 0: vrl_iotlb.max */
	__u32 streak;			/* lookups in a row that found @candidate */
	__u64 candidate;		/* begin of the range found last */
};

/**
 * vrl_iotlb_size() - how much memory a table takes
 * @max: most ranges it can hold
 *
 * Return: bytes, or 0 if @max is not 1 to VRL_IOTLB_MAX.
 */
__u32 vrl_iotlb_size(__u32 max);

/**
 * vrl_iotlb_init() - make an empty table
 * @t:   vrl_iotlb_size(@max) bytes, aligned to 8; no reader may be inside. For a
 *       table in use there is vrl_iotlb_clear().
 * @max: most ranges it can hold
 *
 * Return: 0, or -EINVAL if @max is not 1 to VRL_IOTLB_MAX.
 */
int vrl_iotlb_init(struct vrl_iotlb *t, __u32 max);

/**
 * vrl_iotlb_add() - map a range
 * @t:     table; one writer at a time, readers may be inside
 * @first: first IOVA
 * @last:  last IOVA, inclusive
 * @addr:  where @first leads
 * @perm:  VRL_PERM_R, VRL_PERM_W or both
 *
 * Any context. Moves what lies behind: up to VRL_IOTLB_MAX entries.
 *
 * Return: 0; -EINVAL if @first > @last or @perm is none or unknown; -EEXIST if
 * any byte is mapped already; -ENOSPC if the table is full. On error nothing
 * has changed.
 */
int vrl_iotlb_add(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		  __u32 perm);

/**
 * vrl_iotlb_join() - map a range, as a part of its neighbours where that is the same
 * @t:     table; one writer at a time, readers may be inside
 * @first: first IOVA
 * @last:  last IOVA, inclusive
 * @addr:  where @first leads
 * @perm:  VRL_PERM_R, VRL_PERM_W or both
 *
 * As vrl_iotlb_add(). A range that is next to it, with the same permission and
 * addresses that go on, becomes one with it, in one step: no reader misses it.
 *
 * Return: as vrl_iotlb_add(); a table that is full still takes what joins.
 */
int vrl_iotlb_join(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		   __u32 perm);

/**
 * vrl_iotlb_del() - unmap whatever is mapped in a range
 * @t:     table; one writer at a time, readers may be inside
 * @first: first IOVA
 * @last:  last IOVA, inclusive
 *
 * Ranges that reach out of [@first, @last] keep their outer part. A hole inside
 * one range makes two of it, for which the table needs a free entry. Any context.
 *
 * Readers may go on using the memory until their next vrl_iotlb_sync().
 *
 * Return: 0; -EINVAL if @first > @last; -ENOENT if nothing was mapped there;
 * -ENOSPC if a split has no room. On error nothing has changed.
 */
int vrl_iotlb_del(struct vrl_iotlb *t, __u64 first, __u64 last);

/**
 * vrl_iotlb_clear() - unmap everything
 * @t: table; one writer at a time, readers may be inside
 *
 * Also brings a table back whose writer died at work. Any context.
 */
void vrl_iotlb_clear(struct vrl_iotlb *t);

/**
 * vrl_iotlb_attach() - begin to read a table that somebody else writes
 * @hint: is set up, empty
 * @size: bytes that are mapped here from the start of the table
 *
 * Whatever the table claims to hold, and in whatever order, no lookup with this
 * hint reads outside of @size bytes.
 *
 * Return: 0, or -EINVAL if not one range fits.
 */
int vrl_iotlb_attach(struct vrl_iotlb_hint *hint, __u64 size);

/**
 * vrl_iotlb_sync() - drop the hot range if the table has changed
 * @t:    table
 * @hint: the reader's own
 *
 * To be called once per burst, before its first translation. What was deleted
 * before this call is not translated after it.
 */
void vrl_iotlb_sync(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint);

/**
 * vrl_iotlb_translate() - find out where an IOVA leads
 * @t:    table; a writer may be at work
 * @hint: the reader's own
 * @iova: first byte wanted
 * @perm: permissions needed, all of them
 * @addr: out: where @iova leads
 * @len:  in: bytes wanted, > 0; out: bytes that lie together from @addr, > 0
 *        and <= in. What is left needs another call, also if the next range
 *        happens to follow in memory.
 *
 * Any context; does not wait for the writer longer than some 10 us.
 *
 * Return: 0; -EINVAL if *@len is 0; -EFAULT if @iova is not mapped; -EACCES if
 * it is, but not for @perm; -EAGAIN if the writer never rested. On error the
 * outputs are untouched.
 */
int vrl_iotlb_translate(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint,
			__u64 iova, __u32 perm, __u64 *addr, __u64 *len);

#endif /* VRL_IOTLB_H */
