# `make help` tells the targets; V=1 shows whole commands.
# BUILD names a variant: build/<BUILD> holds everything that it makes.
BUILD   ?= release
PREFIX  ?= /usr/local
CONFDIR ?= /etc/rallocd
UNITDIR ?= $(PREFIX)/lib/systemd/system
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)
PORT    ?= 7411
STATE   ?= $(CURDIR)/build/state
T       ?=
FUZZ_SECONDS ?= 60
VERSION := 0.1.0

OUT := build/$(BUILD)
WARN := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wformat=2 -Wno-format-nonliteral -Wvla
OPT_release  := -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
OPT_asan     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_valgrind := -O1 -g
OPT_fuzz     := $(OPT_asan) -fsanitize=fuzzer-no-link
SAN_asan     := -fsanitize=address,undefined
SAN_fuzz     := -fsanitize=fuzzer,address,undefined

# --- dependencies: some goals install what they need; each of the others names what is missing -----
GOALS := $(or $(MAKECMDGOALS),all)
install_for = $(if $(filter $(1),$(GOALS)),$(2))
PURPOSES := $(strip $(call install_for,run,run) $(call install_for,lint,lint) \
  $(call install_for,test check-asan check-valgrind,test) $(call install_for,bench,bench) \
  $(call install_for,check-valgrind,valgrind) $(call install_for,fuzz,fuzz))
PKGS := hiredis libevent_core libevent_extra libevent_openssl inih zlib libssl libcrypto
DEB_hiredis := libhiredis-dev
DEB_inih := libinih-dev
DEB_libssl := libssl-dev
DEB_libcrypto := libssl-dev
DEB_zlib := zlib1g-dev
missing_pkg = $(shell pkg-config --exists $(1) || echo $(1))
ifneq ($(filter-out clean format help,$(GOALS)),)
  ifneq ($(PURPOSES),)
    ifneq ($(DEPS_DONE),1)
      ifneq ($(lastword $(shell sh tests/install-packages.sh $(PURPOSES) >&2 && echo ok)),ok)
        $(error packages are missing and could not be installed: see the lines above)
      endif
    endif
  endif
  $(foreach tool,$(firstword $(CC)) pkg-config,$(if $(shell command -v $(tool)),,\
    $(error $(tool) is missing. On Debian and Ubuntu: apt-get install $(tool))))
  MISSING := $(foreach p,$(PKGS),$(call missing_pkg,$(p)))
  $(foreach p,$(MISSING),$(warning pkg-config does not find $(p). On Debian and Ubuntu: \
    apt-get install $(or $(DEB_$(p)),libevent-dev)))
  $(if $(strip $(MISSING)),$(error libraries are missing: install them, or let `make run` do it))
endif
export DEPS_DONE := 1
LIBS := $(PKGS)
PKG_CFLAGS   := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
PKG_LIBS     := $(shell pkg-config --libs $(LIBS) 2>/dev/null)
CHECK_CFLAGS := $(shell pkg-config --cflags check 2>/dev/null)
CHECK_LIBS   := $(shell pkg-config --libs check 2>/dev/null)

CPPFLAGS += -Isrc -I$(OUT)/gen -D_GNU_SOURCE -DRALLOCD_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
CFLAGS   += -std=c11 $(WARN) $(OPT_$(BUILD)) -fno-common -ffile-prefix-map=$(CURDIR)=.
LDFLAGS  += $(SAN_$(BUILD)) -Wl,--as-needed
COMPILE   = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP
say       = $(if $(V),,@printf '  %-4s %s\n' $(1) $(@:$(OUT)/%=%);)
PARALLEL  = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS) -Otarget)

