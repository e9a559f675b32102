// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root port's registers at work: errors, interrupts, slot; and power states.
 *
 * Copyright (c) 2026 The vdpa_sim_pcie authors
 */
#include <errno.h>

#include "config_card.h"
#include "test.h"

static const u32 header[4] = { 0x20000001, 0xf, 0x1, 0x05000000 };

#define EP_ID	0x0100

static void enable_reporting(struct card *c)
{
	vsp_cfg_set16(&c->pf, EXP(PCI_EXP_DEVCTL), PCI_EXP_DEVCTL_CERE |
		      PCI_EXP_DEVCTL_NFERE | PCI_EXP_DEVCTL_FERE);
	vsp_cfg_write(&c->port, AER(PCI_ERR_ROOT_COMMAND), 4, 7);
}

static void enable_interrupts(struct card *c)
{
	vsp_cfg_write(&c->port, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	vsp_cfg_write(&c->port, VSP_CAP_MSI + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
}

static int log_error(struct card *c, enum vsp_cfg_error class, u32 bits)
{
	return vsp_cfg_log_error(&c->pf, &c->pf, class, bits, header);
}

static void error_is_logged_with_header_and_first_pointer(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	assert_int_equal(log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_MALF_TLP), 0);
	assert_int_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_STATUS)),
			 PCI_ERR_UNC_MALF_TLP);
	assert_int_equal(PCI_ERR_CAP_FEP(vsp_cfg_get32(&c->pf, AER(PCI_ERR_CAP))), 18);
	assert_int_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_HEADER_LOG + 12)), header[3]);
	assert_true(vsp_cfg_get16(&c->pf, EXP(PCI_EXP_DEVSTA)) & PCI_EXP_DEVSTA_FED);
	/* A second one leaves the first one's header. */
	assert_int_equal(log_error(c, VSP_CFG_ERR_NONFATAL, PCI_ERR_UNC_POISON_TLP), 0);
	assert_int_equal(PCI_ERR_CAP_FEP(vsp_cfg_get32(&c->pf, AER(PCI_ERR_CAP))), 18);
}

static void severity_follows_the_class(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	log_error(c, VSP_CFG_ERR_NONFATAL, PCI_ERR_UNC_MALF_TLP);
	assert_false(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_SEVER)) & PCI_ERR_UNC_MALF_TLP);
	log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_POISON_TLP);
	assert_true(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_SEVER)) & PCI_ERR_UNC_POISON_TLP);
}

static void masked_error_is_logged_and_not_sent(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	vsp_cfg_write(&c->pf, AER(PCI_ERR_UNCOR_MASK), 4, PCI_ERR_UNC_POISON_TLP);
	assert_int_equal(log_error(c, VSP_CFG_ERR_NONFATAL, PCI_ERR_UNC_POISON_TLP), -EPERM);
	assert_int_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_STATUS)),
			 PCI_ERR_UNC_POISON_TLP);
	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, PCI_ERR_COR_ADV_NFAT), -EPERM);
	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, PCI_ERR_COR_BAD_TLP), 0);
}

static void reporting_must_be_enabled(void **state)
{
	struct card *c = *state;

	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, PCI_ERR_COR_BAD_TLP), -EPERM);
	assert_int_equal(log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_MALF_TLP), -EPERM);
	vsp_cfg_write(&c->pf, PCI_COMMAND, 2, PCI_COMMAND_SERR);
	assert_int_equal(log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_MALF_TLP), 0);
	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, PCI_ERR_COR_BAD_TLP), -EPERM);
}

