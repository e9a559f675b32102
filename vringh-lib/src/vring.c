// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A virtqueue, whichever ring it has: set-up and its checks, saved state, reset,
 * reasons; all that touches ring memory is handed to split.c and packed*.c, and what
 * goes beside it to the in-flight log.
 */
#include "log.h"

static bool vq_is_packed(const struct vrl_vq *vq)
{
	return vq->features & VRL_F_PACKED;
}

/* Forget the rings, so that whatever is called next finds none. */
static void vq_close(struct vrl_vq *vq, int why)
{
	vq_break(vq, why);
	vq->desc = NULL;
	vq->driver = NULL;
	vq->device = NULL;
	vq->inflight = NULL;
}

static int vq_refuse(struct vrl_vq *vq, int why)
{
	vq_close(vq, why);
	return -EINVAL;
}

/* One of the three areas: where it is and what the sections ask of it. */
struct area {
	unsigned long start;
	unsigned long size;
	unsigned long align;
};

/*
 * 2.7 and 2.8. Without event index the last two bytes of a split ring are never
 * touched, and old layouts do not have them.
 */
static void vq_areas(const struct vrl_vq_config *cfg, struct area *areas)
{
	const bool packed = cfg->features & VRL_F_PACKED;
	const unsigned long event = cfg->features & VRL_F_EVENT_IDX ? 2 : 0;

	areas[0] = (struct area){ (unsigned long)cfg->desc, 16ul * cfg->num, 16 };
	areas[1] = (struct area){ (unsigned long)cfg->driver, 4, 4 };
	areas[2] = (struct area){ (unsigned long)cfg->device, 4, 4 };
	if (!packed) {
		areas[1].size = 4 + 2ul * cfg->num + event;
		areas[1].align = 2;
		areas[2].size = 4 + 8ul * cfg->num + event;
	}
}

static bool areas_overlap(const struct area *a, const struct area *b)
{
	return a->start < b->start ? b->start - a->start < a->size :
				     a->start - b->start < b->size;
}

/* 0 or enum vrl_why; num and features are checked. */
static int vq_check_areas(const struct vrl_vq_config *cfg)
{
	struct area areas[3];
	unsigned int i, j;

	vq_areas(cfg, areas);
	for (i = 0; i < 3; i++) {
		if (!areas[i].start || areas[i].start > 0ul - areas[i].size)
			return VRL_WHY_CFG_ADDR;
		if (areas[i].start & (areas[i].align - 1))
			return VRL_WHY_CFG_ALIGN;
		for (j = 0; j < i; j++)
			if (areas_overlap(&areas[i], &areas[j]))
				return VRL_WHY_CFG_OVERLAP;
	}
	return 0;
}

/* 0 or enum vrl_why. */
static int vq_check(const struct vrl_vq_config *cfg)
{
	const __u32 known = VRL_F_INDIRECT | VRL_F_EVENT_IDX | VRL_F_PACKED | VRL_F_IN_ORDER;

	if (cfg->features & ~known)
		return VRL_WHY_CFG_FEATURES;
	if (!cfg->num || cfg->num > VRL_NUM_MAX)
		return VRL_WHY_CFG_NUM;
	if (!(cfg->features & VRL_F_PACKED) && cfg->num & (cfg->num - 1))
		return VRL_WHY_CFG_NUM;
	if ((cfg->features & VRL_F_INDIRECT) && !cfg->fetch && !cfg->mem)
		return VRL_WHY_CFG_FETCH;
	return vq_check_areas(cfg);
}

int vrl_vq_init(struct vrl_vq *vq, const struct vrl_vq_config *cfg)
{
	int why;

	*vq = (struct vrl_vq){
		.desc = (struct vrl_desc *)cfg->desc,
		.driver = cfg->driver,
		.device = cfg->device,
		.iova_last = cfg->iova_last ? cfg->iova_last : ~0ull,
		.num = cfg->num,
		.features = cfg->features,
		.mem = cfg->mem,
		.fetch = cfg->fetch,
		.opaque = cfg->opaque,
		.inflight = cfg->inflight,
		.resubmit = cfg->resubmit,
	};

	why = vq_check(cfg);
	if (why)
		return vq_refuse(vq, why);
	if (vrl_vq_set_state(vq, &cfg->state))
		return vq_refuse(vq, VRL_WHY_CFG_STATE);
	why = cfg->inflight ? vrl_log_open(vq) : 0;
	if (why)
		return vq_refuse(vq, why);
	return 0;
}

