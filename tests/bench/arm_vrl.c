// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vringh-lib as a back-end uses it: peek, translate and copy, consume, push, ask
 * whether to interrupt. Three ways to the driver's memory: a window, and the range
 * table with 1 and with 64 ranges.
 */
#include <stdlib.h>
#include <string.h>
#include <vrl/mem.h>
#include <vrl/vring.h>

#include "bench.h"

#define CHAINS_MAX	(BATCH_MAX * PIECES_MAX)
#define NUM_BUFFERS	10u	/* where the header has it */

struct vrl_queue {
	struct vrl_vq vq;
	struct vrl_mem mem;
	struct vrl_burst burst;
	struct vrl_iotlb *table;
};

static struct vrl_queue window, table1, table64;

/* One after the other uses them: peek fills them anew. */
static struct vrl_chain chains[CHAINS_MAX];
static struct vrl_seg segs[CHAINS_MAX];
static struct vrl_fetch fetches[CHAINS_MAX];
static struct vrl_desc descs[CHAINS_MAX];
static struct vrl_used_elem used[CHAINS_MAX];
static struct vrl_used_elem read_only[CHAINS_MAX];	/* nothing written: lengths stay 0 */
static struct vrl_piece out[BATCH_MAX];		/* the private frames */

static int vrl_map(struct vrl_queue *q, const struct driver *d, unsigned int ranges)
{
	size_t part;

	q->mem = (struct vrl_mem){ 0 };
	if (!ranges) {
		q->mem.window = d->mem->base - d->iova_base;
		return 0;
	}
	q->table = malloc(vrl_iotlb_size(ranges));
	if (!q->table || vrl_iotlb_init(q->table, ranges))
		return -1;
	part = d->mem->size / ranges;
	for (unsigned int i = 0; i < ranges; i++) {
		__u64 first = d->iova_base + i * part;

		if (vrl_iotlb_add(q->table, first, first + part - 1,
				  (uintptr_t)d->mem->base + i * part, VRL_PERM_R | VRL_PERM_W))
			return -1;
	}
	q->mem.tlb = q->table;
	return 0;
}

static int vrl_open(const struct arm *a, const struct driver *d)
{
	struct vrl_queue *q = a->ctx;
	struct vrl_vq_config cfg = {
		.desc = d->desc,
		.driver = d->avail,
		.device = d->used,
		.num = d->w->ring,
		.features = VRL_F_INDIRECT | (d->w->packed ? VRL_F_PACKED : 0),
		.iova_last = d->iova_base + d->mem->size - 1,
		.mem = &q->mem,
	};

	if (d->w->packed)
		cfg.state = VRL_STATE_PACKED;
	q->burst = (struct vrl_burst){
		.chains = chains,
		.segs = segs,
		.fetches = fetches,
		.table = descs,
		.max_chains = CHAINS_MAX,
		.max_segs = CHAINS_MAX,
		.max_table = CHAINS_MAX,
	};
	return vrl_map(q, d, a->ranges) || vrl_vq_init(&q->vq, &cfg) ? -1 : 0;
}

static unsigned int vrl_tx(void *ctx, unsigned int n)
{
	struct vrl_queue *q = ctx;
	struct vrl_burst *b = &q->burst;
	int ret;

	vrl_mem_sync(&q->mem);
	ret = vrl_vq_peek_burst(&q->vq, b, n);
	if (ret <= 0)
		return 0;
	n = (unsigned int)ret;
	for (unsigned int i = 0; i < n; i++) {
		const struct vrl_chain *c = &chains[i];
		uint32_t len = c->out_len;

		if (len > FRAME_MAX || vrl_mem_read(&q->mem, b, c, 0, frames.buf[i], len))
			len = 0;
		frames.len[i] = len;
		read_only[i].id = c->id;
	}
	vrl_vq_consume(&q->vq, b, n);
	vrl_vq_push_burst(&q->vq, read_only, n);
	if (vrl_vq_needs_call(&q->vq))
		abort();
	return n;
}

/*
 * Frame @i to the chains from @at on. Returns how many it took, 0 on failure. More
 * than one is rare, and the driver sees nothing before the push: then the header is
 * written once more.
 */
static inline unsigned int vrl_put(struct vrl_queue *q, unsigned int i, unsigned int at)
{
	int nr = vrl_mem_write_frame(&q->mem, &q->burst, at, &out[i], 1, &used[at]);
	__le16 num_buffers;

	if (nr == 1)
		return 1;
	num_buffers = (__le16)nr;
	if (nr < 0 || vrl_mem_write(&q->mem, &q->burst, &chains[at], NUM_BUFFERS, &num_buffers, 2))
		return 0;
	return (unsigned int)nr;
}

static unsigned int vrl_rx(void *ctx, unsigned int n)
{
	struct vrl_queue *q = ctx;
	unsigned int i, at = 0, nr;

	vrl_mem_sync(&q->mem);
	/* 16 chains are enough for a frame of 64 KiB in pages. */
	if (vrl_vq_peek_burst(&q->vq, &q->burst, out[0].len > 4096 ? 16 * n : n) <= 0)
		return 0;
	for (i = 0; i < n; i++, at += nr) {
		nr = vrl_put(q, i, at);
		if (!nr)
			break;
	}
	vrl_vq_consume(&q->vq, &q->burst, at);
	vrl_vq_push_burst(&q->vq, used, at);
	if (vrl_vq_needs_call(&q->vq))
		abort();
	return i;
}

static void vrl_set(void *ctx, unsigned int i, const uint8_t *frame, uint32_t len)
{
	flat_put(ctx, i, frame, len);
	out[i] = (struct vrl_piece){ .addr = frames.buf[i], .len = frames.len[i] };
}

static void vrl_close(void *ctx)
{
	struct vrl_queue *q = ctx;

	free(q->table);
	q->table = NULL;
}

#define VRL_ARM(arm_name, queue, nr_ranges)				\
	{								\
		.name = (arm_name),					\
		.ctx = &(queue),					\
		.ranges = (nr_ranges),					\
		.open = vrl_open,					\
		.tx = vrl_tx,						\
		.rx = vrl_rx,						\
		.get = flat_get,					\
		.put = vrl_set,						\
		.close = vrl_close,					\
	}

const struct arm arm_vrl_window = VRL_ARM("vrl", window, 0);
const struct arm arm_vrl_table1 = VRL_ARM("vrl-1", table1, 1);
const struct arm arm_vrl_table64 = VRL_ARM("vrl-64", table64, 64);
