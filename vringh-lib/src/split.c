// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Split ring, device side (virtio 1.3, section 2.7): from the avail ring to a burst
 * of checked chains, from a burst of used elements to the used ring, and the two
 * questions about notifications.
 */
#include "queue.h"

/* 2.7.6 and 2.7.8; used_event and avail_event follow ring[num]. */
struct avail_ring {
	__le16 flags;
	__le16 idx;
	__le16 ring[];
};

struct used_elem {
	__le32 id;
	__le32 len;
};

struct used_ring {
	__le16 flags;
	__le16 idx;
	struct used_elem ring[];
};

#define AVAIL_F_NO_INTERRUPT	1
#define USED_F_NO_NOTIFY	1

static_assert(sizeof(struct vrl_desc) == 16, "2.7.5");
static_assert(sizeof(struct used_elem) == 8, "2.7.8");

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
		c->seg = at++;
		chain_store(c, 1, desc_len(d), write);
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
	const struct desc_array ring = { w->vq->desc, w->vq->num };
	struct vrl_seg *const first = &w->b->segs[w->nr_segs];
	struct chain_walk k = { .d = d, .seg = seg };
	__u32 max = w->b->max_segs - w->nr_segs;
	struct vrl_chain *c = w->c;
	int ret, end;

	max = max < ring.num ? max : ring.num;
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
	const struct desc_array ring = { w->vq->desc, w->vq->num };
	const __u32 max_segs = ring.num < 2 ? 0 : w->b->max_segs;
	struct vrl_seg *seg = &w->b->segs[w->nr_segs];
	struct desc_copy d = *next;
	struct vrl_chain *c = w->c;
	__u32 at = w->nr_segs;
	int ret = 0;

	do {
		c->seg = at;
		if (likely(at + 2 <= max_segs && chain_pair(w, c, ring, &d, &seg, write))) {
			at += 2;
		} else {
			w->c = c;
			w->nr_segs = at;
			ret = split_follow(w, d, seg);
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

/* Chains that are a table. */
static noinline int split_run_tables(struct burst_walk *w, const struct vrl_chain *end,
					    struct desc_copy *next)
{
	const struct vrl_desc *const desc = w->vq->desc;
	struct vrl_chain *c = w->c;
	struct desc_copy d = *next;
	int ret;

	do {
		if (unlikely(desc_flags(d) & DESC_F_NEXT)) {
			ret = VRL_WHY_INDIRECT_NEXT;
			break;
		}
		/* DESC_F_WRITE means nothing here and must be ignored (2.7.5.3.2). */
		ret = chain_note_table(w, c, d.addr, desc_len(d));
		if (unlikely(ret) || ++c == end)
			break;
		d = desc_read(&desc[c->id]);
	} while (desc_flags(d) & DESC_F_INDIRECT);

	w->c = c;
	*next = d;
	return ret;
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
			*why = split_run_tables(w, end, &d);
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

static void split_write(struct used_elem *dst, const struct vrl_used_elem *src,
		       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		dst[i].id = cpu_to_le32(src[i].id);
		dst[i].len = cpu_to_le32(src[i].len);
	}
}

/* @n entries later: their number is what a driver of IN_ORDER counts by, too. */
static void split_publish(struct vrl_vq *vq, unsigned int n)
{
	struct used_ring *used = vq->device;
	__u16 idx = (__u16)(vq->used_idx + n);

	/*
	 * After 65536 elements without a decision the two indices no longer
	 * tell how many there were: then the next decision is "call".
	 */
	if (unlikely((__u16)(idx - vq->signalled) < n))
		vq->signalled_valid = 0;
	vq->used_idx = idx;

	/*
	 * (U) Used elements and buffers before used idx. Pairs with the
	 * driver's read barrier after it loads used idx.
	 */
	smp_store_release(&used->idx, cpu_to_le16(idx));
}

void vrl_split_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	struct used_ring *used = vq->device;
	unsigned int slot, run, left;

	for (left = n, slot = vq->used_idx; left; left -= run, slot += run) {
		slot &= vq->num - 1;
		run = vq->num - slot;
		if (run > left)
			run = left;
		split_write(&used->ring[slot], e, run);
		e += run;
	}
	split_publish(vq, n);
}

/* One element where the batch begins, for its last chain (2.7.9). */
void vrl_split_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	struct used_ring *used = vq->device;

	split_write(&used->ring[vq->used_idx & (vq->num - 1)], &e[n - 1], 1);
	split_publish(vq, n);
}

bool vrl_split_needs_call(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->driver;
	__u16 old = vq->signalled, new = vq->used_idx;
	bool valid = vq->signalled_valid;
	__u16 event;

	if (valid && old == new)
		return false;
	vq->signalled = new;
	vq->signalled_valid = 1;

	/*
	 * (N) Used idx stored before used_event or flags are loaded. Pairs with
	 * the driver's barrier between storing those and loading used idx: at
	 * least one of the two sides sees the other.
	 */
	smp_mb();

	if (!(vq->features & VRL_F_EVENT_IDX))
		return !(le16_to_cpu(READ_ONCE(avail->flags)) &
			 AVAIL_F_NO_INTERRUPT);
	event = le16_to_cpu(READ_ONCE(avail->ring[vq->num]));
	return !valid || (__u16)(new - event - 1) < (__u16)(new - old);
}

static __le16 *split_avail_event(struct used_ring *used, __u32 num)
{
	return (__le16 *)&used->ring[num];
}

bool vrl_split_enable_kick(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->driver;
	struct used_ring *used = vq->device;

	if (vq->features & VRL_F_EVENT_IDX)
		WRITE_ONCE(*split_avail_event(used, vq->num),
			   cpu_to_le16(vq->last_avail));
	else
		WRITE_ONCE(used->flags, cpu_to_le16(0));

	/*
	 * (K) Request stored before avail idx is loaded. Pairs with the driver's
	 * barrier between storing avail idx and loading avail_event or flags.
	 */
	smp_mb();

	/* Whether the index makes sense is for the next peek to say. */
	return le16_to_cpu(READ_ONCE(avail->idx)) != vq->last_avail;
}

void vrl_split_disable_kick(struct vrl_vq *vq)
{
	struct used_ring *used = vq->device;

	/* With event index, leaving avail_event behind is how to ask for none. */
	if (!(vq->features & VRL_F_EVENT_IDX))
		WRITE_ONCE(used->flags, cpu_to_le16(USED_F_NO_NOTIFY));
}
