// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Packed ring: from a burst of used elements to used descriptors, and who wants to be
 * told of what, by the event suppression structures of the two sides (virtio 1.3,
 * sections 2.8.10 and 2.8.14).
 */
#include "packed.h"

/* Event suppression, 2.8.14, as one word: off_wrap below, flags above. */
#define EVENT_FLAGS_SHIFT	16
#define EVENT_ENABLE		0
#define EVENT_DISABLE		1
#define EVENT_DESC		2
#define EVENT_FLAGS_MASK	3

static inline __u16 packed_write(struct packed_desc *d, const struct vrl_used_elem *e,
			       __u16 flags)
{
	WRITE_ONCE(d->len, cpu_to_le32(e->len));
	WRITE_ONCE(d->id, cpu_to_le16((__u16)e->id));
	return e->len ? flags | DESC_F_WRITE : flags;
}

/*
 * Show the driver what was written: the used descriptor at used_idx, with @flags
 * of the position; the next one will be @n descriptors on.
 */
static void packed_publish(struct vrl_vq *vq, __u16 flags, __u32 n)
{
	struct packed_desc *first = &packed_ring(vq)[pos_off(vq->used_idx)];
	__u32 since = pos_distance(vq->signalled, vq->used_idx, vq->num);

	/*
	 * After twice the ring without a decision the two positions no longer
	 * tell how many there were: then the next decision is "call".
	 */
	if (unlikely(since + n >= 2 * vq->num))
		vq->signalled_valid = 0;
	vq->used_idx = pos_add(vq->used_idx, n, vq->num);

	/*
	 * (U) Used descriptors and buffers before the flags of the first one. Pairs
	 * with the driver's read barrier after it loads them: it goes on to the
	 * others only from there.
	 */
	smp_store_release(&first->flags, cpu_to_le16(flags));
}

void vrl_packed_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	const struct vrl_used_elem *const end = e + n;
	const __u32 num = vq->num;
	struct packed_desc *d = &packed_ring(vq)[pos_off(vq->used_idx)];
	const struct packed_desc *const start = d, *const last = packed_ring(vq) + num;
	const __u16 begin = used_flags(vq->used_idx);
	__u16 flags = begin, first;

	first = packed_write(d, e, flags);
	for (;;) {
		d += e->id >> ID_NR_SHIFT;
		if (++e == end)
			break;
		if (unlikely(d >= last)) {
			d -= num;
			flags ^= DESC_F_OWNER;
		}
		WRITE_ONCE(d->flags, cpu_to_le16(packed_write(d, e, flags)));
	}
	packed_publish(vq, first, (__u32)(d - start) + (flags == begin ? 0 : num));
}

/* One descriptor where the batch begins, for its last chain (2.8.9). */
void vrl_packed_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n)
{
	struct packed_desc *first = &packed_ring(vq)[pos_off(vq->used_idx)];
	__u16 flags = packed_write(first, &e[n - 1], used_flags(vq->used_idx));
	__u32 done = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		done += e[i].id >> ID_NR_SHIFT;
	packed_publish(vq, flags, done);
}

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
