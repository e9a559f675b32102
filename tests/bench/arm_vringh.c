// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The kernel's vringh (split ring only), used as its users do: one descriptor
 * chain after the other is taken, copied and completed, and once per burst it is
 * asked whether to notify. "kern" takes addresses as pointers, "iotlb" translates
 * each access through vhost_iotlb.
 */
#include "vringh_shim.h"

#include "bench.h"

#define VRINGH_FEATURES	(1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_RING_F_INDIRECT_DESC)

struct vringh_queue {
	struct vringh vrh;
	struct vringh_kiov riov, wiov;
	struct kvec rvec[PIECES_MAX], wvec[PIECES_MAX];
	struct vhost_iotlb *iotlb;
	spinlock_t lock;
};

static struct vringh_queue kern, mapped;

static void queue_start(struct vringh_queue *q)
{
	memset(q, 0, sizeof(*q));
	vringh_kiov_init(&q->riov, q->rvec, PIECES_MAX);
	vringh_kiov_init(&q->wiov, q->wvec, PIECES_MAX);
}

/* Where the two flavours differ, chosen at compile time. */
static __always_inline int queue_get(struct vringh_queue *q, u16 *head, bool tlb, bool rx)
{
	struct vringh_kiov *r = rx ? NULL : &q->riov, *w = rx ? &q->wiov : NULL;

	return tlb ? vringh_getdesc_iotlb(&q->vrh, r, w, head, GFP_ATOMIC) :
	       vringh_getdesc_kern(&q->vrh, r, w, head, GFP_ATOMIC);
}

static __always_inline ssize_t queue_pull(struct vringh_queue *q, void *dst, bool tlb)
{
	return tlb ? vringh_iov_pull_iotlb(&q->vrh, &q->riov, dst, FRAME_MAX) :
	       vringh_iov_pull_kern(&q->riov, dst, FRAME_MAX);
}

static __always_inline ssize_t queue_push(struct vringh_queue *q, const void *src, size_t len,
					  bool tlb)
{
	return tlb ? vringh_iov_push_iotlb(&q->vrh, &q->wiov, src, len) :
	       vringh_iov_push_kern(&q->wiov, src, len);
}

static __always_inline int queue_complete(struct vringh_queue *q, u16 head, u32 len, bool tlb)
{
	return tlb ? vringh_complete_iotlb(&q->vrh, head, len) :
	       vringh_complete_kern(&q->vrh, head, len);
}

static __always_inline void queue_notify(struct vringh_queue *q, bool tlb)
{
	if ((tlb ? vringh_need_notify_iotlb(&q->vrh) : vringh_need_notify_kern(&q->vrh)) > 0)
		vringh_notify(&q->vrh);
}

static __always_inline unsigned int queue_tx(struct vringh_queue *q, unsigned int n, bool tlb)
{
	unsigned int i;
	ssize_t len;
	u16 head;

	for (i = 0; i < n && queue_get(q, &head, tlb, false) > 0; i++) {
		len = queue_pull(q, frames.buf[i], tlb);
		if (len < 0)
			break;
		frames.len[i] = (uint32_t)len;
		queue_complete(q, head, 0, tlb);
	}
	queue_notify(q, tlb);
	return i;
}

/*
 * One frame into as many chains as it takes; vringh publishes each by itself. That
 * all are as large as the first is the bench's knowledge, for num_buffers.
 */
static __always_inline bool queue_write(struct vringh_queue *q, uint8_t *frame, uint32_t left,
					bool tlb)
{
	ssize_t done;
	size_t room;
	u16 head;

	for (bool first = true; left; first = false, left -= (uint32_t)done, frame += done) {
		if (queue_get(q, &head, tlb, true) <= 0)
			return false;
		room = vringh_kiov_length(&q->wiov);
		if (first)
			frame[10] = (uint8_t)(left > room ? (left + room - 1) / room : 1);
		done = queue_push(q, frame, left, tlb);
		if (done <= 0 || queue_complete(q, head, (u32)done, tlb))
			return false;
	}
	return true;
}

