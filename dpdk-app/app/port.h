/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A port of the switch, whatever is behind it. Two kinds: port_vsp.c, a
 * function of the card; port_eth.c, any ethdev. All functions of a port are
 * called by the main lcore; other threads read the counters only.
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define PORT_BURST	32
#define PORT_QUEUE	256	/* frames, as in the packet memory of a switch */
#define PORT_NAME_LEN	80
#define PORT_ERRLEN	512

struct port;

/* Frames and bytes without FCS. */
struct port_counters {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_drops;	/* not a usable frame, says the port */
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_drops;	/* no buffer, too long, port down, no mbuf */
	uint64_t flooded;	/* frames from here that went to all others */
	uint64_t filtered;	/* frames from here whose station is here, too */
};

/**
 * struct port_ops - one kind of port
 * @kind:    "vsp", "eth"
 * @open:    bring the port up; fills @err (PORT_ERRLEN bytes) when it fails.
 *           Returns 0 or a negative errno.
 * @close:   undo open; also after the device has gone
 * @rx:      up to @n frames; the caller's from then on
 * @tx:      takes frames from the first on and returns how many; the others
 *           stay the caller's
 * @service: ten times a second: what must not wait for traffic; may change
 *           port->up and port->way. @now_s: the switch's clock
 * @count:   adds what only the kind knows, since open: rx_drops, tx_packets,
 *           tx_bytes, tx_drops (taken, but not delivered)
 */
struct port_ops {
	const char *kind;
	int (*open)(struct port *port, char *err);
	void (*close)(struct port *port);
	uint16_t (*rx)(struct port *port, struct rte_mbuf **mbufs, uint16_t n);
	uint16_t (*tx)(struct port *port, struct rte_mbuf **mbufs, uint16_t n);
	void (*service)(struct port *port, uint32_t now_s);
	void (*count)(const struct port *port, struct port_counters *c);
};

struct port {
	const struct port_ops *ops;
	char name[PORT_NAME_LEN];	/* of the device, without "eth:" */
	uint16_t index;
	bool up;			/* worth sending to */
	const char *way;		/* to the bytes: "copy", "window"; or NULL */
	struct rte_mempool *pool;
	uint32_t max_frame;
	struct port_counters turns;	/* the switch's own counting */
	struct port_counters total;	/* with the kind's, as of the last service */
	struct port_counters shown;	/* total, as of the last live view */
	void *priv;			/* the kind's own */

	/* Frames that wait for the end of the turn, or for buffers. */
	struct rte_mbuf *out[PORT_QUEUE];
	uint16_t nr_out;
};

extern const struct port_ops port_vsp_ops;
extern const struct port_ops port_eth_ops;

#endif /* PORT_H */