# --- the daemon: one archive a folder ----------------------------------------------------------------
FOLDERS := run server commands report jobs pool lock task ops redis resp io config base
obj      = $(patsubst src/%.c,$(OUT)/src/%.o,$(wildcard src/$(1)/*.c))
archive  = $(OUT)/lib/$(1).a
archives = $(foreach f,$(1),$(call archive,$(f)))

all: $(OUT)/rallocd

$(OUT)/rallocd: $(OUT)/src/main.o $(call archives,$(FOLDERS))
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(PKG_LIBS) -lm

# The folder itself is named because a file that leaves it has to leave the archive.
define archive_rule
$(call archive,$(1)): $(call obj,$(1)) $(2) src/$(1)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR)ar rcsD $$@ $$(filter %.o,$$^)
endef
$(foreach f,$(filter-out redis,$(FOLDERS)),$(eval $(call archive_rule,$(f))))
$(eval $(call archive_rule,redis,$(OUT)/gen/scripts.o))

# Changed when the compiler or its flags do: everything is compiled anew then.
FLAGS := $(COMPILE) $(LDFLAGS)
ifneq ($(filter-out clean format help,$(GOALS)),)
  ifneq ($(FLAGS),$(file <$(OUT)/flags))
    $(shell mkdir -p $(OUT))$(file >$(OUT)/flags,$(FLAGS))
  endif
endif

$(OUT)/src/%.o: src/%.c $(OUT)/flags | $(OUT)/gen/redis/scripts.h
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -c -o $@ $<

# --- the scripts of lua/ become C ------------------------------------------------------------------
LUA := $(sort $(shell find lua -name '*.lua'))
$(OUT)/tools/%: src/tools/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -Isrc -D_GNU_SOURCE -std=c11 $(WARN) -O1 -g -o $@ $< $(TOOL_LIBS)
# This one reads the daemon's own tables, so that it is all of it but main.
$(OUT)/tools/docs: $(OUT)/src/tools/docs.o $(call archives,$(FOLDERS))
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(PKG_LIBS) -lm
$(OUT)/tools/embed: TOOL_LIBS := $(shell pkg-config --libs libcrypto 2>/dev/null)
$(OUT)/gen/redis/scripts.h: $(OUT)/tools/embed $(LUA) lua/pool lua/lock lua/task
	@mkdir -p $(@D)
	$(call say,GEN)$(OUT)/tools/embed lua $(OUT)/gen/redis/scripts.h $(OUT)/gen/scripts.c
$(OUT)/gen/scripts.c: $(OUT)/gen/redis/scripts.h ;
$(OUT)/gen/scripts.o: $(OUT)/gen/scripts.c $(OUT)/flags
	$(call say,CC)$(COMPILE) -c -o $@ $<

# --- tests: each tests/<folder>/*.c is a program; unit tests see only their folder and below -------
TEST_LIB := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/lib/*.c))
TESTS := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit/*/*.c tests/scripts/*.c tests/daemon/*.c \
          tests/fleet/*.c tests/fault/*.c tests/peers/*.c tests/docs/*.c))
TEST_SCRIPTS := $(wildcard tests/docs/*.py tests/docs/*.sh tests/peers/*.py tests/peers/*.mjs \
  tests/peers/*.sh)
ifneq ($(BUILD),release) # what runs nothing of this build: a container's daemon, the scripts alone
  TEST_SCRIPTS := $(filter-out tests/docs/docker.py,$(TEST_SCRIPTS))
  TESTS := $(filter-out $(OUT)/tests/scripts/%,$(TESTS))
endif
# What is loaded into a redis-server, never with sanitizers: that one has none.
PRELOAD := $(patsubst %.c,$(OUT)/%.so,$(wildcard tests/preload/*.c))
$(OUT)/tests/preload/%.so: tests/preload/%.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=gnu11 $(WARN) -O2 -shared -fPIC -o $@ $<
# The simulation: one program of all of tests/sim/, and a test of its little Redis.
SIM_REDIS := $(patsubst %,$(OUT)/tests/sim/%.o,keyspace store commands zcommands lua)
SIM_OBJ := $(patsubst %.c,$(OUT)/%.o,$(filter-out tests/sim/keyspace_test.c,$(wildcard tests/sim/*.c)))
SIM_CFLAGS := $(shell pkg-config --cflags lua5.1 2>/dev/null)
SIM_LIBS := $(shell pkg-config --libs lua5.1 libcrypto 2>/dev/null)
TESTS += $(OUT)/tests/sim/sim $(OUT)/tests/sim/keyspace_test
ALL_TESTS = $(TEST_SCRIPTS) $(TESTS)
wanted = $(if $(T),$(foreach t,$(1),$(if $(findstring $(T),$(t:$(OUT)/%=%)),$(t))),$(1))

$(OUT)/tests/%.o: tests/%.c $(OUT)/flags | $(OUT)/gen/redis/scripts.h
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -I. $(CHECK_CFLAGS) $(SIM_CFLAGS) -c -o $@ $<

$(OUT)/lib/testlib.a: $(TEST_LIB) tests/lib
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar rcsD $@ $(filter %.o,$^)

# what a unit test of a folder links: that folder and those below it
below = $(if $(filter $(1),$(FOLDERS)),$(call from,$(1),$(FOLDERS)),$(FOLDERS))
from  = $(if $(filter $(1),$(firstword $(2))),$(2),$(call from,$(1),$(wordlist 2,99,$(2))))
define link_rule
$(OUT)/tests/$(1)/%: $(OUT)/tests/$(1)/%.o $(2)
	$$(call say,LINK)$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(CHECK_LIBS) $$(PKG_LIBS) -lm
endef
$(foreach f,$(FOLDERS),$(eval $(call link_rule,unit/$(f),$(call archives,$(call below,$(f))))))
$(OUT)/tests/unit/io/fetch: $(OUT)/tests/lib/certificate.o
$(foreach f,scripts daemon fleet fault peers docs,\
  $(eval $(call link_rule,$(f),$(OUT)/lib/testlib.a $(call archives,redis resp io config base))))
$(eval $(call link_rule,fuzz,$(call archives,$(FOLDERS))))
BENCH_PARTS := $(patsubst %.c,$(OUT)/%.o,$(filter-out tests/bench/bench.c,$(wildcard tests/bench/*.c)))
$(eval $(call link_rule,bench,$(BENCH_PARTS) $(call archives,pool ops redis resp io config base)))

$(OUT)/tests/sim/sim: $(SIM_OBJ) $(call archives,jobs pool ops redis resp io config base)
$(OUT)/tests/sim/keyspace_test: $(OUT)/tests/sim/keyspace_test.o $(SIM_REDIS) $(OUT)/lib/testlib.a \
  $(call archives,redis resp io config base)
$(OUT)/tests/sim/sim $(OUT)/tests/sim/keyspace_test:
	$(call say,LINK)$(CC) $(LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(PKG_LIBS) $(SIM_LIBS) -lm

# --- what a person asks for -------------------------------------------------------------------------
run:
	@$(MAKE) --no-print-directory $(PARALLEL) all
	@echo; echo "In another terminal:"; echo
	@echo "    redis-cli -p $(PORT)"; echo "    POOL EXTEND gpus gpu-0 gpu-1"; \
	  echo "    MALLOC gpus"; echo; echo "Ctrl-C here stops it; the pools stay in $(STATE)."; echo
	@exec $(OUT)/rallocd -c conf/rallocd.conf --server.listen=127.0.0.1:$(PORT) \
	  --redis.state_dir=$(STATE)

test:
	@$(MAKE) --no-print-directory $(PARALLEL) $(OUT)/rallocd $(call wanted,$(TESTS)) $(PRELOAD) \
	  $(if $(filter %.mjs %/readme.py,$(call wanted,$(ALL_TESTS))),build/node/.done)
	@T='$(T)' tests/run.sh $(OUT) $(call wanted,$(ALL_TESTS))
check-asan:
	@CK_TIMEOUT_MULTIPLIER=4 SECONDS_EACH=900 $(MAKE) --no-print-directory BUILD=asan test
VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full --trace-children=yes \
            --errors-for-leak-kinds=definite --trace-children-skip=*redis-server,*redis-cli,*/sh
check-valgrind:
	@CK_TIMEOUT_MULTIPLIER=40 SECONDS_EACH=3600 WRAP='$(VALGRIND)' \
	  $(MAKE) --no-print-directory BUILD=valgrind test
build/node/.done: tests/peers/package.json
	@mkdir -p build/node && cp $< build/node/
	npm install --prefix build/node --no-audit --no-fund --loglevel=error && touch $@

fuzz: # clang's libFuzzer; what it finds new stays in build/fuzz/corpus
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=fuzz CC=clang fuzz-programs
	@for t in $(basename $(notdir $(wildcard tests/fuzz/*.c))); do \
	  mkdir -p build/fuzz/corpus/$$t && build/fuzz/tests/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/$$t tests/fuzz/corpus/$$t || exit 1; done
fuzz-programs: $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/*.c))

bench: # BENCH='--only pairs --rounds 2': a part of it, see tests/bench/bench.c
	@$(MAKE) --no-print-directory $(PARALLEL) $(OUT)/rallocd $(OUT)/tests/bench/bench
	@mkdir -p $(OUT)/bench
	@$(OUT)/tests/bench/bench $(OUT)/rallocd $(OUT)/bench $(BENCH)

lint:
	@JOBS=$(JOBS) tests/lint/all.sh $(OUT) '$(MAKE) --no-print-directory $(PARALLEL)'
TIDY := $(patsubst %.c,$(OUT)/tidy/%,$(wildcard src/*.c src/*/*.c tests/*/*.c tests/unit/*/*.c))
tidy: $(TIDY)
# A source is looked at again when it, a header of its, or the list of checks has changed.
$(OUT)/tidy/%: %.c .clang-tidy $(OUT)/flags | $(OUT)/gen/redis/scripts.h
	@mkdir -p $(@D)
	@$(CC) $(CPPFLAGS) -I. $(CHECK_CFLAGS) $(SIM_CFLAGS) -MM -MP -MT $@ -MF $@.d $<
	$(call say,TIDY)clang-tidy --quiet $< -- $(CPPFLAGS) -I. $(CHECK_CFLAGS) $(SIM_CFLAGS) -std=c11 2>$@.log
	@touch $@
docs: $(OUT)/tools/docs
	$< README.md
	$< --conf conf/rallocd.conf
docs-check: $(OUT)/tools/docs
	$< --check README.md
	$< --check-conf conf/rallocd.conf
format:
	clang-format -i $(shell find src tests -name '*.[ch]')

install: all
	install -D -m 755 $(OUT)/rallocd $(DESTDIR)$(PREFIX)/bin/rallocd
	@# a configuration that is there belongs to whoever edited it
	test -e $(DESTDIR)$(CONFDIR)/rallocd.conf || \
	  install -D -m 644 conf/rallocd.conf $(DESTDIR)$(CONFDIR)/rallocd.conf
	install -d $(DESTDIR)$(UNITDIR)
	sed 's,/usr/bin/rallocd,$(PREFIX)/bin/rallocd,; s,/etc/rallocd,$(CONFDIR),' \
	  systemd/rallocd.service >$(DESTDIR)$(UNITDIR)/rallocd.service
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/rallocd README.md LICENSE conf/rallocd.conf

help:
	@echo "make            builds $(OUT)/rallocd"
	@echo "make run        installs what is missing, builds, starts the daemon on port $(PORT)"
	@echo "make test       all tests; T=leases only those whose path contains it"
	@echo "make check-asan, check-valgrind   the tests with sanitizers, under valgrind"
	@echo "make lint       format, static analysis, order of includes, docs up to date"
	@echo "make format, docs                 write the format, the generated docs"
	@echo "make fuzz       new input for FUZZ_SECONDS=$(FUZZ_SECONDS) a target"
	@echo "make bench      speed beside plain Redis, to $(OUT)/bench/report.md"
	@echo "make install    PREFIX=$(PREFIX) CONFDIR=$(CONFDIR) DESTDIR=$(DESTDIR)"
	@echo "make clean      removes build/"
clean:
	rm -rf build

.SECONDARY:
.PHONY: all run test check-asan check-valgrind fuzz fuzz-programs bench lint tidy format docs \
        docs-check install help clean
-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
