// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mailbox: commands of the driver, answered in place.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The handshake is described at VSP_CSR2_READY in regs.h. A message is copied
 * out whole before it is looked at; the driver cannot change it afterwards.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/nospec.h>

#include "dma.h"
#include "trace.h"
#include "vsp.h"

static_assert(sizeof(struct vsp_mbox_msg) <= VSP_BAR_MAILBOX_CSR - VSP_BAR_MAILBOX);
static_assert(offsetof(struct vsp_mbox_msg, value) == 16);

static int mbox_get_pf_resource(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	const struct vsp_card *card = fn->pci.card;

	msg->resource.total_vfs = cpu_to_le32(fn->pci.kind == VSP_PCI_PF ?
					      card->total_vfs : 0);
	msg->resource.nr_vqs = cpu_to_le32(fn->nr_vqs);
	msg->resource.nr_vectors = cpu_to_le32(card->nr_vectors);
	msg->resource.max_vq_size = cpu_to_le32(VSP_MAX_VQ_SIZE);
	return 0;
}

static int mbox_get_status(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	msg->value = cpu_to_le64(fn->status);
	return 0;
}

static int mbox_set_status(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_dev_set_status(fn, le64_to_cpu(msg->value));
}

static int mbox_get_features(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	msg->value = cpu_to_le64(fn->device_features);
	return 0;
}

static int mbox_set_features(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_dev_set_features(fn, le64_to_cpu(msg->value));
}

static int mbox_set_vq_addr(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	const struct vsp_mbox_vq_addr *a = &msg->vq_addr;

	return vsp_vq_set_addr(fn, le16_to_cpu(a->index), le64_to_cpu(a->desc),
			       le64_to_cpu(a->driver), le64_to_cpu(a->device));
}

static int mbox_set_vq_size(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_vq_set_size(fn, le16_to_cpu(msg->vq.index), le32_to_cpu(msg->vq.value));
}

static int mbox_set_vq_msix(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_vq_set_vector(fn, le16_to_cpu(msg->vq.index), le32_to_cpu(msg->vq.value));
}

static int mbox_set_vq_enable(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_vq_set_enable(fn, le16_to_cpu(msg->vq.index), le32_to_cpu(msg->vq.value));
}

static int mbox_get_vq_state(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	u32 value = 0;
	int ret = vsp_vq_get_state(fn, le16_to_cpu(msg->vq.index), &value);

	msg->vq.value = cpu_to_le32(value);
	return ret;
}

static int mbox_set_vq_state(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_vq_set_state(fn, le16_to_cpu(msg->vq.index), le32_to_cpu(msg->vq.value));
}

static int mbox_suspend(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	if (!vsp_dev_driver_ok(fn))
		return -EINVAL;
	vsp_dev_hold(fn, VSP_HELD_SUSPEND);
	return 0;
}

static int mbox_resume(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	vsp_dev_release(fn, VSP_HELD_SUSPEND);
	return 0;
}

static int mbox_get_config(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	struct vsp_mbox_config *c = &msg->config;
	u16 off = le16_to_cpu(c->offset), len = le16_to_cpu(c->len);

	if (len > sizeof(c->data) || off > sizeof(fn->config) ||
	    len > sizeof(fn->config) - off)
		return -ERANGE;
	memset(c->data, 0, sizeof(c->data));
	memcpy(c->data, (u8 *)&fn->config + off, len);
	return 0;
}

static int mbox_set_config(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	u16 len = le16_to_cpu(msg->config.len);

	if (len > sizeof(msg->config.data))
		return -ERANGE;
	return vsp_dev_set_config(fn, le16_to_cpu(msg->config.offset),
				  msg->config.data, len);
}

static int mbox_reset(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_dev_reset(fn, VSP_EVENT_RESET);
}

static int mbox_get_stats(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	vsp_stats_publish(fn);
	return 0;
}

static int mbox_set_translation(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	return vsp_dma_set_translation(fn, le64_to_cpu(msg->value));
}

static int mbox_set_pairs(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	guard(mutex)(&fn->lock);
	return vsp_dev_set_pairs(fn, le64_to_cpu(msg->value));
}

