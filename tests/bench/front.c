// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vhost-user front-end (front.h), from the protocol's specification.
 */
#include <errno.h>
#include <linux/vhost_types.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "front.h"

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
	SET_BACKEND_REQ_FD = 21,
	IOTLB_MSG = 22,
};

#define VERSION			0x1u
#define NEED_REPLY		0x8u
#define F_PROTOCOL_FEATURES	(1ull << 30)
#define PROTOCOL_REPLY_ACK	(1ull << 3)
#define PROTOCOL_BACKEND_REQ	(1ull << 5)

struct region {
	uint64_t gpa, size, uaddr, offset;
};

struct msg {
	uint32_t request, flags, size;
	union {
		uint64_t u64;
		struct vhost_vring_state state;
		struct vhost_vring_addr addr;
		struct vhost_iotlb_msg iotlb;
		struct {
			uint32_t nr, padding;
			struct region region;
		} memory;
	} payload;
} __attribute__((packed));

#define HEADER	offsetof(struct msg, payload)

static int front_send(struct front *f, struct msg *m, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = m, .iov_len = HEADER + m->size };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	m->flags |= VERSION;
	if (fd >= 0) {
		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (sendmsg(f->sock, &h, MSG_NOSIGNAL) != (ssize_t)iov.iov_len) {
		fprintf(stderr, "vhost-user request %u: %s\n", m->request, strerror(errno));
		return -1;
	}
	return 0;
}

static int send_u64(struct front *f, enum request request, uint64_t value, int fd)
{
	struct msg m = { .request = request, .size = sizeof(uint64_t), .payload.u64 = value };

	return front_send(f, &m, fd);
}

static int reply_u64(struct front *f, uint64_t *value)
{
	struct msg m;

	if (recv(f->sock, &m, HEADER + sizeof(uint64_t), MSG_WAITALL) !=
	    (ssize_t)(HEADER + sizeof(uint64_t))) {
		fprintf(stderr, "vhost-user: no answer\n");
		return -1;
	}
	memcpy(value, &m.payload.u64, sizeof(*value));
	return 0;
}

static int get_u64(struct front *f, enum request request, uint64_t *value)
{
	struct msg m = { .request = request };

	return front_send(f, &m, -1) ? -1 : reply_u64(f, value);
}

int front_connect(struct front *f, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	f->backend = -1;
	f->sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (f->sock < 0 || connect(f->sock, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(path);
		return -1;
	}
	return 0;
}

/* With an IOTLB: acknowledgements, and a socket for the back-end's questions. */
static int negotiate_iotlb(struct front *f)
{
	uint64_t protocol;
	int pair[2];

	if (get_u64(f, GET_PROTOCOL_FEATURES, &protocol))
		return -1;
	protocol &= PROTOCOL_REPLY_ACK | PROTOCOL_BACKEND_REQ;
	if (send_u64(f, SET_PROTOCOL_FEATURES, protocol, -1) ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	f->backend = pair[0];
	if (send_u64(f, SET_BACKEND_REQ_FD, 0, pair[1]))
		return -1;
	close(pair[1]);
	return 0;
}

uint64_t front_negotiate(struct front *f, uint64_t features)
{
	uint64_t have;

	if (send_u64(f, SET_OWNER, 0, -1) || get_u64(f, GET_FEATURES, &have))
		return 0;
	if (features & (1ull << 33))
		features |= F_PROTOCOL_FEATURES;
	if ((have & features) != features) {
		fprintf(stderr, "vhost-user: features %llx are missing\n",
			(unsigned long long)(features & ~have));
		return 0;
	}
	if ((features & F_PROTOCOL_FEATURES) && negotiate_iotlb(f))
		return 0;
	return send_u64(f, SET_FEATURES, features, -1) ? 0 : features;
}

int front_memory(struct front *f, int fd, void *base, uint64_t size, uint64_t gpa)
{
	struct msg m = {
		.request = SET_MEM_TABLE,
		.size = sizeof(m.payload.memory),
		.payload.memory = {
			.nr = 1,
			.region = { .gpa = gpa, .size = size, .uaddr = (uintptr_t)base },
		},
	};

	return front_send(f, &m, fd);
}

static int send_state(struct front *f, enum request request, uint32_t index, uint32_t num)
{
	struct msg m = {
		.request = request,
		.size = sizeof(m.payload.state),
		.payload.state = { .index = index, .num = num },
	};

	return front_send(f, &m, -1);
}

static int send_event(struct front *f, enum request request, uint32_t index)
{
	int fd = eventfd(0, EFD_NONBLOCK), ret;

	ret = fd < 0 ? -1 : send_u64(f, request, index, fd);
	close(fd);
	return ret;
}

int front_ring(struct front *f, uint32_t index, const struct front_ring *r)
{
	struct msg m = {
		.request = SET_VRING_ADDR,
		.size = sizeof(m.payload.addr),
		.payload.addr = {
			.index = index,
			.desc_user_addr = r->desc,
			.avail_user_addr = r->avail,
			.used_user_addr = r->used,
		},
	};

	if (send_state(f, SET_VRING_NUM, index, r->num) ||
	    send_state(f, SET_VRING_BASE, index, r->base) || front_send(f, &m, -1) ||
	    send_event(f, SET_VRING_CALL, index) || send_event(f, SET_VRING_KICK, index))
		return -1;
	return f->backend < 0 ? 0 : send_state(f, SET_VRING_ENABLE, index, 1);
}

int front_iotlb(struct front *f, uint64_t iova, uint64_t size, void *uaddr)
{
	struct msg m = {
		.request = IOTLB_MSG,
		.flags = NEED_REPLY,
		.size = sizeof(m.payload.iotlb),
		.payload.iotlb = {
			.iova = iova,
			.size = size,
			.uaddr = (uintptr_t)uaddr,
			.perm = VHOST_ACCESS_RW,
			.type = VHOST_IOTLB_UPDATE,
		},
	};
	uint64_t status;

	if (front_send(f, &m, -1) || reply_u64(f, &status))
		return -1;
	return status ? -1 : 0;
}

void front_close(struct front *f)
{
	if (f->sock >= 0)
		close(f->sock);
	if (f->backend >= 0)
		close(f->backend);
	f->sock = f->backend = -1;
}
