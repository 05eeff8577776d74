#!/usr/bin/env bash
# ops/deb/build.sh [SUITE]: writes var/deb/hotline137_VERSION_ARCH.deb for a release of Debian or Ubuntu, this
# machine's own if none is named. Needs no root. What it carries: the code, its Python packages as wheels for that
# release's Python, the built pages, and an Asterisk of the version named here.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Debian sid's. Another one is taken when it has been through `make test`.
asterisk=22.10.1

suite=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
case $suite in
bookworm) python=3.11 label=deb12 ;;
trixie) python=3.13 label=deb13 ;;
noble) python=3.12 label=ubuntu24.04 ;;
*) echo "no such release: $suite (bookworm, trixie or noble)" >&2 && exit 2 ;;
esac
arch=$(dpkg --print-architecture)
version=$(sed -nE 's/^VERSION = "(.*)"/\1/p' hotline/version.py)+$label
out=${OUT:-var/deb}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
mkdir -p "$out"
root=$work/root
here=$root/opt/hotline137
install -d "$root/DEBIAN" "$here" "$root/usr/bin" "$root/usr/lib/systemd/system" "$root/usr/lib/sysusers.d" \
  "$root/usr/share/hotline137" "$root/usr/share/doc/hotline137"

echo "code and pages"
git ls-files -z -- api scheduler db dialer dialplan hotline ivr ops prompts settings city.toml docs ':!ops/deb' ':!ops/bundle' |
  tar --null -T - -c | tar -x -C "$here"
cp -r --parents web/dist "$here"
git describe --always --dirty > "$here/hotline/build"

echo "Python packages for Python $python"
platforms=()
for each in manylinux_2_34 manylinux_2_28 manylinux_2_17 manylinux2014; do
  platforms+=(--platform "${each}_$(uname -m)")
done
.venv/bin/python -m pip install -q --disable-pip-version-check --no-compile --only-binary=:all: --require-hashes \
  --python-version "$python" "${platforms[@]}" --target "$here/packages" -r requirements.lock
find "$here/packages" -depth -type d \( -name tests -o -name test \) -exec rm -rf {} +
rm -rf "$here/packages/bin" # commands that nobody calls

echo "Asterisk $asterisk"
kept=${ASTERISK_ROOT:-var/deb/asterisk-root}
.venv/bin/python -m ops.service unpack "$kept" "$asterisk"
cp -a "$kept" "$here/asterisk-root"
rm -rf "$here"/asterisk-root/{var,etc,boot,dev,tmp,home,root,usr/include,usr/bin,usr/libexec,usr/lib/*/perl}
find "$here/asterisk-root/usr/sbin" ! -type d ! -name asterisk ! -name astcanary -delete
rm -rf "$here"/asterisk-root/usr/share/{man,locale,info,perl,perl5,i18n,zoneinfo,lintian,bash-completion,doc-base,pam-configs,gdb,gcc}
# Of the documents the licences stay: they belong to what is passed on.
find "$here/asterisk-root/usr/share/doc" ! -type d ! -name copyright -delete
find "$here/asterisk-root/usr/share/doc" -depth -type d -empty -delete
find "$here/asterisk-root" -xtype l -delete
find "$here/asterisk-root" -type f -perm /6000 -delete

install -m 755 ops/deb/hotline137 "$root/usr/bin/hotline137"
cp -r ops/deb/units/. "$root/usr/lib/systemd/system"
install -m 644 ops/deb/sysusers.conf "$root/usr/lib/sysusers.d/hotline137.conf"
doc=$root/usr/share/doc/hotline137
install -m 644 NOTICE "$doc"
install -m 644 ops/deb/copyright "$doc/copyright"
gzip -9n < CHANGELOG.md > "$doc/changelog.gz"
ln -s /opt/hotline137/docs "$doc/docs"
install -d "$root/usr/share/man/man1" "$root/usr/share/lintian/overrides"
.venv/bin/python -m ops.man_page | gzip -9n > "$root/usr/share/man/man1/hotline137.1.gz"
install -m 644 ops/deb/lintian-overrides "$root/usr/share/lintian/overrides/hotline137"
# No conffile: every city edits its settings, and dpkg would ask at each upgrade. postinst copies the template once.
sed '1s/.*/# Yours: no upgrade changes it. It is read at each start: hotline137 apply/' hotline.env.example \
  > "$root/usr/share/hotline137/hotline.env"
for script in postinst prerm postrm; do install -m 755 "ops/deb/$script" "$root/DEBIAN/$script"; done
cat > "$root/DEBIAN/control" <<EOF
Package: hotline137
Version: $version
Architecture: $arch
Maintainer: Hotline 137 <maintainers@hotline137.example>
Section: comm
Priority: optional
Installed-Size: $(du -sk "$root" | cut -f1)
Depends: python3 (>= $python), python3 (<< ${python%.*}.$((${python#*.} + 1))), espeak-ng, libc6, systemd, init-system-helpers (>= 1.54), ca-certificates
Suggests: postgresql, postgresql-client
Description: The telephone system with which a city speaks with its mayor
 Citizens dial 137, register for a round with the mayor, a deputy or a district
 manager, and are called back in order. They report city problems and follow
 them up until they say themselves that they are solved.
 .
 Brings its own Asterisk, which is used where the machine has none of version
 20 or newer, and its own Python packages.
EOF
find "$root" -type d -exec chmod u+rwx,go+rx {} +
chmod -R u+rwX,go+rX,go-w "$root/opt" "$root/usr"
echo "package"
dpkg-deb --root-owner-group -Zxz -z"${LEVEL:-6}" --build "$root" "$out/hotline137_${version}_$arch.deb" > /dev/null
echo "$out/hotline137_${version}_$arch.deb"
