# pattern N: the known bytes of bulk transfers, for comparing on the host.
$(B)/pattern: tests/bench/pattern_main.c guest-stack/apps/pattern.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
ALL += $(B)/pattern

# The coupling facility's engine alone.
BENCH_CF := tests/bench/bench_cf_main.c $(filter-out hercules-devices/cf_link.c,$(filter hercules-devices/cf_%,$(ENGINES))) \
            $(wildcard guest-stack/base/*.c) tests/unit/bug.c
$(B)/bench_cf: $(BENCH_CF)
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
bench-cf: $(B)/bench_cf
	@$(B)/bench_cf
bench: bench-cf
.PHONY: bench-cf

# bench_tcp KIND ROUNDS: the stack alone, to be counted in instructions; count_tcp.sh does it.
BENCH_TCP := tests/bench/bench_tcp_main.c $(wildcard guest-stack/base/*.c guest-stack/wire/*.c guest-stack/net/*.c \
             guest-stack/apps/*.c) guest-stack/super/console.c
$(B)/bench_tcp: $(BENCH_TCP)
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
$(B)/bench_tcp.s390x: $(BENCH_TCP)
	@mkdir -p $(@D)
	$(CROSS)gcc $(CSTD) $(WARN) -D_GNU_SOURCE -Iguest-stack -I. -O2 -march=z900 -static $^ -o $@
bench-tcp: $(B)/bench_tcp $(if $(shell command -v $(CROSS)gcc),$(B)/bench_tcp.s390x)
	tests/bench/count_tcp.sh
.PHONY: bench-tcp

# A guest of its own for tests/bench/ctc.sh: blocks over channel-to-channel units and nothing else, loaded at 2000.
ifneq ($(shell command -v $(CROSS)gcc),)
$(B)/ctcraw.bin: tests/bench/ctcraw_guest.c
	@mkdir -p $(@D)
	$(CROSS)gcc $(CSTD) $(WARN) -O2 -m31 -mesa -march=z900 -ffreestanding -fno-pic -no-pie -fno-builtin -nostdlib -Wno-array-bounds \
	    -Wl,-m,elf_s390 -Wl,-e,_start,--build-id=none,--no-warn-rwx-segments -Wl,-T,tests/bench/ctcraw.lds $< -o $(B)/ctcraw.elf
	$(CROSS)objcopy -O binary $(B)/ctcraw.elf $@
ALL += $(B)/ctcraw.bin
bench-ctc: all
	@tests/bench/ctc.sh
.PHONY: bench-ctc
bench: bench-ctc
endif

# IP over those units, guest to guest.
bench-ipctc: all
	@tests/bench/ipctc.sh
bench: bench-ipctc
.PHONY: bench-ipctc

# XCF messages between two guests: over a CTC, over a structure, over both.
bench-xcf: all
	@tests/bench/xcf.sh
bench: bench-xcf
.PHONY: bench-xcf

# How soon each loss of a sysplex is noticed: the table that the boot test of these losses ends with.
bench-detect: all
	@tests/boot/plex1.sh | sed -n '/^FAIL/p; /detection times/,$$p'
.PHONY: bench-detect

# bench_vcrt: the distributor's table, native.
$(B)/bench_vcrt: $(patsubst %.c,$(B)/host/%.o,tests/bench/bench_vcrt_main.c guest-stack/sysplex/vcrt.c tests/unit/bug.c)
	$(CC) $(CFLAGS) $^ -o $@
bench-vcrt: $(B)/bench_vcrt
	@$(B)/bench_vcrt
bench: bench-vcrt
.PHONY: bench-vcrt

# The outage that a client sees, beside keepalived.
$(B)/outage: tests/bench/outage_main.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
ALL += $(B)/outage
bench-outage: all
	@tests/bench/outage.sh
.PHONY: bench-outage

# 1,024 dynamic VIPAs move on eight LPARs; by name only, as two processors have enough to do with fewer.
bench-thousand: all
	@tests/bench/thousand.sh
.PHONY: bench-thousand

# The distributor beside a target's own address, and HAProxy.
bench-dist: all
	@tests/bench/distributor.sh
bench: bench-dist
.PHONY: bench-dist
