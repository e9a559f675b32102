// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vsp port's receive burst: what the driver posts becomes mbufs, whatever
 * shape the chain has, and what makes no frame hurts no other.
 */
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_ip.h>

#include "port_fake.h"

static struct rte_mbuf *got[VSP_PORT_BURST];

static uint16_t rx(uint16_t n)
{
	return vsp_port_rx_burst(fake.port, 0, got, n);
}

static struct vsp_port_stats stats(void)
{
	struct vsp_port_stats s;

	vsp_port_stats_get(fake.port, &s);
	return s;
}

/* The driver gets @nr chains back, none of them written to. */
static void assert_completed(unsigned int nr)
{
	struct vrl_used_elem e;

	for (; nr; nr--) {
		assert_true(guest_get_used(&fake.vq[FAKE_TX], &e));
		assert_int_equal(e.len, 0);
	}
	assert_false(guest_get_used(&fake.vq[FAKE_TX], &e));
}

static void frame_in_one_piece_is_one_copy(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 60, 1);
	assert_int_equal(rx(32), 1);
	assert_int_equal(got[0]->pkt_len, 60);
	assert_int_equal(got[0]->nb_segs, 1);
	assert_true(fake_is_pattern(got[0], 1));
	fake_assert_copies(1, 1);
	assert_int_equal(fake.raised, 1 << 3);
	assert_int_equal(fake.be.vq[1].packets, 1);
	assert_int_equal(fake.be.vq[1].bytes, 60);
	assert_completed(1);
	rte_pktmbuf_free(got[0]);
}

static void burst_is_one_copy_call_and_one_interrupt(void **state)
{
	unsigned int i;

	(void)state;
	fake_open();
	for (i = 0; i < 40; i++)
		fake_send(i * 2048, 100 + i, i);
	assert_int_equal(rx(32), 32);
	fake_assert_copies(1, 32);
	assert_int_equal(fake.raise_calls, 1);
	for (i = 0; i < 32; i++) {
		assert_int_equal(got[i]->pkt_len, 100 + i);
		assert_true(fake_is_pattern(got[i], i));
	}
	rte_pktmbuf_free_bulk(got, 32);
	assert_int_equal(rx(32), 8);
	assert_true(fake_is_pattern(got[0], 32));
	rte_pktmbuf_free_bulk(got, 8);
	assert_completed(40);
}

static void send_pieces(const uint32_t *lens, unsigned int nr, bool indirect)
{
	struct guest_buf bufs[16];
	uint8_t frame[VSP_HDR_LEN + 4096] = { 0 };
	uint32_t off = 0, total = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		total += lens[i];
	fake_pattern(frame + VSP_HDR_LEN, total - VSP_HDR_LEN, 9);
	for (total = 0, i = 0; i < nr; total += lens[i++], off += 5000) {
		bufs[i] = (struct guest_buf){ fake_iova(off), lens[i] };
		memcpy(fake.mem + off, frame + total, lens[i]);
	}
	assert_true(guest_post(&fake.vq[FAKE_TX], bufs, nr, 0, indirect) >= 0);
}

/* All that was sent before is given back by an entry for the last of it (2.7.9). */
static void one_used_entry_gives_back_a_burst_in_order(void **state)
{
	const struct vring_used *used;
	unsigned int i;

	(void)state;
	fake_in_order();
	fake_open();
	used = fake.vq[FAKE_TX].used;
	for (i = 0; i < 32; i++)
		fake_send(i * 2048, 100 + i, i);
	assert_int_equal(rx(32), 32);
	rte_pktmbuf_free_bulk(got, 32);
	assert_int_equal(used->idx, 32);
	assert_int_equal(used->ring[0].id, 31);
	for (i = 1; i < 32; i++)
		assert_int_equal(used->ring[i].id, 0);
	assert_completed(32);
}

static void chain_may_be_cut_anywhere(void **state)
{
	static const uint32_t shapes[][5] = {
		{ 12, 600, 0 },			/* header alone */
		{ 5, 7, 1, 599, 0 },		/* header in two */
		{ 13, 1, 1, 1, 2500 },		/* payload over mbufs, too */
		{ 2059, 2049, 0 },		/* a cut at each boundary */
	};
	unsigned int i, nr, total;

	(void)state;
	fake_open();
	for (i = 0; i < 2 * ARRAY_LEN(shapes); i++) {
		const uint32_t *shape = shapes[i / 2];

		for (nr = 0, total = 0; nr < 5 && shape[nr]; nr++)
			total += shape[nr];
		send_pieces(shape, nr, i & 1);
		assert_int_equal(rx(32), 1);
		assert_int_equal(got[0]->pkt_len, total - VSP_HDR_LEN);
		assert_true(fake_is_pattern(got[0], 9));
		rte_pktmbuf_free(got[0]);
		assert_completed(1);
	}
}

static void long_frame_becomes_a_chain_of_mbufs(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 9018, 4);
	fake_send(20000, 64, 5);
	assert_int_equal(rx(32), 2);
	assert_int_equal(got[0]->pkt_len, 9018);
	assert_int_equal(got[0]->nb_segs, 5);
	assert_true(fake_is_pattern(got[0], 4));
	assert_true(fake_is_pattern(got[1], 5));
	rte_pktmbuf_free_bulk(got, 2);
}

