/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One chain, whichever ring it comes from: a descriptor's private copy, the check
 * of a segment, and the room left in a burst. Inline is what the rings need for
 * every descriptor; chain.c has the indirect tables.
 */
#ifndef VRL_CHAIN_H
#define VRL_CHAIN_H

#include <vrl/vring.h>

#include "platform.h"

/* Descriptor flags, 2.7.5 and 2.8 */
#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4

/* What decides which loop a descriptor is for. */
#define DESC_F_KIND		(DESC_F_NEXT | DESC_F_WRITE | DESC_F_INDIRECT)

/* vrl_chain.flags between the two passes of a peek: its table is being read. */
#define CHAIN_PENDING		(1u << 31)

/* Private copy of a descriptor, in the words in which it was read. */
struct desc_copy {
	__u64 addr;
	__u64 rest;
};

static inline __u32 desc_len(struct desc_copy d)
{
	return (__u32)d.rest;
}

/* 2.7.5; in a packed ring the buffer id is here. */
static inline __u16 desc_flags(struct desc_copy d)
{
	return (__u16)(d.rest >> 32);
}

static inline __u16 desc_next(struct desc_copy d)
{
	return (__u16)(d.rest >> 48);
}

/* 2.8: where a packed descriptor has them. */
static inline __u16 desc_packed_flags(struct desc_copy d)
{
	return (__u16)(d.rest >> 48);
}

/* Progress through the arrays of one burst; @c is the chain that is next. */
struct burst_walk {
	struct vrl_vq *vq;
	struct vrl_burst *b;
	struct vrl_chain *c;
	__u32 nr_segs;
	__u32 nr_table;
	__u32 nr_fetches;
};

/*
 * What a walk adds up, in registers: @nr segments of @len bytes, of which
 * @nr_out and @out_len were readable; these two are final once @write is set.
 */
struct chain_sum {
	__u64 len;
	__u64 out_len;
	__u32 nr;
	__u32 nr_out;
	__u16 write;			/* DESC_F_WRITE of the last segment */
};

/*
 * One load per word. The driver may write while this reads; what comes of it is
 * nonsense of its own making, but the same nonsense for every later check.
 */
static inline struct desc_copy desc_read(const struct vrl_desc *desc)
{
	return (struct desc_copy){
		.addr = le64_to_cpu(READ_ONCE(desc->addr)),
		.rest = le64_to_cpu(READ_ONCE(desc->len_flags_next)),
	};
}

/*
 * The last byte is compared, not the one behind it: a buffer may end where the
 * space ends. Returns 0 or enum vrl_why.
 */
static inline int range_check(__u64 addr, __u32 len, __u64 iova_last)
{
	if (unlikely(!len))
		return VRL_WHY_ZERO_LEN;
	if (unlikely(addr > iova_last || len - 1 > iova_last - addr))
		return VRL_WHY_ADDR_RANGE;
	return 0;
}

static inline void chain_clear(struct vrl_chain *c, __u32 flags)
{
	c->nr_out = 0;
	c->nr_in = 0;
	c->flags = flags;
	c->out_len = 0;
	c->in_len = 0;
}

/* A segment of a chain of several. Returns 0 or enum vrl_why. */
static inline int chain_add(struct chain_sum *sum, struct vrl_seg *seg,
			    __u64 addr, __u32 len, __u16 flags, __u64 iova_last)
{
	__u16 write = flags & DESC_F_WRITE;
	int ret = range_check(addr, len, iova_last);

	if (unlikely(ret))
		return ret;
	if (write != sum->write) {
		if (unlikely(!write))
			return VRL_WHY_READ_AFTER_WRITE;
		sum->write = write;
		sum->nr_out = sum->nr;
		sum->out_len = sum->len;
	}
	seg->iova = addr;
	seg->len = len;
	seg->flags = write;
	sum->nr++;
	sum->len += len;
	return 0;
}

/* Into the chain, or back to go on. Returns 0 or enum vrl_why. */
static inline int chain_store(struct vrl_chain *c, const struct chain_sum *sum)
{
	__u32 nr_out = sum->write ? sum->nr_out : sum->nr;
	__u64 out_len = sum->write ? sum->out_len : sum->len;

	if (unlikely(sum->len > 0xffffffff))
		return VRL_WHY_TOO_MANY_BYTES;
	c->nr_out = (__u16)nr_out;
	c->nr_in = (__u16)(sum->nr - nr_out);
	c->out_len = (__u32)out_len;
	c->in_len = (__u32)(sum->len - out_len);
	return 0;
}

static inline struct chain_sum chain_load(const struct vrl_chain *c)
{
	return (struct chain_sum){
		.len = (__u64)c->out_len + c->in_len,
		.out_len = c->out_len,
		.nr = (__u32)c->nr_out + c->nr_in,
		.nr_out = c->nr_out,
		.write = c->nr_in ? DESC_F_WRITE : 0,
	};
}

/*
 * A chain of one direct descriptor, checked, of which @write is known when this is
 * compiled: its segment is number @at of the burst.
 */
static __always_inline void chain_single(struct vrl_chain *c, struct vrl_seg *seg, __u32 at,
					 __u64 addr, __u32 len, const __u16 write)
{
	seg->iova = addr;
	seg->len = len;
	seg->flags = write;
	c->seg = at;
	c->flags = 0;
	c->nr_out = !write;
	c->nr_in = !!write;
	c->out_len = write ? 0 : len;
	c->in_len = write ? len : 0;
}

/*
 * A table of @len bytes at @iova goes on with, or is, chain @c. Returns 0, a positive
 * enum vrl_why, -E2BIG when the arrays of the burst have no room, or -EAGAIN
 * (vrl_mem_read()).
 */
int vrl_chain_note_table(struct burst_walk *w, struct vrl_chain *c,
			 __u64 iova, __u32 len);

/*
 * Read what was noted and finish the first @n chains of the burst. Returns how
 * many there are now, or what peek is to return; the queue may be broken by it.
 */
int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n);

#endif /* VRL_CHAIN_H */
