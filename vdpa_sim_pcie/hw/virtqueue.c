// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue as the driver sets it up: addresses, size, vector, enable, state.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Who works on the rings is not decided here: the control queue is the
 * kernel's (ctrl_vq.c), the others a backend's (backend.c) or the built-in data
 * path's (forward.c).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/virtio_ring.h>

#include "dma.h"
#include "session.h"
#include "vsp.h"

static struct vsp_vq *vq_find(struct vsp_fn *fn, unsigned int q)
{
	if (q >= fn->nr_vqs)
		return NULL;
	return &fn->vq[array_index_nospec(q, fn->nr_vqs)];
}

void vsp_vq_init(struct vsp_fn *fn, unsigned int q)
{
	struct vsp_vq *vq = &fn->vq[q];

	vq->index = q;
	vq->vector = VSP_NO_VECTOR;
	vq->size = 0;
	vq->enabled = false;
	vq->last_avail = 0;
	memset(vq->addr, 0, sizeof(vq->addr));
}

int vsp_vq_set_addr(struct vsp_fn *fn, unsigned int q, u64 desc, u64 driver,
		    u64 device)
{
	struct vsp_vq *vq = vq_find(fn, q);

	if (!vq)
		return -ENOENT;
	if (!IS_ALIGNED(desc, VRING_DESC_ALIGN_SIZE) ||
	    !IS_ALIGNED(driver, VRING_AVAIL_ALIGN_SIZE) ||
	    !IS_ALIGNED(device, VRING_USED_ALIGN_SIZE))
		return -EINVAL;

	guard(mutex)(&fn->lock);
	if (vq->enabled)
		return -EBUSY;
	vq->addr[VSP_RING_DESC] = desc;
	vq->addr[VSP_RING_DRIVER] = driver;
	vq->addr[VSP_RING_DEVICE] = device;
	vsp_regs_publish_vq(fn, q);
	return 0;
}

int vsp_vq_set_size(struct vsp_fn *fn, unsigned int q, u32 size)
{
	struct vsp_vq *vq = vq_find(fn, q);

	if (!vq)
		return -ENOENT;
	if (!is_power_of_2(size) || size > VSP_MAX_VQ_SIZE)
		return -EINVAL;

	guard(mutex)(&fn->lock);
	if (vq->enabled)
		return -EBUSY;
	vq->size = size;
	vsp_regs_publish_vq(fn, q);
	return 0;
}

int vsp_vq_set_vector(struct vsp_fn *fn, unsigned int q, u32 vector)
{
	struct vsp_vq *vq = vq_find(fn, q);

	if (!vq && q != VSP_MBOX_VQ_CONFIG)
		return -ENOENT;
	if (vector >= fn->pci.card->nr_vectors && vector != VSP_NO_VECTOR)
		return -EINVAL;

	guard(mutex)(&fn->lock);
	if (vq) {
		vq->vector = vector;
		vsp_regs_publish_vq(fn, q);
	} else {
		fn->config_vector = vector;
		vsp_regs_publish(fn);
	}
	return 0;
}

/* Find the pages of the three areas. fn->lock held. */
static int vq_map_rings(struct vsp_fn *fn, struct vsp_vq *vq)
{
	struct vsp_ring_mem *mem[VSP_NR_RING_AREAS] = {};
	unsigned int a;

	for (a = 0; a < VSP_NR_RING_AREAS; a++) {
		mem[a] = vsp_dma_ring_get(fn, vsp_vq_group(fn, vq->index), vq->addr[a],
					  vsp_ring_area_size(vq->size, a),
					  a == VSP_RING_DEVICE);
		if (!mem[a])
			goto err_put;
	}
	/* Not guard(): the label below is in its scope, and would unlock. */
	scoped_guard(mutex, &fn->map_lock)
		memcpy(vq->mem, mem, sizeof(mem));
	return 0;

err_put:
	while (a--)
		vsp_ring_mem_put(mem[a]);
	return -EFAULT;
}

/* This side's address of an area; only while the queue is enabled. */
void *vsp_vq_area(struct vsp_vq *vq, enum vsp_ring_area area)
{
	return vq->mem[area]->va + (vq->addr[area] - vq->mem[area]->iova);
}

/*
 * Where to go on. All users of a data queue complete in order, so what has been
 * used is what has been taken, unless the driver said otherwise.
 */
