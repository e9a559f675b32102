/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A driver that writes into a ring whatever it is told to, well-formed or not.
 * unit/guest.c is the one that behaves, and keeps books; this one only knows where
 * its next descriptors go.
 */
#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

#include "side.h"

#define POST_DESCS	8

/* Ways to spoil the structure of a chain; @spoil_with is its argument. */
enum spoil {
	SPOIL_NOT,
	SPOIL_INDIRECT_NEXT,	/* the indirect descriptor has a next one */
	SPOIL_TABLE_LEN,	/* the table's length is no multiple */
	/* The others do not mean the same to both kinds of ring. */
	SPOIL_LOOP,		/* the last one has a next: the first */
	SPOIL_NEXT,		/* ... any */
	SPOIL_HEAD,		/* split: any head; packed: any buffer id */
	SPOIL_NESTED,		/* an entry of the table is indirect */
	SPOIL_ENTRY_NEXT,	/* an entry of the table has any next */
	SPOIL_OWNER,		/* packed: the last one is not available */
	SPOIL_NR
};

struct post_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
};

struct post {
	struct post_desc d[POST_DESCS];
	unsigned int nr;		/* > 0 */
	unsigned int direct;		/* of them in the ring, the rest in a table */
	unsigned int entries;		/* of the table, d[direct..nr) over and over */
	uint64_t table;
	enum spoil spoil;
	uint16_t spoil_with;
};

/* Descriptors that are neither posted nor in flight, by this driver's count. */
unsigned int driver_room(const struct side *s);
/* Descriptors of the ring that it takes. */
unsigned int driver_needs(const struct post *p);
void driver_post(struct side *s, const struct post *p);
/* What was posted becomes available; @more: so much is added to the index. */
void driver_publish(struct side *s, unsigned int more);
/* Event index or flags: an interrupt after @after positions, or by @flags. */
void driver_want_call(struct side *s, unsigned int after, uint16_t flags);

#endif /* FUZZ_DRIVER_H */
