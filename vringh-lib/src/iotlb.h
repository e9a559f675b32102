/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Between iotlb.c, which searches the table, and mem.c, which turns what it finds
 * into pointers: the hot range of a hint.
 */
#ifndef VRL_SRC_IOTLB_H
#define VRL_SRC_IOTLB_H

#include <vrl/iotlb.h>

#include "platform.h"

/*
 * So many lookups in a row make a range hot. Two ranges in random turn get there
 * once in 2^15 lookups; one range alone pays 16 searches after each change.
 */
#define HINT_STREAK	16

/* The bytes of the hot range from @iova on, 0 if it is not in there. */
static inline __u64 hint_bytes(const struct vrl_iotlb_hint *h, __u64 iova)
{
	__u64 off = iova - h->first;

	return off < h->size ? h->size - off : 0;
}

/* What vrl_iotlb_lookup() found becomes hot, if it came often enough. */
static inline void hint_learn(struct vrl_iotlb_hint *h,
			      const struct vrl_iotlb_entry *e, __u64 base)
{
	if (h->streak < HINT_STREAK)
		return;
	h->first = e->first;
	h->size = e->last - e->first + 1;
	if (!h->size)			/* the whole space */
		h->size = ~(__u64)0;
	h->delta = base + e->addr - e->first;
	h->perm = e->perm;
}

/*
 * Search the table for @iova; the hint's hot range is dropped. Returns 0 with a
 * copy of the entry in *e, or the errors of vrl_iotlb_translate().
 */
int vrl_iotlb_lookup(const struct vrl_iotlb *t, struct vrl_iotlb_hint *h,
		     __u64 iova, __u32 perm, struct vrl_iotlb_entry *e);

#endif /* VRL_SRC_IOTLB_H */
