/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Life of a port: open, follow the driver by the kernel's events, close.
 *
 * Events are taken as hints to look again: queues are stopped by the events
 * that say so, then acknowledged, and everything else follows from the state
 * that the kernel reports now. So it does not matter which events were merged,
 * or happened before this process was there.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "vsp_priv.h"

/* Events handled by one call: a driver that resets for ever holds up no burst. */
#define VSP_SERVICE_EVENTS	64

RTE_LOG_REGISTER(vsp_port_logtype, vsp.port, NOTICE);

static void port_stop_queues(struct vsp_port *port)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(port->queues); i++)
		vsp_queue_stop(&port->queues[i]);
	port->driver_ok = false;
}

/*
 * The session is over. Only noted: the caller may be in the middle of a burst,
 * whose rings must stay mapped. vsp_port_service() does the rest.
 */
void vsp_port_fail(struct vsp_port *port, int error)
{
	if (port->error)
		return;
	port->error = error == -ENODEV ? -ENODEV : -ENOTCONN;
	if (port->error == -ENODEV)
		VSP_LOG(NOTICE, "%s: the function has left the bus\n", port->name);
	else
		VSP_LOG(WARNING, "%s: function lost: %s\n", port->name,
			strerror(-error));
}

static void port_start_queue(struct vsp_port *port, unsigned int index)
{
	struct vsp_vq_state state;
	int ret;

	if (port->queues[index].started)
		return;
	ret = vsp_session_get_vq(&port->session, index, &state);
	if (!ret && state.ready)
		ret = vsp_queue_start(&port->queues[index], &state);
	if (ret)
		VSP_LOG(WARNING, "%s: queue %u does not start: %s\n", port->name,
			index, strerror(-ret));
}

/* Bring the port to where the kernel says the driver is. */
static void port_refresh(struct vsp_port *port)
{
	struct vsp_state *state = &port->state;
	uint64_t features;
	unsigned int i;
	int ret;

	ret = vsp_session_get_state(&port->session, state);
	if (ret) {
		vsp_port_fail(port, ret);
		return;
	}
	if (!(state->status & VIRTIO_CONFIG_S_DRIVER_OK) || port->suspended ||
	    port->powered_down) {
		port_stop_queues(port);
		return;
	}

	features = state->driver_features;
	port->mergeable = VSP_FEATURE(features, VIRTIO_NET_F_MRG_RXBUF);
	port->guest_csum = VSP_FEATURE(features, VIRTIO_NET_F_GUEST_CSUM);
	/* As much above the MTU as a netdev takes: header and two tags. */
	port->tx_max_frame = VSP_FEATURE(features, VIRTIO_NET_F_MTU) && state->mtu ?
			     state->mtu + RTE_ETHER_HDR_LEN + 2 * 4U : 0;
	port->nr_active = RTE_MIN(RTE_MAX(state->nr_vqs_active / 2, 1U),
				  port->nr_pairs);
	port->driver_ok = true;
	for (i = 0; i < 2U * port->nr_pairs; i++) {
		if (port->queues[i].started &&
		    !vsp_queue_same_way(&port->queues[i], state))
			vsp_queue_stop(&port->queues[i]);
		port_start_queue(port, i);
	}
}

/*
 * A queue that runs is enabled again: normally it was found ready before its
 * event was read. If it is another queue now, or was broken, start anew.
 */
static void port_queue_enabled(struct vsp_port *port, unsigned int index)
{
	struct vsp_queue *q = &port->queues[index];
	struct vsp_vq_state state;

	q->refused = false;
	if (!q->started || vsp_session_get_vq(&port->session, index, &state))
		return;
	if (vrl_vq_is_broken(&q->vq) || !vsp_queue_same_rings(q, &state))
		vsp_queue_stop(q);
}

static void port_event(struct vsp_port *port, const struct vsp_event *event)
{
	const bool is_ours = event->queue < 2U * port->nr_pairs;

	switch (event->type) {
	case VSP_EVENT_VQ_ENABLE:
		if (is_ours)
			port_queue_enabled(port, event->queue);
		break;
	case VSP_EVENT_VQ_DISABLE:
		if (is_ours)
			vsp_queue_stop(&port->queues[event->queue]);
		break;
	case VSP_EVENT_RESET:
	case VSP_EVENT_FLR:
		port->stats.resets++;
		port->suspended = false;
		port_stop_queues(port);
		break;
	case VSP_EVENT_SUSPEND:
		port->suspended = event->value != 0;
		if (port->suspended)
			port_stop_queues(port);
		break;
	case VSP_EVENT_POWER:
		port->powered_down = event->value != 0;
		if (port->powered_down)
			port_stop_queues(port);
		break;
	case VSP_EVENT_UNPLUG:
		port_stop_queues(port);
		vsp_port_fail(port, -ENODEV);
		break;
	default:
		/* STATUS, CONFIG, and what later kernels add: look again. */
		break;
	}
}

