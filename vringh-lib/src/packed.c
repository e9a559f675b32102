// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Packed ring, device side (virtio 1.3, section 2.8). One array of descriptors,
 * read and written by both sides; whose a descriptor is, is in two of its flags,
 * compared with a wrap counter that changes each time around.
 *
 * Positions are kept as 2.8.10 has them in memory: an offset, with the wrap
 * counter in bit 15. What is taken and not given back is the distance between two
 * of them, and a chain is never followed into that.
 */
#include "packed.h"

bool vrl_packed_state_is_valid(const struct vrl_vq *vq, const struct vrl_vq_state *st)
{
	return pos_off(st->last_avail) < vq->num && pos_off(st->used_idx) < vq->num &&
	       pos_distance(st->used_idx, st->last_avail, vq->num) <= vq->num;
}

/*
 * With all of the ring in flight nothing can be available: what looks so lies in
 * a descriptor that the driver must not touch.
 */
int vrl_packed_avail_count(struct vrl_vq *vq)
{
	if (!packed_is_avail(vq))
		return 0;
	if (unlikely(packed_in_flight(vq) == vq->num))
		return vq_break(vq, VRL_WHY_AVAIL_JUMP);
	return 1;
}

/*
 * Where a walk is: the ring's descriptor for w->c, its owner bits when it is
 * available, how many may be taken before those in flight begin, and its flags,
 * once they have been read.
 */
struct packed_cursor {
	const struct packed_desc *p;
	__u32 left;
	__u16 want;
	__u16 flags;
	bool have_flags;
};

/* @last: behind the ring of @num. */
static __always_inline void packed_advance(struct packed_cursor *at, __u32 nr,
					   const struct packed_desc *last, __u32 num)
{
	at->left -= nr;
	at->p += nr;
	if (unlikely(at->p >= last)) {
		at->p -= num;
		at->want ^= DESC_F_OWNER;
	}
}

static inline __u16 packed_flags(const struct packed_desc *d)
{
	/*
	 * (C) Flags before the rest of the chain. Pairs with the driver's write
	 * barrier before it stores the flags of the first one (2.8.21.1).
	 */
	return le16_to_cpu(smp_load_acquire(&d->flags));
}

/*
 * The loops below go through chains of one kind. Each begins with w->c at @at, which
 * is available and of that kind, and ends at @end, with the last descriptor that is
 * not in flight, with one of another kind or that is not available (at->flags), or
 * returns a positive enum vrl_why, -E2BIG or -EAGAIN for w->c.
 */

/* Single direct descriptors, all of them @write or none; to the end of the ring. */
static __always_inline int packed_run(struct burst_walk *w, const struct vrl_chain *end,
				      struct packed_cursor *at, const __u16 write)
{
	const __u16 mask = DESC_F_OWNER | DESC_F_KIND, want = at->want | write;
	const __u32 num = w->vq->num, room = w->b->max_segs - w->nr_segs;
	const struct packed_desc *const last = packed_ring(w->vq) + num, *d = at->p;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs];
	struct vrl_chain *c = w->c, *const first = c;
	__u32 nr_segs = w->nr_segs, n = (__u32)(end - c);
	__u16 id, flags = at->flags;
	__u64 addr;
	__u32 len;
	int ret = 0;

	if (unlikely(!room))
		return -E2BIG;
	n = n < room ? n : room;
	n = n < at->left ? n : at->left;
	n = n < last - d ? n : (__u32)(last - d);
	end = c + n;
	for (;;) {
		addr = le64_to_cpu(READ_ONCE(d->addr));
		len = le32_to_cpu(READ_ONCE(d->len));
		id = le16_to_cpu(READ_ONCE(d->id));
		ret = range_check(w, addr, len);
		if (unlikely(id >= num))
			ret = VRL_WHY_HEAD_RANGE;
		if (unlikely(ret))
			break;
		c->id = id | 1u << ID_NR_SHIFT;
		seg_store(seg++, addr, len, write);
		chain_store(c, nr_segs++, 1, len, write);
		c++;
		d++;
		at->have_flags = false;
		if (c == end)
			break;
		flags = packed_flags(d);
		if ((flags & mask) != want) {
			at->have_flags = true;
			break;
		}
	}

	at->flags = flags;
	packed_advance(at, (__u32)(c - first), last, num);
	w->nr_segs = nr_segs;
	w->c = c;
	return ret;
}

