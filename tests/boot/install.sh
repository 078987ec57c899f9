#!/bin/sh
# install.sh - what make install lays down runs by itself, from a path with a blank in it, and uninstall takes it all away.
set -u
. "$(dirname "$0")/lib.sh"
have_modules || { echo "SKIP the whole test: no device module was built"; exit 0; }
lab_begin ONE
unset PLEX390_CONFIGS PLEX390_ROOT
dest="$tmp/a blank"
make_it() { make -C "$root" -s "$1" DESTDIR="$dest" PREFIX=/usr; }
nothing_left() { [ -z "$(find "$dest" -type f)" ]; }

ok 'make install' make_it install
plex390="$dest/usr/lib/plex390/plex390"
ok 'the installed plex comes up' "$plex390" up ONE
ok 'its page' client curl -sS --max-time 20 -o /dev/null "$("$plex390" url SYSA)"
ok 'down' "$plex390" down ONE
ok 'make uninstall' make_it uninstall
ok 'nothing is left' nothing_left
plex390="$root/build/plex390"
