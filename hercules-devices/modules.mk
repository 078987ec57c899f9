# The emulator modules, one plex390.so for each emulator: the adapters of all our device types, their engines, the
# connection to other processes, and the portable rooms those use. Included by hercules-devices/rules.mk.
#
#   build/hercules-3.13/plex390.so   for Debian's hercules, when its binary is installed
#   build/hyperion-4/plex390.so      when HYPERION_SRC and HYPERION_BUILD name a source and a build tree of SDL-Hyperion
#
# Emulator headers are system headers to the compiler: their warnings are not ours. Names are private to the module
# (module.map), so nothing of ours meets a name of the emulator's.

HDL_SRC := $(wildcard hercules-devices/*_hdl.c) hercules-devices/hdl.c
HDL_PIC := $(sort $(ENGINES) $(PEER) $(wildcard guest-stack/base/*.c guest-stack/wire/*.c))
HDL_PIC_OBJ := $(HDL_PIC:%.c=$(B)/pic/%.o)
# The macros of the emulators convert signs freely.
HDL_WARN := $(WARN) -Wno-sign-conversion
HDL_LINK := -shared -fPIC -Wl,-Bsymbolic -Wl,--version-script=hercules-devices/module.map

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -fPIC -MMD -MP -c $< -o $@

# ---- Debian's 3.13 ----
H313 := $(B)/hercules-3.13
H313_HEADERS ?= $(H313)/include
H313_OBJ := $(HDL_SRC:%.c=$(H313)/%.o)

$(H313_HEADERS)/config.h:
	lab/hercules-headers.sh $(H313_HEADERS)
$(H313)/%.o: %.c $(H313_HEADERS)/config.h
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(HDL_WARN) -D_GNU_SOURCE -Iguest-stack -I. $(CFLAGS) -fPIC -DHAVE_CONFIG_H \
	    -isystem $(H313_HEADERS) -MMD -MP -c $< -o $@
$(H313)/plex390.so: $(H313_OBJ) $(HDL_PIC_OBJ) hercules-devices/module.map
	$(CC) $(HDL_LINK) $(filter %.o,$^) -lpthread -o $@

ifneq ($(wildcard /usr/bin/hercules),)
MODULES += $(H313)/plex390.so
endif

# ---- SDL-Hyperion 4.x ----
ifneq ($(HYPERION_SRC),)
ifeq ($(wildcard $(HYPERION_SRC)/hercules.h),)
$(error HYPERION_SRC=$(HYPERION_SRC) holds no hercules.h)
endif
ifeq ($(wildcard $(HYPERION_BUILD)/config.h),)
$(error HYPERION_BUILD=$(HYPERION_BUILD) holds no config.h)
endif
HYP := $(B)/hyperion-4
HYP_OBJ := $(HDL_SRC:%.c=$(HYP)/%.o)
# Hyperion's own script tells its version, which the emulator compares with the module's.
HYP_VERSION := $(foreach v,VERS_MAJ VERS_INT VERS_MIN,\
                 -D$v=$(shell bash '$(HYPERION_SRC)/_dynamic_version' '$(HYPERION_SRC)' $v))

$(HYP)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CSTD) $(HDL_WARN) -D_GNU_SOURCE -Iguest-stack -I. $(CFLAGS) -fPIC -DHAVE_CONFIG_H -DHDL_HYPERION \
	    $(HYP_VERSION) -isystem '$(HYPERION_BUILD)' -isystem '$(HYPERION_SRC)' \
	    -isystem '$(HYPERION_SRC)/crypto/include' -isystem '$(HYPERION_SRC)/decNumber/include' \
	    -isystem '$(HYPERION_SRC)/SoftFloat/include' -isystem '$(HYPERION_SRC)/telnet/include' -MMD -MP -c $< -o $@
$(HYP)/plex390.so: $(HYP_OBJ) $(HDL_PIC_OBJ) hercules-devices/module.map
	$(CC) $(HDL_LINK) $(filter %.o,$^) -lpthread -o $@
MODULES += $(HYP)/plex390.so
endif

ALL += $(MODULES)