/* Why a chain may not go on after @nr segments. */
static noinline int packed_too_long(__u32 nr, __u32 left)
{
	if (nr == left)
		return VRL_WHY_LOOP;
	return nr == VRL_CHAIN_MAX ? VRL_WHY_CHAIN_TOO_LONG : -E2BIG;
}

/* A descriptor's words but for the id, which counts in the last one only (2.8.6). */
struct packed_copy {
	__u64 addr;
	__u32 len;
	__u16 flags;
};

static inline struct packed_copy packed_read(const struct packed_desc *p, __u16 flags)
{
	return (struct packed_copy){
		.addr = le64_to_cpu(READ_ONCE(p->addr)),
		.len = le32_to_cpu(READ_ONCE(p->len)),
		.flags = flags,
	};
}

static inline const struct packed_desc *packed_next(const struct vrl_vq *vq,
						    const struct packed_desc *p)
{
	return ++p == packed_ring(vq) + vq->num ? packed_ring(vq) : p;
}

/*
 * The chain w->c, whatever it is: its next descriptor is *@p, read as @d, its segment
 * @seg. Bounded by the descriptors that are not in flight, by VRL_CHAIN_MAX, and by
 * the room in the burst. @left: descriptors that are not in flight.
 */
static noinline int packed_follow(struct burst_walk *w, __u32 left,
				  const struct packed_desc *p, struct packed_copy d,
				  struct vrl_seg *seg)
{
	struct vrl_seg *const first = &w->b->segs[w->nr_segs];
	const __u32 most = left < VRL_CHAIN_MAX ? left : VRL_CHAIN_MAX;
	const __u32 room = w->b->max_segs - w->nr_segs, max = room < most ? room : most;
	struct vrl_chain *c = w->c;
	__u32 nr;
	__u16 id;
	int ret;

	for (;;) {
		if (unlikely(seg == first + max))
			return packed_too_long(max, left);
		if (unlikely(d.flags & DESC_F_INDIRECT))
			return VRL_WHY_INDIRECT_NEXT;
		ret = range_check(w, d.addr, d.len);
		if (unlikely(ret))
			return ret;
		seg_store(seg++, d.addr, d.len, d.flags & DESC_F_WRITE);
		if (!(d.flags & DESC_F_NEXT))
			break;
		p = packed_next(w->vq, p);
		/* Ordered by (C), which read the flags of the first one. */
		d = packed_read(p, le16_to_cpu(READ_ONCE(p->flags)));
	}

	id = le16_to_cpu(READ_ONCE(p->id));
	if (unlikely(id >= w->vq->num))
		return VRL_WHY_HEAD_RANGE;
	nr = (__u32)(seg - first);
	c->id = id | nr << ID_NR_SHIFT;
	c->seg = w->nr_segs;
	w->nr_segs += nr;
	return vrl_chain_divide(c, first, nr);
}

/* What packed_pair() returns when it is for packed_follow() to go on. */
#define PACKED_GOES_ON	(-1)

/*
 * Two descriptors that go the same way, a header and a frame: 0 if @d, at @p, and the
 * next one are chain @c. Else PACKED_GOES_ON with *@p, *@d and *@seg, or an enum
 * vrl_why. *@seg is segs[@at]; there is room, and enough that is not in flight.
 */
static __always_inline int packed_pair(struct burst_walk *w, struct vrl_chain *c,
				       const struct packed_desc **p, struct packed_copy *d,
				       struct vrl_seg **seg, __u32 at)
{
	const __u16 write = d->flags & DESC_F_WRITE;
	const struct packed_copy head = *d;
	__u32 len;
	__u16 id;

