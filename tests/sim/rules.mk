# plexsim [xcf] SEED [COUNT]: the simulator, with sanitizers. `make sim` runs SIM_SEEDS of each kind.
$(B)/plexsim: $(B)/san/tests/sim/plexsim_main.o $(B)/san/libplex.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $^ -lpthread -o $@
# The same without sanitizers, for runs with many systems and sessions.
$(B)/plexsim-fast: $(patsubst %.c,$(B)/host/%.o,tests/unit/bug.c tests/unit/testnet.c $(wildcard tests/sim/*.c) $(ENGINES) \
                   $(wildcard $(addprefix guest-stack/,base/*.c wire/*.c net/*.c xcf/*.c sysplex/*.c link/*.c)))
	$(CC) $(CFLAGS) $^ -lpthread -o $@
sim-many: $(B)/plexsim-fast
	timeout -k 5 900 $(B)/plexsim-fast dist $(SIM_FIRST) 1 32 100000
.PHONY: sim-many
SIM_FIRST ?= 1
SIM_SEEDS ?= 50
sim: $(B)/plexsim
	timeout -k 5 300 $(B)/plexsim $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim xcf $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim dist $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim cf $(SIM_FIRST) $(SIM_SEEDS)
.PHONY: sim
