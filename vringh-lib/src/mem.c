// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * From segments to memory where the inline paths of vrl/mem.h end: segments that
 * lie in several ranges, chains of several segments, frames over several chains.
 * Everything is translated before the first byte is copied.
 */
#include <vrl/mem.h>

#include "iotlb.h"

/* Pieces translated at once; longer requests are gone through twice. */
#define BATCH		32

/* What is left of a request: @left bytes, the next at @off of *@seg. */
struct walk {
	struct vrl_mem *m;
	const struct vrl_seg *seg;
	__u32 off;
	__u32 left;
	__u32 perm;
};

/* Where a frame is read: what is left of the piece before @next. */
struct source {
	const char *at;
	__u32 left;
	const struct vrl_piece *next;
};

int vrl_mem_attach(struct vrl_mem *m, const struct vrl_iotlb *tlb, __u64 size,
		   void *base)
{
	*m = (struct vrl_mem){ .tlb = tlb, .base = base };
	m->out.max = 1;
	if (vrl_iotlb_attach(&m->out, size) || vrl_iotlb_attach(&m->in, size)) {
		m->tlb = NULL;
		return -EINVAL;
	}
	return 0;
}

void vrl_mem_sync(struct vrl_mem *m)
{
	if (!m->tlb)
		return;
	vrl_iotlb_sync(m->tlb, &m->out);
	vrl_iotlb_sync(m->tlb, &m->in);
}

/* From the table. Apart, so that the hot range is not burdened with it. */
static noinline int mem_piece_cold(struct vrl_mem *m, __u64 iova, __u32 len,
				   __u32 perm, struct vrl_piece *p)
{
	struct vrl_iotlb_hint *h = perm & VRL_PERM_W ? &m->in : &m->out;
	struct iotlb_found f;
	int ret;

	if (unlikely(!m->tlb))
		return -EFAULT;
	ret = iotlb_lookup(m->tlb, h, (unsigned long)m->base, iova, perm, &f);
	if (unlikely(ret))
		return ret;
	p->len = len - 1 <= f.after ? len : (__u32)(f.after + 1);
	p->addr = (void *)(unsigned long)f.addr;
	return 0;
}

/* The bytes that lie together from @iova on, up to @len of them. */
static __always_inline int mem_piece(struct vrl_mem *m, __u64 iova, __u32 len,
				     __u32 perm, struct vrl_piece *p)
{
	const struct vrl_iotlb_hint *h = perm & VRL_PERM_W ? &m->in : &m->out;

	p->len = len;
	if (m->window) {
		p->addr = (char *)m->window + iova;
		return 0;
	}
	if (unlikely(hint_bytes(h, iova) < len || (h->perm & perm) != perm))
		return mem_piece_cold(m, iova, len, perm, p);
	p->addr = (void *)(unsigned long)(h->addr + (iova - h->first));
	return 0;
}

void *vrl_mem_at_cold(struct vrl_mem *m, __u64 off, __u64 len, __u32 perm)
{
	struct vrl_iotlb_hint *h = perm & VRL_PERM_W ? &m->in : &m->out;
	struct iotlb_found f;

	if (unlikely(!len || !perm || !m->tlb))
		return NULL;
	if (unlikely(iotlb_lookup(m->tlb, h, (unsigned long)m->base,
				  h->first + off, perm, &f)))
		return NULL;
	return len - 1 <= f.after ? (void *)(unsigned long)f.addr : NULL;
}

/* One more piece of what is left, which is something. */
static __always_inline int walk_step(struct walk *w, struct vrl_piece *p)
{
	__u32 len;
	int ret;

	while (w->off == w->seg->len) {
		w->seg++;
		w->off = 0;
	}
	len = w->seg->len - w->off;
	if (len > w->left)
		len = w->left;
	ret = mem_piece(w->m, w->seg->iova + w->off, len, w->perm, p);
	if (unlikely(ret))
		return ret;
	w->off += p->len;
	w->left -= p->len;
	return 0;
}

/* Up to @max pieces of what is left. Returns how many, or an error. */
static int walk_pieces(struct walk *w, struct vrl_piece *out, unsigned int max)
{
	struct walk at = *w;
	unsigned int i;
	int ret;

	for (i = 0; at.left && i < max; i++) {
		ret = walk_step(&at, &out[i]);
		if (unlikely(ret))
			return ret;
	}
	*w = at;
	return (int)i;
}

