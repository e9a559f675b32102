/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * In-flight log: which chains were taken and not yet given back, in memory that
 * survives the process that took them. The layout is that of the vhost-user
 * protocol ("Inflight I/O tracking"), one region per queue, in the byte order of
 * the machine, so that the region a front-end hands over is used as it is, and a
 * log that another implementation wrote is understood.
 *
 * A queue writes its log when vrl_vq_config.inflight names the region:
 * vrl_vq_consume() puts chains on record, a push takes them off, in such an order
 * that the process may die between any two stores. vrl_vq_init() on a region with
 * a log repairs what was left half done and takes the indices from the ring and
 * the log (vrl_vq_config.state does not count then). The first peeks hand out the
 * chains in flight once more, in the order in which they had been taken; then the
 * ring goes on.
 *
 * What is promised is that no chain is lost and that the driver sees none come
 * back twice. A chain may be worked on twice: whoever died may have done the work
 * and not said so.
 *
 * The memory of a process that is killed holds what its instructions stored, in
 * their order; a power failure is another matter, and not what the log is for.
 */
#ifndef VRL_INFLIGHT_H
#define VRL_INFLIGHT_H

#include <vrl/types.h>

#define VRL_INFLIGHT_VERSION	1	/* 0: memory that holds no log yet */
#define VRL_INFLIGHT_ALIGN	64	/* regions of one file follow each other so */

/* Head descriptors are entries by their own index. */
struct vrl_inflight_split_desc {
	__u8 inflight;			/* 1: taken, not given back */
	__u8 padding[5];
	__u16 next;			/* in the list of the last batch */
	__u64 counter;			/* order of being taken */
};

struct vrl_inflight_split {
	__u64 features;			/* 0 */
	__u16 version;
	__u16 desc_num;
	__u16 last_batch_head;
	__u16 used_idx;			/* differs from the ring's: push unfinished */
	struct vrl_inflight_split_desc desc[];
};

/*
 * Entries are allocated from a list, as many to a chain as it has descriptors in
 * the ring, of which each holds a copy: the ring's own may be overwritten by
 * used descriptors. inflight, last, num and counter count in a chain's first.
 */
struct vrl_inflight_packed_desc {
	__u8 inflight;
	__u8 padding;
	__u16 next;			/* in the chain, or in the free list */
	__u16 last;
	__u16 num;
	__u64 counter;
	__u16 id;
	__u16 flags;
	__u32 len;
	__u64 addr;
};

/* Two heads of the free list, or two positions: written by one store. */
union vrl_inflight_free {
	struct {
		__u16 head;
		__u16 old_head;
	};
	__u32 word;
};

union vrl_inflight_used {
	struct {
		__u16 idx;
		__u16 old_idx;
		__u8 wrap_counter;
		__u8 old_wrap_counter;
		__u8 padding[2];
	};
	__u64 word;
};

/* What is not "old" is of a push that is under way; else the two are the same. */
struct vrl_inflight_packed {
	__u64 features;			/* 0 */
	__u16 version;
	__u16 desc_num;
	union vrl_inflight_free free;	/* desc_num and above: none */
	union vrl_inflight_used used;
	__u8 padding[8];
	struct vrl_inflight_packed_desc desc[];
};

/**
 * vrl_inflight_size() - how much memory the log of one queue takes
 * @features: VRL_F_*; only VRL_F_PACKED counts
 * @num:      size of the queue
 *
 * Any context.
 *
 * Return: bytes, a multiple of VRL_INFLIGHT_ALIGN; 0 if no queue has that size.
 */
__u32 vrl_inflight_size(__u32 features, __u32 num);

/**
 * vrl_inflight_init() - make a log with nothing in flight
 * @region:   vrl_inflight_size() bytes, aligned to 8; what it holds is forgotten
 * @features: VRL_F_*
 * @num:      size of the queue, 1 to VRL_NUM_MAX
 *
 * For a queue that starts at its beginning, as after a reset of the device; a
 * region of zeroes needs no call, vrl_vq_init() does the same to it. No queue may
 * be using the region. Any context.
 */
void vrl_inflight_init(void *region, __u32 features, __u32 num);

/**
 * vrl_inflight_check() - is this a log that a queue can go on with
 * @region:   memory of unknown origin, aligned to 8
 * @size:     its bytes
 * @features: VRL_F_*
 * @num:      size of the queue
 *
 * Looks at size and header only; whether the entries make sense, vrl_vq_init()
 * finds out (VRL_WHY_CFG_INFLIGHT). It does not know the size: who takes a region
 * from elsewhere asks here first. Any context; writes nothing.
 *
 * Return: 1 if there is a log, 0 if the memory was never used, -EINVAL if it is
 * too small or misaligned, or of another version, size or feature set.
 */
int vrl_inflight_check(const void *region, __u64 size, __u32 features, __u32 num);

#endif /* VRL_INFLIGHT_H */
