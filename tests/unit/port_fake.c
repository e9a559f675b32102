// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A fake session for tests of the vsp port: see port_fake.h.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_eal.h>

#include "port_fake.h"

struct fake fake;

int fake_eal(void **state)
{
	static char *args[] = {
		"port_test", "--no-huge", "--no-pci", "--no-shconf", "-m", "128",
		"--no-telemetry", "--log-level=error", "-l", "0", NULL,
	};

	(void)state;
	if (rte_eal_init(ARRAY_LEN(args) - 1, args) < 0)
		return -1;
	fake.pool = rte_pktmbuf_pool_create("fake", FAKE_MBUFS, 0, 0,
					    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	return fake.pool ? 0 : -1;
}

int fake_setup(void **state)
{
	struct rte_mempool *pool = fake.pool;
	unsigned int i;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.pool = pool;
	fake.mem = calloc(1, FAKE_MEM);
	for (i = 0; i < 2; i++) {
		guest_init(&fake.vq[i], GUEST_SPLIT, FAKE_NUM, 0);
		fake.ready[i] = true;
	}
	fake.state.status = 0xf;
	fake.state.mtu = 1500;
	fake.state.nr_vqs_active = 2;
	fake_features(1ULL << VIRTIO_NET_F_MRG_RXBUF |
		      1ULL << VIRTIO_RING_F_INDIRECT_DESC);
	return fake.mem ? 0 : -1;
}

/*
 * Driver memory, and the indirect tables of guest.c, whose IOVAs are addresses of
 * this process. These are above all that is driver memory, and above FAKE_HOLE.
 */
int fake_setup_window(void **state)
{
	const uint64_t tables = 1ULL << 43;

	if (fake_setup(state))
		return -1;
	fake.state.way = VSP_WAY_WINDOW;
	fake.table = calloc(1, VSP_MMAP_IOTLB_SIZE);
	if (!fake.table || vrl_iotlb_init(fake.table, 64))
		return -1;
	if (vrl_iotlb_add(fake.table, FAKE_IOVA, FAKE_IOVA + FAKE_RO - 1,
			  (uintptr_t)fake.mem, VRL_PERM_R | VRL_PERM_W) ||
	    vrl_iotlb_add(fake.table, FAKE_IOVA + FAKE_RO, FAKE_IOVA + FAKE_MEM - 1,
			  (uintptr_t)fake.mem + FAKE_RO, VRL_PERM_R) ||
	    vrl_iotlb_add(fake.table, tables, UINT64_MAX, tables, VRL_PERM_R))
		return -1;
	return 0;
}

void fake_unmap(uint32_t off, uint32_t len)
{
	assert_int_equal(vrl_iotlb_del(fake.table, fake_iova(off),
				       fake_iova(off) + len - 1), 0);
	fake.ctl.map_generation++;
	fake.ctl.generation++;
}

int fake_teardown(void **state)
{
	unsigned int i;

	(void)state;
	vsp_port_close(fake.port);
	for (i = 0; i < 2; i++)
		guest_fini(&fake.vq[i]);
	free(fake.table);
	free(fake.mem);
	if (fake.maps || rte_mempool_avail_count(fake.pool) != FAKE_MBUFS) {
		print_error("%u ring areas still mapped, %u mbufs missing\n",
			    fake.maps,
			    FAKE_MBUFS - rte_mempool_avail_count(fake.pool));
		return -1;
	}
	return 0;
}

void fake_features(uint64_t features)
{
	fake.state.driver_features = features | 1ULL << VIRTIO_F_VERSION_1;
}

void fake_in_order(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		guest_fini(&fake.vq[i]);
		guest_init(&fake.vq[i], GUEST_SPLIT, FAKE_NUM, VRL_F_IN_ORDER);
	}
	fake.state.driver_features |= 1ULL << VIRTIO_F_IN_ORDER;
}

void fake_open(void)
{
	const struct vsp_port_conf conf = {
		.pool = fake.pool,
		.socket = SOCKET_ID_ANY,
		.max_frame = 9238,
	};
	char err[VSP_PORT_ERRLEN] = "";

	assert_int_equal(vsp_port_open("10000:01:00.1", &conf, &fake.port, err), 0);
	fake.raised = 0;
	fake.raise_calls = 0;
}

void fake_event(enum vsp_event_type type, uint32_t queue, uint32_t flags)
{
	struct vsp_event *e = &fake.events[fake.nr_events++];

	*e = (struct vsp_event){
		.seq = fake.nr_events,
		.type = type,
		.queue = queue,
		.flags = flags,
	};
	fake.ctl.generation++;
}

void fake_event_value(enum vsp_event_type type, uint32_t value)
{
	fake_event(type, 0, VSP_EVENT_FLAG_ACK);
	fake.events[fake.nr_events - 1].value = value;
}

void fake_pattern(uint8_t *p, uint32_t len, uint32_t salt)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + salt);
}

bool fake_is_pattern(const struct rte_mbuf *m, uint32_t salt)
{
	uint8_t want[VSP_PORT_MAX_FRAME], got[VSP_PORT_MAX_FRAME];
	const void *p;

	fake_pattern(want, m->pkt_len, salt);
	p = rte_pktmbuf_read(m, 0, m->pkt_len, got);
	return p && !memcmp(p, want, m->pkt_len);
}

uint8_t fake_byte(const struct rte_mbuf *m, uint32_t at)
{
	uint8_t byte;

	return *(const uint8_t *)rte_pktmbuf_read(m, at, 1, &byte);
}

void fake_send(uint32_t off, uint32_t len, uint32_t salt)
{
	struct guest_buf buf = { fake_iova(off), VSP_HDR_LEN + len };

	memset(fake.mem + off, 0, VSP_HDR_LEN);
	fake_pattern(fake.mem + off + VSP_HDR_LEN, len, salt);
	assert_true(guest_post(&fake.vq[FAKE_TX], &buf, 1, 0, false) >= 0);
}

