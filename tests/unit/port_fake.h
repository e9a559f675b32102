/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The other side of a vsp port in tests: a kernel that keeps its word (instead
 * of vsp_session.c) and a driver that does as the test wants, on guest.c. All
 * of the port above the system calls runs as it is.
 */
#ifndef PORT_FAKE_H
#define PORT_FAKE_H

#include "test.h"

#include <vsp_priv.h>

#include "guest.h"

#define FAKE_NUM	64		/* queue size */
#define FAKE_RX		0		/* the driver's receive queue: port tx */
#define FAKE_TX		1		/* the driver's transmit queue: port rx */
#define FAKE_IOVA	0x7000000000ULL
#define FAKE_MEM	(1U << 20)	/* bytes of driver memory, all mapped */
#define FAKE_RO		(FAKE_MEM / 2)	/* from here on the device may only read */
#define FAKE_HOLE	(FAKE_IOVA + FAKE_MEM + 4096)	/* mapped to nothing */
#define FAKE_MBUFS	511
#define FAKE_EVENTS	16

struct fake {
	struct guest vq[2];
	uint8_t *mem;
	struct vsp_state state;
	bool ready[2];
	uint32_t align_off;		/* added to the driver area's address */

	struct vsp_event events[FAKE_EVENTS];
	unsigned int nr_events, next_event;
	uint64_t acked;
	unsigned int maps;		/* ring areas mapped now */
	unsigned int maps_at_ack;

	struct vrl_iotlb *table;	/* of the window */
	unsigned int window_calls;
	int window_ret;			/* not 0: there is no window to be had */
	unsigned int copy_calls, copy_segs, state_calls, event_calls;
	int copy_ret;			/* not 0: answer of the next copies */
	int event_ret;			/* not 0: answer when events have run out */
	uint64_t raised;
	unsigned int raise_calls;
	unsigned int needs_reset;

	struct vsp_ctl_page ctl;
	struct vsp_be_page be;
	struct vsp_port *port;
	struct rte_mempool *pool;
};

extern struct fake fake;

/* cmocka group and test fixtures. The test opens the port, once it is ready. */
int fake_eal(void **state);
int fake_setup(void **state);
int fake_setup_window(void **state);	/* the driver's way is the window */
int fake_teardown(void **state);	/* fails when an mbuf is missing */
/* A case that holds for both ways to the bytes is two cases. */
#define FAKE_BOTH_WAYS(f) \
	{ #f "_by_copy", f, fake_setup, fake_teardown, NULL }, \
	{ #f "_by_window", f, fake_setup_window, fake_teardown, NULL }

static inline bool fake_is_window(void)
{
	return fake.state.way == VSP_WAY_WINDOW;
}

/* So many system calls for copies, of so many pieces; none by the window. */
static inline void fake_assert_copies(unsigned int calls, unsigned int segs)
{
	assert_int_equal(fake.copy_calls, fake_is_window() ? 0 : calls);
	assert_int_equal(fake.copy_segs, fake_is_window() ? 0 : segs);
}

/* The driver unmaps, from the window only. */
void fake_unmap(uint32_t off, uint32_t len);
void fake_features(uint64_t features);
/* The driver's rings and features are with IN_ORDER; before fake_open(). */
void fake_in_order(void);
void fake_open(void);
void fake_event(enum vsp_event_type type, uint32_t queue, uint32_t flags);
/* One that has a value and is to be acknowledged. */
void fake_event_value(enum vsp_event_type type, uint32_t value);

/* Driver memory: @off bytes behind FAKE_IOVA. */
static inline uint64_t fake_iova(uint32_t off)
{
	return FAKE_IOVA + off;
}

/* A frame with every byte telling where it belongs. */
void fake_pattern(uint8_t *p, uint32_t len, uint32_t salt);
bool fake_is_pattern(const struct rte_mbuf *m, uint32_t salt);
uint8_t fake_byte(const struct rte_mbuf *m, uint32_t at);
/* Post [virtio header, frame] at @off of driver memory, in one piece. */
void fake_send(uint32_t off, uint32_t len, uint32_t salt);
/* Post @nr receive buffers of @len, from @off on. */
void fake_post_rx(uint32_t off, uint32_t len, unsigned int nr);
struct rte_mbuf *fake_mbuf(uint32_t len, uint32_t salt);
/* The 16-bit sum of RFC 1071, byte by byte. */
uint16_t fake_sum(const uint8_t *p, uint32_t len);

#endif /* PORT_FAKE_H */
