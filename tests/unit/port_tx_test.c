// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The vsp port's transmit burst: mbufs of any shape into the buffers that the
 * driver has posted, and never a byte changed that somebody else can see.
 */
#include <string.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_ip.h>

#include "port_fake.h"

#define HDR	((uint32_t)VSP_HDR_LEN)

static uint16_t tx(struct rte_mbuf **mbufs, uint16_t n)
{
	return vsp_port_tx_burst(fake.port, 0, mbufs, n);
}

static struct vsp_port_stats stats(void)
{
	struct vsp_port_stats s;

	vsp_port_stats_get(fake.port, &s);
	return s;
}

static struct virtio_net_hdr_v1 *header(uint32_t off)
{
	return (struct virtio_net_hdr_v1 *)(fake.mem + off);
}

static void assert_used(uint32_t len)
{
	struct vrl_used_elem e;

	assert_true(guest_get_used(&fake.vq[FAKE_RX], &e));
	assert_int_equal(e.len, len);
}

static void assert_no_used(void)
{
	struct vrl_used_elem e;

	assert_false(guest_get_used(&fake.vq[FAKE_RX], &e));
}

/* Driver memory from @off on holds bytes @from.. of a frame of @len bytes. */
static void assert_payload(uint32_t off, uint32_t from, uint32_t n, uint32_t len,
			   uint32_t salt)
{
	uint8_t want[16384];

	fake_pattern(want, len, salt);
	assert_memory_equal(fake.mem + off, want + from, n);
}

static void burst_is_one_copy_call_and_one_interrupt(void **state)
{
	struct rte_mbuf *m[32];
	unsigned int i;

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 40);
	for (i = 0; i < 32; i++)
		m[i] = fake_mbuf(100 + i, i);
	assert_int_equal(tx(m, 32), 32);
	fake_assert_copies(1, 32);
	assert_int_equal(fake.raised, 1 << 2);
	assert_int_equal(fake.raise_calls, 1);
	for (i = 0; i < 32; i++) {
		assert_used(HDR + 100 + i);
		assert_int_equal(header(i * 1536)->flags, 0);
		assert_int_equal(header(i * 1536)->num_buffers, 1);
		assert_payload(i * 1536 + HDR, 0, 100 + i, 100 + i, i);
	}
	assert_no_used();
	assert_int_equal(fake.be.vq[0].packets, 32);
}