	if (unlikely(!range_is_fine(w, head.addr, head.len)))
		return PACKED_GOES_ON;
	*p = packed_next(w->vq, *p);
	*d = packed_read(*p, le16_to_cpu(READ_ONCE((*p)->flags)));
	seg_store((*seg)++, head.addr, head.len, write);
	if (unlikely((d->flags & DESC_F_KIND) != write || !range_is_fine(w, d->addr, d->len) ||
		     __builtin_add_overflow(head.len, d->len, &len)))
		return PACKED_GOES_ON;
	seg_store(*seg, d->addr, d->len, write);
	id = le16_to_cpu(READ_ONCE((*p)->id));
	if (unlikely(id >= w->vq->num))
		return VRL_WHY_HEAD_RANGE;
	c->id = id | 2u << ID_NR_SHIFT;
	chain_store(c, at, 2, len, write);
	return 0;
}

/* Chains of several descriptors, of which the first one is @write or is not. */
static __always_inline int packed_run_chains(struct burst_walk *w, const struct vrl_chain *end,
					     struct packed_cursor *cursor, const __u16 write)
{
	const __u16 kind = DESC_F_NEXT | write, mask = DESC_F_OWNER | DESC_F_KIND;
	const __u32 num = w->vq->num, max_segs = w->b->max_segs;
	const struct packed_desc *const last = packed_ring(w->vq) + num, *p;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs], *s;
	/* In registers, as nobody else gets to see where it is. */
	struct packed_cursor at = *cursor;
	struct vrl_chain *c = w->c;
	__u32 nr_segs = w->nr_segs, nr;
	struct packed_copy d;
	int ret;

	do {
		d = packed_read(at.p, kind);
		p = at.p;
		s = seg;
		nr = 2;
		ret = PACKED_GOES_ON;
		if (likely(at.left >= 2 && nr_segs + 2 <= max_segs))
			ret = packed_pair(w, c, &p, &d, &s, nr_segs);
		if (unlikely(ret == PACKED_GOES_ON)) {
			w->c = c;
			w->nr_segs = nr_segs;
			ret = packed_follow(w, at.left, p, d, s);
			nr = c->id >> ID_NR_SHIFT;
		}
		if (unlikely(ret))
			break;
		seg += nr;
		nr_segs += nr;
		packed_advance(&at, nr, last, num);
		at.have_flags = false;
		if (++c == end || !at.left)
			break;
		at.flags = packed_flags(at.p);
		at.have_flags = true;
	} while ((at.flags & mask) == (at.want | kind));

	w->nr_segs = nr_segs;
	w->c = c;
	*cursor = at;
	return ret;
}

/* Chains that are a table: walked here, or noted for later if that is not so simple. */
static __always_inline int packed_run_tables(struct burst_walk *w, const struct vrl_chain *end,
					     struct packed_cursor *cursor, const char *window)
{
	const __u16 mask = DESC_F_OWNER | DESC_F_INDIRECT | DESC_F_NEXT;
	const __u32 num = w->vq->num, max_segs = w->b->max_segs;
	const struct packed_desc *const last = packed_ring(w->vq) + num;
	struct packed_cursor at = *cursor;
	struct vrl_chain *c = w->c;
	__u32 nr_segs = w->nr_segs;
	struct desc_array table;
	struct packed_copy d;
	__u16 id;
	int ret;

	if (unlikely(at.flags & DESC_F_NEXT))
		return VRL_WHY_INDIRECT_NEXT;
	do {
		d = packed_read(at.p, 0);
		id = le16_to_cpu(READ_ONCE(at.p->id));
		ret = VRL_WHY_HEAD_RANGE;
		if (unlikely(id >= num))
			break;
		c->id = id | 1u << ID_NR_SHIFT;
		table.size = d.len;
		table.desc = table_in_place(w, window, d.addr, d.len);
		if (likely(table.desc && desc_array_nr(table) <= max_segs - nr_segs)) {
			ret = table_walk_packed(w, c, table, nr_segs);
			nr_segs += desc_array_nr(table);
		} else {
			chain_clear(c, 0);
			c->seg = nr_segs;
			w->nr_segs = nr_segs;
			ret = vrl_chain_note_table(w, c, d.addr, d.len);
			nr_segs = w->nr_segs;
		}
		if (unlikely(ret))
			break;
		packed_advance(&at, 1, last, num);
		at.have_flags = false;
		if (++c == end || !at.left)
			break;
		at.flags = packed_flags(at.p);
		at.have_flags = true;
	} while ((at.flags & mask) == (at.want | DESC_F_INDIRECT));

