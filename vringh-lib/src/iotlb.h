/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The reader's side of the range table, for iotlb.c and mem.c: a search that
 * compares and never branches on the result, and the hot range of a hint.
 *
 * Readers and the writer share the table under a sequence number. All words of
 * it are stored and loaded whole; four barriers give them their order:
 *
 *   writer (iotlb.c)                    reader
 *   store seq = odd                     (R1) load seq, acquire
 *   (W1) store barrier                  load nr and entries
 *   store nr and entries                (R2) load barrier
 *   (W2) store seq = even, release      load seq again: the same?
 *
 * (W2) with (R1): who sees the new seq sees all of the change. (W1) with (R2):
 * who has seen a part of the change sees at least the odd seq.
 */
#ifndef VRL_SRC_IOTLB_H
#define VRL_SRC_IOTLB_H

#include <vrl/iotlb.h>

#include "platform.h"

/*
 * So many lookups in a row make a range hot. Two ranges in random turn get there
 * once in 2^16 lookups; one range alone pays 16 searches after each change.
 */
#define HINT_STREAK	16

/*
 * How often a reader looks again before it gives up: the writer moves at most
 * VRL_IOTLB_MAX entries, some 10 us, and may be gone for longer if it can be
 * preempted; that is not the reader's to wait for.
 */
#define LOOKUP_TRIES	512

/* Where an IOVA leads, and how many bytes follow it in its range. */
struct iotlb_found {
	__u64 addr;
	__u64 after;
};

/* The bytes of the hot range from @iova on, 0 if it is not in there. */
static inline __u64 hint_bytes(const struct vrl_iotlb_hint *h, __u64 iova)
{
	__u64 off = iova - h->first;

	return off < h->size ? h->size - off : 0;
}

/* A range was found: it becomes hot if it was found often enough in a row. */
static __always_inline void hint_learn(struct vrl_iotlb_hint *h,
				       const struct vrl_iotlb_entry *e,
				       __u64 base)
{
	__u32 same = -(__u32)(e->first == h->candidate);

	/* With alternating ranges nobody can guess this one: no branch. */
	OPTIMIZER_HIDE_VAR(same);
	h->streak = (h->streak + 1) & same;
	h->candidate = e->first;
	if (unlikely(h->streak >= HINT_STREAK)) {
		h->first = e->first;
		h->addr = base + e->addr;
		h->perm = e->perm;
		h->size = e->last - e->first + 1;
		if (!h->size)		/* the whole space */
			h->size = ~(__u64)0;
	}
}

/* The first of @n > 0 ranges that does not end before @iova; behind them if none. */
static __always_inline const struct vrl_iotlb_entry *
entries_find(const struct vrl_iotlb_entry *e, unsigned long n, __u64 iova)
{
	const struct vrl_iotlb_entry *half;

	while (n > 1) {
		half = e + n / 2;
		n -= n / 2;
		e = select_pointer(READ_ONCE(half[-1].last) < iova, half, e);
	}
	return e + (READ_ONCE(e->last) < iova);
}

/*
 * One look at the table, whose words are believed only if seq has not changed;
 * until then they bound nothing and lead nowhere. Returns 0 with a copy of the
 * entry in *e, or -EFAULT, or -EAGAIN.
 */
static __always_inline int iotlb_look(const struct vrl_iotlb *t, __u32 max,
				      __u64 iova, struct vrl_iotlb_entry *e,
				      __u32 *seq)
{
	const struct vrl_iotlb_entry *src = t->entries;
	__u32 nr;

	*seq = smp_load_acquire(&t->seq);	/* (R1) pairs with (W2) */
	nr = READ_ONCE(t->nr);
	nr = nr < max ? nr : max;
	if (likely(nr))
		src = entries_find(t->entries, nr, iova);
	if (unlikely(src == &t->entries[nr])) {
		*e = (struct vrl_iotlb_entry){ .first = ~(__u64)0 };
	} else {
		e->first = READ_ONCE(src->first);
		e->last = READ_ONCE(src->last);
		e->addr = READ_ONCE(src->addr);
		e->perm = READ_ONCE(src->perm);
	}

	smp_rmb();				/* (R2) pairs with (W1) */
	if (unlikely(READ_ONCE(t->seq) != *seq || *seq & 1))
		return -EAGAIN;
	return likely(e->first <= iova && iova <= e->last) ? 0 : -EFAULT;
}

/*
 * Search the table. The hint's hot range is dropped; what is found becomes the
 * next one, or a candidate, with @base added to its address. Returns 0 or the
 * errors of vrl_iotlb_translate().
 */
static __always_inline int iotlb_lookup(const struct vrl_iotlb *t,
					struct vrl_iotlb_hint *h, __u64 base,
					__u64 iova, __u32 perm,
					struct iotlb_found *f)
{
	__u32 max = h->max ? h->max : READ_ONCE(t->max);
	unsigned int tries = LOOKUP_TRIES;
	struct vrl_iotlb_entry e;
	__u32 seq;
	int ret;

	max = max < VRL_IOTLB_MAX ? max : VRL_IOTLB_MAX;
	h->size = 0;
	while (unlikely((ret = iotlb_look(t, max, iova, &e, &seq)) == -EAGAIN) &&
	       --tries)
		cpu_relax();
	if (unlikely(ret))
		return ret;
	if (unlikely((e.perm & perm) != perm))
		return -EACCES;

	h->seq = seq;
	hint_learn(h, &e, base);
	f->addr = base + e.addr + (iova - e.first);
	f->after = e.last - iova;
	return 0;
}

#endif /* VRL_SRC_IOTLB_H */
