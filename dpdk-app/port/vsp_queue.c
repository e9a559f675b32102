/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One virtqueue of a port: its three areas mapped, the device side of the ring
 * (vringh-lib) on top, and the interrupt after a burst.
 */
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vsp_priv.h"

/* Queues are in pairs: receive, transmit (5.1.2), as the driver sees it. */
static bool queue_is_drivers_tx(const struct vsp_queue *q)
{
	return q->index & 1;
}

static void queue_unmap(struct vsp_queue *q)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(q->maps); i++)
		vsp_session_unmap_ring(&q->maps[i]);
}

static int queue_map(struct vsp_queue *q, const struct vsp_vq_state *state)
{
	const uint64_t iova[] = { state->desc, state->driver, state->device };
	unsigned int i;
	int ret;

	for (i = 0; i < RTE_DIM(q->maps); i++) {
		ret = vsp_session_map_ring(&q->port->session, q->index, i, iova[i],
					   vsp_ring_area_size(state->size, i),
					   &q->maps[i]);
		if (ret) {
			queue_unmap(q);
			return ret;
		}
	}
	return 0;
}

static uint32_t queue_features(uint64_t driver_features)
{
	uint32_t features = 0;

	if (VSP_FEATURE(driver_features, VIRTIO_RING_F_INDIRECT_DESC))
		features |= VRL_F_INDIRECT;
	if (VSP_FEATURE(driver_features, VIRTIO_RING_F_EVENT_IDX))
		features |= VRL_F_EVENT_IDX;
	if (VSP_FEATURE(driver_features, VIRTIO_F_IN_ORDER))
		features |= VRL_F_IN_ORDER;
	return features;
}

/* The driver broke the ring's rules: nothing moves until it has reset. */
static void queue_broken(struct vsp_queue *q)
{
	struct vsp_port *port = q->port;
	const enum vrl_why why = vrl_vq_why(&q->vq);

	q->reported = true;
	port->stats.broken++;
	VSP_LOG(ERR, "%s: queue %u stopped until the driver resets it: %s\n",
		port->name, q->index, vrl_why_str(why));
	vsp_session_needs_reset(&port->session, q->index, why);
}

/* The size and the addresses are the driver's: vrl_vq_init() checks them. */
int vsp_queue_start(struct vsp_queue *q, const struct vsp_vq_state *state)
{
	const struct vsp_attach *props = &q->port->session.props;
	struct vrl_vq_config cfg;
	int ret;

	if (q->refused)
		return 0;
	if (!state->size || state->size > VRL_NUM_MAX) {
		q->refused = true;
		return -EINVAL;
	}

	ret = queue_map(q, state);
	if (ret)
		return ret;

	vsp_window_open(q);
	cfg = (struct vrl_vq_config){
		.desc = q->maps[VSP_RING_DESC].area,
		.driver = q->maps[VSP_RING_DRIVER].area,
		.device = q->maps[VSP_RING_DEVICE].area,
		.num = state->size,
		.features = queue_features(q->port->state.driver_features),
		.mem = q->window ? &q->mem : NULL,
		.fetch = q->window ? NULL : vsp_copies_fetch,
		.opaque = q,
		.state = { state->last_avail, state->used_idx },
	};
	ret = vrl_vq_init(&q->vq, &cfg);
	if (ret) {
		q->refused = true;
		queue_broken(q);
		goto err_unmap;
	}

	q->state = *state;
	q->started = true;
	q->reported = false;
	q->buf_len = 0;
	q->vector_bit = state->vector < props->nr_vectors ?
			UINT64_C(1) << state->vector : 0;
	vrl_vq_disable_kick(&q->vq);

	/*
	 * A backend that died may have pushed without raising. One interrupt
	 * too many is harmless, one too few stops the driver.
	 */
	if (q->vector_bit)
		vsp_session_raise(&q->port->session, q->vector_bit);
	return 0;

err_unmap:
	queue_unmap(q);
	return ret;
}

/* Nothing is in flight between bursts, so there is nothing to give back. */
void vsp_queue_stop(struct vsp_queue *q)
{
	q->refused = false;
	if (!q->started)
		return;
	q->started = false;
	queue_unmap(q);
}

bool vsp_queue_same_rings(const struct vsp_queue *q,
			  const struct vsp_vq_state *state)
{
	return q->state.size == state->size && q->state.desc == state->desc &&
	       q->state.driver == state->driver &&
	       q->state.device == state->device;
}

/* Does the kernel still say the same about the way to the bytes? */
bool vsp_queue_same_way(const struct vsp_queue *q, const struct vsp_state *state)
{
	return q->way == state->way && q->asid == state->asid;
}

/*
 * As vrl_vq_peek_burst(), but a broken or waiting queue is simply empty. The copies
 * that follow go this queue's way. With a window, the frames' first lines are on
 * their way to the cache.
 */
int vsp_queue_peek(struct vsp_queue *q, unsigned int max)
{
	struct vsp_scratch *s = &q->port->scratch;
	int ret;

	s->copies.mem = q->window ? &q->mem : NULL;
	s->copies.error = 0;
	if (q->window)
		vrl_mem_sync(&q->mem);
	ret = vrl_vq_peek_burst(&q->vq, &s->burst, max);
	if (q->window && ret > 1)
		vrl_mem_prefetch(&q->mem, &s->burst);
	if (likely(ret >= 0))
		return ret;
	if (ret == -EPROTO && !q->reported)
		queue_broken(q);
	return 0;
}

/*
 * Take the first @nr_used chains and give them back at once: their used entries
 * are in the scratch memory. One store shows the driver all of them. With IN_ORDER
 * one entry speaks for all chains of a burst that the driver sent; received ones
 * have a length each.
 */
void vsp_queue_finish(struct vsp_queue *q, unsigned int nr_used)
{
	const struct vrl_used_elem *used = q->port->scratch.used;

	vrl_vq_consume(&q->vq, &q->port->scratch.burst, nr_used);
	if (queue_is_drivers_tx(q))
		vrl_vq_push_in_order(&q->vq, used, nr_used);
	else
		vrl_vq_push_burst(&q->vq, used, nr_used);
}

/* At the end of a burst that pushed something. */
void vsp_queue_call(struct vsp_queue *q)
{
	struct vsp_port *port = q->port;
	int ret;

	if (!vrl_vq_needs_call(&q->vq) || !q->vector_bit)
		return;
	port->stats.raises++;
	ret = vsp_session_raise(&port->session, q->vector_bit);
	if (unlikely(ret < 0 && ret != -EAGAIN))
		vsp_port_fail(port, ret);
}
