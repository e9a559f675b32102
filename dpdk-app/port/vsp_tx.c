/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Frames for the driver: a burst of mbufs goes into the buffers that it has
 * posted. Reserve enough chains for each frame (several with MRG_RXBUF), copy
 * everything (to the window, or by one system call), show the driver all of them
 * by one store.
 */
#include <rte_byteorder.h>

#include "vsp_priv.h"

/*
 * One frame of a round: chains [first_chain, end_chain) and copies from
 * first_copy. @m is freed at the end of the round in any case.
 */
struct tx_frame {
	struct rte_mbuf *m;
	uint32_t first_chain;
	uint32_t end_chain;
	uint32_t first_copy;
	uint32_t end_copy;
};

/*
 * One round: as many frames as the peeked chains hold. Chains below @next are
 * spoken for, @used of the scratch memory is filled that far.
 */
struct tx_round {
	struct vsp_queue *q;
	struct vsp_port *port;
	unsigned int nr_chains;
	unsigned int next;
	unsigned int nr_frames;
	unsigned int nr_plain;		/* of these, by tx_plain() */
	struct tx_frame frames[VSP_PORT_BURST];
};

/* The bytes still to copy: first the piece at @addr, then @rest. */
struct tx_source {
	uint8_t *addr;
	uint32_t len;
	struct rte_mbuf *rest;
};

static void tx_drop(struct tx_round *r, struct rte_mbuf *m, uint64_t *counter)
{
	(*counter)++;
	r->port->session.be->vq[r->q->index].drops++;
	rte_pktmbuf_free(m);
}

/* Complete chain @i without bytes: the driver gets its buffer back. */
static void tx_void_chain(struct tx_round *r, unsigned int i)
{
	r->port->scratch.used[i] = (struct vrl_used_elem){
		.id = r->port->scratch.chains[i].id,
	};
}

static bool tx_chain_is_bad(struct tx_round *r, const struct vrl_chain *chain)
{
	if (unlikely(chain->flags & VRL_CHAIN_FAULT)) {
		r->port->stats.tx_faults++;
		return true;
	}
	if (unlikely(chain->in_len < VSP_HDR_LEN)) {
		r->port->stats.tx_malformed++;
		return true;
	}
	return false;
}

/*
 * Find chains for @need bytes from r->next on. A bad chain is completed void;
 * so are those before it that the frame would have begun in, since the buffers
 * of one frame must follow each other.
 *
 * Returns the end of the chains that begin at r->next; -EAGAIN: too few
 * chains; -EMSGSIZE: the next one is too short, and frames cannot be spread.
 */
static int tx_reserve(struct tx_round *r, uint32_t need)
{
	const struct vrl_chain *chains = r->port->scratch.chains;
	unsigned int i = r->next;
	uint64_t room = 0;

	while (i < r->nr_chains) {
		if (unlikely(tx_chain_is_bad(r, &chains[i]))) {
			for (; r->next <= i; r->next++)
				tx_void_chain(r, r->next);
			i = r->next;
			room = 0;
			continue;
		}
		r->q->buf_len = chains[i].in_len;
		room += chains[i++].in_len;
		if (room >= need)
			return i;
		if (!r->port->mergeable)
			return -EMSGSIZE;
	}
	return -EAGAIN;
}

/* The header, in the frame's own headroom when nobody else can see that. */
static struct virtio_net_hdr_v1 *tx_header(struct tx_round *r, struct rte_mbuf *m,
					   struct tx_source *src)
{
	struct virtio_net_hdr_v1 *hdr;

	if (RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	    rte_pktmbuf_headroom(m) >= VSP_HDR_LEN) {
		hdr = RTE_PTR_SUB(rte_pktmbuf_mtod(m, void *), VSP_HDR_LEN);
		*src = (struct tx_source){
			.addr = (uint8_t *)hdr,
			.len = VSP_HDR_LEN + m->data_len,
			.rest = m->next,
		};
	} else {
		hdr = &r->port->scratch.hdrs[r->nr_frames];
		*src = (struct tx_source){
			.addr = (uint8_t *)hdr,
			.len = VSP_HDR_LEN,
			.rest = m,
		};
	}
	*hdr = (struct virtio_net_hdr_v1){ 0 };
	return hdr;
}

/* Copy, or list the copies, into one chain and set its used length. */
static void tx_fill_chain(struct vsp_scratch *s, unsigned int i,
			  struct tx_source *src)
{
	const struct vrl_chain *chain = &s->chains[i];
	struct vsp_cursor cursor = {
		.chain = chain,
		.seg = &s->segs[chain->seg + chain->nr_out],
	};
	uint32_t room = chain->in_len;
	uint32_t part;

	while (room) {
		while (!src->len && src->rest) {
			src->addr = rte_pktmbuf_mtod(src->rest, uint8_t *);
			src->len = src->rest->data_len;
			src->rest = src->rest->next;
		}
		if (!src->len)
			break;
		part = RTE_MIN(room, src->len);
		vsp_copies_add(&s->copies, &cursor, src->addr, part,
			       VSP_COPY_TO_DRIVER);
		src->addr += part;
		src->len -= part;
		room -= part;
	}
	s->used[i] = (struct vrl_used_elem){
		.id = chain->id,
		.len = chain->in_len - room,
	};
}

