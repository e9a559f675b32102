/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver's side of a virtqueue, split or packed, behind one interface, and an
 * oracle that says what a chain means. Written from the text of virtio 1.3 and
 * with the kernel's ring structs (not the library's), to be obviously right rather
 * than fast.
 *
 * Ring areas are separate allocations of their exact size, so that the address
 * sanitizer sees the first byte read or written outside.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_ring.h>
#include <vrl/vring.h>

#define GUEST_MEM_MAX	64
#define ORACLE_MAX_SEGS	1024

enum guest_kind {
	GUEST_SPLIT,
	GUEST_PACKED,
};

/* A piece of memory that the device may read through the fetch op. */
struct guest_mem {
	uint64_t iova;
	void *p;
	size_t len;
};

struct guest_buf {
	uint64_t iova;
	uint32_t len;
};

/* What the driver remembers of a chain it has posted, by head or buffer id. */
struct guest_chain {
	bool posted;
	unsigned int nr_desc;		/* in the ring */
	uint32_t in_len;
	void *table;			/* indirect table to free */
};

struct guest {
	enum guest_kind kind;
	unsigned int num;
	uint32_t features;		/* VRL_F_* without VRL_F_PACKED */
	bool event_idx;
	bool in_order;

	struct vring_desc *desc;	/* split: the three areas */
	struct vring_avail *avail;
	struct vring_used *used;
	struct vring_packed_desc *ring;	/* packed: the three areas */
	struct vring_packed_desc_event *driver_event;
	struct vring_packed_desc_event *device_event;

	/*
	 * Split: free running indices. Packed: offsets into the ring, with the
	 * wrap counter in bit 15.
	 */
	uint16_t avail_idx;		/* own copy, next to publish */
	uint16_t last_used;		/* next to look at */
	uint16_t kicked;		/* avail_idx at the last kick decision */
	unsigned int unasked;		/* entries or descriptors since then */

	bool *busy;			/* split: per descriptor */
	unsigned int next_desc;		/* split: where to look for a free one */
	unsigned int nr_free;		/* descriptors */
	struct guest_chain *chain;	/* by id */
	unsigned int stray;		/* used ids that were not the device's */

	/* In order only. */
	uint16_t *order;		/* ids as posted, @num of them, circular */
	unsigned int first, next;	/* free running */
	bool in_batch;			/* one used entry for many chains */
	struct vrl_used_elem batch;

	struct guest_mem mem[GUEST_MEM_MAX];
	unsigned int nr_mem;
	unsigned int fetch_calls;
	unsigned int fetch_reqs;
	int fetch_ret;			/* makes the whole op fail */
};

/* @features: VRL_F_EVENT_IDX, VRL_F_IN_ORDER or none; the rest is in @kind. */
void guest_init(struct guest *g, enum guest_kind kind, unsigned int num,
		uint32_t features);
void guest_fini(struct guest *g);
/*
 * Both sides start here, as after a resume with nothing in flight. Packed: offset
 * and wrap counter (VRL_STATE_WRAP); the ring then looks as if used up to there.
 */
void guest_start_at(struct guest *g, uint16_t idx);

/* The state is that of a device which has taken all that was posted until now. */
void guest_config(struct guest *g, struct vrl_vq_config *cfg, bool indirect);

/*
 * A well-behaved driver (2.7.13, 2.8.21): post a chain of nr_out readable then
 * nr_in writable buffers; returns the head or the buffer id, or -1 when
 * descriptors have run out.
 */
int guest_post(struct guest *g, const struct guest_buf *bufs,
	       unsigned int nr_out, unsigned int nr_in, bool indirect);
/*
 * Take one used buffer (2.7.14, 2.8.22); false when there is none. Of a batch
 * that an in-order device gives back by one entry, each buffer comes by itself.
 * An id that was not the device's comes as it is, and counts as stray; where a
 * packed ring goes on from there cannot be known, so nothing ever comes behind it.
 */
