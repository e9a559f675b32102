/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Forwarding database: a hash table of buckets, each one cache line of four
 * entries. There is no chaining and no eviction of live entries: a station that
 * invents addresses cannot push others out, it only fails to get in.
 */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fdb.h"

#define FDB_WAYS	4

/*
 * Address and port are one word, so that a walker in another thread never sees
 * a mix of two entries. The word is 0 in an empty slot: the address of no
 * station is 0.
 */
struct fdb_slot {
	uint64_t mac_port;	/* mac << 16 | port */
	uint32_t seen_s;
	uint32_t reserved;
};

struct fdb {
	uint64_t seed;
	uint64_t unlearnt;
	uint32_t mask;		/* of buckets */
	uint32_t ageing_s;
	struct fdb_slot slots[];
};

static uint64_t fdb_mac(const uint8_t *mac)
{
	uint32_t high;
	uint16_t low;

	memcpy(&high, mac, sizeof(high));
	memcpy(&low, mac + sizeof(high), sizeof(low));
	return (uint64_t)be32toh(high) << 16 | be16toh(low);
}

/* Two rounds of multiply and fold: every bit of the address counts. */
static uint32_t fdb_bucket(const struct fdb *fdb, uint64_t mac)
{
	uint64_t h = mac ^ fdb->seed;

	h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32) & fdb->mask;
}

static uint64_t slot_read(const struct fdb_slot *slot)
{
	return __atomic_load_n(&slot->mac_port, __ATOMIC_RELAXED);
}

static void slot_write(struct fdb_slot *slot, uint64_t mac_port)
{
	__atomic_store_n(&slot->mac_port, mac_port, __ATOMIC_RELAXED);
}

static uint32_t slot_age(const struct fdb_slot *slot, uint32_t now_s)
{
	return now_s - __atomic_load_n(&slot->seen_s, __ATOMIC_RELAXED);
}

static bool slot_is_live(const struct fdb *fdb, const struct fdb_slot *slot,
			 uint32_t now_s)
{
	return slot_read(slot) && slot_age(slot, now_s) < fdb->ageing_s;
}

struct fdb *fdb_create(uint32_t nr_entries, uint32_t ageing_s, uint64_t seed)
{
	const size_t bucket_size = FDB_WAYS * sizeof(struct fdb_slot);
	uint32_t nr_buckets = 1;
	struct fdb *fdb;

	while ((uint64_t)nr_buckets * FDB_WAYS < nr_entries)
		nr_buckets *= 2;

	fdb = calloc(1, sizeof(*fdb) + nr_buckets * bucket_size);
	if (!fdb)
		return NULL;
	fdb->seed = seed;
	fdb->mask = nr_buckets - 1;
	fdb->ageing_s = ageing_s;
	return fdb;
}

void fdb_destroy(struct fdb *fdb)
{
	free(fdb);
}

void fdb_learn(struct fdb *fdb, const uint8_t *mac, uint16_t port, uint32_t now_s)
{
	const uint64_t word = fdb_mac(mac);
	struct fdb_slot *bucket, *slot = NULL;
	unsigned int i;

	if ((mac[0] & 1) || !word)
		return;

	bucket = &fdb->slots[fdb_bucket(fdb, word) * FDB_WAYS];
	for (i = 0; i < FDB_WAYS; i++) {
		if (bucket[i].mac_port >> 16 == word) {
			slot = &bucket[i];
			break;
		}
		if (!slot && !slot_is_live(fdb, &bucket[i], now_s))
			slot = &bucket[i];
	}
	if (!slot) {
		fdb->unlearnt++;
		return;
	}
	/* Most frames: nothing is new, and the line stays clean. */
	if (slot->seen_s != now_s)
		__atomic_store_n(&slot->seen_s, now_s, __ATOMIC_RELAXED);
	if (slot->mac_port != (word << 16 | port))
		slot_write(slot, word << 16 | port);
}

int fdb_lookup(const struct fdb *fdb, const uint8_t *mac, uint32_t now_s)
{
	const uint64_t word = fdb_mac(mac);
	const struct fdb_slot *bucket;
	unsigned int i;

	if (!word)
		return -ENOENT;
	bucket = &fdb->slots[fdb_bucket(fdb, word) * FDB_WAYS];
	for (i = 0; i < FDB_WAYS; i++)
		if (bucket[i].mac_port >> 16 == word &&
		    slot_is_live(fdb, &bucket[i], now_s))
			return bucket[i].mac_port & 0xffff;
	return -ENOENT;
}

static uint32_t fdb_nr_slots(const struct fdb *fdb)
{
	return (fdb->mask + 1) * FDB_WAYS;
}

void fdb_flush_port(struct fdb *fdb, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < fdb_nr_slots(fdb); i++)
		if ((fdb->slots[i].mac_port & 0xffff) == port)
			slot_write(&fdb->slots[i], 0);
}

int fdb_next(const struct fdb *fdb, uint32_t *pos, uint32_t now_s,
	     struct fdb_entry *entry)
{
	while (*pos < fdb_nr_slots(fdb)) {
		const struct fdb_slot *slot = &fdb->slots[(*pos)++];
		const uint64_t word = slot_read(slot);
		const uint32_t age_s = slot_age(slot, now_s);
		unsigned int i;

		if (!word || age_s >= fdb->ageing_s)
			continue;
		for (i = 0; i < FDB_MAC_LEN; i++)
			entry->mac[i] = (uint8_t)(word >> (56 - 8 * i));
		entry->port = word & 0xffff;
		entry->age_s = age_s;
		return 1;
	}
	return 0;
}

uint64_t fdb_unlearnt(const struct fdb *fdb)
{
	return fdb->unlearnt;
}
