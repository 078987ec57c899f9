# The operator's command.
LAB_SRC := $(filter-out lab/ezacfsm1_main.c,$(wildcard lab/*.c))
LAB_OBJ := $(LAB_SRC:%.c=$(B)/host/%.o)

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -MMD -MP -c $< -o $@
$(B)/plex390: $(LAB_OBJ)
	$(CC) $(CFLAGS) $^ -lconfig -ljansson -o $@
ALL += $(B)/plex390
INSTALL_BIN += $(B)/plex390
