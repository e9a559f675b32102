// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of the backend contract, in the order of uapi/vdpa_sim_pcie.h.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/etherdevice.h>
#include <linux/fs.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/virtio_ids.h>

#include "dma.h"
#include "session.h"
#include "vsp.h"

#define COPY_MAX_SEGS	4096U
/* Segments fetched from the caller at a time; they live on the stack. */
#define COPY_BATCH	24U

static long ioctl_attach(struct vsp_session *s, void __user *arg)
{
	struct vsp_fn *fn = s->fn;
	struct vsp_attach a;
	bool version_ok;
	u64 features;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.flags)
		return -EINVAL;
	version_ok = a.version == VSP_CONTRACT_VERSION;
	features = a.backend_features & vsp_window_features();
	a = (struct vsp_attach) {
		.version = VSP_CONTRACT_VERSION,
		.backend_features = features,
		.device_id = VIRTIO_ID_NET,
		.nr_vqs = fn->nr_vqs,
		.nr_vectors = fn->pci.card->nr_vectors,
		.max_vq_size = VSP_MAX_VQ_SIZE,
		.max_copy_segs = COPY_MAX_SEGS,
		.ddr_size = vsp_fn_ddr_size(fn),
		.timeout_ms = vsp_backend_timeout_ms(),
		.nr_asids = VSP_NR_ASIDS,
		.window_size = VSP_IOVA_LAST + 1,
	};

	a.ctrl_vq = vsp_dev_has(fn, VIRTIO_NET_F_CTRL_VQ) ? READ_ONCE(fn->ctrl_index) : ~0U;
	if (copy_to_user(arg, &a, sizeof(a)))
		return -EFAULT;

	guard(mutex)(&fn->lock);
	if (!version_ok)
		return -EPROTO;
	if (s->attached)
		return -EALREADY;
	if (fn->session != s)
		return -ENOTCONN;
	s->features = features;
	if (features & VSP_BE_F_WINDOW)
		vsp_window_create_sink(s);
	scoped_guard(spinlock_irqsave, &fn->kick_lock)
		fn->be_page = page_address(s->be_page);
	WRITE_ONCE(s->attached, true);
	vsp_events_replay(s);
	return 0;
}

static long ioctl_get_state(struct vsp_session *s, void __user *arg)
{
	struct vsp_fn *fn = s->fn;
	struct vsp_state st = {};

	mutex_lock(&fn->lock);
	st.device_features = fn->device_features;
	st.driver_features = fn->driver_features;
	st.status = fn->status;
	st.link_up = fn->link_up;
	st.mtu = le16_to_cpu((__force __le16)fn->config.mtu);
	ether_addr_copy(st.mac, fn->config.mac);
	st.nr_vqs_active = 2 * fn->active_pairs;
	st.asid = fn->group_asid[VSP_GROUP_DATA];
	if (s->features & VSP_BE_F_WINDOW && vsp_fn_has_ranges(fn))
		st.way = VSP_WAY_WINDOW;
	mutex_unlock(&fn->lock);
	return copy_to_user(arg, &st, sizeof(st)) ? -EFAULT : 0;
}

static long ioctl_get_vq(struct vsp_session *s, void __user *arg)
{
	struct vsp_fn *fn = s->fn;
	struct vsp_vq_state st;
	struct vsp_vq *vq;
	u32 q;

	if (get_user(q, &((struct vsp_vq_state __user *)arg)->index))
		return -EFAULT;
	if (q >= fn->nr_vqs)
		return -EINVAL;
	vq = &fn->vq[array_index_nospec(q, fn->nr_vqs)];

	memset(&st, 0, sizeof(st));
	mutex_lock(&fn->lock);
	st.index = q;
	st.size = vq->size;
	/* Not one that is on its way out, or it would be started again. */
	st.ready = vq->enabled && !vq->stopping;
	st.vector = vq->vector;
	st.desc = vq->addr[VSP_RING_DESC];
	st.driver = vq->addr[VSP_RING_DRIVER];
	st.device = vq->addr[VSP_RING_DEVICE];
	vsp_vq_indices(vq, &st.last_avail, &st.used_idx);
	mutex_unlock(&fn->lock);
	return copy_to_user(arg, &st, sizeof(st)) ? -EFAULT : 0;
}

