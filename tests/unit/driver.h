/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Driver side of both rings for two threads, with exactly the memory order that
 * virtio 1.3 asks of a driver and no more: where the tests' guest.c is sequentially
 * consistent throughout, a barrier that the library lacks must show here.
 *
 * The rings lie in the caller's memory and everything else in the struct, so that
 * both can be copied: a copy of the two is the machine at that moment.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vrl/vring.h>

#define DRIVER_NUM_MAX	256

struct driver_buf {
	uint64_t iova;
	uint32_t len;
};

struct driver {
	uint32_t features;		/* VRL_F_* */
	unsigned int num;
	struct vring_desc *split_desc;
	struct vring_packed_desc *packed_desc;
	void *driver_area;
	void *device_area;

	/*
	 * Ids are heads (split) or buffer ids (packed); which is next is the order in
	 * which they came back. Split: nr_free counts entries of free[].
	 */
	uint16_t free[DRIVER_NUM_MAX];
	unsigned int nr_free;		/* ids; split: descriptors */
	unsigned int room;		/* packed: descriptors */
	uint16_t nr_desc[DRIVER_NUM_MAX];	/* of an id; 0: not out */
	uint16_t next[DRIVER_NUM_MAX];		/* split: of a descriptor */

	/* VRL_F_IN_ORDER: what is out, oldest first, and the last one known to be back. */
	uint16_t order[DRIVER_NUM_MAX];
	unsigned int nr_order;
	int back;			/* or -1 */
	uint32_t back_len;

	/* Split: free-running. Packed: position, wrap counter in bit 15. */
	uint16_t avail;
	uint16_t used;
	uint16_t kicked;		/* avail at the last kick decision */
};

/* Bytes for the three areas of a ring. */
size_t driver_mem_size(uint32_t features, unsigned int num);
/* @mem: zeroed, aligned to 16. Split rings begin at index @start. */
void driver_init(struct driver *d, void *mem, uint32_t features, unsigned int num,
		 uint16_t start);
/* The same driver with the rings at another place. */
void driver_move(struct driver *d, void *mem);
/* How the device side has to be set up for it. */
void driver_config(const struct driver *d, struct vrl_vq_config *cfg);

/*
 * Posts a chain and shows it at once. @table: memory for nr_out + nr_in descriptors,
 * then the chain is indirect, or NULL. Returns its id, or -1 if there is no room.
 */
int driver_post(struct driver *d, const struct driver_buf *bufs, unsigned int nr_out,
		unsigned int nr_in, struct vring_desc *table);
/*
 * Takes one used element: 1; none: 0; -1 if the device gave back what is not out.
 * With VRL_F_IN_ORDER one element may stand for several chains (2.7.9, 2.8.9): they
 * come one after the other, the length of all but the last as ~0: used completely.
 */
int driver_get_used(struct driver *d, uint32_t *id, uint32_t *len);
/* Must it notify for what it posted since the last question? */
bool driver_needs_kick(struct driver *d);
/* Asks for an interrupt at the next used buffer; true if one is there already. */
bool driver_enable_call(struct driver *d);
void driver_disable_call(struct driver *d);

#endif /* DRIVER_H */
