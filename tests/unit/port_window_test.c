// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vsp port by the window: what differs from the copies that the kernel makes.
 * The cases that hold for both ways are in port_rx_test.c and port_tx_test.c.
 */
#include <string.h>

#include "port_fake.h"

static struct rte_mbuf *got[VSP_PORT_BURST];

static uint16_t rx(void)
{
	return vsp_port_rx_burst(fake.port, 0, got, 32);
}

static uint16_t tx(uint32_t len, uint32_t salt)
{
	struct rte_mbuf *m = fake_mbuf(len, salt);

	return vsp_port_tx_burst(fake.port, 0, &m, 1);
}

/* One frame goes through, from @off of driver memory. */
static void assert_receives(uint32_t off, uint32_t salt)
{
	fake_send(off, 200, salt);
	assert_int_equal(rx(), 1);
	assert_true(fake_is_pattern(got[0], salt));
	rte_pktmbuf_free(got[0]);
}

static struct vsp_port_stats stats(void)
{
	struct vsp_port_stats s;

	vsp_port_stats_get(fake.port, &s);
	return s;
}

static bool by_window(void)
{
	struct vsp_port_info info;

	vsp_port_info_get(fake.port, &info);
	return info.window;
}

/* All that were given back, the last of them with @len bytes written. */
static unsigned int nr_used(unsigned int queue, uint32_t len)
{
	struct vrl_used_elem e = { .len = len };
	unsigned int nr = 0;

	while (guest_get_used(&fake.vq[queue], &e))
		nr++;
	assert_int_equal(e.len, len);
	return nr;
}

static void frames_need_no_system_call_but_the_interrupt(void **state)
{
	unsigned int i, events, states;

	(void)state;
	fake_open();
	assert_true(by_window());
	assert_receives(0, 1);
	events = fake.event_calls;
	states = fake.state_calls;
	fake.raise_calls = 0;
	fake_post_rx(4096, 1536, 8);
	for (i = 0; i < 8; i++) {
		assert_receives(40960 + 512 * i, i);
		assert_int_equal(tx(300, i), 1);
	}
	assert_int_equal(fake.copy_calls, 0);
	assert_int_equal(fake.event_calls, events);
	assert_int_equal(fake.state_calls, states);
	assert_int_equal(fake.raise_calls, 16);
	assert_int_equal(fake.window_calls, 2);
}

/* Also when it has been used so often that it is not looked up any more. */
static void memory_that_is_unmapped_is_a_fault_from_the_next_burst_on(void **state)
{
	unsigned int i;

	(void)state;
	fake_open();
	for (i = 0; i < 20; i++)
		assert_receives(8192, i);
	fake_post_rx(65536, 1536, 21);
	for (i = 0; i < 20; i++)
		assert_int_equal(tx(300, i), 1);
	assert_int_equal(nr_used(FAKE_RX, VSP_HDR_LEN + 300), 20);
	assert_int_equal(nr_used(FAKE_TX, 0), 20);

	fake_send(8192, 200, 1);
	fake_unmap(8192, 4096);
	fake_unmap(65536 + 20 * 1536, 1);
	assert_int_equal(rx(), 0);
	assert_int_equal(stats().rx_faults, 1);
	assert_int_equal(nr_used(FAKE_TX, 0), 1);
	assert_int_equal(tx(300, 1), 1);
	assert_int_equal(stats().tx_faults, 1);
	assert_int_equal(nr_used(FAKE_RX, 0), 1);
	/* What is still mapped goes on. */
	assert_receives(16384, 2);
}

static void hole_in_the_middle_of_a_buffer_is_a_fault_of_that_frame_alone(void **state)
{
	(void)state;
	fake_open();
	fake_unmap(8192 + 100, 1);
	fake_send(0, 200, 1);
	fake_send(8192, 200, 2);
	fake_send(16384, 200, 3);
	assert_int_equal(rx(), 2);
	assert_true(fake_is_pattern(got[0], 1));
	assert_true(fake_is_pattern(got[1], 3));
	rte_pktmbuf_free_bulk(got, 2);
	assert_int_equal(stats().rx_faults, 1);
	assert_int_equal(nr_used(FAKE_TX, 0), 3);
}

