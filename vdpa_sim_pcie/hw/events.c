// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events for the backend, and the bounded wait for its acknowledgement.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * There is one node per kind of event, so a backend that never reads costs
 * nothing: a newer event of a kind takes the older one's place, and a reset
 * makes everything before it pointless.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/uaccess.h>

#include "session.h"
#include "vsp.h"

#define TIMEOUT_MS_MIN	10U
#define TIMEOUT_MS_MAX	30000U

static unsigned int backend_timeout_ms = 1000;

static int timeout_set(const char *val, const struct kernel_param *kp)
{
	unsigned int ms;
	int ret = kstrtouint(val, 0, &ms);

	if (!ret && (ms < TIMEOUT_MS_MIN || ms > TIMEOUT_MS_MAX))
		ret = -ERANGE;
	if (ret) {
		pr_err("backend_timeout_ms=%s: must be %u to %u\n", val,
		       TIMEOUT_MS_MIN, TIMEOUT_MS_MAX);
		return ret;
	}
	backend_timeout_ms = ms;
	return 0;
}

static const struct kernel_param_ops timeout_ops = {
	.set = timeout_set,
	.get = param_get_uint,
};
module_param_cb(backend_timeout_ms, &timeout_ops, &backend_timeout_ms, 0644);
MODULE_PARM_DESC(backend_timeout_ms,
		 "Time a backend has to acknowledge a reset or a disabled queue (10 to 30000, default 1000)");

unsigned int vsp_backend_timeout_ms(void)
{
	return READ_ONCE(backend_timeout_ms);
}

static struct vsp_event_node *event_node(struct vsp_session *s,
					 enum vsp_event_type type, unsigned int queue)
{
	unsigned int n = type;

	if (type == VSP_EVENT_VQ_ENABLE || type == VSP_EVENT_VQ_DISABLE)
		n = VSP_EVENT_TYPES + 2 * queue + (type == VSP_EVENT_VQ_DISABLE);
	return &s->nodes[n];
}

static bool event_needs_ack(enum vsp_event_type type)
{
	return type == VSP_EVENT_VQ_DISABLE || type == VSP_EVENT_RESET ||
	       type == VSP_EVENT_FLR || type == VSP_EVENT_POWER ||
	       type == VSP_EVENT_SUSPEND;
}

void vsp_events_init(struct vsp_session *s)
{
	unsigned int i;

	spin_lock_init(&s->event_lock);
	init_waitqueue_head(&s->wait);
	INIT_LIST_HEAD(&s->events);
	for (i = 0; i < ARRAY_SIZE(s->nodes); i++)
		INIT_LIST_HEAD(&s->nodes[i].list);
}

/* What the new event makes pointless is forgotten. event_lock held. */
static void event_supersede(struct vsp_session *s, enum vsp_event_type type,
			    unsigned int queue)
{
	struct vsp_event_node *node, *tmp;

	if (type == VSP_EVENT_VQ_DISABLE)
		list_del_init(&event_node(s, VSP_EVENT_VQ_ENABLE, queue)->list);
	if (type != VSP_EVENT_RESET && type != VSP_EVENT_FLR)
		return;
	list_for_each_entry_safe(node, tmp, &s->events, list)
		if (node->ev.type != VSP_EVENT_UNPLUG)
			list_del_init(&node->list);
}

u64 vsp_session_post(struct vsp_session *s, enum vsp_event_type type,
		     unsigned int queue, u32 value)
{
	struct vsp_event_node *node;
	struct vsp_ctl_page *ctl;
	u64 seq;

	if (!s || !s->attached || s->lost)
		return 0;
	lockdep_assert_held(&s->fn->lock);
	node = event_node(s, type, queue);
	ctl = page_address(s->ctl_page);

	spin_lock(&s->event_lock);
	event_supersede(s, type, queue);
	seq = ++s->next_seq;
	node->ev = (struct vsp_event) {
		.seq = seq,
		.type = type,
		.flags = event_needs_ack(type) ? VSP_EVENT_FLAG_ACK : 0,
		.queue = queue,
		.value = value,
	};
	list_move_tail(&node->list, &s->events);
	spin_unlock(&s->event_lock);

	/* The event can be read before the word moves, never the other way round. */
	smp_store_release(&ctl->generation, ctl->generation + 1);
	wake_up_all(&s->wait);
	return seq;
}

