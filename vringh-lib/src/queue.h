/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The two rings behind vring.c: split.c and packed*.c have the same functions. The
 * contract of each is that of vrl_vq_NAME() in vrl/vring.h, less what vring.c
 * does for both: broken queues never come here.
 */
#ifndef VRL_QUEUE_H
#define VRL_QUEUE_H

#include "chain.h"

static inline int vq_break(struct vrl_vq *vq, int why)
{
	vq->broken = 1;
	vq->why = (__u16)why;
	return -EPROTO;
}

/*
 * Chains up to their indirect tables, which are noted in @w. Return: as peek;
 * @max is > 0 and the arrays have room for it.
 */
int vrl_split_peek(struct burst_walk *w, unsigned int max);
int vrl_packed_peek(struct burst_walk *w, unsigned int max);
/* The same for @n > 0 heads that stand in w->b->chains already. */
int vrl_split_walk(struct burst_walk *w, unsigned int n);

void vrl_packed_take(struct vrl_vq *vq, const struct vrl_burst *b, unsigned int n);

/* @n > 0. */
void vrl_split_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);
void vrl_packed_push(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);
void vrl_split_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);
void vrl_packed_push_in_order(struct vrl_vq *vq, const struct vrl_used_elem *e, unsigned int n);

bool vrl_split_needs_call(struct vrl_vq *vq);
bool vrl_packed_needs_call(struct vrl_vq *vq);
bool vrl_split_enable_kick(struct vrl_vq *vq);
bool vrl_packed_enable_kick(struct vrl_vq *vq);
void vrl_split_disable_kick(struct vrl_vq *vq);
void vrl_packed_disable_kick(struct vrl_vq *vq);
int vrl_split_avail_count(struct vrl_vq *vq);
int vrl_packed_avail_count(struct vrl_vq *vq);

/* Can a queue of vq->num entries stand so? */
bool vrl_split_state_is_valid(const struct vrl_vq *vq, const struct vrl_vq_state *st);
bool vrl_packed_state_is_valid(const struct vrl_vq *vq, const struct vrl_vq_state *st);

#endif /* VRL_QUEUE_H */
