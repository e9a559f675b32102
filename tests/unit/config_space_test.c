// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The card's configuration space, as a root complex and a driver read and write
 * it: capability chains, BAR sizing, write masks, effects, reset. The sources
 * are the kernel module's own; if they stop to compile here, they have grown a
 * dependency that they must not have.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "config_space.h"
#include "test.h"

#define BAR4		0x105000000ULL
#define VF_BAR4		0x105040000ULL
#define BAR4_SIZE	0x40000ULL
#define WINDOW_END	0x1052fffffULL

#define EXP(reg)	(VSP_CAP_EXP + (reg))
#define MSIX(reg)	(VSP_CAP_MSIX + (reg))
#define SRIOV(reg)	(VSP_ECAP_SRIOV + (reg))
#define AER(reg)	(VSP_ECAP_AER + (reg))
#define VPD(reg)	(VSP_CAP_VPD + (reg))

struct card {
	struct vsp_cfg port;
	struct vsp_cfg pf;
	struct vsp_cfg vf;
	u8 *vpd;
};

static struct vsp_cfg_ep ep_params(void)
{
	struct vsp_cfg_ep ep = {
		.id = {
			.vendor = 0x5653, .device = 0x1000,
			.subsystem_vendor = 0x5653, .subsystem = 7,
			.revision = 1, .class = 0x020000,
		},
		.bar4 = BAR4, .bar4_size = BAR4_SIZE, .vf_bar4 = VF_BAR4,
		.vf_offset = 1, .total_vfs = 8, .vf_device = 0x1001, .nr_vectors = 11,
		.msix_table = 0x1000, .msix_pba = 0x9000,
	};

	return ep;
}

static int set_up(void **state)
{
	struct vsp_cfg_port port = {
		.id = { .vendor = 0x5653, .device = 0x0100, .class = 0x060400 },
		.primary = 0, .secondary = 1,
		.pref_start = BAR4, .pref_end = WINDOW_END, .slot = 7,
	};
	struct vsp_cfg_ep ep = ep_params();
	struct card *c = calloc(1, sizeof(*c));
	u8 buf[256];
	int len;

	if (!c)
		return -1;
	len = vsp_cfg_build_vpd(buf, sizeof(buf), "name", "part", "serial");
	if (len < 0)
		return -1;
	/* Exactly sized on the heap: the sanitizer guards the end. */
	c->vpd = malloc(len);
	memcpy(c->vpd, buf, len);
	ep.vpd = c->vpd;
	ep.vpd_len = len;
	vsp_cfg_build_root_port(&c->port, &port);
	vsp_cfg_build_pf(&c->pf, &ep);
	ep.vpd = NULL;
	vsp_cfg_build_vf(&c->vf, &ep);
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct card *c = *state;

	free(c->vpd);
	free(c);
	return 0;
}

static unsigned int cap_find(const struct vsp_cfg *cfg, u8 id)
{
	unsigned int at = vsp_cfg_read(cfg, PCI_CAPABILITY_LIST, 1), ttl = 48;

	for (; at && ttl; at = vsp_cfg_read(cfg, at + PCI_CAP_LIST_NEXT, 1), ttl--)
		if (vsp_cfg_read(cfg, at, 1) == id)
			return at;
	assert_int_not_equal(ttl, 0);
	return 0;
}

static unsigned int ecap_find(const struct vsp_cfg *cfg, u16 id)
{
	unsigned int at = 0x100, ttl = 48;
	u32 header;

	for (; at && ttl; ttl--) {
		header = vsp_cfg_read(cfg, at, 4);
		if (PCI_EXT_CAP_ID(header) == id)
			return at;
		at = PCI_EXT_CAP_NEXT(header);
	}
	assert_int_not_equal(ttl, 0);
	return 0;
}

static void capabilities_are_at_their_fixed_offsets(void **state)
{
	struct card *c = *state;

	assert_int_equal(cap_find(&c->pf, PCI_CAP_ID_PM), 0x40);
	assert_int_equal(cap_find(&c->pf, PCI_CAP_ID_EXP), 0x70);
	assert_int_equal(cap_find(&c->pf, PCI_CAP_ID_MSIX), 0xb0);
	assert_int_equal(cap_find(&c->pf, PCI_CAP_ID_VPD), 0xd0);
	assert_int_equal(ecap_find(&c->pf, PCI_EXT_CAP_ID_ERR), 0x100);
	assert_int_equal(ecap_find(&c->pf, PCI_EXT_CAP_ID_ARI), 0x1a0);
	assert_int_equal(ecap_find(&c->pf, PCI_EXT_CAP_ID_SRIOV), 0x210);
	assert_int_equal(cap_find(&c->vf, PCI_CAP_ID_EXP), 0x70);
	assert_int_equal(cap_find(&c->vf, PCI_CAP_ID_MSIX), 0xb0);
	assert_int_equal(ecap_find(&c->vf, PCI_EXT_CAP_ID_ARI), 0x1a0);
	assert_int_equal(cap_find(&c->port, PCI_CAP_ID_MSI), 0x50);
	assert_int_equal(cap_find(&c->port, PCI_CAP_ID_EXP), 0x70);
	assert_int_equal(ecap_find(&c->port, PCI_EXT_CAP_ID_ACS), 0x148);
}

