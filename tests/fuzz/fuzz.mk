# SPDX-License-Identifier: GPL-2.0-only
#
# The fuzz harnesses, fuzz/*_fuzz.c, three times each:
#
#   NAME-replay     any compiler; over the corpus in the tree
#   NAME-libfuzzer  clang; looks for new inputs
#   NAME-afl        AFL++ (Debian's afl++), persistent mode; as well
#
# What they find, crashes too, goes to $(OUT)/corpus and $(OUT)/afl; fuzz-merge
# takes from there into the tree what adds coverage. FUZZERS=ring_fuzz for one.

FUZZERS		?= $(patsubst fuzz/%.c,%,$(wildcard fuzz/*_fuzz.c))
FUZZ_SECONDS	?= 60
FUZZ_MAX_LEN	?= 1024
AFL_CC		?= afl-clang-fast

# What a harness needs besides itself. hooked/: the library, built so that every
# look at shared memory goes through fuzz/view.c. What only compares guides no fuzzer:
# plain/.
ring_fuzz-needs	 := fuzz/driver fuzz/setup $(addprefix plain/fuzz/,side side_copy \
		    side_log side_peek side_push space view) $(GUEST:$(OUT)/%.o=plain/%) \
		    $(patsubst $(LIB)/%.c,hooked/%,$(wildcard $(LIB)/*.c))
iotlb_fuzz-needs := $(patsubst $(LIB)/%.c,vrl/%,$(wildcard $(LIB)/*.c))

fuzz_cc = @mkdir -p $(@D); echo '  CC   $(@:$(OUT)/%=%)'; \
	  $(1) $(CFLAGS) $(SAN) $(2) -MMD -MP -c -o $@ $<

# $(1) variant, $(2) compiler, $(3) flags to compile, $(4) compiler for plain/
define fuzz_variant
$(OUT)/$(1)/hooked/%.o: $(LIB)/%.c fuzz/hook.h
	$$(call fuzz_cc,$(2),$(3) -include fuzz/hook.h)
$(OUT)/$(1)/vrl/%.o: $(LIB)/%.c
	$$(call fuzz_cc,$(2),$(3))
$(OUT)/$(1)/plain/%.o: %.c
	$$(call fuzz_cc,$(4),)
$(OUT)/$(1)/fuzz/%.o: fuzz/%.c
	$$(call fuzz_cc,$(2),$(3))
endef

define fuzz_program
$(OUT)/$(1)-replay: $(patsubst %,$(OUT)/replay/%.o,fuzz/$(1) fuzz/replay $($(1)-needs))
	@echo '  LINK $$@'; $(CC) $(SAN) -o $$@ $$^
$(OUT)/$(1)-libfuzzer: $(patsubst %,$(OUT)/libfuzzer/%.o,fuzz/$(1) $($(1)-needs))
	@echo '  LINK $$@'; $(CLANG) $(SAN) -fsanitize=fuzzer -o $$@ $$^
$(OUT)/$(1)-afl: $(patsubst %,$(OUT)/afl-cc/%.o,fuzz/$(1) $($(1)-needs))
	@echo '  LINK $$@'; AFL_QUIET=1 $(AFL_CC) $(SAN) -fsanitize=fuzzer -o $$@ $$^
endef

$(eval $(call fuzz_variant,replay,$(CC),,$(CC)))
$(eval $(call fuzz_variant,libfuzzer,$(CLANG),-fsanitize=fuzzer-no-link,$(CLANG)))
$(eval $(call fuzz_variant,afl-cc,AFL_QUIET=1 $(AFL_CC),,$(CLANG)))
$(foreach f,$(FUZZERS),$(eval $(call fuzz_program,$(f))))

fuzz-replay: $(FUZZERS:%=$(OUT)/%-replay)
	@for f in $(FUZZERS); do \
		$(OUT)/$$f-replay fuzz/corpus/$$f || exit 1; \
	done

fuzz: $(FUZZERS:%=$(OUT)/%-libfuzzer)
	@for f in $(FUZZERS); do \
		mkdir -p $(OUT)/corpus/$$f && \
		$(OUT)/$$f-libfuzzer -max_total_time=$(FUZZ_SECONDS) \
			-max_len=$(FUZZ_MAX_LEN) -timeout=60 -print_final_stats=1 \
			-artifact_prefix=$(OUT)/$$f- \
			$(OUT)/corpus/$$f fuzz/corpus/$$f || exit 1; \
	done

# A run goes on where the last one ended. It fails if there ever was a crash.
fuzz-afl: export AFL_SKIP_CPUFREQ = 1
fuzz-afl: export AFL_NO_AFFINITY = 1
fuzz-afl: export AFL_NO_UI = 1
fuzz-afl: export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES = 1
fuzz-afl: export AFL_AUTORESUME = 1
fuzz-afl: $(FUZZERS:%=$(OUT)/%-afl)
	@mkdir -p $(OUT)/afl; \
	for f in $(FUZZERS); do \
		afl-fuzz -V $(FUZZ_SECONDS) -G $(FUZZ_MAX_LEN) -t 60000 \
			-i fuzz/corpus/$$f -o $(OUT)/afl/$$f -- $(OUT)/$$f-afl || exit 1; \
		sed -n '/^\(run_time\|execs_done\|edges_found\|saved_\)/p' \
			$(OUT)/afl/$$f/default/fuzzer_stats; \
		! ls $(OUT)/afl/$$f/default/crashes/id* $(OUT)/afl/$$f/default/hangs/id* \
			2>/dev/null || exit 1; \
	done

fuzz-merge: $(FUZZERS:%=$(OUT)/%-libfuzzer)
	@for f in $(FUZZERS); do \
		mkdir -p $(OUT)/corpus/$$f $(OUT)/afl/$$f/default/queue && \
		$(OUT)/$$f-libfuzzer -merge=1 -max_len=$(FUZZ_MAX_LEN) -use_counters=0 \
			fuzz/corpus/$$f $(OUT)/corpus/$$f \
			$(OUT)/afl/$$f/default/queue || exit 1; \
	done

.PHONY: fuzz fuzz-afl fuzz-merge fuzz-replay
