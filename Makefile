# plex390 - builds the guest, the device modules, the card processes, the operator's command and the tests.
#
#   make            everything for the emulators that are here (Debian's hercules; HYPERION_SRC/HYPERION_BUILD)
#   make test       all tests     make bench    figures     make demo    the tour
#   make check      the fast half of the tests: unit, device, tidy (no emulator)
#   make install DESTDIR= PREFIX=/usr/local      make uninstall      make clean
#
# Nothing is listed by hand: a source file in a room's directory is part of that room. Output goes to build/.

B := build
CC ?= cc
CROSS ?= s390x-linux-gnu-
WARN := -Wall -Wextra -Wconversion -Wshadow -Werror
CSTD := -std=c11
CFLAGS ?= -O2 -g
HOST := $(CSTD) $(WARN) -D_GNU_SOURCE -Iguest-stack -I. $(CFLAGS)
SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

PORTABLE_ROOMS := base wire net xcf sysplex link super apps
PORTABLE := $(wildcard $(PORTABLE_ROOMS:%=guest-stack/%/*.c))
ENGINES := $(filter-out %_hdl.c hercules-devices/hdl.c hercules-devices/peer%.c hercules-devices/ring.c \
             %_card.c %_main.c,$(wildcard hercules-devices/*.c))

include $(sort $(wildcard */rules.mk))

all: $(ALL)
check: $(CHECK)
test: all
demo:
	@./plex390 demo
clean:
	rm -rf $(B)

# The installed copy has the checkout's shape below PREFIX/lib/plex390, so that one script serves both.
PREFIX ?= /usr/local
LIBDIR := $(PREFIX)/lib/plex390
install: all
	install -d "$(DESTDIR)$(LIBDIR)/build/guest31" "$(DESTDIR)$(LIBDIR)/lab" "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 plex390 "$(DESTDIR)$(LIBDIR)/plex390"
	install -m 755 lab/demo.sh "$(DESTDIR)$(LIBDIR)/lab/demo.sh"
	install -m 644 lab/plex390.lua "$(DESTDIR)$(LIBDIR)/lab/plex390.lua"
	install -m 755 $(INSTALL_BIN) "$(DESTDIR)$(LIBDIR)/build/"
	install -m 644 $(B)/guest31/guest.bin "$(DESTDIR)$(LIBDIR)/build/guest31/"
	for m in $(MODULES); do install -D -m 644 $$m "$(DESTDIR)$(LIBDIR)/$$m" || exit 1; done
	cp -R configs "$(DESTDIR)$(LIBDIR)/configs"
	printf '#!/bin/sh\nexec "%s/plex390" "$$@"\n' "$(LIBDIR)" >"$(DESTDIR)$(PREFIX)/bin/plex390"
	chmod 755 "$(DESTDIR)$(PREFIX)/bin/plex390"
uninstall:
	rm -rf "$(DESTDIR)$(LIBDIR)" "$(DESTDIR)$(PREFIX)/bin/plex390"
.PHONY: all check test bench demo clean install uninstall

-include $(shell find $(B) -name '*.d' 2>/dev/null)
