/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the card: `trace-cmd record -e vsp`, `perf trace -e 'vsp:*'`.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * Each takes the PCI function and what the caller has at hand anyway: names and
 * the like are worked out in TP_fast_assign, which only runs while the event is
 * on. Off, an event is one no-operation instruction.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vsp

#if !defined(VSP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VSP_TRACE_H

#include <linux/tracepoint.h>

#include "pci.h"
#include "vsp_hw.h"

#ifndef VSP_TRACE_ENUMS
#define VSP_TRACE_ENUMS

enum vsp_trace_msix {
	VSP_TRACE_MSIX_SENT,
	VSP_TRACE_MSIX_COALESCED,	/* one is on its way to the handler */
	VSP_TRACE_MSIX_PENDING,		/* masked; will be sent on unmask */
	VSP_TRACE_MSIX_DROPPED,		/* MSI-X or bus mastering off, no interrupt */
};

enum vsp_trace_state {
	VSP_TRACE_STATUS,		/* virtio device status; old, new: the byte */
	VSP_TRACE_RESET,		/* by the driver; old, new: as above */
	VSP_TRACE_FLR,
	VSP_TRACE_PLUG,			/* seen by the kernel; old, new: 0, 1 */
	VSP_TRACE_UNPLUG,
	VSP_TRACE_POWER,		/* old, new: 0 for D0, 3 for D3hot */
};

#endif

#define vsp_trace_msix_names						\
	vsp_trace_name(VSP_TRACE_MSIX_SENT,		"sent")		\
	vsp_trace_name(VSP_TRACE_MSIX_COALESCED,	"coalesced")	\
	vsp_trace_name(VSP_TRACE_MSIX_PENDING,		"pending")	\
	vsp_trace_last(VSP_TRACE_MSIX_DROPPED,		"dropped")

#define vsp_trace_state_names						\
	vsp_trace_name(VSP_TRACE_STATUS,		"status")	\
	vsp_trace_name(VSP_TRACE_RESET,			"reset")	\
	vsp_trace_name(VSP_TRACE_FLR,			"flr")		\
	vsp_trace_name(VSP_TRACE_PLUG,			"plug")		\
	vsp_trace_name(VSP_TRACE_UNPLUG,		"unplug")	\
	vsp_trace_last(VSP_TRACE_POWER,			"power")

#define vsp_trace_mbox_names						\
	vsp_trace_name(VSP_MBOX_GET_PF_RESOURCE,	"get_pf_resource") \
	vsp_trace_name(VSP_MBOX_GET_STATUS,		"get_status")	\
	vsp_trace_name(VSP_MBOX_SET_STATUS,		"set_status")	\
	vsp_trace_name(VSP_MBOX_GET_FEATURES,		"get_features")	\
	vsp_trace_name(VSP_MBOX_SET_FEATURES,		"set_features")	\
	vsp_trace_name(VSP_MBOX_SET_VQ_ADDR,		"set_vq_addr")	\
	vsp_trace_name(VSP_MBOX_SET_VQ_SIZE,		"set_vq_size")	\
	vsp_trace_name(VSP_MBOX_SET_VQ_MSIX,		"set_vq_msix")	\
	vsp_trace_name(VSP_MBOX_SET_VQ_ENABLE,		"set_vq_enable") \
	vsp_trace_name(VSP_MBOX_GET_VQ_STATE,		"get_vq_state")	\
	vsp_trace_name(VSP_MBOX_SET_VQ_STATE,		"set_vq_state")	\
	vsp_trace_name(VSP_MBOX_SUSPEND,		"suspend")	\
	vsp_trace_name(VSP_MBOX_RESUME,			"resume")	\
	vsp_trace_name(VSP_MBOX_GET_CONFIG,		"get_config")	\
	vsp_trace_name(VSP_MBOX_SET_CONFIG,		"set_config")	\
	vsp_trace_name(VSP_MBOX_RESET,			"reset")	\
	vsp_trace_name(VSP_MBOX_GET_STATS,		"get_stats")	\
	vsp_trace_name(VSP_MBOX_SET_TRANSLATION,	"set_translation") \
	vsp_trace_last(VSP_MBOX_SET_PAIRS,		"set_pairs")

/* First for tools, which know no enumerators, then as a list to print from. */
#undef vsp_trace_name
#undef vsp_trace_last
#define vsp_trace_name(value, name)	TRACE_DEFINE_ENUM(value);
#define vsp_trace_last(value, name)	TRACE_DEFINE_ENUM(value);

vsp_trace_msix_names
vsp_trace_state_names
vsp_trace_mbox_names

