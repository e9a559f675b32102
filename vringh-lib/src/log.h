/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The in-flight log as the rings see it. inflight.c does what both rings need and
 * the split one; inflight_packed.c has the packed one.
 *
 * Order of stores: whoever goes on after a crash sees what the dead process's
 * instructions stored, in program order, so that it is the compiler only that must
 * not move them: stores to a log are WRITE_ONCE, and barrier() stands between the
 * log and the ring.
 */
#ifndef VRL_LOG_H
#define VRL_LOG_H

#include <vrl/inflight.h>

#include "queue.h"

/* "No entry" in vrl_vq.resubmit; queues have at most 32768. */
#define LOG_NONE	0xffff

/*
 * A log with nothing in flight, for a queue that stands at @used. Last of all the
 * version, so that half of this is no log.
 */
void vrl_log_packed_init(struct vrl_inflight_packed *log, __u32 num, __u16 used);

/*
 * From vrl_vq_init(), when the queue is set up but for its log: repair, indices,
 * and the list of chains to hand out again. A region that is refused is not
 * touched. Returns 0 or enum vrl_why.
 */
int vrl_log_open(struct vrl_vq *vq);
int vrl_log_packed_open(struct vrl_vq *vq);

/* VRL_VQ_AGAIN: peek, from the log. */
int vrl_log_peek(struct burst_walk *w, unsigned int max);
int vrl_log_packed_peek(struct burst_walk *w, unsigned int max);

/*
 * VRL_VQ_LOG: put consumed chains on record, before the queue's own position moves.
 * False if they are on record already (VRL_VQ_AGAIN); then it must not move.
 */
bool vrl_log_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n);
void vrl_log_packed_again(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n);
void vrl_log_packed_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n);

/*
 * VRL_VQ_LOG: around a push, before anything of the ring is written and after all of
 * it was.
 */
void vrl_log_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);
void vrl_log_packed_push(struct vrl_vq *vq, const struct vrl_used_elem *e,
			 unsigned int n);
void vrl_log_pushed(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);
void vrl_log_packed_pushed(struct vrl_vq *vq, const struct vrl_used_elem *e,
			   unsigned int n);

/* vrl_vq.resubmit[0 .. nr) by counter; the entries are @stride bytes from each other. */
void vrl_log_sort(__u16 *list, unsigned int nr, const void *first_counter, __u32 stride);

#endif /* VRL_LOG_H */
