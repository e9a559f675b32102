// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control virtqueue (virtio 1.3, 5.1.6.5), always served by the kernel.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * virtio_net spins for the answer with the RTNL lock held, so no process may
 * stand between it and us.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>

#include "session.h"
#include "vsp.h"

#define CTRL_MAX_SEGS	64U
#define CTRL_MAX_BYTES	256U
/* Commands per turn; a driver that sends faster waits for the next one. */
#define CTRL_BUDGET	64

static bool ctrl_mac(struct vsp_fn *fn, u8 cmd, const u8 *data, unsigned int len)
{
	if (cmd != VIRTIO_NET_CTRL_MAC_ADDR_SET ||
	    !vsp_dev_has(fn, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    len != ETH_ALEN || !is_valid_ether_addr(data))
		return false;
	ether_addr_copy(fn->config.mac, data);
	vsp_regs_publish_config(fn);
	vsp_session_post(fn->session, VSP_EVENT_CONFIG, 0, 0);
	return true;
}

static bool ctrl_mq(struct vsp_fn *fn, u8 cmd, const u8 *data, unsigned int len)
{
	u16 pairs;

	if (cmd != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    !vsp_dev_has(fn, VIRTIO_NET_F_MQ) || len != sizeof(__le16))
		return false;
	pairs = data[0] | data[1] << 8;
	return !vsp_dev_set_pairs(fn, pairs);
}

static bool ctrl_command(struct vsp_fn *fn, const u8 *buf, int len)
{
	const struct virtio_net_ctrl_hdr *hdr = (const void *)buf;

	if (len < (int)sizeof(*hdr))
		return false;
	buf += sizeof(*hdr);
	len -= sizeof(*hdr);
	switch (hdr->class) {
	case VIRTIO_NET_CTRL_MAC:
		return ctrl_mac(fn, hdr->cmd, buf, len);
	case VIRTIO_NET_CTRL_MQ:
		return ctrl_mq(fn, hdr->cmd, buf, len);
	default:
		return false;
	}
}

static void ctrl_chain(struct vsp_fn *fn, const struct vrl_chain *c)
{
	struct vrl_used_elem used = { .id = c->id };
	u8 buf[CTRL_MAX_BYTES];
	u8 ack;
	int len;

	len = vsp_kvq_read(fn, fn->ctrl_burst, c, buf, sizeof(buf));
	ack = len >= 0 && ctrl_command(fn, buf, len) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	if (!vsp_kvq_write(fn, fn->ctrl_burst, c, &ack, sizeof(ack)))
		used.len = sizeof(ack);
	vsp_kvq_push(fn, fn->ctrl_index, &fn->ctrl, &used, 1);
}

/* One command. Return: 1, 0 when there is none, or a negative errno. */
static int ctrl_one(struct vsp_fn *fn)
{
	struct vsp_kburst *kb = fn->ctrl_burst;
	int n = vrl_vq_peek_burst(&fn->ctrl.vrl, &kb->b, 1);

	if (n <= 0)
		return n;
	vrl_vq_consume(&fn->ctrl.vrl, &kb->b, 1);
	ctrl_chain(fn, &kb->chains[0]);
	return 1;
}

static void ctrl_work(struct work_struct *work)
{
	struct vsp_fn *fn = container_of(work, struct vsp_fn, ctrl_work);
	unsigned int budget = CTRL_BUDGET;
	int n;

	guard(mutex)(&fn->lock);
	/*
	 * In D3hot too, which a real card would not do: virtio_net would spin with
	 * the RTNL lock held until somebody wakes the card.
	 */
	if (!fn->ctrl.on || !vsp_dev_driver_ok(fn) || fn->held & VSP_HELD_SUSPEND)
		return;
	do {
		n = ctrl_one(fn);
		if (n < 0) {
			fn->ctrl.on = false;
			vsp_dev_needs_reset(fn, fn->ctrl_index,
					    vrl_why_str(vrl_vq_why(&fn->ctrl.vrl)));
			return;
		}
	} while (n ? --budget : vrl_vq_enable_kick(&fn->ctrl.vrl) && --budget);
	if (!budget)
		vsp_ctrl_kick(fn);
}

void vsp_ctrl_kick(struct vsp_fn *fn)
{
	queue_work(vsp_wq, &fn->ctrl_work);
}

void vsp_ctrl_start(struct vsp_fn *fn)
{
	lockdep_assert_held(&fn->lock);
	fn->ctrl.on = !vsp_kvq_init(fn, fn->ctrl_index, &fn->ctrl);
	vsp_ctrl_kick(fn);
}

void vsp_ctrl_stop(struct vsp_fn *fn)
{
	lockdep_assert_held(&fn->lock);
	fn->ctrl.on = false;
}

int vsp_ctrl_init(struct vsp_fn *fn)
{
	INIT_WORK(&fn->ctrl_work, ctrl_work);
	fn->ctrl_burst = vsp_kburst_create(1, CTRL_MAX_SEGS, VSP_GROUP_CTRL);
	return fn->ctrl_burst ? 0 : -ENOMEM;
}

void vsp_ctrl_fini(struct vsp_fn *fn)
{
	cancel_work_sync(&fn->ctrl_work);
	vsp_kburst_destroy(fn->ctrl_burst);
}
