// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * In-flight log (vhost-user, "Inflight I/O tracking"): size and header, the order
 * in which chains come again, and the log of a split ring.
 *
 * Split, a push: the heads go to the front of a list, the ring's used index is
 * stored, the heads' marks are cleared, the log's used index follows. Where the
 * two indices differ, as many heads of the list as they differ by have been given
 * back, whatever their marks say.
 */
#include "log.h"

#define offset_of(type, member)	__builtin_offsetof(type, member)

static_assert(sizeof(struct vrl_inflight_split_desc) == 16, "DescStateSplit");
static_assert(offset_of(struct vrl_inflight_split_desc, next) == 6, "DescStateSplit");
static_assert(offset_of(struct vrl_inflight_split_desc, counter) == 8, "DescStateSplit");
static_assert(offset_of(struct vrl_inflight_split, version) == 8, "QueueRegionSplit");
static_assert(offset_of(struct vrl_inflight_split, desc_num) == 10, "QueueRegionSplit");
static_assert(offset_of(struct vrl_inflight_split, last_batch_head) == 12, "QueueRegionSplit");
static_assert(offset_of(struct vrl_inflight_split, used_idx) == 14, "QueueRegionSplit");
static_assert(offset_of(struct vrl_inflight_split, desc) == 16, "QueueRegionSplit");

/* The header's common part. */
static_assert(offset_of(struct vrl_inflight_packed, version) == 8, "QueueRegionPacked");
static_assert(offset_of(struct vrl_inflight_packed, desc_num) == 10, "QueueRegionPacked");

__u32 vrl_inflight_size(__u32 features, __u32 num)
{
	__u32 size;

	if (!num || num > VRL_NUM_MAX)
		return 0;
	if (features & VRL_F_PACKED)
		size = sizeof(struct vrl_inflight_packed) +
		       num * sizeof(struct vrl_inflight_packed_desc);
	else
		size = sizeof(struct vrl_inflight_split) +
		       num * sizeof(struct vrl_inflight_split_desc);
	return (size + VRL_INFLIGHT_ALIGN - 1) & ~(VRL_INFLIGHT_ALIGN - 1u);
}

int vrl_inflight_check(const void *region, __u64 size, __u32 features, __u32 num)
{
	const struct vrl_inflight_split *log = region;
	__u32 need = vrl_inflight_size(features, num);
	__u16 version;

	if (!region || !need || size < need || (unsigned long)region & 7)
		return -EINVAL;
	version = READ_ONCE(log->version);
	if (!version)
		return 0;
	if (version != VRL_INFLIGHT_VERSION || READ_ONCE(log->features) ||
	    READ_ONCE(log->desc_num) != num)
		return -EINVAL;
	return 1;
}

/* As vrl_log_packed_init(). */
static void log_split_init(struct vrl_inflight_split *log, __u32 num, __u16 used)
{
	__u32 i;

	WRITE_ONCE(log->version, 0);
	barrier();
	log->features = 0;
	log->desc_num = (__u16)num;
	log->last_batch_head = 0;
	log->used_idx = used;
	for (i = 0; i < num; i++)
		log->desc[i] = (struct vrl_inflight_split_desc){ .inflight = 0 };
	barrier();
	WRITE_ONCE(log->version, VRL_INFLIGHT_VERSION);
}

static void log_init(void *region, __u32 features, __u32 num, __u16 used)
{
	if (features & VRL_F_PACKED)
		vrl_log_packed_init(region, num, used);
	else
		log_split_init(region, num, used);
}

void vrl_inflight_init(void *region, __u32 features, __u32 num)
{
	log_init(region, features, num,
		 features & VRL_F_PACKED ? VRL_STATE_WRAP : 0);
}

/* ---- the order of coming again ---------------------------------------------- */

/*
 * Heap sort: no memory, no recursion, and an end for whatever counters somebody
 * may be writing to the region meanwhile.
 */
struct log_keys {
	const char *first;
	__u32 stride;
};

static __u64 log_key(const struct log_keys *k, __u16 entry)
{
	return READ_ONCE(*(const __u64 *)(k->first + (unsigned long)entry * k->stride));
}

static void log_sift_down(__u16 *list, unsigned int at, unsigned int nr,
			  const struct log_keys *k)
{
	unsigned int child;
	__u16 swap;

	for (; (child = 2 * at + 1) < nr; at = child) {
		if (child + 1 < nr && log_key(k, list[child + 1]) > log_key(k, list[child]))
			child++;
		if (log_key(k, list[child]) <= log_key(k, list[at]))
			return;
		swap = list[at];
		list[at] = list[child];
		list[child] = swap;
	}
}

void vrl_log_sort(__u16 *list, unsigned int nr, const void *first_counter, __u32 stride)
{
	const struct log_keys k = { first_counter, stride };
	unsigned int i;
	__u16 swap;

	for (i = nr / 2; i-- > 0;)
		log_sift_down(list, i, nr, &k);
	for (i = nr; i-- > 1;) {
		swap = list[0];
		list[0] = list[i];
		list[i] = swap;
		log_sift_down(list, 0, i, &k);
	}
}

/* ---- split ring --------------------------------------------------------------- */

static __u16 split_ring_used_idx(const struct vrl_vq *vq)
{
	return le16_to_cpu(READ_ONCE(((const __le16 *)vq->device)[1]));
}

/* How many heads of the last batch's list are done, or enum vrl_why below 0. */
static int split_check_log(const struct vrl_vq *vq, const struct vrl_inflight_split *log,
			   __u16 used_idx)
{
	__u16 done = (__u16)(used_idx - READ_ONCE(log->used_idx));
	__u32 i, at = READ_ONCE(log->last_batch_head);

	if (done > vq->num)
		return -VRL_WHY_CFG_INFLIGHT;
	for (i = 0; i < done; i++) {
		if (at >= vq->num)
			return -VRL_WHY_CFG_INFLIGHT;
		at = READ_ONCE(log->desc[at].next);
	}
	for (i = 0; i < vq->num; i++)
		if (READ_ONCE(log->desc[i].inflight) > 1)
			return -VRL_WHY_CFG_INFLIGHT;
	return done;
}

