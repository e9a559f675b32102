// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function through vfio-pci: mailbox, virtqueues. See vfio_fn.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "vfio_fn.h"

#define VQ_AREA		0x1000
#define VQ_SIZE		(3 * VQ_AREA + FN_VQ_NUM * FN_BUF_LEN)

/* ---- mailbox ---- */

bool fn_mbox_is_answered(void *arg)
{
	uint32_t csr = fn_read32(arg, VSP_BAR_MAILBOX_CSR);

	return (csr & (VSP_CSR2_READY | VSP_CSR3_READY)) == VSP_CSR3_READY;
}

static void mbox_copy_in(struct vfio_fn *fn, const struct vsp_mbox_msg *msg)
{
	const uint32_t *src = (const void *)msg;
	unsigned int i;

	for (i = 0; i < sizeof(*msg) / 4; i++)
		fn_write32(fn, VSP_BAR_MAILBOX + 4 * i, src[i]);
}

static void mbox_copy_out(struct vfio_fn *fn, struct vsp_mbox_msg *msg)
{
	uint32_t *dst = (void *)msg;
	unsigned int i;

	for (i = 0; i < sizeof(*msg) / 4; i++)
		dst[i] = fn_read32(fn, VSP_BAR_MAILBOX + 4 * i);
}

int fn_mbox(struct vfio_fn *fn, struct vsp_mbox_msg *msg)
{
	struct timespec a, b;

	mbox_copy_in(fn, msg);
	__sync_synchronize();
	clock_gettime(CLOCK_MONOTONIC, &a);
	fn_write32(fn, VSP_BAR_MAILBOX_CSR, VSP_CSR2_READY | VSP_CSR3_READY);
	if (!wait_until(fn_mbox_is_answered, fn, PATIENCE_MS))
		return -ETIMEDOUT;
	clock_gettime(CLOCK_MONOTONIC, &b);
	fn->mbox_us = (unsigned int)((b.tv_sec - a.tv_sec) * 1000000 +
				     (b.tv_nsec - a.tv_nsec) / 1000);
	__sync_synchronize();
	mbox_copy_out(fn, msg);
	return (int)msg->status;
}

int fn_mbox_set(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint64_t value)
{
	struct vsp_mbox_msg msg = {
		.version = VSP_MBOX_VERSION, .cmd = cmd, .value = value,
	};

	return fn_mbox(fn, &msg);
}

int fn_mbox_get(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint64_t *value)
{
	struct vsp_mbox_msg msg = { .version = VSP_MBOX_VERSION, .cmd = cmd };
	int ret = fn_mbox(fn, &msg);

	*value = msg.value;
	return ret;
}

int fn_mbox_vq(struct vfio_fn *fn, enum vsp_mbox_cmd cmd, uint16_t q, uint32_t *value)
{
	struct vsp_mbox_msg msg = {
		.version = VSP_MBOX_VERSION, .cmd = cmd,
		.vq = { .index = q, .value = *value },
	};
	int ret = fn_mbox(fn, &msg);

	*value = msg.vq.value;
	return ret;
}

uint64_t fn_stat(struct vfio_fn *fn, uint32_t stat)
{
	uint32_t at = VSP_BAR_STATS + stat;

	if (fn_mbox_set(fn, VSP_MBOX_GET_STATS, 0))
		return ~0ULL;
	return fn_read32(fn, at) | (uint64_t)fn_read32(fn, at + 4) << 32;
}

/* ---- set-up ---- */

#define STATUS_SEEN	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)

int fn_negotiate(struct vfio_fn *fn, uint64_t features)
{
	int ret = fn_mbox_set(fn, VSP_MBOX_RESET, 0);

	if (!ret)
		ret = fn_mbox_set(fn, VSP_MBOX_SET_STATUS, STATUS_SEEN);
	if (!ret)
		ret = fn_mbox_set(fn, VSP_MBOX_SET_FEATURES, features |
				  1ULL << VIRTIO_F_VERSION_1 |
				  1ULL << VIRTIO_F_ACCESS_PLATFORM);
	if (!ret)
		ret = fn_mbox_set(fn, VSP_MBOX_SET_STATUS,
				  STATUS_SEEN | VIRTIO_CONFIG_S_FEATURES_OK);
	return ret;
}

