/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause */
/*
 * The backend contract: how a process becomes the data path of a function.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Every function of the card has a character device /dev/vsp/<function>, for
 * example /dev/vsp/10000:01:00.1. The process that has it open is the backend:
 * it moves descriptors and bytes; the kernel keeps the control queue, the
 * device state and the protection. One backend per function; without one the
 * function keeps its state and its descriptors wait in the rings.
 *
 * Life of a session
 *
 *   open()               EBUSY while another backend holds the function,
 *                        ENODEV when the function is gone
 *   VSP_IOC_ATTACH       version and capability handshake; nothing else works
 *                        before it (EPROTO)
 *   mmap(VSP_MMAP_CTL)   kernel's page, read-only:  generation, state
 *   mmap(VSP_MMAP_BE)    backend's page:            sleep flags, counters
 *   loop:
 *     if the generation word moved:
 *       read() events until EAGAIN, handle each, VSP_IOC_ACK
 *     for each ready queue: take chains from the ring, VSP_IOC_COPY the
 *       bytes, write used entries, VSP_IOC_RAISE the vector
 *   close() or death     the kernel takes the function back; chains that were
 *                        taken but not returned are seen by the next backend
 *
 * Where the bytes are
 *
 *   Rings are mapped: mmap at VSP_MMAP_RING(queue, area). The address of the
 *   area within its first page is the low 12 bits of its IOVA (vsp_vq_state).
 *   After the queue is disabled or the session has ended the mapping shows a
 *   private zero page; touching it is harmless and means nothing.
 *
 *   Buffers and indirect tables are IOVAs. VSP_IOC_COPY moves them, many at a
 *   time; the kernel checks each against what the driver has mapped, to the
 *   byte. An IOVA without a mapping, or without the permission, is a DMA fault:
 *   the segment's status says so, the others are copied, the card counts it.
 *
 *   Or they are in the window, with no call and no copy by the kernel: memory that a
 *   user of vhost_vdpa has mapped, at the mapping of VSP_MMAP_WINDOW(asid) plus its
 *   IOVA. VSP_BE_F_WINDOW asks for it at VSP_IOC_ATTACH, vsp_state.way says whether
 *   the driver of the moment maps so, vsp_state.asid which window is meant. One
 *   mapping of all of the window costs nothing; what is touched is. What the driver
 *   has not mapped, or not for writing, is a private page there: a load means
 *   nothing, a store is lost, the card counts a DMA fault. Look into the table at
 *   VSP_MMAP_IOTLB(asid) before; that is struct vrl_iotlb of vringh-lib's
 *   <vrl/iotlb.h>, with the IOVA itself as where an address leads. Memory that is
 *   unmapped is gone from the window when the driver's call returns, without an
 *   acknowledgement; map_generation moves.
 *
 * Events
 *
 *   read() returns whole struct vsp_event; O_NONBLOCK gives EAGAIN when there
 *   is none. There is at most one unread event per (type, queue): a newer one
 *   takes the older one's place. Every event moves the generation word of the
 *   control page as soon as it can be read, so a polling backend needs no
 *   system call to notice. VSP_IOC_ATTACH replays the state of the moment as
 *   events: STATUS, SUSPEND and POWER if the device stands still, and VQ_ENABLE
 *   for each queue that is ready. The port's link is down until the backend says VSP_IOC_SET_LINK.
 *
 *   Some events promise the driver that the device has stopped (see each
 *   type). For these the kernel waits until VSP_IOC_ACK names the event's
 *   sequence number or a later one, but not longer than backend_timeout_ms.
 *   A backend that does not answer in time loses the function: every later
 *   call gives ENOTCONN and poll() POLLHUP. If it dies in between, the kernel
 *   does not wait.
 *
 * All integers are in host byte order; the rings are little endian, as in
 * virtio. Unknown flags and non-zero reserved fields are refused with EINVAL.
 */
#ifndef _UAPI_VDPA_SIM_PCIE_H
#define _UAPI_VDPA_SIM_PCIE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VSP_CONTRACT_VERSION	2

