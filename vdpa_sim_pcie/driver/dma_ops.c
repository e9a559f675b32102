// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA operations of the vDPA device, on the card's own IOTLB.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vDPA device is its own DMA device: what virtio_ring allocates and maps for
 * it goes to the card's IOTLB, and the addresses in the rings mean something to
 * this function only. There are no sync operations: the card reads and writes
 * the mapped memory itself, and without any the DMA core skips the calls.
 */
#include <linux/dma-mapping.h>
#include <linux/dma-map-ops.h>
#include <linux/scatterlist.h>

#include "../compat.h"
#include "driver.h"

/* Ring IOVAs are above 2^40. */
static_assert(sizeof(dma_addr_t) == sizeof(u64));
static_assert((u64)DMA_MAPPING_ERROR == VSP_IOVA_ERROR);

static struct vsp_fn *dma_fn(struct device *dev)
{
	return to_vsp_vdpa(dev_to_vdpa(dev))->fn;
}

static u32 dma_perm(enum dma_data_direction dir)
{
	switch (dir) {
	case DMA_TO_DEVICE:
		return VSP_PERM_R;
	case DMA_FROM_DEVICE:
		return VSP_PERM_W;
	case DMA_BIDIRECTIONAL:
		return VSP_PERM_R | VSP_PERM_W;
	default:
		return 0;
	}
}

static void *vsp_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle,
			   gfp_t gfp, unsigned long attrs)
{
	u64 iova;
	void *va;

	va = vsp_hw_ring_alloc(dma_fn(dev), size, &iova, gfp);
	if (va)
		*handle = iova;
	return va;
}

static void vsp_dma_free(struct device *dev, size_t size, void *va, dma_addr_t handle,
			 unsigned long attrs)
{
	vsp_hw_ring_free(dma_fn(dev), handle);
}

static dma_addr_t vsp_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
				   enum dma_data_direction dir, unsigned long attrs)
{
	u32 perm = dma_perm(dir);

	/* The card copies with the CPU: only memory, no registers of others. */
	if (!perm || (attrs & DMA_ATTR_MMIO))
		return DMA_MAPPING_ERROR;
	return vsp_hw_iotlb_map(dma_fn(dev), phys, size, perm);
}

static void vsp_dma_unmap_phys(struct device *dev, dma_addr_t handle, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	vsp_hw_iotlb_unmap(dma_fn(dev), handle);
}

static void vsp_dma_unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
			     enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		vsp_hw_iotlb_unmap(dma_fn(dev), sg_dma_address(sg));
}

static int vsp_dma_map_sg(struct device *dev, struct scatterlist *sgl, int nents,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = vsp_dma_map_phys(dev, sg_phys(sg), sg->length,
						      dir, attrs);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR)
			goto err_unmap;
		sg_dma_len(sg) = sg->length;
	}
	return nents;

err_unmap:
	vsp_dma_unmap_sg(dev, sgl, i, dir, attrs);
	return -ENOMEM;
}

static size_t vsp_dma_max_mapping_size(struct device *dev)
{
	return VSP_IOTLB_MAX_LEN;
}

VSP_DMA_MAP_PAGE(vsp_dma_map_phys)

static const struct dma_map_ops vsp_dma_ops = {
	.alloc			= vsp_dma_alloc,
	.free			= vsp_dma_free,
	VSP_DMA_PHYS_OPS(vsp_dma_map_phys, vsp_dma_unmap_phys),
	.map_sg			= vsp_dma_map_sg,
	.unmap_sg		= vsp_dma_unmap_sg,
	.max_mapping_size	= vsp_dma_max_mapping_size,
};

/**
 * vsp_dma_setup() - choose a vDPA device's DMA device: itself, or its function
 * @vv: device, not registered yet: the core sets the DMA masks when it is, and
 *      looks at the operations then
 *
 * Return: 0, or -EOPNOTSUPP: this kernel has no DMA operations per device, so
 * the rings would hold physical addresses
 */
int vsp_dma_setup(struct vsp_vdpa *vv)
{
	struct device *dev = &vv->vdev.dev;

	if (vv->nic->translation == VSP_TRANSLATE_PLATFORM) {
		vsp_vdpa_set_dma_dev(&vv->vdev, &vv->nic->pdev->dev);
		return 0;
	}
	if (!IS_ENABLED(CONFIG_ARCH_HAS_DMA_OPS)) {
		dev_err(&vv->nic->pdev->dev,
			"this kernel has no DMA operations per device (CONFIG_ARCH_HAS_DMA_OPS)\n");
		return -EOPNOTSUPP;
	}
	set_dma_ops(dev, &vsp_dma_ops);
	vsp_vdpa_set_dma_dev(&vv->vdev, dev);
	return 0;
}
