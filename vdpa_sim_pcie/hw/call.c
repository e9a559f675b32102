// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that raise vectors: VSP_IOC_SET_CALL.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * An entry in the eventfd's wait queue is called by whoever signals it. The
 * reference keeps the queue alive after the last file of the eventfd is closed,
 * so nothing has to be done then: nobody signals it any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "session.h"
#include "vsp.h"

struct vsp_call_hook {
	struct vsp_fn *fn;
	unsigned int vector;
	struct eventfd_ctx *ctx;
	wait_queue_entry_t wait;
	struct work_struct work;
};

struct call_poll {
	poll_table pt;
	struct vsp_call_hook *hook;
};

static void call_work(struct work_struct *work)
{
	struct vsp_call_hook *hook = container_of(work, struct vsp_call_hook, work);

	vsp_msix_raise(&hook->fn->pci, hook->vector);
}

/* Any context, with the lock of the eventfd's queue held. */
static int call_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct vsp_call_hook *hook = container_of(wait, struct vsp_call_hook, wait);
	u64 count;

	if (!(key_to_poll(key) & EPOLLIN))
		return 0;
	eventfd_ctx_do_read(hook->ctx, &count);
	/*
	 * The vector's own handler may be what signals the eventfd. Raised from
	 * there it would leave its CPU no time for anything else.
	 */
	if (in_task())
		vsp_msix_raise(&hook->fn->pci, hook->vector);
	else
		queue_work(vsp_wq, &hook->work);
	return 0;
}

static void call_queue(struct file *file, wait_queue_head_t *head, poll_table *pt)
{
	add_wait_queue(head, &container_of(pt, struct call_poll, pt)->hook->wait);
}

/* From now on signals raise the vector; one that came before does it once. */
static void call_start(struct vsp_call_hook *hook, struct file *file)
{
	struct call_poll p = { .hook = hook };

	init_poll_funcptr(&p.pt, call_queue);
	if (vfs_poll(file, &p.pt) & EPOLLIN)
		vsp_msix_raise(&hook->fn->pci, hook->vector);
}

/* On return it raises nothing any more. Process context. */
static void call_destroy(struct vsp_call_hook *hook)
{
	u64 count;

	if (!hook)
		return;
	eventfd_ctx_remove_wait_queue(hook->ctx, &hook->wait, &count);
	cancel_work_sync(&hook->work);
	eventfd_ctx_put(hook->ctx);
	kfree(hook);
}

static struct vsp_call_hook *call_create(struct vsp_fn *fn, unsigned int vector,
					 struct file *file)
{
	struct vsp_call_hook *hook = kzalloc(sizeof(*hook), GFP_KERNEL_ACCOUNT);
	struct eventfd_ctx *ctx;

	if (!hook)
		return ERR_PTR(-ENOMEM);
	ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(ctx)) {
		kfree(hook);
		return ERR_CAST(ctx);
	}
	hook->fn = fn;
	hook->vector = vector;
	hook->ctx = ctx;
	init_waitqueue_func_entry(&hook->wait, call_wake);
	INIT_WORK(&hook->work, call_work);
	return hook;
}

static int call_set(struct vsp_session *s, unsigned int vector, struct file *file)
{
	struct vsp_call_hook *hook = NULL;
	struct vsp_fn *fn = s->fn;

	if (file) {
		hook = call_create(fn, vector, file);
		if (IS_ERR(hook))
			return PTR_ERR(hook);
	}
	guard(mutex)(&fn->lock);
	/* A session that is being lost must not get one any more. */
	if (fn->session != s) {
		if (hook)
			eventfd_ctx_put(hook->ctx);
		kfree(hook);
		return -ENOTCONN;
	}
	call_destroy(s->call[vector]);
	s->call[vector] = hook;
	if (hook)
		call_start(hook, file);
	return 0;
}

int vsp_call_set(struct vsp_session *s, u32 vector, int fd)
{
	struct file *file = NULL;
	int ret;

	if (vector >= s->fn->pci.card->nr_vectors || vector >= ARRAY_SIZE(s->call) ||
	    fd < -1)
		return -EINVAL;
	if (fd >= 0) {
		file = eventfd_fget(fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	ret = call_set(s, array_index_nospec(vector, ARRAY_SIZE(s->call)), file);
	if (file)
		fput(file);
	return ret;
}

void vsp_calls_drop(struct vsp_session *s)
{
	unsigned int v;

	lockdep_assert_held(&s->fn->lock);
	for (v = 0; v < ARRAY_SIZE(s->call); v++) {
		call_destroy(s->call[v]);
		s->call[v] = NULL;
	}
}
