/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Frames that the driver sent: a burst of chains becomes a burst of mbufs. Look
 * at the chains, get mbufs for all, copy everything (from the window, or by one
 * system call), then read the headers. Chains are taken from the ring only after the copy, so a
 * burst that cannot go on leaves them where they are.
 */
#include <assert.h>

#include <rte_ether.h>

#include "vsp_priv.h"

/* Most mbufs of one burst; the longest frame alone needs fewer. */
#define RX_MAX_MBUFS	256

/*
 * The header is copied to just before the payload, in the headroom, so that a
 * chain of one piece is one copy.
 */
static_assert(RTE_PKTMBUF_HEADROOM >= VSP_HDR_LEN, "no room for the header");
static_assert(VSP_BURST_COPIES >= VSP_BURST_SEGS + RX_MAX_MBUFS,
	      "a burst can need more copies than there is room for");
static_assert(VSP_PORT_MAX_FRAME / VSP_MIN_ROOM < RX_MAX_MBUFS,
	      "the longest frame must fit in a burst");

/* What becomes of one chain; @m NULL: it holds no frame. */
struct rx_frame {
	struct rte_mbuf *m;
	uint64_t *why;		/* counter, when there is no payload */
	uint32_t len;		/* payload */
	uint32_t nr_mbufs;
	uint32_t first_copy;
};

/* Payload bytes of a chain, or 0: no frame, and *@why is to be counted. */
static uint32_t rx_payload(struct vsp_port *port, const struct vrl_chain *chain,
			   uint64_t **why)
{
	if (unlikely(chain->flags & VRL_CHAIN_FAULT)) {
		*why = &port->stats.rx_faults;
		return 0;
	}
	if (unlikely(chain->out_len < VSP_HDR_LEN + RTE_ETHER_HDR_LEN)) {
		*why = &port->stats.rx_malformed;
		return 0;
	}
	if (unlikely(chain->out_len - VSP_HDR_LEN > port->conf.max_frame)) {
		*why = &port->stats.rx_oversize;
		return 0;
	}
	return chain->out_len - VSP_HDR_LEN;
}

/*
 * How many of the first @nr chains can be received with the mbufs there are,
 * which are left in @mbufs. A pool that is nearly empty gives short bursts.
 */
static unsigned int rx_alloc(struct vsp_port *port, const struct rx_frame *frames,
			     unsigned int nr, struct rte_mbuf **mbufs)
{
	unsigned int i, total;

	for (; nr; nr /= 2) {
		for (i = 0, total = 0; i < nr; i++) {
			if (total + frames[i].nr_mbufs > RX_MAX_MBUFS)
				break;
			total += frames[i].nr_mbufs;
		}
		nr = i;
		if (!total || !rte_pktmbuf_alloc_bulk(port->conf.pool, mbufs, total))
			return nr;
		port->stats.rx_nombuf++;
	}
	return 0;
}

/* Chain the frame's mbufs and copy, or list its copies. Cannot fail: see the asserts. */
static void rx_build(struct vsp_port *port, const struct vrl_chain *chain,
		     struct rx_frame *f, struct rte_mbuf **mbufs)
{
	struct vsp_cursor cursor = {
		.chain = chain,
		.seg = &port->scratch.segs[chain->seg],
	};
	struct vsp_copies *copies = &port->scratch.copies;
	uint32_t left = f->len;
	uint32_t part, hdr = VSP_HDR_LEN;
	struct rte_mbuf *m = NULL;
	unsigned int i;

	f->m = mbufs[0];
	f->first_copy = copies->nr;
	for (i = 0; i < f->nr_mbufs; i++) {
		if (m)
			m->next = mbufs[i];
		m = mbufs[i];
		part = RTE_MIN(left, port->room);
		m->data_len = part;
		vsp_copies_add(copies, &cursor,
			       rte_pktmbuf_mtod(m, uint8_t *) - hdr, part + hdr,
			       VSP_COPY_FROM_DRIVER);
		left -= part;
		hdr = 0;
	}
	f->m->pkt_len = f->len;
	f->m->nb_segs = f->nr_mbufs;
}

