// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's end of the mailbox: one message, one answer, in BAR 4.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Everything that changes the device goes this way. All functions here: process
 * context, nic->lock held, may sleep (a reset waits for the backend, within its
 * time limit), and return 0, the card's negative errno, -EIO: the card did not
 * answer, or answered nonsense, or -ENODEV: there is no card.
 */
#include <linux/io.h>

#include "driver.h"

static int mbox_exec(struct vsp_nic *nic, struct vsp_mbox_msg *msg)
{
	void __iomem *window = nic->bar + VSP_BAR_MAILBOX;
	void __iomem *csr = nic->bar + VSP_BAR_MAILBOX_CSR;
	u16 cmd = le16_to_cpu(msg->cmd);
	u32 state;
	s32 err;

	msg->version = cpu_to_le16(VSP_MBOX_VERSION);

	lockdep_assert_held(&nic->lock);
	/* A read that nobody answers gives all ones. */
	if (readl(csr) == ~0U) {
		vsp_nic_fail(nic, "it is not there any more", -ENODEV);
		return -ENODEV;
	}
	memcpy_toio(window, msg, sizeof(*msg));
	/* CSR3: clear what the last answer left. writel() comes after the message. */
	writel(VSP_CSR2_READY | VSP_CSR3_READY, csr);
	vsp_hw_mailbox_ring(nic->fn);

	state = readl(csr) & (VSP_CSR2_READY | VSP_CSR3_READY);
	if (state != VSP_CSR3_READY) {
		dev_err_ratelimited(&nic->pdev->dev,
				    "mailbox command %u got no answer\n", cmd);
		return -EIO;
	}
	memcpy_fromio(msg, window, sizeof(*msg));
	err = (s32)le32_to_cpu(msg->status);
	if (le16_to_cpu(msg->cmd) != cmd || err > 0 || err < -MAX_ERRNO) {
		dev_err_ratelimited(&nic->pdev->dev,
				    "mailbox command %u got a bad answer\n", cmd);
		return -EIO;
	}
	return err;
}

/* Commands that carry a value: status, features; or nothing: reset, stats. */
int vsp_mbox_set(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u64 value)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(cmd),
		.value = cpu_to_le64(value),
	};

	return mbox_exec(nic, &msg);
}

int vsp_mbox_get(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u64 *value)
{
	struct vsp_mbox_msg msg = { .cmd = cpu_to_le16(cmd) };
	int err = mbox_exec(nic, &msg);

	if (!err)
		*value = le64_to_cpu(msg.value);
	return err;
}

int vsp_mbox_set_vq(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u16 index, u32 value)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(cmd),
		.vq.index = cpu_to_le16(index),
		.vq.value = cpu_to_le32(value),
	};

	return mbox_exec(nic, &msg);
}

int vsp_mbox_get_vq(struct vsp_nic *nic, enum vsp_mbox_cmd cmd, u16 index, u32 *value)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(cmd),
		.vq.index = cpu_to_le16(index),
	};
	int err = mbox_exec(nic, &msg);

	if (!err)
		*value = le32_to_cpu(msg.vq.value);
	return err;
}

int vsp_mbox_set_vq_addr(struct vsp_nic *nic, u16 index, u64 desc, u64 driver,
			 u64 device)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(VSP_MBOX_SET_VQ_ADDR),
		.vq_addr.index = cpu_to_le16(index),
		.vq_addr.desc = cpu_to_le64(desc),
		.vq_addr.driver = cpu_to_le64(driver),
		.vq_addr.device = cpu_to_le64(device),
	};

	return mbox_exec(nic, &msg);
}

/* At most VSP_MBOX_CONFIG_MAX bytes, else -EMSGSIZE. */
int vsp_mbox_set_config(struct vsp_nic *nic, unsigned int offset, const void *src,
			unsigned int len)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(VSP_MBOX_SET_CONFIG),
		.config.offset = cpu_to_le16(offset),
		.config.len = cpu_to_le16(len),
	};

	if (offset > U16_MAX || len > sizeof(msg.config.data))
		return -EMSGSIZE;
	memcpy(msg.config.data, src, len);
	return mbox_exec(nic, &msg);
}

/* At most VSP_MBOX_CONFIG_MAX bytes, else -EMSGSIZE. */
int vsp_mbox_get_config(struct vsp_nic *nic, unsigned int offset, void *dst,
			unsigned int len)
{
	struct vsp_mbox_msg msg = {
		.cmd = cpu_to_le16(VSP_MBOX_GET_CONFIG),
		.config.offset = cpu_to_le16(offset),
		.config.len = cpu_to_le16(len),
	};
	int err;

	if (offset > U16_MAX || len > sizeof(msg.config.data))
		return -EMSGSIZE;
	err = mbox_exec(nic, &msg);
	if (!err)
		memcpy(dst, msg.config.data, len);
	return err;
}

int vsp_mbox_get_resource(struct vsp_nic *nic, struct vsp_mbox_resource *res)
{
	struct vsp_mbox_msg msg = { .cmd = cpu_to_le16(VSP_MBOX_GET_PF_RESOURCE) };
	int err = mbox_exec(nic, &msg);

	if (!err)
		*res = msg.resource;
	return err;
}
