# Fuzz targets. Each tests/fuzz/fuzz_X.c defines LLVMFuzzerTestOneInput; tests/fuzz/corpus/X holds its inputs.
#
#   make fuzz-replay            the corpora as a test, gcc with ASan and UBSan (part of make test)
#   make fuzz FUZZ_SECONDS=60   libFuzzer (clang) on each target; what it finds new goes to build/fuzz/X.new
#   build/fuzz/afl_X            the same target for AFL++:  afl-fuzz -i tests/fuzz/corpus/X -o OUT build/fuzz/afl_X
#
# UNIT_LIBS_fuzz_X may name more libraries, as for unit tests.

FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
FUZZ_LIB_SRC := $(PORTABLE) $(ENGINES) $(TEST_SUPPORT)
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

$(B)/replay/%: $(B)/san/tests/fuzz/fuzz_%.o $(B)/san/tests/fuzz/replay.o $(B)/san/libplex.a
	@mkdir -p $(@D)
	$(CC) $(SAN) $(filter %.o,$^) $(UNIT_LIBS_fuzz_$*) $(B)/san/libplex.a -lcmocka -lpthread -o $@
fuzz-replay: $(FUZZ:%=$(B)/replay/%)
	@for t in $(FUZZ); do timeout -k 5 300 $(B)/replay/$$t tests/fuzz/corpus/$$t || exit 1; done

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	clang $(HOST) $(FUZZ_SAN) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@
$(B)/fuzz/libplex.a: $(patsubst %.c,$(B)/fuzz/obj/%.o,$(FUZZ_LIB_SRC))
	@rm -f $@; ar rcs $@ $^
$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(B)/fuzz/libplex.a
	clang $(FUZZ_SAN) -fsanitize=fuzzer $^ $(UNIT_LIBS_fuzz_$*) -lcmocka -lpthread -o $@
# An archive again, so that a target may bring its own data sets and nobody needs the nucleus.
$(B)/afl/obj/%.o: %.c
	@mkdir -p $(@D)
	AFL_QUIET=1 afl-clang-fast $(HOST) -MMD -MP -c $< -o $@
$(B)/afl/libplex.a: $(patsubst %.c,$(B)/afl/obj/%.o,$(FUZZ_LIB_SRC))
	@rm -f $@; ar rcs $@ $^
$(B)/fuzz/afl_%: $(B)/afl/obj/tests/fuzz/fuzz_%.o $(B)/afl/libplex.a
	@mkdir -p $(@D)
	AFL_QUIET=1 afl-clang-fast -fsanitize=fuzzer $^ $(UNIT_LIBS_fuzz_$*) -lcmocka -lpthread -o $@

fuzz: $(FUZZ:%=$(B)/fuzz/fuzz_%)
	@for t in $(FUZZ); do mkdir -p $(B)/fuzz/$$t.new tests/fuzz/corpus/$$t && \
	    $(B)/fuzz/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -artifact_prefix=$(B)/fuzz/$$t- \
	    $(B)/fuzz/$$t.new tests/fuzz/corpus/$$t || exit 1; done

test: fuzz-replay
.PHONY: fuzz fuzz-replay
