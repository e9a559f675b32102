/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A function of the card as a port of the switch. A function that is lost
 * (taken away by the kernel) or unplugged is closed, and opened again once a
 * second until it is back; meanwhile the port is down.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_log.h>
#include <vsp_port.h>

#include "port.h"
#include "switch.h"

/* What the card reports to the driver; nothing is limited by it. */
#define PORT_VSP_SPEED_MBPS	10000

struct port_vsp {
	struct vsp_port *port;		/* NULL while the function is away */
	uint16_t nr_queues;
	uint16_t next_queue;
	uint32_t retry_s;		/* not before this second */
	struct port_counters past;	/* of the sessions before this one */
};

static int port_vsp_start(struct port *port, char *err)
{
	struct port_vsp *p = port->priv;
	const struct vsp_port_conf conf = {
		.pool = port->pool,
		.socket = SOCKET_ID_ANY,
		.max_frame = port->max_frame,
	};
	int ret;

	ret = vsp_port_open(port->name, &conf, &p->port, err);
	if (ret)
		return ret;
	ret = vsp_port_link_set(p->port, true, PORT_VSP_SPEED_MBPS);
	if (ret) {
		snprintf(err, PORT_ERRLEN, "%s: link: %s", port->name,
			 strerror(-ret));
		vsp_port_close(p->port);
		p->port = NULL;
	}
	return ret;
}

static int port_vsp_open(struct port *port, char *err)
{
	int ret;

	port->priv = calloc(1, sizeof(struct port_vsp));
	if (!port->priv) {
		snprintf(err, PORT_ERRLEN, "%s: no memory", port->name);
		return -ENOMEM;
	}
	ret = port_vsp_start(port, err);
	if (ret) {
		free(port->priv);
		port->priv = NULL;
	}
	return ret;
}

static void port_vsp_count(const struct port *port, struct port_counters *c)
{
	const struct port_vsp *p = port->priv;
	struct vsp_port_stats s = { 0 };

	if (p->port)
		vsp_port_stats_get(p->port, &s);
	c->rx_drops += p->past.rx_drops + s.rx_malformed + s.rx_oversize +
		       s.rx_faults;
	c->tx_packets += p->past.tx_packets + s.tx_packets;
	c->tx_bytes += p->past.tx_bytes + s.tx_bytes;
	c->tx_drops += p->past.tx_drops + s.tx_oversize + s.tx_malformed +
		       s.tx_faults + s.tx_nombuf;
}

static void port_vsp_stop(struct port *port)
{
	struct port_vsp *p = port->priv;
	struct port_counters all = { 0 };

	if (!p->port)
		return;
	port_vsp_count(port, &all);
	p->past = all;
	vsp_port_close(p->port);
	p->port = NULL;
	p->nr_queues = 0;
	p->next_queue = 0;
	port->up = false;
	port->way = NULL;
}

static void port_vsp_close(struct port *port)
{
	port_vsp_stop(port);
	free(port->priv);
	port->priv = NULL;
}

static uint16_t port_vsp_rx(struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	struct port_vsp *p = port->priv;
	uint16_t i, got = 0;

	if (unlikely(!p->port))
		return 0;
	/* One queue pair: one burst. Several: from where the last turn ended. */
	for (i = 0; i < RTE_MAX(p->nr_queues, 1) && !got; i++) {
		got = vsp_port_rx_burst(p->port, p->next_queue, mbufs, n);
		if (++p->next_queue >= p->nr_queues)
			p->next_queue = 0;
	}
	return got;
}

/* All to the first queue pair: order within a flow is kept without a hash. */
static uint16_t port_vsp_tx(struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	struct port_vsp *p = port->priv;

	return likely(p->port) ? vsp_port_tx_burst(p->port, 0, mbufs, n) : 0;
}

static void port_vsp_reopen(struct port *port, uint32_t now_s)
{
	struct port_vsp *p = port->priv;
	char err[PORT_ERRLEN];

	if ((int32_t)(now_s - p->retry_s) < 0)
		return;
	p->retry_s = now_s + 1;
	if (!port_vsp_start(port, err))
		SWITCH_LOG(NOTICE, "%s: back\n", port->name);
}

static void port_vsp_service(struct port *port, uint32_t now_s)
{
	struct port_vsp *p = port->priv;
	struct vsp_port_info info;
	int ret;

	if (!p->port) {
		port_vsp_reopen(port, now_s);
		return;
	}
	ret = vsp_port_service(p->port);
	if (ret) {
		SWITCH_LOG(WARNING, "%s: %s; trying again every second\n",
			   port->name, ret == -ENODEV ? "unplugged" : "lost");
		port_vsp_stop(port);
		p->retry_s = now_s + 1;
		return;
	}
	vsp_port_info_get(p->port, &info);
	p->nr_queues = info.nr_queues;
	port->up = vsp_port_ready(p->port);
	port->way = !port->up ? NULL : info.window ? "window" : "copy";
}

const struct port_ops port_vsp_ops = {
	.kind = "vsp",
	.open = port_vsp_open,
	.close = port_vsp_close,
	.rx = port_vsp_rx,
	.tx = port_vsp_tx,
	.service = port_vsp_service,
	.count = port_vsp_count,
};
