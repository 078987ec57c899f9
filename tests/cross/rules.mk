# The simulator for an empty S/390 in ESA/390 mode, built as the guest is (tests/boot/cross.sh runs it). What the host's C library
# gives the simulator comes from cross_libc.c there.
CROSS_SRC := tests/cross/start.S tests/cross/cross_main.c tests/cross/cross_libc.c tests/unit/bug.c tests/unit/testnet.c \
  $(filter-out tests/sim/simcard.c tests/sim/simchan.c tests/sim/simport.c,$(wildcard tests/sim/sim*.c)) \
  $(filter hercules-devices/cf_% hercules-devices/ctc_%,$(ENGINES)) \
  $(wildcard $(addprefix guest-stack/,base/*.c wire/*.c net/*.c xcf/*.c sysplex/*.c link/*.c)) $(addprefix guest-stack/arch/s390/,div.c mem.c bulk.c)
CROSS_OBJ := $(patsubst %,$(B)/cross/%.o,$(basename $(CROSS_SRC)))
$(B)/cross/%.o: %.c
	@mkdir -p $(@D)
	$(CROSS)gcc $(GUEST_31) $(GUEST_FLAGS) -Itests/cross/include -MMD -MP -c $< -o $@
$(B)/cross/%.o: %.S
	@mkdir -p $(@D)
	$(CROSS)gcc $(GUEST_31) -I. -MMD -MP -c $< -o $@
$(B)/cross/cross.elf: $(CROSS_OBJ) guest-stack/arch/s390/guest.lds
	$(CROSS)ld -m elf_s390 --gc-sections -T guest-stack/arch/s390/guest.lds $(CROSS_OBJ) -o $@
$(B)/cross/cross.bin: $(B)/cross/cross.elf
	$(CROSS)objcopy -O binary -j .text -j .rodata -j .data $< $@
ALL += $(B)/cross/cross.bin
