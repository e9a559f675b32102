// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Packed ring: who wants to be told of what, by the event suppression structures of
 * the two sides (virtio 1.3, sections 2.8.10 and 2.8.14).
 */
#include "packed.h"

/* Event suppression, 2.8.14, as one word: off_wrap below, flags above. */
#define EVENT_FLAGS_SHIFT	16
#define EVENT_ENABLE		0
#define EVENT_DISABLE		1
#define EVENT_DESC		2
#define EVENT_FLAGS_MASK	3

bool vrl_packed_needs_call(struct vrl_vq *vq)
{
	__u16 old = vq->signalled, new = vq->used_idx;
	bool valid = vq->signalled_valid;
	__u32 event, num = vq->num;

	if (valid && old == new)
		return false;
	vq->signalled = new;
	vq->signalled_valid = 1;

	/*
	 * (N) Used flags stored before the driver's event suppression is loaded.
	 * Pairs with the driver's barrier between storing that and loading the
	 * flags of the next used descriptor.
	 */
	smp_mb();

	event = le32_to_cpu(READ_ONCE(*(const __le32 *)vq->driver));
	switch (event >> EVENT_FLAGS_SHIFT & EVENT_FLAGS_MASK) {
	case EVENT_DISABLE:
		return false;
	case EVENT_DESC:
		if (!(vq->features & VRL_F_EVENT_IDX) || !valid)
			return true;
		/* Is the descriptor asked for one of those since @old? */
		return pos_distance(old, (__u16)event, num) < pos_distance(old, new, num);
	default:
		return true;
	}
}

static void packed_set_event(struct vrl_vq *vq, __u32 flags, __u16 pos)
{
	__le32 *event = vq->device;

	/* One word: the driver never sees new flags with an old position. */
	WRITE_ONCE(*event, cpu_to_le32(flags << EVENT_FLAGS_SHIFT | pos));
}

bool vrl_packed_enable_kick(struct vrl_vq *vq)
{
	bool by_desc = vq->features & VRL_F_EVENT_IDX;

	packed_set_event(vq, by_desc ? EVENT_DESC : EVENT_ENABLE,
			 by_desc ? vq->last_avail : 0);

	/*
	 * (K) Request stored before the flags of the next descriptor are loaded.
	 * Pairs with the driver's barrier between storing those and loading the
	 * device's event suppression.
	 */
	smp_mb();

	/* Whether it makes sense is for the next peek to say. */
	return packed_is_avail(vq);
}

void vrl_packed_disable_kick(struct vrl_vq *vq)
{
	packed_set_event(vq, EVENT_DISABLE, 0);
}
