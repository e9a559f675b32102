// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver in user space, and a backend, that mean no good.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   vfio_hostile bar FUNCTION SECONDS [SEED]     ones and noise over all of BAR 4
 *   vfio_hostile config FUNCTION SECONDS [SEED]  likewise configuration space
 *   vfio_hostile rings FUNCTION SECONDS [SEED]   rings full of lies (forward=loop)
 *   vfio_hostile unmap FUNCTION                  memory taken away in mid-flight
 *   vfio_hostile storm FUNCTION                  an interrupt that raises itself
 *   vfio_hostile backend FUNCTION SECONDS [SEED] random calls on /dev/vsp
 *
 * Each ends with a reset and a function that works. Prints TAP; 75-hostile.t looks
 * at what happened to the others meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/vfio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "../../vdpa_sim_pcie/uapi/vdpa_sim_pcie.h"
#include "lib/vfio_fn.h"

#define CFG_SIZE	4096
#define RO_IOVA		0x20000000ULL	/* a page that the device may only read */

static bool works_again(struct vfio_fn *fn)
{
	return ok(fn_works(fn), "after a reset the function works");
}

static void report(unsigned long n, const char *what)
{
	printf("# %lu %s\n", n, what);
}

/* ---- registers ---- */

static void run_bar(struct vfio_fn *fn, time_t end)
{
	unsigned long rounds = 0;
	uint32_t at;

	fn_irqs_on(fn);
	do {
		for (at = 0; at < VSP_BAR_SIZE; at += 4)
			fn_write32(fn, at, ~0U);
		for (at = 0; at < VSP_BAR_SIZE; at += 4)
			fn_write32(fn, at, (uint32_t)rnd());
		/* Queues that are there have doorbells that are looked at. */
		if (rounds % 4 == 0)
			fn_works(fn);
		rounds++;
	} while (time(NULL) < end);
	report(rounds, "times over BAR 4");
	ok(rounds > 0, "ones and noise over all of BAR 4");
	works_again(fn);
}

/* By vfio, which lets some of it through, and by the kernel's file, which all. */
static void run_config(struct vfio_fn *fn, time_t end)
{
	char path[96];
	uint8_t saved[CFG_SIZE];
	unsigned long rounds = 0;
	unsigned int at;
	uint32_t val;
	int raw;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", fn->name);
	raw = open(path, O_RDWR | O_CLOEXEC);
	if (!ok(raw >= 0 && pread(raw, saved, CFG_SIZE, 0) == CFG_SIZE,
		"configuration space is 4 KiB"))
		return;
	do {
		for (at = 0; at < CFG_SIZE; at += 4) {
			val = rounds & 1 ? (uint32_t)rnd() : ~0U;
			fn_config_write(fn, at, val, 4);
			if (pwrite(raw, &val, 4, at) != 4)
				break;
		}
		rounds++;
	} while (at == CFG_SIZE && time(NULL) < end);
	report(rounds, "times over configuration space");
	ok(at == CFG_SIZE && rounds > 1, "ones and noise over all of configuration space");
	/* Not a reset's work: what the kernel thinks that the registers hold. */
	for (at = 0; at < CFG_SIZE; at += 4)
		if (pwrite(raw, saved + at, 4, at) != 4)
			break;
	close(raw);
	works_again(fn);
}

/* ---- rings ---- */

static uint64_t bad_address(void)
{
	static const uint64_t where[] = {
		0, 0xfff, 0xfee00000, RO_IOVA, RO_IOVA + 4090, FN_DMA_IOVA - 8,
		FN_DMA_IOVA + FN_DMA_SIZE - 8, 1ULL << 40, 1ULL << 48, 1ULL << 63, ~0ULL,
		~0ULL - 4095, 0xffff888000000000ULL,
	};

	if (below(3))
		return FN_DMA_IOVA + below(FN_DMA_SIZE);
	return where[below(sizeof(where) / sizeof(*where))];
}

static void bad_desc(struct vring_desc *d)
{
	*d = (struct vring_desc){
		.addr = bad_address(),
		.len = below(4) ? (uint32_t)below(4096) : (uint32_t)rnd(),
		.flags = below(16) ? (uint16_t)below(8) : (uint16_t)rnd(),
		.next = (uint16_t)(below(16) ? below(FN_VQ_NUM) : rnd()),
	};
}

static void bad_rings(struct fn_vq vq[2])
{
	unsigned int q, i;

	for (q = 0; q < 2; q++) {
		for (i = 0; i < FN_VQ_NUM; i++)
			bad_desc(&vq[q].desc[i]);
		for (i = 0; i < FN_VQ_NUM; i++)
			vq[q].avail->ring[i] = (uint16_t)(below(32) ? below(FN_VQ_NUM) : rnd());
		/* Mostly jumps that fit into the ring until the next start, however slow. */
		__atomic_fetch_add(&vq[q].avail->idx,
				   (uint16_t)(below(16) ? below(8) : rnd()),
				   __ATOMIC_RELEASE);
		if (!below(8))
			vq[q].used->idx = (uint16_t)rnd();
		vq_ring(&vq[q]);
	}
}

