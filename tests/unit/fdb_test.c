// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The forwarding database of vsp-switch, on its own.
 */
#include "test.h"

#include <errno.h>
#include <string.h>

#include <fdb.h>

#define AGEING	300

static const uint8_t mac_a[6] = { 2, 0, 0, 0, 0, 0xa };
static const uint8_t mac_b[6] = { 2, 0, 0, 0, 0, 0xb };

static int setup(void **state)
{
	*state = fdb_create(1024, AGEING, 0x123456789abcdef);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	fdb_destroy(*state);
	return 0;
}

/* The address of station @i; the low bytes vary, as a driver's would. */
static const uint8_t *station(uint32_t i)
{
	static uint8_t mac[6];

	mac[0] = 2;
	mac[2] = (uint8_t)(i >> 24);
	mac[3] = (uint8_t)(i >> 16);
	mac[4] = (uint8_t)(i >> 8);
	mac[5] = (uint8_t)i;
	return mac;
}

static unsigned int count(struct fdb *fdb, uint32_t now)
{
	struct fdb_entry entry;
	unsigned int nr = 0;
	uint32_t pos = 0;

	while (fdb_next(fdb, &pos, now, &entry))
		nr++;
	return nr;
}

static void unknown_station_is_not_found(void **state)
{
	assert_int_equal(fdb_lookup(*state, mac_a, 0), -ENOENT);
	fdb_learn(*state, mac_b, 3, 0);
	assert_int_equal(fdb_lookup(*state, mac_a, 0), -ENOENT);
}

static void station_is_found_where_it_was_seen(void **state)
{
	fdb_learn(*state, mac_a, 0, 10);
	fdb_learn(*state, mac_b, 0xffff, 10);
	assert_int_equal(fdb_lookup(*state, mac_a, 10), 0);
	assert_int_equal(fdb_lookup(*state, mac_b, 10), 0xffff);
	assert_int_equal(count(*state, 10), 2);
}

static void station_moves_at_once(void **state)
{
	fdb_learn(*state, mac_a, 1, 10);
	fdb_learn(*state, mac_a, 2, 10);
	assert_int_equal(fdb_lookup(*state, mac_a, 10), 2);
	assert_int_equal(count(*state, 10), 1);
}

static void group_and_zero_addresses_are_not_learnt(void **state)
{
	static const uint8_t never[][6] = {
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x00, 0x5e, 0, 0, 1 },
		{ 0x33, 0x33, 0, 0, 0, 1 },
		{ 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(never); i++) {
		fdb_learn(*state, never[i], 1, 0);
		assert_int_equal(fdb_lookup(*state, never[i], 0), -ENOENT);
	}
	assert_int_equal(count(*state, 0), 0);
}

static void silent_station_is_forgotten(void **state)
{
	fdb_learn(*state, mac_a, 1, 10);
	fdb_learn(*state, mac_b, 1, 10);
	assert_int_equal(fdb_lookup(*state, mac_a, 10 + AGEING - 1), 1);
	fdb_learn(*state, mac_a, 1, 200);
	assert_int_equal(fdb_lookup(*state, mac_b, 10 + AGEING), -ENOENT);
	assert_int_equal(fdb_lookup(*state, mac_a, 10 + AGEING), 1);
	assert_int_equal(count(*state, 10 + AGEING), 1);
	/* And can come back elsewhere. */
	fdb_learn(*state, mac_b, 4, 10 + AGEING);
	assert_int_equal(fdb_lookup(*state, mac_b, 10 + AGEING), 4);
	assert_int_equal(count(*state, 10 + AGEING), 2);
}

static void clock_may_wrap(void **state)
{
	fdb_learn(*state, mac_a, 1, 0xfffffff0);
	assert_int_equal(fdb_lookup(*state, mac_a, 0x10), 1);
	assert_int_equal(fdb_lookup(*state, mac_a, 0xfffffff0 + AGEING), -ENOENT);
}

static void flush_forgets_one_port_only(void **state)
{
	unsigned int i;

	for (i = 1; i <= 100; i++)
		fdb_learn(*state, station(i), i & 1, 0);
	fdb_flush_port(*state, 1);
	for (i = 1; i <= 100; i++)
		assert_int_equal(fdb_lookup(*state, station(i), 0),
				 i & 1 ? -ENOENT : 0);
}

/* A station that invents addresses neither grows the table nor evicts others. */
static void full_table_keeps_what_it_knows(void **state)
{
	unsigned int i;

	for (i = 1; i <= 64; i++)
		fdb_learn(*state, station(i), 7, 0);
	assert_int_equal(count(*state, 0), 64);
	for (i = 1000; i < 100000; i++)
		fdb_learn(*state, station(i), 8, 1);
	assert_int_equal(count(*state, 1), 1024);
	assert_true(fdb_unlearnt(*state) == 99000 - (1024 - 64));
	for (i = 1; i <= 64; i++)
		assert_int_equal(fdb_lookup(*state, station(i), 1), 7);
	/* Those that got in are right, too. */
	for (i = 1000; i < 100000; i++) {
		const int port = fdb_lookup(*state, station(i), 1);

		assert_true(port == 8 || port == -ENOENT);
	}
}

/* Neighbouring addresses, as cards have them, use the whole table. */
static void neighbours_spread_over_the_buckets(void **state)
{
	unsigned int i;

	for (i = 0; i < 512; i++)
		fdb_learn(*state, station(i << 8), 1, 0);
	assert_true(count(*state, 0) > 450);
}

static void walk_shows_each_entry_as_it_was_learnt(void **state)
{
	struct fdb_entry entry;
	uint32_t pos = 0;

	fdb_learn(*state, mac_a, 5, 100);
	assert_int_equal(fdb_next(*state, &pos, 142, &entry), 1);
	assert_memory_equal(entry.mac, mac_a, 6);
	assert_int_equal(entry.port, 5);
	assert_int_equal(entry.age_s, 42);
	assert_int_equal(fdb_next(*state, &pos, 142, &entry), 0);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(unknown_station_is_not_found),
		CASE(station_is_found_where_it_was_seen),
		CASE(station_moves_at_once),
		CASE(group_and_zero_addresses_are_not_learnt),
		CASE(silent_station_is_forgotten),
		CASE(clock_may_wrap),
		CASE(flush_forgets_one_port_only),
		CASE(full_table_keeps_what_it_knows),
		CASE(neighbours_spread_over_the_buckets),
		CASE(walk_shows_each_entry_as_it_was_learnt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
