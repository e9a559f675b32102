/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Checksum offload between the virtio-net header (virtio 1.3, 5.1.6: start and
 * offset of any 16-bit sum) and mbuf flags (protocol and header lengths). What
 * one side can say and the other cannot is computed here.
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "vsp_priv.h"

#define VSP_TCP_CKSUM_OFFSET	16
#define VSP_UDP_CKSUM_OFFSET	6

/* Tags of 802.1Q and 802.1ad that are looked behind; as the kernel, two. */
#define VSP_MAX_TAGS		2

/* Where the network header begins and what it is, or 0 for anything else. */
static uint32_t csum_l2_len(const uint8_t *frame, uint32_t len, uint16_t *type)
{
	uint32_t at = offsetof(struct rte_ether_hdr, ether_type);
	unsigned int tags;
	rte_be16_t word;

	for (tags = 0; tags <= VSP_MAX_TAGS; tags++) {
		if (at + sizeof(word) > len)
			return 0;
		memcpy(&word, frame + at, sizeof(word));
		*type = rte_be_to_cpu_16(word);
		at += sizeof(word);
		if (*type != RTE_ETHER_TYPE_VLAN && *type != RTE_ETHER_TYPE_QINQ)
			return at;
		at += sizeof(word);	/* the tag; another type follows */
	}
	return 0;
}

/*
 * The protocol whose header begins at @start, if it follows a network header
 * directly; -1 for fragments, extension headers and everything unknown.
 */
static int csum_protocol(const uint8_t *frame, uint32_t l2_len, uint16_t type,
			 uint32_t start, uint64_t *flag)
{
	const uint32_t l3_len = start - l2_len;
	const uint8_t *ip = frame + l2_len;

	if (type == RTE_ETHER_TYPE_IPV4 && l3_len >= 20) {
		*flag = RTE_MBUF_F_TX_IPV4;
		if ((uint32_t)(ip[0] & 0xf) * 4 != l3_len || ip[0] >> 4 != 4 ||
		    (ip[6] & 0x3f) || ip[7])
			return -1;
		return ip[9];
	}
	if (type == RTE_ETHER_TYPE_IPV6 && l3_len == 40) {
		*flag = RTE_MBUF_F_TX_IPV6;
		return ip[6];
	}
	return -1;
}

/* Length of the header at @start, or 0: unknown, or not whole in the first mbuf. */
static uint32_t csum_l4_len(const struct rte_mbuf *m, int protocol, uint32_t start,
			    uint32_t offset)
{
	const uint8_t *l4 = rte_pktmbuf_mtod_offset(m, const uint8_t *, start);
	const uint32_t room = m->data_len - start;
	uint32_t len = 0;

	if (protocol == IPPROTO_TCP && offset == VSP_TCP_CKSUM_OFFSET &&
	    room >= sizeof(struct rte_tcp_hdr)) {
		len = (l4[offsetof(struct rte_tcp_hdr, data_off)] >> 4) * 4;
		if (len < sizeof(struct rte_tcp_hdr))
			return 0;
	} else if (protocol == IPPROTO_UDP && offset == VSP_UDP_CKSUM_OFFSET) {
		len = sizeof(struct rte_udp_hdr);
	}
	return len <= room ? len : 0;
}

/*
 * True: the request is one that mbuf flags can carry, and @m carries it. All
 * headers are in the first mbuf then, where drivers of NICs want them.
 */
static bool csum_to_flags(struct rte_mbuf *m, uint32_t start, uint32_t offset)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint32_t l2_len, l4_len;
	uint64_t flag;
	uint16_t type;
	int protocol;

	l2_len = csum_l2_len(frame, m->data_len, &type);
	if (!l2_len || start <= l2_len || start > m->data_len)
		return false;

	protocol = csum_protocol(frame, l2_len, type, start, &flag);
	l4_len = csum_l4_len(m, protocol, start, offset);
	if (!l4_len)
		return false;

	m->ol_flags |= flag | (protocol == IPPROTO_TCP ? RTE_MBUF_F_TX_TCP_CKSUM :
							 RTE_MBUF_F_TX_UDP_CKSUM);
	m->l2_len = l2_len;
	m->l3_len = start - l2_len;
	m->l4_len = l4_len;
	return true;
}

/* A sum may lie across two segments. */
static void csum_write(struct rte_mbuf *m, uint32_t at, uint16_t sum)
{
	uint8_t bytes[sizeof(sum)];
	unsigned int i;

	memcpy(bytes, &sum, sizeof(sum));
	for (i = 0; i < sizeof(bytes); at++, i++) {
		while (at >= m->data_len) {
			at -= m->data_len;
			m = m->next;
		}
		*rte_pktmbuf_mtod_offset(m, uint8_t *, at) = bytes[i];
	}
}

