/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the software IOMMU: `trace-cmd record -e vsp_iommu`.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * A domain does not know its devices; it is told apart by the address of its
 * table, hashed as the kernel prints any pointer. The kernel's own events
 * iommu:map and iommu:unmap are the same on the other side of the API.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vsp_iommu

#if !defined(VSP_IOMMU_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VSP_IOMMU_TRACE_H

#include <linux/tracepoint.h>

#include "radix.h"

#define vsp_iommu_trace_perm(perm)					\
	__print_flags(perm, "|", { VSP_RADIX_READ, "r" }, { VSP_RADIX_WRITE, "w" })

TRACE_EVENT(vsp_iommu_map,
	TP_PROTO(const struct vsp_radix *domain, u64 iova, u64 phys, u64 len, u32 perm),
	TP_ARGS(domain, iova, phys, len, perm),
	TP_STRUCT__entry(
		__field(const void *, domain)
		__field(u64, iova)
		__field(u64, phys)
		__field(u64, len)
		__field(u32, perm)
	),
	TP_fast_assign(
		__entry->domain = domain;
		__entry->iova = iova;
		__entry->phys = phys;
		__entry->len = len;
		__entry->perm = perm;
	),
	TP_printk("domain=%p iova=%#llx phys=%#llx len=%llu perm=%s", __entry->domain,
		  __entry->iova, __entry->phys, __entry->len,
		  vsp_iommu_trace_perm(__entry->perm))
);

TRACE_EVENT(vsp_iommu_unmap,
	TP_PROTO(const struct vsp_radix *domain, u64 iova, u64 len),
	TP_ARGS(domain, iova, len),
	TP_STRUCT__entry(
		__field(const void *, domain)
		__field(u64, iova)
		__field(u64, len)
	),
	TP_fast_assign(
		__entry->domain = domain;
		__entry->iova = iova;
		__entry->len = len;
	),
	TP_printk("domain=%p iova=%#llx len=%llu", __entry->domain, __entry->iova,
		  __entry->len)
);

/* @master: stream number, in the order in which the card's functions were made. */
TRACE_EVENT(vsp_iommu_fault,
	TP_PROTO(u32 master, u64 iova, u32 perm),
	TP_ARGS(master, iova, perm),
	TP_STRUCT__entry(
		__field(u32, master)
		__field(u64, iova)
		__field(u32, perm)
	),
	TP_fast_assign(
		__entry->master = master;
		__entry->iova = iova;
		__entry->perm = perm;
	),
	TP_printk("master=%u iova=%#llx perm=%s", __entry->master, __entry->iova,
		  vsp_iommu_trace_perm(__entry->perm))
);

#endif /* VSP_IOMMU_TRACE_H */

/* Beside us, wherever the sources have been copied to: see Kbuild. */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
