// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues of a user of vhost_vdpa, as QEMU sets them up: the control queue in an
 * address space of its own, doorbell pages, suspend and where the queues stand.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   window_vq FUNCTION DEVICE
 *
 * DEVICE is a /dev/vhost-vdpa-N whose control queue is queue 2. The backend that
 * plays along moves no frame. Prints TAP. Run by 90-window.t.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "lib/vdpa_user.h"

#define NUM		64U
#define NUM_MAX		1024U
#define CVQ		2U
#define IOVA		0x10000000ULL
#define CVQ_IOVA	0x20000000ULL	/* in address space 1 alone */
#define RING_SPACE	0x10000U	/* for one of NUM_MAX entries */

static struct backend be;
static struct user user;
static uint8_t *mem, *ctrl_mem;
static struct vring ctrl;
static int ctrl_kick, call, config_call;

static int vhost(unsigned long request, void *arg)
{
	return ioctl(user.fd, request, arg) ? -errno : 0;
}

static uint8_t *mem_new(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	need(p != MAP_FAILED, "mmap");
	return p;
}

/* ---- queues ---- */

static void queue_setup(unsigned int index, unsigned int num, uint64_t iova, int kick)
{
	struct vhost_vring_state n = { .index = index, .num = num };
	struct vhost_vring_addr addr = { .index = index };
	struct vhost_vring_file file = { .index = index, .fd = kick };
	struct vring v;

	vring_init(&v, num, (void *)(uintptr_t)iova, 4096);
	addr.desc_user_addr = (uintptr_t)v.desc;
	addr.avail_user_addr = (uintptr_t)v.avail;
	addr.used_user_addr = (uintptr_t)v.used;
	need(!vhost(VHOST_SET_VRING_NUM, &n), "VHOST_SET_VRING_NUM");
	need(!vhost(VHOST_SET_VRING_ADDR, &addr), "VHOST_SET_VRING_ADDR");
	need(!vhost(VHOST_SET_VRING_KICK, &file), "VHOST_SET_VRING_KICK");
	file.fd = call;
	need(!vhost(VHOST_SET_VRING_CALL, &file), "VHOST_SET_VRING_CALL");
}

static int queue_enable(unsigned int index)
{
	struct vhost_vring_state on = { .index = index, .num = 1 };

	return vhost(VHOST_VDPA_SET_VRING_ENABLE, &on);
}

static long queue_base(unsigned int index)
{
	struct vhost_vring_state s = { .index = index };
	int ret = vhost(VHOST_GET_VRING_BASE, &s);

	return ret ? ret : (long)s.num;
}

static unsigned int group_of(unsigned int index)
{
	struct vhost_vring_state s = { .index = index };

	need(!vhost(VHOST_VDPA_GET_VRING_GROUP, &s), "VHOST_VDPA_GET_VRING_GROUP");
	return s.num;
}

/* ---- the control queue ---- */

/* A command to set the MAC address; the kick is the caller's. */
static void ctrl_post(uint8_t last)
{
	struct virtio_net_ctrl_hdr hdr = {
		.class = VIRTIO_NET_CTRL_MAC, .cmd = VIRTIO_NET_CTRL_MAC_ADDR_SET,
	};
	uint8_t *buf = ctrl_mem + RING_SPACE;
	uint8_t mac[6] = { 2, 0, 0, 0, 0, last };
	uint64_t at = CVQ_IOVA + RING_SPACE;

	memcpy(buf, &hdr, sizeof(hdr));
	memcpy(buf + sizeof(hdr), mac, sizeof(mac));
	buf[64] = 0xee;
	ctrl.desc[0] = (struct vring_desc) { at, sizeof(hdr) + sizeof(mac), 1, 1 };
	ctrl.desc[1] = (struct vring_desc) { at + 64, 1, VRING_DESC_F_WRITE, 0 };
	ctrl.avail->ring[ctrl.avail->idx % NUM] = 0;
	__atomic_store_n(&ctrl.avail->idx, ctrl.avail->idx + 1, __ATOMIC_RELEASE);
}

/* Return: the answer, or 0xee when none came. */
static uint8_t ctrl_answer(void)
{
	unsigned int i;

	for (i = 0; i < 1000; i++) {
		if (__atomic_load_n(&ctrl.used->idx, __ATOMIC_ACQUIRE) == ctrl.avail->idx)
			return *(volatile uint8_t *)(ctrl_mem + RING_SPACE + 64);
		usleep(10000);
	}
	return 0xee;
}

static uint8_t mac_last(void)
{
	struct {
		struct vhost_vdpa_config c;
		uint8_t buf[6];
	} config = { .c = { .off = 0, .len = 6 } };

	need(!vhost(VHOST_VDPA_GET_CONFIG, &config), "VHOST_VDPA_GET_CONFIG");
	return config.c.buf[5];
}