/*
 * The sum over everything from @start on. Not rte_raw_cksum_mbuf(): up to 24.11
 * it swaps the bytes of an odd segment's sum before the carries are folded in,
 * and loses them.
 */
static uint16_t csum_sum(const struct rte_mbuf *m, uint32_t start)
{
	uint32_t sum = 0, done = 0;

	for (; m; m = m->next) {
		uint32_t len;
		uint16_t part;

		if (start >= m->data_len) {
			start -= m->data_len;
			continue;
		}
		len = m->data_len - start;
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(m, const void *, start),
				     len);
		sum += done & 1 ? rte_bswap16(part) : part;
		done += len;
		start = 0;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/*
 * The field holds the pseudo header's sum, so the sum over everything from
 * @start is the answer. Zero means "no checksum" in UDP; its other form is as
 * good for everybody.
 */
static int csum_fill(struct rte_mbuf *m, uint32_t start, uint32_t offset)
{
	uint16_t sum;

	if (start + offset + sizeof(sum) > m->pkt_len)
		return -EINVAL;
	sum = ~csum_sum(m, start);
	csum_write(m, start + offset, sum ? sum : 0xffff);
	return 0;
}

/*
 * The driver's request for a frame just received: into flags, or done at once.
 * @m is private. -EINVAL: the header asks for what was not negotiated or for
 * bytes that the frame does not have.
 */
int vsp_csum_from_driver(struct rte_mbuf *m, const struct virtio_net_hdr_v1 *hdr,
			 uint64_t *software)
{
	uint32_t start, offset;

	if (hdr->gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return -EINVAL;
	if (!(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;

	start = rte_le_to_cpu_16(hdr->csum_start);
	offset = rte_le_to_cpu_16(hdr->csum_offset);
	if (csum_to_flags(m, start, offset))
		return 0;
	if (csum_fill(m, start, offset))
		return -EINVAL;
	(*software)++;
	return 0;
}

/* Where @m wants its sum; -EINVAL: beyond the frame, or a protocol unheard of. */
static int csum_request(const struct rte_mbuf *m, uint32_t *start, uint32_t *offset)
{
	switch (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		*offset = VSP_TCP_CKSUM_OFFSET;
		break;
	case RTE_MBUF_F_TX_UDP_CKSUM:
		*offset = VSP_UDP_CKSUM_OFFSET;
		break;
	default:
		return -EINVAL;
	}
	*start = m->l2_len + m->l3_len;
	return *start + *offset + sizeof(uint16_t) > m->pkt_len ? -EINVAL : 0;
}

/* For a driver with GUEST_CSUM: what @m asks for, in the header. */
int vsp_csum_to_driver(const struct rte_mbuf *m, struct virtio_net_hdr_v1 *hdr)
{
	uint32_t start, offset;

	if (!vsp_csum_is_requested(m)) {
		if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
		    RTE_MBUF_F_RX_L4_CKSUM_GOOD)
			hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return 0;
	}
	if (csum_request(m, &start, &offset))
		return -EINVAL;
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = rte_cpu_to_le_16(start);
	hdr->csum_offset = rte_cpu_to_le_16(offset);
	return 0;
}

/* Nobody else can see the bytes of @m. */
bool vsp_mbuf_is_private(const struct rte_mbuf *m)
{
	for (; m; m = m->next)
		if (!RTE_MBUF_DIRECT(m) || rte_mbuf_refcnt_read(m) != 1)
			return false;
	return true;
}

int vsp_port_csum_complete(struct rte_mbuf *m, struct rte_mempool *pool,
			   struct rte_mbuf **out)
{
	uint32_t start, offset;
	struct rte_mbuf *copy;
	int ret;

	ret = csum_request(m, &start, &offset);
	if (ret)
		goto err_free;

	if (!vsp_mbuf_is_private(m)) {
		copy = rte_pktmbuf_copy(m, pool, 0, UINT32_MAX);
		if (!copy) {
			ret = -ENOMEM;
			goto err_free;
		}
		rte_pktmbuf_free(m);
		m = copy;
	}
	ret = csum_fill(m, start, offset);
	if (ret)
		goto err_free;

	m->ol_flags &= ~(RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_IPV4 |
			 RTE_MBUF_F_TX_IPV6);
	*out = m;
	return 0;

err_free:
	rte_pktmbuf_free(m);
	return ret;
}
