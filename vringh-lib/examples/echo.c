// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A network device that sends every frame back: the device side of two virtqueues
 * in one file. Split and packed rings, indirect descriptors, mergeable buffers.
 * Its driver is whoever speaks vhost-user: QEMU, or DPDK's virtio-user.
 *
 *	echo SOCKET
 *
 * Serves one front-end, until that hangs up. Status 1: it broke the rules.
 */
#include <endian.h>
#include <err.h>
#include <poll.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "vhost_user.h"

#define BIT(n)		(UINT64_C(1) << (n))
#define OFFERED		(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF) | \
			 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_IN_ORDER))

#define BURST		32
#define FRAME_MAX	65562		/* 64 KiB of TSO, and the header */

/* What a burst is looked at in. One for both queues: each is done with at once. */
static struct vrl_chain chains[BURST];
static struct vrl_seg segs[VRL_CHAIN_MAX];
static struct vrl_fetch fetches[BURST];
static struct vrl_desc table[VRL_CHAIN_MAX];
static struct vrl_burst burst = {
	.chains = chains,
	.segs = segs,
	.fetches = fetches,
	.table = table,
	.max_chains = BURST,
	.max_segs = VRL_CHAIN_MAX,
	.max_table = VRL_CHAIN_MAX,
};
static uint8_t frame[FRAME_MAX];

static void give_back(struct vhost_user_queue *q, const struct vrl_used_elem *used,
		      unsigned int n)
{
	static const uint64_t one = 1;

	vrl_vq_push_burst(&q->vq, used, n);
	if (vrl_vq_needs_call(&q->vq) && q->call >= 0 &&
	    write(q->call, &one, sizeof(one)) < 0)
		warn("interrupt");
}

/* @len bytes of frame[] into the driver's buffers; lost if it has posted too few. */
static void deliver(struct vhost_user *vu, struct vhost_user_queue *q, uint32_t len)
{
	struct virtio_net_hdr_v1 *hdr = (struct virtio_net_hdr_v1 *)frame;
	struct vrl_used_elem used[BURST];
	uint32_t off = 0, part;
	unsigned int i, n;

	if (!q->running || vrl_vq_peek_burst(&q->vq, &burst, BURST) <= 0)
		return;
	n = vrl_mem_frame_chains(&burst, 0, len);
	if (!n || (n > 1 && !(vu->features & BIT(VIRTIO_NET_F_MRG_RXBUF))))
		return;

	*hdr = (struct virtio_net_hdr_v1){ .num_buffers = htole16(n) };
	for (i = 0; i < n; i++, off += part) {
		part = chains[i].in_len < len - off ? chains[i].in_len : len - off;
		used[i] = (struct vrl_used_elem){ .id = chains[i].id, .len = part };
		if (vrl_mem_write(&vu->mem, &burst, &chains[i], 0, frame + off, part))
			used[i].len = 0;
	}
	vrl_vq_consume(&q->vq, &burst, n);
	give_back(q, used, n);
}

/* One frame of the driver's back to it. False: there is none. */
static bool echo_one(struct vhost_user *vu, struct vhost_user_queue *rx,
		     struct vhost_user_queue *tx)
{
	struct vrl_used_elem used;
	uint32_t len;
	int ret;

	if (vrl_vq_peek_burst(&tx->vq, &burst, 1) <= 0)
		return false;
	used = (struct vrl_used_elem){ .id = chains[0].id };
	len = chains[0].out_len;
	ret = -1;
	if (len >= sizeof(struct virtio_net_hdr_v1) && len <= FRAME_MAX)
		ret = vrl_mem_read(&vu->mem, &burst, &chains[0], 0, frame, len);
	vrl_vq_consume(&tx->vq, &burst, 1);
	if (!ret)
		deliver(vu, rx, len);
	give_back(tx, &used, 1);
	return true;
}

static void echo(struct vhost_user *vu, struct vhost_user_queue *rx,
		 struct vhost_user_queue *tx)
{
	if (!tx->running)
		return;
	vrl_mem_sync(&vu->mem);
	do {
		while (echo_one(vu, rx, tx))
			;
	} while (vrl_vq_enable_kick(&tx->vq) && !vrl_vq_is_broken(&tx->vq));

	if (vrl_vq_is_broken(&tx->vq) || (rx->running && vrl_vq_is_broken(&rx->vq)))
		errx(1, "driver: %s / %s", vrl_why_str(vrl_vq_why(&tx->vq)),
		     vrl_why_str(vrl_vq_why(&rx->vq)));
}

int main(int argc, char **argv)
{
	struct vhost_user vu;
	struct vhost_user_queue *rx = &vu.queues[0], *tx = &vu.queues[1];
	uint64_t kicks;

	if (argc != 2)
		errx(2, "usage: echo SOCKET");
	vhost_user_accept(&vu, argv[1], OFFERED);

	for (;;) {
		struct pollfd fds[] = {
			{ .fd = vu.sock, .events = POLLIN },
			{ .fd = tx->kick, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			err(1, "poll");
		if (fds[0].revents && !vhost_user_serve(&vu))
			return 0;
		if ((fds[1].revents & POLLIN) && read(tx->kick, &kicks, sizeof(kicks)) > 0)
			echo(&vu, rx, tx);
	}
}
