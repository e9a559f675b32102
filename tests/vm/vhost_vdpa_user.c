// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of vhost_vdpa, for the VM tests: drives the first queue pair of a
 * /dev/vhost-vdpa-N and tells how it goes.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * vhost_vdpa_user DEVICE: says "running"; broadcasts a frame every 10 ms; says
 * "sent N received M" every second, "needs reset" when the device does. Closes
 * the device only at SIGTERM, whatever happens, as a user does who does not care.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#define NUM		64U
#define BUF_SIZE	2048U
#define IOVA		0x10000000ULL
#define RING_SPACE	0x4000U
#define MEM_SIZE	(2 * RING_SPACE + 2 * NUM * BUF_SIZE)
#define FRAME_LEN	60U
#define HDR_LEN		sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define FEATURES	((1ULL << VIRTIO_F_VERSION_1) | (1ULL << VIRTIO_F_ACCESS_PLATFORM) | \
			 (1ULL << VIRTIO_NET_F_MAC) | (1ULL << VIRTIO_NET_F_MRG_RXBUF))

struct queue {
	struct vring vring;
	uint8_t *bufs;
	uint64_t bufs_iova;
	uint16_t last_used;
	int kick;
};

static uint8_t *mem;
static int dev = -1;
static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "vhost_vdpa_user: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint8_t get_status(void)
{
	uint8_t status = 0;

	need(!ioctl(dev, VHOST_VDPA_GET_STATUS, &status), "VHOST_VDPA_GET_STATUS");
	return status;
}

static void add_status(uint8_t bits)
{
	uint8_t status = get_status() | bits;

	need(!ioctl(dev, VHOST_VDPA_SET_STATUS, &status), "VHOST_VDPA_SET_STATUS");
}

static void map_memory(void)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.iova = IOVA,
			.size = MEM_SIZE,
			.perm = VHOST_ACCESS_RW,
			.type = VHOST_IOTLB_UPDATE,
		},
	};

	mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	need(mem != MAP_FAILED, "mmap");
	msg.iotlb.uaddr = (uintptr_t)mem;
	need(write(dev, &msg, sizeof(msg)) == sizeof(msg), "IOTLB update");
}

static void negotiate(void)
{
	uint64_t backend = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;
	uint64_t features = 0;

	need(!ioctl(dev, VHOST_SET_OWNER), "VHOST_SET_OWNER");
	need(!ioctl(dev, VHOST_SET_BACKEND_FEATURES, &backend), "VHOST_SET_BACKEND_FEATURES");
	add_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	need(!ioctl(dev, VHOST_GET_FEATURES, &features), "VHOST_GET_FEATURES");
	features &= FEATURES;
	need(!ioctl(dev, VHOST_SET_FEATURES, &features), "VHOST_SET_FEATURES");
	add_status(VIRTIO_CONFIG_S_FEATURES_OK);
	need(get_status() & VIRTIO_CONFIG_S_FEATURES_OK, "FEATURES_OK");
}

/* Descriptors never change: number i is buffer i. */
static void queue_setup(struct queue *q, unsigned int index, int call)
{
	struct vhost_vring_state num = { .index = index, .num = NUM };
	struct vhost_vring_state base = { .index = index };
	struct vhost_vring_addr addr = { .index = index };
	struct vhost_vring_file file = { .index = index };
	uint64_t at = IOVA + index * RING_SPACE;
	unsigned int i;

	vring_init(&q->vring, NUM, mem + index * RING_SPACE, 4096);
	q->bufs = mem + 2 * RING_SPACE + index * NUM * BUF_SIZE;
	q->bufs_iova = IOVA + (q->bufs - mem);
	for (i = 0; i < NUM; i++) {
		q->vring.desc[i].addr = q->bufs_iova + i * BUF_SIZE;
		q->vring.desc[i].len = index ? HDR_LEN + FRAME_LEN : BUF_SIZE;
		q->vring.desc[i].flags = index ? 0 : VRING_DESC_F_WRITE;
	}
	addr.desc_user_addr = at;
	addr.avail_user_addr = at + ((uint8_t *)q->vring.avail - (uint8_t *)q->vring.desc);
	addr.used_user_addr = at + ((uint8_t *)q->vring.used - (uint8_t *)q->vring.desc);
	need(!ioctl(dev, VHOST_SET_VRING_NUM, &num), "VHOST_SET_VRING_NUM");
	need(!ioctl(dev, VHOST_SET_VRING_BASE, &base), "VHOST_SET_VRING_BASE");
	need(!ioctl(dev, VHOST_SET_VRING_ADDR, &addr), "VHOST_SET_VRING_ADDR");
	q->kick = file.fd = eventfd(0, EFD_NONBLOCK);
	need(!ioctl(dev, VHOST_SET_VRING_KICK, &file), "VHOST_SET_VRING_KICK");
	file.fd = call;
	need(!ioctl(dev, VHOST_SET_VRING_CALL, &file), "VHOST_SET_VRING_CALL");
}