#undef vsp_trace_name
#undef vsp_trace_last
#define vsp_trace_name(value, name)	{ value, name },
#define vsp_trace_last(value, name)	{ value, name }

#define vsp_trace_perm(perm)						\
	__print_flags(perm, "|", { VSP_PERM_R, "r" }, { VSP_PERM_W, "w" })

TRACE_EVENT(vsp_doorbell,
	TP_PROTO(const struct vsp_pci_fn *pci, unsigned int queue),
	TP_ARGS(pci, queue),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(unsigned int, queue)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->queue = queue;
	),
	TP_printk("fn=%s queue=%u", __get_str(fn), __entry->queue)
);

TRACE_EVENT(vsp_msix,
	TP_PROTO(const struct vsp_pci_fn *pci, unsigned int vector,
		 enum vsp_trace_msix outcome),
	TP_ARGS(pci, vector, outcome),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(unsigned int, vector)
		__field(int, outcome)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->vector = vector;
		__entry->outcome = outcome;
	),
	TP_printk("fn=%s vector=%u outcome=%s", __get_str(fn), __entry->vector,
		  __print_symbolic(__entry->outcome, vsp_trace_msix_names))
);

/* @perm: what the device wanted to do, VSP_PERM_*; @why: a few words. */
TRACE_EVENT(vsp_dma_fault,
	TP_PROTO(const struct vsp_pci_fn *pci, u64 iova, size_t len, u32 perm,
		 const char *why),
	TP_ARGS(pci, iova, len, perm, why),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(u64, iova)
		__field(size_t, len)
		__field(u32, perm)
		__string(why, why)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->iova = iova;
		__entry->len = len;
		__entry->perm = perm;
		__assign_str(why);
	),
	TP_printk("fn=%s iova=%#llx len=%zu perm=%s why=%s", __get_str(fn),
		  __entry->iova, __entry->len, vsp_trace_perm(__entry->perm),
		  __get_str(why))
);

TRACE_EVENT(vsp_mailbox,
	TP_PROTO(const struct vsp_pci_fn *pci, u16 cmd, int status),
	TP_ARGS(pci, cmd, status),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(u16, cmd)
		__field(int, status)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->cmd = cmd;
		__entry->status = status;
	),
	TP_printk("fn=%s cmd=%s status=%d", __get_str(fn),
		  __print_symbolic(__entry->cmd, vsp_trace_mbox_names), __entry->status)
);

DECLARE_EVENT_CLASS(vsp_mapping,
	TP_PROTO(const struct vsp_pci_fn *pci, u64 iova, phys_addr_t phys, size_t len,
		 u32 perm),
	TP_ARGS(pci, iova, phys, len, perm),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(u64, iova)
		__field(u64, phys)
		__field(size_t, len)
		__field(u32, perm)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->iova = iova;
		__entry->phys = phys;
		__entry->len = len;
		__entry->perm = perm;
	),
	TP_printk("fn=%s iova=%#llx phys=%#llx len=%zu perm=%s", __get_str(fn),
		  __entry->iova, __entry->phys, __entry->len,
		  vsp_trace_perm(__entry->perm))
);

DEFINE_EVENT(vsp_mapping, vsp_map,
	TP_PROTO(const struct vsp_pci_fn *pci, u64 iova, phys_addr_t phys, size_t len,
		 u32 perm),
	TP_ARGS(pci, iova, phys, len, perm)
);

DEFINE_EVENT(vsp_mapping, vsp_unmap,
	TP_PROTO(const struct vsp_pci_fn *pci, u64 iova, phys_addr_t phys, size_t len,
		 u32 perm),
	TP_ARGS(pci, iova, phys, len, perm)
);

TRACE_EVENT(vsp_state,
	TP_PROTO(const struct vsp_pci_fn *pci, enum vsp_trace_state what, u32 old, u32 new),
	TP_ARGS(pci, what, old, new),
	TP_STRUCT__entry(
		__string(fn, vsp_pci_fn_name(pci))
		__field(int, what)
		__field(u32, old)
		__field(u32, new)
	),
	TP_fast_assign(
		__assign_str(fn);
		__entry->what = what;
		__entry->old = old;
		__entry->new = new;
	),
	TP_printk("fn=%s what=%s old=%#x new=%#x", __get_str(fn),
		  __print_symbolic(__entry->what, vsp_trace_state_names),
		  __entry->old, __entry->new)
);

#endif /* VSP_TRACE_H */

/* Beside us, wherever the sources have been copied to: see Kbuild. */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