void fake_post_rx(uint32_t off, uint32_t len, unsigned int nr)
{
	for (; nr; nr--, off += len) {
		struct guest_buf buf = { fake_iova(off), len };

		assert_true(guest_post(&fake.vq[FAKE_RX], &buf, 0, 1, false) >= 0);
	}
}

struct rte_mbuf *fake_mbuf(uint32_t len, uint32_t salt)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(fake.pool);

	assert_non_null(m);
	fake_pattern((uint8_t *)rte_pktmbuf_append(m, len), len, salt);
	return m;
}

uint16_t fake_sum(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* ---- what vsp_session.c would do ----------------------------------------- */

int vsp_session_open(struct vsp_session *s, const char *name, char *err)
{
	(void)name;
	(void)err;
	s->fd = 0;
	s->ctl = &fake.ctl;
	s->be = &fake.be;
	s->props = (struct vsp_attach){
		.device_id = 1,
		.nr_vqs = 3,
		.nr_vectors = 5,
		.max_copy_segs = 4096,
		.ctrl_vq = 2,
	};
	return 0;
}

void vsp_session_close(struct vsp_session *s)
{
	s->fd = -1;
}

int vsp_session_get_state(struct vsp_session *s, struct vsp_state *state)
{
	(void)s;
	fake.state_calls++;
	*state = fake.state;
	return 0;
}

/* Vectors as on the card: mailbox, config, then one per queue. */
int vsp_session_get_vq(struct vsp_session *s, uint32_t index,
		       struct vsp_vq_state *state)
{
	const struct guest *g = &fake.vq[index];

	(void)s;
	if (index > 1)
		return -EINVAL;
	*state = (struct vsp_vq_state){
		.index = index,
		.size = g->num,
		.ready = fake.ready[index],
		.vector = 2 + index,
		.desc = (uintptr_t)g->desc,
		.driver = (uintptr_t)g->avail + fake.align_off,
		.device = (uintptr_t)g->used,
		.last_avail = le16toh(g->used->idx),
		.used_idx = le16toh(g->used->idx),
	};
	return 0;
}

int vsp_session_map_ring(struct vsp_session *s, uint32_t index,
			 enum vsp_ring_area area, uint64_t iova, size_t len,
			 struct vsp_ring_map *map)
{
	(void)s;
	(void)index;
	(void)area;
	map->base = map->area = (void *)(uintptr_t)iova;
	map->len = len;
	fake.maps++;
	return 0;
}

void vsp_session_unmap_ring(struct vsp_ring_map *map)
{
	if (map->base)
		fake.maps--;
	memset(map, 0, sizeof(*map));
}

int vsp_session_window(struct vsp_session *s, uint32_t asid, struct vrl_mem *mem)
{
	(void)s;
	fake.window_calls++;
	if (fake.window_ret || asid || !fake.table)
		return fake.window_ret ? fake.window_ret : -EINVAL;
	return vrl_mem_attach(mem, fake.table, VSP_MMAP_IOTLB_SIZE, NULL);
}

int vsp_session_next_event(struct vsp_session *s, struct vsp_event *event)
{
	(void)s;
	fake.event_calls++;
	if (fake.next_event == fake.nr_events)
		return fake.event_ret;
	*event = fake.events[fake.next_event++];
	return 1;
}

int vsp_session_ack(struct vsp_session *s, uint64_t seq)
{
	(void)s;
	fake.acked = seq;
	fake.maps_at_ack = fake.maps;
	return 0;
}

/* Byte exact, as the card's IOTLB: a piece that leaves what is mapped faults. */
static uint8_t *fake_dma(uint64_t iova, uint32_t len, bool write)
{
	const uint64_t limit = write ? FAKE_RO : FAKE_MEM;
	unsigned int i;
	const void *p;

	if (iova >= FAKE_IOVA && iova - FAKE_IOVA <= limit &&
	    len <= limit - (iova - FAKE_IOVA))
		return fake.mem + (iova - FAKE_IOVA);
	for (i = 0; i < 2 && !write; i++) {
		p = guest_mem_find(&fake.vq[i], iova, len);
		if (p)
			return (uint8_t *)(uintptr_t)p;
	}
	return NULL;
}

int vsp_session_copy(struct vsp_session *s, struct vsp_copy_seg *segs,
		     unsigned int nr)
{
	int faults = 0;
	unsigned int i;

	(void)s;
	fake.copy_calls++;
	fake.copy_segs += nr;
	if (fake.copy_ret)
		return fake.copy_ret;
	for (i = 0; i < nr; i++) {
		const bool write = segs[i].dir == VSP_COPY_TO_DRIVER;
		uint8_t *dma = fake_dma(segs[i].iova, segs[i].len, write);
		void *addr = (void *)(uintptr_t)segs[i].addr;

		if (!dma) {
			segs[i].status = VSP_COPY_FAULT;
			faults++;
		} else if (write) {
			memcpy(dma, addr, segs[i].len);
		} else {
			memcpy(addr, dma, segs[i].len);
		}
	}
	return faults;
}

int vsp_session_raise(struct vsp_session *s, uint64_t vectors)
{
	(void)s;
	fake.raised |= vectors;
	fake.raise_calls++;
	return 0;
}

int vsp_session_set_link(struct vsp_session *s, bool up, uint32_t speed_mbps)
{
	(void)s;
	(void)up;
	(void)speed_mbps;
	return 0;
}

int vsp_session_needs_reset(struct vsp_session *s, uint32_t index, uint32_t why)
{
	(void)s;
	(void)index;
	(void)why;
	fake.needs_reset++;
	return 0;
}
