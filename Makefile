# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The vdpa_sim_pcie authors
#
# Every command of the project, in one place. Everything that is made lies under
# build/. The modules are compiled in a copy of the sources per kernel, so that
# two kernels never share an object file:
#
#	build/kernel/RELEASE/	sources and objects of the modules
#	build/modules/RELEASE/	the finished modules
#	build/test-modules/RELEASE/	the finished module of the tests
#	build/{bin,lib}/	vsp-switch, vsp, libvringh
#	build/check/		logs of `make check`

# The kernel to build for: a release (KVER) or any tree of headers (KDIR).
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
# The lab's kernel for demo and vm-test: 6.12 or 7.2.
KERNEL ?= 6.12
PREFIX ?= /usr/local
DESTDIR ?=

BUILD := $(CURDIR)/build
KCOPY := $(BUILD)/kernel/$(KVER)
KMODS := $(BUILD)/modules/$(KVER)
KTESTS := $(BUILD)/test-modules/$(KVER)
KSOURCES := Kbuild vdpa_sim_pcie vringh-lib
MODDIR := $(DESTDIR)/lib/modules/$(KVER)/updates/vdpa_sim_pcie
MANPAGES := $(wildcard docs/*.1 docs/*.4 docs/*.8)
INSTALL := install
LAB := scripts/lab

all: modules user ## modules, library, vsp-switch and vsp for this machine's kernel (default)

modules: ## the kernel modules for KVER (default: the running kernel)
	@test -f $(KDIR)/Makefile || { \
		echo "no headers of kernel $(KVER) in $(KDIR)" >&2; \
		echo "Debian: apt-get install linux-headers-$(KVER); or set KDIR;" \
			"or use the lab: make demo" >&2; exit 1; }
	@mkdir -p $(KCOPY) $(KMODS)
	@cp -pRu $(KSOURCES) $(KCOPY)/
	$(MAKE) -C $(KDIR) M=$(KCOPY) modules
	@find $(KCOPY)/vdpa_sim_pcie -name '*.ko' -exec cp -pu {} $(KMODS)/ \;

user: lib app tool ## all that is not for a certain kernel

# Not among the modules that `make install` takes.
test-modules: modules ## the kernel modules of the tests (tests/module)
	@mkdir -p $(KCOPY)/tests $(KTESTS)
	@cp -pRu tests/module $(KCOPY)/tests/
	@cp -pRu vringh-lib tests/vectors $(KCOPY)/tests/module/
	$(MAKE) -C $(KDIR) M=$(KCOPY)/tests/module \
		KBUILD_EXTRA_SYMBOLS=$(KCOPY)/Module.symvers modules
	@cp -pu $(KCOPY)/tests/module/*.ko $(KTESTS)/

# Objects of another distribution's compiler and DPDK do not link here, and make
# sees no reason to remake them: throw them away when the toolchain is another.
toolchain:
	@mkdir -p $(BUILD)
	@id="$$($(CC) -dumpfullversion -dumpmachine) $$(pkg-config --modversion libdpdk 2>&1)"; \
	if [ "$$id" != "$$(cat $(BUILD)/toolchain 2>/dev/null)" ]; then \
		rm -rf $(addprefix $(BUILD)/,bin lib dpdk-app vm vsp); \
		echo "$$id" >$(BUILD)/toolchain; \
	fi

lib: toolchain ## vringh-lib for user space: build/lib/libvringh.a and .so
	$(MAKE) -C vringh-lib OUT=$(BUILD)/lib

LIB_INSTALL = $(MAKE) -C vringh-lib OUT=$(BUILD)/lib DESTDIR=$(DESTDIR) PREFIX=$(PREFIX) \
	$(if $(LIBDIR),LIBDIR=$(LIBDIR))

install-lib: lib ## headers, libraries, pkg-config file and man pages of vringh-lib (LIBDIR)
	$(LIB_INSTALL) install

uninstall-lib:
	$(LIB_INSTALL) uninstall

app: lib ## vsp-switch, the DPDK backend: build/bin/vsp-switch
	$(MAKE) -C dpdk-app OUT=$(BUILD)

tool: toolchain ## vsp, which shows and works the card: build/bin/vsp
	$(MAKE) -C tools/vsp OUT=$(BUILD)

install: install-modules install-app install-tool install-man ## install what `make` has built (DESTDIR, PREFIX; depmod without DESTDIR)

install-modules:
	@test -n "$(wildcard $(KMODS)/*.ko)" || { echo "nothing to install: run make first" >&2; exit 1; }
	$(INSTALL) -d $(MODDIR)
	$(INSTALL) -m 644 $(KMODS)/*.ko $(MODDIR)/
	$(if $(DESTDIR),,depmod $(KVER))

install-app:
	$(INSTALL) -D -m 755 $(BUILD)/bin/vsp-switch $(DESTDIR)$(PREFIX)/bin/vsp-switch
	$(INSTALL) -D -m 644 vdpa_sim_pcie/uapi/vdpa_sim_pcie.h \
		$(DESTDIR)$(PREFIX)/include/linux/vdpa_sim_pcie.h

install-man:
	@for page in $(MANPAGES); do \
		$(INSTALL) -D -m 644 $$page \
			$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done

install-tool:
	$(INSTALL) -D -m 755 $(BUILD)/bin/vsp $(DESTDIR)$(PREFIX)/sbin/vsp
	$(INSTALL) -D -m 644 tools/vsp/vsp.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vsp

uninstall: ## remove what install has put there
	rm -rf $(MODDIR)
	$(if $(DESTDIR),,depmod $(KVER))
	rm -f $(DESTDIR)$(PREFIX)/bin/vsp-switch $(DESTDIR)$(PREFIX)/sbin/vsp \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vsp \
		$(DESTDIR)$(PREFIX)/include/linux/vdpa_sim_pcie.h
	@for page in $(MANPAGES); do \
		rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done

demo: ## the whole story in a virtual machine: two functions, a switch, iperf3 (root)
	@scripts/deps lab
	@$(MAKE) --no-print-directory lab-build
	@$(LAB) run --kernel $(KERNEL) -- scripts/demo

lab-build: ## modules and vsp-switch for the lab's KERNEL, compiled in its chroot (root)
	@$(LAB) build --kernel $(KERNEL)
	@$(LAB) chroot --kernel $(KERNEL) -- make --no-print-directory W=1 all test-modules vm-programs

vm-programs: $(patsubst tests/vm/%.c,$(BUILD)/vm/%,$(wildcard tests/vm/*.c))

# Those that drive a function through vfio share what a driver needs.
VFIO_PROGRAMS := $(addprefix $(BUILD)/vm/,vfio vfio_msix vfio_hostile mbox_fuzz)
$(VFIO_PROGRAMS): tests/vm/lib/vfio_fn.c tests/vm/lib/vfio_vq.c tests/vm/lib/vfio_fn.h \
	vdpa_sim_pcie/hw/regs.h

PAIR_PROGRAMS := $(addprefix $(BUILD)/vm/,window_hostile window_mortal)
$(PAIR_PROGRAMS): $(addprefix tests/vm/lib/,vdpa_guest.c vdpa_guest.h vdpa_pair.c vdpa_pair.h)
WINDOW_PROGRAMS := $(addprefix $(BUILD)/vm/,window window_limits window_race window_vq) $(PAIR_PROGRAMS)
$(WINDOW_PROGRAMS): tests/vm/lib/vdpa_user.c tests/vm/lib/vdpa_user.h $(wildcard vringh-lib/src/*.c)
$(WINDOW_PROGRAMS): VM_CFLAGS := -Ivringh-lib/include

$(BUILD)/vm/%: tests/vm/%.c vdpa_sim_pcie/uapi/vdpa_sim_pcie.h
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -Wall -Wextra -pthread $(VM_CFLAGS) $(if $(WERROR),-Werror) -o $@ $(filter %.c,$^)

check: ## all tests; the last line is the count (root)
	@scripts/run-checks deps lab-6.12 lab-7.2 unit+lint fuzz+install+coverage+build-user+arm64 \
		stress build-6.12+build-7.2 vm-6.12+vm-7.2

check-guests: ## users of vhost_vdpa, QEMU guests among them: 40 minutes (root)
	@scripts/run-checks deps lab-6.12 lab-7.2 build-user build-6.12+build-7.2 guests-6.12 guests-7.2

check-fast: ## unit tests, fuzz replay, vringh-lib as installed, lint: under a minute
	@scripts/run-checks unit+lint fuzz+install

unit: ## unit tests on this machine, with ASan and UBSan
	$(MAKE) -C tests unit

stress: ## two threads on a ring, TSan and plain (STRESS_SECONDS=n per program)
	$(MAKE) -C tests stress

arm64: ## vringh-lib's tests, compiled for arm64 and run by an emulator
	$(MAKE) -C tests arm64

coverage: ## which lines of vringh-lib the tests and corpora run; fails under 95 %
	@$(MAKE) --no-print-directory -C tests coverage

fuzz: ## replay the fuzz corpora
	$(MAKE) -C tests fuzz-replay

vm-test: lab-build ## tests in the lab's virtual machine (KERNEL=6.12|7.2|debug, T="files")
	@scripts/vm-test --kernel $(KERNEL) $(T)

bench-vring: ## vringh-lib against rte_vhost, vringh and a floor: instructions and times (BENCH_ROUNDS=n)
	@tests/bench/run

bench-virtio-user: lab-build ## DPDK's virtio-user on a function and on VDUSE, in the lab (BENCH_ROUNDS=n; root)
	@$(LAB) run --kernel $(KERNEL) --timeout 540 -- \
		env BENCH_ROUNDS=$(or $(BENCH_ROUNDS),7) tests/bench/virtio-user

lint: ## static checks (scripts/check.sh --list names them)
	@scripts/check.sh

clean: ## remove build/
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
	@echo "  variables:        KVER KDIR KERNEL PREFIX DESTDIR; make modules W=1 shows all warnings"

.PHONY: all user modules test-modules vm-programs toolchain lib install-lib uninstall-lib \
	app tool install install-modules install-app install-tool install-man uninstall \
	demo lab-build bench-vring bench-virtio-user check check-fast check-guests unit stress arm64 coverage fuzz vm-test lint clean help