static __always_inline unsigned int queue_rx(struct vringh_queue *q, unsigned int n, bool tlb)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!queue_write(q, frames.buf[i], frames.len[i], tlb))
			break;
	queue_notify(q, tlb);
	return i;
}

/* ---- kern ------------------------------------------------------------------- */

static int kern_open(const struct arm *a, const struct driver *d)
{
	(void)a;
	queue_start(&kern);
	return vringh_init_kern(&kern.vrh, VRINGH_FEATURES, d->w->ring, true, d->desc, d->avail,
				d->used);
}

static unsigned int kern_tx(void *ctx, unsigned int n)
{
	return queue_tx(ctx, n, false);
}

static unsigned int kern_rx(void *ctx, unsigned int n)
{
	return queue_rx(ctx, n, false);
}

const struct arm arm_vringh_kern = {
	.name = "vringh",
	.ctx = &kern,
	.split_only = true,
	.identity = true,
	.open = kern_open,
	.tx = kern_tx,
	.rx = kern_rx,
	.get = flat_get,
	.put = flat_put,
};

/* ---- iotlb ------------------------------------------------------------------ */

static int mapped_open(const struct arm *a, const struct driver *d)
{
	const uint8_t *base = d->mem->base;
	size_t part = d->mem->size / a->ranges;

	queue_start(&mapped);
	mapped.iotlb = vhost_iotlb_alloc(a->ranges, 0);
	if (!mapped.iotlb)
		return -1;
	for (unsigned int i = 0; i < a->ranges; i++) {
		u64 iova = d->iova_base + i * part;

		if (vhost_iotlb_add_range(mapped.iotlb, iova, iova + part - 1,
					  (uintptr_t)base + i * part, VHOST_MAP_RW))
			return -1;
	}
	vringh_set_iotlb(&mapped.vrh, mapped.iotlb, &mapped.lock);
#define IOVA(p)	((void *)(uintptr_t)(d->iova_base + (u64)((uint8_t *)(p) - base)))
	return vringh_init_iotlb(&mapped.vrh, VRINGH_FEATURES, d->w->ring, true, IOVA(d->desc),
				 IOVA(d->avail), IOVA(d->used));
}

static unsigned int mapped_tx(void *ctx, unsigned int n)
{
	return queue_tx(ctx, n, true);
}

static unsigned int mapped_rx(void *ctx, unsigned int n)
{
	return queue_rx(ctx, n, true);
}

static void mapped_close(void *ctx)
{
	struct vringh_queue *q = ctx;

	vhost_iotlb_free(q->iotlb);
	q->iotlb = NULL;
}

const struct arm arm_vringh_iotlb = {
	.name = "vringh-64",
	.ctx = &mapped,
	.split_only = true,
	.ranges = 64,
	.open = mapped_open,
	.tx = mapped_tx,
	.rx = mapped_rx,
	.get = flat_get,
	.put = flat_put,
	.close = mapped_close,
};

/* ---- one lookup alone (lookup.c) -------------------------------------------- */

static struct vhost_iotlb *lookup_tree;

int kernel_lookup_open(unsigned int ranges, uint64_t first, uint64_t len, uint64_t step)
{
	vhost_iotlb_free(lookup_tree);
	lookup_tree = vhost_iotlb_alloc(ranges, 0);
	if (!lookup_tree)
		return -1;
	for (unsigned int i = 0; i < ranges; i++, first += step)
		if (vhost_iotlb_add_range(lookup_tree, first, first + len - 1, i * step,
					  VHOST_MAP_RO))
			return -1;
	return 0;
}

/* As vringh does it, without its lock. */
uint64_t kernel_lookup(const uint64_t *iova, unsigned int n)
{
	const struct vhost_iotlb_map *map;
	uint64_t sum = 0, a;

	for (unsigned int i = 0; i < n; i++) {
		map = vhost_iotlb_itree_first(lookup_tree, iova[i], iova[i] + 63);
		if (!map || map->start > iova[i] || !(map->perm & VHOST_MAP_RO))
			return 0;
		a = map->addr + iova[i] - map->start;
		__asm__ volatile("" : "+r"(a));
		sum += a;
	}
	return sum;
}
