/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vsp_dma_test.ko: a driver for a function of the card that does nothing but DMA.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The function is in platform translation and the card forwards in a loop
 * (vsp_hw forward=loop): what queue 1 sends comes back on queue 0. So the card
 * itself reads one buffer and writes another, by the addresses that the DMA API
 * gave out.
 */
#ifndef DMA_TEST_H
#define DMA_TEST_H

#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/virtio_ring.h>

#include "../../vdpa_sim_pcie/hw/regs.h"
#include "../../vdpa_sim_pcie/hw/vsp_hw.h"

#define TEST_QUEUES	2
#define TEST_RX		0
#define TEST_TX		1
#define TEST_VQ_SIZE	64
#define TEST_MAX_SEGS	16
/* What the card forwards in one piece, without virtio's header. */
#define TEST_MAX_COPY	9000
#define TEST_VECTORS	11

struct test_queue {
	u16 index;
	void *mem;			/* TEST_RING_BYTES, coherent */
	dma_addr_t dma;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 seen;			/* used entries */
};

struct test_vector {
	atomic_t count;
	int virq;			/* 0: not requested */
};

struct test_dev {
	struct pci_dev *pdev;
	struct vsp_fn *fn;
	void __iomem *bar;
	struct mutex lock;		/* one test at a time */
	struct test_queue q[TEST_QUEUES];
	void *hdr;			/* virtio header of each queue */
	dma_addr_t hdr_dma;
	struct test_vector vec[TEST_VECTORS];
	unsigned int nr_vectors;
};

struct test_seg {
	dma_addr_t addr;
	u32 len;
};

/* device.c; process context, negative errno */
int test_mbox(struct test_dev *t, struct vsp_mbox_msg *msg);
int test_mbox_vq(struct test_dev *t, enum vsp_mbox_cmd cmd, u16 index, u32 value);
int test_start(struct test_dev *t);
void test_stop(struct test_dev *t);
int test_alloc(struct test_dev *t);
void test_free(struct test_dev *t);
u64 test_faults(struct test_dev *t);

/* Let the card begin to copy, then wait for it: two halves of test_copy(). */
void test_copy_post(struct test_dev *t, const struct test_seg *dst, unsigned int nr_dst,
		    const struct test_seg *src, unsigned int nr_src);
int test_copy_wait(struct test_dev *t, u32 len);

/**
 * test_copy() - have the card copy from @src to @dst
 *
 * Return: 0; -EFAULT: a DMA fault, and the device is as after test_start();
 * -ETIMEDOUT, -EIO: the card does not do what it should
 */
int test_copy(struct test_dev *t, const struct test_seg *dst, unsigned int nr_dst,
	      const struct test_seg *src, unsigned int nr_src);
int test_copy_one(struct test_dev *t, dma_addr_t dst, dma_addr_t src, u32 len);

/* cases.c, translate.c: the tests */
struct test_case {
	const char *name;
	int (*run)(struct test_dev *t);
};

extern const struct test_case test_cases[], test_translated_cases[];

#define test_err(t, fmt, ...) pci_err((t)->pdev, "dma test: " fmt, ##__VA_ARGS__)

/* A pattern that differs in every word and for every seed. */
void test_fill(void *p, size_t len, u8 seed);
/* Return: 0, or -EBADMSG, and says where. */
int test_verify(struct test_dev *t, const void *p, size_t len, u8 seed);

#endif /* DMA_TEST_H */
