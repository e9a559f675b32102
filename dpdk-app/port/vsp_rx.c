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
	uint32_t end_copy;
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

/* Most frames take one: no division for these. */
static uint32_t rx_nr_mbufs(const struct vsp_port *port, uint32_t len)
{
	if (likely(len <= port->room))
		return len != 0;
	return (len + port->room - 1) / port->room;
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
	struct rte_mbuf *m = mbufs[0];
	struct rte_mbuf *const *last = mbufs + f->nr_mbufs - 1;

	f->m = m;
	f->first_copy = copies->nr;
	m->pkt_len = f->len;
	m->nb_segs = f->nr_mbufs;
	for (;; m = m->next) {
		part = RTE_MIN(left, port->room);
		m->data_len = part;
		vsp_copies_add(copies, &cursor,
			       rte_pktmbuf_mtod(m, uint8_t *) - hdr, part + hdr,
			       VSP_COPY_FROM_DRIVER);
		if (likely(mbufs == last))
			break;
		m->next = *++mbufs;
		left -= part;
		hdr = 0;
	}
	f->end_copy = copies->nr;
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
		frames[i].nr_mbufs = rx_nr_mbufs(port, frames[i].len);
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
static int rx_check(struct vsp_port *port, const struct rx_frame *f, int faults)
{
	struct rte_mbuf *m = f->m;
	const struct virtio_net_hdr_v1 *hdr;

	if (unlikely(faults && vsp_copies_faulted(&port->scratch.copies, f->first_copy,
						  f->end_copy))) {
		port->stats.rx_faults++;
		return -EFAULT;
	}
	hdr = RTE_PTR_SUB(rte_pktmbuf_mtod(m, void *), VSP_HDR_LEN);
	if (likely(!(hdr->flags | hdr->gso_type)))
		return 0;
	if (unlikely(vsp_csum_from_driver(m, hdr, &port->stats.csum_software))) {
		port->stats.rx_malformed++;
		return -EINVAL;
	}
	return 0;
}

static void rx_account(struct vsp_queue *q, unsigned int good, unsigned int nr,
		       uint64_t bytes)
{
	struct vsp_be_queue *be = &q->port->session.be->vq[q->index];

	q->port->stats.rx_packets += good;
	q->port->stats.rx_bytes += bytes;
	be->packets += good;
	be->bytes += bytes;
	be->drops += nr - good;
}

/* Give the good frames to the caller, and back all chains. */
static uint16_t rx_collect(struct vsp_queue *q, const struct rx_frame *frames,
			   unsigned int nr, int faults, struct rte_mbuf **out)
{
	struct vsp_port *port = q->port;
	struct vsp_scratch *s = &port->scratch;
	uint64_t bytes = 0;
	uint16_t good = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		s->used[i] = (struct vrl_used_elem){ .id = s->chains[i].id };
		if (unlikely(!frames[i].m))
			continue;
		if (unlikely(rx_check(port, &frames[i], faults))) {
			rte_pktmbuf_free(frames[i].m);
			continue;
		}
		bytes += frames[i].len;
		out[good++] = frames[i].m;
	}
	rx_account(q, good, nr, bytes);
	return good;
}

/* Is each of the burst's chains a frame that one mbuf holds? */
static bool rx_all_plain(const struct vsp_port *port, unsigned int nr)
{
	const struct vrl_chain *c = port->scratch.chains, *end = c + nr;
	const uint32_t least = VSP_HDR_LEN + RTE_ETHER_HDR_LEN;
	const uint32_t most = VSP_HDR_LEN + RTE_MIN(port->room, port->conf.max_frame);
	bool plain = true;

	for (; c < end; c++)
		plain &= !c->flags && c->out_len - least <= most - least;
	return plain;
}

/* One frame by the window. False: it faults, or asks for something. */
static __rte_always_inline bool rx_read(struct vsp_scratch *s, const struct vrl_chain *chain,
					struct rte_mbuf *m)
{
	struct virtio_net_hdr_v1 *hdr;

	hdr = RTE_PTR_SUB(rte_pktmbuf_mtod(m, void *), VSP_HDR_LEN);
	if (unlikely(vrl_mem_read(s->copies.mem, &s->burst, chain, 0, hdr, chain->out_len)))
		return false;
	m->data_len = chain->out_len - VSP_HDR_LEN;
	m->pkt_len = m->data_len;
	return !(hdr->flags | hdr->gso_type);
}

/*
 * Most bursts by the window: a frame in each chain, an mbuf for each frame, nothing
 * asked for. What rx_prepare() and what comes after it would do step by step. False:
 * they have to; nothing has happened.
 */
static bool rx_plain(struct vsp_queue *q, unsigned int nr, struct rte_mbuf **out)
{
	struct vsp_port *port = q->port;
	struct vsp_scratch *s = &port->scratch;
	uint64_t bytes = 0;
	unsigned int i;

	if (!s->copies.mem || !rx_all_plain(port, nr) ||
	    rte_pktmbuf_alloc_bulk(port->conf.pool, out, nr))
		return false;
	for (i = 0; i < nr; i++) {
		if (unlikely(!rx_read(s, &s->chains[i], out[i]))) {
			rte_pktmbuf_free_bulk(out, nr);
			return false;
		}
		s->used[i] = (struct vrl_used_elem){ .id = s->chains[i].id };
		bytes += out[i]->data_len;
	}
	rx_account(q, nr, nr, bytes);
	return true;
}

static void rx_free(struct rx_frame *frames, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		rte_pktmbuf_free(frames[i].m);
}

/* *@nr chains to frames, which are counted; *@nr is then how many can be given back. */
static uint16_t rx_stepwise(struct vsp_queue *q, unsigned int *nr, struct rte_mbuf **mbufs)
{
	struct rx_frame frames[VSP_PORT_BURST];
	struct vsp_port *port = q->port;
	int faults;

	*nr = rx_prepare(port, frames, *nr);
	if (unlikely(!*nr))
		return 0;
	faults = vsp_copies_run(port, &port->scratch.copies);
	if (unlikely(faults < 0)) {
		rx_free(frames, *nr);
		*nr = 0;
		return 0;
	}
	return rx_collect(q, frames, *nr, faults, mbufs);
}

uint16_t vsp_port_rx_burst(struct vsp_port *port, uint16_t queue,
			   struct rte_mbuf **mbufs, uint16_t n)
{
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
	good = rx_plain(q, nr, mbufs) ? nr : rx_stepwise(q, &nr, mbufs);
	if (unlikely(!nr))
		return 0;
	vsp_queue_finish(q, nr);
	vsp_queue_call(q);
	return good;
}
