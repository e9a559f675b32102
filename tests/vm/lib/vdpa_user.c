// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of vhost_vdpa and a backend, for the VM tests; see vdpa_user.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vdpa_user.h"

void need(bool good, const char *what)
{
	if (good)
		return;
	printf("# %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- TAP ---- */

static unsigned int tests, failures;

bool ok(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tests, name);
	return good;
}

void is(long long got, long long want, const char *name)
{
	if (!ok(got == want, name))
		printf("# got %lld, wanted %lld\n", got, want);
}

int done(void)
{
	printf("1..%u\n", tests);
	return failures != 0;
}

/* ---- memory ---- */

void mem_fill(void *mem, uint64_t size, uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < size; i += PAGE)
		*(volatile uint64_t *)(mem + i) = seed + i;
}

void *mem_anon(uint64_t size, int advice)
{
	uint8_t *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(p != MAP_FAILED, "mmap");
	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & ~(HUGE - 1));
	need(!madvise(p, size, advice), "madvise");
	return p;
}

/* ---- the user ---- */

void user_open(struct user *u, const char *device)
{
	uint64_t features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			    1ULL << VHOST_BACKEND_F_IOTLB_ASID;

	u->fd = open(device, O_RDWR | O_CLOEXEC);
	need(u->fd >= 0, device);
	need(!ioctl(u->fd, VHOST_SET_OWNER), "VHOST_SET_OWNER");
	need(!ioctl(u->fd, VHOST_SET_BACKEND_FEATURES, &features), "VHOST_SET_BACKEND_FEATURES");
}

void user_start_with(struct user *u, uint64_t more_features)
{
	uint64_t features;
	uint8_t status = VIRTIO_CONFIG_S_FEATURES_OK;

	need(!ioctl(u->fd, VHOST_GET_FEATURES, &features), "VHOST_GET_FEATURES");
	features &= 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
		    1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_MAC |
		    1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR | more_features;
	need(!ioctl(u->fd, VHOST_SET_FEATURES, &features), "VHOST_SET_FEATURES");
	need(!ioctl(u->fd, VHOST_VDPA_SET_STATUS, &status), "FEATURES_OK");
	status |= VIRTIO_CONFIG_S_DRIVER_OK;
	need(!ioctl(u->fd, VHOST_VDPA_SET_STATUS, &status), "DRIVER_OK");
	need(!ioctl(u->fd, VHOST_VDPA_GET_STATUS, &status), "VHOST_VDPA_GET_STATUS");
	need(status == (VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK), "status");
}

void user_close(struct user *u)
{
	need(!close(u->fd), "close");
	u->fd = -1;
}

static int user_message(struct user *u, uint32_t asid, const struct vhost_iotlb_msg *m)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2, .asid = asid, .iotlb = *m };

	if (write(u->fd, &msg, sizeof(msg)) == sizeof(msg))
		return 0;
	return -errno;
}

int user_map_as(struct user *u, uint32_t asid, uint64_t iova, void *mem, uint64_t size,
		uint8_t perm)
{
	struct vhost_iotlb_msg m = {
		.iova = iova, .size = size, .uaddr = (uintptr_t)mem, .perm = perm,
		.type = VHOST_IOTLB_UPDATE,
	};

	return user_message(u, asid, &m);
}

int user_unmap_as(struct user *u, uint32_t asid, uint64_t iova, uint64_t size)
{
	struct vhost_iotlb_msg m = {
		.iova = iova, .size = size, .type = VHOST_IOTLB_INVALIDATE,
	};

	return user_message(u, asid, &m);
}

void user_iova_range(struct user *u, uint64_t *first, uint64_t *last)
{
	struct vhost_vdpa_iova_range range;

	need(!ioctl(u->fd, VHOST_VDPA_GET_IOVA_RANGE, &range), "VHOST_VDPA_GET_IOVA_RANGE");
	*first = range.first;
	*last = range.last;
}

