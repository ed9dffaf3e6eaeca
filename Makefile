# dyt: `make` explains, `make quickstart` and `make check` set up what is missing. See README.md.
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CC      ?= cc
ifeq ($(origin CC),default)
CC      := cc
endif
BUILD   := build
VERSION := 0.1.0

# Commands are shown by name only; V=1 shows them whole.
say = $(if $(V),,@echo '  $(1)';)

# One tree a variant: f32 is the product, pic the same for the shared library, the others are for checks. The program is not
# made of pic's objects, so that nobody pays for them who only runs it.
VARIANTS := f32 pic f64 asan tsan
FLAGS_f32  :=
FLAGS_pic  := -fPIC
FLAGS_f64  := -DDYT_F64
FLAGS_asan := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FLAGS_tsan := -fsanitize=thread

PKGS     := openblas libcjson zlib libxxhash libjpeg gsl
# Only headers: what is used of stb is compiled into the program, with limits of ours.
PKGS_HEADERS := stb
# Asked when first used, once.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags-only-I $(PKGS) $(PKGS_HEADERS) 2>/dev/null | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
# GSL is linked without the CBLAS of its own, which would stand in for OpenBLAS's where it came first.
# The OpenMP build of OpenBLAS where Debian has it, whatever the alternatives system points to.
OPENBLAS_OPENMP := $(firstword $(wildcard /usr/lib/*/openblas-openmp))
PKG_LIBS   = $(if $(OPENBLAS_OPENMP),-L$(OPENBLAS_OPENMP) -Wl$(comma)-rpath$(comma)$(OPENBLAS_OPENMP)) \
             $(shell pkg-config --define-variable=GSL_CBLAS_LIB= --libs $(PKGS) 2>/dev/null) -lm -lpthread
comma := ,

WARN_clang := -Wno-unknown-warning-option
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wwrite-strings -Wmissing-prototypes -Wstrict-prototypes \
        -Wold-style-definition -Wpointer-arith -Wcast-qual -Wvla -Wformat=2 -Wno-format-truncation -Wno-psabi $(WARN_$(notdir $(CC))) $(if $(CI),-Werror)
# No -ffast-math: it turns isfinite() into true. -ffp-contract=off: the same bits from gcc and clang, FMA only where asked for.
CFLAGS  := -std=c11 -O3 -g -fno-math-errno -fno-trapping-math -ffp-contract=off
CPPFLAGS = -Iinclude -Isrc $(PKG_CFLAGS) -D_POSIX_C_SOURCE=200809L -DDYT_VERSION='"$(VERSION)"'

# Kernels are compiled once a SIMD level; what a level may use is known only here.
ARCH := $(shell uname -m)
ifeq ($(ARCH),x86_64)
SIMD_LEVELS := portable avx2 avx512
else
SIMD_LEVELS := portable
endif
SIMD_portable :=
SIMD_avx2     := -mavx2 -mfma
SIMD_avx512   := -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512

LAYERS   := base kernels core ops data nn models train analyze api cli
SRC      := $(sort $(foreach l,$(LAYERS),$(wildcard src/$(l)/*.c)))
SIMD_SRC := $(sort $(wildcard src/kernels/simd/*.c))
LIB_SRC  := $(filter-out src/cli/main.c,$(SRC))
TEST_SRC := $(sort $(wildcard tests/test_*.c))
# What tests share is linked into each.
TEST_SUPPORT := $(filter-out $(TEST_SRC) $(wildcard tests/fuzz_*.c),$(wildcard tests/*.c))

define VARIANT_RULES
OBJ_$(1) := $$(LIB_SRC:%.c=$$(BUILD)/$(1)/%.o) $$(foreach l,$$(SIMD_LEVELS),$$(SIMD_SRC:%.c=$$(BUILD)/$(1)/%.$$(l).o))
$$(BUILD)/$(1)/%.o: %.c $$(BUILD)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,cc $$@)$$(CC) $$(CFLAGS) $$(FLAGS_$(1)) $$(WARN) $$(CPPFLAGS) -MMD -MP -c $$< -o $$@
$$(foreach l,$$(SIMD_LEVELS),$$(eval $$(call SIMD_RULE,$(1),$$(l))))
$$(BUILD)/$(1)/libdyt.a: $$(OBJ_$(1))
	@rm -f $$@
	$$(call say,ar $$@)$$(AR) rcs $$@ $$^
$$(BUILD)/$(1)/dyt: $$(BUILD)/$(1)/src/cli/main.o $$(BUILD)/$(1)/libdyt.a
	$$(call say,ld $$@)$$(CC) $$(FLAGS_$(1)) $$^ $$(PKG_LIBS) -o $$@
$$(BUILD)/$(1)/tests/test_%: $$(BUILD)/$(1)/tests/test_%.o $$(TEST_SUPPORT:%.c=$$(BUILD)/$(1)/%.o) $$(BUILD)/$(1)/libdyt.a
	$$(call say,ld $$@)$$(CC) $$(FLAGS_$(1)) $$^ $$(PKG_LIBS) -lcmocka -o $$@
# Rebuild when the compiler or its flags change, not only when a file does. Whether a warning is an error changes no object.
$$(BUILD)/$(1)/flags: FORCE
	@mkdir -p $$(@D)
	@echo '$$(CC) $$(CFLAGS) $$(FLAGS_$(1)) $$(filter-out -Werror,$$(WARN)) $$(CPPFLAGS)' | cmp -s - $$@ || \
	  echo '$$(CC) $$(CFLAGS) $$(FLAGS_$(1)) $$(filter-out -Werror,$$(WARN)) $$(CPPFLAGS)' > $$@
endef
define SIMD_RULE
$(BUILD)/$(1)/src/kernels/simd/%.$(2).o: src/kernels/simd/%.c $(BUILD)/$(1)/flags
	@mkdir -p $$(@D)
	$$(call say,cc $$@)$$(CC) $$(CFLAGS) $$(FLAGS_$(1)) $$(SIMD_$(2)) -DSIMD_LEVEL=$(2) $$(WARN) $$(CPPFLAGS) -MMD -MP -c $$< -o $$@
endef
$(foreach v,$(VARIANTS),$(eval $(call VARIANT_RULES,$(v))))

# The shared library exports dyt.h's functions only; a change that breaks programs built with it gets a new SOVERSION.
SOVERSION := 0
LIB_SO    := libdyt.so.$(VERSION)
$(BUILD)/pic/$(LIB_SO): $(filter-out $(BUILD)/pic/src/cli/%,$(OBJ_pic)) src/api/libdyt.map
	$(call say,ld $@)$(CC) -shared -Wl,-soname,libdyt.so.$(SOVERSION) -Wl,--version-script=src/api/libdyt.map -Wl,-z,defs \
	  $(filter %.o,$^) $(PKG_LIBS) -o $@

# Manual pages and completion are what the program says of itself.
COMMANDS := $(patsubst src/cli/cmd_%.c,%,$(wildcard src/cli/cmd_*.c))
MAN      := $(BUILD)/man/dyt.1 $(COMMANDS:%=$(BUILD)/man/dyt-%.1)
$(BUILD)/man/dyt.1: $(BUILD)/f32/dyt
	@mkdir -p $(@D)
	$(call say,man $@)$< --help-man > $@
$(BUILD)/man/dyt-%.1: $(BUILD)/f32/dyt
	@mkdir -p $(@D)
	$(call say,man $@)$< $* --help-man > $@
$(BUILD)/dyt.bash: $(BUILD)/f32/dyt
	$(call say,bash $@)$< --help-bash > $@

# Where things go; DESTDIR stands before every path and is in no file.
PREFIX     := /usr/local
DESTDIR    :=
LIBDIR     := $(PREFIX)/lib
INCLUDEDIR := $(PREFIX)/include
MANDIR     := $(PREFIX)/share/man/man1
BASHDIR    := $(PREFIX)/share/bash-completion/completions
HEADERS    := $(wildcard include/dyt/*.h include/dyt/*.def)
INSTALLED  := $(PREFIX)/bin/dyt $(LIBDIR)/libdyt.a $(LIBDIR)/$(LIB_SO) $(LIBDIR)/libdyt.so.$(SOVERSION) $(LIBDIR)/libdyt.so \
              $(LIBDIR)/pkgconfig/dyt.pc $(HEADERS:include/%=$(INCLUDEDIR)/%) $(MAN:$(BUILD)/man/%=$(MANDIR)/%) $(BASHDIR)/dyt

# OpenBLAS stands in Libs.private, not in Requires.private: openblas.pc asks for a Fortran compiler's library, which a program that
# links libdyt.a and OpenBLAS's shared library does not need.
define DYT_PC
prefix=$(PREFIX)
libdir=$(LIBDIR:$(PREFIX)/%=$${prefix}/%)
includedir=$(INCLUDEDIR:$(PREFIX)/%=$${prefix}/%)

Name: dyt
Description: Train and run small transformers on a CPU, with LayerNorm or without
Version: $(VERSION)
Requires.private: $(filter-out openblas,$(PKGS))
Libs: -L$${libdir} -ldyt
Libs.private: $(if $(OPENBLAS_OPENMP),-L$(OPENBLAS_OPENMP) -Wl$(comma)-rpath$(comma)$(OPENBLAS_OPENMP)) -lopenblas -lm -lpthread
Cflags: -I$${includedir}
endef
export DYT_PC
.SECONDARY:
-include $(shell find $(VARIANTS:%=$(BUILD)/%) -name '*.d' 2>/dev/null)

.PHONY: FORCE help build f64 install install-files uninstall quickstart paper check unit lint format asan tsan fuzz mutants bench clean
FORCE:

help: ## this list
	@echo "dyt $(VERSION): train small transformers on a CPU, with or without normalization"
	@echo
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 22
	@echo
	@echo "  README.md says the rest; build/dyt explains itself"

# Set-up comes first and in a shell of its own: pkg-config's answers are needed only by the make that follows.
setup-%: FORCE
	@CC='$(CC)' scripts/setup.sh $*

build: setup-build ## build/dyt, the program (float)
	@+$(MAKE) --no-print-directory $(BUILD)/f32/dyt
	@ln -sf f32/dyt $(BUILD)/dyt

f64: setup-build ## build/f64/dyt, the same in double, for gradient checks
	@+$(MAKE) --no-print-directory $(BUILD)/f64/dyt

install: setup-build ## program, libraries, headers, manual pages, completion: PREFIX=/usr/local DESTDIR=
	@+$(MAKE) --no-print-directory install-files
install-files: $(BUILD)/f32/dyt $(BUILD)/f32/libdyt.a $(BUILD)/pic/$(LIB_SO) $(MAN) $(BUILD)/dyt.bash
	@install -d $(sort $(dir $(INSTALLED:%=$(DESTDIR)%)))
	@install -m 755 $(BUILD)/f32/dyt $(DESTDIR)$(PREFIX)/bin
	@install -m 644 $(BUILD)/f32/libdyt.a $(BUILD)/pic/$(LIB_SO) $(DESTDIR)$(LIBDIR)
	@ln -sf $(LIB_SO) $(DESTDIR)$(LIBDIR)/libdyt.so.$(SOVERSION)
	@ln -sf libdyt.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libdyt.so
	@install -m 644 $(HEADERS) $(DESTDIR)$(INCLUDEDIR)/dyt
	@install -m 644 $(MAN) $(DESTDIR)$(MANDIR)
	@install -m 644 $(BUILD)/dyt.bash $(DESTDIR)$(BASHDIR)/dyt
	@echo "$$DYT_PC" > $(DESTDIR)$(LIBDIR)/pkgconfig/dyt.pc
	@echo "installed below $(DESTDIR)$(PREFIX)$(if $(DESTDIR),,; a library that programs do not find may need ldconfig)"

uninstall: ## removes what install of the same version, PREFIX and DESTDIR put there
	@rm -f $(INSTALLED:%=$(DESTDIR)%)
	@if [ -d $(DESTDIR)$(INCLUDEDIR)/dyt ]; then rmdir --ignore-fail-on-non-empty $(DESTDIR)$(INCLUDEDIR)/dyt; fi

quickstart: setup-quickstart build ## train LayerNorm and DyT on Fashion-MNIST and compare (3 minutes)
	@scripts/quickstart.sh

TIER := quick
paper: setup-paper build ## the paper's studies, TIER=quick (42 minutes), standard (2 hours) or long: results/TIER/report.html
	@scripts/paper.sh $(TIER)

bench: setup-bench build ## measure this machine with dyt bench (5 minutes): step, gemm, ops, norms, infer, growth
	@scripts/bench.sh

# Tests of the float build; those of F64_TESTS run (also) in double.
F32_TESTS := $(filter-out test_gradients,$(TEST_SRC:tests/%.c=%))
F64_TESTS := $(filter $(TEST_SRC:tests/%.c=%),test_gradients test_model test_kernels test_kernel_linear test_tape test_drop test_engine test_steady test_reference)
test_bins = $(foreach t,$(F32_TESTS),$(BUILD)/f32/tests/$(t)) $(foreach t,$(F64_TESTS),$(BUILD)/f64/tests/$(t))

unit: $(test_bins) $(BUILD)/f32/dyt $(BUILD)/f64/dyt $(BUILD)/pic/$(LIB_SO)
	@ln -sf f32/dyt $(BUILD)/dyt
	@scripts/run_tests.sh $(test_bins) scripts/check_install.sh scripts/check_report.sh scripts/check_results.sh $(MUTANTS)

check: setup-check ## every test, in both builds, and the mutants
	@+$(MAKE) --no-print-directory unit MUTANTS=scripts/mutants.sh

asan: setup-check ## the tests under the address and undefined-behaviour sanitizers
	@+$(MAKE) --no-print-directory $(foreach t,$(F32_TESTS),$(BUILD)/asan/tests/$(t)) $(BUILD)/asan/dyt
	@DYT=$(BUILD)/asan/dyt scripts/run_tests.sh $(foreach t,$(F32_TESTS),$(BUILD)/asan/tests/$(t))

tsan: setup-check ## the tests that use threads under the thread sanitizer
	@+$(MAKE) --no-print-directory $(foreach t,test_work test_engine,$(BUILD)/tsan/tests/$(t))
	@scripts/run_tests.sh $(foreach t,test_work test_engine,$(BUILD)/tsan/tests/$(t))

mutants: setup-check ## seed one-line bugs and see that the tests catch each
	@scripts/mutants.sh

FUZZERS := $(patsubst tests/%.c,%,$(wildcard tests/fuzz_*.c))
SECONDS_EACH := 60
# Parsers are compiled for the fuzzer; what else a target uses (no parser of outside bytes) comes from the library.
FUZZ_SRC := $(filter src/base/% src/data/% src/analyze/record% src/analyze/study.c src/analyze/figure.c src/analyze/table% src/analyze/metric.c,$(LIB_SRC))
$(BUILD)/fuzz/%: tests/%.c $(FUZZ_SRC) $(BUILD)/f32/libdyt.a
	@mkdir -p $(@D)
	clang $(filter-out -O3,$(CFLAGS)) -O1 -fsanitize=fuzzer,address,undefined $(CPPFLAGS) $< $(FUZZ_SRC) $(BUILD)/f32/libdyt.a $(PKG_LIBS) -o $@
fuzz: setup-fuzz ## fuzz every parser of outside bytes for SECONDS_EACH=60
	@+$(MAKE) --no-print-directory $(FUZZERS:%=$(BUILD)/fuzz/%)
	@for f in $(FUZZERS); do mkdir -p $(BUILD)/fuzz/corpus/$$f; \
	  $(BUILD)/fuzz/$$f -max_total_time=$(SECONDS_EACH) -rss_limit_mb=2048 $(BUILD)/fuzz/corpus/$$f || exit 1; done

lint: setup-lint ## warnings as errors with gcc and clang, layers, formatting
	@scripts/check_layers.sh
	@clang-format --dry-run -Werror $(wildcard src/*/*.[ch] src/*/*/*.[ch] include/dyt/*.h tests/*.[ch] examples/*.c)
	@+$(MAKE) --no-print-directory CI=1 BUILD=$(BUILD)/lint-gcc CC=gcc lint-objects
	@+$(MAKE) --no-print-directory CI=1 BUILD=$(BUILD)/lint-clang CC=clang lint-objects
lint-objects: $(OBJ_f32) $(OBJ_f64) $(TEST_SRC:%.c=$(BUILD)/f32/%.o)

format: ## clang-format over the sources
	@clang-format -i $(wildcard src/*/*.[ch] src/*/*/*.[ch] include/dyt/*.h tests/*.[ch] examples/*.c)

clean: ## remove build/
	rm -rf $(BUILD)
