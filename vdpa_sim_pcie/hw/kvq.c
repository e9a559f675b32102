// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtqueues that the kernel itself serves, with vringh-lib.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Rings are kernel memory; buffers and indirect tables are DMA like
 * any access of the device.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/slab.h>
#include <linux/virtio_ring.h>

#include "dma.h"
#include "vsp.h"

/* Tables of 16 bytes per descriptor are read to this many entries. */
struct vsp_kburst *vsp_kburst_create(unsigned int chains, unsigned int segs, u32 group)
{
	struct vsp_kburst *kb = kzalloc(sizeof(*kb), GFP_KERNEL);

	if (!kb)
		return NULL;
	kb->group = group;
	kb->chains = kvcalloc(chains, sizeof(*kb->chains), GFP_KERNEL);
	kb->segs = kvcalloc(segs, sizeof(*kb->segs), GFP_KERNEL);
	kb->b.fetches = kvcalloc(chains, sizeof(*kb->b.fetches), GFP_KERNEL);
	kb->b.table = kvcalloc(segs, sizeof(*kb->b.table), GFP_KERNEL);
	kb->b.chains = kb->chains;
	kb->b.segs = kb->segs;
	kb->b.max_chains = chains;
	kb->b.max_segs = segs;
	kb->b.max_table = segs;
	if (!kb->chains || !kb->segs || !kb->b.fetches || !kb->b.table) {
		vsp_kburst_destroy(kb);
		return NULL;
	}
	return kb;
}

void vsp_kburst_destroy(struct vsp_kburst *kb)
{
	if (!kb)
		return;
	kvfree(kb->b.table);
	kvfree(kb->b.fetches);
	kvfree(kb->segs);
	kvfree(kb->chains);
	kfree(kb);
}

static int kvq_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct vsp_kvq *kvq = opaque;
	unsigned int i;

	for (i = 0; i < nr; i++)
		reqs[i].err = vsp_dma_access(kvq->fn, kvq->group, reqs[i].iova, reqs[i].dst,
					     reqs[i].len, false);
	return 0;
}

/* fn->lock held, the queue is enabled. */
int vsp_kvq_init(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq)
{
	struct vsp_vq *vq = &fn->vq[q];
	struct vrl_vq_config cfg = {
		.desc = vsp_vq_area(vq, VSP_RING_DESC),
		.driver = vsp_vq_area(vq, VSP_RING_DRIVER),
		.device = vsp_vq_area(vq, VSP_RING_DEVICE),
		.num = vq->size,
		.opaque = kvq,
	};

	kvq->fn = fn;
	kvq->group = vsp_vq_group(fn, q);

	if (vsp_dev_has(fn, VIRTIO_RING_F_INDIRECT_DESC)) {
		cfg.features |= VRL_F_INDIRECT;
		cfg.fetch = kvq_fetch;
	}
	if (vsp_dev_has(fn, VIRTIO_RING_F_EVENT_IDX))
		cfg.features |= VRL_F_EVENT_IDX;
	vsp_vq_indices(vq, &cfg.state.last_avail, &cfg.state.used_idx);
	return vrl_vq_init(&kvq->vrl, &cfg);
}

/*
 * Read the device-readable part of a chain. Return: bytes read; -EMSGSIZE: more
 * than @size; -EFAULT: DMA fault.
 */
int vsp_kvq_read(struct vsp_fn *fn, const struct vsp_kburst *kb,
		 const struct vrl_chain *c, void *buf, size_t size)
{
	const struct vrl_seg *seg = &kb->segs[c->seg];
	unsigned int i;
	int ret;

	if (c->flags & VRL_CHAIN_FAULT)
		return -EFAULT;
	if (c->out_len > size)
		return -EMSGSIZE;
	for (i = 0; i < c->nr_out; i++, seg++) {
		ret = vsp_dma_access(fn, kb->group, seg->iova, buf, seg->len, false);
		if (ret)
			return ret;
		buf += seg->len;
	}
	return c->out_len;
}

/* Fill the device-writable part of a chain from its start. */
int vsp_kvq_write(struct vsp_fn *fn, const struct vsp_kburst *kb,
		  const struct vrl_chain *c, const void *buf, size_t len)
{
	const struct vrl_seg *seg = &kb->segs[c->seg + c->nr_out];
	unsigned int i;
	size_t n;
	int ret;

	if (c->flags & VRL_CHAIN_FAULT)
		return -EFAULT;
	for (i = 0; i < c->nr_in && len; i++, seg++) {
		n = min_t(size_t, len, seg->len);
		ret = vsp_dma_access(fn, kb->group, seg->iova, (void *)buf, n, true);
		if (ret)
			return ret;
		buf += n;
		len -= n;
	}
	return len ? -ENOBUFS : 0;
}

/* Give chains back, with an interrupt if the driver wants one. */
void vsp_kvq_push(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq,
		  const struct vrl_used_elem *used, unsigned int n)
{
	vrl_vq_push_burst(&kvq->vrl, used, n);
	if (vrl_vq_needs_call(&kvq->vrl))
		vsp_msix_raise(&fn->pci, READ_ONCE(fn->vq[q].vector));
}
