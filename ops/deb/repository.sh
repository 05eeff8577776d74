#!/usr/bin/env bash
# ops/deb/repository.sh KEY PACKAGE…: puts packages into var/apt, a repository of apt that GnuPG's KEY signs. A web
# server or a disk carries the folder to the servers; docs/operate/install.md says what they need. Packages that are
# there stay. Needs apt-utils and gpg, and no root.
set -euo pipefail
key=${1:?whose key, as gpg --list-secret-keys names it}
shift
out=${OUT:-var/apt}
gpg --list-secret-keys "$key" > /dev/null
mkdir -p "$out/pool" "$out/dists"
for package; do cp "$package" "$out/pool/"; done

# Made aside and moved in, so that nobody reads half of it.
new=$(mktemp -d "$out/dists/.new-XXXXXX")
trap 'rm -rf "$new"' EXIT
arch=$(dpkg --print-architecture)
for each in deb12:bookworm deb13:trixie ubuntu24.04:noble; do
  suite=${each#*:}
  folder=$new/$suite/main/binary-$arch
  mkdir -p "$folder"
  (cd "$out" && apt-ftparchive packages pool) |
    awk -v RS= -v ORS='\n\n' -v label="+${each%:*}\n" 'index($0 "\n", label)' > "$folder/Packages"
  gzip -9nk "$folder/Packages"
  apt-ftparchive -o "APT::FTPArchive::Release::Suite=$suite" -o "APT::FTPArchive::Release::Codename=$suite" \
    -o APT::FTPArchive::Release::Components=main -o "APT::FTPArchive::Release::Architectures=$arch" \
    -o "APT::FTPArchive::Release::Origin=Hotline 137" release "$new/$suite" > "$new/Release"
  mv "$new/Release" "$new/$suite/Release"
  gpg --batch --yes --local-user "$key" --clearsign --output "$new/$suite/InRelease" "$new/$suite/Release"
  rm -rf "$out/dists/$suite"
  mv "$new/$suite" "$out/dists/$suite"
done
gpg --batch --yes --output "$out/hotline137.gpg" --export "$key"
chmod -R u+rwX,go+rX "$out"
echo "$out/hotline137.gpg is the key: bring it to the servers by another way than the packages" >&2
echo "$out"
