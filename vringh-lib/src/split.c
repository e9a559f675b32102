// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Split ring, device side (virtio 1.3, section 2.7): from the avail ring to a burst
 * of checked chains.
 */
#include "split.h"

bool vrl_split_state_is_valid(const struct vrl_vq *vq, const struct vrl_vq_state *st)
{
	return (__u16)(st->last_avail - st->used_idx) <= vq->num;
}

/*
 * Read the avail index. A driver has at most num chains outstanding, so what is
 * new and what is in flight can never be more; this also catches an index that
 * went backwards, and bounds what a caller must remember to num chains.
 */
int vrl_split_avail_count(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->driver;
	__u32 in_flight = (__u16)(vq->last_avail - vq->used_idx);
	__u16 idx;
	__u32 nr;

	/*
	 * (C) Avail idx before ring entries and descriptors. Pairs with the
	 * driver's write barrier before it stores avail idx (2.7.13.3.1).
	 */
	idx = le16_to_cpu(smp_load_acquire(&avail->idx));
	nr = (__u16)(idx - vq->last_avail);
	if (unlikely(nr + in_flight > vq->num))
		return vq_break(vq, VRL_WHY_AVAIL_JUMP);

	vq->avail_idx = idx;
	return (int)nr;
}

/*
 * Up to @n heads to @c, with their descriptors on the way to the cache: waiting for
 * all of these lines at once is most of what a burst gains. Returns how many there
 * are before one that is outside of the queue.
 */
static __always_inline unsigned int split_read_run(const struct vrl_vq *vq, struct vrl_chain *c,
						   const __le16 *slot, unsigned int n)
{
	const struct vrl_desc *desc = vq->desc;
	const __le16 *const end = slot + n;
	const __u32 num = vq->num;
	__u16 head;

#pragma GCC unroll 4
	for (; slot != end; slot++, c++) {
		head = le16_to_cpu(READ_ONCE(*slot));
		if (unlikely(head >= num))
			break;
		c->id = head;
		prefetch(&desc[head]);
	}
	return n - (unsigned int)(end - slot);
}

/* The same from last_avail on, to b->chains. */
static unsigned int split_read_heads(const struct vrl_vq *vq, struct vrl_burst *b,
				     unsigned int n)
{
	const struct avail_ring *avail = vq->driver;
	const __u32 at = vq->last_avail & (vq->num - 1);
	const unsigned int run = n < vq->num - at ? n : vq->num - at;
	unsigned int got;

	got = split_read_run(vq, b->chains, &avail->ring[at], run);
	if (got == run && got < n)
		got += split_read_run(vq, b->chains + got, avail->ring, n - got);
	return got;
}

/*
 * The loops below go through chains of one kind. Each begins with w->c, whose first
 * descriptor has been read to *@next, and ends at @end, or with the first descriptor
 * of another kind in *@next, or returns a positive enum vrl_why, -E2BIG or -EAGAIN
 * for w->c.
 */

/* Single direct descriptors, all of them @write or none: most bursts end here. */
static __always_inline int split_run(struct burst_walk *w, const struct vrl_chain *end,
				     struct desc_copy *next, const __u16 write)
{
	const struct vrl_desc *desc = w->vq->desc;
	const __u32 room = w->b->max_segs - w->nr_segs;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs];
	struct vrl_chain *c = w->c;
	const struct vrl_chain *stop = end - c > room ? c + room : end;
	struct desc_copy d = *next;
	__u32 at = w->nr_segs;
	int ret = 0;

	if (unlikely(!room))
		return -E2BIG;
	do {
		ret = range_check(w, d.addr, desc_len(d));
		if (unlikely(ret))
			break;
		seg_store(seg++, d.addr, desc_len(d), write);
		chain_store(c, at++, 1, desc_len(d), write);
		if (++c == stop) {
			ret = stop == end ? 0 : -E2BIG;
			break;
		}
		d = desc_read(&desc[c->id]);
	} while ((desc_flags(d) & DESC_F_KIND) == write);

	w->nr_segs = at;
	w->c = c;
	*next = d;
	return ret;
}

/* Why a chain may not go on after @nr segments. */
static noinline int split_too_long(const struct vrl_vq *vq, __u32 nr)
{
	if (nr == vq->num)
		return VRL_WHY_LOOP;
	return nr == VRL_CHAIN_MAX ? VRL_WHY_CHAIN_TOO_LONG : -E2BIG;
}

/*
 * The chain w->c, whatever it is: the next descriptor is @d, its segment @seg; c->seg
 * is set. Bounded by the entries of the ring, by VRL_CHAIN_MAX, and by the room in the burst.
 */
