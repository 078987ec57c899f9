#!/bin/sh
# hercules-headers.sh DEST - the header files that belong to Debian's Hercules 3.13.
#
# Debian's binary package carries no headers, so they come from its own source package: the upstream tarball is
# fetched with apt-get, configured without flags (which gives the configuration of Debian's build: the structure
# sizes agree, and the build and the load check that), and only *.h is kept in DEST.
#
# The machine's apt configuration stays as it is: source entries are switched on in a private copy of it, with
# private lists and cache. A plain user may run this. Once DEST is whole the script does nothing and needs no
# network. DEST appears in one rename, so a killed run leaves nothing half made.
# Exit: 0 DEST is there; 1 with one line that says what was missing.
set -eu

VERSION=3.13
[ $# -eq 1 ] || { echo "usage: hercules-headers.sh DEST" >&2; exit 1; }
dest=$1
[ ! -f "$dest/config.h" ] || exit 0

fail() { echo "hercules-headers: $*" >&2; exit 1; }
for tool in apt-get tar make cc; do
    command -v $tool >/dev/null || fail "$tool is not installed"
done
{ mkdir -p "$dest" && rmdir "$dest"; } 2>/dev/null || fail "$dest has files but no config.h: remove it"

# The work is done under a path without a space, which neither apt's quoting nor configure would bear.
work=$(mktemp -d) || fail "no temporary directory"
trap 'rm -rf "$work" "$dest.new"' EXIT
trap 'exit 1' HUP INT TERM

# A source entry for each binary entry, in both of apt's notations.
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial"
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    case $f in
    *.list) [ ! -f "$f" ] || sed -n 's/^deb[[:space:]]/deb-src /p' "$f" >"$work/parts/$(basename "$f")" ;;
    *.sources) [ ! -f "$f" ] || sed 's/^Types:.*/Types: deb-src/' "$f" >"$work/parts/$(basename "$f")" ;;
    esac
done
cat >"$work/apt.conf" <<CONF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$work/parts";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Debug::NoLocking "true";
CONF
export APT_CONFIG="$work/apt.conf"

# An archive of somebody else that does not answer must not stop us: only the download decides.
apt-get -qq update >"$work/update.log" 2>&1 || true
(cd "$work" && apt-get -qq source --download-only --tar-only hercules >source.log 2>&1) ||
    fail "apt-get source hercules: $(grep -h '^E:' "$work/source.log" "$work/update.log" | head -n 1)"
tarball=$(ls "$work"/hercules_$VERSION.orig.tar.* 2>/dev/null) ||
    fail "the archive has no source of hercules $VERSION"

mkdir "$work/src"
tar -xf "$tarball" -C "$work/src" --strip-components=1 || fail "cannot unpack $(basename "$tarball")"
# configure wants to see a C++ preprocessor, although no C++ is built; the C one will do.
(cd "$work/src" && CXXCPP="${CC:-cc} -E -x c" ./configure >../configure.log 2>&1) ||
    fail "configure of Hercules failed: $(tail -n 1 "$work/configure.log")"
[ -f "$work/src/config.h" ] || fail "configure of Hercules made no config.h"

rm -rf "$dest.new"
{ mkdir "$dest.new" && cp "$work"/src/*.h "$dest.new/" && mv "$dest.new" "$dest"; } || fail "cannot create $dest"
