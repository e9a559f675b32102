// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a backend's session: create, lose, close.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "session.h"
#include "vsp.h"

static void session_release(struct kref *ref)
{
	struct vsp_session *s = container_of(ref, struct vsp_session, ref);

	if (s->big_sink)
		__free_pages(s->big_sink, PMD_ORDER);
	put_page(s->sink_page);
	put_page(s->be_page);
	put_page(s->ctl_page);
	put_pid(s->owner);
	kfree(s);
}

struct vsp_session *vsp_session_get(struct vsp_session *s)
{
	if (s)
		kref_get(&s->ref);
	return s;
}

void vsp_session_put(struct vsp_session *s)
{
	if (s)
		kref_put(&s->ref, session_release);
}

/* Not attached yet: the backend hears of nothing. */
struct vsp_session *vsp_session_create(struct vsp_fn *fn, struct file *file)
{
	struct vsp_session *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	s->ctl_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!s->ctl_page)
		goto err_session;
	s->be_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!s->be_page)
		goto err_ctl_page;
	s->sink_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!s->sink_page)
		goto err_be_page;
	kref_init(&s->ref);
	s->fn = fn;
	s->owner = get_pid(task_tgid(current));
	get_task_comm(s->comm, current);
	s->mapping = file->f_mapping;
	mutex_init(&s->mapping_lock);
	vsp_events_init(s);
	return s;

err_be_page:
	put_page(s->be_page);
err_ctl_page:
	put_page(s->ctl_page);
err_session:
	kfree(s);
	return NULL;
}

static void session_zap_range(struct vsp_session *s, u64 start, u64 len)
{
	lockdep_assert_held(&s->fn->map_lock);
	mutex_lock(&s->mapping_lock);
	if (s->mapping)
		unmap_mapping_range(s->mapping, start, len, 1);
	mutex_unlock(&s->mapping_lock);
}

/* The queue's rings leave the backend's address space. fn->map_lock held. */
void vsp_session_zap_queue(struct vsp_session *s, unsigned int q)
{
	if (s)
		session_zap_range(s, VSP_MMAP_RING(q, 0), 4ULL << VSP_MMAP_RING_SHIFT);
}

/* All rings do; what is touched from now on is the session's own sink. */
static void session_zap(struct vsp_session *s)
{
	mutex_lock(&s->fn->map_lock);
	session_zap_range(s, VSP_MMAP_RING_BASE,
			  (4ULL * VSP_MAX_VQS) << VSP_MMAP_RING_SHIFT);
	mutex_unlock(&s->fn->map_lock);
}

/* What the backend counted stays in the card's statistics. */
static void session_keep_counters(struct vsp_fn *fn, struct vsp_session *s)
{
	struct vsp_be_page *be = page_address(s->be_page);
	unsigned int q;

	for (q = 0; q < fn->nr_vqs; q++) {
		fn->vq[q].packets += READ_ONCE(be->vq[q].packets);
		fn->vq[q].bytes += READ_ONCE(be->vq[q].bytes);
		fn->vq[q].drops += READ_ONCE(be->vq[q].drops);
	}
}

static void session_drop_kicks(struct vsp_fn *fn)
{
	struct eventfd_ctx *kick[VSP_MAX_VQS];
	unsigned long flags;
	unsigned int q;

	spin_lock_irqsave(&fn->kick_lock, flags);
	fn->be_page = NULL;
	for (q = 0; q < fn->nr_vqs; q++) {
		kick[q] = fn->vq[q].kick;
		fn->vq[q].kick = NULL;
	}
	spin_unlock_irqrestore(&fn->kick_lock, flags);
	for (q = 0; q < fn->nr_vqs; q++)
		if (kick[q])
			eventfd_ctx_put(kick[q]);
}

void vsp_session_lose(struct vsp_fn *fn)
{
	struct vsp_session *s = fn->session;
	struct vsp_ctl_page *ctl;

	lockdep_assert_held(&fn->lock);
	if (!s)
		return;
	WRITE_ONCE(s->lost, true);
	fn->session = NULL;
	session_drop_kicks(fn);
	vsp_calls_drop(s);
	session_keep_counters(fn, s);
	session_zap(s);
	vsp_session_close_window(s);
	vsp_dev_set_link(fn, false, 0);

	ctl = page_address(s->ctl_page);
	WRITE_ONCE(ctl->generation, ctl->generation + 1);
	wake_up_all(&s->wait);
}

/* The file goes. */
void vsp_session_close(struct vsp_session *s)
{
	struct vsp_fn *fn = s->fn;

	WRITE_ONCE(s->closed, true);
	wake_up_all(&s->wait);

	mutex_lock(&fn->lock);
	if (fn->session == s)
		vsp_session_lose(fn);
	mutex_unlock(&fn->lock);

	mutex_lock(&s->mapping_lock);
	s->mapping = NULL;
	mutex_unlock(&s->mapping_lock);
	vsp_session_put(s);
	vsp_forward_update(fn);
}
