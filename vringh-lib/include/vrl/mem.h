/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver's memory as this side reaches it, and copies between it and private
 * memory. Two ways, chosen by what the caller has:
 *
 *   window   byte @iova lies at @window + @iova. The queue's iova_last has been
 *            checked by peek for each segment, so a translation costs nothing.
 *   table    an IOTLB (vrl/iotlb.h); a segment may lie in several ranges that
 *            are neighbours in IOVA only, and is then copied piece by piece.
 *
 * A request of which one byte is not mapped, or not for that direction, is refused
 * whole: nothing is copied. Only what is asked for counts: a buffer of which just
 * the beginning is used need not be mapped to its end.
 *
 * Chains and segments are what vrl_vq_peek_burst() left in the burst. One
 * vrl_mem is used by one thread at a time. Any context; copies may be long.
 */
#ifndef VRL_MEM_H
#define VRL_MEM_H

#include <vrl/copy.h>
#include <vrl/iotlb.h>
#include <vrl/vring.h>

/*
 * Filled in by the caller, all else zeroed: either @window, or @tlb and @base.
 * vrl_mem_attach() does the same for a table that somebody else writes.
 */
struct vrl_mem {
	void *window;			/* or NULL: @tlb */
	const struct vrl_iotlb *tlb;	/* or NULL: nothing is mapped */
	void *base;			/* added to what the table says */
	struct vrl_iotlb_hint out;	/* for what the device reads only */
	struct vrl_iotlb_hint in;	/* for what it writes */
};

/* One piece of memory, as iovec. */
struct vrl_piece {
	void *addr;
	__u32 len;
};

/**
 * vrl_mem_attach() - translate by a table that somebody else writes
 * @m:    is set up
 * @tlb:  table, mapped read-only
 * @size: bytes of the mapping; nothing outside is read, whatever is in it
 * @base: added to what the table says
 *
 * Return: 0, or -EINVAL if not one range fits into @size.
 */
int vrl_mem_attach(struct vrl_mem *m, const struct vrl_iotlb *tlb, __u64 size,
		   void *base);

/**
 * vrl_mem_sync() - take notice of changes of the table
 * @m: memory
 *
 * Once per burst, before its first translation (peek is one, with indirect
 * descriptors). Pointers from before must not be used after it.
 */
void vrl_mem_sync(struct vrl_mem *m);

/*
 * What vrl_mem_at() does outside of the hot range; @off as seen from the range's
 * begin, so that the fast path need not keep the IOVA.
 */
void *vrl_mem_at_cold(struct vrl_mem *m, __u64 off, __u64 len, __u32 perm);

/**
 * vrl_mem_at() - where a buffer lies, if it lies in one piece
 * @m:    memory
 * @iova: first byte
 * @len:  bytes, > 0
 * @perm: VRL_PERM_R, VRL_PERM_W or both
 *
 * Return: a pointer, good until the next vrl_mem_sync(); NULL if the buffer lies
 * in several ranges, is not mapped, or not for @perm: vrl_mem_pieces() tells.
 */
static inline void *vrl_mem_at(struct vrl_mem *m, __u64 iova, __u64 len,
			       __u32 perm)
{
	/* All ranges that ever get into @in may be written. */
	const struct vrl_iotlb_hint *h = perm & VRL_PERM_W ? &m->in : &m->out;
	__u64 off, left;

	if (m->window) {
		/* Loaded anew, so that the other way has a test without a load. */
		__asm__("" : "+r"(m));
		return (char *)m->window + iova;
	}

	off = iova - h->first;
	if (__builtin_expect(__builtin_sub_overflow(h->size, off, &left), 0))
		goto cold;
	/* Two branches on the carry, which gcc else merges to four instructions. */
	__asm__("" : "+r"(left));
	if (__builtin_expect(left < len, 0))
		goto cold;
	if (perm == (VRL_PERM_R | VRL_PERM_W) && !(h->perm & VRL_PERM_R))
		return NULL;
	return (void *)(unsigned long)(h->addr + off);

cold:
	return vrl_mem_at_cold(m, off, len, perm);
}

/**
 * vrl_mem_pieces() - where segments lie, for who wants no copy
 * @m:    memory
 * @segs: segments
 * @nr:   how many
 * @perm: VRL_PERM_R or VRL_PERM_W
 * @out:  pieces, in order; a segment that lies in several ranges gives several
 * @max:  room in @out
 *
 * Return: number of pieces, good until the next vrl_mem_sync(); -EFAULT or
 * -EACCES if a byte is not mapped, or not for @perm; -ENOSPC if @out is too small;
 * -EAGAIN if the writer of the table never rested.
 */
