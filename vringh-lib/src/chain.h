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

/* Is DESC_F_KIND of it @kind? Without taking the flags out of the word. */
static __always_inline bool desc_is(struct desc_copy d, const __u16 kind)
{
	return (d.rest & (__u64)DESC_F_KIND << 32) == (__u64)kind << 32;
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

/*
 * Two neighbours of 32 bits by one store, where @second is mostly a constant 0.
 * Fortified copies see the first of the two fields only, hence the builtin.
 */
static __always_inline void store_pair(__u32 *p, __u32 first, __u32 second)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const __u64 both = first | (__u64)second << 32;
#else
	const __u64 both = (__u64)first << 32 | second;
#endif

	__builtin_memcpy(p, &both, sizeof(both));
}

static __always_inline void seg_store(struct vrl_seg *seg, __u64 addr, __u32 len, __u32 write)
{
	/* Two stores: a vector register made of both words is four instructions. */
	WRITE_ONCE(seg->iova, addr);
	store_pair(&seg->len, len, write);
}

/* A walk over one chain: the descriptor that is next and where its segment goes. */
struct chain_walk {
	struct desc_copy d;
	struct vrl_seg *seg;
};

/*
 * An array of descriptors that follow each other by their next: a ring or a table of
 * @size bytes. Two whole words, which are passed in registers without more ado.
 */
struct desc_array {
	const struct vrl_desc *desc;
	__u64 size;
};

static inline __u32 desc_array_nr(struct desc_array a)
{
	return (__u32)(a.size / sizeof(struct vrl_desc));
}

/* The one behind @d, or NULL: it is outside. */
static __always_inline const struct vrl_desc *desc_array_next(struct desc_array a,
							      struct desc_copy d)
{
	const __u64 off = (__u64)desc_next(d) * sizeof(struct vrl_desc);

	return likely(off < a.size) ? (const void *)((const char *)a.desc + off) : NULL;
}

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
 * A chain of @nr segments from @seg on that go the same way. @nr and @write are known
 * when this is compiled: a few stores are left.
 */
static __always_inline void chain_store(struct vrl_chain *c, __u32 seg, const __u16 nr,
					__u32 len, const __u16 write)
{
	const __u16 nrs[2] = { write ? 0 : nr, write ? nr : 0 };

	__builtin_memcpy(&c->nr_out, nrs, sizeof(nrs));
	store_pair(&c->seg, seg, 0);
	store_pair(&c->out_len, write ? 0 : len, write ? len : 0);
}

/*
 * Two descriptors that go the same way, a header and a frame, are what drivers post:
 * if @d, which has a next and is @write as said, and that one are chain @c, it is
 * done. @seg is segs[@at], and there is room for two. Returns how many segments were
 * stored: 2, or the chain goes on with *@d behind them, whatever that is.
 */
static __always_inline __u32 chain_pair(const struct burst_walk *w, struct vrl_chain *c,
					struct desc_array a, struct desc_copy *d,
					struct vrl_seg *seg, __u32 at, const __u16 write)
{
	const struct desc_copy head = *d;
	const struct vrl_desc *p = desc_array_next(a, head);
	__u32 len;

