/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The forwarding loop. One turn: take a burst from every port, put each frame
 * into the queues of the ports it goes to, send all queues. Ten times a second:
 * the clock, the ports' own affairs, the statistics.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_random.h>

#include "switch.h"

/*
 * Mbufs: for every port its queue, the rings of an ethdev, and bursts under way
 * with their clones.
 */
#define SWITCH_MBUFS_BASE	4095
#define SWITCH_MBUFS_PER_PORT	2048
#define SWITCH_MBUF_CACHE	256

RTE_LOG_REGISTER(switch_logtype, vsp.switch, NOTICE);

static void port_drop_out(struct port *port)
{
	port->turns.tx_drops += port->nr_out;
	rte_pktmbuf_free_bulk(port->out, port->nr_out);
	port->nr_out = 0;
}

/* Send what the port takes; the rest waits for the next turn. */
static void port_flush(struct port *port)
{
	uint16_t sent = 0, taken, n;

	do {
		n = RTE_MIN(port->nr_out - sent, PORT_BURST);
		taken = port->ops->tx(port, port->out + sent, n);
		sent += taken;
	} while (taken == n && sent < port->nr_out);

	port->nr_out -= sent;
	if (unlikely(port->nr_out && sent))
		memmove(port->out, port->out + sent,
			port->nr_out * sizeof(port->out[0]));
}

/* Takes @m. A port that is down, or whose queue is full, loses it. */
static void port_enqueue(struct port *port, struct rte_mbuf *m)
{
	if (unlikely(port->nr_out == PORT_QUEUE && port->up))
		port_flush(port);
	if (unlikely(!port->up || port->nr_out == PORT_QUEUE)) {
		port->turns.tx_drops++;
		rte_pktmbuf_free(m);
		return;
	}
	port->out[port->nr_out++] = m;
}

/*
 * To all ports that are up but @from: clones, which share the bytes, and the
 * frame itself to the last one. Takes @m.
 */
static void switch_flood(struct sw *sw, const struct port *from, struct rte_mbuf *m)
{
	struct port *last = NULL;
	struct rte_mbuf *clone;
	unsigned int i;

	for (i = 0; i < sw->nr_ports; i++) {
		struct port *port = &sw->ports[i];

		if (port == from || !port->up)
			continue;
		if (last) {
			clone = rte_pktmbuf_clone(m, sw->pool);
			if (likely(clone))
				port_enqueue(last, clone);
			else
				last->turns.tx_drops++;
		}
		last = port;
	}
	if (last)
		port_enqueue(last, m);
	else
		rte_pktmbuf_free(m);
}

/* The addresses of a frame, in two words. */
struct addresses {
	uint64_t dst_src;
	uint32_t src;
};

static struct addresses addresses_of(const struct rte_ether_hdr *eth)
{
	struct addresses a;

	memcpy(&a.dst_src, eth, sizeof(a.dst_src));
	memcpy(&a.src, RTE_PTR_ADD(eth, sizeof(a.dst_src)), sizeof(a.src));
	return a;
}

/*
 * The frame before this one, in the same burst of the same port: another between the
 * same stations goes the same way, and nothing is to be learnt from it.
 */
struct flight {
	struct addresses addresses;
	struct port *to;		/* NULL: not to one other port */
};

static void switch_frame(struct sw *sw, struct port *from, struct flight *flight,
			 struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth;
	struct addresses a;
	int to = -ENOENT;

	if (unlikely(m->data_len < sizeof(*eth) ||
		     m->pkt_len > sw->options.max_frame)) {
		from->turns.rx_drops++;
		rte_pktmbuf_free(m);
		return;
	}
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	a = addresses_of(eth);
	if (flight->to && a.dst_src == flight->addresses.dst_src &&
	    a.src == flight->addresses.src) {
		port_enqueue(flight->to, m);
		return;
	}
	*flight = (struct flight){ .addresses = a };

	fdb_learn(sw->fdb, eth->src_addr.addr_bytes, from->index, sw->now_s);
	if (!rte_is_multicast_ether_addr(&eth->dst_addr))
		to = fdb_lookup(sw->fdb, eth->dst_addr.addr_bytes, sw->now_s);

	if (to < 0) {
		from->turns.flooded++;
		switch_flood(sw, from, m);
	} else if (to == from->index) {
		from->turns.filtered++;
		rte_pktmbuf_free(m);
	} else {
		flight->to = &sw->ports[to];
		port_enqueue(flight->to, m);
	}
}

