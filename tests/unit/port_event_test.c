// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vsp port follows the driver: queues taken over, started, stopped before
 * they are acknowledged, and the end of the function.
 */
#include <string.h>

#include "port_fake.h"

static struct rte_mbuf *got[VSP_PORT_BURST];

static uint16_t rx(void)
{
	return vsp_port_rx_burst(fake.port, 0, got, 32);
}

static void queues_of_a_dead_backend_are_taken_over(void **state)
{
	(void)state;
	guest_start_at(&fake.vq[FAKE_TX], 65530);
	fake_send(0, 64, 1);
	fake_open();
	assert_true(vsp_port_ready(fake.port));
	assert_int_equal(rx(), 1);
	assert_true(fake_is_pattern(got[0], 1));
	rte_pktmbuf_free(got[0]);
}

static void taking_over_raises_what_the_dead_one_may_have_missed(void **state)
{
	const struct vsp_port_conf conf = {
		.pool = fake.pool,
		.socket = SOCKET_ID_ANY,
		.max_frame = 1518,
	};

	(void)state;
	assert_int_equal(vsp_port_open("10000:01:00.1", &conf, &fake.port, NULL), 0);
	assert_int_equal(fake.raised, 1 << 2 | 1 << 3);
}

static void nothing_moves_before_driver_ok(void **state)
{
	(void)state;
	fake.state.status = 0xb;
	fake_send(0, 64, 1);
	fake_open();
	assert_false(vsp_port_ready(fake.port));
	assert_int_equal(rx(), 0);
	assert_int_equal(fake.maps, 0);
	fake.state.status = 0xf;
	fake_event(VSP_EVENT_STATUS, 0, 0);
	assert_int_equal(rx(), 1);
	rte_pktmbuf_free(got[0]);
}

static void quiet_generation_costs_no_system_call(void **state)
{
	unsigned int states, events;

	(void)state;
	fake_open();
	rx();
	states = fake.state_calls;
	events = fake.event_calls;
	rx();
	rx();
	assert_int_equal(fake.state_calls, states);
	assert_int_equal(fake.event_calls, events);
	fake_event(VSP_EVENT_CONFIG, 0, 0);
	rx();
	assert_int_equal(fake.state_calls, states + 1);
	assert_int_equal(fake.event_calls, events + 2);
}

static void disabled_queue_is_unmapped_before_the_acknowledgement(void **state)
{
	(void)state;
	fake_open();
	assert_int_equal(fake.maps, 6);
	fake.ready[FAKE_TX] = false;
	fake_send(0, 64, 1);
	fake_event(VSP_EVENT_VQ_DISABLE, FAKE_TX, VSP_EVENT_FLAG_ACK);
	assert_int_equal(rx(), 0);
	assert_int_equal(fake.acked, 1);
	assert_int_equal(fake.maps_at_ack, 3);
	assert_false(vsp_port_ready(fake.port));

	fake.ready[FAKE_TX] = true;
	fake_event(VSP_EVENT_VQ_ENABLE, FAKE_TX, 0);
	assert_int_equal(rx(), 1);
	assert_true(vsp_port_ready(fake.port));
	rte_pktmbuf_free(got[0]);
}

static void reset_stops_all_queues(void **state)
{
	struct vsp_port_stats s;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		fake_setup(NULL);
		fake_open();
		fake.state.status = 0;
		fake.ready[0] = fake.ready[1] = false;
		fake_event(i ? VSP_EVENT_FLR : VSP_EVENT_RESET, 0, VSP_EVENT_FLAG_ACK);
		assert_int_equal(vsp_port_service(fake.port), 0);
		assert_int_equal(fake.acked, 1);
		assert_int_equal(fake.maps_at_ack, 0);
		vsp_port_stats_get(fake.port, &s);
		assert_int_equal(s.resets, 1);
		if (!i)
			assert_int_equal(fake_teardown(NULL), 0);
	}
}

/* By VSP_EVENT_SUSPEND and VSP_EVENT_POWER, which differ in their values alone. */
static void suspended_port_leaves_its_queues_alone_and_goes_on(void **state)
{
	static const struct { enum vsp_event_type type; uint32_t value; } held[] = {
		{ VSP_EVENT_SUSPEND, 1 }, { VSP_EVENT_POWER, 3 },
	};
	unsigned int i;

	(void)state;
	fake_open();
	for (i = 0; i < ARRAY_LEN(held); i++) {
		fake_event_value(held[i].type, held[i].value);
		fake_send(i * 4096, 64, i);
		assert_int_equal(rx(), 0);
		assert_int_equal(fake.acked, fake.nr_events);
		assert_int_equal(fake.maps_at_ack, 0);
		/* Nothing else starts them. */
		fake_event(VSP_EVENT_VQ_ENABLE, FAKE_TX, 0);
		fake_event(VSP_EVENT_CONFIG, 0, 0);
		assert_int_equal(rx(), 0);
		assert_int_equal(fake.maps, 0);
		assert_false(vsp_port_ready(fake.port));

		fake_event_value(held[i].type, 0);
		assert_int_equal(rx(), 1);
		assert_true(vsp_port_ready(fake.port));
		assert_true(fake_is_pattern(got[0], i));
		rte_pktmbuf_free(got[0]);
	}
}

