# The OSA card's process, the objects of peer and ring for tests, and the emulators' modules.

PEER := hercules-devices/ring.c $(wildcard hercules-devices/peer*.c)
CARD_SRC := $(sort $(wildcard hercules-devices/*_card.c hercules-devices/osa_port*.c) hercules-devices/pcapng.c $(PEER) tests/unit/bug.c \
              $(wildcard guest-stack/base/*.c guest-stack/wire/*.c))
CARD_OBJ := $(CARD_SRC:%.c=$(B)/host/%.o)
CARD_LIBS := -lvdeplug -lpcap -ljansson -lpthread

ifneq ($(wildcard hercules-devices/osa_card.c),)
$(B)/osa-card: $(CARD_OBJ)
	$(CC) $(CFLAGS) $^ $(CARD_LIBS) -o $@
ALL += $(B)/osa-card
INSTALL_BIN += $(B)/osa-card
endif

# The coupling facility's process.
CF_SRC := $(sort $(wildcard hercules-devices/cf_*main.c) $(filter-out hercules-devices/cf_link.c,$(filter hercules-devices/cf_%,$(ENGINES))) $(PEER) \
            tests/unit/bug.c $(wildcard guest-stack/base/*.c))
$(B)/cf: $(CF_SRC:%.c=$(B)/host/%.o)
	$(CC) $(CFLAGS) $^ -ljansson -lpthread -o $@
ALL += $(B)/cf
INSTALL_BIN += $(B)/cf
# A system made of nothing but a link, for tests of the facility without an emulator.
$(B)/cfclient: $(patsubst %.c,$(B)/host/%.o,tests/boot/cfclient_main.c tests/unit/bug.c $(PEER))
	$(CC) $(CFLAGS) $^ -lpthread -o $@
ALL += $(B)/cfclient

# Unit tests of what is no engine name their objects here.
PEER_SAN := $(PEER:%.c=$(B)/san/%.o)
UNIT_LIBS_test_ring := $(B)/san/hercules-devices/ring.o
UNIT_LIBS_test_peer := $(PEER_SAN)
UNIT_LIBS_test_ctc_threads := $(PEER_SAN)
UNIT_LIBS_test_fence := $(PEER_SAN)
CAPTURE_SAN := $(B)/san/hercules-devices/capture_card.o $(B)/san/hercules-devices/impair_card.o
UNIT_LIBS_test_capture := $(CAPTURE_SAN) $(B)/san/libplex.a -lpcap
$(B)/unit/test_ring $(B)/unit/test_peer $(B)/unit/test_fence $(B)/unit/test_ctc_threads: $(PEER_SAN)
$(B)/unit/test_capture: $(CAPTURE_SAN)

-include hercules-devices/modules.mk

# An LPAR made of this kernel's own stack, for tests and figures of the card without an emulator.
$(B)/tunlpar: $(patsubst %.c,$(B)/host/%.o,tests/boot/tunlpar_main.c tests/unit/bug.c $(PEER) \
              $(wildcard guest-stack/base/*.c guest-stack/wire/*.c))
	$(CC) $(CFLAGS) $^ -lpthread -o $@
ALL += $(B)/tunlpar

$(B)/bench_card: $(patsubst %.c,$(B)/host/%.o,tests/bench/bench_card_main.c tests/unit/bug.c $(PEER))
	$(CC) $(CFLAGS) $^ -lpthread -o $@
ALL += $(B)/bench_card
bench-card: $(B)/bench_card
	@$(B)/bench_card
bench: bench-card
.PHONY: bench-card
