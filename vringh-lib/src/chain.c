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
#include "queue.h"

int vrl_range_check(__u64 addr, __u32 len, __u64 iova_last)
{
	if (!len)
		return VRL_WHY_ZERO_LEN;
	/* The last byte is compared, not the one behind it. */
	if (addr > iova_last || len - 1 > iova_last - addr)
		return VRL_WHY_ADDR_RANGE;
	return 0;
}

int vrl_chain_divide(struct vrl_chain *c, const struct vrl_seg *first, __u32 nr)
{
	__u64 len[2] = { 0, 0 };
	__u32 i, out;

	for (out = 0; out < nr && !(first[out].flags & VRL_SEG_WRITE); out++)
		len[0] += first[out].len;
	for (i = out; i < nr; i++) {
		if (!(first[i].flags & VRL_SEG_WRITE))
			return VRL_WHY_READ_AFTER_WRITE;
		len[1] += first[i].len;
	}
	if (len[0] + len[1] > 0xffffffff)
		return VRL_WHY_TOO_MANY_BYTES;
	c->flags = 0;
	c->nr_out = (__u16)out;
	c->nr_in = (__u16)(nr - out);
	c->out_len = (__u32)len[0];
	c->in_len = (__u32)len[1];
	return 0;
}

int vrl_chain_follow(const struct burst_walk *w, struct chain_walk *k, struct desc_array a,
		     const struct vrl_seg *limit)
{
	const struct vrl_desc *next;
	__u16 flags;
	int ret;

	for (;;) {
		flags = desc_flags(k->d);
		if (unlikely(flags & DESC_F_INDIRECT))
			return CHAIN_INDIRECT;
		if (unlikely(k->seg == limit))
			return -E2BIG;
		ret = range_check(w, k->d.addr, desc_len(k->d));
		if (unlikely(ret))
			return ret;
		seg_store(k->seg++, k->d.addr, desc_len(k->d), flags & DESC_F_WRITE);
		if (!(flags & DESC_F_NEXT))
			return 0;
		next = desc_array_next(a, k->d);
		if (unlikely(!next))
			return VRL_WHY_NEXT_RANGE;
		k->d = desc_read(next);
	}
}

/* Whoever wants more than the table has goes in circles. */
int vrl_table_follow(struct burst_walk *w, struct vrl_chain *c, struct desc_copy d,
		     struct vrl_seg *seg, struct desc_array table)
{
	struct vrl_seg *const first = &w->b->segs[c->seg];
	const __u32 before = c->flags & CHAIN_GOES_ON ? (__u32)c->nr_out + c->nr_in : 0;
	const __u32 most = VRL_CHAIN_MAX - before, nr = desc_array_nr(table);
	const struct vrl_seg *limit = first + before + (nr < most ? nr : most);
	struct chain_walk k = { .d = d, .seg = seg };
	int ret;

	ret = vrl_chain_follow(w, &k, table, limit);
	if (ret == -E2BIG)
		return nr <= most ? VRL_WHY_LOOP : VRL_WHY_CHAIN_TOO_LONG;
	if (ret == CHAIN_INDIRECT)
		return VRL_WHY_INDIRECT_NESTED;
	return ret ? ret : vrl_chain_divide(c, first, (__u32)(k.seg - first));
}

int vrl_table_follow_packed(struct burst_walk *w, struct vrl_chain *c, struct desc_copy d,
			    struct desc_array table, __u32 i)
{
	struct vrl_seg *const first = &w->b->segs[c->seg];
	int ret;

	for (;;) {
		ret = range_check(w, d.addr, desc_len(d));
		if (unlikely(ret))
			return ret;
		seg_store(&first[i], d.addr, desc_len(d), desc_packed_flags(d) & DESC_F_WRITE);
		if (++i == desc_array_nr(table))
			return vrl_chain_divide(c, first, i);
		d = desc_read(&table.desc[i]);
	}
}

