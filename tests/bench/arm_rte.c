// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * DPDK's librte_vhost, as the distribution ships it, behind a real vhost-user
 * handshake: memory table, rings, and with an IOTLB its entries. tx is dequeue,
 * which allocates mbufs (freed outside of the measurement); rx is enqueue. mbufs
 * have the usual 2 KiB, so that 64 KiB are a chain of them.
 */
#define _GNU_SOURCE
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <rte_vhost.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "front.h"
#include "results.h"

#define F_MRG_RXBUF	(1ull << VIRTIO_NET_F_MRG_RXBUF)
#define F_INDIRECT	(1ull << 28)
#define F_VERSION_1	(1ull << 32)
#define F_IOMMU		(1ull << 33)
#define F_PACKED	(1ull << 34)

#define POOL_MBUFS	4095u
#define SEG		RTE_MBUF_DEFAULT_DATAROOM
#define IDLE_RING	0xe000		/* in the arm's area: the queue not measured */

static struct rte_mempool *pool;
static char path[108];
static volatile int new_vid = -1, gone_vid = -1;

struct session {
	struct front front;
	int vid;
	struct rte_mbuf *in[BATCH_MAX];		/* what dequeue gave */
	struct rte_mbuf *out[BATCH_MAX];	/* what enqueue sends */
	unsigned int nr_in;
};

static int rte_new_device(int vid)
{
	new_vid = vid;
	return 0;
}

static void rte_destroy_device(int vid)
{
	gone_vid = vid;
}

static const struct rte_vhost_device_ops ops = {
	.new_device = rte_new_device,
	.destroy_device = rte_destroy_device,
};

static void rte_leave(void)
{
	unlink(path);
}