static void short_and_long_frames_are_given_back_and_counted(void **state)
{
	struct guest_buf tiny = { FAKE_IOVA, 5 };

	(void)state;
	fake_open();
	fake_send(0, 64, 1);
	assert_true(guest_post(&fake.vq[FAKE_TX], &tiny, 1, 0, false) >= 0);
	fake_send(2048, 13, 0);
	fake_send(4096, 9239, 0);
	fake_send(20000, 9238, 2);
	assert_int_equal(rx(32), 2);
	assert_true(fake_is_pattern(got[0], 1));
	assert_true(fake_is_pattern(got[1], 2));
	assert_int_equal(stats().rx_malformed, 2);
	assert_int_equal(stats().rx_oversize, 1);
	assert_int_equal(fake.be.vq[1].drops, 3);
	assert_completed(5);
	rte_pktmbuf_free_bulk(got, 2);
}

static void buffers_without_mapping_hurt_no_other_frame(void **state)
{
	struct guest_buf bufs[] = { { FAKE_IOVA + 100, 80 }, { FAKE_HOLE, 80 } };
	struct guest_buf edge = { FAKE_IOVA + FAKE_MEM - 79, 80 };
	int head;

	(void)state;
	fake_open();
	fake_send(8192, 64, 1);
	assert_true(guest_post(&fake.vq[FAKE_TX], bufs, 2, 0, false) >= 0);
	assert_true(guest_post(&fake.vq[FAKE_TX], &edge, 1, 0, false) >= 0);
	head = guest_post(&fake.vq[FAKE_TX], bufs, 1, 0, true);
	guest_set_desc(&fake.vq[FAKE_TX], head, FAKE_HOLE, 16,
		       VRING_DESC_F_INDIRECT, 0);
	fake_send(16384, 64, 2);
	assert_int_equal(rx(32), 2);
	assert_true(fake_is_pattern(got[0], 1));
	assert_true(fake_is_pattern(got[1], 2));
	assert_int_equal(stats().rx_faults, 3);
	assert_completed(5);
	rte_pktmbuf_free_bulk(got, 2);
}

static void empty_pool_loses_nothing(void **state)
{
	struct rte_mbuf *all[FAKE_MBUFS];
	unsigned int i;

	(void)state;
	fake_open();
	assert_int_equal(rte_pktmbuf_alloc_bulk(fake.pool, all, FAKE_MBUFS), 0);
	for (i = 0; i < 8; i++)
		fake_send(i * 2048, 64, i);
	assert_int_equal(rx(32), 0);
	assert_true(stats().rx_nombuf > 0);
	assert_completed(0);
	rte_pktmbuf_free_bulk(all, 3);
	assert_int_equal(rx(32), 2);
	rte_pktmbuf_free_bulk(got, 2);
	rte_pktmbuf_free_bulk(all + 3, FAKE_MBUFS - 3);
	assert_int_equal(rx(32), 6);
	assert_true(fake_is_pattern(got[0], 2));
	rte_pktmbuf_free_bulk(got, 6);
	assert_completed(8);
}

static void refused_copy_leaves_the_chains_in_the_ring(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 64, 1);
	fake.copy_ret = -EAGAIN;
	assert_int_equal(rx(32), 0);
	assert_completed(0);
	fake.copy_ret = 0;
	assert_int_equal(rx(32), 1);
	rte_pktmbuf_free(got[0]);
	assert_completed(1);
}

static void lost_function_is_noticed_by_the_copy(void **state)
{
	(void)state;
	fake_open();
	fake_send(0, 64, 1);
	fake.copy_ret = -ENOTCONN;
	assert_int_equal(rx(32), 0);
	fake.copy_ret = 0;
	assert_int_equal(rx(32), 0);
	assert_false(vsp_port_ready(fake.port));
	assert_int_equal(vsp_port_service(fake.port), -ENOTCONN);
	assert_int_equal(fake.maps, 0);
}

static void broken_ring_is_reported_once_and_stops(void **state)
{
	(void)state;
	fake_open();
	guest_publish_avail_idx(&fake.vq[FAKE_TX], FAKE_NUM + 1);
	assert_int_equal(rx(32), 0);
	assert_int_equal(rx(32), 0);
	assert_int_equal(fake.needs_reset, 1);
	assert_int_equal(stats().broken, 1);
}

/* A frame of 14 + 20 + 20 + @payload bytes whose sum the driver left to us. */
static void send_tcp(uint32_t payload, uint16_t start, uint16_t offset)
{
	struct virtio_net_hdr_v1 *hdr = (void *)fake.mem;
	uint8_t *eth = fake.mem + VSP_HDR_LEN;

	fake_send(0, 54 + payload, 3);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = start;
	hdr->csum_offset = offset;
	eth[12] = 0x08;
	eth[13] = 0x00;
	eth[14] = 0x45;
	eth[20] = 0x40;			/* do not fragment */
	eth[21] = 0;
	eth[23] = IPPROTO_TCP;
	eth[46] = 0x50;			/* TCP: five words */
	eth[50] = 0x12;			/* pseudo header's sum */
	eth[51] = 0x34;
}

