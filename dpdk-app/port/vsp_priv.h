/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Inside of the vsp port: its structs, and the prototypes grouped by the file
 * that defines them. vsp_session.c is the seam to the kernel: a test that links
 * its own functions of that group in its place drives all the rest.
 */
#ifndef VSP_PRIV_H
#define VSP_PRIV_H

#include <errno.h>

#include <linux/virtio_net.h>

#include <rte_common.h>
#include <rte_log.h>

#include <vdpa_sim_pcie.h>
#include <vrl/mem.h>
#include <vrl/vring.h>

#include "vsp_port.h"

#define VSP_FEATURE(features, bit)	(((features) >> (bit)) & 1)

/*
 * With VERSION_1 or MRG_RXBUF the header has num_buffers (5.1.6). The card
 * offers no function without VERSION_1.
 */
#define VSP_HDR_LEN	sizeof(struct virtio_net_hdr_v1)

/*
 * Room of one burst. A chain has up to VRL_CHAIN_MAX segments, a frame of
 * VSP_PORT_MAX_FRAME up to 65 mbufs of 1024 bytes: the first chain or frame of
 * a burst always fits, so a burst never stands still for want of room here.
 */
#define VSP_BURST_CHAINS	256
#define VSP_BURST_SEGS		2048
#define VSP_BURST_TABLE		2048
#define VSP_BURST_COPIES	4096
#define VSP_MIN_ROOM		1024

extern int vsp_port_logtype;
#define VSP_LOG(level, ...) \
	rte_log(RTE_LOG_ ## level, vsp_port_logtype, "vsp: " __VA_ARGS__)

/* Address spaces of a function that this side can see; the kernel has two. */
#define VSP_SESSION_ASIDS	2

/* An address space: @base + IOVA, and which IOVAs there are. */
struct vsp_window {
	void *base;			/* NULL: not mapped yet */
	const struct vrl_iotlb *table;
};

/* Everything that touches the character device; fd -1 while closed. */
struct vsp_session {
	int fd;
	const struct vsp_ctl_page *ctl;
	struct vsp_be_page *be;
	struct vsp_attach props;
	struct vsp_window windows[VSP_SESSION_ASIDS];
};

/* One mapped ring area; @base is page aligned, the area begins at @area. */
struct vsp_ring_map {
	void *base;
	size_t len;
	void *area;
};

struct vsp_queue {
	struct vrl_vq vq;
	struct vsp_port *port;
	uint16_t index;
	bool started;
	bool reported;		/* the log has a line about its being broken */
	bool refused;		/* its state makes no ring; do not try again */
	bool window;		/* its buffers are in @mem, else behind VSP_IOC_COPY */
	uint32_t way;		/* enum vsp_way and address space, as the kernel */
	uint32_t asid;		/* had them at the start */
	uint64_t vector_bit;	/* for VSP_IOC_RAISE; 0: no vector */
	uint32_t buf_len;	/* bytes of a receive buffer as last seen: a guess */
	struct vsp_vq_state state;
	struct vsp_ring_map maps[3];	/* by enum vsp_ring_area */
	struct vrl_mem mem;
};

/*
 * The bytes of one burst; the segments of frame i begin where its caller noted.
 * By VSP_IOC_COPY: what is to be copied. By the window: only what has failed.
 */
struct vsp_copies {
	struct vrl_mem *mem;		/* the queue's window, or NULL */
	const struct vrl_burst *burst;
	int error;			/* window: the table never rested */
	unsigned int nr;
	struct vsp_copy_seg segs[VSP_BURST_COPIES];
};

/*
 * Scratch memory, used by one burst at a time. The header of a frame that has
 * no private headroom is built in @hdrs.
 */
struct vsp_scratch {
	struct vrl_burst burst;
	struct vrl_chain chains[VSP_BURST_CHAINS];
	struct vrl_seg segs[VSP_BURST_SEGS];
	struct vrl_fetch fetches[VSP_BURST_CHAINS];
	struct vrl_desc table[VSP_BURST_TABLE];
	struct vrl_used_elem used[VSP_BURST_CHAINS];
	struct vsp_copies copies;
	struct virtio_net_hdr_v1 hdrs[VSP_PORT_BURST];
};

struct vsp_port {
	struct vsp_session session;
	uint32_t generation;	/* of the control page, at the last service */
	int error;		/* 0, or why the session is over */
	bool driver_ok;
	bool suspended;		/* by the driver: no queue is touched */
	bool powered_down;	/* D3hot: likewise */
	bool mergeable;
	bool guest_csum;
	uint16_t nr_pairs;	/* that the function has */
	uint16_t nr_active;
	uint32_t room;		/* payload bytes in one mbuf of the pool */
	uint32_t tx_max_frame;	/* from the driver's MTU; 0: no limit known */
	struct vsp_port_conf conf;
	struct vsp_state state;
	struct vsp_port_stats stats;
	struct vsp_queue queues[VSP_MAX_VQS];
	struct vsp_scratch scratch;
	char name[32];
};

/*
 * The device end of a copy: where in a chain the next byte is, counted over its
 * segments of the direction, and where in these. The caller asks for no more
 * bytes than they have.
 */
struct vsp_cursor {
	const struct vrl_chain *chain;
	uint32_t done;
	const struct vrl_seg *seg;
	uint32_t offset;
};

/* vsp_session.c: errno and -1 stay in there */
int vsp_session_open(struct vsp_session *s, const char *name, char *err);
void vsp_session_close(struct vsp_session *s);
int vsp_session_get_state(struct vsp_session *s, struct vsp_state *state);
int vsp_session_get_vq(struct vsp_session *s, uint32_t index,
		       struct vsp_vq_state *state);
int vsp_session_map_ring(struct vsp_session *s, uint32_t index,
			 enum vsp_ring_area area, uint64_t iova, size_t len,
			 struct vsp_ring_map *map);
void vsp_session_unmap_ring(struct vsp_ring_map *map);
/* Address space @asid as memory; mapped by the first call, until close. */
int vsp_session_window(struct vsp_session *s, uint32_t asid, struct vrl_mem *mem);
/* 1: @event is filled; 0: there is none; or a negative errno */
int vsp_session_next_event(struct vsp_session *s, struct vsp_event *event);
int vsp_session_ack(struct vsp_session *s, uint64_t seq);
/* Number of segments that faulted (their status says so), or negative errno */
int vsp_session_copy(struct vsp_session *s, struct vsp_copy_seg *segs,
		     unsigned int nr);
int vsp_session_raise(struct vsp_session *s, uint64_t vectors);
int vsp_session_set_link(struct vsp_session *s, bool up, uint32_t speed_mbps);
int vsp_session_needs_reset(struct vsp_session *s, uint32_t index, uint32_t why);

/* vsp_port.c */
void vsp_port_fail(struct vsp_port *port, int error);

static inline uint32_t vsp_session_generation(const struct vsp_session *s)
{
	return __atomic_load_n(&s->ctl->generation, __ATOMIC_ACQUIRE);
}

/* One load per burst; true: the port may have changed under the caller. */
static inline void vsp_port_check(struct vsp_port *port)
{
	if (unlikely(vsp_session_generation(&port->session) != port->generation))
		vsp_port_service(port);
}

/* vsp_queue.c */
int vsp_queue_start(struct vsp_queue *q, const struct vsp_vq_state *state);
void vsp_queue_stop(struct vsp_queue *q);
bool vsp_queue_same_rings(const struct vsp_queue *q,
			  const struct vsp_vq_state *state);
bool vsp_queue_same_way(const struct vsp_queue *q, const struct vsp_state *state);
int vsp_queue_peek(struct vsp_queue *q, unsigned int max);
void vsp_queue_finish(struct vsp_queue *q, unsigned int nr_used);
void vsp_queue_call(struct vsp_queue *q);

/* vsp_copy.c */
int vsp_copies_list(struct vsp_copies *c, struct vsp_cursor *cursor, void *addr,
		    uint32_t len, enum vsp_copy_dir dir);
int vsp_copies_run(struct vsp_port *port, struct vsp_copies *c);
bool vsp_copies_faulted(const struct vsp_copies *c, unsigned int first,
			unsigned int end);
int vsp_copies_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr);

