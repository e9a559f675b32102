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

/*
 * Progress through the arrays of one burst; @c is the chain that is next. @iova_end
 * is vq->iova_last + 1, or the largest number if there is none.
 */
struct burst_walk {
	struct vrl_vq *vq;
	struct vrl_burst *b;
	struct vrl_chain *c;
	__u64 iova_end;
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
	return (struct desc_copy){
		.addr = le64_to_cpu(READ_ONCE(desc->addr)),
		.rest = le64_to_cpu(READ_ONCE(desc->len_flags_next)),
	};
}

static inline struct burst_walk walk_begin(struct vrl_vq *vq, struct vrl_burst *b)
{
	return (struct burst_walk){
		.vq = vq,
		.b = b,
		.iova_end = vq->iova_last + !!~vq->iova_last,
	};
}

/* The whole truth of range_check(). */
int vrl_range_check(__u64 addr, __u32 len, __u64 iova_last);

/*
 * Returns 0 or enum vrl_why. What begins before its end, which is not 0 then, has a
 * length and does not wrap. A buffer may end where the space of 2^64 ends: its end
 * is 0, and that is the one legal case among those for which two compares are not
 * enough.
 */
static __always_inline int range_check(const struct burst_walk *w, __u64 addr, __u32 len)
{
	__u64 end = addr + len;

	if (likely(end > addr && end <= w->iova_end))
		return 0;
	return vrl_range_check(addr, len, w->vq->iova_last);
}

static inline void chain_clear(struct vrl_chain *c, __u32 flags)
{
	c->nr_out = 0;
	c->nr_in = 0;
	c->flags = flags;
	c->out_len = 0;
	c->in_len = 0;
}

/*
 * A walk over one chain, in registers: the descriptor that is next, where its
 * segment goes, and the bytes so far.
 */
struct chain_walk {
	struct desc_copy d;
	struct vrl_seg *seg;
	__u64 len;
};

/* What walks return beside 0, enum vrl_why and -E2BIG: @d is of another kind. */
#define CHAIN_OTHER		VRL_WHY_NR

/* One segment, of which the direction has been seen. Returns 0 or enum vrl_why. */
static __always_inline int chain_add(const struct burst_walk *w, struct chain_walk *k,
				     __u64 addr, __u32 len, __u16 write)
{
	int ret = range_check(w, addr, len);

	if (unlikely(ret))
		return ret;
	k->seg->iova = addr;
	k->seg->len = len;
	k->seg->flags = write;
	k->seg++;
	k->len += len;
	return 0;
}

/* An array of descriptors that follow each other by their next: a ring or a table. */
struct desc_array {
	const struct vrl_desc *desc;
	__u32 num;
};

/*
 * The descriptors of a chain that all go one way, beginning with one that has a next.
 * Returns 0 at the end of the chain; CHAIN_OTHER before one that goes the other way
 * or is indirect; -E2BIG when the chain goes on at @limit, which bounds the walk; or
 * a positive enum vrl_why. There is room for one segment.
 */
static __always_inline int chain_follow(const struct burst_walk *w, struct chain_walk *k,
					struct desc_array a, const struct vrl_seg *limit,
					const __u16 write)
{
	__u16 next;
	int ret;

	do {
		ret = chain_add(w, k, k->d.addr, desc_len(k->d), write);
		if (unlikely(ret))
			return ret;
		next = desc_next(k->d);
		if (unlikely(next >= a.num))
			return VRL_WHY_NEXT_RANGE;
		if (unlikely(k->seg == limit))
			return -E2BIG;
		k->d = desc_read(&a.desc[next]);
	} while ((desc_flags(k->d) & DESC_F_KIND) == (write | DESC_F_NEXT));
	if (unlikely((desc_flags(k->d) & DESC_F_KIND) != write))
		return CHAIN_OTHER;
	return chain_add(w, k, k->d.addr, desc_len(k->d), write);
}

/* The same for any descriptors, one at a time; CHAIN_OTHER before an indirect one. */
int vrl_chain_follow_any(const struct burst_walk *w, struct chain_walk *k, struct desc_array a,
			 const struct vrl_seg *limit);

/* @nr segments that all go one way are the whole chain. Returns 0 or enum vrl_why. */
static __always_inline int chain_store(struct vrl_chain *c, __u32 nr, __u64 len,
				       const __u16 write)
{
	if (unlikely(len > 0xffffffff))
		return VRL_WHY_TOO_MANY_BYTES;
	c->nr_out = write ? 0 : (__u16)nr;
	c->nr_in = write ? (__u16)nr : 0;
	c->out_len = write ? 0 : (__u32)len;
	c->in_len = write ? (__u32)len : 0;
	return 0;
}

/* The same for segments from @first on that may go either way. */
int vrl_chain_divide(struct vrl_chain *c, const struct vrl_seg *first, __u32 nr);

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