static noinline int split_follow(struct burst_walk *w, struct desc_copy d, struct vrl_seg *seg)
{
	const struct desc_array ring = { w->vq->desc, (__u64)w->vq->num * sizeof(struct vrl_desc) };
	struct vrl_seg *const first = &w->b->segs[w->nr_segs];
	struct chain_walk k = { .d = d, .seg = seg };
	__u32 max = w->b->max_segs - w->nr_segs;
	struct vrl_chain *c = w->c;
	int ret, end;

	max = max < w->vq->num ? max : w->vq->num;
	max = max < VRL_CHAIN_MAX ? max : VRL_CHAIN_MAX;
	end = vrl_chain_follow(w, &k, ring, first + max);
	if (end == -E2BIG || (end == CHAIN_INDIRECT && k.seg == first + max))
		return split_too_long(w->vq, max);
	if (end && end != CHAIN_INDIRECT)
		return end;

	ret = vrl_chain_divide(c, first, (__u32)(k.seg - first));
	if (ret)
		return ret;
	w->nr_segs += (__u32)(k.seg - first);
	if (!end)
		return 0;
	if (desc_flags(k.d) & DESC_F_NEXT)
		return VRL_WHY_INDIRECT_NEXT;
	/* DESC_F_WRITE means nothing here and must be ignored (2.7.5.3.2). */
	return vrl_chain_note_table(w, c, k.d.addr, desc_len(k.d));
}

/* Chains of several descriptors, of which the first one is @write or is not. */
static __always_inline int split_run_chains(struct burst_walk *w, const struct vrl_chain *end,
					    struct desc_copy *next, const __u16 write)
{
	const struct desc_array ring = { w->vq->desc, (__u64)w->vq->num * sizeof(struct vrl_desc) };
	const __u32 max_segs = w->vq->num < 2 ? 0 : w->b->max_segs;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs];
	struct desc_copy d = *next;
	struct vrl_chain *c = w->c;
	__u32 at = w->nr_segs, got;
	int ret = 0;

	do {
		got = 0;
		if (likely(at + 2 <= max_segs))
			got = chain_pair(w, c, ring, &d, seg, at, write);
		if (likely(got == 2)) {
			at += 2;
			seg += 2;
		} else {
			c->seg = at;
			w->c = c;
			w->nr_segs = at;
			ret = split_follow(w, d, seg + got);
			if (unlikely(ret))
				break;
			at = w->nr_segs;
			seg = &w->b->segs[at];
		}
		if (++c == end)
			break;
		d = desc_read(&ring.desc[c->id]);
	} while ((desc_flags(d) & DESC_F_KIND) == (write | DESC_F_NEXT));

	w->nr_segs = at;
	w->c = c;
	*next = d;
	return ret;
}

/*
 * The chain w->c that is @table, of which @t is next and @seg its segment; or, if it
 * cannot be read where it is, the @len bytes at @iova. From w->nr_segs on.
 */
static noinline int split_follow_table(struct burst_walk *w, __u64 iova, __u32 len,
				       struct desc_array table, struct desc_copy t,
				       struct vrl_seg *seg)
{
	struct vrl_chain *c = w->c;
	int ret;

	chain_clear(c, 0);
	c->seg = w->nr_segs;
	if (!table.desc)
		return vrl_chain_note_table(w, c, iova, len);
	if (desc_array_nr(table) > w->b->max_segs - w->nr_segs)
		return -E2BIG;
	ret = vrl_table_follow(w, c, t, seg, table);
	w->nr_segs += (__u32)c->nr_out + c->nr_in;
	return ret;
}

