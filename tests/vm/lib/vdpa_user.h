/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A user of vhost_vdpa and a backend, in a few calls each, for the VM tests.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What cannot fail in a test that is worth going on with ends the program (need).
 */
#ifndef VDPA_USER_H
#define VDPA_USER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <linux/vhost.h>

#include <vrl/iotlb.h>

#include "../../../vdpa_sim_pcie/uapi/vdpa_sim_pcie.h"

#define PAGE	4096ULL
#define HUGE	(2ULL << 20)

struct user {
	int fd;
};

struct backend {
	int fd;
	const char *function;
	uint64_t window_size;
	uint8_t *window[2];
	const volatile struct vsp_ctl_page *ctl;
	const struct vrl_iotlb *table[2];
	struct vsp_attach attach;
	uint64_t copied;	/* by the last be_copy() from the driver */
	pthread_t thread;	/* reads events and acknowledges them */
	volatile bool mute;	/* does not */
	unsigned int events[16];	/* seen, by type */
};

void need(bool good, const char *what);

/* Program-wide TAP. ok() returns @good. */
bool ok(bool good, const char *name);
void is(long long got, long long want, const char *name);
int done(void);		/* prints the plan; the program's exit status */

/* Memory at a multiple of HUGE, with that madvise(). */
void *mem_anon(uint64_t size, int advice);
/* A word at the start of each page: its offset plus @seed. */
void mem_fill(void *mem, uint64_t size, uint64_t seed);

/* Opens, takes ownership, no status is set; asks for address spaces. */
void user_open(struct user *u, const char *device);
/* Features, then DRIVER_OK, with the status words that QEMU writes; no queue. */
void user_start_with(struct user *u, uint64_t more_features);
void user_close(struct user *u);
/* Return: 0 or a negative errno. */
int user_map_as(struct user *u, uint32_t asid, uint64_t iova, void *mem, uint64_t size,
		uint8_t perm);
int user_unmap_as(struct user *u, uint32_t asid, uint64_t iova, uint64_t size);
/* Pinned memory that this process is charged for. */
uint64_t user_pinned_kib(void);
void user_iova_range(struct user *u, uint64_t *first, uint64_t *last);

static inline void user_start(struct user *u)
{
	user_start_with(u, 0);
}

static inline int user_map(struct user *u, uint64_t iova, void *mem, uint64_t size,
			   uint8_t perm)
{
	return user_map_as(u, 0, iova, mem, size, perm);
}

static inline int user_unmap(struct user *u, uint64_t iova, uint64_t size)
{
	return user_unmap_as(u, 0, iova, size);
}

/* Attaches; with @windows, maps both. */
void be_open(struct backend *b, const char *function, bool windows);

/* A number of /sys/kernel/debug/vsp/FUNCTION/window. */
uint64_t be_counter(struct backend *b, const char *name);
uint64_t be_dma_faults(struct backend *b);

/* Page tables and the like of this process, by the kernel's count. */
uint64_t be_memory_kib(void);

/*
 * A word of the user's that the backend must not see, nor change. What it does see
 * may be anything: whatever it has written to such an address before.
 */
bool be_hidden(struct backend *b, uint64_t iova, void *mem);

/* One word by VSP_IOC_COPY. Return: segments that faulted, or a negative errno. */
int be_copy(struct backend *b, uint64_t iova, unsigned int dir);

/* Return: 0 when there were more of that type than @seen, -1: not for a long time. */
int be_wait_event(struct backend *b, unsigned int type, unsigned int seen);

#endif
