# SPDX-License-Identifier: GPL-2.0-only
#
# Two threads on a ring, or on a range table: under the thread sanitizer and without
# any. From the top, for as long as wanted:
#
#   make -C tests stress STRESS_SECONDS=60
#
# -Wno-tsan: fences order nothing for the sanitizer; the library's own are for what
# it does not look at (docs/vringh-lib.md, "Memory order").

STRESS_SECONDS	?= 3
STRESSES	:= ring_stress iotlb_stress
STRESS_OBJS	:= $(patsubst $(LIB)/%.c,vrl/%.o,$(wildcard $(LIB)/*.c)) \
		   $(patsubst %,unit/%.o,driver guest guest_split guest_packed oracle)
STRESS_CFLAGS	:= $(patsubst -O1,-O2,$(CFLAGS))
TSAN_CFLAGS	:= $(STRESS_CFLAGS) -fsanitize=thread -Wno-tsan

stress: litmus stress-tsan stress-plain

# What no test on this machine can show: every order that a weaker one may choose.
litmus:
	prove litmus/litmus.py :: $(wildcard litmus/*.litmus)

stress-tsan: $(STRESSES:%=$(OUT)/tsan/%)
	TSAN_OPTIONS=halt_on_error=1 prove $^ --exec '' :: $(STRESS_SECONDS)

stress-plain: $(STRESSES:%=$(OUT)/plain/%)
	prove $^ --exec '' :: $(STRESS_SECONDS)

$(OUT)/tsan/%_stress: $(OUT)/tsan/stress/%_stress.o $(STRESS_OBJS:%=$(OUT)/tsan/%)
	@echo '  LINK $@'; $(CC) -fsanitize=thread -pthread -o $@ $^
$(OUT)/plain/%_stress: $(OUT)/plain/stress/%_stress.o $(STRESS_OBJS:%=$(OUT)/plain/%)
	@echo '  LINK $@'; $(CC) -pthread -o $@ $^

stress_compile = @mkdir -p $(@D); echo '  CC   $@'; $(CC) $(1) -MMD -MP -c -o $@ $<

$(OUT)/tsan/vrl/%.o: $(LIB)/%.c
	$(call stress_compile,$(TSAN_CFLAGS))
$(OUT)/tsan/%.o: %.c
	$(call stress_compile,$(TSAN_CFLAGS))
$(OUT)/plain/vrl/%.o: $(LIB)/%.c
	$(call stress_compile,$(STRESS_CFLAGS))
$(OUT)/plain/%.o: %.c
	$(call stress_compile,$(STRESS_CFLAGS))

-include $(wildcard $(OUT)/tsan/*/*.d $(OUT)/plain/*/*.d)

.PHONY: stress litmus stress-tsan stress-plain
