// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Back-end side of the vhost-user protocol; vhost_user.h says how much of it.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vhost_user.h"

#define BIT(n)		(UINT64_C(1) << (n))
#define MAX_REGIONS	8
#define VERSION		1
#define REPLY		(1u << 2)
#define HDR_SIZE	12

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
};

struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;			/* bytes of what follows */
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} state;
		struct {
			uint32_t index;
			uint32_t flags;
			uint64_t desc, device, driver, log;
		} addr;
		struct {
			uint32_t nr;
			uint32_t padding;
			struct {
				uint64_t guest_addr, size, user_addr, offset;
			} regions[MAX_REGIONS];
		} memory;
	};
} __attribute__((packed));

static bool is_packed(const struct vhost_user *vu)
{
	return vu->features & BIT(VIRTIO_F_RING_PACKED);
}

static struct vrl_iotlb *table_create(struct vrl_mem *m)
{
	struct vrl_iotlb *t = malloc(vrl_iotlb_size(MAX_REGIONS));

	if (!t || vrl_iotlb_init(t, MAX_REGIONS))
		err(1, "table of memory regions");
	m->tlb = t;
	return t;
}

static void region_add(struct vrl_iotlb *t, uint64_t first, uint64_t size, uintptr_t here)
{
	if (!size || vrl_iotlb_add(t, first, first + size - 1, here, VRL_PERM_R | VRL_PERM_W))
		errx(1, "memory regions overlap, or one is empty");
}

static void set_mem_table(struct vhost_user *vu, const struct message *msg, const int *fds)
{
	if (msg->memory.nr > MAX_REGIONS)
		errx(1, "too many memory regions");
	/* What was mapped before stays so: rings may still lie in it. */
	vrl_iotlb_clear(vu->guest);
	vrl_iotlb_clear(vu->user);
	for (unsigned int i = 0; i < msg->memory.nr; i++) {
		const uint64_t size = msg->memory.regions[i].size;
		const uint64_t offset = msg->memory.regions[i].offset;
		char *p = MAP_FAILED;

		if (size <= SIZE_MAX - offset)
			p = mmap(NULL, offset + size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fds[i], 0);
		if (p == MAP_FAILED)
			err(1, "memory region %u", i);
		close(fds[i]);
		region_add(vu->guest, msg->memory.regions[i].guest_addr, size,
			   (uintptr_t)p + offset);
		region_add(vu->user, msg->memory.regions[i].user_addr, size,
			   (uintptr_t)p + offset);
	}
}

/* What is not memory stays NULL, and vrl_vq_init() says so. */
static void set_vring_addr(struct vhost_user *vu, struct vrl_vq_config *cfg,
			   const struct message *msg)
{
	const uint32_t perm = VRL_PERM_R | VRL_PERM_W, num = cfg->num;
	const uint32_t driver = is_packed(vu) ? 4 : 6 + 2 * num;
	const uint32_t device = is_packed(vu) ? 4 : 6 + 8 * num;

	cfg->desc = vrl_mem_at(&vu->ring_mem, msg->addr.desc, 16 * num, perm);
	cfg->driver = vrl_mem_at(&vu->ring_mem, msg->addr.driver, driver, perm);
	cfg->device = vrl_mem_at(&vu->ring_mem, msg->addr.device, device, perm);
}

static void queue_start(struct vhost_user *vu, struct vhost_user_queue *q)
{
	q->cfg.mem = &vu->mem;
	q->cfg.features =
		(vu->features & BIT(VIRTIO_RING_F_INDIRECT_DESC) ? VRL_F_INDIRECT : 0) |
		(vu->features & BIT(VIRTIO_RING_F_EVENT_IDX) ? VRL_F_EVENT_IDX : 0) |
		(vu->features & BIT(VIRTIO_F_IN_ORDER) ? VRL_F_IN_ORDER : 0) |
		(is_packed(vu) ? VRL_F_PACKED : 0);
	if (vrl_vq_init(&q->vq, &q->cfg))
		errx(1, "queue: %s", vrl_why_str(vrl_vq_why(&q->vq)));
	q->running = true;
}

/* The base is the split ring's one index, or both of the packed ring's (DPDK gives one). */
static uint32_t queue_stop(struct vhost_user *vu, struct vhost_user_queue *q)
{
	struct vrl_vq_state st;

	vrl_vq_get_state(&q->vq, &st);
	vrl_vq_reset(&q->vq);
	q->running = false;
	return st.last_avail | (is_packed(vu) ? (uint32_t)st.used_idx << 16 : 0);
}

static void set_fd(int *fd, int value)
{
	if (*fd >= 0)
		close(*fd);
	*fd = value;
}

/* True if @msg is now the answer. What needs none is not looked at. */
static bool handle(struct vhost_user *vu, struct message *msg, const int *fds)
{
	struct vhost_user_queue *q = &vu->queues[msg->state.index % VHOST_USER_QUEUES];

	switch (msg->request) {
	case GET_FEATURES:
		msg->u64 = vu->offered;
		return true;
	case SET_FEATURES:
		vu->features = msg->u64;
		break;
	case SET_MEM_TABLE:
		set_mem_table(vu, msg, fds);
		break;
	case SET_VRING_NUM:
		q->cfg.num = msg->state.num;
		break;
	case SET_VRING_ADDR:
		set_vring_addr(vu, &q->cfg, msg);
		break;
	case SET_VRING_BASE:
		/* No chain is in flight when a queue stops here: both are the same. */
		q->cfg.state.last_avail = (uint16_t)msg->state.num;
		q->cfg.state.used_idx = (uint16_t)msg->state.num;
		break;
	case GET_VRING_BASE:
		msg->state.num = queue_stop(vu, q);
		return true;
	case SET_VRING_KICK:
		set_fd(&q->kick, fds[0]);
		queue_start(vu, q);
		break;
	case SET_VRING_CALL:
		set_fd(&q->call, fds[0]);
		break;
	}
	return false;
}

bool vhost_user_serve(struct vhost_user *vu)
{
	char control[CMSG_SPACE(MAX_REGIONS * sizeof(int))];
	int fds[MAX_REGIONS] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	struct message msg = { 0 };
	struct iovec iov = { &msg, HDR_SIZE };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(vu->sock, &mh, MSG_WAITALL);
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);

	if (!n)
		return false;
	if (n != HDR_SIZE || msg.size > sizeof(msg) - HDR_SIZE ||
	    (msg.size && recv(vu->sock, (char *)&msg + HDR_SIZE, msg.size, MSG_WAITALL) !=
			 (ssize_t)msg.size))
		errx(1, "broken message");
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	if (handle(vu, &msg, fds)) {
		msg.flags = VERSION | REPLY;
		msg.size = sizeof(msg.u64);
		if (send(vu->sock, &msg, HDR_SIZE + msg.size, 0) < 0)
			err(1, "answer");
	}
	return true;
}

void vhost_user_accept(struct vhost_user *vu, const char *path, uint64_t offered)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	*vu = (struct vhost_user){ .offered = offered };
	for (unsigned int i = 0; i < VHOST_USER_QUEUES; i++)
		vu->queues[i].kick = vu->queues[i].call = -1;
	vu->guest = table_create(&vu->mem);
	vu->user = table_create(&vu->ring_mem);

	if (strlen(path) >= sizeof(addr.sun_path))
		errx(1, "%s: too long", path);
	memcpy(addr.sun_path, path, strlen(path));
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(listener, 1))
		err(1, "%s", path);
	vu->sock = accept(listener, NULL, NULL);
	if (vu->sock < 0)
		err(1, "accept");
	close(listener);
}
