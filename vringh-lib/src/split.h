/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The areas of a split ring, for split.c, which takes, and split_used.c, which gives
 * back.
 */
#ifndef VRL_SPLIT_H
#define VRL_SPLIT_H

#include "queue.h"

/* 2.7.6 and 2.7.8; used_event and avail_event follow ring[num]. */
struct avail_ring {
	__le16 flags;
	__le16 idx;
	__le16 ring[];
};

struct used_elem {
	__le32 id;
	__le32 len;
};

struct used_ring {
	__le16 flags;
	__le16 idx;
	struct used_elem ring[];
};

#define AVAIL_F_NO_INTERRUPT	1
#define USED_F_NO_NOTIFY	1

static_assert(sizeof(struct vrl_desc) == 16, "2.7.5");
static_assert(sizeof(struct used_elem) == 8, "2.7.8");

#endif /* VRL_SPLIT_H */