static int (*const mbox_commands[])(struct vsp_fn *fn, struct vsp_mbox_msg *msg) = {
	[VSP_MBOX_GET_PF_RESOURCE]	= mbox_get_pf_resource,
	[VSP_MBOX_GET_STATUS]		= mbox_get_status,
	[VSP_MBOX_SET_STATUS]		= mbox_set_status,
	[VSP_MBOX_GET_FEATURES]		= mbox_get_features,
	[VSP_MBOX_SET_FEATURES]		= mbox_set_features,
	[VSP_MBOX_SET_VQ_ADDR]		= mbox_set_vq_addr,
	[VSP_MBOX_SET_VQ_SIZE]		= mbox_set_vq_size,
	[VSP_MBOX_SET_VQ_MSIX]		= mbox_set_vq_msix,
	[VSP_MBOX_SET_VQ_ENABLE]	= mbox_set_vq_enable,
	[VSP_MBOX_GET_VQ_STATE]		= mbox_get_vq_state,
	[VSP_MBOX_SET_VQ_STATE]		= mbox_set_vq_state,
	[VSP_MBOX_SUSPEND]		= mbox_suspend,
	[VSP_MBOX_RESUME]		= mbox_resume,
	[VSP_MBOX_GET_CONFIG]		= mbox_get_config,
	[VSP_MBOX_SET_CONFIG]		= mbox_set_config,
	[VSP_MBOX_RESET]		= mbox_reset,
	[VSP_MBOX_GET_STATS]		= mbox_get_stats,
	[VSP_MBOX_SET_TRANSLATION]	= mbox_set_translation,
	[VSP_MBOX_SET_PAIRS]		= mbox_set_pairs,
};

static int mbox_command(struct vsp_fn *fn, struct vsp_mbox_msg *msg)
{
	u16 cmd = le16_to_cpu(msg->cmd);

	if (le16_to_cpu(msg->version) != VSP_MBOX_VERSION)
		return -EPROTO;
	if (cmd >= ARRAY_SIZE(mbox_commands))
		return -EOPNOTSUPP;
	cmd = array_index_nospec(cmd, ARRAY_SIZE(mbox_commands));
	if (!mbox_commands[cmd])
		return -EOPNOTSUPP;
	return mbox_commands[cmd](fn, msg);
}

/* Any context. True when a command waits, and the function is there to take it. */
bool vsp_mailbox_pending(struct vsp_fn *fn)
{
	u32 csr = readl(fn->pci.bar4 + VSP_BAR_MAILBOX_CSR);

	return READ_ONCE(fn->pci.present) && !READ_ONCE(fn->pci.power_state) &&
	       csr != ~0U && (csr & VSP_CSR2_READY);
}

static bool mailbox_serve(struct vsp_fn *fn)
{
	void __iomem *window = fn->pci.bar4 + VSP_BAR_MAILBOX;
	void __iomem *csr = fn->pci.bar4 + VSP_BAR_MAILBOX_CSR;
	struct vsp_mbox_msg msg;
	int ret;

	guard(mutex)(&fn->mbox_lock);
	if (!vsp_mailbox_pending(fn))
		return false;
	memcpy_fromio(&msg, window, sizeof(msg));
	writel(0, csr);

	ret = mbox_command(fn, &msg);
	trace_vsp_mailbox(&fn->pci, le16_to_cpu(msg.cmd), ret);
	fn->mbox_commands++;
	if (ret) {
		fn->mbox_errors++;
		pr_debug("%s: mailbox command %u: %d\n", vsp_pci_fn_name(&fn->pci),
			 le16_to_cpu(msg.cmd), ret);
	}
	msg.status = cpu_to_le32(ret);
	/* Pulled meanwhile: all ones stay. */
	if (!READ_ONCE(fn->pci.present))
		return false;
	memcpy_toio(window, &msg, sizeof(msg));
	writel(VSP_CSR3_READY, csr);
	return true;
}

void vsp_hw_mailbox_ring(struct vsp_fn *fn)
{
	mailbox_serve(fn);
}
EXPORT_SYMBOL_GPL(vsp_hw_mailbox_ring);

/* A driver that cannot ring, found by the poller in function.c. */
static void mailbox_work(struct work_struct *work)
{
	struct vsp_fn *fn = container_of(work, struct vsp_fn, mbox_work);

	if (mailbox_serve(fn))
		vsp_msix_raise(&fn->pci, VSP_VECTOR_MAILBOX);
}

void vsp_mailbox_init(struct vsp_fn *fn)
{
	mutex_init(&fn->mbox_lock);
	INIT_WORK(&fn->mbox_work, mailbox_work);
}
