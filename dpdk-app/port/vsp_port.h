/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vsp port: one function of the card as bursts of mbufs. It is the backend
 * of the function (uapi/vdpa_sim_pcie.h): it opens /dev/vsp/<function>, follows
 * the driver's life (reset, queues, loss of the function) and moves frames
 * between the driver's virtqueues and mbufs. Public DPDK API only.
 *
 * Directions are those of the card's port, not of the driver: rx is what the
 * driver sent (transmit virtqueues, 2 * i + 1), tx is what it will receive
 * (receive virtqueues, 2 * i). The control queue is the kernel's.
 *
 * Context: one lcore (or registered non-EAL thread) owns a port: every function
 * that takes a port is called by it, except where said otherwise. Ports share
 * nothing but their mempool.
 */
#ifndef VSP_PORT_H
#define VSP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

/* Enough for every message of vsp_port_open(), with the final NUL. */
#define VSP_PORT_ERRLEN		512

/* Longest frame a port can be configured for: 64 KiB behind an Ethernet header. */
#define VSP_PORT_MAX_FRAME	(65536 + RTE_ETHER_HDR_LEN + 2 * 4)

/* Largest burst handled by one call; a longer one is cut. */
#define VSP_PORT_BURST		64

struct vsp_port;

/*
 * @pool:      mbufs for received frames and for private copies; its data room
 *             holds RTE_PKTMBUF_HEADROOM and at least 1024 bytes. Frames that do
 *             not fit in one mbuf become chains.
 * @socket:    NUMA node of the port's own memory, or SOCKET_ID_ANY
 * @max_frame: longest frame taken from the driver, bytes without FCS;
 *             RTE_ETHER_MIN_MTU to VSP_PORT_MAX_FRAME
 */
struct vsp_port_conf {
	struct rte_mempool *pool;
	int socket;
	uint32_t max_frame;
};

/* Frames and bytes are without virtio header and FCS, as a netdev counts. */
struct vsp_port_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_malformed;	/* chain or header that makes no frame */
	uint64_t rx_oversize;	/* longer than max_frame */
	uint64_t rx_faults;	/* memory that the driver has not mapped */
	uint64_t rx_nombuf;	/* bursts cut short: no mbufs; nothing is lost */
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_oversize;	/* over the driver's MTU, or no buffer fits */
	uint64_t tx_malformed;	/* buffer too short for a header; bad offload request */
	uint64_t tx_faults;
	uint64_t tx_nombuf;	/* frames lost: no mbuf for a private copy */
	uint64_t csum_software;	/* checksums completed here, both directions */
	uint64_t raises;	/* interrupt system calls */
	uint64_t resets;	/* driver resets and function level resets */
	uint64_t broken;	/* queues stopped for breaking the ring's rules */
};

/* The driver's side of the function, as last told by the kernel. */
struct vsp_port_info {
	uint64_t driver_features;
	struct rte_ether_addr mac;
	uint16_t mtu;
	uint16_t nr_queues;	/* queue pairs the driver may use */
	bool link_up;
	bool window;		/* frames are in the window, no system call moves them */
};

/**
 * vsp_port_open() - become the backend of a function
 * @name: function, "10000:01:00.1"
 * @conf: copied; @conf->pool must outlive the port
 * @port: out: the port, to be given back by vsp_port_close()
 * @err:  VSP_PORT_ERRLEN bytes for one line about what is wrong, or NULL;
 *        untouched on success
 *
 * May sleep. Queues that the driver has enabled already are taken over where
 * the previous backend left them.
 *
 * Return: 0; -EINVAL: @name is no function name or @conf is out of range;
 * -ENOENT: no such function (@err lists those there are); -ENODEV: it has just
 * gone; -EBUSY: it has a backend; -EACCES: no permission; -EPROTO: the kernel
 * speaks another version of the contract, or is no network card; -ENOMEM;
 * or what the kernel returned.
 */
int vsp_port_open(const char *name, const struct vsp_port_conf *conf,
		  struct vsp_port **port, char *err);

/**
 * vsp_port_close() - give the function back to the kernel
 * @port: port, or NULL
 *
 * Frames not yet received stay in the driver's rings for the next backend.
 */
