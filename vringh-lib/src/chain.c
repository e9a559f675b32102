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

int vrl_range_check(__u64 addr, __u32 len, __u64 iova_last)
{
	if (!len)
		return VRL_WHY_ZERO_LEN;
	/* The last byte is compared, not the one behind it. */
	if (addr > iova_last || len - 1 > iova_last - addr)
		return VRL_WHY_ADDR_RANGE;
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
	if (range_check(w, iova, len))
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
	c->nr_out = (__u16)out;
	c->nr_in = (__u16)(nr - out);
	c->out_len = (__u32)len[0];
	c->in_len = (__u32)len[1];
	return 0;
}

int vrl_chain_follow_any(const struct burst_walk *w, struct chain_walk *k, struct desc_array a,
			 const struct vrl_seg *limit)
{
	__u16 flags, next;
	int ret;

	for (;;) {
		flags = desc_flags(k->d);
		if (flags & DESC_F_INDIRECT)
			return CHAIN_OTHER;
		if (k->seg == limit)
			return -E2BIG;
		ret = chain_add(w, k, k->d.addr, desc_len(k->d), flags & DESC_F_WRITE);
		if (ret || !(flags & DESC_F_NEXT))
			return ret;
		next = desc_next(k->d);
		if (next >= a.num)
			return VRL_WHY_NEXT_RANGE;
		k->d = desc_read(&a.desc[next]);
	}
}

/*
 * The table of a chain that has other segments before, or of which not all go one
 * way; @k is where the walk is. Whoever wants more than the table has goes in
 * circles. Returns 0 or enum vrl_why.
 */
static noinline int table_follow_any(struct burst_walk *w, struct vrl_chain *c,
				     struct chain_walk k, struct desc_array table)
{
	struct vrl_seg *const first = &w->b->segs[c->seg];
	const __u32 before = (__u32)c->nr_out + c->nr_in;
	const __u32 most = VRL_CHAIN_MAX - before;
	const struct vrl_seg *limit = first + before + (table.num < most ? table.num : most);
	int ret;

	ret = vrl_chain_follow_any(w, &k, table, limit);
	if (ret == -E2BIG)
		return table.num <= most ? VRL_WHY_LOOP : VRL_WHY_CHAIN_TOO_LONG;
	if (ret == CHAIN_OTHER)
		return VRL_WHY_INDIRECT_NESTED;
	return ret ? ret : vrl_chain_divide(c, first, (__u32)(k.seg - first));
}

/* A table that is all of its chain, of which the first entry is @write or is not. */
static __always_inline int table_walk_one_way(struct burst_walk *w, struct vrl_chain *c,
					      struct chain_walk k, struct desc_array table,
					      const __u16 write)
{
	struct vrl_seg *const first = k.seg;
	int ret;

	if ((desc_flags(k.d) & DESC_F_KIND) == (write | DESC_F_NEXT))
		ret = chain_follow(w, &k, table, first + table.num, write);
	else if ((desc_flags(k.d) & DESC_F_KIND) == write)
		ret = chain_add(w, &k, k.d.addr, desc_len(k.d), write);
	else
		ret = CHAIN_OTHER;
	if (likely(!ret))
		return chain_store(c, (__u32)(k.seg - first), k.len, write);
	if (ret == CHAIN_OTHER)
		return table_follow_any(w, c, k, table);
	return ret == -E2BIG ? VRL_WHY_LOOP : ret;
}

/* Split: entries are chained by their next. Returns 0 or enum vrl_why. */
static __always_inline int table_walk_split(struct burst_walk *w, struct vrl_chain *c,
					    const struct vrl_desc *desc, __u32 entries)
{
	const struct desc_array table = { desc, entries };
	struct chain_walk k = { .d = desc_read(desc), .seg = &w->b->segs[c->seg] };

	if (unlikely(c->nr_out | c->nr_in)) {
		k.seg += c->nr_out + c->nr_in;
		return table_follow_any(w, c, k, table);
	}
	return desc_flags(k.d) & DESC_F_WRITE ?
	       table_walk_one_way(w, c, k, table, DESC_F_WRITE) :
	       table_walk_one_way(w, c, k, table, 0);
}

/* Entries of a packed table while they go one way, up to @end. As chain_follow(). */
static __always_inline int table_follow_packed(struct burst_walk *w, struct chain_walk *k,
					       const struct vrl_desc **table,
					       const struct vrl_desc *end, const __u16 write)
{
	int ret;

	do {
		ret = chain_add(w, k, k->d.addr, desc_len(k->d), write);
		if (unlikely(ret))
			return ret;
		if (++*table == end)
			return 0;
		k->d = desc_read(*table);
	} while ((desc_packed_flags(k->d) & DESC_F_WRITE) == write);
	return CHAIN_OTHER;
}

/*
 * Packed: all entries, in order; of the flags only DESC_F_WRITE means something.
 * The table is the whole chain. Returns 0 or enum vrl_why.
 */
static __always_inline int table_walk_packed(struct burst_walk *w, struct vrl_chain *c,
					     const struct vrl_desc *table, __u32 entries)
{
	struct vrl_seg *const first = &w->b->segs[c->seg];
	const struct vrl_desc *const end = table + entries;
	struct chain_walk k = { .d = desc_read(table), .seg = first };
	int ret;

	if (desc_packed_flags(k.d) & DESC_F_WRITE) {
		ret = table_follow_packed(w, &k, &table, end, DESC_F_WRITE);
		if (likely(!ret))
			return chain_store(c, entries, k.len, DESC_F_WRITE);
		return ret == CHAIN_OTHER ? VRL_WHY_READ_AFTER_WRITE : ret;
	}
	ret = table_follow_packed(w, &k, &table, end, 0);
	if (likely(!ret))
		return chain_store(c, entries, k.len, 0);
	if (ret == CHAIN_OTHER)
		ret = table_follow_packed(w, &k, &table, end, DESC_F_WRITE);
	if (ret == CHAIN_OTHER)
		return VRL_WHY_READ_AFTER_WRITE;
	return ret ? ret : vrl_chain_divide(c, first, entries);
}

int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n)
{
	const bool packed = w->vq->features & VRL_F_PACKED;
	const struct vrl_fetch *f = w->b->fetches;
	struct vrl_chain *const first = w->b->chains, *const end = first + n, *c;
	__u32 entries;
	int ret;

	if (!w->vq->mem) {
		ret = w->vq->fetch(w->vq->opaque, w->b->fetches, w->nr_fetches);
		if (ret)
			return ret;
	}

	for (c = first; c != end; c++) {
		if (!(c->flags & CHAIN_PENDING))
			continue;
		c->flags = 0;
		entries = f->len / sizeof(struct vrl_desc);
		if (unlikely(f->err)) {
			chain_clear(c, VRL_CHAIN_FAULT);
			ret = 0;
		} else if (packed) {
			ret = table_walk_packed(w, c, f->dst, entries);
		} else {
			ret = table_walk_split(w, c, f->dst, entries);
		}
		if (unlikely(ret))
			return c != first ? (int)(c - first) : vq_break(w->vq, ret);
		f++;
	}
	return (int)n;
}
