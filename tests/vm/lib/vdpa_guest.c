// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of a whole function through vhost_vdpa; see vdpa_guest.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vdpa_guest.h"

#define ETHERTYPE	0x88b5		/* for experiments */
#define WIRE_TAG	0x77

/* What travels. */
struct frame {
	uint8_t dst[6], src[6];
	uint16_t type;
	uint16_t pad;
	uint32_t seq;
	uint64_t words[5];
} __attribute__((packed));

static_assert(sizeof(struct frame) == FRAME_LEN, "a frame of the smallest size");

static void frame_write(struct frame *f, uint8_t tag, uint32_t seq, uint64_t word)
{
	unsigned int i;

	*f = (struct frame){ .src = { 2, 0, 0, 0, 1, tag }, .type = htons(ETHERTYPE),
			     .seq = seq };
	memset(f->dst, 0xff, sizeof(f->dst));
	for (i = 0; i < 5; i++)
		f->words[i] = word;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- queues ---- */

static int uq_ioctl(struct uq *q, unsigned long request, void *arg)
{
	return ioctl(q->user->fd, request, arg) ? -errno : 0;
}

void uq_setup(struct uq *q, struct user *u, unsigned int index, void *mem, uint64_t iova)
{
	struct vhost_vring_state num = { .index = index, .num = UQ_NUM };
	struct vhost_vring_state base = { .index = index };
	struct vhost_vring_addr addr = { .index = index, .desc_user_addr = iova };
	struct vhost_vring_file file = { .index = index };

	memset(mem, 0, vring_size(UQ_NUM, 4096));
	q->user = u;
	q->index = index;
	q->next = 0;
	q->last_used = 0;
	vring_init(&q->vring, UQ_NUM, mem, 4096);
	addr.avail_user_addr = iova + (uint64_t)((uint8_t *)q->vring.avail - (uint8_t *)mem);
	addr.used_user_addr = iova + (uint64_t)((uint8_t *)q->vring.used - (uint8_t *)mem);
	if (q->kick <= 0)
		q->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	file.fd = q->kick;
	need(!uq_ioctl(q, VHOST_SET_VRING_NUM, &num), "VHOST_SET_VRING_NUM");
	need(!uq_ioctl(q, VHOST_SET_VRING_BASE, &base), "VHOST_SET_VRING_BASE");
	need(!uq_ioctl(q, VHOST_SET_VRING_ADDR, &addr), "VHOST_SET_VRING_ADDR");
	need(!uq_ioctl(q, VHOST_SET_VRING_KICK, &file), "VHOST_SET_VRING_KICK");
}

int uq_enable(struct uq *q)
{
	struct vhost_vring_state on = { .index = q->index, .num = 1 };

	return uq_ioctl(q, VHOST_VDPA_SET_VRING_ENABLE, &on);
}

unsigned int uq_post(struct uq *q, const struct vring_desc *descs, unsigned int nr)
{
	struct vring_avail *avail = q->vring.avail;
	unsigned int head = q->next, i;

	for (i = 0; i < nr; i++) {
		struct vring_desc *d = &q->vring.desc[q->next];

		q->next = (q->next + 1) % UQ_NUM;
		*d = descs[i];
		if (i + 1 == nr)
			continue;
		d->flags |= VRING_DESC_F_NEXT;
		d->next = q->next;
	}
	avail->ring[avail->idx % UQ_NUM] = (uint16_t)head;
	__atomic_store_n(&avail->idx, avail->idx + 1, __ATOMIC_RELEASE);
	return head;
}

void uq_kick(struct uq *q)
{
	uint64_t one = 1;

	need(write(q->kick, &one, sizeof(one)) == sizeof(one), "kick");
}

bool uq_take(struct uq *q, struct vring_used_elem *e, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	while (__atomic_load_n(&q->vring.used->idx, __ATOMIC_ACQUIRE) == q->last_used) {
		if (now_ms() >= end)
			return false;
		sched_yield();
	}
	*e = q->vring.used->ring[q->last_used++ % UQ_NUM];
	return true;
}

/* ---- guests ---- */

void guest_open(struct guest *g, const char *device, uint64_t iova, uint8_t tag)
{
	if (!g->mem)
		g->mem = mem_anon(GUEST_SIZE, MADV_NOHUGEPAGE);
	g->device = device;
	g->iova = iova;
	g->tag = tag;
	user_open(&g->user, device);
	need(!user_map(&g->user, iova, g->mem, GUEST_SIZE, VHOST_ACCESS_RW), "map");
}

void guest_start(struct guest *g, uint64_t more_features)
{
	uq_setup(&g->rx, &g->user, 0, g->mem + RINGS_AT(0), g->iova + RINGS_AT(0));
	uq_setup(&g->tx, &g->user, 1, g->mem + RINGS_AT(1), g->iova + RINGS_AT(1));
	uq_setup(&g->ctrl, &g->user, UQ_CTRL, g->mem + RINGS_AT(2), g->iova + RINGS_AT(2));
	g->rx_posted = 0;
	user_start_with(&g->user, more_features);
	need(!uq_enable(&g->ctrl) && !uq_enable(&g->rx) && !uq_enable(&g->tx), "enable");
}

void guest_reset(struct guest *g)
{
	uint8_t status = 0;

	need(!ioctl(g->user.fd, VHOST_VDPA_SET_STATUS, &status), "reset");
}

uint8_t guest_status(struct guest *g)
{
	uint8_t status;

	need(!ioctl(g->user.fd, VHOST_VDPA_GET_STATUS, &status), "VHOST_VDPA_GET_STATUS");
	return status;
}

uint32_t guest_send(struct guest *g)
{
	uint32_t at = BUFS_AT(1) + g->tx.next * BUF_SIZE;
	struct vring_desc d = { .addr = g->iova + at, .len = HDR_LEN + FRAME_LEN };

	memset(g->mem + at, 0, HDR_LEN);
	frame_write((void *)(g->mem + at + HDR_LEN), g->tag, ++g->seq, 0);
	uq_post(&g->tx, &d, 1);
	return g->seq;
}

void guest_offer(struct guest *g)
{
	uint32_t at = BUFS_AT(0) + g->rx.next * BUF_SIZE;
	struct vring_desc d = { .addr = g->iova + at, .len = BUF_SIZE,
				.flags = VRING_DESC_F_WRITE };

	uq_post(&g->rx, &d, 1);
	g->rx_posted++;
}

static bool guest_sends(struct guest *g)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	struct vring_used_elem e;
	long seq, want;

	want = guest_send(g);
	do {
		seq = wire_take(g->tag, PATIENCE_MS);
	} while (seq >= 0 && seq != want && now_ms() < end);
	while (g->tx.last_used != g->tx.vring.avail->idx)
		if (!uq_take(&g->tx, &e, PATIENCE_MS))
			return false;
	return seq == want;
}