/* Chains that are a table: walked here, or noted for later if that is not so simple. */
static __always_inline int split_run_tables(struct burst_walk *w, const struct vrl_chain *end,
					    struct desc_copy *next, const char *window)
{
	const struct vrl_desc *const desc = w->vq->desc, *p;
	const __u32 max_segs = w->b->max_segs;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs];
	struct vrl_chain *c = w->c;
	/* The words of *next apart: as a whole they would be kept on the stack. */
	__u64 iova = next->addr, rest = next->rest;
	struct desc_array table;
	struct desc_copy t;
	__u32 at = w->nr_segs, got;
	int ret = 0;

	if (unlikely(desc_flags(*next) & DESC_F_NEXT))
		return VRL_WHY_INDIRECT_NEXT;
	do {
		table.size = (__u32)rest;
		table.desc = table_in_place(w, window, iova, (__u32)rest);
		t = (struct desc_copy){ 0 };
		got = 0;
		if (likely(table.desc)) {
			t = desc_read(table.desc);
			if (likely(at + 2 <= max_segs))
				got = table_pair(w, c, table, &t, seg, at);
			if (likely(got == 2)) {
				at += 2;
				seg += 2;
				goto next_chain;
			}
		}
		w->c = c;
		w->nr_segs = at;
		ret = split_follow_table(w, iova, (__u32)rest, table, t, seg + got);
		if (unlikely(ret))
			break;
		at = w->nr_segs;
		seg = &w->b->segs[at];
next_chain:
		if (++c == end)
			break;
		p = &desc[c->id];
		iova = le64_to_cpu(READ_ONCE(p->addr));
		rest = le64_to_cpu(READ_ONCE(p->len_flags_next));
		/* DESC_F_WRITE means nothing here and must be ignored (2.7.5.3.2). */
	} while ((rest >> 32 & (DESC_F_INDIRECT | DESC_F_NEXT)) == DESC_F_INDIRECT);

	w->nr_segs = at;
	w->c = c;
	next->addr = iova;
	next->rest = rest;
	return ret;
}

/* Each loop in a function of its own: together they do not fit into the registers. */
static noinline int split_run_out(struct burst_walk *w, const struct vrl_chain *end,
				  struct desc_copy *next)
{
	return split_run(w, end, next, 0);
}

static noinline int split_run_in(struct burst_walk *w, const struct vrl_chain *end,
				 struct desc_copy *next)
{
	return split_run(w, end, next, DESC_F_WRITE);
}

static noinline int split_run_chains_out(struct burst_walk *w, const struct vrl_chain *end,
					 struct desc_copy *next)
{
	return split_run_chains(w, end, next, 0);
}

static noinline int split_run_chains_in(struct burst_walk *w, const struct vrl_chain *end,
					struct desc_copy *next)
{
	return split_run_chains(w, end, next, DESC_F_WRITE);
}

static noinline int split_run_tables_window(struct burst_walk *w, const struct vrl_chain *end,
					    struct desc_copy *next)
{
	const char *window = w->mem->window;

	if (!window)
		__builtin_unreachable();
	return split_run_tables(w, end, next, window);
}

static noinline int split_run_tables_table(struct burst_walk *w, const struct vrl_chain *end,
					   struct desc_copy *next)
{
	return split_run_tables(w, end, next, NULL);
}

/*
 * Up to n chains, whose heads are known, n > 0; indirect ones up to their tables.
 * Returns how many were taken; if fewer, *why says why.
 */
static unsigned int split_walk(struct burst_walk *w, unsigned int n, int *why)
{
	const struct vrl_chain *end = w->b->chains + n;
	struct desc_copy d;

	w->c = w->b->chains;
	d = desc_read(&w->vq->desc[w->c->id]);
	do {
		switch (desc_flags(d) & DESC_F_KIND) {
		case 0:
			*why = split_run_out(w, end, &d);
			break;
		case DESC_F_WRITE:
			*why = split_run_in(w, end, &d);
			break;
		case DESC_F_NEXT:
			*why = split_run_chains_out(w, end, &d);
			break;
		case DESC_F_NEXT | DESC_F_WRITE:
			*why = split_run_chains_in(w, end, &d);
			break;
		default:
			*why = w->mem && w->mem->window ?
			       split_run_tables_window(w, end, &d) :
			       split_run_tables_table(w, end, &d);
		}
	} while (!*why && w->c != end);

	return (unsigned int)(w->c - w->b->chains);
}

int vrl_split_walk(struct burst_walk *w, unsigned int n)
{
	int ret;

	n = split_walk(w, n, &ret);
	if (unlikely(!n))
		return ret < 0 ? ret : vq_break(w->vq, ret);
	return (int)n;
}

int vrl_split_peek(struct burst_walk *w, unsigned int max)
{
	struct vrl_vq *vq = w->vq;
	unsigned int n, nr;
	int ret;

	/* The line with the index is the driver's: touch it when needed only. */
	nr = (__u16)(vq->avail_idx - vq->last_avail);
	if (nr < max) {
		ret = vrl_split_avail_count(vq);
		if (ret <= 0)
			return ret;
		nr = (unsigned int)ret;
	}

	n = split_read_heads(vq, w->b, nr < max ? nr : max);
	if (unlikely(!n))
		return vq_break(vq, VRL_WHY_HEAD_RANGE);
	return vrl_split_walk(w, n);
}
