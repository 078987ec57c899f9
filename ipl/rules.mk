# The IPL text (S/390) and the volume builder (host), which carries it.
IPL_CC := $(CROSS)gcc -m31 -mesa -march=z900 $(CSTD) $(WARN) -Os -ffreestanding -fno-pic -msoft-float -fno-stack-protector \
  -fno-tree-loop-distribute-patterns -I.
MKVOL_SRC := ipl/mkvol.c ipl/mkvol_build.c ipl/mkvol_look.c ipl/volume.c ipl/complain.c guest-stack/base/ebcdic.c
MKVOL_OBJ := $(MKVOL_SRC:%.c=$(B)/mkvol.o/%.o) $(B)/mkvol.o/ipl/bug.o $(B)/mkvol.o/ipltext.o

$(B)/ipl/iplrec.bin: ipl/iplrec.S ipl/layout.h
	@mkdir -p $(@D)
	$(CROSS)gcc -m31 -mesa -march=z900 -I. -c $< -o $(B)/ipl/iplrec.o
	$(CROSS)objcopy -O binary -j .text $(B)/ipl/iplrec.o $@
$(B)/ipl/ipltext.bin: ipl/ipl.c ipl/ipl.lds ipl/layout.h
	@mkdir -p $(@D)
	$(IPL_CC) -c $< -o $(B)/ipl/ipl.o
	$(CROSS)ld -m elf_s390 -T ipl/ipl.lds $(B)/ipl/ipl.o -o $(B)/ipl/ipl.elf
	$(CROSS)objcopy -O binary $(B)/ipl/ipl.elf $@
$(B)/ipl/ipltext.c: $(B)/ipl/iplrec.bin $(B)/ipl/ipltext.bin
	@{ echo '/* ipltext.c - generated: the IPL records and the IPL text. */'; echo '#include "ipl/mkvol.h"'; \
	  for n in record:iplrec text:ipltext; do f=$(B)/ipl/$${n#*:}.bin; echo "const u8 ipl_$${n%%:*}[] = {"; \
	    od -An -v -tx1 "$$f" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; echo '};'; \
	    echo "const u32 ipl_$${n%%:*}_bytes = $$(($$(wc -c <"$$f")));"; done; } >$@
$(B)/mkvol.o/ipltext.o: $(B)/ipl/ipltext.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -c $< -o $@
$(B)/mkvol.o/ipl/bug.o: tests/unit/bug.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -c $< -o $@
$(B)/mkvol.o/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -MMD -MP -c $< -o $@
$(B)/mkvol: $(MKVOL_OBJ)
	$(CC) $(CFLAGS) $^ -o $@
ALL += $(B)/mkvol
INSTALL_BIN += $(B)/mkvol

# The volume's builder against the guest's reader.
UNIT_LIBS_test_volume := $(B)/san/ipl/mkvol_build.o $(B)/san/ipl/mkvol_look.o $(B)/san/ipl/volume.o $(B)/san/ipl/complain.o
$(B)/unit/test_volume: $(UNIT_LIBS_test_volume)
