// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * IOTLB range table: a sorted array of inclusive ranges. The search compares
 * and never branches on the result, which on unpredictable addresses is several
 * times faster than an interval tree; adding and deleting move the tail.
 */
#include <vrl/iotlb.h>

#include "platform.h"

/* Number of ranges that end before @iova: the first that may hold it. */
static __u32 iotlb_find(const struct vrl_iotlb *t, __u64 iova)
{
	const struct vrl_iotlb_entry *e = t->entries;
	__u32 half, n = t->nr;

	if (!n)
		return 0;
	while (n > 1) {
		half = n / 2;
		e += e[half - 1].last < iova ? half : 0;
		n -= half;
	}
	return (__u32)(e - t->entries) + (e->last < iova);
}

static void iotlb_move(struct vrl_iotlb *t, __u32 to, __u32 from)
{
	memmove(&t->entries[to], &t->entries[from],
		(t->nr - from) * sizeof(*t->entries));
	t->nr = t->nr - from + to;
}

/* Cut off everything up to and including @last, which lies inside @e. */
static void entry_cut_head(struct vrl_iotlb_entry *e, __u64 last)
{
	e->addr += last - e->first + 1;
	e->first = last + 1;
}

void vrl_iotlb_init(struct vrl_iotlb *t, struct vrl_iotlb_entry *entries,
		    __u32 max)
{
	t->entries = entries;
	t->nr = 0;
	t->max = max;
}

int vrl_iotlb_add(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		  __u32 perm)
{
	__u32 i;

	if (first > last || !perm || perm & ~(VRL_PERM_R | VRL_PERM_W))
		return -EINVAL;

	i = iotlb_find(t, first);
	if (i < t->nr && t->entries[i].first <= last)
		return -EEXIST;
	if (t->nr == t->max)
		return -ENOSPC;

	iotlb_move(t, i + 1, i);
	t->entries[i] = (struct vrl_iotlb_entry){
		.first = first,
		.last = last,
		.addr = addr,
		.perm = perm,
	};
	return 0;
}

/* A hole inside range @i: its end becomes a range of its own. */
static int iotlb_split(struct vrl_iotlb *t, __u32 i, __u64 first, __u64 last)
{
	if (t->nr == t->max)
		return -ENOSPC;

	iotlb_move(t, i + 1, i);
	t->entries[i].last = first - 1;
	entry_cut_head(&t->entries[i + 1], last);
	return 0;
}

int vrl_iotlb_del(struct vrl_iotlb *t, __u64 first, __u64 last)
{
	struct vrl_iotlb_entry *e = t->entries;
	__u32 begin, end;
	bool head, tail;

	if (first > last)
		return -EINVAL;

	/* Ranges [begin, end) are touched; the outer two maybe in part. */
	begin = iotlb_find(t, first);
	end = iotlb_find(t, last);
	if (end < t->nr && e[end].first <= last)
		end++;
	if (begin == end)
		return -ENOENT;

	head = e[begin].first < first;
	tail = e[end - 1].last > last;
	if (head && tail && begin == end - 1)
		return iotlb_split(t, begin, first, last);
	if (head)
		e[begin++].last = first - 1;
	if (tail)
		entry_cut_head(&e[--end], last);
	iotlb_move(t, begin, end);
	return 0;
}

int vrl_iotlb_translate(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint,
			__u64 iova, __u32 perm, __u64 *addr, __u64 *len)
{
	const struct vrl_iotlb_entry *e;
	__u32 i = hint->index;

	if (unlikely(!*len))
		return -EINVAL;

	if (i >= t->nr || iova < t->entries[i].first ||
	    iova > t->entries[i].last) {
		i = iotlb_find(t, iova);
		if (i == t->nr || iova < t->entries[i].first)
			return -EFAULT;
		hint->index = i;
	}

	e = &t->entries[i];
	if (unlikely((e->perm & perm) != perm))
		return -EACCES;
	/* Compared without the + 1, which is 0 for the whole 64-bit space. */
	if (*len - 1 > e->last - iova)
		*len = e->last - iova + 1;
	*addr = e->addr + (iova - e->first);
	return 0;
}
