// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Scripts for a packed ring: used descriptors, event suppression, wrap counters
 * and states. Positions have the wrap counter in bit 15 (w below).
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

#include "vectors.h"

#define P	VRL_F_PACKED
#define E	VRL_F_EVENT_IDX
#define O	VRL_F_IN_ORDER
#define w	0x8000

/* Driver and device event suppression, 2.8.10 */
#define ENABLE	0
#define DISABLE	1
#define DESC	2

const struct vec_script vec_scripts_packed[] = {
	{ "a_chain_goes_out_and_back", P, 8, w, {
		{ VEC_PEEK, 4, 0 }, { VEC_UNUSED }, { VEC_COUNT, 0 },
		{ VEC_POST, 3, 60, 0 }, { VEC_COUNT, 1 },
		{ VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 3, 60, 0 }, { VEC_UNUSED },
		{ VEC_TAKE, 1 }, { VEC_COUNT, 0 }, { VEC_PEEK, 4, 0 },
		{ VEC_PUSH, 3, 0 }, { VEC_FLUSH }, { VEC_USED, 3, 0 }, { VEC_UNUSED } } },
	{ "peek_takes_nothing", P, 8, w, {
		{ VEC_POST, 3, 60, 0 }, { VEC_POST_CHAIN, 1, 70, W, 2 },
		{ VEC_PEEK, 1, 1 }, { VEC_PEEK, 4, 2 }, { VEC_PEEK, 0, 0 }, { VEC_PEEK, 4, 2 },
		{ VEC_GOT, 0, 3, 60, 0 }, { VEC_GOT, 1, 1, 0, 140 }, { VEC_STATE, w, w } } },
	{ "used_descriptors_skip_the_lists_they_stand_for", P, 7, w | 5, {
		{ VEC_POST_CHAIN, 2, 10, W, 3 }, { VEC_POST, 6, 5, W },
		{ VEC_POST_CHAIN, 4, 10, W, 2 },
		{ VEC_PEEK, 9, 3 }, { VEC_GOT, 0, 2, 0, 30 }, { VEC_GOT, 1, 6, 0, 5 },
		{ VEC_GOT, 2, 4, 0, 20 }, { VEC_TAKE, 3 }, { VEC_STATE, 4, w | 5 },
		{ VEC_PUSH, 2, 30 }, { VEC_PUSH, 6, 5 }, { VEC_PUSH, 4, 20 }, { VEC_FLUSH },
		{ VEC_USED, 2, 30 }, { VEC_USED, 6, 5 }, { VEC_USED, 4, 20 }, { VEC_UNUSED },
		{ VEC_STATE, 4, 4 } } },
	{ "a_burst_is_used_in_the_order_of_the_push", P, 5, 3, {
		{ VEC_POST, 0, 1, W }, { VEC_POST_CHAIN, 1, 2, W, 2 }, { VEC_POST, 2, 3, W },
		{ VEC_POST, 3, 4, W }, { VEC_PEEK, 9, 4 }, { VEC_TAKE, 4 }, { VEC_STATE, w | 3, 3 },
		{ VEC_PUSH, 3, 4 }, { VEC_PUSH, 1, 2 }, { VEC_FLUSH },
		{ VEC_USED, 3, 4 }, { VEC_USED, 1, 2 }, { VEC_UNUSED }, { VEC_STATE, w | 3, w | 1 },
		{ VEC_PUSH, 0, 1 }, { VEC_PUSH, 2, 0 }, { VEC_FLUSH },
		{ VEC_USED, 0, 1 }, { VEC_USED, 2, 0 }, { VEC_STATE, w | 3, w | 3 } } },
	{ "a_ring_of_one_goes_round_and_round", P, 1, w, {
		{ VEC_POST, 0, 1, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_PEEK, 4, 0 },
		{ VEC_COUNT, 0 }, { VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_USED, 0, 1 },
		{ VEC_STATE, 0, 0 }, { VEC_PEEK, 4, 0 },
		{ VEC_POST, 0, 2, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_PUSH, 0, 2 },
		{ VEC_FLUSH }, { VEC_USED, 0, 2 }, { VEC_STATE, w, w }, { VEC_PEEK, 4, 0 } } },
	{ "what_looks_available_while_all_is_in_flight_breaks_the_queue", P, 2, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_COUNT, 0 }, { VEC_POST, 0, 1, W }, { VEC_PEEK, 4, -EPROTO },
		{ VEC_WHY, VRL_WHY_AVAIL_JUMP } } },
	{ "a_burst_ends_before_what_is_in_flight", P, 4, w | 2, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_POST, 2, 1, W }, { VEC_POST, 3, 1, W }, { VEC_POST, 0, 1, W },
		{ VEC_POST, 1, 1, W }, { VEC_PEEK, 9, 2 }, { VEC_TAKE, 2 }, { VEC_STATE, 2, w | 2 },
		{ VEC_PEEK, 9, -EPROTO }, { VEC_WHY, VRL_WHY_AVAIL_JUMP } } },
	{ "lists_end_before_what_is_in_flight", P, 4, w | 2, {
		{ VEC_POST_CHAIN, 0, 1, W, 2 }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 },
		{ VEC_POST_CHAIN, 2, 1, W, 2 }, { VEC_POST_CHAIN, 0, 1, W, 2 },
		{ VEC_PEEK, 9, 1 }, { VEC_TAKE, 1 }, { VEC_STATE, 2, w | 2 },
		{ VEC_PEEK, 9, -EPROTO }, { VEC_WHY, VRL_WHY_AVAIL_JUMP } } },
	{ "a_list_into_what_is_in_flight_breaks_the_queue", P, 4, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_POST_CHAIN, 2, 1, W, 3 }, { VEC_PEEK, 4, -EPROTO },
		{ VEC_WHY, VRL_WHY_LOOP } } },
	{ "a_pair_into_what_is_in_flight_breaks_the_queue", P, 4, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_POST, 2, 1, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 },
		{ VEC_POST_CHAIN, 3, 1, W, 2 }, { VEC_PEEK, 4, -EPROTO },
		{ VEC_WHY, VRL_WHY_LOOP } } },
	{ "what_was_taken_can_be_given_back_on_a_broken_queue", P, 4, w, {
		{ VEC_POST, 0, 9, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 },
		{ VEC_POST, 9, 1, W }, { VEC_PEEK, 4, -EPROTO }, { VEC_WHY, VRL_WHY_HEAD_RANGE },
		{ VEC_PUSH, 0, 7 }, { VEC_FLUSH }, { VEC_USED, 0, 7 } } },

	{ "interrupts_follow_enable_and_disable", P, 8, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 }, { VEC_CALL, 0 },
		{ VEC_DRIVER_FLAGS, DISABLE }, { VEC_PUSH, 1, 1 }, { VEC_FLUSH },
		{ VEC_CALL, 0 } } },
	{ "enable_means_every_time_with_event_index_too", P | E, 8, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_DRIVER_FLAGS, ENABLE }, { VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 },
		{ VEC_PUSH, 1, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 }, { VEC_CALL, 0 } } },
	{ "an_interrupt_comes_when_the_descriptor_asked_for_is_used", P | E, 5, w | 3, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_POST, 2, 1, W },
		{ VEC_POST, 3, 1, W }, { VEC_PEEK, 4, 4 }, { VEC_TAKE, 4 },
		{ VEC_DRIVER_FLAGS, DESC }, { VEC_DRIVER_EVENT, 0 }, { VEC_CALL, 1 },
		{ VEC_CALL, 0 }, { VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 },
		{ VEC_PUSH, 1, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 },
		{ VEC_PUSH, 2, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 },
		{ VEC_PUSH, 3, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 } } },
	{ "the_wrap_counter_of_the_descriptor_asked_for_counts", P | E, 5, w, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_CALL, 1 }, { VEC_DRIVER_FLAGS, DESC }, { VEC_DRIVER_EVENT, 1 },
		{ VEC_PUSH, 0, 1 }, { VEC_PUSH, 1, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 } } },
	{ "a_descriptor_inside_a_list_that_is_used_counts", P | E, 6, w, {
		{ VEC_POST_CHAIN, 0, 1, W, 3 }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 },
		{ VEC_TAKE, 2 }, { VEC_CALL, 1 }, { VEC_DRIVER_FLAGS, DESC },
		{ VEC_DRIVER_EVENT, w | 2 }, { VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 } } },
	{ "an_event_offset_outside_the_ring_is_survived", P | E, 5, w, {
		{ VEC_POST, 0, 1, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_CALL, 1 },
		{ VEC_DRIVER_FLAGS, DESC }, { VEC_DRIVER_EVENT, 0x7fff },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 }, { VEC_CALL, 0 } } },
	{ "kick_requests_are_enable_and_disable", P, 8, w | 3, {
		{ VEC_KICK_OFF }, { VEC_DEVICE_FLAGS, DISABLE }, { VEC_KICK_ON, 0 },
		{ VEC_DEVICE_FLAGS, ENABLE }, { VEC_POST, 0, 1, 0 }, { VEC_KICK_ON, 1 } } },
	{ "kick_requests_name_a_descriptor_with_event_index", P | E, 5, w | 4, {
		{ VEC_KICK_ON, 0 }, { VEC_DEVICE_FLAGS, DESC }, { VEC_DEVICE_EVENT, w | 4 },
		{ VEC_POST, 0, 1, 0 }, { VEC_KICK_ON, 1 }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 },
		{ VEC_KICK_ON, 0 }, { VEC_DEVICE_FLAGS, DESC }, { VEC_DEVICE_EVENT, 0 },
		{ VEC_KICK_OFF }, { VEC_DEVICE_FLAGS, DISABLE } } },
	{ "notification_data_is_compared_with_what_was_taken", P, 5, w | 4, {
		{ VEC_NOTIFIED, 0x80040003, 0 }, { VEC_NOTIFIED, 0x00000003, 1 },
		{ VEC_POST, 0, 1, 0 }, { VEC_PEEK, 1, 1 }, { VEC_TAKE, 1 },
		{ VEC_NOTIFIED, 0x00000003, 0 } } },

	{ "one_descriptor_gives_back_a_batch_in_order", P | O, 5, w | 3, {
		{ VEC_POST_CHAIN, 0, 5, W, 2 }, { VEC_POST, 1, 6, W }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 },
		{ VEC_PUSH, 0, 10 }, { VEC_PUSH, 1, 6 }, { VEC_PUSH, 2, 4 },
		{ VEC_FLUSH_IN_ORDER }, { VEC_USED, 2, 4, 0, 4 }, { VEC_UNUSED },
		{ VEC_STATE, 2, 2 },
		{ VEC_POST, 3, 8, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_PUSH, 3, 8 },
		{ VEC_FLUSH_IN_ORDER }, { VEC_USED, 3, 8 }, { VEC_STATE, 3, 3 } } },
	{ "a_batch_in_order_counts_all_its_descriptors_for_events", P | O | E, 8, w, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 }, { VEC_CALL, 1 }, { VEC_DRIVER_FLAGS, DESC },
		{ VEC_DRIVER_EVENT, w | 1 }, { VEC_PUSH, 0, 5 }, { VEC_PUSH, 1, 6 },
		{ VEC_PUSH, 2, 4 }, { VEC_FLUSH_IN_ORDER }, { VEC_CALL, 1 } } },

	{ "the_next_owner_goes_on_where_the_last_one_stopped", P | E, 5, w | 3, {
		{ VEC_POST, 0, 5, W }, { VEC_POST_CHAIN, 1, 6, W, 2 }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 2, 2 }, { VEC_TAKE, 2 }, { VEC_PUSH, 0, 1 }, { VEC_PUSH, 1, 2 },
		{ VEC_FLUSH }, { VEC_STATE, 1, 1 }, { VEC_REINIT }, { VEC_STATE, 1, 1 },
		{ VEC_CALL, 1 }, { VEC_CALL, 0 }, { VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 2, 0, 7 },
		{ VEC_TAKE, 1 }, { VEC_PUSH, 2, 3 }, { VEC_FLUSH },
		{ VEC_USED, 0, 1 }, { VEC_USED, 1, 2 }, { VEC_USED, 2, 3 } } },
	{ "chains_in_flight_come_again_from_the_used_index", P, 4, w | 3, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_STATE, 1, w | 3 }, { VEC_REINIT }, { VEC_PEEK, 4, 0 },
		{ VEC_SET_STATE, w | 3, w | 3, 0 }, { VEC_PEEK, 4, 2 }, { VEC_GOT, 0, 0, 0, 5 },
		{ VEC_GOT, 1, 1, 0, 6 } } },
	{ "a_state_that_no_ring_can_have_is_refused", P, 5, w | 3, {
		{ VEC_SET_STATE, w | 5, w, -EINVAL }, { VEC_SET_STATE, w, w | 5, -EINVAL },
		{ VEC_SET_STATE, 1, w, -EINVAL }, { VEC_SET_STATE, w, w | 1, -EINVAL },
		{ VEC_SET_STATE, 0x7fff, 0x7fff, -EINVAL }, { VEC_STATE, w | 3, w | 3 },
		{ VEC_SET_STATE, 0, w, 0 }, { VEC_STATE, 0, w },
		{ VEC_SET_STATE, 4, w | 4, 0 }, { VEC_SET_STATE, w | 1, 4, 0 } } },
	{ "a_reset_queue_touches_nothing_until_init", P | E, 4, w, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_PEEK, 1, 1 }, { VEC_TAKE, 1 },
		{ VEC_RESET }, { VEC_WHY, VRL_WHY_RESET }, { VEC_PEEK, 4, -ESHUTDOWN },
		{ VEC_PUSH, 0, 5 }, { VEC_FLUSH }, { VEC_UNUSED }, { VEC_CALL, 0 },
		{ VEC_KICK_ON, 0 }, { VEC_DEVICE_FLAGS, 0 }, { VEC_NOTIFIED, 0x00050000, 0 },
		{ VEC_REINIT }, { VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 1, 0, 6 } } },
	{ .name = NULL }
};