static void test_ctrl(void)
{
	volatile uint32_t *bell;
	uint64_t one = 1;

	ctrl_post(1);
	need(write(ctrl_kick, &one, sizeof(one)) == sizeof(one), "kick");
	is(ctrl_answer(), VIRTIO_NET_OK, "the control queue works in address space 1");
	is(mac_last(), 1, "as the configuration shows");
	bell = mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, user.fd, CVQ * PAGE);
	if (!ok(bell != MAP_FAILED, "its doorbell can be mapped"))
		return;
	/* Twice: the card may look once more after a kick, and find the first one so. */
	ctrl_post(4);
	*bell = CVQ;
	is(ctrl_answer(), VIRTIO_NET_OK, "and rung without a system call");
	ctrl_post(2);
	*bell = CVQ;
	is(ctrl_answer(), VIRTIO_NET_OK, "as often as one likes");
	is(mac_last(), 2, "with the same effect");
	ok(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, user.fd, 9 * PAGE) == MAP_FAILED,
	   "a queue that is not there has no doorbell");
}

/* ---- setting up ---- */

static void negotiate(void)
{
	struct vhost_vring_state group = { .index = 1, .num = 1 };
	static const uint64_t wanted = 1ULL << VHOST_BACKEND_F_IOTLB_ASID |
		1ULL << VHOST_BACKEND_F_SUSPEND | 1ULL << VHOST_BACKEND_F_RESUME |
		1ULL << VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK |
		1ULL << VHOST_BACKEND_F_IOTLB_PERSIST;
	uint64_t features = 0;

	need(!vhost(VHOST_GET_BACKEND_FEATURES, &features), "VHOST_GET_BACKEND_FEATURES");
	is(wanted & ~features, 0,
	   "address spaces, suspend, resume, late enable, maps that persist");
	user_map_as(&user, 1, CVQ_IOVA, ctrl_mem, 2 * RING_SPACE, VHOST_ACCESS_RW);
	user_map(&user, IOVA, mem, 4 * RING_SPACE, VHOST_ACCESS_RW);
	need(!vhost(VHOST_GET_FEATURES, &features), "VHOST_GET_FEATURES");
	features &= 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
		    1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_CTRL_VQ |
		    1ULL << VIRTIO_NET_F_STATUS | 1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR;
	need(!vhost(VHOST_SET_FEATURES, &features), "VHOST_SET_FEATURES");
	ok(group_of(0) == 0 && group_of(1) == 0 && group_of(CVQ) == 1,
	   "the control queue is a group of its own");
	is(vhost(VHOST_VDPA_SET_GROUP_ASID, &group), 0, "which goes to address space 1");
	group.num = 2;
	ok(vhost(VHOST_VDPA_SET_GROUP_ASID, &group) < 0, "but not to a third one");
}

static void start(void)
{
	uint8_t status = VIRTIO_CONFIG_S_FEATURES_OK;
	uint16_t max = 0;

	need(!vhost(VHOST_VDPA_SET_STATUS, &status), "FEATURES_OK");
	need(!vhost(VHOST_VDPA_GET_VRING_NUM, &max), "VHOST_VDPA_GET_VRING_NUM");
	ok(max >= NUM_MAX, "queues may have 1024 entries");
	vring_init(&ctrl, NUM, ctrl_mem, 4096);
	queue_setup(0, NUM_MAX, IOVA, eventfd(0, EFD_NONBLOCK));
	queue_setup(1, NUM_MAX, IOVA + RING_SPACE, eventfd(0, EFD_NONBLOCK));
	queue_setup(CVQ, NUM, CVQ_IOVA, ctrl_kick);
	need(!vhost(VHOST_VDPA_SET_CONFIG_CALL, &config_call), "VHOST_VDPA_SET_CONFIG_CALL");
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	need(!vhost(VHOST_VDPA_SET_STATUS, &status), "DRIVER_OK");
	ok(!queue_enable(CVQ) && !queue_enable(0) && !queue_enable(1),
	   "queues are enabled after DRIVER_OK");
	need(!vhost(VHOST_VDPA_GET_STATUS, &status), "VHOST_VDPA_GET_STATUS");
	is(status, VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK,
	   "with the status words that QEMU writes");
}

/* ---- what the backend does to them ---- */

static void test_backend(void)
{
	struct vsp_link link = { .up = 1, .speed_mbps = 10000 };
	struct vsp_vq_state vq = { .index = 1 };
	struct pollfd pfd = { .fd = config_call, .events = POLLIN };
	struct vsp_raise raise = {};
	uint64_t n;

	need(!ioctl(be.fd, VSP_IOC_SET_LINK, &link), "VSP_IOC_SET_LINK");
	is(poll(&pfd, 1, 10000), 1, "a change of the configuration is an interrupt");
	need(!ioctl(be.fd, VSP_IOC_GET_VQ, &vq), "VSP_IOC_GET_VQ");
	ok(vq.ready && vq.size == NUM_MAX && vq.desc == IOVA + RING_SPACE,
	   "the backend is told where the rings are");
	is(*(volatile uint16_t *)(be.window[0] + vq.driver + 2), 0, "and reads them in the window");
	pfd.fd = call;
	if (read(call, &n, sizeof(n)) < 0)
		n = 0;
	raise.vectors = 1ULL << vq.vector;
	need(!ioctl(be.fd, VSP_IOC_RAISE, &raise), "VSP_IOC_RAISE");
	is(poll(&pfd, 1, 10000), 1, "its interrupt reaches the user");
	/* The used index, as if seven chains had been completed. */
	*(volatile uint16_t *)(be.window[0] + vq.device + 2) = 7;
}