/* An ethdev's, for instance. The teardown counts those of the port's own. */
static void frame_goes_back_to_its_own_pool(void **state)
{
	struct rte_mempool *pool, *own = fake.pool;
	struct rte_mbuf *m[2];

	(void)state;
	pool = rte_pktmbuf_pool_create("other", 15, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	assert_non_null(pool);
	fake_open();
	fake_post_rx(0, 1536, 4);
	m[0] = fake_mbuf(100, 1);
	fake.pool = pool;
	m[1] = fake_mbuf(200, 2);
	fake.pool = own;
	assert_int_equal(rte_mempool_avail_count(pool), 14);
	assert_int_equal(tx(m, 2), 2);
	assert_used(HDR + 100);
	assert_used(HDR + 200);
	assert_int_equal(rte_mempool_avail_count(pool), 15);
	rte_mempool_free(pool);
}

static void each_frame_has_its_length_in_order(void **state)
{
	struct rte_mbuf *m[32];
	unsigned int i;

	(void)state;
	fake_in_order();
	fake_open();
	fake_post_rx(0, 1536, 32);
	for (i = 0; i < 32; i++)
		m[i] = fake_mbuf(100 + i, i);
	assert_int_equal(tx(m, 32), 32);
	for (i = 0; i < 32; i++)
		assert_used(HDR + 100 + i);
	assert_no_used();
}

static void long_frame_is_spread_over_buffers(void **state)
{
	struct rte_mbuf *m[3];

	(void)state;
	fake_open();
	fake_post_rx(0, 700, 10);
	m[0] = fake_mbuf(1400, 1);	/* 12 + 1400: three buffers */
	m[1] = fake_mbuf(688, 2);	/* fits to the byte */
	m[2] = fake_mbuf(689, 3);	/* one byte too many */
	assert_int_equal(tx(m, 3), 3);
	assert_int_equal(header(0)->num_buffers, 3);
	assert_used(700);
	assert_used(700);
	assert_used(12);
	assert_payload(12, 0, 688, 1400, 1);
	assert_payload(700, 688, 700, 1400, 1);
	assert_payload(1400, 1388, 12, 1400, 1);
	assert_int_equal(header(2100)->num_buffers, 1);
	assert_used(700);
	assert_int_equal(header(2800)->num_buffers, 2);
	assert_used(700);
	assert_used(1);
	assert_payload(3500, 688, 1, 689, 3);
	assert_no_used();
}

static void frames_without_buffers_stay_the_callers(void **state)
{
	struct rte_mbuf *m[8];
	unsigned int i;

	(void)state;
	fake_open();
	for (i = 0; i < 8; i++)
		m[i] = fake_mbuf(1000, i);
	assert_int_equal(tx(m, 8), 0);
	fake_post_rx(0, 700, 5);
	assert_int_equal(tx(m, 8), 2);
	assert_int_equal(fake.raise_calls, 1);
	for (i = 2; i < 8; i++)
		assert_true(fake_is_pattern(m[i], i));
	fake_post_rx(5000, 1536, 6);
	/* The fifth short buffer and a long one make one frame. */
	assert_int_equal(tx(m + 2, 6), 6);
	assert_int_equal(header(2800)->num_buffers, 2);
	assert_payload(5000, 688, 312, 1000, 2);
}

static void without_mergeable_buffers_a_frame_needs_one(void **state)
{
	struct rte_mbuf *m[3];

	(void)state;
	fake_features(0);
	fake_open();
	fake_post_rx(0, 600, 2);
	m[0] = fake_mbuf(500, 1);
	m[1] = fake_mbuf(589, 2);
	m[2] = fake_mbuf(588, 3);
	assert_int_equal(tx(m, 3), 3);
	assert_int_equal(stats().tx_oversize, 1);
	assert_used(512);
	assert_used(600);
	assert_no_used();
	assert_payload(600 + 12, 0, 588, 588, 3);
}

static void frame_over_the_mtu_is_dropped(void **state)
{
	struct rte_mbuf *m[2];

	(void)state;
	fake_features(1ULL << VIRTIO_NET_F_MTU | 1ULL << VIRTIO_NET_F_MRG_RXBUF);
	fake_open();
	fake_post_rx(0, 1536, 4);
	m[0] = fake_mbuf(1523, 1);
	m[1] = fake_mbuf(1522, 2);
	assert_int_equal(tx(m, 2), 2);
	assert_int_equal(stats().tx_oversize, 1);
	assert_int_equal(fake.be.vq[0].drops, 1);
	assert_used(1534);
	assert_no_used();
}

static void frame_that_no_ring_could_hold_does_not_block_the_others(void **state)
{
	struct rte_mbuf *m[2];

	(void)state;
	fake_open();
	fake_post_rx(0, 16, FAKE_NUM);
	m[0] = fake_mbuf(16 * FAKE_NUM, 1);
	m[1] = fake_mbuf(100, 2);
	assert_int_equal(tx(m, 2), 2);
	assert_int_equal(stats().tx_oversize, 1);
	assert_int_equal(stats().tx_packets, 1);
}

static void chained_mbufs_and_chained_buffers(void **state)
{
	struct guest_buf bufs[] = {
		{ FAKE_IOVA + 0, 5 }, { FAKE_IOVA + 100, 20 }, { FAKE_IOVA + 200, 3000 },
	};
	struct rte_mbuf *m, *tail;
	unsigned int indirect;

	(void)state;
	fake_open();
	for (indirect = 0; indirect < 2; indirect++) {
		memset(fake.mem, 0, 4096);
		assert_true(guest_post(&fake.vq[FAKE_RX], bufs, 0, 3, indirect) >= 0);
		m = fake_mbuf(1000, 7);
		tail = fake_mbuf(1000, 7);
		fake_pattern(rte_pktmbuf_mtod(tail, uint8_t *), 1000, 7);
		rte_pktmbuf_trim(m, 990);
		assert_int_equal(rte_pktmbuf_chain(m, tail), 0);
		assert_int_equal(tx(&m, 1), 1);
		assert_used(HDR + 1010);
		assert_int_equal(fake.mem[105], 1);	/* num_buffers */
		assert_payload(107, 0, 10, 1000, 7);
		assert_payload(117, 0, 3, 1000, 7);
		assert_payload(200, 3, 997, 1000, 7);
	}
}

static void shared_frame_is_not_written_to(void **state)
{
	struct rte_mbuf *m, *clone, *both[2];
	uint8_t before[RTE_PKTMBUF_HEADROOM + 100];

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 4);
	m = fake_mbuf(100, 5);
	memcpy(before, m->buf_addr, sizeof(before));
	clone = rte_pktmbuf_clone(m, fake.pool);
	assert_non_null(clone);
	rte_mbuf_refcnt_update(m, 1);	/* and we still look at it afterwards */
	both[0] = clone;
	both[1] = m;
	assert_int_equal(tx(both, 2), 2);
	assert_payload(HDR, 0, 100, 100, 5);
	assert_payload(1536 + HDR, 0, 100, 100, 5);
	assert_memory_equal(before, m->buf_addr, sizeof(before));
	rte_pktmbuf_free(m);
}

