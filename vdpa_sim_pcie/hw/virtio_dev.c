// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio device: status, features, configuration, link, reset.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Called by the mailbox, with fn->mbox_lock held, so that one command runs at a
 * time. Status bits are not checked for order: QEMU writes DRIVER_OK without
 * ACKNOWLEDGE, and real cards take it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/rcupdate.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "session.h"
#include "trace.h"
#include "vsp.h"

#define VSP_FEATURES (BIT_ULL(VIRTIO_NET_F_CSUM) |		\
		      BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) |	\
		      BIT_ULL(VIRTIO_NET_F_MTU) |		\
		      BIT_ULL(VIRTIO_NET_F_MAC) |		\
		      BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) |		\
		      BIT_ULL(VIRTIO_NET_F_STATUS) |		\
		      BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |		\
		      BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) |	\
		      BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |	\
		      BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |	\
		      BIT_ULL(VIRTIO_F_VERSION_1) |		\
		      BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |	\
		      BIT_ULL(VIRTIO_F_IN_ORDER))

#define VSP_LINK_SPEED_DEFAULT	100000

/* Where the control queue is, depends on what the driver accepted (5.1.2). */
static void dev_place_ctrl(struct vsp_fn *fn)
{
	unsigned int pairs = 1;

	if (vsp_dev_has(fn, VIRTIO_NET_F_MQ))
		pairs = le16_to_cpu((__force __le16)fn->config.max_virtqueue_pairs);
	fn->ctrl_index = 2 * pairs;
}

/* State as after power-on; configuration and link survive a reset. */
static void dev_state_init(struct vsp_fn *fn)
{
	unsigned int q;

	WRITE_ONCE(fn->status, 0);
	WRITE_ONCE(fn->held, fn->held & ~VSP_HELD_SUSPEND);
	fn->driver_features = 0;
	fn->config_vector = VSP_NO_VECTOR;
	fn->active_pairs = 1;
	memset(fn->group_asid, 0, sizeof(fn->group_asid));
	dev_place_ctrl(fn);
	for (q = 0; q < fn->nr_vqs; q++)
		vsp_vq_init(fn, q);
}

/* Once per function; the queues, their counters and the defaults. */
void vsp_dev_init(struct vsp_fn *fn)
{
	unsigned int pairs = fn->pci.card->queue_pairs;

	mutex_init(&fn->lock);
	mutex_init(&fn->map_lock);
	spin_lock_init(&fn->kick_lock);
	fn->nr_vqs = 2 * pairs + 1;
	fn->device_features = VSP_FEATURES;
	if (pairs > 1)
		fn->device_features |= BIT_ULL(VIRTIO_NET_F_MQ);
	fn->link_speed = VSP_LINK_SPEED_DEFAULT;
	fn->config.mtu = (__force __virtio16)cpu_to_le16(ETH_DATA_LEN);
	fn->config.max_virtqueue_pairs = (__force __virtio16)cpu_to_le16(pairs);
	dev_state_init(fn);
}

/* The address a card has from its maker: local, stable, one per function. */
void vsp_dev_default_mac(struct vsp_fn *fn)
{
	u8 mac[ETH_ALEN] = { 0x02, 'V', 'S', 'P', fn->pci.card->domain_nr & 0xff,
			     fn->index };

	ether_addr_copy(fn->config.mac, mac);
}

/* The driver must look at the configuration again. */
void vsp_dev_config_changed(struct vsp_fn *fn)
{
	lockdep_assert_held(&fn->lock);
	vsp_regs_publish_config(fn);
	vsp_regs_publish(fn);
	if (vsp_dev_driver_ok(fn))
		vsp_msix_raise(&fn->pci, fn->config_vector);
}

/* How many queue pairs the driver uses (5.1.6.5.5); -ERANGE: it has not so many. */
int vsp_dev_set_pairs(struct vsp_fn *fn, u64 pairs)
{
	lockdep_assert_held(&fn->lock);
	if (!pairs || pairs > le16_to_cpu((__force __le16)fn->config.max_virtqueue_pairs))
		return -ERANGE;
	fn->active_pairs = pairs;
	vsp_regs_publish(fn);
	vsp_session_post(fn->session, VSP_EVENT_CONFIG, 0, 0);
	return 0;
}

void vsp_dev_set_link(struct vsp_fn *fn, bool up, u32 speed_mbps)
{
	u16 status;

	lockdep_assert_held(&fn->lock);
	if (speed_mbps)
		fn->link_speed = speed_mbps;
	if (fn->link_up == up)
		return;
	fn->link_up = up;
	status = up ? VIRTIO_NET_S_LINK_UP : 0;
	fn->config.status = (__force __virtio16)cpu_to_le16(status);
	vsp_dev_config_changed(fn);
}

void vsp_dev_needs_reset(struct vsp_fn *fn, unsigned int q, const char *why)
{
	lockdep_assert_held(&fn->lock);
	if (fn->status & VIRTIO_CONFIG_S_NEEDS_RESET)
		return;
	fn_warn_ratelimited(fn, "queue %u is broken: %s; device needs reset\n", q, why);
	trace_vsp_state(&fn->pci, VSP_TRACE_STATUS, fn->status,
			fn->status | VIRTIO_CONFIG_S_NEEDS_RESET);
	WRITE_ONCE(fn->status, fn->status | VIRTIO_CONFIG_S_NEEDS_RESET);
	vsp_regs_publish(fn);
	vsp_msix_raise(&fn->pci, fn->config_vector);
}