/* Put @m, for which the chains up to @end are reserved, into the round. */
static void tx_add(struct tx_round *r, struct rte_mbuf *m, unsigned int end)
{
	struct vsp_scratch *s = &r->port->scratch;
	struct tx_frame *f = &r->frames[r->nr_frames];
	struct virtio_net_hdr_v1 *hdr;
	struct tx_source src;
	unsigned int i;

	hdr = tx_header(r, m, &src);
	hdr->num_buffers = rte_cpu_to_le_16(end - r->next);
	if (r->port->guest_csum && unlikely(vsp_csum_to_driver(m, hdr))) {
		tx_drop(r, m, &r->port->stats.tx_malformed);
		return;
	}

	f->m = m;
	f->first_chain = r->next;
	f->end_chain = end;
	f->first_copy = s->copies.nr;
	for (i = r->next; i < end; i++)
		tx_fill_chain(s, i, &src);
	f->end_copy = s->copies.nr;
	r->next = end;
	r->nr_frames++;
}

/*
 * Most copies that @m can need in the chains up to @end: each begins with a
 * piece of the frame or with a piece of a chain. A private copy of @m may have
 * more segments than @m.
 */
static unsigned int tx_max_copies(const struct tx_round *r, const struct rte_mbuf *m,
				  unsigned int end)
{
	unsigned int nr = 1 + RTE_MAX(m->nb_segs, m->pkt_len / VSP_MIN_ROOM + 1);
	unsigned int i;

	for (i = r->next; i < end; i++)
		nr += r->port->scratch.chains[i].nr_in;
	return nr;
}

/* Do the checksum of @m here. NULL: it is gone, and counted. */
static struct rte_mbuf *tx_csum(struct tx_round *r, struct rte_mbuf *m)
{
	struct vsp_port *port = r->port;
	int ret;

	ret = vsp_port_csum_complete(m, port->conf.pool, &m);
	if (ret) {
		port->session.be->vq[r->q->index].drops++;
		if (ret == -ENOMEM)
			port->stats.tx_nombuf++;
		else
			port->stats.tx_malformed++;
		return NULL;
	}
	port->stats.csum_software++;
	return m;
}

/* A frame with none of these is in the mbuf's own buffer, and no sum is to be told. */
#define TX_NOT_PLAIN	(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL | \
			 RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)

/*
 * Most frames by the window: in one piece, nobody else's, and the next chain holds
 * it. What tx_frame() would do step by step. False: it has to.
 */
static __rte_always_inline bool tx_plain(struct tx_round *r, struct rte_mbuf *m)
{
	struct vsp_scratch *s = &r->port->scratch;
	const struct vrl_chain *chain = &s->chains[r->next];
	const uint32_t len = VSP_HDR_LEN + m->data_len;
	struct tx_frame *f = &r->frames[r->nr_frames];
	struct virtio_net_hdr_v1 *hdr;
	int ret;

	if (!s->copies.mem || r->next == r->nr_chains || chain->flags ||
	    chain->in_len < len || m->nb_segs != 1 || rte_mbuf_refcnt_read(m) != 1 ||
	    m->ol_flags & TX_NOT_PLAIN || m->data_off < VSP_HDR_LEN ||
	    m->pool != r->port->conf.pool)
		return false;

	hdr = RTE_PTR_SUB(rte_pktmbuf_mtod(m, void *), VSP_HDR_LEN);
	*hdr = (struct virtio_net_hdr_v1){ .num_buffers = rte_cpu_to_le_16(1) };
	f->m = m;
	f->first_copy = s->copies.nr;
	ret = vrl_mem_write(s->copies.mem, &s->burst, chain, 0, hdr, len);
	if (unlikely(ret))
		vsp_window_failed(&s->copies, ret, s->segs[chain->seg].iova, len);
	f->end_copy = s->copies.nr;
	s->used[r->next] = (struct vrl_used_elem){ .id = chain->id, .len = len };
	r->q->buf_len = chain->in_len;
	f->first_chain = r->next++;
	f->end_chain = r->next;
	r->nr_frames++;
	r->nr_plain++;
	return true;
}

/*
 * One frame. 0: taken, for delivery or dropped; -EAGAIN: no buffers for it;
 * -ENOSPC: the round is full.
 */
