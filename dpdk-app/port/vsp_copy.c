/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The copy way: bytes of descriptor chains (IOVAs, the kernel checks them) against
 * bytes of this process, collected into one list and run by one system call. Also
 * how vringh-lib reads the indirect tables of a burst. The other way is in
 * vsp_window.c; vsp_copies_add() and vsp_copies_run() serve both.
 */
#include "vsp_priv.h"

/* vsp_copies_add(), the copy way. */
int vsp_copies_list(struct vsp_copies *c, struct vsp_cursor *cursor, void *addr,
		    uint32_t len, enum vsp_copy_dir dir)
{
	while (len) {
		const struct vrl_seg *seg = cursor->seg;
		const uint32_t part = RTE_MIN(len, seg->len - cursor->offset);

		if (unlikely(c->nr == VSP_BURST_COPIES))
			return -ENOSPC;
		c->segs[c->nr++] = (struct vsp_copy_seg){
			.iova = seg->iova + cursor->offset,
			.addr = (uintptr_t)addr,
			.len = part,
			.dir = dir,
			.status = VSP_COPY_OK,
		};
		addr = RTE_PTR_ADD(addr, part);
		len -= part;
		cursor->offset += part;
		if (cursor->offset == seg->len) {
			cursor->seg++;
			cursor->offset = 0;
		}
	}
	return 0;
}

/*
 * What an error of a copy means for the port. EAGAIN (reset under way) goes
 * away by itself: the event says so.
 */
static int copies_error(struct vsp_port *port, int ret)
{
	if (ret < 0 && ret != -EAGAIN)
		vsp_port_fail(port, ret);
	return ret;
}

/* Number of faults, or a negative errno: then nothing can be said of any. */
int vsp_copies_run(struct vsp_port *port, struct vsp_copies *c)
{
	if (c->mem)
		return c->error ? c->error : (int)c->nr;
	if (!c->nr)
		return 0;
	return copies_error(port, vsp_session_copy(&port->session, c->segs, c->nr));
}

bool vsp_copies_faulted(const struct vsp_copies *c, unsigned int first,
			unsigned int end)
{
	for (; first < end; first++)
		if (c->segs[first].status != VSP_COPY_OK)
			return true;
	return false;
}

/*
 * vrl_fetch_fn: runs inside of peek, before the burst has copies of its own, so
 * the list is free. IOVAs that wrap are the kernel's to refuse.
 */
int vsp_copies_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr)
{
	struct vsp_queue *q = opaque;
	struct vsp_copies *c = &q->port->scratch.copies;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++)
		c->segs[i] = (struct vsp_copy_seg){
			.iova = reqs[i].iova,
			.addr = (uintptr_t)reqs[i].dst,
			.len = reqs[i].len,
			.dir = VSP_COPY_FROM_DRIVER,
		};
	c->nr = nr;
	ret = vsp_copies_run(q->port, c);
	if (ret > 0)
		for (i = 0; i < nr; i++)
			if (c->segs[i].status != VSP_COPY_OK)
				reqs[i].err = -EFAULT;
	return ret < 0 ? ret : 0;
}