static void buffer_may_lie_in_two_ranges(void **state)
{
	(void)state;
	fake_open();
	assert_receives(FAKE_RO - 100, 4);
}

static void nothing_is_written_where_the_driver_lets_read_only(void **state)
{
	struct guest_buf buf = { FAKE_IOVA + FAKE_RO - 100, 400 };
	uint8_t before[400];

	(void)state;
	fake_open();
	memset(fake.mem + FAKE_RO - 100, 0x77, sizeof(before));
	memset(before, 0x77, sizeof(before));
	assert_true(guest_post(&fake.vq[FAKE_RX], &buf, 0, 1, false) >= 0);
	assert_int_equal(tx(300, 1), 1);
	assert_int_equal(stats().tx_faults, 1);
	assert_int_equal(nr_used(FAKE_RX, 0), 1);
	assert_memory_equal(fake.mem + FAKE_RO - 100, before, sizeof(before));
}

/* A driver that is replaced by one of the other kind, without any other event. */
static void way_of_the_moment_is_taken(void **state)
{
	unsigned int i;

	(void)state;
	fake_open();
	for (i = 0; i < 4; i++) {
		fake.state.way = i & 1 ? VSP_WAY_WINDOW : VSP_WAY_COPY;
		fake_event(VSP_EVENT_CONFIG, 0, 0);
		fake.copy_calls = 0;
		assert_receives(4096 * i, i);
		assert_int_equal(fake.copy_calls, i & 1 ? 0 : 1);
		assert_int_equal(by_window(), i & 1);
		assert_int_equal(fake.maps, 6);
	}
	assert_int_equal(nr_used(FAKE_TX, 0), 4);
}

static void without_a_window_the_kernel_copies(void **state)
{
	(void)state;
	fake.window_ret = -ENOMEM;
	fake_open();
	assert_receives(0, 1);
	assert_int_equal(fake.copy_calls, 1);
	assert_false(by_window());
	/* It is not tried again and again. */
	fake_event(VSP_EVENT_CONFIG, 0, 0);
	assert_receives(4096, 2);
	assert_int_equal(fake.window_calls, 2);
}

static void table_that_never_rests_leaves_the_chains_in_the_ring(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 200, 1);
	fake.table->seq++;
	assert_int_equal(rx(), 0);
	assert_int_equal(nr_used(FAKE_TX, 0), 0);
	assert_int_equal(stats().rx_faults, 0);
	fake.table->seq++;
	assert_int_equal(rx(), 1);
	assert_true(fake_is_pattern(got[0], 1));
	rte_pktmbuf_free(got[0]);
}

/* After the session the kernel shows an empty table: zeroes. */
static void table_that_has_gone_maps_nothing(void **state)
{
	(void)state;
	fake_open();
	assert_receives(0, 1);
	fake_send(0, 200, 1);
	memset(fake.table, 0, VSP_MMAP_IOTLB_SIZE);
	assert_int_equal(rx(), 0);
	assert_int_equal(stats().rx_faults, 1);
}

static void table_is_never_read_beyond_its_end(void **state)
{
	(void)state;
	fake_open();
	fake.table->nr = UINT32_MAX;
	fake.table->max = UINT32_MAX;
	fake.table->seq += 2;
	fake_send(0, 200, 1);
	rte_pktmbuf_free_bulk(got, rx());
	assert_int_equal(nr_used(FAKE_TX, 0), 1);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, fake_setup_window, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(frames_need_no_system_call_but_the_interrupt),
		CASE(memory_that_is_unmapped_is_a_fault_from_the_next_burst_on),
		CASE(hole_in_the_middle_of_a_buffer_is_a_fault_of_that_frame_alone),
		CASE(buffer_may_lie_in_two_ranges),
		CASE(nothing_is_written_where_the_driver_lets_read_only),
		CASE(way_of_the_moment_is_taken),
		CASE(without_a_window_the_kernel_copies),
		CASE(table_that_never_rests_leaves_the_chains_in_the_ring),
		CASE(table_that_has_gone_maps_nothing),
		CASE(table_is_never_read_beyond_its_end),
	};

	return cmocka_run_group_tests(tests, fake_eal, NULL);
}
