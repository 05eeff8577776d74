#!/bin/sh
# ./install.sh SIGNERS: install from this folder, on a machine without any network. SIGNERS is the file that came
# to you by another way than this folder did. `./install.sh --unsigned` trusts the folder as it is.
set -eu
cd "$(dirname "$0")"
here=$(pwd)
[ $# -eq 1 ] || { echo "usage: $0 SIGNERS | --unsigned" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "only root installs packages: sudo $0 $1" >&2; exit 2; }
if [ "$1" != --unsigned ]; then
  command -v ssh-keygen > /dev/null || {
    echo "ssh-keygen is missing (the package openssh-client). Look at the signature on another machine:" >&2
    echo "  ssh-keygen -Y verify -f SIGNERS -I hotline137 -n hotline137 -s SHA256SUMS.sig < SHA256SUMS" >&2
    echo "and then run $0 --unsigned here" >&2
    exit 2
  }
  ssh-keygen -Y verify -f "$1" -I hotline137 -n hotline137 -s SHA256SUMS.sig < SHA256SUMS || {
    echo "this is not the bundle that was signed: nothing was installed" >&2
    exit 1
  }
fi
sha256sum --check --quiet --strict SHA256SUMS || {
  echo "a file is damaged or was changed: nothing was installed" >&2
  exit 1
}
unknown=$(find . -type f ! -name 'SHA256SUMS*' | sed 's,^\./,,' | while read -r file; do
  grep -qF "  $file" SHA256SUMS || echo "$file"
done)
[ -z "$unknown" ] || { echo "not of this bundle, and so not to be trusted: $unknown" >&2; exit 1; }

own=$(mktemp -d)
trap 'rm -rf "$own"' EXIT
mkdir -p "$own/lists/partial"
echo "deb [trusted=yes] file:$here/packages ./" > "$own/sources.list"
run() {
  DEBIAN_FRONTEND=noninteractive apt-get -o Dir::State::lists="$own/lists" -o Dir::Etc::sourcelist="$own/sources.list" \
    -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root "$@" < /dev/null
}
run -qq update
run install --yes --no-install-recommends hotline137
if [ -n "$(ls voices)" ]; then
  install -d -o hotline137 -g hotline137 -m 700 /var/lib/hotline137/voices
  for voice in voices/*; do install -o hotline137 -g hotline137 -m 600 "$voice" /var/lib/hotline137/voices/; done
  systemctl restart hotline137.target
fi
echo "installed. How it is: hotline137 doctor. PostgreSQL lies in packages/, too: README says how"