/* UDP over IPv4, its sum left open: the field holds the pseudo header's sum. */
static struct rte_mbuf *udp_mbuf(uint32_t payload)
{
	struct rte_mbuf *m = fake_mbuf(42 + payload, 6);
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, void *, 14);
	uint8_t *udp = rte_pktmbuf_mtod_offset(m, uint8_t *, 34);
	uint16_t sum;

	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(28 + payload);
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = 0x01020304;
	ip->dst_addr = 0x05060708;
	udp[4] = (8 + payload) >> 8;
	udp[5] = (uint8_t)(8 + payload);
	sum = rte_ipv4_phdr_cksum(ip, 0);
	memcpy(udp + 6, &sum, 2);
	m->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;
	m->l2_len = 14;
	m->l3_len = 20;
	return m;
}

/* All ones when the checksum in the packet is right. */
static uint16_t udp_sum(const struct rte_ipv4_hdr *ip)
{
	const uint16_t len = rte_be_to_cpu_16(ip->total_length) - 20;
	uint8_t all[256] = { 0 };

	memcpy(all, &ip->src_addr, 8);
	all[9] = IPPROTO_UDP;
	all[10] = len >> 8;
	all[11] = (uint8_t)len;
	memcpy(all + 12, ip + 1, len);
	return fake_sum(all, 12 + len);
}

static void checksum_request_is_passed_on_to_a_driver_that_can(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	fake_features(1ULL << VIRTIO_NET_F_GUEST_CSUM);
	fake_open();
	fake_post_rx(0, 1536, 2);
	m = udp_mbuf(101);
	assert_int_equal(tx(&m, 1), 1);
	assert_int_equal(header(0)->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header(0)->csum_start, 34);
	assert_int_equal(header(0)->csum_offset, 6);
	assert_int_equal(stats().csum_software, 0);
	m = fake_mbuf(60, 1);
	m->ol_flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	assert_int_equal(tx(&m, 1), 1);
	assert_int_equal(header(1536)->flags, VIRTIO_NET_HDR_F_DATA_VALID);
}

static void checksum_is_completed_for_a_driver_that_cannot(void **state)
{
	const struct rte_ipv4_hdr *ip = (void *)(fake.mem + HDR + 14);
	struct rte_mbuf *m, *keep;
	uint8_t before[143];
	unsigned int i;

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 2);
	m = udp_mbuf(101);
	memcpy(before, rte_pktmbuf_mtod(m, void *), sizeof(before));
	keep = rte_pktmbuf_clone(m, fake.pool);
	assert_int_equal(tx(&m, 1), 1);
	m = keep;
	rte_mbuf_refcnt_update(keep, 1);
	assert_int_equal(tx(&m, 1), 1);
	/* What others see has not changed; what the driver got is right. */
	assert_memory_equal(before, rte_pktmbuf_mtod(keep, void *), sizeof(before));
	rte_pktmbuf_free(keep);
	for (i = 0; i < 2; i++) {
		ip = (void *)(fake.mem + i * 1536 + HDR + 14);
		assert_int_equal(header(i * 1536)->flags, 0);
		assert_int_equal(udp_sum(ip), 0xffff);
	}
	assert_int_equal(stats().csum_software, 2);
}

static void impossible_checksum_request_is_dropped(void **state)
{
	struct rte_mbuf *m[2];

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 2);
	m[0] = udp_mbuf(10);
	m[0]->l3_len = 60;
	m[1] = udp_mbuf(10);
	m[1]->ol_flags &= ~RTE_MBUF_F_TX_L4_MASK;
	m[1]->ol_flags |= RTE_MBUF_F_TX_SCTP_CKSUM;
	assert_int_equal(tx(m, 2), 2);
	assert_int_equal(stats().tx_malformed, 2);
	assert_no_used();
}

