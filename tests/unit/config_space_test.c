// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * The card's configuration space, as a root complex and a driver write it: BAR
 * sizing, write masks, effects, reset, VPD access.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_card.h"
#include "test.h"

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

static void port_io_window_starts_disabled_and_writable(void **state)
{
	struct card *c = *state;

	assert_true(vsp_cfg_read(&c->port, PCI_IO_BASE, 1) >
		    vsp_cfg_read(&c->port, PCI_IO_LIMIT, 1));
	vsp_cfg_write(&c->port, PCI_IO_BASE, 2, 0x2f1f);
	assert_int_equal(vsp_cfg_read(&c->port, PCI_IO_BASE, 2), 0x2010);
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

int main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, config_card_create, config_card_destroy)
	static const struct CMUnitTest tests[] = {
		TEST(bar_sizing_gives_the_size_and_keeps_the_flags),
		TEST(port_io_window_starts_disabled_and_writable),
		TEST(requests_must_be_aligned_and_inside),
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
	};

	return cmocka_run_group_tests_name("config_space", tests, NULL, NULL);
}