static void vf_has_neither_pf_capabilities_nor_ids(void **state)
{
	struct card *c = *state;

	assert_int_equal(cap_find(&c->vf, PCI_CAP_ID_VPD), 0);
	assert_int_equal(ecap_find(&c->vf, PCI_EXT_CAP_ID_SRIOV), 0);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_SUBSYSTEM_ID, 2), 7);
	vsp_cfg_write(&c->vf, PCI_BASE_ADDRESS_4, 4, 0xffffffff);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_BASE_ADDRESS_4, 4), 0);
}

static void no_vfs_means_no_sriov_capability(void **state)
{
	struct vsp_cfg_ep ep = ep_params();
	struct card *c = *state;

	ep.total_vfs = 0;
	vsp_cfg_build_pf(&c->pf, &ep);
	assert_int_equal(ecap_find(&c->pf, PCI_EXT_CAP_ID_SRIOV), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_CTRL), 2, 1), 0);
	vsp_cfg_reset(&c->pf);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 0);
}

static void pfs_are_chained_and_tell_where_their_vfs_are(void **state)
{
	struct vsp_cfg_ep ep = ep_params();
	struct card *c = *state;

	assert_int_equal(vsp_cfg_read(&c->pf, PCI_HEADER_TYPE, 1), 0);
	ep.is_multi_function = true;
	ep.fn_nr = 2;
	ep.next_fn = 3;
	ep.vf_offset = 4 + 2 * 8 - 2;
	vsp_cfg_build_pf(&c->pf, &ep);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_HEADER_TYPE, 1), 0x80);
	assert_int_equal(vsp_cfg_read(&c->pf, VSP_ECAP_ARI + PCI_ARI_CAP, 2), 3 << 8);
	assert_int_equal(vsp_cfg_read(&c->pf, SRIOV(PCI_SRIOV_FUNC_LINK), 1), 2);
	assert_int_equal(vsp_cfg_read(&c->pf, SRIOV(PCI_SRIOV_VF_OFFSET), 2), 18);
	assert_int_equal(vsp_cfg_read(&c->pf, SRIOV(PCI_SRIOV_VF_STRIDE), 2), 1);
}

static void msix_registers_show_table_and_pba_in_bar_4(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_read(&c->pf, MSIX(PCI_MSIX_FLAGS), 2), 0xa);
	assert_int_equal(vsp_cfg_read(&c->pf, MSIX(PCI_MSIX_TABLE), 4), 0x1004);
	assert_int_equal(vsp_cfg_read(&c->pf, MSIX(PCI_MSIX_PBA), 4), 0x9004);
	assert_int_equal(vsp_cfg_read(&c->vf, MSIX(PCI_MSIX_TABLE), 4), 0x1004);
}

static void bar_sizing_gives_the_size_and_keeps_the_flags(void **state)
{
	struct card *c = *state;
	u32 lo, hi;

	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_4, 4), 0x0500000c);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_5, 4), 1);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_4, 4, 0xffffffff);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_5, 4, 0xffffffff);
	lo = vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_4, 4);
	hi = vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_5, 4);
	assert_int_equal(lo & 0xf, 0xc);
	assert_true(~((u64)hi << 32 | (lo & ~0xfU)) + 1 == BAR4_SIZE);

	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_BAR + 16), 4, 0xffffffff);
	lo = vsp_cfg_read(&c->pf, SRIOV(PCI_SRIOV_BAR + 16), 4);
	assert_int_equal(~(lo & ~0xfU) + 1, BAR4_SIZE);
}

