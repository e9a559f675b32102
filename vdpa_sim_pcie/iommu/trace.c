// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code behind the tracepoints that trace.h declares.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