static void tcp_checksum_request_becomes_a_flag(void **state)
{
	const uint64_t want = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;

	(void)state;
	fake_open();
	send_tcp(100, 34, 16);
	assert_int_equal(rx(32), 1);
	assert_int_equal(got[0]->ol_flags & want, want);
	assert_int_equal(got[0]->l2_len, 14);
	assert_int_equal(got[0]->l3_len, 20);
	assert_memory_equal(rte_pktmbuf_mtod(got[0], void *),
			    fake.mem + VSP_HDR_LEN, 154);
	rte_pktmbuf_free(got[0]);
}

/* Any field of any protocol, in one mbuf or over a boundary, odd or even. */
static void other_checksum_requests_are_done_in_software(void **state)
{
	static const struct {
		uint32_t payload;
		uint16_t start, offset;
	} cases[] = {
		{ 100, 34, 6 }, { 100, 35, 16 }, { 101, 34, 40 }, { 100, 0, 12 },
		{ 3000, 2047, 0 }, { 3001, 34, 2013 }, { 3001, 33, 2014 },
		{ 100, 152, 0 },
	};
	const uint8_t *in = fake.mem + VSP_HDR_LEN;
	unsigned int i;
	uint16_t sum;

	(void)state;
	fake_open();
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const uint32_t at = cases[i].start + cases[i].offset;

		send_tcp(cases[i].payload, cases[i].start, cases[i].offset);
		sum = ~fake_sum(in + cases[i].start,
				54 + cases[i].payload - cases[i].start);
		assert_int_equal(rx(32), 1);
		assert_int_equal(got[0]->ol_flags & RTE_MBUF_F_TX_L4_MASK, 0);
		assert_int_equal(fake_byte(got[0], at), (sum ? sum : 0xffff) >> 8);
		assert_int_equal(fake_byte(got[0], at + 1), sum & 0xff);
		/* Nothing else has changed. */
		assert_int_equal(fake_byte(got[0], at - 1), in[at - 1]);
		rte_pktmbuf_free(got[0]);
	}
	assert_int_equal(stats().csum_software, ARRAY_LEN(cases));
}

/* Zero is "no checksum" in UDP: the other zero is written. */
static void software_checksum_is_never_zero(void **state)
{
	uint8_t *frame = fake.mem + VSP_HDR_LEN;

	(void)state;
	fake_open();
	send_tcp(100, 100, 20);
	memset(frame + 100, 0, 54);
	frame[130] = frame[131] = 0xff;
	assert_int_equal(rx(32), 1);
	assert_int_equal(fake_byte(got[0], 120), 0xff);
	assert_int_equal(fake_byte(got[0], 121), 0xff);
	rte_pktmbuf_free(got[0]);
}

static void checksum_request_beyond_the_frame_is_refused(void **state)
{
	(void)state;
	fake_open();
	send_tcp(100, 153, 0);
	send_tcp(100, 34, 0xffff);
	send_tcp(100, 0xffff, 0xffff);
	assert_int_equal(rx(32), 0);
	assert_int_equal(stats().rx_malformed, 3);
	assert_completed(3);
}

static void segmentation_that_was_not_negotiated_is_refused(void **state)
{
	struct virtio_net_hdr_v1 *hdr;

	(void)state;
	fake_open();
	fake_send(0, 2000, 3);
	hdr = (void *)fake.mem;
	hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
	assert_int_equal(rx(32), 0);
	assert_int_equal(stats().rx_malformed, 1);
	assert_completed(1);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_BOTH_WAYS(frame_in_one_piece_is_one_copy),
		FAKE_BOTH_WAYS(burst_is_one_copy_call_and_one_interrupt),
		FAKE_BOTH_WAYS(one_used_entry_gives_back_a_burst_in_order),
		FAKE_BOTH_WAYS(chain_may_be_cut_anywhere),
		FAKE_BOTH_WAYS(long_frame_becomes_a_chain_of_mbufs),
		FAKE_BOTH_WAYS(short_and_long_frames_are_given_back_and_counted),
		FAKE_BOTH_WAYS(buffers_without_mapping_hurt_no_other_frame),
		FAKE_BOTH_WAYS(empty_pool_loses_nothing),
		CASE(refused_copy_leaves_the_chains_in_the_ring),
		CASE(lost_function_is_noticed_by_the_copy),
		FAKE_BOTH_WAYS(broken_ring_is_reported_once_and_stops),
		FAKE_BOTH_WAYS(tcp_checksum_request_becomes_a_flag),
		FAKE_BOTH_WAYS(other_checksum_requests_are_done_in_software),
		FAKE_BOTH_WAYS(software_checksum_is_never_zero),
		FAKE_BOTH_WAYS(checksum_request_beyond_the_frame_is_refused),
		FAKE_BOTH_WAYS(segmentation_that_was_not_negotiated_is_refused),
	};

	return cmocka_run_group_tests(tests, fake_eal, NULL);
}
