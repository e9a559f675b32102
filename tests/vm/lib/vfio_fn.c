// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function through vfio-pci: open, memory, interrupts, registers. See vfio_fn.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "vfio_fn.h"

static unsigned int tests, failures;

bool ok(bool good, const char *name)
{
	tests++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", tests, name);
	fflush(stdout);
	return good;
}

bool gives(int got, int want, const char *name)
{
	if (ok(got == want, name))
		return true;
	printf("# got %d, wanted %d\n", got, want);
	return false;
}

int done(void)
{
	printf("1..%u\n", tests);
	return failures != 0;
}

bool wait_until(bool (*cond)(void *arg), void *arg, unsigned int ms)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		if (cond(arg))
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((now.tv_sec - start.tv_sec) * 1000 +
		    (now.tv_nsec - start.tv_nsec) / 1000000 >= ms)
			return cond(arg);
		usleep(100);
	}
}

uint64_t fn_seed;

uint64_t rnd(void)
{
	uint64_t z = fn_seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t below(uint64_t n)
{
	return rnd() % n;
}

/* ---- open ---- */

static int fn_failed(const char *what)
{
	int err = errno ? errno : EINVAL;

	fprintf(stderr, "# %s: %s\n", what, strerror(err));
	return -err;
}

static int fn_open_group(struct vfio_fn *fn)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[128], target[PATH_MAX] = "";
	const char *nr;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", fn->name);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		return fn_failed(path);
	nr = strrchr(target, '/');
	snprintf(path, sizeof(path), "/dev/vfio/%.16s", nr ? nr + 1 : target);
	fn->group = open(path, O_RDWR | O_CLOEXEC);
	if (fn->group < 0)
		return fn_failed(path);
	if (ioctl(fn->group, VFIO_GROUP_GET_STATUS, &status))
		return fn_failed("group status");
	return status.flags & VFIO_GROUP_FLAGS_VIABLE ? 0 : -EBUSY;
}

static int fn_open_container(struct vfio_fn *fn)
{
	fn->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (fn->container < 0)
		return fn_failed("/dev/vfio/vfio");
	if (ioctl(fn->group, VFIO_GROUP_SET_CONTAINER, &fn->container))
		return fn_failed("SET_CONTAINER");
	if (ioctl(fn->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return fn_failed("SET_IOMMU TYPE1v2");
	return 0;
}

static int fn_open_regions(struct vfio_fn *fn)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VSP_BAR };
	struct vfio_region_info cfg = { .argsz = sizeof(cfg),
					.index = VFIO_PCI_CONFIG_REGION_INDEX };
	void *p;

	if (ioctl(fn->device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
	    ioctl(fn->device, VFIO_DEVICE_GET_REGION_INFO, &cfg))
		return fn_failed("GET_REGION_INFO");
	if (bar.size != VSP_BAR_SIZE || !(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return -EPROTO;
	fn->bar_at = bar.offset;
	fn->config_at = cfg.offset;
	p = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, fn->device,
		 (off_t)bar.offset);
	if (p == MAP_FAILED)
		return fn_failed("mmap of BAR 4");
	fn->bar = p;
	return 0;
}

int fn_open(struct vfio_fn *fn, const char *name)
{
	unsigned int v;
	int ret;

	memset(fn, 0, sizeof(*fn));
	fn->name = name;
	fn->container = fn->group = fn->device = -1;
	for (v = 0; v < FN_VECTORS; v++)
		fn->irq[v] = -1;
	ret = fn_open_group(fn);
	if (!ret)
		ret = fn_open_container(fn);
	if (ret)
		return ret;
	fn->device = ioctl(fn->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (fn->device < 0)
		return fn_failed("GET_DEVICE_FD");
	ret = fn_open_regions(fn);
	if (ret)
		return ret;
	fn->dma = mmap(NULL, FN_DMA_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fn->dma == MAP_FAILED)
		return fn_failed("memory");
	ret = fn_map(fn, fn->dma, FN_DMA_IOVA, FN_DMA_SIZE,
		     VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE);
	if (ret)
		return ret;
	/* Memory and bus master, as any driver does. */
	return fn_config_write(fn, 4, fn_config_read(fn, 4, 2) | 6, 2);
}

void fn_close(struct vfio_fn *fn)
{
	munmap((void *)(uintptr_t)fn->bar, VSP_BAR_SIZE);
	close(fn->device);
	close(fn->group);
	close(fn->container);
	munmap(fn->dma, FN_DMA_SIZE);
}

int fn_reset(struct vfio_fn *fn)
{
	return ioctl(fn->device, VFIO_DEVICE_RESET) ? -errno : 0;
}

/* ---- memory ---- */

int fn_map(struct vfio_fn *fn, void *va, uint64_t iova, uint64_t len, uint32_t flags)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = flags,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = len,
	};

	return ioctl(fn->container, VFIO_IOMMU_MAP_DMA, &map) ? -errno : 0;
}

int fn_unmap(struct vfio_fn *fn, uint64_t iova, uint64_t len)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = len,
	};

	return ioctl(fn->container, VFIO_IOMMU_UNMAP_DMA, &unmap) ? -errno : 0;
}

/* ---- interrupts ---- */

static int fn_set_irqs(struct vfio_fn *fn, const int *fds, unsigned int nr)
{
	char buf[sizeof(struct vfio_irq_set) + FN_VECTORS * sizeof(int)] = {};
	struct vfio_irq_set *set = (void *)buf;

	set->argsz = sizeof(*set) + nr * sizeof(int);
	set->flags = VFIO_IRQ_SET_ACTION_TRIGGER |
		     (nr ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = VFIO_PCI_MSIX_IRQ_INDEX;
	set->count = nr;
	memcpy(set->data, fds, nr * sizeof(int));
	return ioctl(fn->device, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
}

int fn_irqs_on(struct vfio_fn *fn)
{
	unsigned int v;

	for (v = 0; v < FN_VECTORS; v++)
		if (fn->irq[v] < 0)
			fn->irq[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fn_set_irqs(fn, fn->irq, FN_VECTORS);
}

int fn_irqs_off(struct vfio_fn *fn)
{
	return fn_set_irqs(fn, fn->irq, 0);
}

uint64_t fn_irq_wait(struct vfio_fn *fn, unsigned int vector, int ms)
{
	struct pollfd pfd = { .fd = fn->irq[vector], .events = POLLIN };
	eventfd_t n = 0;

	if (poll(&pfd, 1, ms) == 1 && eventfd_read(pfd.fd, &n))
		return 0;
	return n;
}

/* ---- configuration space ---- */

uint32_t fn_config_read(struct vfio_fn *fn, unsigned int at, unsigned int len)
{
	uint32_t val = 0;

	if (pread(fn->device, &val, len, (off_t)(fn->config_at + at)) != (ssize_t)len)
		return ~0U;
	return val;
}

int fn_config_write(struct vfio_fn *fn, unsigned int at, uint32_t val, unsigned int len)
{
	if (pwrite(fn->device, &val, len, (off_t)(fn->config_at + at)) != (ssize_t)len)
		return -errno;
	return 0;
}