static int log_split_open(struct vrl_vq *vq)
{
	struct vrl_inflight_split *log = vq->inflight;
	__u16 used_idx = split_ring_used_idx(vq);
	int done = split_check_log(vq, log, used_idx);
	__u32 i, at = READ_ONCE(log->last_batch_head);
	unsigned int nr = 0;

	if (done < 0)
		return -done;
	/* Bounded again: somebody may be writing to the region. */
	for (; done && at < vq->num; done--) {
		WRITE_ONCE(log->desc[at].inflight, 0);
		at = READ_ONCE(log->desc[at].next);
	}
	barrier();
	WRITE_ONCE(log->used_idx, used_idx);

	for (i = 0; i < vq->num; i++)
		if (READ_ONCE(log->desc[i].inflight))
			vq->resubmit[nr++] = (__u16)i;
	vrl_log_sort(vq->resubmit, nr, &log->desc[0].counter, sizeof(log->desc[0]));
	vq->nr_resubmit = (__u16)nr;
	if (nr)
		vq->taken = READ_ONCE(log->desc[vq->resubmit[nr - 1]].counter) + 1;
	return vrl_vq_set_state(vq, &(struct vrl_vq_state){
		.last_avail = (__u16)(used_idx + nr),
		.used_idx = used_idx,
	}) ? VRL_WHY_CFG_INFLIGHT : 0;
}

static void log_split_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	struct vrl_inflight_split *log = vq->inflight;
	struct vrl_inflight_split_desc *d;
	unsigned int i;

	for (i = 0; i < n; i++) {
		d = &log->desc[(__u16)b->chains[i].id];
		/* One mark for two chains would put the indices out of step. */
		if (unlikely(READ_ONCE(d->inflight)))
			vq_break(vq, VRL_WHY_ID_BUSY);
		WRITE_ONCE(d->counter, vq->taken++);
		WRITE_ONCE(d->inflight, 1);
	}
}

static void log_split_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	struct vrl_inflight_split *log = vq->inflight;
	__u16 head = READ_ONCE(log->last_batch_head), id;
	unsigned int i;

	for (i = 0; i < n; i++) {
		id = (__u16)e[i].id;
		if (unlikely(id >= vq->num))
			continue;
		WRITE_ONCE(log->desc[id].next, head);
		WRITE_ONCE(log->last_batch_head, id);
		head = id;
	}
}

static void log_split_pushed(struct vrl_vq *vq, const struct vrl_used_elem *e,
			     unsigned int n)
{
	struct vrl_inflight_split *log = vq->inflight;
	unsigned int i;
	__u16 id;

	for (i = 0; i < n; i++) {
		id = (__u16)e[i].id;
		if (likely(id < vq->num))
			WRITE_ONCE(log->desc[id].inflight, 0);
	}
	WRITE_ONCE(log->used_idx, vq->used_idx);
}

/* ---- both ----------------------------------------------------------------------- */

int vrl_log_open(struct vrl_vq *vq)
{
	bool packed = vq->features & VRL_F_PACKED;
	int ret = vrl_inflight_check(vq->inflight, ~0ull, vq->features, vq->num);

	if (ret < 0 || !vq->resubmit)
		return VRL_WHY_CFG_INFLIGHT;
	if (!ret) {
		/* What is in flight now would never be on record. */
		if (vq->last_avail != vq->used_idx)
			return VRL_WHY_CFG_STATE;
		/* The log counts from where the ring is. */
		if (!packed && split_ring_used_idx(vq) != vq->used_idx)
			return VRL_WHY_CFG_STATE;
		log_init(vq->inflight, vq->features, vq->num, vq->used_idx);
	}
	ret = packed ? vrl_log_packed_open(vq) : log_split_open(vq);
	if (ret)
		return ret;
	vq->features |= VRL_VQ_LOG;
	if (vq->nr_resubmit)
		vq->features |= VRL_VQ_AGAIN;
	return 0;
}

int vrl_log_peek(struct burst_walk *w, unsigned int max)
{
	struct vrl_vq *vq = w->vq;
	unsigned int i, n = vq->nr_resubmit - vq->at_resubmit;

	if (n > max)
		n = max;
	if (vq->features & VRL_F_PACKED)
		return vrl_log_packed_peek(w, n);
	for (i = 0; i < n; i++)
		w->b->chains[i].id = vq->resubmit[vq->at_resubmit + i];
	return vrl_split_walk(w, n);
}

bool vrl_log_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n)
{
	if (vq->features & VRL_VQ_AGAIN) {
		if (vq->features & VRL_F_PACKED)
			vrl_log_packed_again(vq, b, n);
		vq->at_resubmit = (__u16)(vq->at_resubmit + n);
		if (vq->at_resubmit == vq->nr_resubmit)
			vq->features &= ~VRL_VQ_AGAIN;
		return false;
	}
	if (vq->features & VRL_F_PACKED)
		vrl_log_packed_take(vq, b, n);
	else
		log_split_take(vq, b, n);
	return true;
}

void vrl_log_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	if (vq->features & VRL_F_PACKED)
		vrl_log_packed_push(vq, e, n);
	else
		log_split_push(vq, e, n);
	barrier();
}

void vrl_log_pushed(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	barrier();
	if (vq->features & VRL_F_PACKED)
		vrl_log_packed_pushed(vq, e, n);
	else
		log_split_pushed(vq, e, n);
}
