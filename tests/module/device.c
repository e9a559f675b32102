// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest virtio driver: mailbox, two queues, one chain at a time.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/ktime.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "dma_test.h"

#define TEST_RING_BYTES	8192
#define TEST_USED_AT	4096
#define TEST_HDR	sizeof(struct virtio_net_hdr_v1)
#define TEST_HDR_SPACE	64
#define TEST_WAIT_S	20

#define TEST_FEATURES (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))
#define TEST_STATUS (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
		     VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

int test_mbox(struct test_dev *t, struct vsp_mbox_msg *msg)
{
	void __iomem *window = t->bar + VSP_BAR_MAILBOX;
	void __iomem *csr = t->bar + VSP_BAR_MAILBOX_CSR;

	msg->version = cpu_to_le16(VSP_MBOX_VERSION);
	memcpy_toio(window, msg, sizeof(*msg));
	writel(VSP_CSR2_READY | VSP_CSR3_READY, csr);
	vsp_hw_mailbox_ring(t->fn);
	if ((readl(csr) & (VSP_CSR2_READY | VSP_CSR3_READY)) != VSP_CSR3_READY)
		return -EIO;
	memcpy_fromio(msg, window, sizeof(*msg));
	return (s32)le32_to_cpu(msg->status);
}

static int test_mbox_value(struct test_dev *t, enum vsp_mbox_cmd cmd, u64 value)
{
	struct vsp_mbox_msg msg = {
		.cmd	= cpu_to_le16(cmd),
		.value	= cpu_to_le64(value),
	};

	return test_mbox(t, &msg);
}

int test_mbox_vq(struct test_dev *t, enum vsp_mbox_cmd cmd, u16 index, u32 value)
{
	struct vsp_mbox_msg msg = {
		.cmd		= cpu_to_le16(cmd),
		.vq.index	= cpu_to_le16(index),
		.vq.value	= cpu_to_le32(value),
	};

	return test_mbox(t, &msg);
}

static int queue_start(struct test_dev *t, struct test_queue *q)
{
	struct vsp_mbox_msg msg = {
		.cmd		= cpu_to_le16(VSP_MBOX_SET_VQ_ADDR),
		.vq_addr.index	= cpu_to_le16(q->index),
		.vq_addr.desc	= cpu_to_le64(q->dma),
		.vq_addr.driver	= cpu_to_le64(q->dma + TEST_VQ_SIZE * sizeof(*q->desc)),
		.vq_addr.device	= cpu_to_le64(q->dma + TEST_USED_AT),
	};

	memset(q->mem, 0, TEST_RING_BYTES);
	q->seen = 0;
	return test_mbox(t, &msg) ?:
	       test_mbox_vq(t, VSP_MBOX_SET_VQ_SIZE, q->index, TEST_VQ_SIZE) ?:
	       test_mbox_vq(t, VSP_MBOX_SET_VQ_MSIX, q->index, VSP_VECTOR_VQ0 + q->index) ?:
	       test_mbox_vq(t, VSP_MBOX_SET_VQ_ENABLE, q->index, 1);
}

int test_start(struct test_dev *t)
{
	int err;

	err = test_mbox_value(t, VSP_MBOX_RESET, 0) ?:
	      test_mbox_value(t, VSP_MBOX_SET_TRANSLATION, VSP_TRANSLATE_PLATFORM) ?:
	      test_mbox_value(t, VSP_MBOX_SET_FEATURES, TEST_FEATURES) ?:
	      queue_start(t, &t->q[TEST_RX]) ?:
	      queue_start(t, &t->q[TEST_TX]) ?:
	      test_mbox_value(t, VSP_MBOX_SET_STATUS, TEST_STATUS);
	if (err)
		test_err(t, "the card does not start: %d\n", err);
	return err;
}

void test_stop(struct test_dev *t)
{
	int err = test_mbox_value(t, VSP_MBOX_RESET, 0);

	if (err)
		test_err(t, "the card does not reset: %d\n", err);
}

int test_alloc(struct test_dev *t)
{
	struct device *dev = &t->pdev->dev;
	unsigned int i;

	t->hdr = dma_alloc_coherent(dev, TEST_QUEUES * TEST_HDR_SPACE, &t->hdr_dma, GFP_KERNEL);
	if (!t->hdr)
		return -ENOMEM;
	for (i = 0; i < TEST_QUEUES; i++) {
		struct test_queue *q = &t->q[i];

		q->index = i;
		q->mem = dma_alloc_coherent(dev, TEST_RING_BYTES, &q->dma, GFP_KERNEL);
		if (!q->mem) {
			test_free(t);
			return -ENOMEM;
		}
		q->desc = q->mem;
		q->avail = q->mem + TEST_VQ_SIZE * sizeof(*q->desc);
		q->used = q->mem + TEST_USED_AT;
	}
	return 0;
}