/* ---- the backend ---- */

static void *be_map(struct backend *b, uint64_t len, int prot, uint64_t off)
{
	void *p = mmap(NULL, len, prot, MAP_SHARED | MAP_NORESERVE, b->fd, (off_t)off);

	need(p != MAP_FAILED, "mmap of the character device");
	return p;
}

/* The kernel waits for an answer to some, also while the user calls it. */
static void *be_events(void *arg)
{
	struct backend *b = arg;
	struct vsp_event ev;
	struct vsp_ack ack;

	while (read(b->fd, &ev, sizeof(ev)) == sizeof(ev)) {
		if (ev.type < sizeof(b->events) / sizeof(b->events[0]))
			__atomic_fetch_add(&b->events[ev.type], 1, __ATOMIC_RELEASE);
		ack.seq = ev.seq;
		if (!b->mute && ioctl(b->fd, VSP_IOC_ACK, &ack))
			break;
	}
	return NULL;
}

void be_open(struct backend *b, const char *function, bool windows)
{
	char path[64];
	unsigned int i;

	snprintf(path, sizeof(path), "/dev/vsp/%s", function);
	b->function = function;
	b->fd = open(path, O_RDWR | O_CLOEXEC);
	need(b->fd >= 0, path);
	b->attach = (struct vsp_attach) {
		.version = VSP_CONTRACT_VERSION,
		.backend_features = windows ? VSP_BE_F_WINDOW : 0,
	};
	need(!ioctl(b->fd, VSP_IOC_ATTACH, &b->attach), "VSP_IOC_ATTACH");
	b->window_size = b->attach.window_size;
	b->ctl = be_map(b, PAGE, PROT_READ, VSP_MMAP_CTL);
	for (i = 0; windows && i < 2; i++) {
		b->table[i] = be_map(b, VSP_MMAP_IOTLB_SIZE, PROT_READ, VSP_MMAP_IOTLB(i));
		b->window[i] = be_map(b, b->window_size, PROT_READ | PROT_WRITE,
				      VSP_MMAP_WINDOW(i));
	}
	need(!pthread_create(&b->thread, NULL, be_events, b), "pthread_create");
}

static uint64_t file_number(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	char line[128];
	size_t n = strlen(name);
	uint64_t v = 0;

	need(f, path);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			v = strtoull(line + n + 1, NULL, 0);
	fclose(f);
	return v;
}

uint64_t be_counter(struct backend *b, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/vsp/%s/window", b->function);
	return file_number(path, name);
}

uint64_t be_dma_faults(struct backend *b)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/kernel/debug/vsp/%s/window", b->function);
	return file_number(path, "dma_faults");
}

uint64_t user_pinned_kib(void)
{
	return file_number("/proc/self/status", "VmPin");
}

uint64_t be_memory_kib(void)
{
	return file_number("/proc/self/status", "VmPTE");
}

bool be_hidden(struct backend *b, uint64_t iova, void *mem)
{
	static uint64_t secret = 0x1234000000000000;
	volatile uint64_t *at = (volatile uint64_t *)(b->window[0] + iova), *word = mem;
	bool unseen;

	*word = ++secret;
	unseen = *at != secret;
	*at = 42;
	return unseen && *word == secret;
}

int be_copy(struct backend *b, uint64_t iova, unsigned int dir)
{
	struct vsp_copy_seg seg = {
		.iova = iova, .addr = (uintptr_t)&b->copied, .len = sizeof(b->copied),
		.dir = (uint16_t)dir,
	};
	struct vsp_copy copy = { .segs = (uintptr_t)&seg, .nr_segs = 1 };
	int ret = ioctl(b->fd, VSP_IOC_COPY, &copy);

	return ret < 0 ? -errno : ret;
}

int be_wait_event(struct backend *b, unsigned int type, unsigned int seen)
{
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		if (b->events[type] != seen)
			return 0;
		usleep(10000);
	}
	return -1;
}