/* The table of chain @c, which has been read or is read in place. */
static int table_walk(struct burst_walk *w, struct vrl_chain *c, struct desc_array table)
{
	struct vrl_seg *seg = &w->b->segs[c->seg];

	if (w->vq->features & VRL_F_PACKED)
		return table_walk_packed(w, c, table, c->seg);
	if (c->flags & CHAIN_GOES_ON)
		seg += c->nr_out + c->nr_in;
	return vrl_table_follow(w, c, desc_read(table.desc), seg, table);
}

/*
 * A table in plain memory that lies in several pieces, or whose words are not aligned:
 * a copy of it. Returns 0 with @f->err, or -E2BIG, -EAGAIN.
 */
static int chain_copy_table(struct burst_walk *w, struct vrl_fetch *f, __u32 nr)
{
	const struct vrl_seg seg = { .iova = f->iova, .len = f->len };
	const struct vrl_burst b = { .segs = (struct vrl_seg *)&seg };
	const struct vrl_chain c = { .nr_out = 1, .out_len = f->len };

	if (nr > w->b->max_table - w->nr_table)
		return -E2BIG;
	f->dst = &w->b->table[w->nr_table];
	f->err = vrl_mem_read(w->mem, &b, &c, 0, f->dst, f->len);
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
 * A table that is not copied is walked here, so that all of the driver's memory is
 * looked at chain by chain. Any other is only noted, and walked with those of the whole
 * burst. Room for its segments is set aside now, so that the chains behind can be
 * walked.
 */
int vrl_chain_note_table(struct burst_walk *w, struct vrl_chain *c,
			 __u64 iova, __u32 len)
{
	struct vrl_burst *b = w->b;
	__u32 nr = len / sizeof(struct vrl_desc);
	__u32 before = (__u32)c->nr_out + c->nr_in;
	__u32 room = VRL_CHAIN_MAX - before;
	const struct vrl_desc *p = NULL;
	struct vrl_fetch *f;
	int ret;

	if (!(w->vq->features & VRL_F_INDIRECT))
		return VRL_WHY_INDIRECT_OFF;
	if (!nr || nr > VRL_CHAIN_MAX || len % sizeof(struct vrl_desc))
		return VRL_WHY_INDIRECT_LEN;
	if (range_check(w, iova, len))
		return VRL_WHY_ADDR_RANGE;

	if (room > nr)
		room = nr;
	if (room > b->max_segs - w->nr_segs)
		return -E2BIG;

	c->flags = before ? CHAIN_GOES_ON : CHAIN_TABLE;
	if (w->mem)
		p = vrl_mem_at(w->mem, iova, len, VRL_PERM_R);
	if (p && table_is_aligned(p)) {
		ret = table_walk(w, c, (struct desc_array){ p, len });
		w->nr_segs = c->seg + c->nr_out + c->nr_in;
		return ret;
	}

	f = &b->fetches[w->nr_fetches];
	f->iova = iova;
	f->len = len;
	f->err = 0;
	ret = w->mem ? chain_copy_table(w, f, nr) : chain_order_table(w, f, nr);
	if (ret)
		return ret;
	w->nr_fetches++;
	w->nr_segs += room;
	return 0;
}

/* The tables of the first @n chains. As vrl_chain_walk_tables(). */
static int tables_walk(struct burst_walk *w, unsigned int n)
{
	struct vrl_chain *const first = w->b->chains, *const end = first + n, *c;
	const struct vrl_fetch *f = w->b->fetches;
	struct desc_array table;
	int ret;

	for (c = first; c != end; c++) {
		if (!(c->flags & (CHAIN_TABLE | CHAIN_GOES_ON)))
			continue;
		table = (struct desc_array){ f->dst, f->len };
		if (unlikely(f->err)) {
			chain_clear(c, VRL_CHAIN_FAULT);
		} else {
			ret = table_walk(w, c, table);
			if (unlikely(ret))
				return c != first ? (int)(c - first) : vq_break(w->vq, ret);
		}
		f++;
	}
	return (int)n;
}

int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n)
{
	int ret;

	if (!w->mem) {
		ret = w->vq->fetch(w->vq->opaque, w->b->fetches, w->nr_fetches);
		if (ret)
			return ret;
	}
	return tables_walk(w, n);
}
