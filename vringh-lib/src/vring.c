// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Split ring, device side: from the avail ring to a burst of checked chains,
 * from a burst of used elements to the used ring, and the two questions about
 * notifications. Chains of more than one descriptor are chain.c's.
 */
#include "chain.h"

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

static int vq_break(struct vrl_vq *vq, int why)
{
	vq->broken = 1;
	vq->why = (__u16)why;
	return -EPROTO;
}

static int vq_refuse(struct vrl_vq *vq, int why)
{
	vq_break(vq, why);
	return -EINVAL;
}

static bool is_aligned(const void *p, unsigned long align)
{
	return !((unsigned long)p & (align - 1));
}

int vrl_vq_init(struct vrl_vq *vq, const struct vrl_vq_config *cfg)
{
	const struct vrl_vq_state st = {
		.last_avail = cfg->last_avail,
		.used_idx = cfg->used_idx,
	};

	*vq = (struct vrl_vq){
		.desc = cfg->desc,
		.avail = cfg->avail,
		.used = cfg->used,
		.num = cfg->num,
		.features = cfg->features,
		.fetch = cfg->fetch,
		.opaque = cfg->opaque,
	};

	if (!cfg->num || cfg->num > VRL_NUM_MAX || cfg->num & (cfg->num - 1))
		return vq_refuse(vq, VRL_WHY_CFG_NUM);
	if (!cfg->desc || !cfg->avail || !cfg->used)
		return vq_refuse(vq, VRL_WHY_CFG_ADDR);
	if (!is_aligned(cfg->desc, 16) || !is_aligned(cfg->avail, 2) ||
	    !is_aligned(cfg->used, 4))
		return vq_refuse(vq, VRL_WHY_CFG_ALIGN);
	if (cfg->features & ~(VRL_F_INDIRECT | VRL_F_EVENT_IDX))
		return vq_refuse(vq, VRL_WHY_CFG_FEATURES);
	if ((cfg->features & VRL_F_INDIRECT) && !cfg->fetch)
		return vq_refuse(vq, VRL_WHY_CFG_FETCH);
	if (vrl_vq_set_state(vq, &st))
		return vq_refuse(vq, VRL_WHY_CFG_STATE);
	return 0;
}

void vrl_vq_get_state(const struct vrl_vq *vq, struct vrl_vq_state *st)
{
	st->last_avail = vq->last_avail;
	st->used_idx = vq->used_idx;
}

int vrl_vq_set_state(struct vrl_vq *vq, const struct vrl_vq_state *st)
{
	if ((__u16)(st->last_avail - st->used_idx) > vq->num)
		return -EINVAL;

	vq->last_avail = st->last_avail;
	vq->avail_idx = st->last_avail;
	vq->used_idx = st->used_idx;
	vq->signalled_valid = 0;
	return 0;
}

/*
 * Read the avail index. A driver has at most num chains outstanding, so what is
 * new and what is in flight can never be more; this also catches an index that
 * went backwards, and bounds what a caller must remember to num chains.
 */
