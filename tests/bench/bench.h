/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What the parts of the virtqueue bench share: the cases, the driver's side of a
 * ring (driver.c), the arms, each a device side that is measured (floor.c,
 * arm_*.c), and the results. Driver and device alternate on one core; only the
 * device's call is counted and timed.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HDR_LEN		12u	/* virtio_net_hdr with num_buffers, 5.1.6 */
#define BATCH_MAX	32u
#define PIECES_MAX	17u	/* descriptors of one packet */
#define SLOTS_MAX	256u	/* packets of which the descriptors are set up */
#define RING_MAX	1024u
#define FRAME_MAX	65536u
#define IOVA_BASE	0x100000000ull

/* ---- cases ---------------------------------------------------------------- */

enum shape {
	SHAPE_DIRECT,		/* one descriptor; 64 KiB rx: 16 mergeable ones */
	SHAPE_CHAINED,		/* header and frame chained in the ring */
	SHAPE_INDIRECT,		/* the same behind one indirect descriptor */
};

struct workload {
	char name[16];
	bool packed;
	bool rx;		/* the device writes */
	enum shape shape;
	uint32_t frame;		/* bytes, without the header */
	uint32_t ring;		/* entries */
	uint32_t entries;	/* of the ring that one packet takes */
	uint32_t chains;	/* that one packet takes */
	uint32_t slots;
	uint32_t nr_pieces;
	uint32_t pieces[PIECES_MAX];	/* bytes */
};

/* Fills @w with case number @i; false behind the last. */
bool workload_get(struct workload *w, unsigned int i);

/* ---- driver side ---------------------------------------------------------- */

/* The guest's memory: a memfd, mapped once here and once more by rte_vhost. */
struct memory {
	int fd;
	uint8_t *base;
	size_t size;
	size_t area;		/* bytes for rings and tables of one arm */
	uint32_t *pages;	/* shuffled numbers of those behind the areas */
};

int memory_create(struct memory *m, unsigned int arms);

struct driver {
	const struct workload *w;
	const struct memory *mem;
	uint64_t iova_base;	/* of mem->base */
	void *desc;
	void *avail;		/* packed: driver event suppression */
	void *used;		/* packed: device event suppression */
	void *tables;
	uint64_t posted;	/* packets */
	uint64_t reaped;
	uint16_t avail_idx;	/* packed: offset in the ring */
	uint16_t used_idx;
	bool avail_wrap;
	bool used_wrap;
};

void driver_init(struct driver *d, const struct workload *w, const struct memory *m,
		 unsigned int arm, uint64_t iova_base);
void driver_post(struct driver *d, unsigned int packets);
/* Take @packets back; 0, or -1 with a line on stderr if the device did wrong. */
int driver_reap(struct driver *d, unsigned int packets);
/* Byte patterns for a check: into the next packet to post; out of the next to reap. */
void driver_fill(struct driver *d, unsigned int ahead, uint32_t seed);
int driver_check(struct driver *d, uint32_t seed);
void *driver_piece(const struct driver *d, uint64_t packet, unsigned int piece);

void pattern_fill(uint8_t *p, size_t len, uint32_t seed);
int pattern_check(const uint8_t *p, size_t len, uint32_t seed, size_t from);

/* ---- arms ------------------------------------------------------------------ */

/* Private memory of the flat arms: frames as the device holds them. */
struct frames {
	uint8_t *buf[BATCH_MAX];	/* header, then a frame on a line boundary */
	uint32_t len[BATCH_MAX];	/* header included */
};

extern struct frames frames;

int frames_create(void);

struct arm {
	const char *name;
	void *ctx;			/* the arm's own; handed to all but open */
	bool split_only;
	bool identity;			/* IOVAs are pointers */
	unsigned int ranges;		/* of the translation; 0: none */
	int (*open)(const struct arm *a, const struct driver *d);
	/* Up to @n packets from the ring to private memory, and given back. */
	unsigned int (*tx)(void *ctx, unsigned int n);
	/* The first @n private frames to the ring. */
	unsigned int (*rx)(void *ctx, unsigned int n);
	void (*release)(void *ctx);	/* what tx took, if it must be freed */
	/* Check: frame @i of the last tx; set frame @i for the next rx. */
	const uint8_t *(*get)(void *ctx, unsigned int i, uint32_t *len);
	void (*put)(void *ctx, unsigned int i, const uint8_t *frame, uint32_t len);
	void (*close)(void *ctx);
};

const uint8_t *flat_get(void *ctx, unsigned int i, uint32_t *len);
void flat_put(void *ctx, unsigned int i, const uint8_t *frame, uint32_t len);

/* All arms, NULL behind the last. Which one is what for the verdicts: see names. */
extern const struct arm *const arms[];
unsigned int arms_count(void);

extern const struct arm arm_floor_inline, arm_floor_rep;
extern const struct arm arm_vrl_window, arm_vrl_table1, arm_vrl_table64;
extern const struct arm arm_rte, arm_rte_iotlb64;
extern const struct arm arm_vringh_kern, arm_vringh_iotlb;

int rte_start(void);

/* The kernel's interval tree: @ranges of @len bytes, the first leads to 0. */
int kernel_lookup_open(unsigned int ranges, uint64_t first, uint64_t len, uint64_t step);
/* Sum of where @iova[] lead. */
uint64_t kernel_lookup(const uint64_t *iova, unsigned int n);

#endif /* BENCH_H */