int fn_start(struct vfio_fn *fn, struct fn_vq vq[2], uint64_t features)
{
	int ret = fn_negotiate(fn, features);
	unsigned int q;

	for (q = 0; !ret && q < 2; q++) {
		vq_init(fn, &vq[q], q);
		ret = vq_enable(&vq[q]);
	}
	if (!ret)
		ret = fn_mbox_set(fn, VSP_MBOX_SET_STATUS,
				  STATUS_SEEN | VIRTIO_CONFIG_S_FEATURES_OK |
				  VIRTIO_CONFIG_S_DRIVER_OK);
	return ret;
}

bool fn_works(struct vfio_fn *fn)
{
	struct fn_vq vq[2];

	memset(fn->dma, 0, FN_DMA_SIZE);
	return !fn_reset(fn) &&
	       !fn_config_write(fn, 4, fn_config_read(fn, 4, 2) | 6, 2) &&
	       fn_read32(fn, VSP_REG_MAGIC) == VSP_MAGIC && !fn_start(fn, vq, 0) &&
	       !fn_mbox_set(fn, VSP_MBOX_RESET, 0);
}

void vq_init(struct vfio_fn *fn, struct fn_vq *vq, unsigned int index)
{
	uint8_t *at = fn->dma + index * VQ_SIZE;

	memset(at, 0, 3 * VQ_AREA);
	vq->fn = fn;
	vq->index = index;
	vq->iova = FN_DMA_IOVA + index * VQ_SIZE;
	vq->desc = (void *)at;
	vq->avail = (void *)(at + VQ_AREA);
	vq->used = (void *)(at + 2 * VQ_AREA);
	vq->buf = at + 3 * VQ_AREA;
	vq->buf_iova = vq->iova + 3 * VQ_AREA;
	vq->last_used = 0;
}

int vq_enable(struct fn_vq *vq)
{
	struct vsp_mbox_msg addr = {
		.version = VSP_MBOX_VERSION,
		.cmd = VSP_MBOX_SET_VQ_ADDR,
		.vq_addr = {
			.index = (uint16_t)vq->index,
			.desc = vq->iova,
			.driver = vq->iova + VQ_AREA,
			.device = vq->iova + 2 * VQ_AREA,
		},
	};
	uint32_t vector = VSP_VECTOR_VQ0 + vq->index, on = 1, num = FN_VQ_NUM;
	uint16_t q = (uint16_t)vq->index;
	int ret;

	ret = fn_mbox_vq(vq->fn, VSP_MBOX_SET_VQ_SIZE, q, &num);
	if (!ret)
		ret = fn_mbox(vq->fn, &addr);
	if (!ret)
		ret = fn_mbox_vq(vq->fn, VSP_MBOX_SET_VQ_MSIX, q, &vector);
	if (!ret)
		ret = fn_mbox_vq(vq->fn, VSP_MBOX_SET_VQ_ENABLE, q, &on);
	return ret;
}

/* ---- virtqueue ---- */

void vq_post(struct fn_vq *vq, unsigned int slot, uint32_t len, bool device_writes)
{
	uint16_t at = vq->avail->idx;

	vq->desc[slot] = (struct vring_desc){
		.addr = vq->buf_iova + slot * FN_BUF_LEN,
		.len = len,
		.flags = device_writes ? VRING_DESC_F_WRITE : 0,
	};
	vq->avail->ring[at % FN_VQ_NUM] = (uint16_t)slot;
	__atomic_store_n(&vq->avail->idx, (uint16_t)(at + 1), __ATOMIC_RELEASE);
}

void vq_ring(struct fn_vq *vq)
{
	__sync_synchronize();
	fn_write32(vq->fn, VSP_BAR_DOORBELL(vq->index), vq->index);
}

static bool vq_has_used(void *arg)
{
	struct fn_vq *vq = arg;

	return __atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE) != vq->last_used;
}

bool vq_wait_used(struct fn_vq *vq, uint32_t *head, uint32_t *len, unsigned int ms)
{
	const struct vring_used_elem *e;

	if (!wait_until(vq_has_used, vq, ms))
		return false;
	e = (const void *)&vq->used->ring[vq->last_used++ % FN_VQ_NUM];
	*head = e->id;
	*len = e->len;
	return true;
}