/* Can all that is left be translated? On a copy: the walk itself stays. */
static int walk_check(struct walk w)
{
	struct vrl_piece p;
	int ret = 0;

	while (w.left && !ret)
		ret = walk_step(&w, &p);
	return ret;
}

/* The first pieces, if all that comes after them can be translated, too. */
static int walk_first(struct walk *w, struct vrl_piece *out, unsigned int max)
{
	int n = walk_pieces(w, out, max);
	int ret;

	if (unlikely(n < 0 || !w->left))
		return n;
	ret = walk_check(*w);
	return ret ? ret : n;
}

int vrl_mem_pieces(struct vrl_mem *m, const struct vrl_seg *segs,
		   unsigned int nr, __u32 perm, struct vrl_piece *out,
		   unsigned int max)
{
	struct walk w = { .m = m, .perm = perm };
	unsigned int n = 0, i;
	int ret;

	for (i = 0; i < nr; i++) {
		w.seg = &segs[i];
		w.off = 0;
		w.left = segs[i].len;
		ret = walk_pieces(&w, out + n, max - n);
		if (unlikely(ret < 0))
			return ret;
		if (unlikely(w.left))
			return -ENOSPC;
		n += (unsigned int)ret;
	}
	return (int)n;
}

/* To byte @off of the segments from @seg on, which have @total bytes. */
static int walk_begin(struct walk *w, const struct vrl_seg *seg, __u32 off,
		      __u32 total)
{
	if (unlikely(off > total || w->left > total - off))
		return -EMSGSIZE;
	if (!w->left)
		return 0;
	while (off >= seg->len) {
		off -= seg->len;
		seg++;
	}
	w->seg = seg;
	w->off = off;
	return 0;
}

static noinline void window_read_long(const char *window, const struct vrl_seg *s,
				      char *to, __u32 len)
{
	__u32 n;

	for (; len; len -= n, to += n, s++) {
		n = s->len < len ? s->len : len;
		vrl_copy_from_driver(to, window + s->iova, n);
	}
}

static noinline void window_write_long(const char *window, const struct vrl_seg *s,
				       const char *from, __u32 len)
{
	__u32 n;

	for (; len; len -= n, from += n, s++) {
		n = s->len < len ? s->len : len;
		vrl_copy_to_driver((char *)window + s->iova, from, n);
	}
}

/*
 * @len bytes from @s on, which has as many: by window there is nothing to refuse.
 * Where all copies are short there is no call in the loop, hence no register to
 * save: that is a quarter of what a header and a small frame cost.
 */
void vrl_mem_read_window(const void *window, const struct vrl_seg *s,
			 void *dst, __u32 len)
{
	const char *w = window;
	char *to = dst;
	__u64 n;

	if (len > VRL_COPY_SHORT) {
		window_read_long(w, s, to, len);
		return;
	}
	for (; len; len -= (__u32)n, to += n, s++) {
		n = s->len < len ? s->len : len;
		vrl_copy_short(to, w + s->iova, n);
	}
	barrier();
}

void vrl_mem_write_window(void *window, const struct vrl_seg *s,
			  const void *src, __u32 len)
{
	const char *from = src;
	char *w = window;
	__u64 n;

	if (len > VRL_COPY_SHORT) {
		window_write_long(w, s, from, len);
		return;
	}
	for (; len; len -= (__u32)n, from += n, s++) {
		n = s->len < len ? s->len : len;
		vrl_copy_short(w + s->iova, from, n);
	}
}

int vrl_mem_read_cold(struct vrl_mem *m, const struct vrl_burst *b,
		      const struct vrl_chain *c, __u32 off, void *dst,
		      __u32 len)
{
	struct walk w = { .m = m, .left = len, .perm = VRL_PERM_R };
	struct vrl_piece p[BATCH];
	char *to = dst;
	int n, i;

	n = walk_begin(&w, &b->segs[c->seg], off, c->out_len);
	if (unlikely(n))
		return n;
	n = walk_first(&w, p, BATCH);
	for (;;) {
		for (i = 0; i < n; i++) {
			vrl_copy_from_driver(to, p[i].addr, p[i].len);
			to += p[i].len;
		}
		if (n < 0 || !w.left)
			return n < 0 ? n : 0;
		n = walk_pieces(&w, p, BATCH);
	}
}

