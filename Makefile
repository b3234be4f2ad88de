# Targets: all run test lint format check-asan check-valgrind fuzz bench docs install clean.
# BUILD names a variant: build/<BUILD> holds everything that it makes.
BUILD  ?= release
PREFIX ?= /usr/local
CC     ?= cc
VERSION := 0.1.0

OUT := build/$(BUILD)
PKGS := hiredis libevent_core libevent_extra libevent_openssl inih
TEST_PKGS := check

WARN := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wformat=2 -Wno-format-nonliteral -Wvla
OPT_release  := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
OPT_asan     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_valgrind := -O1 -g
SAN_asan     := -fsanitize=address,undefined

# --- dependencies -------------------------------------------------------------------------------
NO_DEPS_GOALS := clean format deps help
ifneq ($(filter-out $(NO_DEPS_GOALS),$(or $(MAKECMDGOALS),all)),)
  ifneq ($(DEPS_DONE),1)
    ifneq ($(filter run test check-asan check-valgrind lint bench fuzz,$(MAKECMDGOALS)),)
      DEPS_RESULT := $(shell sh tests/install-packages.sh >&2 && echo ok)
      ifneq ($(DEPS_RESULT),ok)
        $(error packages are missing and could not be installed: see the message above)
      endif
    endif
  endif
  MISSING := $(strip $(foreach p,$(PKGS),$(shell pkg-config --exists $(p) || echo $(p))))
  ifneq ($(MISSING),)
    $(error pkg-config does not find: $(MISSING). On Debian and Ubuntu: apt-get install \
      pkg-config libhiredis-dev libevent-dev libinih-dev libssl-dev, or `make run`)
  endif
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null)
CHECK_CFLAGS := $(shell pkg-config --cflags $(TEST_PKGS) 2>/dev/null)
CHECK_LIBS   := $(shell pkg-config --libs $(TEST_PKGS) 2>/dev/null)

CPPFLAGS += -Isrc -I$(OUT)/gen -D_GNU_SOURCE -DRALLOCD_VERSION='"$(VERSION)"' $(PKG_CFLAGS) -MMD -MP
CFLAGS   += -std=c11 $(WARN) $(OPT_$(BUILD)) -fno-common -ffile-prefix-map=$(CURDIR)/=
LDFLAGS  += $(SAN_$(BUILD)) -Wl,--as-needed

# --- the daemon: one archive a folder, linked in the order of the house ---------------------------
FOLDERS := server commands report jobs pool ops redis resp io config base
obj      = $(patsubst src/%.c,$(OUT)/src/%.o,$(wildcard src/$(1)/*.c))
archive  = $(OUT)/lib/$(1).a
ARCHIVES := $(foreach f,$(FOLDERS),$(call archive,$(f)))

all: $(OUT)/rallocd

$(OUT)/rallocd: $(OUT)/src/main.o $(ARCHIVES)
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lm

define archive_rule
$(call archive,$(1)): $(call obj,$(1)) $(2)
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach f,$(filter-out redis,$(FOLDERS)),$(eval $(call archive_rule,$(f))))
$(eval $(call archive_rule,redis,$(OUT)/gen/scripts.o))

$(OUT)/src/%.o: src/%.c | $(OUT)/gen/redis/scripts.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# --- the scripts of lua/ become C ------------------------------------------------------------------
LUA := $(sort $(shell find lua -name '*.lua'))
$(OUT)/tools/%: src/tools/%.c
	@mkdir -p $(@D)
	$(CC) -Isrc -D_GNU_SOURCE -std=c11 $(WARN) -O1 -g -o $@ $< $(TOOL_LIBS)
$(OUT)/tools/embed: TOOL_LIBS := $(shell pkg-config --libs libcrypto)
$(OUT)/gen/redis/scripts.h: $(OUT)/tools/embed $(LUA)
	@mkdir -p $(@D)
	$(OUT)/tools/embed lua $(OUT)/gen/redis/scripts.h $(OUT)/gen/scripts.c
$(OUT)/gen/scripts.c: $(OUT)/gen/redis/scripts.h ;
$(OUT)/gen/scripts.o: $(OUT)/gen/scripts.c
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# --- tests: each tests/<folder>/*.c is a program; unit tests see only their folder and below ------
TEST_LIB := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/lib/*.c))
TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/*/*.c tests/scripts/*.c tests/daemon/*.c \
          tests/fleet/*.c tests/fault/*.c tests/peers/*.c tests/docs/*.c))
SIM_OBJ := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/sim/*.c))

$(OUT)/tests/%.o: tests/%.c | $(OUT)/gen/redis/scripts.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -I. $(CHECK_CFLAGS) $(SIM_CFLAGS) $(CFLAGS) -c -o $@ $<

$(OUT)/lib/testlib.a: $(TEST_LIB)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcsD $@ $^

# what a unit test of a folder links: that folder and those below it
below = $(if $(filter $(1),$(FOLDERS)),$(call from,$(1),$(FOLDERS)),$(FOLDERS))
from  = $(if $(filter $(1),$(firstword $(2))),$(2),$(call from,$(1),$(wordlist 2,99,$(2))))
define unit_rule
$(OUT)/tests/unit/$(1)/%: $(OUT)/tests/unit/$(1)/%.o $(foreach f,$(call below,$(1)),$(call archive,$(f)))
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(CHECK_LIBS) $$(PKG_LIBS) -lm
endef
$(foreach f,$(FOLDERS),$(eval $(call unit_rule,$(f))))

define program_rule
$(OUT)/tests/$(1)/%: $(OUT)/tests/$(1)/%.o $(OUT)/lib/testlib.a $(foreach f,redis resp io config base,$(call archive,$(f)))
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(CHECK_LIBS) $$(PKG_LIBS) -lm
endef
$(foreach f,scripts daemon fleet fault peers docs,$(eval $(call program_rule,$(f))))

.SECONDARY:
.PHONY: all clean
clean:
	rm -rf build

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