void test_free(struct test_dev *t)
{
	struct device *dev = &t->pdev->dev;
	unsigned int i;

	for (i = 0; i < TEST_QUEUES; i++) {
		if (t->q[i].mem)
			dma_free_coherent(dev, TEST_RING_BYTES, t->q[i].mem, t->q[i].dma);
		t->q[i].mem = NULL;
	}
	if (t->hdr)
		dma_free_coherent(dev, TEST_QUEUES * TEST_HDR_SPACE, t->hdr, t->hdr_dma);
	t->hdr = NULL;
}

/* DMA faults of the function so far. */
u64 test_faults(struct test_dev *t)
{
	if (test_mbox_value(t, VSP_MBOX_GET_STATS, 0))
		return 0;
	return readq(t->bar + VSP_BAR_STATS + VSP_STAT_DMA_FAULTS);
}

/* One chain: virtio's header, then the segments; always descriptors 0 and on. */
static void queue_post(struct test_dev *t, struct test_queue *q, const struct test_seg *seg,
		       unsigned int nr, u16 flags)
{
	u16 idx = le16_to_cpu((__force __le16)q->avail->idx);
	unsigned int i;

	memset(t->hdr + q->index * TEST_HDR_SPACE, 0, TEST_HDR_SPACE);
	for (i = 0; i <= nr; i++) {
		u64 addr = i ? seg[i - 1].addr : t->hdr_dma + q->index * TEST_HDR_SPACE;
		u16 next = i < nr ? VRING_DESC_F_NEXT : 0;

		q->desc[i].addr = (__force __virtio64)cpu_to_le64(addr);
		q->desc[i].len = (__force __virtio32)cpu_to_le32(i ? seg[i - 1].len : TEST_HDR);
		q->desc[i].flags = (__force __virtio16)cpu_to_le16(flags | next);
		q->desc[i].next = (__force __virtio16)cpu_to_le16(i + 1);
	}
	q->avail->ring[idx % TEST_VQ_SIZE] = 0;
	/* The entry before the index that makes it valid. */
	smp_wmb();
	q->avail->idx = (__force __virtio16)cpu_to_le16(idx + 1);
}

static u16 queue_used(struct test_queue *q)
{
	/* The index before the entries that it covers. */
	return le16_to_cpu((__force __le16)smp_load_acquire(&q->used->idx));
}

static bool queue_take(struct test_queue *q, u32 *len)
{
	if (queue_used(q) == q->seen)
		return false;
	*len = le32_to_cpu((__force __le32)q->used->ring[q->seen % TEST_VQ_SIZE].len);
	q->seen++;
	return true;
}

void test_copy_post(struct test_dev *t, const struct test_seg *dst, unsigned int nr_dst,
		    const struct test_seg *src, unsigned int nr_src)
{
	queue_post(t, &t->q[TEST_RX], dst, nr_dst, VRING_DESC_F_WRITE);
	queue_post(t, &t->q[TEST_TX], src, nr_src, 0);
	vsp_hw_doorbell_ring(t->fn, TEST_TX);
}

int test_copy_wait(struct test_dev *t, u32 len)
{
	ktime_t end = ktime_add_us(ktime_get(), TEST_WAIT_S * USEC_PER_SEC);
	u32 used = 0;

	while (queue_used(&t->q[TEST_TX]) == t->q[TEST_TX].seen) {
		if (ktime_after(ktime_get(), end))
			return -ETIMEDOUT;
		usleep_range(50, 200);
	}
	queue_take(&t->q[TEST_TX], &used);
	/* A frame that could not be read leaves the receiver's buffer where it is. */
	if (!queue_take(&t->q[TEST_RX], &used) || !used)
		return test_start(t) ?: -EFAULT;
	return used == TEST_HDR + len ? 0 : -EIO;
}

int test_copy(struct test_dev *t, const struct test_seg *dst, unsigned int nr_dst,
	      const struct test_seg *src, unsigned int nr_src)
{
	unsigned int i;
	u32 len = 0;

	for (i = 0; i < nr_src; i++)
		len += src[i].len;
	test_copy_post(t, dst, nr_dst, src, nr_src);
	return test_copy_wait(t, len);
}

int test_copy_one(struct test_dev *t, dma_addr_t dst, dma_addr_t src, u32 len)
{
	struct test_seg d = { dst, len }, s = { src, len };

	return test_copy(t, &d, 1, &s, 1);
}
