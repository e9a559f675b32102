# SPDX-License-Identifier: GPL-2.0-only
#
# vringh-lib's own tests on another processor: cross compiler, QEMU's user emulation
# (scripts/deps cross), and cross/cmocka.h for the library that is not there.
#
#   make -C tests arm64
#
# inflight_crash_test is not among them: it steps through the machine's own stores
# with the trap flag of x86, and says nothing about other processors.

CROSS		?= aarch64-linux-gnu
CROSS_RUN	?= qemu-aarch64
CROSS_OUT	:= $(OUT)/$(CROSS)
CROSS_TESTS	:= $(filter-out inflight_crash_test,$(VRL_TESTS))
CROSS_CFLAGS	:= -Icross $(CFLAGS) -Wno-maybe-uninitialized

arm64:
	@$(MAKE) --no-print-directory cross CROSS=aarch64-linux-gnu CROSS_RUN=qemu-aarch64

cross: $(CROSS_TESTS:%=$(CROSS_OUT)/%) $(STRESSES:%=$(CROSS_OUT)/%)
	prove --exec '$(CROSS_RUN)' $(sort $^) :: 1

cross_objs = $(CROSS_OUT)/cross/cmocka.o $(patsubst $(OUT)/%,$(CROSS_OUT)/%,$($(1)-objs))
cross_link = @echo '  LINK $@'; $(CROSS)-gcc -static -pthread -o $@ $^

.SECONDEXPANSION:
$(CROSS_OUT)/%_test: $(CROSS_OUT)/unit/%_test.o $$(call cross_objs,$$*_test)
	$(cross_link)
$(CROSS_OUT)/%_stress: $(CROSS_OUT)/stress/%_stress.o $(STRESS_OBJS:%=$(CROSS_OUT)/%)
	$(cross_link)

cross_compile = @mkdir -p $(@D); echo '  CC   $@'; \
		$(CROSS)-gcc $(CROSS_CFLAGS) -MMD -MP -c -o $@ $<

$(CROSS_OUT)/vrl/%.o: $(LIB)/%.c
	$(cross_compile)
$(CROSS_OUT)/%.o: %.c
	$(cross_compile)

-include $(wildcard $(CROSS_OUT)/*/*.d)

.PHONY: arm64 cross