static void test_suspend(void)
{
	struct vhost_vring_state group = { .index = 0, .num = 1 };
	unsigned int seen = be.events[VSP_EVENT_SUSPEND];
	uint64_t one = 1;

	is(vhost(VHOST_VDPA_SUSPEND, NULL), 0, "the device can be suspended");
	ok(be.events[VSP_EVENT_SUSPEND] == seen + 1, "not before the backend has stopped");
	is(queue_base(1), 7, "a queue is where the backend left it");
	ok(vhost(VHOST_VDPA_SET_GROUP_ASID, &group) < 0, "a group of queues that run stays where it is");
	is(queue_base(CVQ), 3, "the control queue where the kernel did");
	ctrl_post(3);
	need(write(ctrl_kick, &one, sizeof(one)) == sizeof(one), "kick");
	is(be_copy(&be, IOVA, VSP_COPY_FROM_DRIVER), -EAGAIN, "nothing is copied meanwhile");
	is(mac_last(), 2, "nor is a command obeyed");
	is(vhost(VHOST_VDPA_RESUME, NULL), 0, "it can be resumed");
	is(ctrl_answer(), VIRTIO_NET_OK, "and takes what has been waiting");
	is(mac_last(), 3, "rightly");
	is(be_copy(&be, IOVA, VSP_COPY_FROM_DRIVER), 0, "copies work");
}

/* A reset leaves the ranges, and puts the control queue back to address space 0. */
static void test_reset(void)
{
	uint8_t status = 0;

	need(!vhost(VHOST_VDPA_SET_STATUS, &status), "reset");
	is(be_counter(&be, "as0.ranges") > 0, 1, "ranges survive a reset");
	is(be_counter(&be, "group1.asid"), 0, "the groups are where they were at first");
	*(volatile uint64_t *)mem = 0x77;
	is(*(volatile uint64_t *)(be.window[0] + IOVA), 0x77, "and can be used");
}

/* Rings that are not mapped, or where the device may not write. */
static void test_bad_rings(void)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	uint64_t faults = be_dma_faults(&be);
	uint8_t status = 0xc;
	struct vsp_vq_state vq = { .index = 0 };

	need(!vhost(VHOST_SET_FEATURES, &features), "VHOST_SET_FEATURES");
	user_map(&user, 0x50000000, mem, RING_SPACE, VHOST_ACCESS_RO);
	queue_setup(0, NUM, 0x40000000, -1);
	queue_setup(1, NUM, 0x50000000, -1);
	need(!vhost(VHOST_VDPA_SET_STATUS, &status), "status");
	queue_enable(0);
	queue_enable(1);
	need(!ioctl(be.fd, VSP_IOC_GET_VQ, &vq), "VSP_IOC_GET_VQ");
	is(vq.ready, 0, "a queue whose rings are not mapped is not enabled");
	vq.index = 1;
	need(!ioctl(be.fd, VSP_IOC_GET_VQ, &vq), "VSP_IOC_GET_VQ");
	is(vq.ready, 0, "nor one in memory to read only");
	ok(be_dma_faults(&be) >= faults + 2, "both are DMA faults");
}

/* A backend that does not answer loses the function, and what it has seen of it. */
static void test_mute(void)
{
	static struct backend next;
	uint64_t start = (uint64_t)time(NULL);
	struct vsp_state st;
	uint8_t status = 0;

	*(volatile uint64_t *)mem = 0x88;
	is(*(volatile uint64_t *)(be.window[0] + IOVA), 0x88, "a backend sees the memory");
	be.mute = true;
	need(!vhost(VHOST_VDPA_SET_STATUS, &status), "reset");
	ok((uint64_t)time(NULL) - start < 30, "a reset waits for its answer, but not for ever");
	ok(ioctl(be.fd, VSP_IOC_GET_STATE, &st) < 0 && errno == ENOTCONN,
	   "without one the function is lost to it");
	ok(be_hidden(&be, IOVA, mem), "and so is the memory");
	ok(be_counter(&be, "as0.ranges") && !be.table[0]->nr, "and what the table said");
	be_open(&next, be.function, true);
	*(volatile uint64_t *)mem = 0x99;
	is(*(volatile uint64_t *)(next.window[0] + IOVA), 0x99, "the next one sees it");
	ok(be_hidden(&be, IOVA, mem), "the one before does not");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "Usage: window_vq FUNCTION DEVICE\n");
		return 2;
	}
	setlinebuf(stdout);
	mem = mem_new(4 * RING_SPACE);
	ctrl_mem = mem_new(2 * RING_SPACE);
	ctrl_kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	config_call = eventfd(0, EFD_NONBLOCK);
	be_open(&be, argv[1], true);
	user_open(&user, argv[2]);
	negotiate();
	start();
	test_ctrl();
	test_backend();
	test_suspend();
	test_reset();
	test_bad_rings();
	test_mute();
	user_close(&user);
	return done();
}
