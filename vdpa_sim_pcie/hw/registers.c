// SPDX-License-Identifier: GPL-2.0-only
/*
 * What BAR 4 shows: registers, statistics and device configuration.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The device's state is in struct vsp_fn; nothing is read back from here. What
 * somebody else writes into these pages is overwritten at the next change.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io-64-nonatomic-lo-hi.h>

#include "vsp.h"

/* A card that was pulled shows all ones, whatever it does with itself. */
static bool regs_are_there(struct vsp_fn *fn)
{
	return READ_ONCE(fn->pci.present);
}

static void reg32(struct vsp_fn *fn, u32 reg, u32 val)
{
	if (regs_are_there(fn))
		writel(val, fn->pci.bar4 + reg);
}

static void reg64(struct vsp_fn *fn, u32 reg, u64 val)
{
	if (regs_are_there(fn))
		writeq(val, fn->pci.bar4 + reg);
}

/* Nothing of the last driver's is left. The MSI-X structures are msix.c's. */
static void regs_clear(struct vsp_fn *fn)
{
	unsigned int q;

	memset_io(fn->pci.bar4, 0, VSP_BAR_MSIX_TABLE);
	memset_io(fn->pci.bar4 + VSP_BAR_DOORBELL(0), 0, VSP_BAR_SIZE - VSP_BAR_DOORBELL(0));
	for (q = 0; q < fn->nr_vqs; q++)
		writel(VSP_DOORBELL_ARMED, fn->pci.bar4 + VSP_BAR_DOORBELL(q));
}

/* The BAR as after power-on. */
void vsp_regs_init(struct vsp_fn *fn)
{
	unsigned int q;

	if (!regs_are_there(fn))
		return;
	regs_clear(fn);

	reg32(fn, VSP_REG_VERSION, VSP_REGS_VERSION);
	reg32(fn, VSP_REG_FN_TYPE, VSP_FN_TYPE_VIRTIO);
	reg32(fn, VSP_REG_LTSSM, VSP_LTSSM_L0);
	reg32(fn, VSP_REG_NR_VQS, fn->nr_vqs);
	reg64(fn, VSP_REG_DEV_FEATURES, fn->device_features);
	reg32(fn, VSP_REG_MAX_VQ_SIZE, VSP_MAX_VQ_SIZE);
	reg32(fn, VSP_REG_CONFIG_SIZE, sizeof(fn->config));
	for (q = 0; q < fn->nr_vqs; q++) {
		reg32(fn, VSP_REG_VQ(q) + VSP_REG_VQ_NOTIFY, VSP_BAR_DOORBELL(q));
		vsp_regs_publish_vq(fn, q);
	}
	vsp_regs_publish(fn);
	vsp_regs_publish_config(fn);
	vsp_stats_publish(fn);
	/* Last: a driver that sees the magic sees the rest. */
	reg32(fn, VSP_REG_MAGIC, VSP_MAGIC);
}

void vsp_regs_publish(struct vsp_fn *fn)
{
	reg32(fn, VSP_REG_STATUS, fn->status);
	reg64(fn, VSP_REG_DRV_FEATURES, fn->driver_features);
	reg32(fn, VSP_REG_CONFIG_VECTOR, fn->config_vector);
	reg32(fn, VSP_REG_RESET_COUNT, fn->reset_count);
	reg32(fn, VSP_REG_LINK, fn->link_up);
	reg32(fn, VSP_REG_LINK_SPEED, fn->link_speed);
	reg32(fn, VSP_REG_ACTIVE_PAIRS, fn->active_pairs);
	reg32(fn, VSP_REG_TRANSLATION, fn->translation);
	reg32(fn, VSP_REG_SUSPENDED, !!(fn->held & VSP_HELD_SUSPEND));
}