static void window_of_the_port_covers_the_bars(void **state)
{
	struct card *c = *state;
	u64 base, limit;

	base = (u64)vsp_cfg_read(&c->port, PCI_PREF_BASE_UPPER32, 4) << 32 |
	       (vsp_cfg_read(&c->port, PCI_PREF_MEMORY_BASE, 2) & 0xfff0) << 16;
	limit = (u64)vsp_cfg_read(&c->port, PCI_PREF_LIMIT_UPPER32, 4) << 32 |
		(vsp_cfg_read(&c->port, PCI_PREF_MEMORY_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
	assert_true(base == BAR4);
	assert_true(limit == WINDOW_END);
	assert_int_equal(vsp_cfg_read(&c->port, PCI_PREF_MEMORY_BASE, 1) & 0xf,
			 PCI_PREF_RANGE_TYPE_64);
}

static void port_io_window_starts_disabled_and_writable(void **state)
{
	struct card *c = *state;

	assert_true(vsp_cfg_read(&c->port, PCI_IO_BASE, 1) >
		    vsp_cfg_read(&c->port, PCI_IO_LIMIT, 1));
	vsp_cfg_write(&c->port, PCI_IO_BASE, 2, 0x2f1f);
	assert_int_equal(vsp_cfg_read(&c->port, PCI_IO_BASE, 2), 0x2010);
}

static void port_separates_its_functions_at_power_on(void **state)
{
	struct card *c = *state;
	u16 ctrl = vsp_cfg_read(&c->port, VSP_ECAP_ACS + PCI_ACS_CTRL, 2);
	u16 want = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;

	assert_int_equal(ctrl & want, want);
}

static void requests_must_be_aligned_and_inside(void **state)
{
	static const struct { unsigned int where, size; } bad[] = {
		{ 1, 2 }, { 2, 4 }, { 3, 4 }, { 4096, 1 }, { 4096, 4 }, { ~0U, 1 },
		{ 0xfffffffc, 4 }, { 0, 0 }, { 0, 3 }, { 0, 8 },
	};
	struct card *c = *state;
	struct vsp_cfg *before = malloc(sizeof(*before));
	unsigned int i;

	*before = c->pf;
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(vsp_cfg_read(&c->pf, bad[i].where, bad[i].size), ~0U);
		assert_int_equal(vsp_cfg_write(&c->pf, bad[i].where, bad[i].size, ~0U), 0);
	}
	assert_memory_equal(before, &c->pf, sizeof(*before));
	free(before);
	assert_int_equal(vsp_cfg_read(&c->pf, 4092, 4), 0);
	vsp_cfg_write(&c->pf, 4092, 4, ~0U);
	assert_int_equal(vsp_cfg_read(&c->pf, 4092, 4), 0);
}

static void identity_is_read_only(void **state)
{
	struct card *c = *state;

	vsp_cfg_write(&c->pf, PCI_VENDOR_ID, 4, 0);
	vsp_cfg_write(&c->pf, PCI_CLASS_REVISION, 4, 0);
	vsp_cfg_write(&c->pf, MSIX(PCI_MSIX_TABLE), 4, 0);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_VENDOR_ID, 4), 0x10005653);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_CLASS_REVISION, 4), 0x02000001);
	assert_int_equal(vsp_cfg_read(&c->pf, MSIX(PCI_MSIX_TABLE), 4), 0x1004);
}

static void status_bits_are_cleared_by_writing_one(void **state)
{
	struct card *c = *state;

	vsp_cfg_set32(&c->pf, AER(PCI_ERR_COR_STATUS), PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP);
	vsp_cfg_write(&c->pf, AER(PCI_ERR_COR_STATUS), 4, PCI_ERR_COR_RCVR);
	assert_int_equal(vsp_cfg_read(&c->pf, AER(PCI_ERR_COR_STATUS), 4),
			 PCI_ERR_COR_BAD_TLP);
	vsp_cfg_write(&c->pf, AER(PCI_ERR_COR_STATUS), 4, 0);
	assert_int_equal(vsp_cfg_read(&c->pf, AER(PCI_ERR_COR_STATUS), 4),
			 PCI_ERR_COR_BAD_TLP);
}

static void masks_of_a_function_do_not_overlap(void **state)
{
	struct card *c = *state;
	const struct vsp_cfg *all[] = { &c->port, &c->pf, &c->vf };
	unsigned int i, at;

	for (i = 0; i < ARRAY_LEN(all); i++)
		for (at = 0; at < VSP_CFG_SIZE; at++)
			assert_int_equal(all[i]->wmask[at] & all[i]->w1c[at], 0);
}

static void bus_master_change_is_told_once(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_write(&c->pf, PCI_COMMAND, 2, PCI_COMMAND_MEMORY), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, PCI_COMMAND, 2, 0x6), VSP_CFG_COMMAND);
	assert_true(vsp_cfg_is_bus_master(&c->pf));
	assert_int_equal(vsp_cfg_write(&c->pf, PCI_COMMAND, 2, 0x406), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, PCI_COMMAND, 1, 0x2), VSP_CFG_COMMAND);
	assert_false(vsp_cfg_is_bus_master(&c->pf));
}