void vrl_vq_reset(struct vrl_vq *vq)
{
	vq_close(vq, VRL_WHY_RESET);
}

void vrl_vq_get_state(const struct vrl_vq *vq, struct vrl_vq_state *st)
{
	st->last_avail = vq->last_avail;
	st->used_idx = vq->used_idx;
}

int vrl_vq_set_state(struct vrl_vq *vq, const struct vrl_vq_state *st)
{
	if (vq->features & VRL_VQ_LOG)
		return -EINVAL;
	if (vq_is_packed(vq) ? !vrl_packed_state_is_valid(vq, st) :
			       !vrl_split_state_is_valid(vq, st))
		return -EINVAL;

	vq->last_avail = st->last_avail;
	vq->avail_idx = st->last_avail;
	vq->used_idx = st->used_idx;
	vq->signalled_valid = 0;
	return 0;
}

/* What peek answers on a broken queue. */
static int vq_broken_error(const struct vrl_vq *vq)
{
	return vq->why == VRL_WHY_RESET ? -ESHUTDOWN : -EPROTO;
}

int vrl_vq_avail_count(struct vrl_vq *vq)
{
	int n, again = vq->nr_resubmit - vq->at_resubmit;

	if (unlikely(vq->broken))
		return vq_broken_error(vq);
	if (vq_is_packed(vq))
		return again ? 1 : vrl_packed_avail_count(vq);
	n = vrl_split_avail_count(vq);
	return n < 0 ? n : n + again;
}

int vrl_vq_peek_burst(struct vrl_vq *vq, struct vrl_burst *b, unsigned int max)
{
	struct burst_walk w = walk_begin(vq, b);
	int n;

	b->nr_chains = 0;
	b->nr_segs = 0;
	vq->peeked = 0;
	if (unlikely(vq->broken))
		return vq_broken_error(vq);
	if (max > b->max_chains)
		max = b->max_chains;
	if (unlikely(!max))
		return 0;

	if (unlikely(vq->features & VRL_VQ_AGAIN))
		n = vrl_log_peek(&w, max);
	else
		n = vq_is_packed(vq) ? vrl_packed_peek(&w, max) : vrl_split_peek(&w, max);
	if (n > 0 && w.nr_fetches) {
		/* It may end before a chain that was counted. */
		vq->peeked = 0;
		n = vrl_chain_walk_tables(&w, (unsigned int)n);
	}
	if (likely(n > 0)) {
		b->nr_chains = (__u32)n;
		b->nr_segs = w.nr_segs;
	}
	return n;
}

void vrl_vq_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	if (unlikely(vq->features & VRL_VQ_LOG) && !vrl_log_take(vq, b, n))
		return;
	if (vq_is_packed(vq))
		vrl_packed_take(vq, b, n);
	else
		vq->last_avail = (__u16)(vq->last_avail + n);
}

static void vq_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	if (vq_is_packed(vq))
		vrl_packed_push(vq, e, n);
	else
		vrl_split_push(vq, e, n);
}

static void vq_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e,
			     unsigned int n)
{
	if (vq_is_packed(vq))
		vrl_packed_push_in_order(vq, e, n);
	else
		vrl_split_push_in_order(vq, e, n);
}

void vrl_vq_push_burst(struct vrl_vq *vq, const struct vrl_used_elem *e,
		       unsigned int n)
{
	if (unlikely(!n || !vq->device))
		return;
	if (likely(!(vq->features & VRL_VQ_LOG))) {
		vq_push(vq, e, n);
		return;
	}
	vrl_log_push(vq, e, n);
	vq_push(vq, e, n);
	vrl_log_pushed(vq, e, n);
}