static void system_error_is_signalled_only_with_serr(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	assert_int_equal(log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_MALF_TLP), 0);
	assert_false(vsp_cfg_get16(&c->pf, PCI_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
	vsp_cfg_write(&c->pf, PCI_COMMAND, 2, PCI_COMMAND_SERR);
	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, PCI_ERR_COR_BAD_TLP), 0);
	assert_false(vsp_cfg_get16(&c->pf, PCI_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
	assert_int_equal(log_error(c, VSP_CFG_ERR_NONFATAL, PCI_ERR_UNC_POISON_TLP), 0);
	assert_true(vsp_cfg_get16(&c->pf, PCI_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
	/* A VF has no such bit of its own: its PF's decides. */
	assert_int_equal(vsp_cfg_log_error(&c->vf, &c->pf, VSP_CFG_ERR_NONFATAL,
					   PCI_ERR_UNC_COMP_ABORT, header), 0);
	assert_true(vsp_cfg_get16(&c->vf, PCI_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
}

static void port_receives_a_system_error_only_from_below(void **state)
{
	struct card *c = *state;

	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_FATAL, 0);
	assert_false(vsp_cfg_get16(&c->port, PCI_SEC_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_COR, EP_ID);
	assert_false(vsp_cfg_get16(&c->port, PCI_SEC_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_NONFATAL, EP_ID);
	assert_true(vsp_cfg_get16(&c->port, PCI_SEC_STATUS) & PCI_STATUS_SIG_SYSTEM_ERROR);
}

static void bus_below_is_reachable_in_d0_and_out_of_reset(void **state)
{
	struct card *c = *state;

	assert_true(vsp_cfg_is_bus_reachable(&c->port));
	assert_int_equal(vsp_cfg_write(&c->port, PCI_BRIDGE_CONTROL, 2,
				       PCI_BRIDGE_CTL_BUS_RESET), VSP_CFG_BRIDGE_RESET);
	assert_false(vsp_cfg_is_bus_reachable(&c->port));
	vsp_cfg_write(&c->port, PCI_BRIDGE_CONTROL, 2, 0);
	assert_true(vsp_cfg_is_bus_reachable(&c->port));
	vsp_cfg_write(&c->port, VSP_CAP_PM + PCI_PM_CTRL, 2, 3);
	assert_false(vsp_cfg_is_bus_reachable(&c->port));
	vsp_cfg_write(&c->port, VSP_CAP_PM + PCI_PM_CTRL, 2, 0);
	assert_true(vsp_cfg_is_bus_reachable(&c->port));
}

static void unknown_bits_are_refused(void **state)
{
	struct card *c = *state;

	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, 0), -EINVAL);
	assert_int_equal(log_error(c, VSP_CFG_ERR_COR, 1U << 31), -EINVAL);
	assert_int_equal(log_error(c, VSP_CFG_ERR_FATAL, 1), -EINVAL);
}

static void vf_reports_its_own_errors_only_with_the_registers_of_its_pf(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	assert_int_equal(vsp_cfg_log_error(&c->vf, &c->pf, VSP_CFG_ERR_FATAL,
					   PCI_ERR_UNC_MALF_TLP, header), -EINVAL);
	assert_int_equal(vsp_cfg_log_error(&c->vf, &c->pf, VSP_CFG_ERR_COR,
					   PCI_ERR_COR_BAD_TLP, header), -EINVAL);
	assert_int_equal(vsp_cfg_log_error(&c->vf, &c->pf, VSP_CFG_ERR_NONFATAL,
					   PCI_ERR_UNC_COMP_ABORT, header), 0);
	assert_int_equal(vsp_cfg_get32(&c->vf, AER(PCI_ERR_UNCOR_STATUS)),
			 PCI_ERR_UNC_COMP_ABORT);
	assert_int_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_STATUS)), 0);
}

static void root_keeps_the_first_source_and_counts_to_many(void **state)
{
	struct card *c = *state;
	u32 status;

	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_COR, EP_ID);
	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_FATAL, EP_ID + 1);
	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_NONFATAL, EP_ID + 2);
	assert_int_equal(vsp_cfg_get32(&c->port, AER(PCI_ERR_ROOT_ERR_SRC)),
			 EP_ID | (EP_ID + 1) << 16);
	status = vsp_cfg_get32(&c->port, AER(PCI_ERR_ROOT_STATUS));
	assert_int_equal(status & 0x7f, PCI_ERR_ROOT_COR_RCV | PCI_ERR_ROOT_UNCOR_RCV |
			 PCI_ERR_ROOT_MULTI_UNCOR_RCV | PCI_ERR_ROOT_FIRST_FATAL |
			 PCI_ERR_ROOT_FATAL_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
	/* Software clears it by writing it back. */
	vsp_cfg_write(&c->port, AER(PCI_ERR_ROOT_STATUS), 4, status);
	assert_int_equal(vsp_cfg_get32(&c->port, AER(PCI_ERR_ROOT_STATUS)) & 0x7f, 0);
}

static void error_interrupts_need_their_enable_bits(void **state)
{
	struct card *c = *state;

	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_COR, EP_ID);
	vsp_cfg_root_error(&c->port, VSP_CFG_ERR_FATAL, EP_ID);
	assert_int_equal(vsp_cfg_port_interrupts(&c->port), 0);
	enable_interrupts(c);
	assert_int_equal(vsp_cfg_port_interrupts(&c->port), 0);
	vsp_cfg_write(&c->port, AER(PCI_ERR_ROOT_COMMAND), 4, PCI_ERR_ROOT_CMD_COR_EN);
	assert_int_equal(__builtin_popcount(vsp_cfg_port_interrupts(&c->port)), 1);
	vsp_cfg_write(&c->port, AER(PCI_ERR_ROOT_COMMAND), 4, 7);
	assert_int_equal(__builtin_popcount(vsp_cfg_port_interrupts(&c->port)), 2);
	vsp_cfg_write(&c->port, PCI_COMMAND, 2, 0);
	assert_int_equal(vsp_cfg_port_interrupts(&c->port), 0);
}

