# pattern N: the known bytes of bulk transfers, for comparing on the host.
$(B)/pattern: tests/bench/pattern_main.c guest-stack/apps/pattern.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
ALL += $(B)/pattern

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