static int vq_read_avail_idx(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->avail;
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

int vrl_vq_avail_count(struct vrl_vq *vq)
{
	if (unlikely(vq->broken))
		return -EPROTO;
	return vq_read_avail_idx(vq);
}

/*
 * Up to @n heads into b->chains, with their descriptors on the way to the
 * cache: waiting for all of these lines at once is most of what a burst gains.
 */
static unsigned int vq_read_heads(const struct vrl_vq *vq, struct vrl_burst *b,
				  unsigned int n)
{
	const struct avail_ring *avail = vq->avail;
	const struct vrl_desc *desc = vq->desc;
	__u32 num = vq->num, slot = vq->last_avail;
	struct vrl_chain *c = b->chains;
	unsigned int i;
	__u16 head;

	for (i = 0; i < n; i++, slot++, c++) {
		head = le16_to_cpu(READ_ONCE(avail->ring[slot & (num - 1)]));
		if (unlikely(head >= num))
			break;
		c->head = head;
		prefetch(&desc[head]);
	}
	return i;
}

static inline void chain_clear(struct vrl_chain *c, __u16 flags)
{
	c->nr_out = 0;
	c->nr_in = 0;
	c->flags = flags;
	c->out_len = 0;
	c->in_len = 0;
}

/*
 * The common chain, a single direct descriptor, without any of the walk's
 * bookkeeping in memory. Returns 0 or enum vrl_why.
 */
static inline int vq_take_single(struct vrl_chain *c, struct vrl_seg *seg,
				 __u32 at, const struct desc_copy *d)
{
	if (unlikely(!d->len))
		return VRL_WHY_ZERO_LEN;
	if (unlikely(range_wraps(d->addr, d->len)))
		return VRL_WHY_ADDR_WRAP;

	seg->iova = d->addr;
	seg->len = d->len;
	c->seg = at;
	c->flags = 0;
	/* All of one queue go the same way: a branch is free, and stores few. */
	if (d->flags & DESC_F_WRITE) {
		seg->flags = VRL_SEG_WRITE;
		c->nr_out = 0;
		c->nr_in = 1;
		c->out_len = 0;
		c->in_len = d->len;
	} else {
		seg->flags = 0;
		c->nr_out = 1;
		c->nr_in = 0;
		c->out_len = d->len;
		c->in_len = 0;
	}
	return 0;
}

/*
 * Up to n chains, whose heads are known; indirect ones up to their tables.
 * Returns how many were taken; if fewer, *end says why (vrl_chain_walk()).
 */
static unsigned int vq_walk_chains(struct burst_walk *w, unsigned int n,
				   int *end)
{
	const struct vrl_desc *desc = w->vq->desc;
	struct vrl_chain *c = w->b->chains;
	struct vrl_seg *segs = w->b->segs;
	__u32 max_segs = w->b->max_segs, nr_segs = 0;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < n; i++, c++) {
		struct desc_copy d = desc_read(&desc[c->head]);

		if (unlikely(d.flags & (DESC_F_NEXT | DESC_F_INDIRECT))) {
			chain_clear(c, 0);
			c->seg = nr_segs;
			w->nr_segs = nr_segs;
			ret = vrl_chain_walk(w, c, d);
			nr_segs = w->nr_segs;
		} else if (unlikely(nr_segs == max_segs)) {
			ret = -E2BIG;
		} else {
			ret = vq_take_single(c, &segs[nr_segs], nr_segs, &d);
			nr_segs++;
		}
		if (unlikely(ret))
			break;
	}
	w->nr_segs = nr_segs;
	*end = ret;
	return i;
}

/* Read all indirect tables of the burst at once, then finish their chains. */
static int vq_walk_tables(struct vrl_vq *vq, struct burst_walk *w,
			  unsigned int n)
{
	const struct vrl_fetch *f = w->b->fetches;
	struct vrl_chain *c = w->b->chains;
	unsigned int i;
	int ret;

	ret = vq->fetch(vq->opaque, w->b->fetches, w->nr_fetches);
	if (ret)
		return ret;

	for (i = 0; i < n; i++, c++) {
		if (!(c->flags & CHAIN_PENDING))
			continue;
		if (unlikely(f->err)) {
			chain_clear(c, VRL_CHAIN_FAULT);
		} else {
			ret = vrl_chain_walk_table(w, c, f);
			if (unlikely(ret))
				return i ? (int)i : vq_break(vq, ret);
		}
		f++;
	}
	return (int)n;
}

int vrl_vq_peek_burst(struct vrl_vq *vq, struct vrl_burst *b, unsigned int max)
{
	struct burst_walk w = { .vq = vq, .b = b };
	unsigned int n, nr;
	int ret;

	b->nr_chains = 0;
	b->nr_segs = 0;
	if (unlikely(vq->broken))
		return -EPROTO;
	if (max > b->max_chains)
		max = b->max_chains;

	/* The line with the index is the driver's: touch it when needed only. */
	nr = (__u16)(vq->avail_idx - vq->last_avail);
	if (nr < max) {
		ret = vq_read_avail_idx(vq);
		if (ret <= 0)
			return ret;
		nr = (unsigned int)ret;
	}
	nr = nr < max ? nr : max;
	if (!nr)
		return 0;

	n = vq_read_heads(vq, b, nr);
	if (unlikely(!n))
		return vq_break(vq, VRL_WHY_HEAD_RANGE);
	n = vq_walk_chains(&w, n, &ret);
	if (unlikely(!n))
		return ret < 0 ? ret : vq_break(vq, ret);

	ret = (int)n;
	if (w.nr_fetches)
		ret = vq_walk_tables(vq, &w, n);
	if (likely(ret > 0)) {
		b->nr_chains = (__u32)ret;
		b->nr_segs = w.nr_segs;
	}
	return ret;
}

