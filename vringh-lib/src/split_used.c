// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Split ring: from a burst of used elements to the used ring, and the two questions
 * about notifications (virtio 1.3, sections 2.7.7 to 2.7.10).
 */
#include "split.h"

static void split_write(struct used_elem *dst, const struct vrl_used_elem *src,
		       unsigned int n)
{
	unsigned int i;

#pragma GCC unroll 4
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