/* Among what else there is on a network. */
static bool guest_receives(struct guest *g)
{
	uint64_t end = now_ms() + PATIENCE_MS;
	struct vring_used_elem e;
	struct frame *f;

	while (now_ms() < end) {
		if (!g->rx_posted)
			guest_offer(g);
		wire_send(4711);
		if (!uq_take(&g->rx, &e, 100))
			continue;
		g->rx_posted--;
		f = (void *)(g->mem + BUFS_AT(0) + e.id % UQ_NUM * BUF_SIZE + HDR_LEN);
		if (e.len == HDR_LEN + FRAME_LEN && f->src[5] == WIRE_TAG && f->seq == 4711)
			return true;
	}
	return false;
}

static bool guest_commands(struct guest *g)
{
	struct virtio_net_ctrl_hdr hdr = {
		.class = VIRTIO_NET_CTRL_MAC, .cmd = VIRTIO_NET_CTRL_MAC_ADDR_SET,
	};
	uint8_t mac[6] = { 2, 0, 0, 0, 1, g->tag }, *buf = g->mem + BUFS_AT(2);
	struct vring_desc d[2] = {
		{ .addr = g->iova + BUFS_AT(2), .len = sizeof(hdr) + sizeof(mac) },
		{ .addr = g->iova + BUFS_AT(2) + 64, .len = 1, .flags = VRING_DESC_F_WRITE },
	};
	struct vring_used_elem e;

	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), mac, sizeof(mac));
	buf[64] = 0xee;
	uq_post(&g->ctrl, d, 2);
	uq_kick(&g->ctrl);
	return uq_take(&g->ctrl, &e, PATIENCE_MS) &&
	       *(volatile uint8_t *)(buf + 64) == VIRTIO_NET_OK;
}