	if (unlikely(!p || !range_is_fine(w, head.addr, desc_len(head))))
		return 0;
	*d = desc_read(p);
	seg_store(seg, head.addr, desc_len(head), write);
	if (unlikely(!desc_is(*d, write) || !range_is_fine(w, d->addr, desc_len(*d)) ||
		     __builtin_add_overflow(desc_len(head), desc_len(*d), &len)))
		return 1;
	seg_store(seg + 1, d->addr, desc_len(*d), write);
	chain_store(c, at, 2, len, write);
	return 2;
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
 * The table of @len bytes at @iova, if it has room for a pair and can be read where it
 * is: plain memory (at @window, or by the range table), in one piece, its words aligned.
 * A table of one entry is nobody's (drivers use it directly), and its entry may name
 * itself as the next: that is no pair, whatever it says when it is read again. NULL, and
 * vrl_chain_note_table() knows why. Out of order execution overlaps the misses of
 * several chains, as long as one takes so few instructions.
 */
static __always_inline const struct vrl_desc *table_in_place(const struct burst_walk *w,
							     const char *window, __u64 iova,
							     __u32 len)
{
	const __u32 size = sizeof(struct vrl_desc), over = len - 2 * size;
	const void *p;

	/* 2 to VRL_CHAIN_MAX whole entries: what is left over ends up on top. */
	if (unlikely((over / size | over << 28) >= VRL_CHAIN_MAX - 1 ||
		     !range_is_fine(w, iova, len)))
		return NULL;
	if (likely(window)) {
		p = window + iova;
	} else {
		p = w->mem ? vrl_mem_at(w->mem, iova, len, VRL_PERM_R) : NULL;
		if (!p)
			return NULL;
	}
	return likely(table_is_aligned(p)) ? p : NULL;
}

/*
 * The table of a chain, which may have other segments before (CHAIN_GOES_ON). The
 * next descriptor is @d, its segment @seg. Returns 0 or enum vrl_why.
 */
int vrl_table_follow(struct burst_walk *w, struct vrl_chain *c, struct desc_copy d,
		     struct vrl_seg *seg, struct desc_array table);
/* Packed: the table is the whole chain. From entry @i on, which has been read as @d. */
int vrl_table_follow_packed(struct burst_walk *w, struct vrl_chain *c, struct desc_copy d,
			    struct desc_array table, __u32 i);

/*
 * As chain_pair(), for a split ring's table that is all of chain @c: *@d is its first
 * entry.
 */
static __always_inline __u32 table_pair(const struct burst_walk *w, struct vrl_chain *c,
					struct desc_array table, struct desc_copy *d,
					struct vrl_seg *seg, __u32 at)
{
	if (desc_is(*d, DESC_F_NEXT))
		return chain_pair(w, c, table, d, seg, at, 0);
	if (desc_is(*d, DESC_F_NEXT | DESC_F_WRITE))
		return chain_pair(w, c, table, d, seg, at, DESC_F_WRITE);
	return 0;
}

/* As chain_pair(): a table of two that go the same way, else the general walk. */
static __always_inline int table_pair_packed(struct burst_walk *w, struct vrl_chain *c,
					     struct desc_copy head, struct desc_array table,
					     __u32 at, const __u16 write)
{
	struct vrl_seg *seg = &w->b->segs[at];
	struct desc_copy d;
	__u32 len;

	c->seg = at;
	if (unlikely(table.size != 2 * sizeof(struct vrl_desc) ||
		     !range_is_fine(w, head.addr, desc_len(head))))
		return vrl_table_follow_packed(w, c, head, table, 0);
	d = desc_read(&table.desc[1]);
	seg_store(seg++, head.addr, desc_len(head), write);
	if (unlikely((desc_packed_flags(d) & DESC_F_WRITE) != write ||
		     !range_is_fine(w, d.addr, desc_len(d)) ||
		     __builtin_add_overflow(desc_len(head), desc_len(d), &len)))
		return vrl_table_follow_packed(w, c, d, table, 1);
	seg_store(seg, d.addr, desc_len(d), write);
	chain_store(c, at, 2, len, write);
	return 0;
}

/* Packed: all entries, in order; of the flags only DESC_F_WRITE means something. */
static __always_inline int table_walk_packed(struct burst_walk *w, struct vrl_chain *c,
					     struct desc_array table, __u32 at)
{
	const struct desc_copy d = desc_read(table.desc);

	return desc_packed_flags(d) & DESC_F_WRITE ?
	       table_pair_packed(w, c, d, table, at, DESC_F_WRITE) :
	       table_pair_packed(w, c, d, table, at, 0);
}

/*
 * Read what was noted and finish the first @n chains of the burst. Returns how
 * many there are now, or what peek is to return; the queue may be broken by it.
 */
int vrl_chain_walk_tables(struct burst_walk *w, unsigned int n);

#endif /* VRL_CHAIN_H */
