// SPDX-License-Identifier: GPL-2.0-only
/*
 * The built-in data path: frames move although no backend is there.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 *   forward=none   frames wait in the ring for a backend (default)
 *   forward=loop   what a function sends comes back to it
 *   forward=pair   VF 0 is wired to VF 1, VF 2 to VF 3, and so on; the PF loops
 *
 * One queue pair, one copy through a buffer. A card without firmware, good for
 * a test of the driver; the fast path is a backend.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <net/checksum.h>

#include "vsp.h"

#define HDR_LEN		sizeof(struct virtio_net_hdr_v1)
#define FRAME_MAX	(VSP_MTU_MAX + 22 + HDR_LEN)
#define FORWARD_BUDGET	64

enum { RX_QUEUE = 0, TX_QUEUE = 1 };

static char *forward = "none";
module_param(forward, charp, 0444);
MODULE_PARM_DESC(forward, "Built-in data path when no backend is there: none, loop or pair (default none)");

static enum { FORWARD_NONE, FORWARD_LOOP, FORWARD_PAIR } forward_mode;

/* Every queue in use here, and the buffers below; outside fn->lock. */
static DEFINE_MUTEX(vsp_forward_lock);
static struct vsp_kburst *tx_burst, *rx_burst;
static u8 *frame;

bool vsp_forward_on(void)
{
	return forward_mode != FORWARD_NONE;
}

/*
 * The function whose driver receives what the driver of @fn sends: VFs of a PF go
 * in pairs.
 */
static struct vsp_fn *forward_peer(struct vsp_fn *fn)
{
	const struct vsp_card *card = fn->pci.card;
	unsigned int peer = fn->pci.vf_index ^ 1;

	if (forward_mode == FORWARD_LOOP || fn->pci.kind == VSP_PCI_PF ||
	    peer >= card->total_vfs)
		return fn;
	return vsp_fn(card->fn[vsp_first_vf(card, fn->pci.pf->index) + peer]);
}

/* Complete the checksum that the driver left to us (5.1.6.2). */
static int frame_checksum(struct virtio_net_hdr_v1 *hdr, u8 *data, size_t len)
{
	size_t start = le16_to_cpu((__force __le16)hdr->csum_start);
	size_t at = start + le16_to_cpu((__force __le16)hdr->csum_offset);
	__sum16 sum;

	if (at + sizeof(sum) > len)
		return -EINVAL;
	sum = csum_fold(csum_partial(data + start, len - start, 0));
	if (!sum)
		sum = CSUM_MANGLED_0;
	memcpy(data + at, &sum, sizeof(sum));
	hdr->flags = 0;
	return 0;
}

/* Make the sender's header one that the receiver has agreed to. */
static int frame_prepare(struct vsp_fn *src, struct vsp_fn *dst, size_t len)
{
	struct virtio_net_hdr_v1 *hdr = (void *)frame;

	if (len <= HDR_LEN || hdr->gso_type)
		return -EINVAL;
	hdr->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (!vsp_dev_has(src, VIRTIO_NET_F_CSUM))
		hdr->flags = 0;
	if (hdr->flags && !vsp_dev_has(dst, VIRTIO_NET_F_GUEST_CSUM))
		return frame_checksum(hdr, frame + HDR_LEN, len - HDR_LEN);
	return 0;
}

/* Return: chains needed for @len bytes, -EAGAIN: not there yet, or an error. */
static int rx_reserve(struct vsp_fn *dst, size_t len)
{
	unsigned int i, max = vsp_dev_has(dst, VIRTIO_NET_F_MRG_RXBUF) ?
			      rx_burst->b.max_chains : 1;
	size_t room = 0;
	int n;

	n = vrl_vq_peek_burst(&dst->forward_rx.vrl, &rx_burst->b, 1);
	if (n > 0 && rx_burst->chains[0].in_len < len && max > 1)
		n = vrl_vq_peek_burst(&dst->forward_rx.vrl, &rx_burst->b, max);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		room += rx_burst->chains[i].in_len;
		if (room >= len)
			return i + 1;
	}
	return n < max ? -EAGAIN : -EMSGSIZE;
}

static int rx_deliver(struct vsp_fn *dst, size_t len)
{
	struct vrl_used_elem used[64];
	size_t off = 0, part;
	int i, n, ret = 0;

	n = rx_reserve(dst, len);
	if (n < 0)
		return n;
	((struct virtio_net_hdr_v1 *)frame)->num_buffers =
		(__force __virtio16)cpu_to_le16(n);
	for (i = 0; i < n; i++) {
		part = min_t(size_t, len - off, rx_burst->chains[i].in_len);
		ret |= vsp_kvq_write(dst, rx_burst, &rx_burst->chains[i], frame + off, part);
		off += part;
		used[i].id = rx_burst->chains[i].id;
		used[i].len = part;
	}
	/* A buffer that is not mapped comes back empty, with all of its frame. */
	for (i = 0; ret && i < n; i++)
		used[i].len = 0;
	vrl_vq_consume(&dst->forward_rx.vrl, &rx_burst->b, n);
	vsp_kvq_push(dst, RX_QUEUE, &dst->forward_rx, used, n);
	dst->vq[RX_QUEUE].packets++;
	dst->vq[RX_QUEUE].bytes += len - HDR_LEN;
	return 0;
}