static void source_copy(struct source *s, char *to, __u32 left)
{
	__u32 n;

	for (; left; left -= n, to += n) {
		while (!s->left) {
			s->at = s->next->addr;
			s->left = s->next->len;
			s->next++;
		}
		n = left < s->left ? left : s->left;
		vrl_copy_to_driver(to, s->at, n);
		s->at += n;
		s->left -= n;
	}
}

/* Nothing, or all that is left, unless the table changes meanwhile. */
static int walk_write(struct walk *w, struct source *s)
{
	struct vrl_piece p[BATCH];
	int n, i;

	n = walk_first(w, p, BATCH);
	for (;;) {
		for (i = 0; i < n; i++)
			source_copy(s, p[i].addr, p[i].len);
		if (n < 0 || !w->left)
			return n < 0 ? n : 0;
		n = walk_pieces(w, p, BATCH);
	}
}

int vrl_mem_write_cold(struct vrl_mem *m, const struct vrl_burst *b,
		       const struct vrl_chain *c, __u32 off, const void *src,
		       __u32 len)
{
	struct walk w = { .m = m, .left = len, .perm = VRL_PERM_W };
	struct source s = { .at = src, .left = len };
	int ret;

	ret = walk_begin(&w, &b->segs[c->seg + c->nr_out], off, c->in_len);
	return ret ? ret : walk_write(&w, &s);
}

/* The first @len bytes of a chain's writable part. */
static struct walk walk_chain(struct vrl_mem *m, const struct vrl_burst *b,
			      const struct vrl_chain *c, __u32 len)
{
	return (struct walk){
		.m = m,
		.seg = &b->segs[c->seg + c->nr_out],
		.left = len,
		.perm = VRL_PERM_W,
	};
}

/* The first @len bytes to write of a chain, if they lie in one piece; or NULL. */
static inline char *chain_at(struct vrl_mem *m, const struct vrl_burst *b,
			     const struct vrl_chain *c, __u32 len)
{
	const struct vrl_seg *s = &b->segs[c->seg + c->nr_out];

	return len <= s->len ? vrl_mem_at(m, s->iova, len, VRL_PERM_W) : NULL;
}

static inline __u32 chain_take(const struct vrl_chain *c, __u64 left)
{
	return left < c->in_len ? (__u32)left : c->in_len;
}

/* Can @left bytes be written to these chains, and each has some of them? */
static int frame_check(struct vrl_mem *m, const struct vrl_burst *b,
		       const struct vrl_chain *c, __u64 left)
{
	__u32 len;
	int ret;

	for (; left; c++, left -= len) {
		len = chain_take(c, left);
		if (unlikely(!len))
			return -EFAULT;
		if (likely(chain_at(m, b, c, len)))
			continue;
		ret = walk_check(walk_chain(m, b, c, len));
		if (unlikely(ret))
			return ret;
	}
	return 0;
}

static int chain_write(struct vrl_mem *m, const struct vrl_burst *b,
		       const struct vrl_chain *c, __u32 len, struct source *s)
{
	char *to = chain_at(m, b, c, len);
	struct walk w;

	if (likely(to)) {
		source_copy(s, to, len);
		return 0;
	}
	w = walk_chain(m, b, c, len);
	return walk_write(&w, s);
}

int vrl_mem_write_frame_cold(struct vrl_mem *m, const struct vrl_burst *b,
			     unsigned int first, const struct vrl_piece *src,
			     __u64 len, struct vrl_used_elem *used)
{
	unsigned int n = vrl_mem_frame_chains(b, first, len), i;
	const struct vrl_chain *c = &b->chains[first];
	struct source s = { .next = src };
	int ret;

	if (unlikely(!len))
		return -EINVAL;
	if (unlikely(!n))
		return -ENOBUFS;
	/* A chain alone is checked when it is written to. */
	ret = n > 1 ? frame_check(m, b, c, len) : 0;
	for (i = 0; i < n && !ret; i++, c++, len -= used[i - 1].len) {
		used[i].id = c->id;
		used[i].len = chain_take(c, len);
		ret = chain_write(m, b, c, used[i].len, &s);
	}
	return ret ? ret : (int)n;
}