int vrl_mem_pieces(struct vrl_mem *m, const struct vrl_seg *segs,
		   unsigned int nr, __u32 perm, struct vrl_piece *out,
		   unsigned int max);

/* What vrl_mem_read() and vrl_mem_write() do when it is not as simple as that. */
void vrl_mem_read_window(const void *window, const struct vrl_seg *s,
			 void *dst, __u32 len);
void vrl_mem_write_window(void *window, const struct vrl_seg *s,
			  const void *src, __u32 len);
int vrl_mem_read_cold(struct vrl_mem *m, const struct vrl_burst *b,
		      const struct vrl_chain *c, __u32 off, void *dst,
		      __u32 len);
int vrl_mem_write_cold(struct vrl_mem *m, const struct vrl_burst *b,
		       const struct vrl_chain *c, __u32 off, const void *src,
		       __u32 len);

/*
 * What vrl_mem_read() and vrl_mem_write() have in common: @len bytes from byte @off of
 * the segments @s, @total bytes in all, to @own or from there (@write, a constant).
 * False, and nothing is copied, if it is not as simple as that.
 */
static inline __attribute__((__always_inline__)) bool
vrl_mem_move(struct vrl_mem *m, const struct vrl_seg *s, __u32 total, __u32 off,
	     char *own, __u32 len, const bool write)
{
	char *w = (char *)m->window, *p;
	__u32 at = off, n;
	__u64 left;

	if (!len || off >= total)
		return false;
	/* Constant 0, mostly: then there is no loop. */
	if (off)
		for (; at >= s->len; s++)
			at -= s->len;
	n = s->len - at;

	if (w) {
		if (len > n) {
			if (off || len > total)
				return false;
			left = len - n;
			if (n - 8 > 8 || left > s[1].len) {
				if (write)
					vrl_mem_write_window(w, s, own, len);
				else
					vrl_mem_read_window(w, s, own, len);
				return true;
			}
			/* A virtio-net header before its frame. */
			p = w + s->iova;
			vrl_copy_8_to_16(write ? p : own, write ? own : p, n);
			own += n;
			s++;
		} else {
			left = len;
		}
		p = w + s->iova + at;
	} else {
		if (len > n)
			return false;
		left = len;
		p = (char *)vrl_mem_at(m, s->iova + at, len, write ? VRL_PERM_W : VRL_PERM_R);
		if (__builtin_expect(!p, 0))
			return false;
	}
	if (write)
		vrl_copy_to_driver(p, own, left);
	else
		vrl_copy_from_driver(own, p, left);
	return true;
}

/**
 * vrl_mem_read() - copy from the device-readable segments of a chain
 * @m:   memory
 * @b:   burst that holds the segments
 * @c:   chain
 * @off: first byte, counted over all readable segments
 * @dst: private memory
 * @len: bytes
 *
 * Return: 0; -EMSGSIZE if the chain is shorter; -EFAULT or -EACCES if a byte of
 * these is not mapped, or not for reading; -EAGAIN if the writer of the table
 * never rested. On error nothing has been copied, unless the table changed
 * during the call.
 */
static inline __attribute__((__always_inline__)) int
vrl_mem_read(struct vrl_mem *m, const struct vrl_burst *b,
	     const struct vrl_chain *c, __u32 off, void *dst, __u32 len)
{
	if (__builtin_expect(vrl_mem_move(m, &b->segs[c->seg], c->out_len, off,
					  (char *)dst, len, false), 1))
		return 0;
	return vrl_mem_read_cold(m, b, c, off, dst, len);
}

/* Once more in vrl_mem_write_frame(). */
static inline __attribute__((__always_inline__)) int
vrl_mem_write(struct vrl_mem *m, const struct vrl_burst *b,
	      const struct vrl_chain *c, __u32 off, const void *src, __u32 len);

/**
 * vrl_mem_write() - copy to the device-writable segments of a chain
 * @m:   memory
 * @b:   burst that holds the segments
 * @c:   chain
 * @off: first byte, counted over all writable segments
 * @src: private memory
 * @len: bytes
 *
 * Return: as vrl_mem_read(), for writing.
 */
static inline int vrl_mem_write(struct vrl_mem *m, const struct vrl_burst *b,
				const struct vrl_chain *c, __u32 off,
				const void *src, __u32 len)
{
	/* Only read, in this direction. */
	if (__builtin_expect(vrl_mem_move(m, &b->segs[c->seg + c->nr_out], c->in_len, off,
					  (char *)(unsigned long)src, len, true), 1))
		return 0;
	return vrl_mem_write_cold(m, b, c, off, src, len);
}