/* Most virtqueues a function can have: 8 queue pairs and the control queue. */
#define VSP_MAX_VQS		17
/* Most MSI-X vectors: mailbox, config, and one per virtqueue. */
#define VSP_MAX_VECTORS		19
#define VSP_NO_VECTOR		0xffff

/* ---- mmap: offsets into the character device ---------------------------- */

#define VSP_MMAP_CTL		0x0000000000ULL	/* 1 page, read-only */
#define VSP_MMAP_BE		0x0000100000ULL	/* 1 page, read and write */
#define VSP_MMAP_RING_BASE	0x0100000000ULL
#define VSP_MMAP_DDR		0x1000000000ULL	/* device memory, as in BAR 2 */
#define VSP_MMAP_RING_SHIFT	24
/* Range table of an address space, read-only; with VSP_BE_F_WINDOW. */
#define VSP_MMAP_IOTLB_SHIFT	24
#define VSP_MMAP_IOTLB_SIZE	0x21000ULL
#define VSP_MMAP_IOTLB(asid) \
	((1ULL << 55) + ((__u64)(asid) << VSP_MMAP_IOTLB_SHIFT))
/* Window of an address space; with VSP_BE_F_WINDOW. IOVA and offset are the same. */
#define VSP_MMAP_WINDOW_SHIFT	48
#define VSP_MMAP_WINDOW(asid) \
	((1ULL << 56) + ((__u64)(asid) << VSP_MMAP_WINDOW_SHIFT))

enum vsp_ring_area {
	VSP_RING_DESC	= 0,	/* descriptor area, written by the driver */
	VSP_RING_DRIVER	= 1,	/* available ring */
	VSP_RING_DEVICE	= 2,	/* used ring, written by the device */
};

#define VSP_MMAP_RING(queue, area) \
	(VSP_MMAP_RING_BASE + \
	 ((((__u64)(queue) << 2) | (__u64)(area)) << VSP_MMAP_RING_SHIFT))

/* Bytes of an area of a split ring, event words included. (virtio 1.3, 2.7) */
static inline __u64 vsp_ring_area_size(__u32 num, enum vsp_ring_area area)
{
	switch (area) {
	case VSP_RING_DESC:
		return 16 * (__u64)num;
	case VSP_RING_DRIVER:
		return 6 + 2 * (__u64)num;
	default:
		return 6 + 8 * (__u64)num;
	}
}

/* The kernel's page. */
struct vsp_ctl_page {
	__u32 generation;	/* moves with events, maps, and when the session is lost */
	__u32 map_generation;	/* moves when ranges are mapped or unmapped */
	__u32 reserved[14];
};

/* The backend's page. The kernel believes nothing in it. */
struct vsp_be_queue {
	__u32 sleeping;		/* 1: signal the kick eventfd on a doorbell */
	__u32 reserved0;
	__u64 packets;		/* shown in the card's statistics registers */
	__u64 bytes;
	__u64 drops;
	__u64 reserved[4];
};

struct vsp_be_page {
	struct vsp_be_queue vq[VSP_MAX_VQS];
};

/* ---- ioctls -------------------------------------------------------------- */

/* The backend can go by windows; else all functions go by VSP_IOC_COPY. */
#define VSP_BE_F_WINDOW		(1ULL << 0)

/*
 * VSP_IOC_ATTACH: backend -> kernel, once per open.
 * In: version, features wanted. Out: the function's fixed properties and the
 * features granted, a subset. EPROTO: the kernel does not speak this version
 * (version is then set to the one it speaks). EALREADY: done before.
 */
struct vsp_attach {
	__u32 version;
	__u32 flags;			/* must be zero */
	__u64 backend_features;		/* VSP_BE_F_*; unknown ones are not granted */
	__u32 device_id;		/* virtio device type, 1: network */
	__u32 nr_vqs;			/* with the control queue */
	__u32 nr_vectors;
	__u32 max_vq_size;
	__u32 max_copy_segs;		/* per VSP_IOC_COPY */
	__u32 timeout_ms;		/* for acknowledgements */
	__u32 ctrl_vq;			/* this queue is the kernel's, ~0: none */
	__u32 nr_asids;			/* address spaces of the function */
	__u64 ddr_size;			/* bytes at VSP_MMAP_DDR; 0: no device memory */
	__u64 window_size;		/* bytes of each window */
};