/* Returns false when nothing came in. */
static bool switch_turn(struct sw *sw)
{
	struct rte_mbuf *mbufs[PORT_BURST];
	unsigned int i, j, n;
	bool busy = false;

	for (i = 0; i < sw->nr_ports; i++) {
		struct port *port = &sw->ports[i];
		struct flight flight = { .to = NULL };
		uint64_t bytes = 0;

		n = port->ops->rx(port, mbufs, PORT_BURST);
		if (!n)
			continue;
		for (j = 0; j < n; j++) {
			bytes += mbufs[j]->pkt_len;
			switch_frame(sw, port, &flight, mbufs[j]);
		}
		port->turns.rx_packets += n;
		port->turns.rx_bytes += bytes;
		busy = true;
	}
	for (i = 0; i < sw->nr_ports; i++)
		if (sw->ports[i].nr_out)
			port_flush(&sw->ports[i]);
	return busy;
}

static void switch_service_port(struct sw *sw, struct port *port)
{
	const bool was_up = port->up;

	port->ops->service(port, sw->now_s);
	if (was_up && !port->up) {
		/* Its stations may come back elsewhere. */
		fdb_flush_port(sw->fdb, port->index);
		port_drop_out(port);
	}
	port->total = port->turns;
	port->ops->count(port, &port->total);
}

static void switch_service(struct sw *sw)
{
	unsigned int i;

	sw->now_s = (uint32_t)((rte_rdtsc() - sw->start) / sw->hz);
	for (i = 0; i < sw->nr_ports; i++)
		switch_service_port(sw, &sw->ports[i]);
}

void switch_run(struct sw *sw, volatile sig_atomic_t *stop)
{
	const uint64_t tick = sw->hz / 10;
	const uint64_t view = sw->options.stats_s * sw->hz;
	uint64_t last_tick, last_view, now;

	last_tick = last_view = sw->start;
	switch_service(sw);
	while (!*stop) {
		if (!switch_turn(sw))
			rte_pause();
		now = rte_rdtsc();
		if (likely(now - last_tick < tick))
			continue;
		last_tick = now;
		switch_service(sw);
		if (view && now - last_view >= view) {
			stats_live(sw, stdout, (double)(now - last_view) / sw->hz);
			last_view = now;
		}
	}
	switch_service(sw);
}

static int switch_open_port(struct sw *sw, unsigned int i)
{
	const char *eth = options_is_eth(sw->options.ports[i]);
	struct port *port = &sw->ports[i];
	char err[PORT_ERRLEN] = "";
	int ret;

	port->ops = eth ? &port_eth_ops : &port_vsp_ops;
	port->index = i;
	port->pool = sw->pool;
	port->max_frame = sw->options.max_frame;
	snprintf(port->name, sizeof(port->name), "%s",
		 eth ? eth : sw->options.ports[i]);
	ret = port->ops->open(port, err);
	if (ret)
		fprintf(stderr, "vsp-switch: %s\n", err);
	return ret;
}

static int switch_open_ports(struct sw *sw)
{
	int ret;

	while (sw->nr_ports < sw->options.nr_ports) {
		ret = switch_open_port(sw, sw->nr_ports);
		if (ret)
			return ret;
		sw->nr_ports++;
	}
	return 0;
}

int switch_init(struct sw *sw)
{
	const unsigned int nr_mbufs = SWITCH_MBUFS_BASE +
				      SWITCH_MBUFS_PER_PORT * sw->options.nr_ports;
	int ret = -ENOMEM;

	sw->hz = rte_get_tsc_hz();
	sw->start = rte_rdtsc();
	sw->pool = rte_pktmbuf_pool_create("vsp-switch", nr_mbufs, SWITCH_MBUF_CACHE,
					   0, RTE_MBUF_DEFAULT_BUF_SIZE,
					   SOCKET_ID_ANY);
	if (!sw->pool) {
		ret = -rte_errno;
		fprintf(stderr, "vsp-switch: no memory for %u mbufs (%s); more by the EAL option -m\n",
			nr_mbufs, rte_strerror(rte_errno));
		return ret;
	}
	sw->ports = calloc(sw->options.nr_ports, sizeof(*sw->ports));
	sw->fdb = fdb_create(SWITCH_FDB_ENTRIES, SWITCH_AGEING_S, rte_rand());
	if (!sw->ports || !sw->fdb) {
		fputs("vsp-switch: no memory\n", stderr);
		goto err_fini;
	}
	ret = switch_open_ports(sw);
	if (ret)
		goto err_fini;
	return 0;

err_fini:
	switch_fini(sw);
	return ret;
}

void switch_fini(struct sw *sw)
{
	while (sw->nr_ports) {
		struct port *port = &sw->ports[--sw->nr_ports];

		rte_pktmbuf_free_bulk(port->out, port->nr_out);
		port->ops->close(port);
	}
	fdb_destroy(sw->fdb);
	free(sw->ports);
	rte_mempool_free(sw->pool);
	sw->fdb = NULL;
	sw->ports = NULL;
	sw->pool = NULL;
}
