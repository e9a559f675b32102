/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Any ethdev as a port of the switch: one queue each way, promiscuous, with the
 * offloads that the frames of a vsp port can use where the driver has them, and
 * in software where it has not.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <vsp_port.h>

#include "port.h"
#include "switch.h"

#define PORT_ETH_DESCS	512

#define PORT_ETH_TX_OFFLOADS	(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
				 RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
				 RTE_ETH_TX_OFFLOAD_MULTI_SEGS)
#define PORT_ETH_RX_OFFLOADS	(RTE_ETH_RX_OFFLOAD_TCP_CKSUM | \
				 RTE_ETH_RX_OFFLOAD_UDP_CKSUM)

struct port_eth {
	uint16_t id;
	uint64_t tx_offloads;
	uint32_t link_s;		/* when the link was last asked for */
	struct port_counters counters;
};

static int port_eth_error(const struct port *port, char *err, const char *what,
			  int ret)
{
	snprintf(err, PORT_ERRLEN, "eth:%s: %s: %s", port->name, what,
		 strerror(-ret));
	return ret;
}

static int port_eth_unknown(const struct port *port, char *err)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	size_t at;
	uint16_t id;

	at = snprintf(err, PORT_ERRLEN, "eth:%s: no such ethdev; there are:",
		      port->name);
	RTE_ETH_FOREACH_DEV(id) {
		if (at < PORT_ERRLEN && !rte_eth_dev_get_name_by_port(id, name))
			at += snprintf(err + at, PORT_ERRLEN - at, " %s", name);
	}
	if (!rte_eth_dev_count_avail())
		snprintf(err, PORT_ERRLEN,
			 "eth:%s: no such ethdev; there is none (EAL makes them, as by --vdev=net_tap0)",
			 port->name);
	return -ENODEV;
}

static int port_eth_queues(const struct port *port, uint16_t id, char *err)
{
	uint16_t nr_rx = PORT_ETH_DESCS, nr_tx = PORT_ETH_DESCS;
	const int socket = rte_eth_dev_socket_id(id);
	int ret;

	ret = rte_eth_dev_adjust_nb_rx_tx_desc(id, &nr_rx, &nr_tx);
	if (ret)
		return port_eth_error(port, err, "queue sizes", ret);
	ret = rte_eth_rx_queue_setup(id, 0, nr_rx, socket, NULL, port->pool);
	if (ret)
		return port_eth_error(port, err, "receive queue", ret);
	ret = rte_eth_tx_queue_setup(id, 0, nr_tx, socket, NULL);
	if (ret)
		return port_eth_error(port, err, "transmit queue", ret);
	return 0;
}

static int port_eth_start(struct port *port, uint16_t id, char *err)
{
	struct port_eth *p = port->priv;
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int ret;

	ret = rte_eth_dev_info_get(id, &info);
	if (ret)
		return port_eth_error(port, err, "device info", ret);

	p->id = id;
	p->tx_offloads = info.tx_offload_capa & PORT_ETH_TX_OFFLOADS;
	conf.txmode.offloads = p->tx_offloads;
	conf.rxmode.offloads = info.rx_offload_capa & PORT_ETH_RX_OFFLOADS;
	ret = rte_eth_dev_configure(id, 1, 1, &conf);
	if (ret)
		return port_eth_error(port, err, "configure", ret);
	ret = port_eth_queues(port, id, err);
	if (ret)
		return ret;
	ret = rte_eth_dev_start(id);
	if (ret)
		return port_eth_error(port, err, "start", ret);

	/* A virtual device may know no other mode. */
	ret = rte_eth_promiscuous_enable(id);
	if (ret && ret != -ENOTSUP)
		SWITCH_LOG(WARNING, "eth:%s: not promiscuous: %s\n", port->name,
			   strerror(-ret));
	port->up = true;
	return 0;
}

static int port_eth_open(struct port *port, char *err)
{
	uint16_t id;
	int ret;

	if (rte_eth_dev_get_port_by_name(port->name, &id))
		return port_eth_unknown(port, err);

	port->priv = calloc(1, sizeof(struct port_eth));
	if (!port->priv)
		return port_eth_error(port, err, "memory", -ENOMEM);
	ret = port_eth_start(port, id, err);
	if (ret) {
		free(port->priv);
		port->priv = NULL;
	}
	return ret;
}