bool guest_works(struct guest *g)
{
	return guest_sends(g) && guest_receives(g) && guest_commands(g);
}

void secret_write(uint8_t *mem, uint64_t size)
{
	uint64_t i, j;

	for (i = 0; i < size; i += PAGE) {
		for (j = 0; j < PAGE; j += sizeof(uint64_t))
			*(uint64_t *)(mem + i + j) = SECRET;
		memset(mem + i, 0, HDR_LEN);
		frame_write((void *)(mem + i + HDR_LEN), 0x55, 0, SECRET);
	}
}

bool secret_is_whole(const uint8_t *mem, uint64_t size)
{
	static uint8_t page[PAGE];
	uint64_t i;

	secret_write(page, PAGE);
	for (i = 0; i < size; i += PAGE)
		if (memcmp(mem + i, page, PAGE))
			return false;
	return true;
}

/* ---- the wire ---- */

unsigned long wire_secrets, wire_strays, wire_others;
static int wire = -1;

void wire_open(void)
{
	int netns = open("/run/netns/red", O_RDONLY | O_CLOEXEC);
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};

	need(netns >= 0 && !setns(netns, CLONE_NEWNET), "namespace red");
	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	at.sll_ifindex = (int)if_nametoindex("net0");
	need(wire >= 0 && !bind(wire, (struct sockaddr *)&at, sizeof(at)), "packet socket");
}

void wire_send(uint32_t seq)
{
	struct frame f;

	frame_write(&f, WIRE_TAG, seq, 0);
	/* Full is no fault: it is sent again. */
	if (send(wire, &f, sizeof(f), 0) < 0)
		need(errno == EAGAIN || errno == ENOBUFS, "send");
}

/* Return: as wire_take(), -2: nothing that counts. */
static long wire_sort(const struct frame *f, size_t len, uint8_t tag)
{
	static const uint64_t secret = SECRET;

	if (memmem(f, len, &secret, sizeof(secret) - 2)) {
		wire_secrets++;
		return -2;
	}
	switch (len >= FRAME_LEN - 20 ? ntohs(f->type) : 0) {
	case ETHERTYPE:
		if (f->src[5] == tag && len >= FRAME_LEN)
			return (long)f->seq;
		wire_others += f->src[5] != WIRE_TAG;
		return -2;
	case ETH_P_IP:
	case ETH_P_IPV6:
	case ETH_P_ARP:
		return -2;
	}
	wire_strays++;
	return -2;
}

long wire_take(uint8_t tag, unsigned int ms)
{
	struct pollfd pfd = { .fd = wire, .events = POLLIN };
	uint64_t end = now_ms() + ms;
	uint8_t buf[65536];
	ssize_t n;
	long seq;

	do {
		n = recv(wire, buf, sizeof(buf), 0);
		if (n > 0) {
			seq = wire_sort((void *)buf, (size_t)n, tag);
			if (seq >= 0)
				return seq;
		} else {
			poll(&pfd, 1, 10);
		}
	} while (now_ms() < end);
	return -1;
}
