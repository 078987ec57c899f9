# pattern N: the known bytes of bulk transfers, for comparing on the host.
$(B)/pattern: tests/bench/pattern_main.c guest-stack/apps/pattern.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $^ -o $@
ALL += $(B)/pattern
