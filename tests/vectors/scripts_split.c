// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Scripts for a split ring: used entries, notifications both ways, states.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#else
#include <errno.h>
#endif

#include "vectors.h"

#define E	VRL_F_EVENT_IDX
#define O	VRL_F_IN_ORDER

const struct vec_script vec_scripts_split[] = {
	{ "a_chain_goes_out_and_back", 0, 8, 0, {
		{ VEC_PEEK, 4, 0 }, { VEC_UNUSED },
		{ VEC_POST, 3, 60, 0 }, { VEC_COUNT, 1 },
		{ VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 3, 60, 0 }, { VEC_UNUSED },
		{ VEC_TAKE, 1 }, { VEC_COUNT, 0 }, { VEC_PEEK, 4, 0 },
		{ VEC_PUSH, 3, 0 }, { VEC_FLUSH }, { VEC_USED, 3, 0 }, { VEC_UNUSED } } },
	{ "peek_takes_nothing", 0, 8, 0, {
		{ VEC_POST, 3, 60, 0 }, { VEC_POST, 1, 70, W },
		{ VEC_PEEK, 1, 1 }, { VEC_PEEK, 4, 2 }, { VEC_PEEK, 0, 0 }, { VEC_PEEK, 4, 2 },
		{ VEC_GOT, 0, 3, 60, 0 }, { VEC_GOT, 1, 1, 0, 70 }, { VEC_STATE, 0, 0 } } },
	{ "a_list_of_descriptors_is_one_used_entry", 0, 8, 0, {
		{ VEC_POST_CHAIN, 0, 10, W, 3 }, { VEC_POST_CHAIN, 1, 5, 0, 2 }, { VEC_PEEK, 4, 2 },
		{ VEC_GOT, 0, 0, 0, 30 }, { VEC_GOT, 1, 1, 10, 0 }, { VEC_TAKE, 2 },
		{ VEC_PUSH, 0, 30 }, { VEC_PUSH, 1, 0 }, { VEC_FLUSH },
		{ VEC_USED, 0, 30 }, { VEC_USED, 1, 0 }, { VEC_UNUSED }, { VEC_STATE, 2, 2 } } },
	{ "a_burst_is_used_in_the_order_of_the_push", 0, 4, 65534, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 2, W }, { VEC_POST, 2, 3, W },
		{ VEC_POST, 3, 4, W }, { VEC_PEEK, 9, 4 }, { VEC_TAKE, 4 },
		{ VEC_PUSH, 2, 30 }, { VEC_PUSH, 0, 10 }, { VEC_PUSH, 3, 40 }, { VEC_FLUSH },
		{ VEC_USED, 2, 30 }, { VEC_USED, 0, 10 }, { VEC_USED, 3, 40 }, { VEC_UNUSED },
		{ VEC_STATE, 2, 1 },
		{ VEC_PUSH, 1, 20 }, { VEC_FLUSH }, { VEC_USED, 1, 20 }, { VEC_STATE, 2, 2 } } },
	{ "a_used_length_is_the_devices_word_even_if_wrong", 0, 8, 0, {
		{ VEC_POST, 0, 60, W }, { VEC_PEEK, 1, 1 }, { VEC_TAKE, 1 },
		{ VEC_PUSH, 0, 0xffffffff }, { VEC_FLUSH }, { VEC_USED, 0, 0xffffffff } } },
	{ "avail_index_one_too_far_breaks_the_queue", 0, 8, 65530, {
		{ VEC_AVAIL_IDX, 3 }, { VEC_PEEK, 4, -EPROTO }, { VEC_WHY, VRL_WHY_AVAIL_JUMP },
		{ VEC_COUNT, -EPROTO }, { VEC_CALL, 0 }, { VEC_KICK_ON, 0 } } },
	{ "avail_index_that_goes_back_breaks_the_queue", 0, 8, 100, {
		{ VEC_AVAIL_IDX, 99 }, { VEC_COUNT, -EPROTO }, { VEC_WHY, VRL_WHY_AVAIL_JUMP } } },
	{ "more_outstanding_than_the_queue_has_breaks_it", 0, 4, 0, {
		{ VEC_POST, 0, 1, 0 }, { VEC_POST, 1, 1, 0 }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_AVAIL_IDX, 4 }, { VEC_COUNT, 2 }, { VEC_AVAIL_IDX, 5 },
		{ VEC_COUNT, -EPROTO }, { VEC_WHY, VRL_WHY_AVAIL_JUMP } } },
	{ "what_was_taken_can_be_given_back_on_a_broken_queue", 0, 4, 0, {
		{ VEC_POST, 0, 9, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 },
		{ VEC_AVAIL_IDX, 99 }, { VEC_PEEK, 4, -EPROTO },
		{ VEC_PUSH, 0, 7 }, { VEC_FLUSH }, { VEC_USED, 0, 7 } } },

	{ "interrupts_follow_the_flag_without_event_index", 0, 8, 0, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 }, { VEC_CALL, 0 },
		{ VEC_DRIVER_FLAGS, 1 }, { VEC_PUSH, 1, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 } } },
	{ "an_interrupt_comes_when_used_event_is_passed", E, 8, 65534, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_POST, 2, 1, W },
		{ VEC_POST, 3, 1, W }, { VEC_PEEK, 4, 4 }, { VEC_TAKE, 4 },
		{ VEC_CALL, 1 }, { VEC_CALL, 0 }, { VEC_DRIVER_EVENT, 0 },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 },
		{ VEC_PUSH, 1, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 },
		{ VEC_PUSH, 2, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 },
		{ VEC_PUSH, 3, 1 }, { VEC_FLUSH }, { VEC_CALL, 0 } } },
	{ "one_decision_covers_all_pushes_since_the_last", E, 8, 10, {
		{ VEC_POST, 0, 1, W }, { VEC_POST, 1, 1, W }, { VEC_POST, 2, 1, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 }, { VEC_CALL, 1 }, { VEC_DRIVER_EVENT, 10 },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_PUSH, 1, 1 }, { VEC_PUSH, 2, 1 },
		{ VEC_FLUSH }, { VEC_CALL, 1 } } },
	{ "the_flag_counts_for_nothing_with_event_index", E, 8, 0, {
		{ VEC_POST, 0, 1, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_CALL, 1 },
		{ VEC_DRIVER_FLAGS, 1 }, { VEC_DRIVER_EVENT, 0 },
		{ VEC_PUSH, 0, 1 }, { VEC_FLUSH }, { VEC_CALL, 1 } } },
	{ "kick_requests_are_a_flag_without_event_index", 0, 8, 0, {
		{ VEC_KICK_OFF }, { VEC_DEVICE_FLAGS, 1 }, { VEC_KICK_ON, 0 },
		{ VEC_DEVICE_FLAGS, 0 }, { VEC_POST, 0, 1, 0 }, { VEC_KICK_ON, 1 } } },
	{ "kick_requests_are_avail_event_with_event_index", E, 8, 65535, {
		{ VEC_KICK_ON, 0 }, { VEC_DEVICE_EVENT, 65535 }, { VEC_POST, 0, 1, 0 },
		{ VEC_KICK_ON, 1 }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_KICK_ON, 0 },
		{ VEC_DEVICE_EVENT, 0 }, { VEC_KICK_OFF }, { VEC_DEVICE_FLAGS, 0 } } },
	{ "notification_data_is_compared_with_what_was_taken", 0, 8, 65535, {
		{ VEC_NOTIFIED, 0xffff0003, 0 }, { VEC_NOTIFIED, 0x00000003, 1 },
		{ VEC_POST, 0, 1, 0 }, { VEC_PEEK, 1, 1 }, { VEC_NOTIFIED, 0x00000003, 1 },
		{ VEC_TAKE, 1 }, { VEC_NOTIFIED, 0x00000003, 0 } } },

	{ "one_entry_gives_back_a_batch_in_order", O, 8, 65534, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 },
		{ VEC_PUSH, 0, 5 }, { VEC_PUSH, 1, 6 }, { VEC_PUSH, 2, 4 },
		{ VEC_FLUSH_IN_ORDER }, { VEC_USED, 2, 4, 0, 3 }, { VEC_UNUSED },
		{ VEC_STATE, 1, 1 },
		{ VEC_POST, 3, 8, W }, { VEC_PEEK, 4, 1 }, { VEC_TAKE, 1 }, { VEC_PUSH, 3, 8 },
		{ VEC_FLUSH_IN_ORDER }, { VEC_USED, 3, 8 }, { VEC_STATE, 2, 2 } } },
	{ "without_the_feature_each_chain_has_its_entry", 0, 8, 0, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_PUSH, 0, 5 }, { VEC_PUSH, 1, 6 }, { VEC_FLUSH_IN_ORDER },
		{ VEC_USED, 0, 5 }, { VEC_USED, 1, 6 }, { VEC_UNUSED } } },
	{ "a_batch_in_order_counts_all_its_chains_for_used_event", O | E, 8, 0, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 4, 3 }, { VEC_TAKE, 3 }, { VEC_CALL, 1 }, { VEC_DRIVER_EVENT, 1 },
		{ VEC_PUSH, 0, 5 }, { VEC_PUSH, 1, 6 }, { VEC_PUSH, 2, 4 },
		{ VEC_FLUSH_IN_ORDER }, { VEC_CALL, 1 } } },

	{ "the_next_owner_goes_on_where_the_last_one_stopped", E, 4, 65534, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_POST, 2, 7, W },
		{ VEC_PEEK, 2, 2 }, { VEC_TAKE, 2 }, { VEC_PUSH, 0, 1 }, { VEC_PUSH, 1, 2 },
		{ VEC_FLUSH }, { VEC_STATE, 0, 0 }, { VEC_REINIT }, { VEC_STATE, 0, 0 },
		{ VEC_CALL, 1 }, { VEC_CALL, 0 }, { VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 2, 0, 7 },
		{ VEC_TAKE, 1 }, { VEC_PUSH, 2, 3 }, { VEC_FLUSH },
		{ VEC_USED, 0, 1 }, { VEC_USED, 1, 2 }, { VEC_USED, 2, 3 } } },
	{ "chains_in_flight_come_again_from_the_used_index", 0, 4, 65535, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_PEEK, 4, 2 }, { VEC_TAKE, 2 },
		{ VEC_STATE, 1, 65535 }, { VEC_REINIT }, { VEC_PEEK, 4, 0 },
		{ VEC_SET_STATE, 65535, 65535, 0 }, { VEC_PEEK, 4, 2 }, { VEC_GOT, 0, 0, 0, 5 },
		{ VEC_GOT, 1, 1, 0, 6 } } },
	{ "a_state_with_more_in_flight_than_the_queue_is_refused", 0, 4, 7, {
		{ VEC_SET_STATE, 5, 0, -EINVAL }, { VEC_STATE, 7, 7 },
		{ VEC_SET_STATE, 0, 1, -EINVAL }, { VEC_SET_STATE, 4, 0, 0 }, { VEC_STATE, 4, 0 },
		{ VEC_SET_STATE, 1, 65533, 0 }, { VEC_STATE, 1, 65533 } } },
	{ "a_reset_queue_touches_nothing_until_init", E, 4, 0, {
		{ VEC_POST, 0, 5, W }, { VEC_POST, 1, 6, W }, { VEC_PEEK, 1, 1 }, { VEC_TAKE, 1 },
		{ VEC_RESET }, { VEC_WHY, VRL_WHY_RESET }, { VEC_PEEK, 4, -ESHUTDOWN },
		{ VEC_PUSH, 0, 5 }, { VEC_FLUSH }, { VEC_UNUSED }, { VEC_CALL, 0 },
		{ VEC_KICK_ON, 0 }, { VEC_DEVICE_EVENT, 0 }, { VEC_NOTIFIED, 0x00050000, 0 },
		{ VEC_REINIT }, { VEC_PEEK, 4, 1 }, { VEC_GOT, 0, 1, 0, 6 } } },
	{ .name = NULL }
};
