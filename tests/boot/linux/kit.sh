#!/bin/sh
# kit.sh [DEST] - what tests/boot/linux.sh and linux-ctc.sh boot: Debian's kernel for s390x, its qeth, lcs and ctcm drivers, busybox.
#
# DEST (build/linux) gets: image (the kernel, loaded at 0), initrd (busybox, the drivers, linux/init). The packages
# come through apt-get with a private state for the architecture s390x: nothing of the machine's is touched, and a
# plain user may run this. Needs: apt-get, dpkg-deb, cpio.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dest=${1:-$here/../../../build/linux}
fail() { echo "linux/kit: $*" >&2; exit 1; }
for tool in apt-get dpkg-deb cpio; do command -v $tool >/dev/null || fail "$tool is not installed"; done
[ ! -f "$dest/initrd" ] || rm -f "$dest/initrd"

work=$(mktemp -d) || fail "no temporary directory"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root" "$work/init/mod" "$work/init/www/cgi-bin"
: >"$work/status"
cat >"$work/apt.conf" <<CONF
APT::Architecture "s390x";
APT::Architectures { "s390x"; };
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Debug::NoLocking "true";
CONF
export APT_CONFIG="$work/apt.conf"
apt-get -qq update >"$work/log" 2>&1 || true
kernel=$(apt-cache depends linux-image-s390x 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$kernel" ] || fail "the archive has no linux-image-s390x"
(cd "$work" && apt-get -qq download "$kernel" busybox-static >>log 2>&1) || fail "$(tail -n 1 "$work/log")"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done

modules=$(echo "$work"/root/lib/modules/*/kernel)
for m in drivers/s390/cio/ccwgroup net/llc/llc net/802/stp net/bridge/bridge drivers/s390/net/qeth \
    drivers/s390/net/qeth_l2 drivers/s390/net/qeth_l3 drivers/s390/net/lcs drivers/s390/net/fsm drivers/s390/net/ctcm; do
    cp "$modules/$m.ko" "$work/init/mod/" || fail "the kernel has no $m.ko"
done
mkdir -p "$work/init/bin" "$work/init/proc" "$work/init/sys" "$work/init/dev" "$work/init/tmp"
cp "$work/root/bin/busybox" "$work/init/bin/busybox"
cp "$here/init" "$work/init/init"
cp "$here/sum" "$here/cycle" "$here/fetch" "$work/init/www/cgi-bin/"
chmod 755 "$work/init/init" "$work/init/www/cgi-bin/"*
mkdir -p "$dest"
cp "$work"/root/boot/vmlinuz-* "$dest/image"
(cd "$work/init" && find . | cpio -o -H newc --quiet) >"$dest/initrd.new"
mv "$dest/initrd.new" "$dest/initrd"
# The tests look whether it is of this day.
(cd "$here" && cat init sum cycle fetch | sha256sum) >"$dest/made-of"
