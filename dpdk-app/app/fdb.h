/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Forwarding database of the switch: which MAC address was last seen on which
 * port. Of fixed size, so that a station inventing addresses costs no memory:
 * what finds no place is not learnt, and its frames are flooded. Plain C.
 *
 * One thread learns, looks up and flushes. Another may walk at the same time
 * and sees each entry as it was at some moment.
 */
#ifndef FDB_H
#define FDB_H

#include <stdint.h>

#define FDB_MAC_LEN	6

struct fdb;

struct fdb_entry {
	uint8_t mac[FDB_MAC_LEN];
	uint16_t port;
	uint32_t age_s;
};

/**
 * fdb_create() - make an empty database
 * @nr_entries: room, rounded up to a power of two, at least one bucket
 * @ageing_s:   seconds without a frame after which an entry is forgotten, > 0
 * @seed:       random: keeps stations from choosing addresses that collide
 *
 * Return: the database, or NULL without memory.
 */
struct fdb *fdb_create(uint32_t nr_entries, uint32_t ageing_s, uint64_t seed);

/** fdb_destroy() - free a database, or NULL */
void fdb_destroy(struct fdb *fdb);

/**
 * fdb_learn() - a frame from @mac came in on a port
 * @fdb:   database
 * @mac:   source address; group addresses and all zeroes are not learnt
 * @port:  port
 * @now_s: time in seconds, of any origin; may wrap
 *
 * A station that moved is moved at once.
 */
void fdb_learn(struct fdb *fdb, const uint8_t *mac, uint16_t port, uint32_t now_s);

/**
 * fdb_lookup() - where is a station
 * @fdb:   database
 * @mac:   destination address
 * @now_s: as for fdb_learn()
 *
 * Return: the port, or -ENOENT.
 */
int fdb_lookup(const struct fdb *fdb, const uint8_t *mac, uint32_t now_s);

/** fdb_flush_port() - forget all stations of @port */
void fdb_flush_port(struct fdb *fdb, uint16_t port);

/**
 * fdb_next() - walk over the live entries
 * @fdb:   database
 * @pos:   0 at first, then as left by the last call
 * @now_s: as for fdb_learn()
 * @entry: out
 *
 * Return: 1 with @entry filled, or 0 at the end.
 */
int fdb_next(const struct fdb *fdb, uint32_t *pos, uint32_t now_s,
	     struct fdb_entry *entry);

/** fdb_unlearnt() - how often an address found no place, by calls of fdb_learn() */
uint64_t fdb_unlearnt(const struct fdb *fdb);

#endif /* FDB_H */
