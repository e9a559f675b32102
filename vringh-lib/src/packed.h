/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Descriptors of a packed ring and positions in it, for packed.c, packed_used.c and the log.
 */
#ifndef VRL_PACKED_H
#define VRL_PACKED_H

#include "queue.h"

/* A descriptor in the words it is read by: each of them once. */
struct packed_desc {
	__le64 addr;
	__le32 len;
	__le16 id;
	__le16 flags;
};

static_assert(sizeof(struct packed_desc) == sizeof(struct vrl_desc), "2.8.13");

/* 2.8.1: both equal to the wrap counter: used; only AVAIL equal: available. */
#define DESC_F_AVAIL		(1u << 7)
#define DESC_F_USED		(1u << 15)
#define DESC_F_OWNER		(DESC_F_AVAIL | DESC_F_USED)

/* vrl_chain.id: how many descriptors of the ring the chain takes. */
#define ID_NR_SHIFT		16

static inline __u32 pos_off(__u16 pos)
{
	return pos & (VRL_STATE_WRAP - 1);
}

/* @n up to @num. */
static inline __u16 pos_add(__u16 pos, __u32 n, __u32 num)
{
	__u32 off = pos_off(pos) + n;
	__u32 wrap = pos & VRL_STATE_WRAP;

	if (off >= num) {
		off -= num;
		wrap ^= VRL_STATE_WRAP;
	}
	return (__u16)(off | wrap);
}

/* Steps from @from on to @to, in a circle of twice the ring. */
static inline __u32 pos_distance(__u16 from, __u16 to, __u32 num)
{
	__u32 d = pos_off(to) - pos_off(from);

	if ((from ^ to) & VRL_STATE_WRAP)
		d += num;
	return (__s32)d < 0 ? d + 2 * num : d;
}

static inline __u32 packed_in_flight(const struct vrl_vq *vq)
{
	return pos_distance(vq->used_idx, vq->last_avail, vq->num);
}

/* DESC_F_OWNER of a descriptor that is available, and of one that is used. */
static inline __u16 avail_flags(__u16 pos)
{
	return pos & VRL_STATE_WRAP ? DESC_F_AVAIL : DESC_F_USED;
}

static inline __u16 used_flags(__u16 pos)
{
	return pos & VRL_STATE_WRAP ? DESC_F_OWNER : 0;
}

static inline struct packed_desc *packed_ring(const struct vrl_vq *vq)
{
	return (struct packed_desc *)vq->desc;
}

/* Is there a chain, or what looks like one? */
static inline bool packed_is_avail(const struct vrl_vq *vq)
{
	const struct packed_desc *d = &packed_ring(vq)[pos_off(vq->last_avail)];
	__u16 flags = le16_to_cpu(READ_ONCE(d->flags));

	return (flags & DESC_F_OWNER) == avail_flags(vq->last_avail);
}

#endif /* VRL_PACKED_H */