static void used_write(struct used_elem *dst, const struct vrl_used_elem *src,
		       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		dst[i].id = cpu_to_le32(src[i].id);
		dst[i].len = cpu_to_le32(src[i].len);
	}
}

void vrl_vq_push_burst(struct vrl_vq *vq, const struct vrl_used_elem *e,
		       unsigned int n)
{
	struct used_ring *used = vq->used;
	__u16 idx = (__u16)(vq->used_idx + n);
	unsigned int slot, run, left;

	for (left = n, slot = vq->used_idx; left; left -= run, slot += run) {
		slot &= vq->num - 1;
		run = vq->num - slot;
		if (run > left)
			run = left;
		used_write(&used->ring[slot], e, run);
		e += run;
	}

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

bool vrl_vq_needs_call(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->avail;
	__u16 old = vq->signalled, new = vq->used_idx;
	bool valid = vq->signalled_valid;
	__u16 event;

	if (unlikely(vq->broken) || (valid && old == new))
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

static __le16 *vq_avail_event(struct used_ring *used, __u32 num)
{
	return (__le16 *)&used->ring[num];
}

bool vrl_vq_enable_kick(struct vrl_vq *vq)
{
	const struct avail_ring *avail = vq->avail;
	struct used_ring *used = vq->used;

	if (unlikely(vq->broken))
		return false;
	if (vq->features & VRL_F_EVENT_IDX)
		WRITE_ONCE(*vq_avail_event(used, vq->num),
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

void vrl_vq_disable_kick(struct vrl_vq *vq)
{
	struct used_ring *used = vq->used;

	/* With event index, leaving avail_event behind is how to ask for none. */
	if (!vq->broken && !(vq->features & VRL_F_EVENT_IDX))
		WRITE_ONCE(used->flags, cpu_to_le16(USED_F_NO_NOTIFY));
}

static const char *const why_str[VRL_WHY_NR] = {
	[VRL_WHY_OK] = "not broken",
	[VRL_WHY_CFG_NUM] = "queue size is not a power of two up to 32768",
	[VRL_WHY_CFG_ADDR] = "a ring address is missing",
	[VRL_WHY_CFG_ALIGN] = "a ring is not aligned (desc 16, avail 2, used 4)",
	[VRL_WHY_CFG_FEATURES] = "unknown queue feature",
	[VRL_WHY_CFG_FETCH] = "indirect descriptors without a fetch operation",
	[VRL_WHY_CFG_STATE] = "more chains in flight than the queue has",
	[VRL_WHY_AVAIL_JUMP] = "avail index jumped by more than the queue size",
	[VRL_WHY_HEAD_RANGE] = "head of a chain is outside the queue",
	[VRL_WHY_NEXT_RANGE] = "next descriptor is outside the table",
	[VRL_WHY_LOOP] = "descriptor chain has a loop",
	[VRL_WHY_CHAIN_TOO_LONG] = "descriptor chain has more than 1024 entries",
	[VRL_WHY_ZERO_LEN] = "descriptor of length 0",
	[VRL_WHY_ADDR_WRAP] = "buffer wraps around the end of the address space",
	[VRL_WHY_TOO_MANY_BYTES] = "descriptor chain of 4 GiB or more",
	[VRL_WHY_READ_AFTER_WRITE] = "readable descriptor after a writable one",
	[VRL_WHY_INDIRECT_OFF] = "indirect descriptor without the feature",
	[VRL_WHY_INDIRECT_NEXT] = "indirect descriptor with a next one",
	[VRL_WHY_INDIRECT_NESTED] = "indirect descriptor inside an indirect table",
	[VRL_WHY_INDIRECT_LEN] = "length of an indirect table is not 1 to 1024 entries",
};

const char *vrl_why_str(enum vrl_why why)
{
	if ((unsigned int)why >= VRL_WHY_NR || !why_str[why])
		return "unknown reason";
	return why_str[why];
}
