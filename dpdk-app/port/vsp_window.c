/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The window way: the memory that a user of vhost_vdpa has mapped lies in this
 * process, so that a copy is a copy (vringh-lib's vrl/mem.h) and no system call.
 * Each address is first looked up in the kernel's table of ranges: what is not in
 * there is a fault, as with VSP_IOC_COPY, and its chain is completed with length 0.
 * What leaves between that look and the copy is the kernel's business: it puts a
 * page of no meaning there, and counts.
 */
#include <string.h>

#include "vsp_priv.h"

/*
 * Which way @q goes from its start on. VSP_IOC_COPY reaches the same bytes, so that
 * a window which cannot be had costs time and nothing else.
 */
void vsp_window_open(struct vsp_queue *q)
{
	const struct vsp_state *state = &q->port->state;
	int ret;

	q->way = state->way;
	q->asid = state->asid;
	q->window = false;
	if (state->way != VSP_WAY_WINDOW)
		return;
	ret = vsp_session_window(&q->port->session, state->asid, &q->mem);
	if (ret)
		VSP_LOG(WARNING, "%s: queue %u: no window (%s), the kernel copies\n",
			q->port->name, q->index, strerror(-ret));
	q->window = !ret;
}

/*
 * A read or write of this burst did not happen. -EAGAIN: nobody knows whether the
 * bytes are there, the burst is to be done again. Anything else is a DMA fault of
 * the frame it belongs to.
 */
int vsp_window_failed(struct vsp_copies *c, int error, uint64_t iova, uint32_t len)
{
	if (error == -EAGAIN)
		c->error = error;
	if (c->nr == VSP_BURST_COPIES)
		return -ENOSPC;
	c->segs[c->nr++] = (struct vsp_copy_seg){
		.iova = iova,
		.len = len,
		.status = VSP_COPY_FAULT,
	};
	return 0;
}
