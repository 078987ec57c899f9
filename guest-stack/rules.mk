# The S/390 guest: every portable room and arch/s390, as a 31-bit ESA/390 nucleus and, as a check, a 64-bit one.
# The second link carries the symbol table made from the first; both must agree on where the text is.
GUEST_WARN := $(WARN) -Wno-array-bounds
GUEST_FLAGS := $(CSTD) $(GUEST_WARN) -O2 -g -ffreestanding -fno-pic -msoft-float -fno-stack-protector -mbackchain \
  -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Iguest-stack -I.
GUEST_31 := -m31 -mesa -march=z900
GUEST_64 := -m64 -mzarch -march=z900
GUEST_SRC := $(PORTABLE) $(wildcard guest-stack/arch/s390/*.c guest-stack/arch/s390/*.S)

# $1 = 31 or 64, $2 = linker emulation
define GUEST_RULES
GUEST_OBJ_$1 := $$(patsubst %,$(B)/guest$1/%.o,$$(basename $$(GUEST_SRC)))
$(B)/guest$1/%.o: %.c
	@mkdir -p $$(@D)
	$(CROSS)gcc $$(GUEST_$1) $$(GUEST_FLAGS) -MMD -MP -c $$< -o $$@
$(B)/guest$1/%.o: %.S
	@mkdir -p $$(@D)
	$(CROSS)gcc $$(GUEST_$1) -I. -MMD -MP -c $$< -o $$@
$(B)/guest$1/guest.elf: $$(GUEST_OBJ_$1) guest-stack/arch/s390/guest.lds guest-stack/symbols.awk
	@: | awk -f guest-stack/symbols.awk >$$(@D)/symbols.S
	$(CROSS)gcc $$(GUEST_$1) -c $$(@D)/symbols.S -o $$(@D)/symbols.o
	$(CROSS)ld -m $2 --gc-sections $$(GUEST_LDFLAGS) -T guest-stack/arch/s390/guest.lds $$(GUEST_OBJ_$1) $$(@D)/symbols.o -o $$(@D)/first.elf
	$(CROSS)nm -n $$(@D)/first.elf | awk -f guest-stack/symbols.awk >$$(@D)/symbols.S
	$(CROSS)gcc $$(GUEST_$1) -c $$(@D)/symbols.S -o $$(@D)/symbols.o
	$(CROSS)ld -m $2 --gc-sections $$(GUEST_LDFLAGS) -T guest-stack/arch/s390/guest.lds $$(GUEST_OBJ_$1) $$(@D)/symbols.o -o $$@.tmp
	@for f in $$(@D)/first.elf $$@.tmp; do $(CROSS)nm -n "$$$$f" | awk '$$$$2 ~ /^[tT]$$$$/' | cksum; done | uniq | \
	  awk 'END {if (NR != 1) {print "guest: the two links disagree about the text"; exit 1}}'
	@mv $$@.tmp $$@
$(B)/guest$1/guest.bin: $(B)/guest$1/guest.elf
	$(CROSS)objcopy -O binary -j .text -j .rodata -j .data -j .symtab_guest $$< $$@
ALL += $(B)/guest$1/guest.bin
endef
$(eval $(call GUEST_RULES,31,elf_s390))
$(eval $(call GUEST_RULES,64,elf64_s390))