	w->nr_segs = nr_segs;
	w->c = c;
	*cursor = at;
	return ret;
}

/* Each loop in a function of its own: together they do not fit into the registers. */
static noinline int packed_run_out(struct burst_walk *w, const struct vrl_chain *end,
				   struct packed_cursor *at)
{
	return packed_run(w, end, at, 0);
}

static noinline int packed_run_in(struct burst_walk *w, const struct vrl_chain *end,
				  struct packed_cursor *at)
{
	return packed_run(w, end, at, DESC_F_WRITE);
}

static noinline int packed_run_chains_out(struct burst_walk *w, const struct vrl_chain *end,
					  struct packed_cursor *at)
{
	return packed_run_chains(w, end, at, 0);
}

static noinline int packed_run_chains_in(struct burst_walk *w, const struct vrl_chain *end,
					 struct packed_cursor *at)
{
	return packed_run_chains(w, end, at, DESC_F_WRITE);
}

static noinline int packed_run_tables_window(struct burst_walk *w, const struct vrl_chain *end,
					     struct packed_cursor *at)
{
	const char *window = w->mem->window;

	if (!window)
		__builtin_unreachable();
	return packed_run_tables(w, end, at, window);
}

static noinline int packed_run_tables_table(struct burst_walk *w, const struct vrl_chain *end,
					    struct packed_cursor *at)
{
	return packed_run_tables(w, end, at, NULL);
}

/*
 * Up to @n chains, in up to @left descriptors; indirect ones up to their tables.
 * Returns how many were taken; if fewer, *why says why, or is 0 when there are no
 * more.
 */
static unsigned int packed_walk(struct burst_walk *w, unsigned int n, __u32 left, int *why)
{
	const struct vrl_chain *end = w->b->chains + n;
	struct packed_cursor at = {
		.p = packed_ring(w->vq) + pos_off(w->vq->last_avail),
		.left = left,
		.want = avail_flags(w->vq->last_avail),
	};

	w->c = w->b->chains;
	for (*why = 0; !*why && w->c != end && at.left;) {
		if (!at.have_flags)
			at.flags = packed_flags(at.p);
		if ((at.flags & DESC_F_OWNER) != at.want)
			break;
		switch (at.flags & DESC_F_KIND) {
		case 0:
			*why = packed_run_out(w, end, &at);
			break;
		case DESC_F_WRITE:
			*why = packed_run_in(w, end, &at);
			break;
		case DESC_F_NEXT:
			*why = packed_run_chains_out(w, end, &at);
			break;
		case DESC_F_NEXT | DESC_F_WRITE:
			*why = packed_run_chains_in(w, end, &at);
			break;
		default:
			*why = w->mem && w->mem->window ?
			       packed_run_tables_window(w, end, &at) :
			       packed_run_tables_table(w, end, &at);
		}
	}
	w->vq->peeked = (__u16)(left - at.left);
	return (unsigned int)(w->c - w->b->chains);
}

int vrl_packed_peek(struct burst_walk *w, unsigned int max)
{
	struct vrl_vq *vq = w->vq;
	__u32 left = vq->num - packed_in_flight(vq);
	unsigned int n;
	int ret;

	if (unlikely(!left))
		return vrl_packed_avail_count(vq);
	n = packed_walk(w, max, left, &ret);
	if (unlikely(!n && ret))
		return ret < 0 ? ret : vq_break(vq, ret);
	return (int)n;
}

void vrl_packed_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	/* All that the last peek found, mostly: then it has counted them. */
	__u32 took = vq->peeked;
	unsigned int i;

	if (unlikely(n != b->nr_chains || !took))
		for (took = 0, i = 0; i < n; i++)
			took += b->chains[i].id >> ID_NR_SHIFT;
	vq->peeked = 0;
	vq->last_avail = pos_add(vq->last_avail, took, vq->num);
}