/* Returns the number of events handled, or a negative errno. */
static int port_drain(struct vsp_port *port)
{
	struct vsp_event event;
	uint64_t ack = 0;
	int nr, ret = 0;

	for (nr = 0; nr < VSP_SERVICE_EVENTS; nr++) {
		ret = vsp_session_next_event(&port->session, &event);
		if (ret <= 0)
			break;
		port_event(port, &event);
		if (event.flags & VSP_EVENT_FLAG_ACK)
			ack = event.seq;
	}
	if (nr == VSP_SERVICE_EVENTS)
		port->generation--;	/* come back at once */
	if (ret < 0)
		return ret;
	/* The driver goes on from here, with its rings to itself. */
	if (ack)
		ret = vsp_session_ack(&port->session, ack);
	return ret < 0 ? ret : nr;
}

int vsp_port_service(struct vsp_port *port)
{
	int ret;

	if (port->error)
		goto out;

	/* Before the events: one that comes later moves it again. */
	port->generation = vsp_session_generation(&port->session);
	ret = port_drain(port);
	if (ret < 0)
		vsp_port_fail(port, ret);
	else if (ret > 0 && !port->error)
		port_refresh(port);
out:
	if (port->error)
		port_stop_queues(port);
	return port->error;
}

static int port_check_conf(const struct vsp_port_conf *conf, uint32_t *room,
			   const char *name, char *err)
{
	const uint32_t size = conf->pool ? rte_pktmbuf_data_room_size(conf->pool) : 0;

	if (size < RTE_PKTMBUF_HEADROOM + VSP_MIN_ROOM) {
		if (err)
			snprintf(err, VSP_PORT_ERRLEN,
				 "%s: mbufs of %u bytes, at least %u are needed",
				 name, size, RTE_PKTMBUF_HEADROOM + VSP_MIN_ROOM);
		return -EINVAL;
	}
	if (conf->max_frame < RTE_ETHER_MIN_MTU ||
	    conf->max_frame > VSP_PORT_MAX_FRAME) {
		if (err)
			snprintf(err, VSP_PORT_ERRLEN,
				 "%s: longest frame %u is not in %u to %u", name,
				 conf->max_frame, RTE_ETHER_MIN_MTU,
				 VSP_PORT_MAX_FRAME);
		return -EINVAL;
	}
	*room = size - RTE_PKTMBUF_HEADROOM;
	return 0;
}

static void port_init(struct vsp_port *port, const char *name,
		      const struct vsp_port_conf *conf)
{
	struct vsp_scratch *s = &port->scratch;
	unsigned int i;

	port->conf = *conf;
	port->session.fd = -1;
	snprintf(port->name, sizeof(port->name), "%s", name);
	s->burst = (struct vrl_burst){
		.chains = s->chains,
		.segs = s->segs,
		.fetches = s->fetches,
		.table = s->table,
		.max_chains = RTE_DIM(s->chains),
		.max_segs = RTE_DIM(s->segs),
		.max_table = RTE_DIM(s->table),
	};
	s->copies.burst = &s->burst;
	for (i = 0; i < RTE_DIM(port->queues); i++) {
		port->queues[i].port = port;
		port->queues[i].index = i;
	}
}

int vsp_port_open(const char *name, const struct vsp_port_conf *conf,
		  struct vsp_port **out, char *err)
{
	struct vsp_port *port;
	uint32_t room;
	int ret;

	ret = port_check_conf(conf, &room, name, err);
	if (ret)
		return ret;

	port = rte_zmalloc_socket("vsp_port", sizeof(*port), RTE_CACHE_LINE_SIZE,
				  conf->socket);
	if (!port) {
		if (err)
			snprintf(err, VSP_PORT_ERRLEN, "%s: no memory", name);
		return -ENOMEM;
	}
	port_init(port, name, conf);
	port->room = room;

	ret = vsp_session_open(&port->session, name, err);
	if (ret)
		goto err_free;

	port->nr_pairs = port->session.props.nr_vqs / 2;
	/*
	 * Queues enabled before our time may have no event; events from before
	 * it did not move the generation: have the first burst look.
	 */
	port->generation = vsp_session_generation(&port->session) - 1;
	port_refresh(port);
	*out = port;
	return 0;

err_free:
	rte_free(port);
	return ret;
}

void vsp_port_close(struct vsp_port *port)
{
	if (!port)
		return;
	port_stop_queues(port);
	vsp_session_close(&port->session);
	rte_free(port);
}

bool vsp_port_ready(const struct vsp_port *port)
{
	return !port->error && port->driver_ok && port->queues[0].started &&
	       port->queues[1].started;
}

int vsp_port_link_set(struct vsp_port *port, bool up, uint32_t speed_mbps)
{
	return vsp_session_set_link(&port->session, up, speed_mbps);
}

void vsp_port_info_get(const struct vsp_port *port, struct vsp_port_info *info)
{
	memset(info, 0, sizeof(*info));
	info->driver_features = port->state.driver_features;
	memcpy(info->mac.addr_bytes, port->state.mac, RTE_ETHER_ADDR_LEN);
	info->mtu = port->state.mtu;
	info->nr_queues = port->driver_ok ? port->nr_active : 0;
	info->link_up = port->state.link_up;
	info->window = port->driver_ok && port->queues[0].started &&
		       port->queues[0].window;
}

void vsp_port_stats_get(const struct vsp_port *port, struct vsp_port_stats *stats)
{
	*stats = port->stats;
}