static int tx_frame(struct tx_round *r, struct rte_mbuf *m)
{
	struct vsp_port *port = r->port;
	int end;

	if (unlikely(port->tx_max_frame && m->pkt_len > port->tx_max_frame)) {
		tx_drop(r, m, &port->stats.tx_oversize);
		return 0;
	}
	if (likely(tx_plain(r, m)))
		return 0;
	end = tx_reserve(r, m->pkt_len + VSP_HDR_LEN);
	if (end == -EAGAIN)
		return end;
	if (end == -EMSGSIZE) {
		tx_drop(r, m, &port->stats.tx_oversize);
		return 0;
	}
	if (unlikely(port->scratch.copies.nr + tx_max_copies(r, m, end) >
		     VSP_BURST_COPIES)) {
		if (r->nr_frames)
			return -ENOSPC;
		tx_drop(r, m, &port->stats.tx_oversize);
		return 0;
	}
	/* From here on @m may be another mbuf than the caller's: no way back. */
	if (!port->guest_csum && vsp_csum_is_requested(m)) {
		m = tx_csum(r, m);
		if (!m)
			return 0;
	}
	tx_add(r, m, end);
	return 0;
}

/* Count what arrived, void what did not, and free all. @ret: of the copies. */
static void tx_account(struct tx_round *r, int ret)
{
	struct vsp_port *port = r->port;
	struct vsp_be_queue *be = &port->session.be->vq[r->q->index];
	struct rte_mbuf *sent[VSP_PORT_BURST];
	unsigned int packets = 0;
	uint64_t bytes = 0;
	unsigned int i, j;

	for (i = 0; i < r->nr_frames; i++) {
		struct tx_frame *f = &r->frames[i];

		if (unlikely(ret && (ret < 0 ||
				     vsp_copies_faulted(&port->scratch.copies,
							f->first_copy,
							f->end_copy)))) {
			for (j = f->first_chain; j < f->end_chain; j++)
				tx_void_chain(r, j);
			tx_drop(r, f->m, &port->stats.tx_faults);
			continue;
		}
		bytes += f->m->pkt_len;
		sent[packets++] = f->m;
	}
	/* What is plain is as the pool wants it back already. */
	if (likely(r->nr_plain == r->nr_frames && packets))
		rte_mempool_put_bulk(port->conf.pool, (void **)sent, packets);
	else
		rte_pktmbuf_free_bulk(sent, packets);
	port->stats.tx_packets += packets;
	port->stats.tx_bytes += bytes;
	be->packets += packets;
	be->bytes += bytes;
}

/*
 * As many of the @n frames as fit into up to @max chains. Returns how many are
 * taken. *@pushed: the driver got chains back.
 */
static unsigned int tx_round(struct vsp_queue *q, struct rte_mbuf **mbufs,
			     unsigned int n, unsigned int max, bool *pushed)
{
	struct tx_round r;
	unsigned int taken;
	int ret;

	r.nr_chains = vsp_queue_peek(q, max);
	if (!r.nr_chains)
		return 0;

	r.q = q;
	r.port = q->port;
	r.next = 0;
	r.nr_frames = 0;
	r.nr_plain = 0;
	r.port->scratch.copies.nr = 0;
	for (taken = 0; taken < n; taken++)
		if (tx_frame(&r, mbufs[taken]))
			break;

	if (unlikely(!taken && !r.next &&
		     r.nr_chains >= RTE_MIN(VSP_BURST_CHAINS, q->state.size))) {
		/* All that there can ever be does not hold this frame. */
		tx_drop(&r, mbufs[taken++], &r.port->stats.tx_oversize);
	}

	ret = vsp_copies_run(r.port, &r.port->scratch.copies);
	tx_account(&r, ret);
	if (likely(ret >= 0) && r.next) {
		vsp_queue_finish(q, r.next);
		*pushed = true;
	}
	return taken;
}

/* Chains that @n frames need if the driver's buffers are like the last one. */
static unsigned int tx_guess(const struct vsp_queue *q, struct rte_mbuf **mbufs,
			     unsigned int n)
{
	unsigned int nr = n;
	unsigned int i;

	for (i = 0; i < n && q->buf_len; i++)
		if (unlikely(mbufs[i]->pkt_len + VSP_HDR_LEN > q->buf_len))
			nr += (mbufs[i]->pkt_len + VSP_HDR_LEN - 1) / q->buf_len;
	return RTE_MIN(nr, VSP_BURST_CHAINS);
}

uint16_t vsp_port_tx_burst(struct vsp_port *port, uint16_t queue,
			   struct rte_mbuf **mbufs, uint16_t n)
{
	unsigned int taken, done = 0;
	bool pushed = false;
	struct vsp_queue *q;

	vsp_port_check(port);
	if (unlikely(queue >= port->nr_pairs || port->error))
		return 0;
	q = &port->queues[2 * queue];
	if (unlikely(!q->started))
		return 0;

	n = RTE_MIN(n, VSP_PORT_BURST);
	while (done < n && !port->error) {
		taken = tx_round(q, mbufs + done, n - done,
				 tx_guess(q, mbufs + done, n - done), &pushed);
		/* The guess may have been too low for the first frame. */
		if (!taken)
			taken = tx_round(q, mbufs + done, n - done,
					 VSP_BURST_CHAINS, &pushed);
		if (!taken)
			break;
		done += taken;
	}
	if (pushed)
		vsp_queue_call(q);
	return done;
}
