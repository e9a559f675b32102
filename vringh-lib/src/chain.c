// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Follows one descriptor chain, direct or through an indirect table, and
 * refuses whatever section 2.7.5 of virtio 1.3 forbids. Chains of one direct
 * descriptor never come here (vring.c).
 *
 * Every walk ends: it is bounded by the number of entries of the very table it
 * is in, by VRL_CHAIN_MAX, and by 2^32 bytes. Lengths of 0 are refused, as QEMU
 * does: no driver sends them, and three implementations have looped on them.
 */
#include "chain.h"

static int chain_add_seg(struct vrl_chain *c, struct vrl_seg *seg,
			 const struct desc_copy *d)
{
	bool write = d->flags & DESC_F_WRITE;

	if (!d->len)
		return VRL_WHY_ZERO_LEN;
	if (range_wraps(d->addr, d->len))
		return VRL_WHY_ADDR_WRAP;
	if ((__u64)c->out_len + c->in_len + d->len > 0xffffffff)
		return VRL_WHY_TOO_MANY_BYTES;
	if (!write && c->nr_in)
		return VRL_WHY_READ_AFTER_WRITE;

	seg->iova = d->addr;
	seg->len = d->len;
	seg->flags = d->flags & VRL_SEG_WRITE;
	if (write) {
		c->nr_in++;
		c->in_len += d->len;
	} else {
		c->nr_out++;
		c->out_len += d->len;
	}
	return 0;
}

/*
 * The table is only noted here; it is read with those of the whole burst. Room
 * for its segments is set aside now, so that the chains behind can be walked.
 */
static int chain_note_table(struct burst_walk *w, struct vrl_chain *c,
			    const struct desc_copy *d)
{
	struct vrl_burst *b = w->b;
	__u32 nr = d->len / sizeof(struct vrl_desc);
	__u32 room = VRL_CHAIN_MAX - c->nr_out - c->nr_in;
	struct vrl_fetch *f;

	if (!(w->vq->features & VRL_F_INDIRECT))
		return VRL_WHY_INDIRECT_OFF;
	if (d->flags & DESC_F_NEXT)
		return VRL_WHY_INDIRECT_NEXT;
	if (!nr || nr > VRL_CHAIN_MAX || d->len % sizeof(struct vrl_desc))
		return VRL_WHY_INDIRECT_LEN;
	if (range_wraps(d->addr, d->len))
		return VRL_WHY_ADDR_WRAP;

	if (room > nr)
		room = nr;
	if (nr > b->max_table - w->nr_table || room > b->max_segs - w->nr_segs)
		return -E2BIG;

	/* DESC_F_WRITE means nothing here and must be ignored (2.7.5.3.2). */
	f = &b->fetches[w->nr_fetches++];
	f->iova = d->addr;
	f->dst = &b->table[w->nr_table];
	f->len = d->len;
	f->err = 0;
	w->nr_table += nr;
	w->nr_segs += room;
	c->flags = CHAIN_PENDING;
	return 0;
}

/* A chain from its first descriptor, which the caller has read, to its end. */
int vrl_chain_walk(struct burst_walk *w, struct vrl_chain *c,
		   struct desc_copy d)
{
	struct vrl_burst *b = w->b;
	__u32 nr = 1;
	int ret;

	while (!(d.flags & DESC_F_INDIRECT)) {
		if (nr > VRL_CHAIN_MAX)
			return VRL_WHY_CHAIN_TOO_LONG;
		if (w->nr_segs == b->max_segs)
			return -E2BIG;
		ret = chain_add_seg(c, &b->segs[w->nr_segs], &d);
		if (ret)
			return ret;
		w->nr_segs++;

		if (!(d.flags & DESC_F_NEXT))
			return 0;
		if (d.next >= w->vq->num)
			return VRL_WHY_NEXT_RANGE;
		if (++nr > w->vq->num)
			return VRL_WHY_LOOP;
		d = desc_read(&w->vq->desc[d.next]);
	}

	return chain_note_table(w, c, &d);
}

/* The rest of a chain, from its indirect table, which has been read to @f->dst. */
int vrl_chain_walk_table(struct burst_walk *w, struct vrl_chain *c,
			 const struct vrl_fetch *f)
{
	const struct vrl_desc *table = f->dst;
	__u32 entries = f->len / sizeof(struct vrl_desc);
	struct vrl_seg *seg = &w->b->segs[c->seg + c->nr_out + c->nr_in];
	struct desc_copy d;
	__u32 nr = 0, next = 0;
	int ret;

	c->flags = 0;
	do {
		if (++nr > entries)
			return VRL_WHY_LOOP;
		if (c->nr_out + c->nr_in == VRL_CHAIN_MAX)
			return VRL_WHY_CHAIN_TOO_LONG;

		d = desc_read(&table[next]);
		if (d.flags & DESC_F_INDIRECT)
			return VRL_WHY_INDIRECT_NESTED;
		ret = chain_add_seg(c, seg++, &d);
		if (ret)
			return ret;

		next = d.next;
		if ((d.flags & DESC_F_NEXT) && next >= entries)
			return VRL_WHY_NEXT_RANGE;
	} while (d.flags & DESC_F_NEXT);

	return 0;
}