/* From peeked chains to frames with copies; returns how many can go on. */
static unsigned int rx_prepare(struct vsp_port *port, struct rx_frame *frames,
			       unsigned int nr)
{
	struct vsp_scratch *s = &port->scratch;
	struct rte_mbuf *mbufs[RX_MAX_MBUFS];
	unsigned int i, got, next = 0;

	for (i = 0; i < nr; i++) {
		frames[i].m = NULL;
		frames[i].len = rx_payload(port, &s->chains[i], &frames[i].why);
		frames[i].nr_mbufs =
			(frames[i].len + port->room - 1) / port->room;
	}
	got = rx_alloc(port, frames, nr, mbufs);

	s->copies.nr = 0;
	for (i = 0; i < got; i++) {
		if (unlikely(!frames[i].len)) {
			(*frames[i].why)++;
			continue;
		}
		rx_build(port, &s->chains[i], &frames[i], &mbufs[next]);
		next += frames[i].nr_mbufs;
	}
	return got;
}

/* A copied frame: 0 when it is one, with the checksum request taken over. */
static int rx_check(struct vsp_port *port, const struct rx_frame *f,
		    unsigned int end_copy)
{
	struct rte_mbuf *m = f->m;
	const struct virtio_net_hdr_v1 *hdr;

	if (unlikely(vsp_copies_faulted(&port->scratch.copies, f->first_copy,
					end_copy))) {
		port->stats.rx_faults++;
		return -EFAULT;
	}
	hdr = RTE_PTR_SUB(rte_pktmbuf_mtod(m, void *), VSP_HDR_LEN);
	if (unlikely(vsp_csum_from_driver(m, hdr, &port->stats.csum_software))) {
		port->stats.rx_malformed++;
		return -EINVAL;
	}
	return 0;
}

/* Give the good frames to the caller, and back all chains. */
static uint16_t rx_collect(struct vsp_queue *q, struct rx_frame *frames,
			   unsigned int nr, struct rte_mbuf **out)
{
	struct vsp_port *port = q->port;
	struct vsp_scratch *s = &port->scratch;
	unsigned int end_copy = s->copies.nr;
	uint64_t bytes = 0;
	uint16_t good = 0;
	unsigned int i, j;

	/* Backwards, as a frame's copies end where the next one's begin. */
	for (i = nr; i-- > 0;) {
		s->used[i] = (struct vrl_used_elem){ .id = s->chains[i].id };
		if (unlikely(!frames[i].m))
			continue;
		if (unlikely(rx_check(port, &frames[i], end_copy))) {
			rte_pktmbuf_free(frames[i].m);
			frames[i].m = NULL;
		}
		end_copy = frames[i].first_copy;
	}
	for (j = 0; j < nr; j++) {
		if (unlikely(!frames[j].m))
			continue;
		bytes += frames[j].len;
		out[good++] = frames[j].m;
	}
	port->stats.rx_packets += good;
	port->stats.rx_bytes += bytes;
	port->session.be->vq[q->index].packets += good;
	port->session.be->vq[q->index].bytes += bytes;
	port->session.be->vq[q->index].drops += nr - good;
	return good;
}

static void rx_free(struct rx_frame *frames, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		rte_pktmbuf_free(frames[i].m);
}

uint16_t vsp_port_rx_burst(struct vsp_port *port, uint16_t queue,
			   struct rte_mbuf **mbufs, uint16_t n)
{
	struct rx_frame frames[VSP_PORT_BURST];
	struct vsp_queue *q;
	unsigned int nr;
	uint16_t good;

	vsp_port_check(port);
	if (unlikely(queue >= port->nr_pairs || port->error))
		return 0;
	q = &port->queues[2 * queue + 1];
	if (unlikely(!q->started))
		return 0;

	nr = vsp_queue_peek(q, RTE_MIN(n, VSP_PORT_BURST));
	if (!nr)
		return 0;
	nr = rx_prepare(port, frames, nr);
	if (unlikely(!nr))
		return 0;
	if (unlikely(vsp_copies_run(port, &port->scratch.copies) < 0)) {
		rx_free(frames, nr);
		return 0;
	}
	good = rx_collect(q, frames, nr, mbufs);
	vsp_queue_finish(q, nr);
	vsp_queue_call(q);
	return good;
}
