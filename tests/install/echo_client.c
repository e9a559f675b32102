// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A driver for the echo example: DPDK's virtio-user sends frames of all sizes and
 * wants each of them back, in order and unchanged.
 *
 *	echo_client EAL-OPTIONS --vdev net_virtio_user0,path=SOCKET,...
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define PORT		0
#define RING		256
#define BURST		32
#define FRAMES		8000
#define LEN_MIN		60
#define LEN_MAX		1514
/* One burst that never comes back is a lost one. */
#define LIMIT_S		30

static void die(const char *what, int ret)
{
	fprintf(stderr, "echo_client: %s: %s\n", what, strerror(ret < 0 ? -ret : ret));
	exit(1);
}

static uint32_t frame_len(uint32_t nr)
{
	return LEN_MIN + nr * 37 % (LEN_MAX - LEN_MIN + 1);
}

static uint8_t frame_byte(uint32_t nr, uint32_t at)
{
	return (uint8_t)(nr * 7 + at * 3 + (at >> 8));
}

static struct rte_mempool *port_start(void)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_mempool *pool;
	int ret;

	pool = rte_pktmbuf_pool_create("frames", 2047, 32, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!pool)
		die("mbuf pool", rte_errno);
	ret = rte_eth_dev_configure(PORT, 1, 1, &conf);
	if (!ret)
		ret = rte_eth_rx_queue_setup(PORT, 0, RING, 0, NULL, pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(PORT, 0, RING, 0, NULL);
	if (!ret)
		ret = rte_eth_dev_start(PORT);
	if (ret)
		die("port", ret);
	return pool;
}

static void send_burst(struct rte_mempool *pool, uint32_t first)
{
	struct rte_mbuf *m[BURST];
	uint32_t i, at, sent = 0;
	uint8_t *p;

	if (rte_pktmbuf_alloc_bulk(pool, m, BURST))
		die("mbufs", ENOMEM);
	for (i = 0; i < BURST; i++) {
		p = (uint8_t *)rte_pktmbuf_append(m[i], frame_len(first + i));
		for (at = 0; at < frame_len(first + i); at++)
			p[at] = frame_byte(first + i, at);
	}
	while (sent < BURST)
		sent += rte_eth_tx_burst(PORT, 0, &m[sent], BURST - sent);
}

static void check_frame(const struct rte_mbuf *m, uint32_t nr)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t at;

	if (m->pkt_len != frame_len(nr) || m->nb_segs != 1)
		die("a frame has another length", EBADMSG);
	for (at = 0; at < m->pkt_len; at++)
		if (p[at] != frame_byte(nr, at))
			die("a frame was changed", EBADMSG);
}

static void receive_burst(uint32_t first)
{
	const time_t end = time(NULL) + LIMIT_S;
	struct rte_mbuf *m[BURST];
	uint32_t i, n, got = 0;

	while (got < BURST) {
		n = rte_eth_rx_burst(PORT, 0, m, BURST - got);
		for (i = 0; i < n; i++) {
			check_frame(m[i], first + got + i);
			rte_pktmbuf_free(m[i]);
		}
		got += n;
		if (time(NULL) > end)
			die("a frame did not come back", ETIMEDOUT);
	}
}

int main(int argc, char **argv)
{
	struct rte_mempool *pool;
	uint32_t nr;

	if (rte_eal_init(argc, argv) < 0)
		die("EAL", rte_errno);
	pool = port_start();
	for (nr = 0; nr < FRAMES; nr += BURST) {
		send_burst(pool, nr);
		receive_burst(nr);
	}
	rte_eth_dev_stop(PORT);
	rte_eth_dev_close(PORT);
	rte_eal_cleanup();
	printf("%u frames came back\n", nr);
	return 0;
}