void vrl_vq_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e,
			  unsigned int n)
{
	if (unlikely(!n || !vq->device))
		return;
	if (!(vq->features & VRL_F_IN_ORDER)) {
		vrl_vq_push_burst(vq, e, n);
		return;
	}
	if (unlikely(vq->features & VRL_VQ_LOG))
		vrl_log_push(vq, e, n);
	vq_push_in_order(vq, e, n);
	if (unlikely(vq->features & VRL_VQ_LOG))
		vrl_log_pushed(vq, e, n);
}

bool vrl_vq_needs_call(struct vrl_vq *vq)
{
	if (unlikely(vq->broken))
		return false;
	return vq_is_packed(vq) ? vrl_packed_needs_call(vq) : vrl_split_needs_call(vq);
}

bool vrl_vq_enable_kick(struct vrl_vq *vq)
{
	bool ready;

	if (unlikely(vq->broken))
		return false;
	ready = vq_is_packed(vq) ? vrl_packed_enable_kick(vq) : vrl_split_enable_kick(vq);
	return ready || vq->features & VRL_VQ_AGAIN;
}

void vrl_vq_disable_kick(struct vrl_vq *vq)
{
	if (unlikely(vq->broken))
		return;
	if (vq_is_packed(vq))
		vrl_packed_disable_kick(vq);
	else
		vrl_split_disable_kick(vq);
}

static const char *const why_str[VRL_WHY_NR] = {
	[VRL_WHY_OK] = "not broken",
	[VRL_WHY_CFG_NUM] = "queue size is not 1 to 32768, or a split ring's no power of two",
	[VRL_WHY_CFG_ADDR] = "a ring address is missing, or the ring wraps around",
	[VRL_WHY_CFG_ALIGN] = "a ring is not aligned (split: 16, 2, 4; packed: 16, 4, 4)",
	[VRL_WHY_CFG_FEATURES] = "unknown queue feature",
	[VRL_WHY_CFG_FETCH] = "indirect descriptors without a way to read them",
	[VRL_WHY_CFG_STATE] = "more in flight than the queue has, or an offset outside it",
	[VRL_WHY_CFG_OVERLAP] = "areas of the ring overlap",
	[VRL_WHY_CFG_INFLIGHT] = "in-flight log does not fit the queue",
	[VRL_WHY_RESET] = "the queue was reset",
	[VRL_WHY_AVAIL_JUMP] = "more is available than the queue can have outstanding",
	[VRL_WHY_HEAD_RANGE] = "head of a chain or buffer id is outside the queue",
	[VRL_WHY_NEXT_RANGE] = "next descriptor is outside the table",
	[VRL_WHY_LOOP] = "descriptor chain has a loop, or runs into what is in flight",
	[VRL_WHY_CHAIN_TOO_LONG] = "descriptor chain has more than 1024 entries",
	[VRL_WHY_ZERO_LEN] = "descriptor of length 0",
	[VRL_WHY_ADDR_RANGE] = "buffer is outside the address space, or wraps around",
	[VRL_WHY_TOO_MANY_BYTES] = "descriptor chain of 4 GiB or more",
	[VRL_WHY_READ_AFTER_WRITE] = "readable descriptor after a writable one",
	[VRL_WHY_INDIRECT_OFF] = "indirect descriptor without the feature",
	[VRL_WHY_INDIRECT_NEXT] = "indirect descriptor with a next one",
	[VRL_WHY_INDIRECT_NESTED] = "indirect descriptor inside an indirect table",
	[VRL_WHY_ID_BUSY] = "head or buffer id is in flight already",
	[VRL_WHY_INFLIGHT] = "in-flight log was changed by somebody else",
	[VRL_WHY_INDIRECT_LEN] = "length of an indirect table is not 1 to 1024 entries",
};

const char *vrl_why_str(enum vrl_why why)
{
	if ((unsigned int)why >= VRL_WHY_NR || !why_str[why])
		return "unknown reason";
	return why_str[why];
}
