// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Indirect tables (virtio 1.3, 2.7.5.3 and 2.8.8): noted while the ring is walked,
 * fetched together, then followed. Whatever the two sections forbid is refused.
 *
 * Every walk ends: it is bounded by the number of entries of the very table it
 * is in and by VRL_CHAIN_MAX. Lengths of 0 are refused, as QEMU does: no driver
 * sends them, and three implementations have looped on them.
 */
#include <vrl/mem.h>

#include "queue.h"

/*
 * Where a table of the driver's memory is to be read from: in place, if it lies in
 * one piece and its words are aligned; else from a copy in @f->dst, which is
 * private. Returns 0 with @f->dst set, or with @f->err; or -E2BIG, -EAGAIN.
 */
static int chain_find_table(struct burst_walk *w, struct vrl_fetch *f, __u32 nr)
{
	const struct vrl_seg seg = { .iova = f->iova, .len = f->len };
	const struct vrl_burst b = { .segs = (struct vrl_seg *)&seg };
	const struct vrl_chain c = { .nr_out = 1, .out_len = f->len };
	struct vrl_mem *mem = w->vq->mem;
	void *p = vrl_mem_at(mem, f->iova, f->len, VRL_PERM_R);

	if (likely(p && !((unsigned long)p & 7))) {
		prefetch(p);
		f->dst = p;
		return 0;
	}
	if (nr > w->b->max_table - w->nr_table)
		return -E2BIG;
	f->dst = &w->b->table[w->nr_table];
	f->err = vrl_mem_read(mem, &b, &c, 0, f->dst, f->len);
	if (f->err == -EAGAIN)
		return -EAGAIN;
	w->nr_table += nr;
	return 0;
}

/* The fetch op will copy it. Returns 0 or -E2BIG. */
static int chain_order_table(struct burst_walk *w, struct vrl_fetch *f, __u32 nr)
{
	if (nr > w->b->max_table - w->nr_table)
		return -E2BIG;
	f->dst = &w->b->table[w->nr_table];
	w->nr_table += nr;
	return 0;
}

/*
 * The table is only noted here; it is read with those of the whole burst. Room
 * for its segments is set aside now, so that the chains behind can be walked.
 */
int vrl_chain_note_table(struct burst_walk *w, struct vrl_chain *c,
			 __u64 iova, __u32 len)
{
	const struct vrl_vq *vq = w->vq;
	struct vrl_burst *b = w->b;
	__u32 nr = len / sizeof(struct vrl_desc);
	__u32 room = VRL_CHAIN_MAX - c->nr_out - c->nr_in;
	struct vrl_fetch *f;
	int ret;

	if (!(vq->features & VRL_F_INDIRECT))
		return VRL_WHY_INDIRECT_OFF;
	if (!nr || nr > VRL_CHAIN_MAX || len % sizeof(struct vrl_desc))
		return VRL_WHY_INDIRECT_LEN;
	if (range_check(iova, len, vq->iova_last))
		return VRL_WHY_ADDR_RANGE;

	if (room > nr)
		room = nr;
	if (room > b->max_segs - w->nr_segs)
		return -E2BIG;

	f = &b->fetches[w->nr_fetches];
	f->iova = iova;
	f->len = len;
	f->err = 0;
	ret = vq->mem ? chain_find_table(w, f, nr) : chain_order_table(w, f, nr);
	if (ret)
		return ret;
	w->nr_fetches++;
	w->nr_segs += room;
	c->flags = CHAIN_PENDING;
	return 0;
}

/* Split: entries are chained by their next. Returns 0 or enum vrl_why. */
static int chain_walk_split_table(struct burst_walk *w, struct vrl_chain *c,
				  const struct vrl_desc *table, __u32 entries)
{
	struct chain_sum sum = chain_load(c);
	struct vrl_seg *seg = &w->b->segs[c->seg + sum.nr];
	__u64 iova_last = w->vq->iova_last;
	struct desc_copy d;
	__u32 nr = 0, next = 0;
	__u16 flags;
	int ret;

	do {
		if (unlikely(++nr > entries))
			return VRL_WHY_LOOP;
		if (unlikely(sum.nr == VRL_CHAIN_MAX))
			return VRL_WHY_CHAIN_TOO_LONG;

		d = desc_read(&table[next]);
		flags = desc_flags(d);
		if (unlikely(flags & DESC_F_INDIRECT))
			return VRL_WHY_INDIRECT_NESTED;
		ret = chain_add(&sum, seg++, d.addr, desc_len(d), flags, iova_last);
		if (unlikely(ret))
			return ret;

		next = desc_next(d);
		if (unlikely((flags & DESC_F_NEXT) && next >= entries))
			return VRL_WHY_NEXT_RANGE;
	} while (flags & DESC_F_NEXT);

	return chain_store(c, &sum);
}

/*
 * Packed: all entries, in order; of the flags only DESC_F_WRITE means something.
 * The table is the whole chain. Returns 0 or enum vrl_why.
 */
static int chain_walk_packed_table(struct burst_walk *w, struct vrl_chain *c,
				   const struct vrl_desc *table, __u32 entries)
{
	struct vrl_seg *seg = &w->b->segs[c->seg];
	__u64 iova_last = w->vq->iova_last;
	struct chain_sum sum = { .len = 0 };
	struct desc_copy d;
	__u32 i;
	int ret;

	for (i = 0; i < entries; i++) {
		d = desc_read(&table[i]);
		ret = chain_add(&sum, &seg[i], d.addr, desc_len(d), desc_packed_flags(d),
				iova_last);
		if (unlikely(ret))
			return ret;
	}
	return chain_store(c, &sum);
}

int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n)
{
	bool packed = w->vq->features & VRL_F_PACKED;
	const struct vrl_fetch *f = w->b->fetches;
	struct vrl_chain *c = w->b->chains;
	unsigned int i;
	__u32 entries;
	int ret;

	if (!w->vq->mem) {
		ret = w->vq->fetch(w->vq->opaque, w->b->fetches, w->nr_fetches);
		if (ret)
			return ret;
	}

	for (i = 0; i < n; i++, c++) {
		if (!(c->flags & CHAIN_PENDING))
			continue;
		c->flags = 0;
		if (unlikely(f->err)) {
			chain_clear(c, VRL_CHAIN_FAULT);
			f++;
			continue;
		}
		entries = f->len / sizeof(struct vrl_desc);
		if (packed)
			ret = chain_walk_packed_table(w, c, f->dst, entries);
		else
			ret = chain_walk_split_table(w, c, f->dst, entries);
		if (unlikely(ret))
			return i ? (int)i : vq_break(w->vq, ret);
		f++;
	}
	return (int)n;
}