enum vsp_way {
	VSP_WAY_COPY	= 0,	/* VSP_IOC_COPY */
	VSP_WAY_WINDOW	= 1,	/* loads and stores in the window; and VSP_IOC_COPY */
};

/* VSP_IOC_GET_STATE: the function's state, all of one moment. */
struct vsp_state {
	__u64 device_features;
	__u64 driver_features;		/* 0 before FEATURES_OK */
	__u32 status;			/* virtio device status byte */
	__u32 link_up;
	__u16 mtu;
	__u8  mac[6];
	__u32 nr_vqs_active;		/* data queues the driver may use */
	__u32 way;			/* enum vsp_way, to the bytes of its buffers */
	__u32 asid;			/* address space of the data queues */
	__u32 reserved[4];
};

/*
 * VSP_IOC_GET_VQ. In: index. Out: the rest. EINVAL: no such queue.
 * A backend starts at last_avail and writes used entries from used_idx.
 */
struct vsp_vq_state {
	__u32 index;
	__u32 size;			/* descriptors; 0: not set */
	__u32 ready;
	__u32 vector;			/* MSI-X vector or VSP_NO_VECTOR */
	__u64 desc;			/* IOVAs of the three areas */
	__u64 driver;
	__u64 device;
	__u16 last_avail;
	__u16 used_idx;
	__u32 reserved[5];
};

/*
 * VSP_IOC_SET_KICK: fd is an eventfd to signal when the driver rings the
 * queue's doorbell while vsp_be_queue.sleeping is 1; -1 removes it. The kernel
 * holds a reference to the eventfd until it is replaced or the session ends.
 */
struct vsp_kick {
	__u32 index;
	__s32 fd;
	__u32 reserved[2];
};

/*
 * VSP_IOC_SET_CALL: fd is an eventfd; each signal of it raises MSI-X vector
 * @vector, from any process that has the eventfd and with no system call on this
 * device; -1 removes it. Signals that come faster than the interrupt is handled
 * are one. The kernel holds the eventfd until it is replaced or the session ends.
 * EINVAL: no such vector, or fd is no eventfd. EBADF: fd is no file.
 */
struct vsp_call {
	__u32 vector;
	__s32 fd;
	__u32 reserved[2];
};

/* VSP_IOC_RAISE: bit N raises MSI-X vector N. EINVAL: a bit beyond the table. */
struct vsp_raise {
	__u64 vectors;
};

enum vsp_copy_dir {
	VSP_COPY_FROM_DRIVER	= 0,	/* memory at iova -> addr */
	VSP_COPY_TO_DRIVER	= 1,	/* addr -> memory at iova */
};

#define VSP_COPY_OK		0
#define VSP_COPY_FAULT		1	/* not mapped, or no permission */

struct vsp_copy_seg {
	__aligned_u64 iova;
	__aligned_u64 addr;		/* in the calling process */
	__u32 len;			/* bytes; 0 is allowed and does nothing */
	__u16 dir;			/* enum vsp_copy_dir */
	__u16 status;			/* out: VSP_COPY_*; written only on a fault */
};

/*
 * VSP_IOC_COPY: copy nr_segs segments in order. Returns the number of segments
 * that faulted, 0 when all went well; a faulting segment may be partly copied.
 * EFAULT: segs or an addr is not memory of the caller; some segments may have
 * been copied. EINVAL: nr_segs above max_copy_segs, or a bad dir. EAGAIN: the
 * driver has not set DRIVER_OK, or the function is suspended or being reset.
 */
struct vsp_copy {
	__aligned_u64 segs;
	__u32 nr_segs;
	__u32 flags;			/* must be zero */
};

/*
 * VSP_IOC_SET_LINK: what the card's port reports to the driver in the network
 * configuration's status; a change raises the configuration vector.
 * speed_mbps is shown in the LINK registers.
 */
struct vsp_link {
	__u32 up;
	__u32 speed_mbps;
	__u32 reserved[2];
};

