/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Between vring.c, which goes through the avail ring, and chain.c, which
 * follows a chain: reading one descriptor, and the room left in a burst.
 */
#ifndef VRL_CHAIN_H
#define VRL_CHAIN_H

#include <vrl/vring.h>

#include "platform.h"

/* Descriptor flags, 2.7.5 */
#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4

/* vrl_chain.flags between the two passes of a peek: its table is being read. */
#define CHAIN_PENDING		(1u << 15)

/* Private copy of a descriptor. */
struct desc_copy {
	__u64 addr;
	__u32 len;
	__u16 flags;
	__u16 next;
};

/* Progress through the arrays of one burst. */
struct burst_walk {
	const struct vrl_vq *vq;
	struct vrl_burst *b;
	__u32 nr_segs;
	__u32 nr_table;
	__u32 nr_fetches;
};

/*
 * One load per word. The driver may write while this reads; what comes of it is
 * nonsense of its own making, but the same nonsense for every later check.
 */
static inline struct desc_copy desc_read(const struct vrl_desc *desc)
{
	__u64 addr = le64_to_cpu(READ_ONCE(desc->addr));
	__u64 rest = le64_to_cpu(READ_ONCE(desc->len_flags_next));

	return (struct desc_copy){
		.addr = addr,
		.len = (__u32)rest,
		.flags = (__u16)(rest >> 32),
		.next = (__u16)(rest >> 48),
	};
}

/* The last byte, not the one behind it: a buffer may end where the space ends. */
static inline bool range_wraps(__u64 addr, __u32 len)
{
	return addr + (len - 1) < addr;
}

/*
 * Both return 0, a positive enum vrl_why for a malformed chain, or -E2BIG when
 * the arrays of the burst have no room for it.
 */
int vrl_chain_walk(struct burst_walk *w, struct vrl_chain *c,
		   struct desc_copy d);
int vrl_chain_walk_table(struct burst_walk *w, struct vrl_chain *c,
			 const struct vrl_fetch *f);

#endif /* VRL_CHAIN_H */
