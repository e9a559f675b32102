// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * IOTLB range table: a sorted array of inclusive ranges. Searching it is several
 * times faster than an interval tree; adding and deleting move the tail.
 */
#include "iotlb.h"

/* Index of the first range that does not end before @iova. */
static __u32 iotlb_find(const struct vrl_iotlb *t, __u64 iova)
{
	if (!t->nr)
		return 0;
	return (__u32)(entries_find(t->entries, t->nr, iova) - t->entries);
}

static void entry_store(struct vrl_iotlb_entry *dst,
			const struct vrl_iotlb_entry *src)
{
	WRITE_ONCE(dst->first, src->first);
	WRITE_ONCE(dst->last, src->last);
	WRITE_ONCE(dst->addr, src->addr);
	WRITE_ONCE(dst->perm, src->perm);
	WRITE_ONCE(dst->reserved, src->reserved);
}

/* A writer that died has left seq odd: it stays odd until the next one is done. */
static void iotlb_write_begin(struct vrl_iotlb *t)
{
	WRITE_ONCE(t->seq, t->seq | 1);
	smp_wmb();				/* (W1) pairs with (R2) */
}

static void iotlb_write_end(struct vrl_iotlb *t)
{
	/* (W2) pairs with (R1) and with vrl_iotlb_sync(). */
	smp_store_release(&t->seq, t->seq + 1);
}

/* Entries from @from on begin at @to. */
static void iotlb_move(struct vrl_iotlb *t, __u32 to, __u32 from)
{
	struct vrl_iotlb_entry *e = t->entries;
	__u32 n = t->nr - from, i;

	if (to < from)
		for (i = 0; i < n; i++)
			entry_store(&e[to + i], &e[from + i]);
	else if (to > from)
		for (i = n; i--;)
			entry_store(&e[to + i], &e[from + i]);
	WRITE_ONCE(t->nr, to + n);
}

/* Cut off everything up to and including @last, which lies inside @e. */
static void entry_cut_head(struct vrl_iotlb_entry *e, __u64 last)
{
	WRITE_ONCE(e->addr, e->addr + (last - e->first + 1));
	WRITE_ONCE(e->first, last + 1);
}

__u32 vrl_iotlb_size(__u32 max)
{
	const struct vrl_iotlb *t = NULL;

	if (!max || max > VRL_IOTLB_MAX)
		return 0;
	return (__u32)(sizeof(*t) + max * sizeof(t->entries[0]));
}

int vrl_iotlb_init(struct vrl_iotlb *t, __u32 max)
{
	if (!vrl_iotlb_size(max))
		return -EINVAL;

	*t = (struct vrl_iotlb){ .max = max };
	return 0;
}

/* Where a new range belongs, or why it does not. */
static int iotlb_place(const struct vrl_iotlb *t, const struct vrl_iotlb_entry *e)
{
	__u32 i;

	if (e->first > e->last || !e->perm || e->perm & ~(VRL_PERM_R | VRL_PERM_W))
		return -EINVAL;
	i = iotlb_find(t, e->first);
	if (i < t->nr && t->entries[i].first <= e->last)
		return -EEXIST;
	return (int)i;
}

static int iotlb_insert(struct vrl_iotlb *t, __u32 i, const struct vrl_iotlb_entry *e)
{
	if (t->nr >= t->max)
		return -ENOSPC;
	iotlb_write_begin(t);
	iotlb_move(t, i + 1, i);
	entry_store(&t->entries[i], e);
	iotlb_write_end(t);
	return 0;
}

static struct vrl_iotlb_entry iotlb_entry(__u64 first, __u64 last, __u64 addr, __u32 perm)
{
	return (struct vrl_iotlb_entry){
		.first = first,
		.last = last,
		.addr = addr,
		.perm = perm,
	};
}

int vrl_iotlb_add(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		  __u32 perm)
{
	const struct vrl_iotlb_entry e = iotlb_entry(first, last, addr, perm);
	int i = iotlb_place(t, &e);

	return i < 0 ? i : iotlb_insert(t, (__u32)i, &e);
}

