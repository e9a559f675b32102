/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * One virtqueue under fuzzing, split or packed: its memory, the library's side of
 * it, and a model of where that side must stand. Every call of the library is made
 * here and checked against the model and against what the oracle makes of the words
 * that the library read.
 *
 * side.c     set-up, state, migration, reset
 * side_peek.c    peek and consume
 * side_push.c    push, the questions about notifications
 * side_log.c     in-flight log: crashes, and chains that come again
 * side_copy.c    vrl/mem.h over what was peeked
 */
#ifndef FUZZ_SIDE_H
#define FUZZ_SIDE_H

#include "../unit/guest.h"
#include "space.h"

#define SIDE_NUM_MAX	128
#define SIDE_CHAINS	16		/* of the roomy burst */
#define FETCH_MAX	(16 * VRL_CHAIN_MAX)

enum { DESC, DRIVER, DEVICE, MEMORY };

/* How a side is made; out of the first bytes of an input. */
struct side_config {
	bool packed;
	unsigned int num;
	uint32_t features;		/* VRL_F_*, VRL_F_PACKED too */
	uint64_t iova_last;
	bool by_fetch;			/* tables; else through vrl_mem */
	bool window;			/* one range from 0 to iova_last, no table */
	bool log;			/* vrl/inflight.h */
	bool fifo;			/* what is taken first is pushed first */
	uint8_t clobber;		/* view_config.clobber for peeks */
	uint16_t start;			/* split: free running; packed: offset */
	unsigned int skew;
	/* 0 of all three: roomy. */
	unsigned int max_chains, max_segs, max_table;
	struct range range[SPACE_RANGES];
	unsigned int nr_ranges;
};

/* A chain that the device has taken. */
struct taken {
	uint32_t id;			/* vrl_chain.id */
	uint16_t key;			/* head or buffer id */
	uint16_t nr_desc;		/* of the ring */
	uint32_t in_len;
	unsigned int seq;		/* order of being taken */
};

struct side {
	struct side_config cfg;
	struct area area[MEMORY + SPACE_RANGES];
	struct space space;
	struct vrl_vq *vq;
	struct vrl_burst *b;
	bool roomy;

	/* The model of the device side. Packed: offset, and wrap in bit 15. */
	uint16_t last_avail, used_idx;
	uint16_t seen_idx;		/* split: avail idx when last looked at */
	unsigned int in_flight;		/* split: chains, packed: descriptors */
	uint16_t asked_idx;		/* used_idx at the last needs_call */
	unsigned int unasked;		/* steps since then */
	bool never_asked;
	bool broken;
	struct taken taken[SIDE_NUM_MAX];	/* oldest first */
	unsigned int nr_taken;
	/* With a log, after a crash: on record, to come again before all others. */
	struct taken again[SIDE_NUM_MAX];
	unsigned int nr_again;
	unsigned int seq;
	void *log;			/* blocks of their exact size */
	uint16_t *resubmit;

	/* The last peek. */
	struct taken peeked[SIDE_CHAINS];
	unsigned int nr_peeked;		/* what may be consumed */
	bool fetch_fails;
	bool fetch_called;
	struct vrl_fetch fetched[SIDE_CHAINS];
	uint8_t (*table)[FETCH_MAX];	/* what each of them read */
	unsigned int nr_fetched, next_fetched;
	/* What the oracle asked for and the library had not looked at. */
	bool unseen_flags, unseen_rest;
	unsigned int entries;		/* of the table it went through */
	uint8_t *copy;			/* of all of it, if there was one made */
	uint64_t copy_iova;

	/* A push: the store that shows it to the driver, and what was there. */
	bool released;
	uint8_t hidden[2];

	/* The driver, who need not be a good one: driver.c's. */
	uint16_t avail_idx;		/* next to publish */
	uint16_t free_desc;		/* split: where to look next */
	unsigned int unread;		/* descriptors posted and not consumed */
	struct {
		uint16_t off, flags;	/* packed: what makes it available */
	} ready[SIDE_CHAINS];
	unsigned int nr_ready;		/* posted, not published */
};

void side_init(struct side *s, const struct side_config *cfg);
void side_fini(struct side *s);
void side_check_state(const struct side *s);
/* Another struct vrl_vq takes over; @rewind: it takes chains in flight again. */
void side_migrate(struct side *s, bool rewind);
/* The device is told to stand somewhere else; the model follows if it may. */
void side_set_state(struct side *s, const struct vrl_vq_state *st);
/* Queue reset; its memory goes, all calls are made, and it begins anew. */
void side_reset(struct side *s);

/* @n positions later (packed: descriptors). */
uint16_t side_ahead(const struct side *s, uint16_t at, unsigned int n);
void side_view_begin(struct side *s, uint8_t clobber);
/* The driver changes nothing, and nobody asks for the order of stores. */
void side_view_calm(struct side *s);
/* view_config.release: right before the driver sees a push. */
void side_released(void *opaque, const volatile void *p);

/* vrl_vq_init() on the memory that there is. */
int side_open(struct side *s, struct vrl_vq *vq, const struct vrl_vq_state *st);
/* The model of a device that has just begun. */
void side_stand(struct side *s, const struct vrl_vq_state *st);

int side_peek(struct side *s, unsigned int max, bool fetch_fails);
void side_consume(struct side *s, unsigned int n);
int side_avail_count(struct side *s);
/* Packed: is the next descriptor available, by what was looked at just now? */
bool side_saw_avail(struct side *s);

/* With a log: the process dies and another one goes on. */
void side_reopen(struct side *s);
/* It dies before the @after-th store of a push of @n chains, or of taking them. */
void side_die_pushing(struct side *s, unsigned int n, uint32_t len, unsigned int after);
void side_die_taking(struct side *s, unsigned int n, unsigned int after);
/* @n chains are taken, by the model. */
void side_log_take(struct side *s, unsigned int n);
/* The descriptors of a chain in flight as the log has them; how many. */
unsigned int side_log_chain(const struct side *s, const struct taken *t,
			    struct vring_packed_desc *d);

/* Out of s->taken, by index; @len is cut to what the chain can hold. */
void side_push(struct side *s, const uint8_t *which, unsigned int n, uint32_t len);
void side_push_in_order(struct side *s, unsigned int n, uint32_t len);
void side_needs_call(struct side *s);
bool side_enable_kick(struct side *s);
void side_disable_kick(struct side *s);

/* vrl/mem.h on the i-th chain of the last peek. */
void side_read(struct side *s, unsigned int i, uint32_t off, uint32_t len);
void side_write(struct side *s, unsigned int i, uint32_t off, uint32_t len);
void side_pieces(struct side *s, unsigned int i, unsigned int max);

#endif /* FUZZ_SIDE_H */