static long ioctl_set_kick(struct vsp_session *s, void __user *arg)
{
	struct eventfd_ctx *ctx = NULL;
	struct vsp_fn *fn = s->fn;
	struct vsp_kick k;

	if (copy_from_user(&k, arg, sizeof(k)))
		return -EFAULT;
	if (k.index >= fn->nr_vqs || k.fd < -1 ||
	    memchr_inv(k.reserved, 0, sizeof(k.reserved)))
		return -EINVAL;
	if (k.fd >= 0) {
		ctx = eventfd_ctx_fdget(k.fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	/* A session that is being lost must not get one any more. */
	scoped_guard(mutex, &fn->lock) {
		if (fn->session != s)
			break;
		scoped_guard(spinlock_irqsave, &fn->kick_lock)
			swap(fn->vq[array_index_nospec(k.index, fn->nr_vqs)].kick, ctx);
	}
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

static long ioctl_set_call(struct vsp_session *s, void __user *arg)
{
	struct vsp_call c;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (memchr_inv(c.reserved, 0, sizeof(c.reserved)))
		return -EINVAL;
	return vsp_call_set(s, c.vector, c.fd);
}

static long ioctl_raise(struct vsp_session *s, void __user *arg)
{
	struct vsp_fn *fn = s->fn;
	struct vsp_raise r;
	u64 bits;

	if (copy_from_user(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.vectors >> fn->pci.card->nr_vectors)
		return -EINVAL;
	for (bits = r.vectors; bits; bits &= bits - 1)
		vsp_msix_raise(&fn->pci, __ffs64(bits));
	return 0;
}

/* Return: 1 for a DMA fault, 0, or a negative errno. */
static int copy_one(struct vsp_session *s, const struct vsp_copy_seg *seg,
		    struct vsp_copy_seg __user *useg)
{
	int ret;

	if (seg->dir > VSP_COPY_TO_DRIVER)
		return -EINVAL;
	ret = vsp_dma_copy_user(s->fn, seg->iova, u64_to_user_ptr(seg->addr),
				  seg->len, seg->dir == VSP_COPY_TO_DRIVER);
	if (likely(!ret))
		return 0;
	if (ret == -ENOMEM)
		return -EFAULT;
	if (put_user((__u16)VSP_COPY_FAULT, &useg->status))
		return -EFAULT;
	return 1;
}

static long ioctl_copy(struct vsp_session *s, void __user *arg)
{
	struct vsp_copy_seg batch[COPY_BATCH];
	struct vsp_copy_seg __user *segs;
	struct vsp_fn *fn = s->fn;
	u32 i, n, faults = 0;
	struct vsp_copy c;
	int ret;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (c.flags || c.nr_segs > COPY_MAX_SEGS)
		return -EINVAL;
	for (segs = u64_to_user_ptr(c.segs); c.nr_segs; c.nr_segs -= n, segs += n) {
		/* The driver's mappings are not this session's any more. */
		if (READ_ONCE(s->lost))
			return -ENOTCONN;
		if (!vsp_dev_is_running(fn))
			return -EAGAIN;
		n = min(c.nr_segs, COPY_BATCH);
		if (copy_from_user(batch, segs, n * sizeof(*batch)))
			return -EFAULT;
		for (i = 0; i < n; i++) {
			ret = copy_one(s, &batch[i], &segs[i]);
			if (ret < 0)
				return ret;
			faults += ret;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return faults;
}

static long ioctl_set_link(struct vsp_session *s, void __user *arg)
{
	struct vsp_fn *fn = s->fn;
	struct vsp_link l;

	if (copy_from_user(&l, arg, sizeof(l)))
		return -EFAULT;
	if (l.up > 1 || memchr_inv(l.reserved, 0, sizeof(l.reserved)))
		return -EINVAL;
	guard(mutex)(&fn->lock);
	if (fn->session == s)
		vsp_dev_set_link(fn, l.up, l.speed_mbps);
	return 0;
}

static long ioctl_ack(struct vsp_session *s, void __user *arg)
{
	struct vsp_ack a;

	if (copy_from_user(&a, arg, sizeof(a)))
		return -EFAULT;
	return vsp_events_ack(s, a.seq);
}

static long ioctl_needs_reset(struct vsp_session *s, void __user *arg)
{
	struct vsp_needs_reset nr;
	struct vsp_fn *fn = s->fn;

	if (copy_from_user(&nr, arg, sizeof(nr)))
		return -EFAULT;
	if (nr.index >= fn->nr_vqs)
		return -EINVAL;
	guard(mutex)(&fn->lock);
	if (fn->session == s)
		vsp_dev_needs_reset(fn, nr.index, vrl_why_str(nr.why));
	return 0;
}

long vsp_backend_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vsp_session *s = file->private_data;
	void __user *uarg = (void __user *)arg;

	if (READ_ONCE(s->lost))
		return -ENOTCONN;
	if (!READ_ONCE(s->attached) && cmd != VSP_IOC_ATTACH)
		return -EPROTO;

	switch (cmd) {
	case VSP_IOC_ATTACH:
		return ioctl_attach(s, uarg);
	case VSP_IOC_GET_STATE:
		return ioctl_get_state(s, uarg);
	case VSP_IOC_GET_VQ:
		return ioctl_get_vq(s, uarg);
	case VSP_IOC_SET_KICK:
		return ioctl_set_kick(s, uarg);
	case VSP_IOC_RAISE:
		return ioctl_raise(s, uarg);
	case VSP_IOC_COPY:
		return ioctl_copy(s, uarg);
	case VSP_IOC_SET_LINK:
		return ioctl_set_link(s, uarg);
	case VSP_IOC_ACK:
		return ioctl_ack(s, uarg);
	case VSP_IOC_NEEDS_RESET:
		return ioctl_needs_reset(s, uarg);
	case VSP_IOC_SET_CALL:
		return ioctl_set_call(s, uarg);
	default:
		return -ENOTTY;
	}
}
