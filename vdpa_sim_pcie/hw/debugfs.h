/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What debugfs.c (the files) and debugfs_show.c (their text) share.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#ifndef VSP_DEBUGFS_H
#define VSP_DEBUGFS_H

#include <linux/seq_file.h>

#include "vsp.h"

struct vsp_debug_file;

/* One open file of text. @iova is what was last written to `translate` or `pte`. */
struct vsp_debug_open {
	struct vsp_pci_fn *fn;
	const struct vsp_debug_file *file;
	u64 iova;
};

/* ---- debugfs_show.c: each runs while the function is plugged, may sleep ---- */

int vsp_debug_show_slot(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_state(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_link(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_msix(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_translate(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_window(struct seq_file *s, struct vsp_debug_open *open);
int vsp_debug_show_pte(struct seq_file *s, struct vsp_debug_open *open);

#endif /* VSP_DEBUGFS_H */