/* vsp_window.c */
void vsp_window_open(struct vsp_queue *q);
int vsp_window_failed(struct vsp_copies *c, int error, uint64_t iova, uint32_t len);

/*
 * @len bytes between @addr and the bytes at @cursor, which moves on: at once in
 * the window, by vsp_copies_run() else. -ENOSPC: no room; the list may have grown
 * by a part of it, the caller resets nr.
 */
static inline int vsp_copies_add(struct vsp_copies *c, struct vsp_cursor *cursor,
				 void *addr, uint32_t len, enum vsp_copy_dir dir)
{
	const uint32_t at = cursor->done;
	int ret;

	if (!c->mem)
		return vsp_copies_list(c, cursor, addr, len, dir);
	cursor->done += len;
	if (dir == VSP_COPY_FROM_DRIVER)
		ret = vrl_mem_read(c->mem, c->burst, cursor->chain, at, addr, len);
	else
		ret = vrl_mem_write(c->mem, c->burst, cursor->chain, at, addr, len);
	if (likely(!ret))
		return 0;
	return vsp_window_failed(c, ret, cursor->seg->iova, len);
}

/* vsp_csum.c */
int vsp_csum_from_driver(struct rte_mbuf *m, const struct virtio_net_hdr_v1 *hdr,
			 uint64_t *software);
int vsp_csum_to_driver(const struct rte_mbuf *m, struct virtio_net_hdr_v1 *hdr);
bool vsp_mbuf_is_private(const struct rte_mbuf *m);

static inline bool vsp_csum_is_requested(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0;
}

#endif /* VSP_PRIV_H */
