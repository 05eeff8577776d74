#!/usr/bin/env bash
# ops/bundle/build.sh [SUITE]: writes var/bundle/hotline137-VERSION.tar, with which a machine of that release that
# has no network is installed: the package, every package of Debian's that it or PostgreSQL needs, a voice if
# VOICE=FILE.onnx names one, what all of it is made of (SBOM), checksums, and a signature by KEY. PACKAGE=FILE.deb: the
# package is built already.
# Needs what `make deb` needs, apt-utils and openssh-client; no root.
set -euo pipefail
cd "$(dirname "$0")/../.."
suite=${1:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
out=${OUT:-var/bundle}
key=${KEY:-$out/signing-key}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out" "$work/packages" "$work/voices"

package=${PACKAGE:-$(OUT="$work" ops/deb/build.sh "$suite" | tee /dev/stderr | tail -1)}
name=$(basename "$package" .deb)
cp "$package" "$work/packages/"
[ -n "${PACKAGE:-}" ] || rm "$package"

echo "packages of $suite" >&2
# As for a machine on which nothing is installed, so that nothing is missing on any.
apt=$work/apt
mkdir -p "$apt"/{lists/partial,archives/partial,preferences.d,apt.conf.d}
touch "$apt/status"
mirror=${MIRROR:-$(.venv/bin/python -c 'from ops.asterisk import find_mirror; print(*find_mirror())')}
: "${mirror:?name a mirror of Debian: MIRROR=…}"
: > "$apt/sources.list"
for each in "$mirror $suite" "$mirror $suite-updates" "${SECURITY:-${mirror%/}-security} $suite-security"; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $each main" >> "$apt/sources.list"
done
run() {
  apt-get -qq -c ops/apt.conf -o Dir::State::status="$apt/status" -o Dir::State::lists="$apt/lists" \
    -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Cache="$apt" -o Dir::Cache::archives="$apt/archives" -o APT::Sandbox::User="$(id -un)" \
    -o Dir::Etc::preferencesparts="$apt/preferences.d" -o Debug::NoLocking=1 "$@"
}
run update
run install --yes --no-install-recommends --download-only \
  "$work/packages/$name.deb" postgresql postgresql-client openssh-client systemd-sysv > /dev/null
mv "$apt"/archives/*.deb "$work/packages/"
rm -rf "$apt"

if [ -n "${VOICE:-}" ]; then cp "$VOICE" "$VOICE.json" "$work/voices/"; fi
(cd "$work/packages" && apt-ftparchive packages . > Packages)
cp ops/bundle/install.sh ops/bundle/README "$work/"
.venv/bin/python -m ops.bundle.sbom "$work/packages/Packages" \
  "${ASTERISK_ROOT:-var/deb/asterisk-root}" "$work/voices" > "$work/sbom.cdx.json"

echo "checksums and signature" >&2
[ -f "$key" ] || ssh-keygen -q -t ed25519 -N '' -C hotline137 -f "$key"
(cd "$work" && find . -type f ! -name 'SHA256SUMS*' -printf '%P\0' | sort -z | xargs -0 sha256sum > SHA256SUMS)
ssh-keygen -q -Y sign -f "$key" -n hotline137 "$work/SHA256SUMS"
printf 'hotline137 %s\n' "$(cut -d' ' -f1,2 "$key.pub")" > "$out/signers"
tar -C "$work" --sort=name --owner=0 --group=0 --transform "s,^\.,$name," -cf "$out/$name.tar" .
echo "$out/signers is whose signature it is: bring it to the machine by another way than the bundle" >&2
echo "$out/$name.tar"