/*
 * VSP_IOC_NEEDS_RESET: the driver broke the rules of this queue. The kernel sets
 * DEVICE_NEEDS_RESET and raises the configuration vector (virtio 1.3, 2.1.2);
 * the driver's reset arrives as VSP_EVENT_RESET.
 */
struct vsp_needs_reset {
	__u32 index;
	__u32 why;			/* for the kernel's log line; enum vrl_why */
};

/* VSP_IOC_ACK: all events up to and with this sequence number are handled. */
struct vsp_ack {
	__u64 seq;
};

#define VSP_IOC_MAGIC		0xb6
#define VSP_IOC_ATTACH		_IOWR(VSP_IOC_MAGIC, 0, struct vsp_attach)
#define VSP_IOC_GET_STATE	_IOR(VSP_IOC_MAGIC, 1, struct vsp_state)
#define VSP_IOC_GET_VQ		_IOWR(VSP_IOC_MAGIC, 2, struct vsp_vq_state)
#define VSP_IOC_SET_KICK	_IOW(VSP_IOC_MAGIC, 3, struct vsp_kick)
#define VSP_IOC_RAISE		_IOW(VSP_IOC_MAGIC, 4, struct vsp_raise)
#define VSP_IOC_COPY		_IOW(VSP_IOC_MAGIC, 5, struct vsp_copy)
#define VSP_IOC_SET_LINK	_IOW(VSP_IOC_MAGIC, 6, struct vsp_link)
#define VSP_IOC_ACK		_IOW(VSP_IOC_MAGIC, 7, struct vsp_ack)
#define VSP_IOC_NEEDS_RESET	_IOW(VSP_IOC_MAGIC, 8, struct vsp_needs_reset)
#define VSP_IOC_SET_CALL	_IOW(VSP_IOC_MAGIC, 9, struct vsp_call)

/* ---- events: kernel -> backend, by read() -------------------------------- */

enum vsp_event_type {
	/*
	 * The driver wrote the status byte (value). With DRIVER_OK set the
	 * backend may use the queues that are ready.
	 */
	VSP_EVENT_STATUS	= 1,
	/* A queue is ready; VSP_IOC_GET_VQ, map its areas, start. */
	VSP_EVENT_VQ_ENABLE	= 2,
	/* A queue must be left alone from the acknowledgement on. Acknowledge. */
	VSP_EVENT_VQ_DISABLE	= 3,
	/* All queues must be left alone; the state is as after power-on. Acknowledge. */
	VSP_EVENT_RESET		= 4,
	/* MAC, MTU, active queues, or the way changed; VSP_IOC_GET_STATE. */
	VSP_EVENT_CONFIG	= 5,
	/* Function level reset: as VSP_EVENT_RESET. Acknowledge. */
	VSP_EVENT_FLR		= 6,
	/* The function has left the bus. The session ends with it: close. */
	VSP_EVENT_UNPLUG	= 7,
	/*
	 * The function's power state changed; value: 0 for D0, 3 for D3hot. In
	 * D3hot queues must be left alone from the acknowledgement on, rings and
	 * state stay as they are; VSP_IOC_COPY gives EAGAIN and interrupts wait
	 * in the pending bits. Acknowledge.
	 */
	VSP_EVENT_POWER		= 8,
	/*
	 * value 1: the driver has suspended the device. All queues must be left
	 * alone from the acknowledgement on, also those enabled meanwhile; rings,
	 * indices and state stay as they are and VSP_IOC_COPY gives EAGAIN.
	 * value 0: it goes on; a reset ends it, too. Acknowledge.
	 */
	VSP_EVENT_SUSPEND	= 9,
};

#define VSP_EVENT_FLAG_ACK	(1U << 0)	/* the kernel waits for VSP_IOC_ACK */

struct vsp_event {
	__u64 seq;
	__u32 type;			/* enum vsp_event_type */
	__u32 flags;			/* VSP_EVENT_FLAG_* */
	__u32 queue;			/* VQ_ENABLE, VQ_DISABLE */
	__u32 value;			/* STATUS: the byte; POWER: D-state; SUSPEND */
	__u32 reserved[2];
};

#endif /* _UAPI_VDPA_SIM_PCIE_H */