static void bad_buffers_are_given_back_and_hurt_no_frame(void **state)
{
	struct guest_buf hole = { FAKE_HOLE, 1536 };
	struct guest_buf read_only = { FAKE_IOVA + FAKE_RO - 50, 1536 };
	struct guest_buf tiny = { FAKE_IOVA, 11 };
	struct rte_mbuf *m[4];
	unsigned int i;

	(void)state;
	fake_open();
	fake_post_rx(8192, 1536, 1);
	assert_true(guest_post(&fake.vq[FAKE_RX], &hole, 0, 1, false) >= 0);
	assert_true(guest_post(&fake.vq[FAKE_RX], &tiny, 0, 1, false) >= 0);
	assert_true(guest_post(&fake.vq[FAKE_RX], &read_only, 0, 1, false) >= 0);
	fake_post_rx(16384, 1536, 1);
	for (i = 0; i < 4; i++)
		m[i] = fake_mbuf(100, i);
	assert_int_equal(tx(m, 4), 4);
	assert_used(112);
	assert_used(0);
	assert_used(0);
	assert_used(0);
	assert_used(112);
	assert_payload(16384 + HDR, 0, 100, 100, 3);
	assert_int_equal(stats().tx_faults, 2);
	assert_int_equal(stats().tx_malformed, 1);
	assert_int_equal(stats().tx_packets, 2);
}

/* The buffers of one frame follow each other, so what it began in is void, too. */
static void bad_buffer_in_the_middle_of_a_frame(void **state)
{
	struct guest_buf tiny = { FAKE_IOVA, 5 };
	struct rte_mbuf *m;

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 1);
	m = fake_mbuf(100, 1);
	assert_int_equal(tx(&m, 1), 1);
	assert_used(112);
	fake_post_rx(4096, 700, 1);
	assert_true(guest_post(&fake.vq[FAKE_RX], &tiny, 0, 1, false) >= 0);
	fake_post_rx(8192, 700, 2);
	m = fake_mbuf(1000, 1);
	assert_int_equal(tx(&m, 1), 1);
	assert_used(0);
	assert_used(0);
	assert_used(700);
	assert_used(312);
	assert_int_equal(header(8192)->num_buffers, 2);
	assert_payload(8192 + HDR, 0, 688, 1000, 1);
}

static void refused_copy_leaves_the_buffers_in_the_ring(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	fake_open();
	fake_post_rx(0, 1536, 1);
	fake.copy_ret = -EAGAIN;
	m = fake_mbuf(100, 1);
	assert_int_equal(tx(&m, 1), 1);
	assert_no_used();
	fake.copy_ret = 0;
	m = fake_mbuf(100, 2);
	assert_int_equal(tx(&m, 1), 1);
	assert_used(112);
	assert_payload(HDR, 0, 100, 100, 2);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_BOTH_WAYS(burst_is_one_copy_call_and_one_interrupt),
		FAKE_BOTH_WAYS(frame_goes_back_to_its_own_pool),
		FAKE_BOTH_WAYS(each_frame_has_its_length_in_order),
		FAKE_BOTH_WAYS(long_frame_is_spread_over_buffers),
		FAKE_BOTH_WAYS(frames_without_buffers_stay_the_callers),
		FAKE_BOTH_WAYS(without_mergeable_buffers_a_frame_needs_one),
		FAKE_BOTH_WAYS(frame_over_the_mtu_is_dropped),
		FAKE_BOTH_WAYS(frame_that_no_ring_could_hold_does_not_block_the_others),
		FAKE_BOTH_WAYS(chained_mbufs_and_chained_buffers),
		FAKE_BOTH_WAYS(shared_frame_is_not_written_to),
		FAKE_BOTH_WAYS(checksum_request_is_passed_on_to_a_driver_that_can),
		FAKE_BOTH_WAYS(checksum_is_completed_for_a_driver_that_cannot),
		FAKE_BOTH_WAYS(impossible_checksum_request_is_dropped),
		FAKE_BOTH_WAYS(bad_buffers_are_given_back_and_hurt_no_frame),
		FAKE_BOTH_WAYS(bad_buffer_in_the_middle_of_a_frame),
		CASE(refused_copy_leaves_the_buffers_in_the_ring),
	};

	return cmocka_run_group_tests(tests, fake_eal, NULL);
}