static void msix_control_is_told_at_any_access_size(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_write(&c->vf, MSIX(PCI_MSIX_FLAGS), 2,
				       PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL),
			 VSP_CFG_MSIX);
	assert_true(vsp_cfg_is_msix_enabled(&c->vf));
	assert_true(vsp_cfg_is_msix_masked(&c->vf));
	assert_int_equal(vsp_cfg_read(&c->vf, MSIX(PCI_MSIX_FLAGS), 2), 0xc00a);
	assert_int_equal(vsp_cfg_write(&c->vf, VSP_CAP_MSIX, 4, 0x80000000), VSP_CFG_MSIX);
	assert_false(vsp_cfg_is_msix_masked(&c->vf));
	assert_int_equal(vsp_cfg_write(&c->vf, MSIX(PCI_MSIX_FLAGS) + 1, 1, 0), VSP_CFG_MSIX);
	assert_false(vsp_cfg_is_msix_enabled(&c->vf));
}

static void reset_bit_has_an_effect_and_reads_zero(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_write(&c->pf, EXP(PCI_EXP_DEVCTL), 2, 0xa810), VSP_CFG_FLR);
	assert_int_equal(vsp_cfg_read(&c->pf, EXP(PCI_EXP_DEVCTL), 2), 0x2810);
	assert_int_equal(vsp_cfg_write(&c->pf, EXP(PCI_EXP_DEVCTL), 4, 0x8000), VSP_CFG_FLR);
	assert_int_equal(vsp_cfg_write(&c->pf, EXP(PCI_EXP_DEVCTL) + 1, 1, 0x80), VSP_CFG_FLR);
	assert_int_equal(vsp_cfg_write(&c->pf, EXP(PCI_EXP_DEVCTL), 1, 0x80), 0);
	assert_int_equal(vsp_cfg_write(&c->vf, EXP(PCI_EXP_DEVCTL), 2, 0x8000), VSP_CFG_FLR);
	assert_int_equal(vsp_cfg_write(&c->port, EXP(PCI_EXP_DEVCTL), 2, 0x8000), 0);
}

static void reset_restores_all_but_sticky_bits(void **state)
{
	struct card *c = *state;

	vsp_cfg_write(&c->pf, PCI_COMMAND, 2, 0x406);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_4, 4, 0);
	vsp_cfg_write(&c->pf, MSIX(PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	vsp_cfg_write(&c->pf, AER(PCI_ERR_UNCOR_MASK), 4, PCI_ERR_UNC_COMP_TIME);
	vsp_cfg_set32(&c->pf, AER(PCI_ERR_UNCOR_STATUS), PCI_ERR_UNC_ECRC);
	vsp_cfg_reset(&c->pf);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_COMMAND, 2), 0);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_4, 4), 0x0500000c);
	assert_false(vsp_cfg_is_msix_enabled(&c->pf));
	assert_int_equal(vsp_cfg_read(&c->pf, AER(PCI_ERR_UNCOR_MASK), 4),
			 PCI_ERR_UNC_COMP_TIME);
	assert_int_equal(vsp_cfg_read(&c->pf, AER(PCI_ERR_UNCOR_STATUS), 4),
			 PCI_ERR_UNC_ECRC);
}

static void vf_enable_is_told_and_freezes_the_number(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2, 4), 0);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_CTRL), 2,
				       PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE),
			 VSP_CFG_VF_ENABLE);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 4);
	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2, 8);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 4);
	assert_int_equal(vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_CTRL), 2, 0),
			 VSP_CFG_VF_ENABLE);
	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2, 8);
	assert_int_equal(vsp_cfg_read(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2), 8);
}

static void reset_of_the_pf_disables_its_vfs(void **state)
{
	struct card *c = *state;

	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2, 4);
	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_CTRL), 2, PCI_SRIOV_CTRL_VFE);
	vsp_cfg_reset(&c->pf);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 0);
	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_NUM_VF), 2, 2);
	vsp_cfg_write(&c->pf, SRIOV(PCI_SRIOV_CTRL), 2, PCI_SRIOV_CTRL_VFE);
	assert_int_equal(vsp_cfg_nr_vfs(&c->pf), 2);
}