static void queue_offer(struct queue *q, uint16_t id)
{
	struct vring_avail *avail = q->vring.avail;
	uint64_t one = 1;

	avail->ring[avail->idx % NUM] = id;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
	need(write(q->kick, &one, sizeof(one)) == sizeof(one) || errno == EAGAIN, "kick");
}

/* How many chains have come back; each is offered again if @again. */
static unsigned int queue_reap(struct queue *q, bool again)
{
	uint16_t idx = __atomic_load_n(&q->vring.used->idx, __ATOMIC_ACQUIRE);
	unsigned int n = 0;

	for (; q->last_used != idx; q->last_used++, n++)
		if (again)
			queue_offer(q, q->vring.used->ring[q->last_used % NUM].id % NUM);
	return n;
}

static void queue_enable(unsigned int index)
{
	struct vhost_vring_state on = { .index = index, .num = 1 };

	need(!ioctl(dev, VHOST_VDPA_SET_VRING_ENABLE, &on), "VHOST_VDPA_SET_VRING_ENABLE");
}

/* A broadcast of the experimental ethertype, from an address of our own. */
static void frame_write(uint8_t *buf)
{
	static const uint8_t head[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					0x02, 0x00, 0x00, 0x00, 0x00, 0x99, 0x88, 0xb5 };

	memset(buf, 0, HDR_LEN + FRAME_LEN);
	memcpy(buf + HDR_LEN, head, sizeof(head));
}

static void run(struct queue *rx, struct queue *tx, int call)
{
	unsigned long sent = 0, received = 0, turns = 0;
	struct pollfd pfd = { .fd = call, .events = POLLIN };
	bool lost = false;
	uint64_t calls;

	while (!stop) {
		received += queue_reap(rx, true);
		sent += queue_reap(tx, false);
		if ((uint16_t)(tx->vring.avail->idx - tx->last_used) < NUM) {
			uint16_t id = tx->vring.avail->idx % NUM;

			frame_write(tx->bufs + id * BUF_SIZE);
			queue_offer(tx, id);
		}
		if (!lost && get_status() & VIRTIO_CONFIG_S_NEEDS_RESET) {
			lost = true;
			printf("needs reset\n");
		}
		if (turns++ % 100 == 0)
			printf("sent %lu received %lu\n", sent, received);
		if (poll(&pfd, 1, 10) > 0 && read(call, &calls, sizeof(calls)) < 0)
			need(errno == EAGAIN, "read of the call eventfd");
	}
	printf("sent %lu received %lu\n", sent, received);
}

int main(int argc, char **argv)
{
	struct queue rx = {}, tx = {};
	unsigned int i;
	int call;

	if (argc != 2) {
		fprintf(stderr, "Usage: vhost_vdpa_user /dev/vhost-vdpa-N\n");
		return 2;
	}
	setlinebuf(stdout);
	signal(SIGTERM, on_term);
	dev = open(argv[1], O_RDWR);
	need(dev >= 0, argv[1]);
	call = eventfd(0, EFD_NONBLOCK);
	need(call >= 0, "eventfd");
	negotiate();
	map_memory();
	queue_setup(&rx, 0, call);
	queue_setup(&tx, 1, call);
	for (i = 0; i < NUM; i++)
		queue_offer(&rx, i);
	add_status(VIRTIO_CONFIG_S_DRIVER_OK);
	queue_enable(0);
	queue_enable(1);
	printf("running\n");
	run(&rx, &tx, call);
	need(!close(dev), "close");
	printf("closed\n");
	return 0;
}
