# Unit and device tests: each tests/unit/test_X.c is one cmocka program, linked against every portable room and
# every engine, built with ASan and UBSan. tests/unit/X.c without "test_" is support code for all of them.

TEST_SUPPORT := $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)) $(wildcard tests/sim/sim*.c)
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
T_OBJ := $(patsubst %.c,$(B)/san/%.o,$(PORTABLE) $(ENGINES) $(TEST_SUPPORT))

$(B)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $(SAN) -MMD -MP -c $< -o $@
$(B)/san/libplex.a: $(T_OBJ)
	@rm -f $@; ar rcs $@ $^
$(B)/unit/%: $(B)/san/tests/unit/%.o $(B)/san/libplex.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $< $(UNIT_LIBS_$*) $(B)/san/libplex.a -lcmocka -lpthread -o $@

unit: $(UNIT)
	@for t in $(UNIT); do timeout -k 5 300 $$t || exit 1; done
CHECK += unit
.PHONY: unit


TEST_PROGRAMS := $(UNIT)
test: $(TEST_PROGRAMS)
	@tests/run.sh

# The client side of benchmarks and boot tests.
$(B)/netbench: $(B)/host/tests/bench/netbench_main.o
	$(CC) $(CFLAGS) $^ -o $@
ALL += $(B)/netbench
$(B)/waiter: $(B)/host/tests/bench/waiter_main.o
	$(CC) $(CFLAGS) $^ -o $@
ALL += $(B)/waiter
$(B)/cputime: $(B)/host/tests/bench/cputime_main.o
	$(CC) $(CFLAGS) $^ -o $@
ALL += $(B)/cputime
bench: all
	@tests/bench/bench.sh

# The card with sanitizers, and the long drills that use it.
$(B)/san/osa-card: $(patsubst %.c,$(B)/san/%.o,$(CARD_SRC)) $(B)/san/libplex.a
	$(CC) $(SAN) $^ $(CARD_LIBS) -o $@
soak: all $(B)/san/osa-card
	@tests/soak.sh
.PHONY: soak

include $(sort $(wildcard tests/*/rules.mk))
