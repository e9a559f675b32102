// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 *
 * What configuration space shows at power on: capability chains, BARs, link,
 * serial number, vital product data.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_card.h"
#include "test.h"

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
	assert_int_equal(ecap_find(&c->pf, PCI_EXT_CAP_ID_DSN), 0x150);
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
	/* Not even as the end of the chain. */
	assert_int_equal(vsp_cfg_read(&c->vf, MSIX(PCI_CAP_LIST_NEXT), 1), 0);
	assert_int_equal(cap_find(&c->vf, PCI_CAP_ID_PM), 0);
	assert_int_equal(ecap_find(&c->vf, PCI_EXT_CAP_ID_DSN), 0);
	assert_int_equal(ecap_find(&c->vf, PCI_EXT_CAP_ID_SRIOV), 0);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_SUBSYSTEM_ID, 2), 7);
	vsp_cfg_write(&c->vf, PCI_BASE_ADDRESS_4, 4, 0xffffffff);
	assert_int_equal(vsp_cfg_read(&c->vf, PCI_BASE_ADDRESS_4, 4), 0);
}

static void no_vfs_means_no_sriov_capability(void **state)
{
	struct vsp_cfg_ep ep = config_card_ep();
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
	struct vsp_cfg_ep ep = config_card_ep();
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

static void memory_of_the_card_is_bar_2_where_there_is_one(void **state)
{
	struct vsp_cfg_ep ep = config_card_ep();
	struct card *c = *state;
	u32 lo, hi;

	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_2, 4), 0);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_2, 4, ~0U);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_2, 4), 0);

	ep.bar2 = 0x200000000ULL;
	ep.bar2_size = 0x100000000ULL;
	vsp_cfg_build_pf(&c->pf, &ep);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_2, 4), 0xc);
	assert_int_equal(vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_3, 4), 2);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_2, 4, ~0U);
	vsp_cfg_write(&c->pf, PCI_BASE_ADDRESS_3, 4, ~0U);
	lo = vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_2, 4);
	hi = vsp_cfg_read(&c->pf, PCI_BASE_ADDRESS_3, 4);
	assert_true(~((u64)hi << 32 | (lo & ~0xfU)) + 1 == ep.bar2_size);
}

static void both_ends_of_the_link_show_the_same(void **state)
{
	struct vsp_cfg_port port = { .link = { .speed = 1, .width = 1 } };
	struct vsp_cfg_ep ep = config_card_ep();
	struct card *c = *state;
	const struct vsp_cfg *all[] = { &c->port, &c->pf, &c->vf };
	unsigned int speed, width, i;

	for (speed = 1; speed <= 6; speed++) {
		for (width = 1; width <= 16; width *= 2) {
			port.link = ep.link = (struct vsp_cfg_link) { speed, width };
			vsp_cfg_build_root_port(&c->port, &port);
			vsp_cfg_build_pf(&c->pf, &ep);
			vsp_cfg_build_vf(&c->vf, &ep);
			for (i = 0; i < ARRAY_LEN(all); i++) {
				assert_int_equal(vsp_cfg_read(all[i], EXP(PCI_EXP_LNKCAP), 4) &
						 0x3ff, width << 4 | speed);
				/* All speeds up to the highest; bit 0 is reserved. */
				assert_int_equal(vsp_cfg_read(all[i], EXP(PCI_EXP_LNKCAP2), 4),
						 (2U << speed) - 2);
			}
			for (i = 0; i < 2; i++)
				assert_int_equal(vsp_cfg_read(all[i], EXP(PCI_EXP_LNKSTA), 2) &
						 0x3ff, width << 4 | speed);
			/* The PF's link is the VF's. (PCIe 9.3.5.6) */
			assert_int_equal(vsp_cfg_read(&c->vf, EXP(PCI_EXP_LNKSTA), 2), 0);
		}
	}
}

static void serial_number_is_that_of_the_text(void **state)
{
	struct card *c = *state;
	u64 a = vsp_cfg_serial_number("VSP00000001");

	assert_int_equal(vsp_cfg_read(&c->pf, VSP_ECAP_DSN + 4, 4), 0x23456789);
	assert_int_equal(vsp_cfg_read(&c->pf, VSP_ECAP_DSN + 8, 4), 0x02565301);
	assert_true(a >> 40 == 0x025653);
	assert_true(a == vsp_cfg_serial_number("VSP00000001"));
	assert_true(a != vsp_cfg_serial_number("VSP00000002"));
	assert_true(a != vsp_cfg_serial_number("VSP0000001"));
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

static void port_separates_its_functions_at_power_on(void **state)
{
	struct card *c = *state;
	u16 ctrl = vsp_cfg_read(&c->port, VSP_ECAP_ACS + PCI_ACS_CTRL, 2);
	u16 want = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;

	assert_int_equal(ctrl & want, want);
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
#define TEST(f)	cmocka_unit_test_setup_teardown(f, config_card_create, config_card_destroy)
	static const struct CMUnitTest tests[] = {
		TEST(capabilities_are_at_their_fixed_offsets),
		TEST(vf_has_neither_pf_capabilities_nor_ids),
		TEST(no_vfs_means_no_sriov_capability),
		TEST(pfs_are_chained_and_tell_where_their_vfs_are),
		TEST(msix_registers_show_table_and_pba_in_bar_4),
		TEST(memory_of_the_card_is_bar_2_where_there_is_one),
		TEST(both_ends_of_the_link_show_the_same),
		TEST(serial_number_is_that_of_the_text),
		TEST(window_of_the_port_covers_the_bars),
		TEST(port_separates_its_functions_at_power_on),
		TEST(identity_is_read_only),
		TEST(vpd_is_well_formed_at_every_length),
	};

	return cmocka_run_group_tests_name("config_image", tests, NULL, NULL);
}
