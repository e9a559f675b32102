// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * All vectors there are.
 */
#include "vectors.h"

const struct vec_chain *const vec_chain_tables[] = {
	vec_chains_both, vec_chains_split, vec_chains_packed, NULL
};

const struct vec_script *const vec_script_tables[] = {
	vec_scripts_split, vec_scripts_packed, NULL
};