/* Does @b go on where @a ends, so that one entry says both? */
static bool entry_goes_on(const struct vrl_iotlb_entry *a,
			  const struct vrl_iotlb_entry *b)
{
	return b->first && a->last == b->first - 1 && a->perm == b->perm &&
	       b->addr - a->addr == b->first - a->first;
}

int vrl_iotlb_join(struct vrl_iotlb *t, __u64 first, __u64 last, __u64 addr,
		   __u32 perm)
{
	const struct vrl_iotlb_entry e = iotlb_entry(first, last, addr, perm);
	struct vrl_iotlb_entry *at;
	bool before, after;
	int i;

	i = iotlb_place(t, &e);
	if (i < 0)
		return i;
	at = &t->entries[i];
	before = i && entry_goes_on(at - 1, &e);
	after = (__u32)i < t->nr && entry_goes_on(&e, at);
	if (!before && !after)
		return iotlb_insert(t, (__u32)i, &e);

	iotlb_write_begin(t);
	if (before)
		WRITE_ONCE(at[-1].last, after ? at->last : last);
	if (before && after) {
		iotlb_move(t, (__u32)i, (__u32)i + 1);
	} else if (after) {
		WRITE_ONCE(at->first, first);
		WRITE_ONCE(at->addr, addr);
	}
	iotlb_write_end(t);
	return 0;
}

/* A hole inside range @i: its end becomes a range of its own. */
static int iotlb_split(struct vrl_iotlb *t, __u32 i, __u64 first, __u64 last)
{
	if (t->nr >= t->max)
		return -ENOSPC;

	iotlb_write_begin(t);
	iotlb_move(t, i + 1, i);
	WRITE_ONCE(t->entries[i].last, first - 1);
	entry_cut_head(&t->entries[i + 1], last);
	iotlb_write_end(t);
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

	iotlb_write_begin(t);
	if (head)
		WRITE_ONCE(e[begin++].last, first - 1);
	if (tail)
		entry_cut_head(&e[--end], last);
	iotlb_move(t, begin, end);
	iotlb_write_end(t);
	return 0;
}

void vrl_iotlb_clear(struct vrl_iotlb *t)
{
	iotlb_write_begin(t);
	WRITE_ONCE(t->nr, 0);
	iotlb_write_end(t);
}

int vrl_iotlb_attach(struct vrl_iotlb_hint *hint, __u64 size)
{
	__u64 max = 0;

	if (size >= sizeof(struct vrl_iotlb))
		max = (size - sizeof(struct vrl_iotlb)) /
		      sizeof(struct vrl_iotlb_entry);
	if (max > VRL_IOTLB_MAX)
		max = VRL_IOTLB_MAX;

	*hint = (struct vrl_iotlb_hint){ .max = (__u32)max };
	return max ? 0 : -EINVAL;
}

void vrl_iotlb_sync(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint)
{
	/* Pairs with (W2): what the burst then finds is not older than this. */
	__u32 seq = smp_load_acquire(&t->seq);

	if (unlikely(seq != hint->seq)) {
		hint->size = 0;
		hint->seq = seq;
	}
}

int vrl_iotlb_translate(const struct vrl_iotlb *t, struct vrl_iotlb_hint *hint,
			__u64 iova, __u32 perm, __u64 *addr, __u64 *len)
{
	struct iotlb_found f;
	int ret;

	if (unlikely(!*len))
		return -EINVAL;
	if (likely(hint_bytes(hint, iova) >= *len &&
		   (hint->perm & perm) == perm)) {
		*addr = hint->addr + (iova - hint->first);
		return 0;
	}

	ret = iotlb_lookup(t, hint, 0, iova, perm, &f);
	if (unlikely(ret))
		return ret;
	/* Compared without the + 1, which is 0 for the whole 64-bit space. */
	if (*len - 1 > f.after)
		*len = f.after + 1;
	*addr = f.addr;
	return 0;
}
