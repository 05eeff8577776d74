#!/bin/sh
# ./install.sh SIGNERS: install from this folder, on a machine without any network. SIGNERS is the file that came
# to you by another way than this folder did. `./install.sh --unsigned` trusts the folder as it is.
# This script is of the folder, too: README says how to look at the signature before anything of it runs.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 SIGNERS | --unsigned" >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "only root installs packages: sudo $0 $1" >&2; exit 2; }
signers=$1
[ "$signers" = --unsigned ] || signers=$(realpath -e "$signers")
cd "$(dirname "$0")"
here=$(pwd -P)
case $signers in
"$here"/*)
  echo "$signers came with the bundle, and proves nothing: take the one that came to you by another way" >&2
  exit 2
  ;;
esac
if [ "$signers" != --unsigned ]; then
  command -v ssh-keygen > /dev/null || {
    echo "ssh-keygen is missing (the package openssh-client). Look at the signature on another machine:" >&2
    echo "  ssh-keygen -Y verify -f SIGNERS -I hotline137 -n hotline137 -s SHA256SUMS.sig < SHA256SUMS" >&2
    echo "and then run $0 --unsigned here" >&2
    exit 2
  }
  ssh-keygen -Y verify -f "$signers" -I hotline137 -n hotline137 -s SHA256SUMS.sig < SHA256SUMS || {
    echo "this is not the bundle that was signed: nothing was installed" >&2
    exit 1
  }
fi
sha256sum --check --quiet --strict SHA256SUMS || {
  echo "a file is damaged or was changed: nothing was installed" >&2
  exit 1
}
# Whatever is no folder must be a plain file that is named there; a link would lead out.
unknown=$(find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig | sed 's,^\./,,' | while IFS= read -r file; do
  { [ ! -L "$file" ] && cut -c 67- SHA256SUMS | grep -qxF -- "$file"; } || echo "$file"
done)
[ -z "$unknown" ] || { echo "not of this bundle, and so not to be trusted: $unknown" >&2; exit 1; }

ours=$(sed -n '/^Package: hotline137$/,/^$/s/^Version: //p' packages/Packages)
there=$(dpkg-query -W -f '${Version}' hotline137 2> /dev/null || true)
if [ -n "$there" ] && dpkg --compare-versions "$there" gt "$ours"; then
  echo "this machine has hotline137 $there, which is newer than $ours: nothing was installed" >&2
  exit 1
fi

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
  state=/var/lib/hotline137
  [ -d $state ] || install -d -o hotline137 -g hotline137 -m 700 $state
  # As its user: in that folder root would follow links that are not root's.
  (cd voices && tar -cf - -- *) | (cd / && exec setpriv --reuid=hotline137 --regid=hotline137 --init-groups -- \
    sh -c "umask 077 && mkdir -p $state/voices && tar -xf - -C $state/voices --no-same-permissions")
  systemctl restart hotline137.target
fi
echo "installed. How it is: hotline137 doctor. PostgreSQL lies in packages/, too: README says how"