/* After ATTACH: the state of the moment. fn->lock held. */
void vsp_events_replay(struct vsp_session *s)
{
	struct vsp_fn *fn = s->fn;
	unsigned int q;

	vsp_session_post(s, VSP_EVENT_STATUS, 0, fn->status);
	if (fn->held & VSP_HELD_SUSPEND)
		vsp_dev_post_held(fn, VSP_HELD_SUSPEND);
	if (fn->held & VSP_HELD_POWER)
		vsp_dev_post_held(fn, VSP_HELD_POWER);
	for (q = 0; q < fn->nr_vqs; q++)
		if (fn->vq[q].enabled && q != fn->ctrl_index)
			vsp_session_post(s, VSP_EVENT_VQ_ENABLE, q, 0);
}

static bool event_acked(struct vsp_session *s, u64 seq)
{
	return READ_ONCE(s->acked_seq) >= seq || READ_ONCE(s->closed) ||
	       READ_ONCE(s->lost);
}

void vsp_session_wait(struct vsp_fn *fn, struct vsp_session *s, u64 seq)
{
	unsigned int ms = vsp_backend_timeout_ms();

	if (!s || !seq)
		return;
	if (wait_event_timeout(s->wait, event_acked(s, seq), msecs_to_jiffies(ms)))
		return;

	mutex_lock(&fn->lock);
	if (fn->session == s && !event_acked(s, seq)) {
		fn_warn_ratelimited(fn, "backend did not answer in %u ms and loses the function\n",
				    ms);
		fn->backends_lost++;
		vsp_session_lose(fn);
	}
	mutex_unlock(&fn->lock);
}

int vsp_events_ack(struct vsp_session *s, u64 seq)
{
	int ret = 0;

	spin_lock(&s->event_lock);
	if (seq > s->next_seq)
		ret = -EINVAL;
	else if (seq > s->acked_seq)
		WRITE_ONCE(s->acked_seq, seq);
	spin_unlock(&s->event_lock);
	wake_up_all(&s->wait);
	return ret;
}

bool vsp_events_pending(struct vsp_session *s)
{
	return !list_empty_careful(&s->events);
}

static bool event_peek(struct vsp_session *s, struct vsp_event *ev)
{
	struct vsp_event_node *node;

	guard(spinlock)(&s->event_lock);
	node = list_first_entry_or_null(&s->events, struct vsp_event_node, list);
	if (node)
		*ev = node->ev;
	return node;
}

/* Read and gone, unless a newer one of the kind has taken its place. */
static void event_done(struct vsp_session *s, const struct vsp_event *ev)
{
	struct vsp_event_node *node;

	guard(spinlock)(&s->event_lock);
	node = event_node(s, ev->type, ev->queue);
	if (node->ev.seq == ev->seq)
		list_del_init(&node->list);
}

static int events_wait(struct vsp_session *s, bool nonblock)
{
	if (vsp_events_pending(s))
		return 0;
	if (READ_ONCE(s->lost))
		return -ENOTCONN;
	if (nonblock)
		return -EAGAIN;
	return wait_event_interruptible(s->wait, vsp_events_pending(s) ||
						 READ_ONCE(s->lost));
}

/* An event that cannot be copied out stays the first one. */
ssize_t vsp_events_read(struct vsp_session *s, char __user *buf, size_t len,
			bool nonblock)
{
	struct vsp_event ev;
	size_t done = 0;
	int ret;

	if (len < sizeof(ev))
		return -EINVAL;
	while (done + sizeof(ev) <= len) {
		if (!event_peek(s, &ev)) {
			if (done)
				break;
			ret = events_wait(s, nonblock);
			if (ret)
				return ret;
			continue;
		}
		if (copy_to_user(buf + done, &ev, sizeof(ev)))
			return done ? done : -EFAULT;
		event_done(s, &ev);
		done += sizeof(ev);
	}
	return done;
}