bool guest_get_used(struct guest *g, struct vrl_used_elem *e);
/* Must the driver notify for what it posted since the last question. */
bool guest_needs_kick(struct guest *g);
/* What it writes with VIRTIO_F_NOTIFICATION_DATA (2.9). */
uint32_t guest_notify_data(const struct guest *g, uint16_t vqn);
/* Ask for an interrupt at the next used buffer; true if one is there already. */
bool guest_enable_call(struct guest *g);
void guest_disable_call(struct guest *g);
/*
 * With event index: ask for it when n used entries (packed: descriptors) have
 * been passed over and one more is used.
 */
void guest_call_after(struct guest *g, unsigned int n);

/* Raw access to a split ring, for malformed ones. */
void guest_set_desc(struct guest *g, unsigned int i, uint64_t addr,
		    uint32_t len, uint16_t flags, uint16_t next);
void guest_desc_fill(struct vring_desc *d, uint64_t addr, uint32_t len,
		     uint16_t flags, uint16_t next);
void guest_offer(struct guest *g, uint16_t head);
void guest_publish_avail_idx(struct guest *g, uint16_t idx);

/*
 * Raw access to a packed ring. offer makes n descriptors available as they are
 * (id and flags; the two bits that mean "available" are added), the first one last;
 * what the driver remembers of chains does not change, but its position does.
 */
void guest_packed_fill(struct vring_packed_desc *d, uint64_t addr, uint32_t len,
		       uint16_t id, uint16_t flags);
void guest_packed_offer(struct guest *g, const struct vring_packed_desc *d,
			unsigned int n);
/* An offset with wrap counter, n descriptors later. */
uint16_t guest_packed_ahead(const struct guest *g, uint16_t at, unsigned int n);

void guest_add_mem(struct guest *g, uint64_t iova, void *p, size_t len);
/* vrl_fetch_fn on guest_mem; opaque is the struct guest. */
int guest_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr);
/* Memory at [iova, iova + len), or NULL; opaque as above. */
const void *guest_mem_find(void *opaque, uint64_t iova, uint32_t len);

/* Burst arrays of exact sizes. */
struct vrl_burst *burst_create(unsigned int chains, unsigned int segs,
			       unsigned int table);
void burst_destroy(struct vrl_burst *b);

/* What the specification says about a chain. */
enum oracle_verdict {
	ORACLE_LEGAL,
	ORACLE_ILLEGAL,
	ORACLE_FAULT,		/* legal so far, its table cannot be read */
	ORACLE_NONE,		/* packed: no chain here */
};

struct oracle_chain {
	uint16_t id;			/* head or buffer id */
	unsigned int nr_desc;		/* packed: ring descriptors */
	unsigned int nr, nr_out, nr_in;
	uint64_t out_len, in_len;
	struct {
		uint64_t iova;
		uint32_t len;
		bool write;
	} seg[ORACLE_MAX_SEGS];
};

struct oracle {
	const struct vring_desc *desc;	/* split */
	const struct vring_packed_desc *ring;	/* packed */
	unsigned int num;
	unsigned int room;		/* packed: descriptors not in flight; 0: num */
	bool indirect;
	uint64_t iova_last;		/* 0: no limit */
	/* As guest_mem_find(). */
	const void *(*mem)(void *opaque, uint64_t iova, uint32_t len);
	/*
	 * Optional, when the driver rewrites its memory meanwhile: 16 bytes as the
	 * device has seen them, of the ring at @p or, with @p NULL, of a table at
	 * @iova. Loops are then found by counting: the second look may differ.
	 */
	void (*saw)(void *opaque, const void *p, uint64_t iova, void *copy);
	void *opaque;
};

/* Split: the chain from its head. */
enum oracle_verdict oracle_walk(const struct oracle *o, unsigned int head,
				struct oracle_chain *c);
/* Packed: the chain at an offset with wrap counter in bit 15. */
enum oracle_verdict oracle_walk_packed(const struct oracle *o, uint16_t at,
				       struct oracle_chain *c);

/* Same numbers on each run. */
uint32_t test_random(uint32_t *state);

#endif /* GUEST_H */