int rte_start(void)
{
	char lcores[32];
	char *argv[] = { "vring-bench", "--no-huge", "--no-shconf", "-m", "256", "--no-pci",
			 "--no-telemetry", "--log-level=*:error", lcores, NULL };
	uint64_t features = F_MRG_RXBUF | F_INDIRECT | F_VERSION_1 | F_IOMMU | F_PACKED;

	/* The core that this thread has been bound to. */
	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", sched_getcpu());
	if (rte_eal_init(sizeof(argv) / sizeof(*argv) - 1, argv) < 0) {
		fprintf(stderr, "rte_eal_init: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	pool = rte_pktmbuf_pool_create("bench", POOL_MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	snprintf(path, sizeof(path), "%s/vhost.%d.sock", options.scratch, (int)getpid());
	unlink(path);
	atexit(rte_leave);
	if (!pool || rte_vhost_driver_register(path, RTE_VHOST_USER_IOMMU_SUPPORT) ||
	    rte_vhost_driver_enable_features(path, features) ||
	    rte_vhost_driver_callback_register(path, &ops) || rte_vhost_driver_start(path)) {
		fprintf(stderr, "rte_vhost: no server at %s\n", path);
		return -1;
	}
	return 0;
}

/* Wait for @v to say @want (-1: anything but -1). */
static int await(volatile int *v, int want)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	for (unsigned int i = 0; i < 20000; i++) {
		if (want < 0 ? *v >= 0 : *v == want)
			return 0;
		nanosleep(&ms, NULL);
	}
	fprintf(stderr, "rte_vhost: the device did not come or go within 20 s\n");
	return -1;
}

static struct front_ring rte_ring(const struct driver *d)
{
	uint32_t fresh = d->w->packed ? 0x80008000 : 0;

	return (struct front_ring){
		.num = d->w->ring,
		.base = fresh,
		.desc = (uintptr_t)d->desc,
		.avail = (uintptr_t)d->avail,
		.used = (uintptr_t)d->used,
	};
}

/* rte_vhost wants both queues of a pair. */
static int rte_rings(struct session *s, const struct driver *d, uint64_t to_iova)
{
	struct front_ring r = rte_ring(d), idle = r;
	uint64_t at = (uintptr_t)d->desc + IDLE_RING + to_iova;

	r.desc += to_iova;
	r.avail += to_iova;
	r.used += to_iova;
	idle.num = 8;
	idle.desc = at;
	idle.avail = at + 0x200;
	idle.used = at + 0x400;
	if (front_ring(&s->front, 0, d->w->rx ? &r : &idle) ||
	    front_ring(&s->front, 1, d->w->rx ? &idle : &r))
		return -1;
	return 0;
}

/* Frames to send: chains of mbufs, which enqueue reads and leaves alone. */
static int rte_frames(struct session *s, const struct driver *d)
{
	for (unsigned int i = 0; i < BATCH_MAX; i++) {
		uint32_t left = d->w->frame;

		for (struct rte_mbuf *m, **p = &s->out[i]; left; p = &m->next) {
			uint16_t n = (uint16_t)RTE_MIN(left, SEG);

			m = *p = rte_pktmbuf_alloc(pool);
			if (!m)
				return -1;
			m->data_len = n;
			left -= n;
			if (m != s->out[i])
				s->out[i]->nb_segs++;
		}
		s->out[i]->pkt_len = d->w->frame;
	}
	return 0;
}

static int session_open(const struct arm *a, const struct driver *d)
{
	struct session *s = a->ctx;
	uint64_t features = F_MRG_RXBUF | F_INDIRECT | F_VERSION_1;
	const struct memory *m = d->mem;

	memset(s, 0, sizeof(*s));
	s->vid = -1;
	new_vid = -1;
	features |= (d->w->packed ? F_PACKED : 0) | (a->ranges ? F_IOMMU : 0);
	if (front_connect(&s->front, path) || !front_negotiate(&s->front, features) ||
	    front_memory(&s->front, m->fd, m->base, m->size, d->iova_base))
		return -1;
	if (rte_rings(s, d, a->ranges ? d->iova_base - (uintptr_t)m->base : 0))
		return -1;
	/* Only after the rings: it is an entry for them that makes them known. */
	for (unsigned int i = 0; i < a->ranges; i++) {
		size_t part = m->size / a->ranges;

		if (front_iotlb(&s->front, d->iova_base + i * part, part, m->base + i * part))
			return -1;
	}
	if (await(&new_vid, -1))
		return -1;
	s->vid = new_vid;
	return d->w->rx ? rte_frames(s, d) : 0;
}

static unsigned int session_tx(void *ctx, unsigned int n)
{
	struct session *s = ctx;

	s->nr_in = rte_vhost_dequeue_burst((uint16_t)s->vid, 1, pool, s->in, (uint16_t)n);
	return s->nr_in;
}

static unsigned int session_rx(void *ctx, unsigned int n)
{
	struct session *s = ctx;

	return rte_vhost_enqueue_burst((uint16_t)s->vid, 0, s->out, (uint16_t)n);
}

static void session_release(void *ctx)
{
	struct session *s = ctx;

	rte_pktmbuf_free_bulk(s->in, s->nr_in);
	s->nr_in = 0;
}

static const uint8_t *session_get(void *ctx, unsigned int i, uint32_t *len)
{
	struct session *s = ctx;
	static uint8_t flat[FRAME_MAX];

	*len = rte_pktmbuf_pkt_len(s->in[i]);
	return *len > sizeof(flat) ? NULL : rte_pktmbuf_read(s->in[i], 0, *len, flat);
}

static void session_put(void *ctx, unsigned int i, const uint8_t *frame, uint32_t len)
{
	struct session *s = ctx;

	(void)len;
	for (struct rte_mbuf *m = s->out[i]; m; m = m->next) {
		memcpy(rte_pktmbuf_mtod(m, void *), frame, m->data_len);
		frame += m->data_len;
	}
}

static void session_close(void *ctx)
{
	struct session *s = ctx;

	gone_vid = -1;
	front_close(&s->front);
	if (s->vid >= 0)
		await(&gone_vid, s->vid);
	rte_pktmbuf_free_bulk(s->out, BATCH_MAX);
}

static struct session plain, mapped;

#define RTE_ARM(arm_name, session, nr_ranges)				\
	{								\
		.name = (arm_name),					\
		.ctx = &(session),					\
		.ranges = (nr_ranges),					\
		.open = session_open,					\
		.tx = session_tx,					\
		.rx = session_rx,					\
		.release = session_release,				\
		.get = session_get,					\
		.put = session_put,					\
		.close = session_close,					\
	}

const struct arm arm_rte = RTE_ARM("rte_vhost", plain, 0);
/* The same with an IOTLB. */
const struct arm arm_rte_iotlb64 = RTE_ARM("rte_vhost-64", mapped, 64);
