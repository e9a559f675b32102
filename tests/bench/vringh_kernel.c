// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The kernel's vringh and vhost_iotlb as one object, from the sources that
 * tests/bench/linux-source has put into the build directory.
 */
#include "vringh_shim.h"

#include "rbtree.c"
#include "iotlb.c"
#include "vringh.c"