/**
 * vrl_mem_frame_chains() - how many chains a frame takes (5.1.6.4)
 * @b:     burst
 * @first: chain to begin with
 * @len:   bytes of the frame, its header included
 *
 * For num_buffers in the header, which must be there before the frame is written.
 *
 * Return: chains, > 0, or 0 if those of the burst do not hold it.
 */
static inline unsigned int vrl_mem_frame_chains(const struct vrl_burst *b,
						unsigned int first, __u64 len)
{
	unsigned int i;
	__u64 room = 0;

	for (i = first; i < b->nr_chains; i++) {
		room += b->chains[i].in_len;
		if (room >= len)
			return i - first + 1;
	}
	return 0;
}

/* What vrl_mem_write_frame() does for @len bytes when they take more than that. */
int vrl_mem_write_frame_cold(struct vrl_mem *m, const struct vrl_burst *b,
			     unsigned int first, const struct vrl_piece *src,
			     __u64 len, struct vrl_used_elem *used);

/**
 * vrl_mem_write_frame() - write one frame into as many chains as it needs
 * @m:     memory
 * @b:     burst
 * @first: chain to begin with
 * @src:   the frame, its header first
 * @nr:    pieces in @src
 * @used:  out: one element per chain, for push
 *
 * Chains are filled one after the other; all that are used belong to one push
 * (5.1.6.4). Without mergeable buffers the caller gives a burst of one chain, or
 * refuses what vrl_mem_frame_chains() says takes more.
 *
 * Return: number of chains, > 0; -EINVAL if the frame has no bytes; -ENOBUFS if
 * the chains of the burst from @first on do not hold it; -EFAULT, -EACCES or
 * -EAGAIN as in vrl_mem_write(); -EFAULT also if a chain has no writable byte.
 * After -EFAULT or -EACCES, giving back chain @first with length 0 leads past the
 * bad one sooner or later.
 */
static inline int vrl_mem_write_frame(struct vrl_mem *m,
				      const struct vrl_burst *b,
				      unsigned int first,
				      const struct vrl_piece *src,
				      unsigned int nr,
				      struct vrl_used_elem *used)
{
	const struct vrl_piece *p, *end = src + nr;
	const struct vrl_chain *c = &b->chains[first];
	const struct vrl_seg *s;
	__u64 len = 0;
	char *to;
	int ret;

	for (p = src; p < end; p++)
		len += p->len;
	if (__builtin_expect(first >= b->nr_chains || !len || len > c->in_len, 0))
		goto cold;

	if (nr == 1) {
		ret = vrl_mem_write(m, b, c, 0, src->addr, (__u32)len);
		if (__builtin_expect(ret, 0))
			return ret;
	} else {
		s = &b->segs[c->seg + c->nr_out];
		if (len > s->len)
			goto cold;
		to = (char *)vrl_mem_at(m, s->iova, len, VRL_PERM_W);
		if (__builtin_expect(!to, 0))
			goto cold;
		for (p = src; p < end; to += p->len, p++)
			vrl_copy_to_driver(to, p->addr, p->len);
	}
	used->id = c->id;
	used->len = (__u32)len;
	return 1;

cold:
	return vrl_mem_write_frame_cold(m, b, first, src, len, used);
}

/**
 * vrl_mem_prefetch() - the first two lines of each chain, to the cache
 * @m: memory
 * @b: burst
 *
 * Waiting for all of them at once is most of what a burst gains. Where a chain is
 * not mapped nothing happens.
 */
static inline void vrl_mem_prefetch(struct vrl_mem *m,
				    const struct vrl_burst *b)
{
	const struct vrl_chain *c = b->chains, *end = c + b->nr_chains;
	/* The hot range of the burst's direction, apart: nothing here moves it. */
	const struct vrl_iotlb_hint *h = c < end && !c->nr_out ? &m->in : &m->out;
	const __u64 first = m->window ? 0 : h->first;
	const __u64 size = m->window ? ~(__u64)0 : h->size;
	const __u64 at = m->window ? (__u64)(unsigned long)m->window : h->addr;
	const struct vrl_seg *s;
	const char *p;
	__u64 off;

	for (; c < end; c++) {
		if (__builtin_expect(!(c->nr_out + c->nr_in), 0))
			continue;
		s = &b->segs[c->seg];
		off = s->iova - first;
		p = (const char *)(unsigned long)(at + off);
		if (__builtin_expect(off >= size, 0))
			p = (const char *)vrl_mem_at(m, s->iova, 1, c->nr_out ?
						     VRL_PERM_R : VRL_PERM_W);
		if (__builtin_expect(!p, 0))
			continue;
		__builtin_prefetch(p);
		if (s->len > 64)
			__builtin_prefetch(p + 64);
	}
}

#endif /* VRL_MEM_H */
