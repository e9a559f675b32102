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

#include <vrl/mem.h>
#include <vrl/vring.h>

#include "platform.h"

/* Descriptor flags, 2.7.5 and 2.8 */
#define DESC_F_NEXT		1
#define DESC_F_WRITE		2
#define DESC_F_INDIRECT		4

/* What decides which loop a descriptor is for. */
#define DESC_F_KIND		(DESC_F_NEXT | DESC_F_WRITE | DESC_F_INDIRECT)

/*
 * vrl_chain.flags between the two passes of a peek: its table is being read. It is
 * all of the chain, of which only seg is set then; or it goes on behind others.
 */
#define CHAIN_TABLE		(1u << 31)
#define CHAIN_GOES_ON		(1u << 30)

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
	struct vrl_mem *mem;		/* if tables are read in place */
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
		.mem = vq->features & VRL_F_INDIRECT ? vq->mem : NULL,
		.iova_end = vq->iova_last + !!~vq->iova_last,
	};
}

/* Returns 0 or enum vrl_why. */
int vrl_range_check(__u64 addr, __u32 len, __u64 iova_last);

/*
 * What begins before its end, which is not 0 then, has a length and does not wrap.
 * A buffer may end where the space of 2^64 ends: its end is 0, and that is the one
 * legal case that is not fine here.
 */
static __always_inline bool range_is_fine(const struct burst_walk *w, __u64 addr, __u32 len)
{
	__u64 end = addr + len;

	return likely(end > addr && end <= w->iova_end);
}

static __always_inline int range_check(const struct burst_walk *w, __u64 addr, __u32 len)
{
	return range_is_fine(w, addr, len) ? 0 : vrl_range_check(addr, len, w->vq->iova_last);
}

static inline void chain_clear(struct vrl_chain *c, __u32 flags)
{
	c->nr_out = 0;
	c->nr_in = 0;
	c->flags = flags;
	c->out_len = 0;
	c->in_len = 0;
}

static __always_inline void seg_store(struct vrl_seg *seg, __u64 addr, __u32 len, __u32 write)
{
	seg->iova = addr;
	seg->len = len;
	seg->flags = write;
}

/* A walk over one chain: the descriptor that is next and where its segment goes. */
struct chain_walk {
	struct desc_copy d;
	struct vrl_seg *seg;
};

/* An array of descriptors that follow each other by their next: a ring or a table. */
struct desc_array {
	const struct vrl_desc *desc;
	__u32 num;
};

/* What vrl_chain_follow() returns beside 0, enum vrl_why and -E2BIG. */
#define CHAIN_INDIRECT		VRL_WHY_NR

/*
 * Direct descriptors of a chain, to its end. Returns 0; CHAIN_INDIRECT before an
 * indirect one; -E2BIG when the chain goes on at @limit, which bounds the walk; or a
 * positive enum vrl_why.
 */
int vrl_chain_follow(const struct burst_walk *w, struct chain_walk *k, struct desc_array a,
		     const struct vrl_seg *limit);

/*
 * The @nr segments from @first on are the chain: where do the readable ones end?
 * Returns 0 or enum vrl_why.
 */
int vrl_chain_divide(struct vrl_chain *c, const struct vrl_seg *first, __u32 nr);

/*
 * A chain of @nr segments that go the same way. @nr and @write are known when this
 * is compiled: a few stores are left.
 */
static __always_inline void chain_store(struct vrl_chain *c, const __u16 nr, __u32 len,
					const __u16 write)
{
	c->flags = 0;
	c->nr_out = write ? 0 : nr;
	c->nr_in = write ? nr : 0;
	c->out_len = write ? 0 : len;
	c->in_len = write ? len : 0;
}

/*
 * Two descriptors that go the same way, a header and a frame, are what drivers post:
 * true if @d, which has a next, and that one are chain @c. Else the chain goes on
 * with *@d and *@seg, whatever that is. @write as *@d has it.
 */
static __always_inline bool chain_pair(const struct burst_walk *w, struct vrl_chain *c,
				       struct desc_array a, struct desc_copy *d,
				       struct vrl_seg **seg, const __u16 write)
{
	const struct desc_copy head = *d;
	__u32 len;

	if (unlikely(desc_next(head) >= a.num ||
		     !range_is_fine(w, head.addr, desc_len(head))))
		return false;
	*d = desc_read(&a.desc[desc_next(head)]);
	seg_store((*seg)++, head.addr, desc_len(head), write);
	if (unlikely((desc_flags(*d) & DESC_F_KIND) != write ||
		     !range_is_fine(w, d->addr, desc_len(*d)) ||
		     __builtin_add_overflow(desc_len(head), desc_len(*d), &len)))
		return false;
	seg_store((*seg)++, d->addr, desc_len(*d), write);
	chain_store(c, 2, len, write);
	return true;
}

/*
 * The table of @len bytes at @iova goes on with chain @c, or is all of it. Returns 0,
 * a positive enum vrl_why, -E2BIG when the arrays of the burst have no room, or
 * -EAGAIN (vrl_mem_read()).
 */
int vrl_chain_note_table(struct burst_walk *w, struct vrl_chain *c,
			 __u64 iova, __u32 len);

static inline bool table_is_aligned(const void *p)
{
	return !((unsigned long)p & (sizeof(__u64) - 1));
}

/*
 * The same for a chain that is nothing else: straight through for tables in plain
 * memory that lie in one piece and whose words are aligned. They are on the way to
 * the cache while the other chains are looked at.
 */
static __always_inline int chain_note_table(struct burst_walk *w, struct vrl_chain *c,
					    __u64 iova, __u32 len)
{
	const __u32 nr = len / sizeof(struct vrl_desc);
	struct vrl_fetch *f = &w->b->fetches[w->nr_fetches];
	void *p = NULL;

	c->seg = w->nr_segs;
	if (likely(w->mem && nr - 1 < VRL_CHAIN_MAX && !(len % sizeof(struct vrl_desc)) &&
		   nr <= w->b->max_segs - w->nr_segs && !range_check(w, iova, len)))
		p = vrl_mem_at(w->mem, iova, len, VRL_PERM_R);
	if (unlikely(!p || !table_is_aligned(p))) {
		chain_clear(c, 0);
		return vrl_chain_note_table(w, c, iova, len);
	}
	prefetch(p);
	f->dst = p;
	f->len = len;
	f->err = 0;
	w->nr_fetches++;
	w->nr_segs += nr;
	c->flags = CHAIN_TABLE;
	return 0;
}

/*
 * Read what was noted and finish the first @n chains of the burst. Returns how
 * many there are now, or what peek is to return; the queue may be broken by it.
 */
int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n);

#endif /* VRL_CHAIN_H */