void vsp_regs_publish_vq(struct vsp_fn *fn, unsigned int q)
{
	struct vsp_vq *vq = &fn->vq[q];
	u32 base = VSP_REG_VQ(q);

	reg32(fn, base + VSP_REG_VQ_SIZE, vq->size);
	reg32(fn, base + VSP_REG_VQ_VECTOR, vq->vector);
	reg32(fn, base + VSP_REG_VQ_ENABLE, vq->enabled);
	reg64(fn, base + VSP_REG_VQ_DESC, vq->addr[VSP_RING_DESC]);
	reg64(fn, base + VSP_REG_VQ_DRIVER, vq->addr[VSP_RING_DRIVER]);
	reg64(fn, base + VSP_REG_VQ_DEVICE, vq->addr[VSP_RING_DEVICE]);
}

/*
 * The generation is odd while the configuration changes, so that a reader that
 * sees the same even number before and after has read one state.
 */
void vsp_regs_publish_config(struct vsp_fn *fn)
{
	fn->config_gen += 2;
	reg32(fn, VSP_REG_CONFIG_GEN, fn->config_gen - 1);
	if (regs_are_there(fn))
		memcpy_toio(fn->pci.bar4 + VSP_BAR_CONFIG, &fn->config,
			    sizeof(fn->config));
	reg32(fn, VSP_REG_CONFIG_GEN, fn->config_gen);
}

static void stats_publish_vq(struct vsp_fn *fn, struct vsp_vq *vq)
{
	u32 base = VSP_BAR_STATS + VSP_STAT_VQ(vq->index);
	u64 packets = vq->packets, bytes = vq->bytes, drops = vq->drops;
	struct vsp_msix_stats msix = {};
	unsigned long flags;

	spin_lock_irqsave(&fn->kick_lock, flags);
	if (fn->be_page) {
		struct vsp_be_queue *be = &fn->be_page->vq[vq->index];

		packets += READ_ONCE(be->packets);
		bytes += READ_ONCE(be->bytes);
		drops += READ_ONCE(be->drops);
	}
	spin_unlock_irqrestore(&fn->kick_lock, flags);
	vsp_msix_stats(&fn->pci, vq->vector, &msix);

	reg64(fn, base + VSP_STAT_VQ_DOORBELLS, atomic64_read(&vq->doorbells));
	reg64(fn, base + VSP_STAT_VQ_KICKS, atomic64_read(&vq->kicks));
	reg64(fn, base + VSP_STAT_VQ_PACKETS, packets);
	reg64(fn, base + VSP_STAT_VQ_BYTES, bytes);
	reg64(fn, base + VSP_STAT_VQ_DROPS, drops);
	reg64(fn, base + VSP_STAT_VQ_MSIX_SENT, msix.sent);
	reg64(fn, base + VSP_STAT_VQ_MSIX_MERGED, msix.coalesced);
	reg64(fn, base + VSP_STAT_VQ_MSIX_MASKED, msix.masked);
}

static void stats_publish_vector(struct vsp_fn *fn, unsigned int v)
{
	u32 base = VSP_BAR_STATS + VSP_STAT_VECTOR(v);
	struct vsp_msix_stats msix;

	vsp_msix_stats(&fn->pci, v, &msix);
	reg64(fn, base + VSP_STAT_VECTOR_SENT, msix.sent);
	reg64(fn, base + VSP_STAT_VECTOR_MERGED, msix.coalesced);
	reg64(fn, base + VSP_STAT_VECTOR_MASKED, msix.masked);
	reg64(fn, base + VSP_STAT_VECTOR_DROPPED, msix.dropped);
	reg64(fn, base + VSP_STAT_VECTOR_PENDING, msix.pending);
}

void vsp_stats_publish(struct vsp_fn *fn)
{
	unsigned int q, v;

	reg64(fn, VSP_BAR_STATS + VSP_STAT_DMA_FAULTS, atomic64_read(&fn->dma_faults));
	reg64(fn, VSP_BAR_STATS + VSP_STAT_MBOX_COMMANDS, fn->mbox_commands);
	reg64(fn, VSP_BAR_STATS + VSP_STAT_MBOX_ERRORS, fn->mbox_errors);
	reg64(fn, VSP_BAR_STATS + VSP_STAT_BACKENDS_LOST, fn->backends_lost);
	for (q = 0; q < fn->nr_vqs; q++)
		stats_publish_vq(fn, &fn->vq[q]);
	for (v = 0; v < fn->pci.msix.nr_vectors; v++)
		stats_publish_vector(fn, v);
}
