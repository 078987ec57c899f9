# emulator.sh - which emulator, and how it wants to be started: for tests that write their own configuration. Sourced after
# root= and skip() are set; PLEX390_HERCULES chooses the emulator. SKIP if it or its module is missing.
#
#   $emulator $mode -f CONFIG $external     the command; $external makes 3.13 read commands from its standard input
#   $module                                 our module for it; LDMOD wants a path without blanks
#   $arch                                   ARCHMODE or ARCHLVL, to be followed by ESA/390 or z/Arch. Before it 3.13 is told to run all its
#                                           threads as we run: by itself it gives processors nice 15, which a busy host makes wait
#   bare SOURCE.S TARGET                    assembles a guest for loadcore
emulator=${PLEX390_HERCULES:-hercules}
command -v "$emulator" >/dev/null 2>&1 || skip "no emulator ($emulator)"
if "$emulator" --version </dev/null 2>&1 | grep -q 'SDL\|Hyperion'; then
    module=$root/build/hyperion-4/plex390.so mode=-n external= arch=ARCHLVL
else
    module=$root/build/hercules-3.13/plex390.so mode=-d external=EXTERNALGUI
    arch=$(printf "%sPRIO $(nice)\n" HERC CPU DEV TOD; echo ARCHMODE)
fi
[ -f "$module" ] || skip "no $module was built"
bare() {
    s390x-linux-gnu-as -m31 -mesa -march=z900 "$1" -o "$2.o" && s390x-linux-gnu-objcopy -O binary "$2.o" "$2"
}