static void forward_broken(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq)
{
	kvq->on = false;
	guard(mutex)(&fn->lock);
	vsp_dev_needs_reset(fn, q, vrl_why_str(vrl_vq_why(&kvq->vrl)));
}

/* One frame. Return: 1, 0: nothing to do or no room, or a negative errno. */
static int forward_one(struct vsp_fn *src, struct vsp_fn *dst)
{
	struct vrl_chain *c = &tx_burst->chains[0];
	struct vrl_used_elem used = {};
	int n, len, ret;

	n = vrl_vq_peek_burst(&src->forward_tx.vrl, &tx_burst->b, 1);
	if (n <= 0)
		return n;
	len = vsp_kvq_read(src, tx_burst, c, frame, FRAME_MAX);
	ret = len < 0 ? len : frame_prepare(src, dst, len);
	if (!ret && !dst->forward_rx.on)
		ret = -ENETDOWN;
	if (!ret)
		ret = rx_deliver(dst, len);
	if (ret == -EAGAIN && !vrl_vq_enable_kick(&dst->forward_rx.vrl))
		return 0;
	if (ret == -EPROTO)
		forward_broken(dst, RX_QUEUE, &dst->forward_rx);
	if (ret == -EAGAIN)
		return 1;
	vrl_vq_consume(&src->forward_tx.vrl, &tx_burst->b, 1);
	used.id = c->id;
	vsp_kvq_push(src, TX_QUEUE, &src->forward_tx, &used, 1);
	if (ret) {
		src->vq[TX_QUEUE].drops++;
	} else {
		src->vq[TX_QUEUE].packets++;
		src->vq[TX_QUEUE].bytes += len - HDR_LEN;
	}
	return 1;
}

static void forward_work(struct work_struct *work)
{
	struct vsp_fn *src = container_of(work, struct vsp_fn, forward_work);
	struct vsp_fn *dst = forward_peer(src);
	unsigned int budget = FORWARD_BUDGET;
	int n = 0;

	guard(mutex)(&vsp_forward_lock);
	if (!src->forward_tx.on)
		return;
	do {
		n = forward_one(src, dst);
		if (n < 0 && n != -EFAULT) {
			forward_broken(src, TX_QUEUE, &src->forward_tx);
			return;
		}
	} while (n > 0 && --budget);
	if (!budget || vrl_vq_enable_kick(&src->forward_tx.vrl))
		if (n)
			queue_work(vsp_wq, &src->forward_work);
}

/* A doorbell of a data queue: more to send, or room at the receiver. */
void vsp_forward_kick(struct vsp_fn *fn, unsigned int q)
{
	struct vsp_fn *src = q == RX_QUEUE ? forward_peer(fn) : fn;

	if (READ_ONCE(src->forward_tx.on))
		queue_work(vsp_wq, &src->forward_work);
}

/* On return nobody here touches the rings of @fn, until the next update. */
void vsp_forward_stop(struct vsp_fn *fn)
{
	guard(mutex)(&vsp_forward_lock);
	fn->forward_rx.on = false;
	fn->forward_tx.on = false;
}

static bool forward_queue(struct vsp_fn *fn, unsigned int q, struct vsp_kvq *kvq, bool on)
{
	on = on && fn->vq[q].enabled && !fn->vq[q].stopping;
	if (on && !kvq->on)
		kvq->on = !vsp_kvq_init(fn, q, kvq);
	else if (!on)
		kvq->on = false;
	return kvq->on;
}

/* After every change of who may use the rings: status, queues, session. */
void vsp_forward_update(struct vsp_fn *fn)
{
	bool on;

	if (!vsp_forward_on())
		return;
	guard(mutex)(&vsp_forward_lock);
	scoped_guard(mutex, &fn->lock) {
		on = !fn->session && vsp_dev_is_running(fn) && fn->plugged;
		on &= forward_queue(fn, RX_QUEUE, &fn->forward_rx, on) &
		      forward_queue(fn, TX_QUEUE, &fn->forward_tx, on);
		if (!fn->session)
			vsp_dev_set_link(fn, fn->plugged, 0);
	}
	if (on) {
		queue_work(vsp_wq, &fn->forward_work);
		queue_work(vsp_wq, &forward_peer(fn)->forward_work);
	}
}

void vsp_forward_init(struct vsp_fn *fn)
{
	INIT_WORK(&fn->forward_work, forward_work);
}

/* Once per module: the parameter and, if it is used, the buffers. */
int vsp_forward_register(void)
{
	static const char *const modes[] = { "none", "loop", "pair" };
	int mode = match_string(modes, ARRAY_SIZE(modes), forward);

	if (mode < 0) {
		pr_err("forward=%s: must be none, loop or pair\n", forward);
		return -EINVAL;
	}
	forward_mode = mode;
	if (!vsp_forward_on())
		return 0;
	tx_burst = vsp_kburst_create(1, VRL_CHAIN_MAX, VSP_GROUP_DATA);
	rx_burst = vsp_kburst_create(64, VRL_CHAIN_MAX, VSP_GROUP_DATA);
	frame = kvmalloc(FRAME_MAX, GFP_KERNEL);
	if (tx_burst && rx_burst && frame)
		return 0;
	vsp_forward_unregister();
	return -ENOMEM;
}

void vsp_forward_unregister(void)
{
	vsp_kburst_destroy(tx_burst);
	vsp_kburst_destroy(rx_burst);
	kvfree(frame);
	tx_burst = NULL;
	rx_burst = NULL;
	frame = NULL;
}
