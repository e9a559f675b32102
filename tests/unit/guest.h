/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The driver's side of a split virtqueue, and an oracle that says what a chain
 * means. Written from the text of virtio 1.3 and with the kernel's ring structs
 * (not the library's), to be obviously right rather than fast.
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

struct guest {
	unsigned int num;
	bool event_idx;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;

	uint16_t avail_idx;		/* own copy, next to publish */
	uint16_t last_used;
	uint16_t kicked;		/* avail_idx at the last kick decision */
	bool *busy;			/* per descriptor */
	void **table;			/* per head: indirect table to free */

	struct guest_mem mem[GUEST_MEM_MAX];
	unsigned int nr_mem;
	unsigned int fetch_calls;
	unsigned int fetch_reqs;
	int fetch_ret;			/* makes the whole op fail */
};

void guest_init(struct guest *g, unsigned int num, bool event_idx);
void guest_fini(struct guest *g);
/* Both sides start at these indices, as after a resume. */
void guest_start_at(struct guest *g, uint16_t idx);

/* Raw access, for malformed rings. */
void guest_set_desc(struct guest *g, unsigned int i, uint64_t addr,
		    uint32_t len, uint16_t flags, uint16_t next);
void guest_desc_fill(struct vring_desc *d, uint64_t addr, uint32_t len,
		     uint16_t flags, uint16_t next);
void guest_offer(struct guest *g, uint16_t head);
void guest_publish_avail_idx(struct guest *g, uint16_t idx);
void guest_add_mem(struct guest *g, uint64_t iova, void *p, size_t len);

/*
 * A well-behaved driver (2.7.13): post a chain of nr_out readable then nr_in
 * writable buffers; returns the head, or -1 when descriptors have run out.
 */
int guest_post(struct guest *g, const struct guest_buf *bufs,
	       unsigned int nr_out, unsigned int nr_in, bool indirect);
/* Take one used element (2.7.14); false when there is none. */
bool guest_get_used(struct guest *g, struct vrl_used_elem *e);
/* Must the driver notify for what it posted since the last question (2.7.13.4). */
bool guest_needs_kick(struct guest *g);
/* Ask for an interrupt at the next used buffer; true if one is there already. */
bool guest_enable_call(struct guest *g);
void guest_disable_call(struct guest *g);

/* vrl_fetch_fn on guest_mem; opaque is the struct guest. */
int guest_fetch(void *opaque, struct vrl_fetch *reqs, unsigned int nr);
void guest_config(struct guest *g, struct vrl_vq_config *cfg, bool indirect);

/* Burst arrays of exact sizes. */
struct vrl_burst *burst_create(unsigned int chains, unsigned int segs,
			       unsigned int table);
void burst_destroy(struct vrl_burst *b);

/* What the specification says about a chain. */
enum oracle_verdict {
	ORACLE_LEGAL,
	ORACLE_ILLEGAL,
	ORACLE_FAULT,		/* legal so far, its table cannot be read */
};

struct oracle_chain {
	unsigned int nr, nr_out, nr_in;
	uint64_t out_len, in_len;
	struct {
		uint64_t iova;
		uint32_t len;
		bool write;
	} seg[ORACLE_MAX_SEGS];
};

struct oracle {
	const struct vring_desc *desc;
	unsigned int num;
	bool indirect;
	/* Memory at [iova, iova + len), or NULL. */
	const void *(*mem)(void *opaque, uint64_t iova, uint32_t len);
	void *opaque;
};

enum oracle_verdict oracle_walk(const struct oracle *o, unsigned int head,
				struct oracle_chain *c);
/* guest_mem lookup in the form the oracle wants. */
const void *guest_mem_find(void *opaque, uint64_t iova, uint32_t len);

/* Same numbers on each run. */
uint32_t test_random(uint32_t *state);

#endif /* GUEST_H */