static void slot_changes_set_their_events_and_interrupt(void **state)
{
	struct card *c = *state;
	u16 sta;

	enable_interrupts(c);
	vsp_cfg_write(&c->port, EXP(PCI_EXP_SLTCTL), 2, PCI_EXP_SLTCTL_HPIE |
		      PCI_EXP_SLTCTL_PDCE | PCI_EXP_SLTCTL_DLLSCE);
	vsp_cfg_set_slot(&c->port, true, true);
	assert_int_equal(vsp_cfg_port_interrupts(&c->port), 0);
	vsp_cfg_set_slot(&c->port, false, false);
	sta = vsp_cfg_get16(&c->port, EXP(PCI_EXP_SLTSTA));
	assert_int_equal(sta, PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC);
	assert_false(vsp_cfg_get16(&c->port, EXP(PCI_EXP_LNKSTA)) & PCI_EXP_LNKSTA_DLLLA);
	assert_int_not_equal(vsp_cfg_port_interrupts(&c->port), 0);
	vsp_cfg_write(&c->port, EXP(PCI_EXP_SLTSTA), 2, PCI_EXP_SLTSTA_PDC);
	assert_int_not_equal(vsp_cfg_port_interrupts(&c->port), 0);
	vsp_cfg_write(&c->port, EXP(PCI_EXP_SLTSTA), 2, PCI_EXP_SLTSTA_DLLSC);
	assert_int_equal(vsp_cfg_port_interrupts(&c->port), 0);
	vsp_cfg_set_slot(&c->port, true, false);
	assert_int_equal(vsp_cfg_get16(&c->port, EXP(PCI_EXP_SLTSTA)),
			 PCI_EXP_SLTSTA_PDS | PCI_EXP_SLTSTA_PDC);
}

static void slot_is_off_without_power_or_with_the_link_disabled(void **state)
{
	struct card *c = *state;

	assert_true(vsp_cfg_slot_is_on(&c->port));
	vsp_cfg_write(&c->port, EXP(PCI_EXP_SLTCTL), 2, PCI_EXP_SLTCTL_PCC);
	assert_false(vsp_cfg_slot_is_on(&c->port));
	vsp_cfg_write(&c->port, EXP(PCI_EXP_SLTCTL), 2, 0);
	vsp_cfg_write(&c->port, EXP(PCI_EXP_LNKCTL), 2, PCI_EXP_LNKCTL_LD);
	assert_false(vsp_cfg_slot_is_on(&c->port));
}

static void power_states_are_d0_and_d3hot(void **state)
{
	struct card *c = *state;
	const unsigned int reg = VSP_CAP_PM + PCI_PM_CTRL;

	assert_int_equal(vsp_cfg_power_state(&c->pf), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, reg, 2, 1), 0);
	assert_int_equal(vsp_cfg_power_state(&c->pf), 0);
	assert_int_equal(vsp_cfg_write(&c->pf, reg, 2, 3), VSP_CFG_POWER);
	assert_int_equal(vsp_cfg_write(&c->pf, reg, 2, 2), 0);
	assert_int_equal(vsp_cfg_power_state(&c->pf), 3);
	assert_true(vsp_cfg_get16(&c->pf, reg) & PCI_PM_CTRL_NO_SOFT_RESET);
	assert_int_equal(vsp_cfg_write(&c->pf, reg, 2, 0), VSP_CFG_POWER);
	/* There is nothing to write to in a VF. */
	assert_int_equal(vsp_cfg_write(&c->vf, reg, 2, 3), 0);
	assert_int_equal(vsp_cfg_power_state(&c->vf), 0);
}

static void power_on_forgets_what_a_reset_keeps(void **state)
{
	struct card *c = *state;

	enable_reporting(c);
	log_error(c, VSP_CFG_ERR_FATAL, PCI_ERR_UNC_MALF_TLP);
	vsp_cfg_reset(&c->pf);
	assert_int_not_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_STATUS)), 0);
	vsp_cfg_power_on(&c->pf);
	assert_int_equal(vsp_cfg_get32(&c->pf, AER(PCI_ERR_UNCOR_STATUS)), 0);
}

int main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, config_card_create, config_card_destroy)
	static const struct CMUnitTest tests[] = {
		TEST(error_is_logged_with_header_and_first_pointer),
		TEST(severity_follows_the_class),
		TEST(masked_error_is_logged_and_not_sent),
		TEST(reporting_must_be_enabled),
		TEST(system_error_is_signalled_only_with_serr),
		TEST(port_receives_a_system_error_only_from_below),
		TEST(bus_below_is_reachable_in_d0_and_out_of_reset),
		TEST(unknown_bits_are_refused),
		TEST(vf_reports_its_own_errors_only_with_the_registers_of_its_pf),
		TEST(root_keeps_the_first_source_and_counts_to_many),
		TEST(error_interrupts_need_their_enable_bits),
		TEST(slot_changes_set_their_events_and_interrupt),
		TEST(slot_is_off_without_power_or_with_the_link_disabled),
		TEST(power_states_are_d0_and_d3hot),
		TEST(power_on_forgets_what_a_reset_keeps),
	};

	return cmocka_run_group_tests_name("config_port", tests, NULL, NULL);
}
