/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session: one open file of /dev/vsp/<function>, the backend on the other end.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * fn->session holds no reference; the file does, and whoever waits. A session is
 * "lost" when the kernel has taken the function from it while the file is open.
 */
#ifndef VSP_SESSION_H
#define VSP_SESSION_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "../uapi/vdpa_sim_pcie.h"

struct address_space;
struct file;
struct vsp_call_hook;
struct vsp_fn;
struct vm_area_struct;

/* One place per (type, queue): what has not been read yet is bounded. */
#define VSP_EVENT_TYPES		(VSP_EVENT_SUSPEND + 1)
#define VSP_EVENT_NODES		(VSP_EVENT_TYPES + 2 * VSP_MAX_VQS)

struct vsp_event_node {
	struct list_head list;
	struct vsp_event ev;
};

struct vsp_session {
	struct kref ref;
	struct vsp_fn *fn;
	struct pid *owner;	/* the process that opened it, and its name */
	char comm[TASK_COMM_LEN];
	bool attached;		/* fn->lock to write */
	bool lost;		/* fn->lock to write */
	struct page *ctl_page;
	struct page *be_page;
	struct page *sink_page;	/* what a ring that has gone looks like */
	struct page *big_sink;	/* 2 MiB; what nothing in a window looks like, or NULL */
	u64 features;		/* VSP_BE_F_*, granted; fn->lock to write */
	bool window_closed;	/* vsp_as.sem of all; only sinks from now on */

	struct vsp_call_hook *call[VSP_MAX_VECTORS];	/* fn->lock */

	struct mutex mapping_lock;	/* inside fn->map_lock */
	struct address_space *mapping;	/* NULL once the file is released */

	spinlock_t event_lock;
	wait_queue_head_t wait;		/* readers, and those who wait for an ack */
	struct list_head events;
	struct vsp_event_node nodes[VSP_EVENT_NODES];
	u64 next_seq;
	u64 acked_seq;
	bool closed;
};

/* session.c */
struct vsp_session *vsp_session_create(struct vsp_fn *fn, struct file *file);
struct vsp_session *vsp_session_get(struct vsp_session *s);
void vsp_session_put(struct vsp_session *s);
void vsp_session_close(struct vsp_session *s);
void vsp_session_zap_queue(struct vsp_session *s, unsigned int q);

/**
 * vsp_session_lose() - take the function from its backend; fn->lock held
 *
 * Every later call of the backend gives ENOTCONN, its rings show zeroes, and the
 * function is free for the next one. The link goes down.
 */
void vsp_session_lose(struct vsp_fn *fn);

/* call.c */

/**
 * vsp_call_set() - have an eventfd raise a vector
 * @s:      session
 * @vector: index in the MSI-X table
 * @fd:     eventfd of the calling process, or -1: none any more
 *
 * Process context. The eventfd is held until it is replaced or the session ends;
 * one that is signalled already raises the vector at once.
 *
 * Return: 0; -EINVAL: no such vector, or @fd is a file of another kind; -EBADF;
 * -ENOMEM; -ENOTCONN: the session is lost
 */
int vsp_call_set(struct vsp_session *s, u32 vector, int fd);

/* The session ends: no eventfd raises anything any more. fn->lock held. */
void vsp_calls_drop(struct vsp_session *s);

/* events.c */
void vsp_events_init(struct vsp_session *s);

/**
 * vsp_session_post() - queue an event for the backend
 * @s:     session or NULL
 * @type:  what happened
 * @queue: virtqueue, for types that have one
 * @value: status byte, for VSP_EVENT_STATUS
 *
 * Process context; takes the place of an unread event of the same kind.
 *
 * Return: its sequence number, for vsp_session_wait(); 0 when nobody will read it.
 */
u64 vsp_session_post(struct vsp_session *s, enum vsp_event_type type,
		     unsigned int queue, u32 value);

/**
 * vsp_session_wait() - wait until the backend has acknowledged an event
 *
 * Process context, without fn->lock. Bounded: a backend that does not answer in
 * backend_timeout_ms loses the function.
 */
void vsp_session_wait(struct vsp_fn *fn, struct vsp_session *s, u64 seq);

void vsp_events_replay(struct vsp_session *s);
ssize_t vsp_events_read(struct vsp_session *s, char __user *buf, size_t len,
			bool nonblock);
bool vsp_events_pending(struct vsp_session *s);
int vsp_events_ack(struct vsp_session *s, u64 seq);
unsigned int vsp_backend_timeout_ms(void);

/* backend_window.c, range_table.c; fn->lock held, but for mmap */
int vsp_range_table_mmap(struct vsp_session *s, struct vm_area_struct *vma);
u64 vsp_window_features(void);
int vsp_window_mmap(struct vsp_session *s, struct vm_area_struct *vma);
void vsp_window_create_sink(struct vsp_session *s);

/* [@first, @last] leaves the backend's address space. @s may be NULL. */
void vsp_session_zap_window(struct vsp_session *s, u32 asid, u64 first, u64 last);

/* Everything does, for good. */
void vsp_session_close_window(struct vsp_session *s);

/* Ranges have come or gone: move the generation words. @s may be NULL. */
void vsp_session_maps_changed(struct vsp_session *s);

/* backend_ioctl.c, backend_mmap.c */
long vsp_backend_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
int vsp_backend_mmap(struct file *file, struct vm_area_struct *vma);

#endif /* VSP_SESSION_H */
