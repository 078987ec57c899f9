# plexsim [xcf] SEED [COUNT]: the simulator, with sanitizers. `make sim` runs SIM_SEEDS of each kind.
$(B)/plexsim: $(B)/san/tests/sim/plexsim_main.o $(B)/san/libplex.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $^ -lpthread -o $@
SIM_FIRST ?= 1
SIM_SEEDS ?= 50
sim: $(B)/plexsim
	timeout -k 5 300 $(B)/plexsim $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim xcf $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim dist $(SIM_FIRST) $(SIM_SEEDS)
	timeout -k 5 300 $(B)/plexsim cf $(SIM_FIRST) $(SIM_SEEDS)
.PHONY: sim