static void run_rings(struct vfio_fn *fn, time_t end)
{
	uint64_t features = 1ULL << VIRTIO_RING_F_INDIRECT_DESC |
			    1ULL << VIRTIO_RING_F_EVENT_IDX | 1ULL << VIRTIO_NET_F_MRG_RXBUF;
	unsigned long rounds = 0, broken = 0;
	struct fn_vq vq[2];
	bool good = true, seen = false;
	void *ro;

	ro = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(!fn_map(fn, ro, RO_IOVA, 4096, VFIO_DMA_MAP_FLAG_READ), "a page to read only");
	memset(ro, 0x5a, 4096);
	fn_irqs_on(fn);
	/* On a slow machine until what is looked for below has happened. */
	for (; good && (time(NULL) < end || (time(NULL) < end + 60 && !seen)); rounds++) {
		if (rounds % 8 == 0)
			good = !fn_start(fn, vq, below(4) ? features : 0);
		bad_rings(vq);
		usleep(1000);
		broken += !!(fn_read32(fn, VSP_REG_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
		seen = broken && fn_stat(fn, VSP_STAT_DMA_FAULTS) > 0;
	}
	report(rounds, "rounds of bad rings");
	ok(good && rounds > 8, "rings full of lies");
	ok(broken > 0, "the device asked for a reset");
	ok(fn_stat(fn, VSP_STAT_DMA_FAULTS) > 0, "and counted DMA faults");
	for (rounds = 0; rounds < 4096 && ((uint8_t *)ro)[rounds] == 0x5a; rounds++)
		;
	ok(rounds == 4096, "memory that the device may only read is as it was");
	fn_unmap(fn, RO_IOVA, 4096);
	works_again(fn);
}

/* ---- memory taken away ---- */

static uint64_t faults_before;

static bool fault_is_counted(void *arg)
{
	return fn_stat(arg, VSP_STAT_DMA_FAULTS) > faults_before;
}

static bool frame_sent(struct fn_vq vq[2], unsigned int slot)
{
	uint32_t head, len;

	vq_post(&vq[0], slot, FN_BUF_LEN, true);
	vq_post(&vq[1], slot, 1000, false);
	vq_ring(&vq[0]);
	vq_ring(&vq[1]);
	return vq_wait_used(&vq[1], &head, &len, PATIENCE_MS);
}

static bool is_untouched(const struct fn_vq *vq)
{
	unsigned int i;

	for (i = 0; i < FN_VQ_NUM * FN_BUF_LEN && vq->buf[i] == 0xa5; i++)
		;
	return i == FN_VQ_NUM * FN_BUF_LEN;
}

/* The device keeps the pages of rings until the queue is disabled, not buffers. */
static void run_unmap(struct vfio_fn *fn)
{
	const uint32_t rw = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	struct fn_vq vq[2];
	uint32_t off = 0;
	unsigned int i;

	fn_irqs_on(fn);
	ok(!fn_start(fn, vq, 0), "two queues");
	for (i = 0; i < 20 && frame_sent(vq, i); i++)
		;
	ok(i == 20, "20 frames");
	for (; i < 40; i++)
		vq_post(&vq[1], i, 1000, false);
	vq_ring(&vq[1]);
	ok(!fn_unmap(fn, FN_DMA_IOVA, FN_DMA_SIZE), "all memory is unmapped while the queues run");
	memset(vq[0].buf, 0xa5, FN_VQ_NUM * FN_BUF_LEN);
	memset(vq[1].buf, 0xa5, FN_VQ_NUM * FN_BUF_LEN);
	faults_before = fn_stat(fn, VSP_STAT_DMA_FAULTS);
	vq_post(&vq[1], 40, 1000, false);
	vq_ring(&vq[1]);
	ok(wait_until(fault_is_counted, fn, PATIENCE_MS), "frames to send are DMA faults then");
	ok(is_untouched(&vq[0]) && is_untouched(&vq[1]), "the device writes none of it");
	fn_mbox_vq(fn, VSP_MBOX_SET_VQ_ENABLE, 0, &off);
	gives(vq_enable(&vq[0]), -EFAULT, "a queue cannot be enabled there");
	ok(!fn_map(fn, fn->dma, FN_DMA_IOVA, FN_DMA_SIZE, rw), "it is mapped again");
	works_again(fn);
}

/* ---- interrupts and the backend's calls ---- */

static int backend_open(const char *name)
{
	struct vsp_attach a = { .version = VSP_CONTRACT_VERSION };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/vsp/%s", name);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && !ioctl(fd, VSP_IOC_ATTACH, &a) ? fd : -1;
}

/* vfio's handler signals the eventfd, which raises the vector, and so on. */
static void run_storm(struct vfio_fn *fn)
{
	struct vsp_call call = { .vector = VSP_VECTOR_CONFIG };
	int fd = backend_open(fn->name);
	uint64_t sent, sent_then;
	const uint32_t stat = VSP_STAT_VECTOR(VSP_VECTOR_CONFIG) + VSP_STAT_VECTOR_SENT;

	fn_irqs_on(fn);
	call.fd = fn->irq[VSP_VECTOR_CONFIG];
	if (!ok(fd >= 0 && !ioctl(fd, VSP_IOC_SET_CALL, &call), "a vector that raises itself"))
		return;
	sent = fn_stat(fn, stat);
	eventfd_write(call.fd, 1);
	sleep(2);
	sent_then = fn_stat(fn, stat);
	printf("# %llu interrupts in 2 s\n", (unsigned long long)(sent_then - sent));
	ok(sent_then > sent + 10, "goes round, and the machine lives");
	close(fd);
	sent = fn_stat(fn, stat);
	usleep(100000);
	ok(fn_stat(fn, stat) <= sent + 1, "until the session ends");
	works_again(fn);
}

static void random_call(int fd, uint8_t *arg, const int *fds)
{
	unsigned long cmd = _IOC(below(4), VSP_IOC_MAGIC, below(12), below(65));
	static const unsigned long known[] = {
		VSP_IOC_GET_STATE, VSP_IOC_GET_VQ, VSP_IOC_SET_KICK, VSP_IOC_RAISE,
		VSP_IOC_COPY, VSP_IOC_SET_LINK, VSP_IOC_ACK, VSP_IOC_NEEDS_RESET,
		VSP_IOC_SET_CALL, VSP_IOC_ATTACH,
	};
	unsigned int i;

	for (i = 0; i < 64; i++)
		arg[i] = below(3) ? 0 : (uint8_t)rnd();
	if (below(8))
		cmd = known[below(sizeof(known) / sizeof(*known))];
	if (cmd == VSP_IOC_SET_KICK || cmd == VSP_IOC_SET_CALL)
		memcpy(arg, &(uint32_t[4]){ (uint32_t)below(20), (uint32_t)fds[below(3)] }, 16);
	else if (cmd == VSP_IOC_GET_VQ || cmd == VSP_IOC_NEEDS_RESET)
		arg[1] = arg[2] = arg[3] = 0;
	else if (cmd == VSP_IOC_RAISE)
		arg[below(8)] |= 0xff;
	ioctl(fd, cmd, below(16) ? (void *)arg : (void *)(uintptr_t)rnd());
}

static sigjmp_buf no_such_page;

static void on_sigbus(int sig)
{
	(void)sig;
	siglongjmp(no_such_page, 1);
}

/* SIGBUS is an answer, too: areas that the driver alone writes. */
static void random_map(int fd)
{
	uint64_t at = below(2) ? VSP_MMAP_RING(below(20), below(5)) : rnd() & ~0xfffULL;
	size_t len = 4096 * (1 + below(8));
	volatile uint8_t *volatile p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
	if (p == MAP_FAILED)
		return;
	if (!sigsetjmp(no_such_page, 1))
		p[below(4096)] = (uint8_t)rnd();
	munmap((void *)(uintptr_t)p, len);
}

static void run_backend(struct vfio_fn *fn, time_t end)
{
	int fds[3] = { eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), -1, 4711 };
	uint8_t buf[4096] __attribute__((aligned(8)));
	unsigned long calls = 0;
	struct fn_vq vq[2];
	int fd = backend_open(fn->name);

	signal(SIGBUS, on_sigbus);
	ok(fd >= 0, "a backend attaches");
	fn_irqs_on(fn);
	for (; time(NULL) < end; calls++) {
		if (calls % 5000 == 0)
			fn_start(fn, vq, 0);
		if (calls % 7000 == 6999 || fd < 0) {
			close(fd);
			fd = backend_open(fn->name);
		}
		random_call(fd, buf, fds);
		if (!below(64))
			random_map(fd);
		if (!below(64) && read(fd, buf, below(sizeof(buf))) < 0)
			buf[0] = 0;
		if (!below(256))
			eventfd_write(fds[0], 1);
	}
	close(fd);
	report(calls, "calls");
	ok(calls > 1000, "random calls on the character device");
	works_again(fn);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	struct vfio_fn fn;
	time_t end;

	if (argc < 3) {
		fprintf(stderr, "usage: vfio_hostile bar|config|rings|unmap|storm|backend FUNCTION [SECONDS [SEED]]\n");
		return 2;
	}
	end = time(NULL) + (argc > 3 ? atoi(argv[3]) : 5);
	fn_seed = argc > 4 ? strtoull(argv[4], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %#llx\n", (unsigned long long)fn_seed);
	if (!ok(!fn_open(&fn, argv[2]), "the function opens"))
		return done();
	if (!strcmp(mode, "bar"))
		run_bar(&fn, end);
	else if (!strcmp(mode, "config"))
		run_config(&fn, end);
	else if (!strcmp(mode, "rings"))
		run_rings(&fn, end);
	else if (!strcmp(mode, "unmap"))
		run_unmap(&fn);
	else if (!strcmp(mode, "storm"))
		run_storm(&fn);
	else if (!strcmp(mode, "backend"))
		run_backend(&fn, end);
	else
		ok(false, "no such mode");
	fn_close(&fn);
	return done();
}