static void reset_ends_a_suspension(void **state)
{
	(void)state;
	fake_open();
	fake_event_value(VSP_EVENT_SUSPEND, 1);
	assert_int_equal(vsp_port_service(fake.port), 0);
	assert_false(vsp_port_ready(fake.port));
	fake_event(VSP_EVENT_RESET, 0, VSP_EVENT_FLAG_ACK);
	assert_int_equal(vsp_port_service(fake.port), 0);
	assert_true(vsp_port_ready(fake.port));
}

static void enabling_twice_changes_nothing(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 64, 1);
	assert_int_equal(rx(), 1);
	rte_pktmbuf_free(got[0]);
	fake_event(VSP_EVENT_VQ_ENABLE, FAKE_TX, 0);
	fake_send(2048, 64, 2);
	assert_int_equal(rx(), 1);
	assert_true(fake_is_pattern(got[0], 2));
	rte_pktmbuf_free(got[0]);
}

static void broken_queue_lives_again_after_enable(void **state)
{
	struct guest *g = &fake.vq[FAKE_TX];

	(void)state;
	fake_open();
	guest_publish_avail_idx(g, FAKE_NUM + 1);
	assert_int_equal(rx(), 0);
	assert_int_equal(fake.needs_reset, 1);
	guest_publish_avail_idx(g, 0);
	assert_int_equal(rx(), 0);
	fake_event(VSP_EVENT_VQ_ENABLE, FAKE_TX, 0);
	fake_send(0, 64, 1);
	assert_int_equal(rx(), 1);
	rte_pktmbuf_free(got[0]);
}

static void ring_that_is_none_is_refused_once(void **state)
{
	(void)state;
	fake.align_off = 1;
	fake_open();
	assert_false(vsp_port_ready(fake.port));
	assert_int_equal(fake.needs_reset, 2);
	fake_event(VSP_EVENT_CONFIG, 0, 0);
	assert_int_equal(rx(), 0);
	assert_int_equal(fake.needs_reset, 2);
	assert_int_equal(fake.maps, 0);
	fake.align_off = 0;
	fake_event(VSP_EVENT_VQ_ENABLE, 0, 0);
	fake_event(VSP_EVENT_VQ_ENABLE, 1, 0);
	assert_int_equal(vsp_port_service(fake.port), 0);
	assert_true(vsp_port_ready(fake.port));
}

static void unplugged_function_is_reported(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 64, 1);
	fake_event(VSP_EVENT_UNPLUG, 0, 0);
	fake.event_ret = -ENOTCONN;
	assert_int_equal(rx(), 0);
	assert_int_equal(vsp_port_service(fake.port), -ENODEV);
	assert_int_equal(fake.maps, 0);
}

static void lost_function_is_reported_without_traffic(void **state)
{
	(void)state;
	fake_open();
	assert_int_equal(vsp_port_service(fake.port), 0);
	fake.event_ret = -ENOTCONN;
	assert_int_equal(vsp_port_service(fake.port), -ENOTCONN);
	assert_false(vsp_port_ready(fake.port));
	assert_int_equal(fake.maps, 0);
}

static void foreign_queue_numbers_do_no_harm(void **state)
{
	(void)state;
	fake_open();
	fake_event(VSP_EVENT_VQ_DISABLE, 2, VSP_EVENT_FLAG_ACK);
	fake_event(VSP_EVENT_VQ_DISABLE, 0xffffffff, VSP_EVENT_FLAG_ACK);
	fake_event(VSP_EVENT_VQ_ENABLE, 0xffffffff, 0);
	assert_int_equal(vsp_port_service(fake.port), 0);
	assert_int_equal(fake.acked, 2);
	assert_true(vsp_port_ready(fake.port));
	assert_int_equal(vsp_port_rx_burst(fake.port, 1, got, 32), 0);
	assert_int_equal(vsp_port_tx_burst(fake.port, 0xffff, got, 0), 0);
}

static void bad_configuration_is_refused_with_a_message(void **state)
{
	struct vsp_port_conf conf = {
		.pool = fake.pool,
		.socket = SOCKET_ID_ANY,
		.max_frame = VSP_PORT_MAX_FRAME + 1,
	};
	char err[VSP_PORT_ERRLEN] = "";
	struct vsp_port *port;

	(void)state;
	assert_int_equal(vsp_port_open("x", &conf, &port, err), -EINVAL);
	assert_non_null(strstr(err, "65559"));
	conf.pool = NULL;
	assert_int_equal(vsp_port_open("x", &conf, &port, err), -EINVAL);
	assert_non_null(strstr(err, "mbufs"));
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(queues_of_a_dead_backend_are_taken_over),
		CASE(taking_over_raises_what_the_dead_one_may_have_missed),
		CASE(nothing_moves_before_driver_ok),
		CASE(quiet_generation_costs_no_system_call),
		CASE(disabled_queue_is_unmapped_before_the_acknowledgement),
		CASE(suspended_port_leaves_its_queues_alone_and_goes_on),
		CASE(reset_ends_a_suspension),
		CASE(enabling_twice_changes_nothing),
		CASE(broken_queue_lives_again_after_enable),
		CASE(ring_that_is_none_is_refused_once),
		CASE(unplugged_function_is_reported),
		CASE(lost_function_is_reported_without_traffic),
		CASE(foreign_queue_numbers_do_no_harm),
		CASE(bad_configuration_is_refused_with_a_message),
		cmocka_unit_test_teardown(reset_stops_all_queues, fake_teardown),
	};

	return cmocka_run_group_tests(tests, fake_eal, NULL);
}