static void port_eth_close(struct port *port)
{
	struct port_eth *p = port->priv;

	if (rte_eth_dev_stop(p->id))
		SWITCH_LOG(WARNING, "eth:%s: does not stop\n", port->name);
	rte_eth_dev_close(p->id);
	port->up = false;
	free(p);
	port->priv = NULL;
}

static uint16_t port_eth_rx(struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	const struct port_eth *p = port->priv;

	return rte_eth_rx_burst(p->id, 0, mbufs, n);
}

/* One mbuf for a driver that takes no chains. NULL: it is gone. */
static struct rte_mbuf *port_eth_linear(struct port *port, struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	copy = rte_pktmbuf_copy(m, port->pool, 0, UINT32_MAX);
	rte_pktmbuf_free(m);
	if (copy && rte_pktmbuf_linearize(copy)) {
		rte_pktmbuf_free(copy);
		copy = NULL;
	}
	return copy;
}

/* Do what the driver cannot. NULL: the frame is lost and freed. */
static struct rte_mbuf *port_eth_adapt(struct port *port, struct rte_mbuf *m)
{
	const struct port_eth *p = port->priv;
	const uint64_t l4 = m->ol_flags & RTE_MBUF_F_TX_L4_MASK;

	if ((l4 == RTE_MBUF_F_TX_TCP_CKSUM &&
	     !(p->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_CKSUM)) ||
	    (l4 == RTE_MBUF_F_TX_UDP_CKSUM &&
	     !(p->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM))) {
		if (vsp_port_csum_complete(m, port->pool, &m))
			return NULL;
	}
	if (m->nb_segs > 1 && !(p->tx_offloads & RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
		return port_eth_linear(port, m);
	return m;
}

/* Send what the driver takes now; the rest is lost, as on a full wire. */
static void port_eth_send(struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	struct port_eth *p = port->priv;
	uint32_t lens[PORT_BURST];
	uint16_t i, sent;

	for (i = 0; i < n; i++)
		lens[i] = mbufs[i]->pkt_len;
	sent = rte_eth_tx_burst(p->id, 0, mbufs, n);
	for (i = 0; i < sent; i++)
		p->counters.tx_bytes += lens[i];
	p->counters.tx_packets += sent;
	p->counters.tx_drops += n - sent;
	rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
}

static uint16_t port_eth_tx(struct port *port, struct rte_mbuf **mbufs, uint16_t n)
{
	struct port_eth *p = port->priv;
	struct rte_mbuf *ready[PORT_BURST];
	uint16_t i, good, nr = 0, first = 0;

	for (i = 0; i < n; i++) {
		ready[nr] = port_eth_adapt(port, mbufs[i]);
		if (ready[nr])
			nr++;
		else
			p->counters.tx_drops++;
	}
	while (first < nr) {
		good = rte_eth_tx_prepare(p->id, 0, ready + first, nr - first);
		if (good)
			port_eth_send(port, ready + first, good);
		first += good;
		if (first < nr) {
			/* The driver refuses this one. */
			rte_pktmbuf_free(ready[first++]);
			p->counters.tx_drops++;
		}
	}
	return n;
}

static void port_eth_service(struct port *port, uint32_t now_s)
{
	struct port_eth *p = port->priv;
	struct rte_eth_link link;

	/* A system call in some drivers: once a second will do. */
	if (p->link_s == now_s)
		return;
	p->link_s = now_s;
	if (!rte_eth_link_get_nowait(p->id, &link))
		port->up = link.link_status == RTE_ETH_LINK_UP;
}

static void port_eth_count(const struct port *port, struct port_counters *c)
{
	const struct port_eth *p = port->priv;
	struct rte_eth_stats stats;

	if (!rte_eth_stats_get(p->id, &stats))
		c->rx_drops += stats.imissed + stats.ierrors + stats.rx_nombuf;
	c->tx_packets += p->counters.tx_packets;
	c->tx_bytes += p->counters.tx_bytes;
	c->tx_drops += p->counters.tx_drops;
}

const struct port_ops port_eth_ops = {
	.kind = "eth",
	.open = port_eth_open,
	.close = port_eth_close,
	.rx = port_eth_rx,
	.tx = port_eth_tx,
	.service = port_eth_service,
	.count = port_eth_count,
};