void vsp_vq_indices(struct vsp_vq *vq, u16 *last_avail, u16 *used_idx)
{
	const struct vring_used *used;

	*last_avail = vq->last_avail;
	*used_idx = vq->last_avail;
	if (!vq->enabled)
		return;
	used = vsp_vq_area(vq, VSP_RING_DEVICE);
	*used_idx = le16_to_cpu((__force __le16)READ_ONCE(used->idx));
	*last_avail = *used_idx;
}

static int vq_enable(struct vsp_fn *fn, struct vsp_vq *vq)
{
	int ret;

	if (vq->enabled)
		return 0;
	if (!vq->size)
		return -EINVAL;
	ret = vq_map_rings(fn, vq);
	if (ret)
		return ret;
	vq->enabled = true;
	vsp_regs_publish_vq(fn, vq->index);
	if (vq->index == fn->ctrl_index)
		vsp_ctrl_start(fn);
	else
		vsp_session_post(fn->session, VSP_EVENT_VQ_ENABLE, vq->index, 0);
	return 0;
}

/* Let go of the rings. fn->lock held; nobody works on the queue any more. */
void vsp_vq_stop(struct vsp_fn *fn, unsigned int q)
{
	struct vsp_vq *vq = &fn->vq[q];
	struct vsp_ring_mem *mem[VSP_NR_RING_AREAS];
	unsigned int a;
	u16 used_idx;

	lockdep_assert_held(&fn->lock);
	if (!vq->enabled)
		return;
	vsp_vq_indices(vq, &vq->last_avail, &used_idx);
	vq->enabled = false;
	vq->stopping = false;
	mutex_lock(&fn->map_lock);
	memcpy(mem, vq->mem, sizeof(mem));
	memset(vq->mem, 0, sizeof(vq->mem));
	vsp_session_zap_queue(fn->session, q);
	mutex_unlock(&fn->map_lock);
	for (a = 0; a < VSP_NR_RING_AREAS; a++)
		vsp_ring_mem_put(mem[a]);
	vsp_regs_publish_vq(fn, q);
}

static void vq_disable(struct vsp_fn *fn, struct vsp_vq *vq)
{
	struct vsp_session *s = NULL;
	u64 seq = 0;

	if (vq->index != fn->ctrl_index) {
		mutex_lock(&fn->lock);
		vq->stopping = true;
		s = vsp_session_get(fn->session);
		seq = vsp_session_post(s, VSP_EVENT_VQ_DISABLE, vq->index, 0);
		mutex_unlock(&fn->lock);
		vsp_forward_stop(fn);
		vsp_session_wait(fn, s, seq);
		vsp_session_put(s);
	}
	mutex_lock(&fn->lock);
	if (vq->index == fn->ctrl_index)
		vsp_ctrl_stop(fn);
	vsp_vq_stop(fn, vq->index);
	mutex_unlock(&fn->lock);
}

int vsp_vq_set_enable(struct vsp_fn *fn, unsigned int q, u32 enable)
{
	struct vsp_vq *vq = vq_find(fn, q);
	int ret = 0;

	if (!vq)
		return -ENOENT;
	if (enable > 1)
		return -EINVAL;
	if (enable) {
		mutex_lock(&fn->lock);
		ret = vq_enable(fn, vq);
		mutex_unlock(&fn->lock);
	} else if (vq->enabled) {
		vq_disable(fn, vq);
	}
	vsp_forward_update(fn);
	return ret;
}

int vsp_vq_get_state(struct vsp_fn *fn, unsigned int q, u32 *last_avail)
{
	struct vsp_vq *vq = vq_find(fn, q);
	u16 avail, used;

	if (!vq)
		return -ENOENT;
	guard(mutex)(&fn->lock);
	vsp_vq_indices(vq, &avail, &used);
	*last_avail = avail;
	return 0;
}

int vsp_vq_set_state(struct vsp_fn *fn, unsigned int q, u32 last_avail)
{
	struct vsp_vq *vq = vq_find(fn, q);

	if (!vq)
		return -ENOENT;
	if (last_avail > U16_MAX)
		return -EINVAL;
	guard(mutex)(&fn->lock);
	if (vq->enabled)
		return -EBUSY;
	vq->last_avail = last_avail;
	return 0;
}
