# The operator's command. It says of the sysplex what the panel shows.
LAB_SRC := $(filter-out lab/ezacfsm1_main.c lab/messages_main.c lab/panel_%.c,$(wildcard lab/*.c)) lab/panel_model.c
LAB_OBJ := $(LAB_SRC:%.c=$(B)/host/%.o)

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -MMD -MP -c $< -o $@
$(B)/plex390: $(LAB_OBJ)
	$(CC) $(CFLAGS) $^ -lconfig -ljansson -o $@
ALL += $(B)/plex390
INSTALL_BIN += $(B)/plex390

# EZACFSM1 for the host, and the printer of docs/MESSAGES.md: both are made of the guest's own sources.
EZACFSM1_SRC := lab/ezacfsm1_main.c guest-stack/base/str.c \
    $(addprefix guest-stack/super/,console.c ezacfsm1.c parmlib.c symbols.c sysipl.c)
MESSAGES_SRC := lab/messages_main.c guest-stack/base/str.c guest-stack/super/messages.c
$(B)/ezacfsm1: $(EZACFSM1_SRC:%.c=$(B)/host/%.o)
	$(CC) $(CFLAGS) $^ -o $@
$(B)/messages: $(MESSAGES_SRC:%.c=$(B)/host/%.o)
	$(CC) $(CFLAGS) $^ -o $@
ALL += $(B)/ezacfsm1 $(B)/messages
INSTALL_BIN += $(B)/ezacfsm1

# The catalogue, its printed form, and EZACFSM1 over the configuration that ships.
messages: $(B)/messages $(B)/ezacfsm1
	tests/messages.sh
.PHONY: messages
CHECK += messages

# What shows a sysplex and can be tested without one: rows of displays, the panel's value.
LAB_TESTED := $(addprefix $(B)/san/lab/,displays.o panel_model.o panel_scene.o)
UNIT_LIBS_test_panel_model := $(LAB_TESTED) -ljansson
$(B)/unit/test_panel_model: $(LAB_TESTED)
UNIT_LIBS_test_proc := $(B)/san/lab/proc.o
$(B)/unit/test_proc: $(B)/san/lab/proc.o

# The panel, where SDL2 and its fonts are to be had: nothing else needs them.
ifneq ($(wildcard /usr/include/SDL2/SDL_ttf.h),)
PANEL_SRC := lab/panel_main.c lab/panel_draw.c lab/panel_scene.c lab/panel_model.c lab/panel_paint.c lab/panel_job.c
$(B)/plex390-panel: HOST += -I/usr/include/SDL2
$(B)/plex390-panel: $(PANEL_SRC:%.c=$(B)/host/%.o)
	$(CC) $(CFLAGS) $^ -lSDL2_ttf -lSDL2 -ljansson -o $@
ALL += $(B)/plex390-panel
INSTALL_BIN += $(B)/plex390-panel
endif