int vsp_dev_set_features(struct vsp_fn *fn, u64 features)
{
	if (features & ~fn->device_features)
		return -EINVAL;
	if ((features & VSP_FEATURES_REQUIRED) != VSP_FEATURES_REQUIRED)
		return -EINVAL;

	guard(mutex)(&fn->lock);
	if (fn->status & VIRTIO_CONFIG_S_DRIVER_OK)
		return -EBUSY;
	fn->driver_features = features;
	dev_place_ctrl(fn);
	vsp_regs_publish(fn);
	return 0;
}

int vsp_dev_set_status(struct vsp_fn *fn, u64 status)
{
	if (status > 0xff)
		return -EINVAL;
	if (!status)
		return vsp_dev_reset(fn, VSP_EVENT_RESET);

	mutex_lock(&fn->lock);
	/* Only the device sets this bit, only a reset clears it. */
	status &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	status |= fn->status & VIRTIO_CONFIG_S_NEEDS_RESET;
	trace_vsp_state(&fn->pci, VSP_TRACE_STATUS, fn->status, status);
	WRITE_ONCE(fn->status, status);
	vsp_regs_publish(fn);
	vsp_session_post(fn->session, VSP_EVENT_STATUS, 0, status);
	mutex_unlock(&fn->lock);

	vsp_ctrl_kick(fn);
	vsp_forward_update(fn);
	return 0;
}

/*
 * Order: no new work (status), the kernel's own users of the rings, the backend
 * (waits for its word), then the ring pages.
 */
int vsp_dev_reset(struct vsp_fn *fn, enum vsp_event_type why)
{
	struct vsp_session *s;
	unsigned int q;
	u64 seq;

	mutex_lock(&fn->lock);
	trace_vsp_state(&fn->pci, why == VSP_EVENT_FLR ? VSP_TRACE_FLR : VSP_TRACE_RESET,
			fn->status, 0);
	WRITE_ONCE(fn->status, 0);
	s = vsp_session_get(fn->session);
	seq = vsp_session_post(s, why, 0, 0);
	mutex_unlock(&fn->lock);

	vsp_forward_stop(fn);
	vsp_session_wait(fn, s, seq);
	vsp_session_put(s);
	/* Copies for a backend that did not answer. Pairs with dma_move_user_live(). */
	synchronize_rcu_expedited();

	guard(mutex)(&fn->lock);
	vsp_ctrl_stop(fn);
	for (q = 0; q < fn->nr_vqs; q++)
		vsp_vq_stop(fn, q);
	dev_state_init(fn);
	fn->reset_count++;
	for (q = 0; q < fn->nr_vqs; q++)
		vsp_regs_publish_vq(fn, q);
	vsp_regs_publish(fn);
	return 0;
}

u64 vsp_dev_post_held(struct vsp_fn *fn, u8 why)
{
	bool held = fn->held & why;

	lockdep_assert_held(&fn->lock);
	if (why == VSP_HELD_POWER)
		return vsp_session_post(fn->session, VSP_EVENT_POWER, 0, held ? 3 : 0);
	return vsp_session_post(fn->session, VSP_EVENT_SUSPEND, 0, held);
}

void vsp_dev_hold(struct vsp_fn *fn, u8 why)
{
	struct vsp_session *s = NULL;
	u64 seq = 0;

	lockdep_assert_held(&fn->mbox_lock);
	mutex_lock(&fn->lock);
	if (!(fn->held & why)) {
		WRITE_ONCE(fn->held, fn->held | why);
		vsp_regs_publish(fn);
		s = vsp_session_get(fn->session);
		seq = vsp_dev_post_held(fn, why);
	}
	mutex_unlock(&fn->lock);

	vsp_forward_stop(fn);
	vsp_session_wait(fn, s, seq);
	vsp_session_put(s);
}

void vsp_dev_release(struct vsp_fn *fn, u8 why)
{
	lockdep_assert_held(&fn->mbox_lock);
	mutex_lock(&fn->lock);
	if (fn->held & why) {
		WRITE_ONCE(fn->held, fn->held & ~why);
		vsp_regs_publish(fn);
		vsp_dev_post_held(fn, why);
	}
	mutex_unlock(&fn->lock);

	vsp_ctrl_kick(fn);
	vsp_forward_update(fn);
}

/* What a driver provisions before its user sees the device: MAC, MTU, pairs. */
static int config_check(struct vsp_fn *fn, const struct virtio_net_config *c)
{
	u16 mtu = le16_to_cpu((__force __le16)c->mtu);
	u16 pairs = le16_to_cpu((__force __le16)c->max_virtqueue_pairs);

	if (!is_valid_ether_addr(c->mac))
		return -EADDRNOTAVAIL;
	if (mtu < VSP_MTU_MIN || mtu > VSP_MTU_MAX)
		return -ERANGE;
	if (!pairs || pairs > fn->pci.card->queue_pairs)
		return -ERANGE;
	return 0;
}

int vsp_dev_set_config(struct vsp_fn *fn, unsigned int off, const void *src,
		       unsigned int len)
{
	struct virtio_net_config c;
	int ret;

	if (off > sizeof(c) || len > sizeof(c) - off)
		return -ERANGE;

	guard(mutex)(&fn->lock);
	c = fn->config;
	memcpy((u8 *)&c + off, src, len);
	/* The rest of the configuration is the device's. */
	ret = config_check(fn, &c);
	if (ret)
		return ret;
	if ((fn->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    (c.mtu != fn->config.mtu ||
	     c.max_virtqueue_pairs != fn->config.max_virtqueue_pairs))
		return -EBUSY;
	ether_addr_copy(fn->config.mac, c.mac);
	fn->config.mtu = c.mtu;
	fn->config.max_virtqueue_pairs = c.max_virtqueue_pairs;
	vsp_dev_config_changed(fn);
	vsp_session_post(fn->session, VSP_EVENT_CONFIG, 0, 0);
	return 0;
}