void vsp_port_close(struct vsp_port *port);

/**
 * vsp_port_rx_burst() - take frames that the driver sent
 * @port:  port
 * @queue: queue pair, below vsp_port_info.nr_queues
 * @mbufs: out: the caller's from now on
 * @n:     most frames wanted; cut to VSP_PORT_BURST
 *
 * A frame whose checksum the driver left to the device comes with
 * RTE_MBUF_F_TX_TCP_CKSUM or _UDP_CKSUM, l2_len and l3_len, and the pseudo
 * header's sum in its checksum field, ready for a tx burst of any port that
 * has the offload (virtio 1.3, 5.1.6.2). Handles events of the kernel when
 * there are any.
 *
 * Return: number of frames; 0 also when the queue is not running.
 */
uint16_t vsp_port_rx_burst(struct vsp_port *port, uint16_t queue,
			   struct rte_mbuf **mbufs, uint16_t n);

/**
 * vsp_port_tx_burst() - give frames to the driver
 * @port:  port
 * @queue: queue pair, below vsp_port_info.nr_queues
 * @mbufs: frames; may be chained, cloned or shared. Never written to unless
 *         private.
 * @n:     number of frames; cut to VSP_PORT_BURST
 *
 * RTE_MBUF_F_TX_TCP_CKSUM and _UDP_CKSUM are honoured; l2_len and l3_len must
 * be set and the checksum field must hold the pseudo header's sum, as after
 * rte_eth_tx_prepare(). Frames taken are freed, also those that cannot be
 * delivered (see vsp_port_stats); the others stay the caller's.
 *
 * Return: number of frames taken, from the first; fewer than @n when the
 * driver has no buffers, 0 when the queue is not running.
 */
uint16_t vsp_port_tx_burst(struct vsp_port *port, uint16_t queue,
			   struct rte_mbuf **mbufs, uint16_t n);

/**
 * vsp_port_service() - handle events of the kernel now
 * @port: port
 *
 * The bursts do this when the generation word moves. Call it a few times a
 * second as well: a port without bursts is noticed as dead only here.
 *
 * Return: 0; -ENOTCONN: the kernel has taken the function away, as the backend
 * did not answer in time; -ENODEV: the function has left the bus. After an
 * error all bursts return 0, and only vsp_port_close() makes sense.
 */
int vsp_port_service(struct vsp_port *port);

/**
 * vsp_port_ready() - can frames move now
 * @port: port
 *
 * Return: true while the driver is up (DRIVER_OK) and the first queue pair runs.
 */
bool vsp_port_ready(const struct vsp_port *port);

/**
 * vsp_port_link_set() - set the link that the driver sees
 * @port:       port
 * @up:         carrier
 * @speed_mbps: speed in Mbit/s
 *
 * Return: 0, or a negative errno of the kernel (-ENOTCONN: function lost).
 */
int vsp_port_link_set(struct vsp_port *port, bool up, uint32_t speed_mbps);

/**
 * vsp_port_info_get() - what the driver and its administrator have set
 * @port: port
 * @info: out
 */
void vsp_port_info_get(const struct vsp_port *port, struct vsp_port_info *info);

/**
 * vsp_port_stats_get() - counters since open
 * @port:  port
 * @stats: out
 */
void vsp_port_stats_get(const struct vsp_port *port, struct vsp_port_stats *stats);

/**
 * vsp_port_csum_complete() - do in software what a checksum offload would do
 * @m:    frame with RTE_MBUF_F_TX_TCP_CKSUM or _UDP_CKSUM, as rx_burst gives
 *        it; consumed on success and on error
 * @pool: for a private copy, needed when @m shares its data
 * @out:  the frame without the request; @m itself if it was private
 *
 * Any lcore.
 *
 * Return: 0; -EINVAL: offsets beyond the frame; -ENOMEM: no mbuf. On error the
 * frame is freed.
 */
int vsp_port_csum_complete(struct rte_mbuf *m, struct rte_mempool *pool,
			   struct rte_mbuf **out);

#endif /* VSP_PORT_H */