static void bus_reset_is_told_when_it_begins(void **state)
{
	struct card *c = *state;

	assert_int_equal(vsp_cfg_write(&c->port, PCI_BRIDGE_CONTROL, 2,
				       PCI_BRIDGE_CTL_BUS_RESET), VSP_CFG_BRIDGE_RESET);
	assert_int_equal(vsp_cfg_write(&c->port, PCI_BRIDGE_CONTROL, 2,
				       PCI_BRIDGE_CTL_BUS_RESET), 0);
	assert_int_equal(vsp_cfg_write(&c->port, PCI_BRIDGE_CONTROL, 2, 0), 0);
	/* The same offset in an endpoint is another register. */
	assert_int_equal(vsp_cfg_write(&c->pf, PCI_BRIDGE_CONTROL, 2, 0x40), 0);
}

static u32 vpd_read(struct vsp_cfg *cfg, u16 addr)
{
	assert_int_equal(vsp_cfg_write(cfg, VPD(PCI_VPD_ADDR), 2, addr), VSP_CFG_VPD);
	assert_int_equal(vsp_cfg_read(cfg, VPD(PCI_VPD_ADDR), 2), addr | PCI_VPD_ADDR_F);
	return vsp_cfg_read(cfg, VPD(PCI_VPD_DATA), 4);
}

static void vpd_reads_are_answered_at_once(void **state)
{
	struct card *c = *state;
	unsigned int at;
	u32 want;

	for (at = 0; at + 4 <= c->pf.vpd_len; at += 4) {
		memcpy(&want, c->vpd + at, 4);
		assert_int_equal(vpd_read(&c->pf, at), want);
	}
	assert_int_equal(vpd_read(&c->pf, at), 0);
	assert_int_equal(vpd_read(&c->pf, 0x7ffc), 0);
}

static void vpd_writes_finish_and_change_nothing(void **state)
{
	struct card *c = *state;
	u32 was = vpd_read(&c->pf, 0);

	vsp_cfg_write(&c->pf, VPD(PCI_VPD_DATA), 4, ~was);
	assert_int_equal(vsp_cfg_write(&c->pf, VPD(PCI_VPD_ADDR), 2, PCI_VPD_ADDR_F),
			 VSP_CFG_VPD);
	assert_int_equal(vsp_cfg_read(&c->pf, VPD(PCI_VPD_ADDR), 2), 0);
	assert_int_equal(vpd_read(&c->pf, 0), was);
}

static void vpd_is_well_formed_at_every_length(void **state)
{
	char serial[] = "0123456789";
	unsigned int n, i, len;
	u8 buf[64], sum;

	(void)state;
	for (n = 0; n < sizeof(serial); n++) {
		serial[n] = 0;
		memset(buf, 0xee, sizeof(buf));
		len = vsp_cfg_build_vpd(buf, sizeof(buf), "vsp", "p", serial);
		assert_int_equal(len % 4, 0);
		assert_int_equal(buf[0], 0x82);
		assert_int_equal(buf[6], 0x90);
		assert_int_equal(buf[len - 1], 0x78);
		/* Name, read-only part and end tag fill it exactly. */
		assert_int_equal(6 + 3 + buf[7] + 1, len);
		for (sum = 0, i = 0; i < 9 + 4 + 3 + n + 3 + 1; i++)
			sum += buf[i];
		assert_int_equal(sum, 0);
		assert_int_equal(vsp_cfg_build_vpd(buf, len - 1, "vsp", "p", serial), -ENOSPC);
		serial[n] = '0' + n;
	}
}

int main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(capabilities_are_at_their_fixed_offsets),
		TEST(vf_has_neither_pf_capabilities_nor_ids),
		TEST(no_vfs_means_no_sriov_capability),
		TEST(pfs_are_chained_and_tell_where_their_vfs_are),
		TEST(msix_registers_show_table_and_pba_in_bar_4),
		TEST(bar_sizing_gives_the_size_and_keeps_the_flags),
		TEST(window_of_the_port_covers_the_bars),
		TEST(port_io_window_starts_disabled_and_writable),
		TEST(port_separates_its_functions_at_power_on),
		TEST(requests_must_be_aligned_and_inside),
		TEST(identity_is_read_only),
		TEST(status_bits_are_cleared_by_writing_one),
		TEST(masks_of_a_function_do_not_overlap),
		TEST(bus_master_change_is_told_once),
		TEST(msix_control_is_told_at_any_access_size),
		TEST(reset_bit_has_an_effect_and_reads_zero),
		TEST(reset_restores_all_but_sticky_bits),
		TEST(vf_enable_is_told_and_freezes_the_number),
		TEST(reset_of_the_pf_disables_its_vfs),
		TEST(bus_reset_is_told_when_it_begins),
		TEST(vpd_reads_are_answered_at_once),
		TEST(vpd_writes_finish_and_change_nothing),
		TEST(vpd_is_well_formed_at_every_length),
	};

	return cmocka_run_group_tests_name("config_space", tests, NULL, NULL);
}
