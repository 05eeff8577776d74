#!/usr/bin/env bash
# ops/setup.sh run|test|test-install: makes sure that the machine has what that make target needs. Installs it
# where that is possible (root on Debian or Ubuntu), otherwise names exactly what is missing.
set -euo pipefail
for_what=${1:?run, test or test-install}
missing=()

need() { # need COMMAND PACKAGE…: without the command, its packages
  command -v "$1" >/dev/null 2>&1 || missing+=("${@:2}")
}

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || missing+=(python3)
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
need node nodejs
need npm npm
need espeak-ng espeak-ng
need setpriv util-linux
own=$(asterisk -V 2>/dev/null | sed -nE 's/^Asterisk ([0-9]+)\..*/\1/p' || true)
[ "${own:-0}" -ge 20 ] || need mmdebstrap mmdebstrap
if [ "$for_what" != run ]; then
  need iptables iptables
  need openssl openssl
  need faketime faketime
  need sipp sip-tester
  need baresip baresip-core
  need apt-ftparchive apt-utils
  need gpg gpg
  need ssh-keygen openssh-client
  need promtool prometheus
  need fail2ban-regex fail2ban python3-systemd
  [ -x /usr/lib/systemd/systemd-journal-remote ] || missing+=(systemd-journal-remote)
  PATH="$PATH:/usr/sbin" need pgbouncer pgbouncer
  PATH="$PATH:/usr/sbin" need haproxy haproxy
  need caddy caddy
  PATH="$PATH:/usr/sbin" need nginx nginx
  PATH="$PATH:/usr/sbin" need slapd slapd
  PATH="$PATH:/usr/sbin" need kamailio kamailio
  PATH="$PATH:/usr/sbin" need keepalived keepalived
  need chromium chromium
  need chromium-headless-shell chromium-headless-shell
  need systemd-analyze systemd
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)
fi
if [ "$for_what" = test-install ]; then
  need git git
  need ip iproute2
  PATH="$PATH:/usr/sbin" need nft nftables
  need patroni patroni
  # What it speaks with etcd by is only one of several that its package asks for.
  /usr/bin/python3 -c 'import etcd, dns' 2>/dev/null || missing+=(python3-etcd python3-dnspython)
  need etcd etcd-server
  need mmdebstrap mmdebstrap
  PATH="$PATH:/usr/sbin" need dockerd docker.io
  need docker docker-cli
  docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
  docker buildx version >/dev/null 2>&1 || missing+=(docker-buildx)
fi

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    # The tests start a slapd of their own: the machine gets none that listens.
    ! command -v debconf-set-selections >/dev/null || debconf-set-selections <<<"slapd slapd/no_configuration boolean true"
    # Nor a Kamailio: its unit is masked before the package would start it.
    [[ " ${missing[*]} " != *" kamailio "* || ! -d /run/systemd/system ]] || systemctl --quiet mask kamailio.service
    apt-get -qq -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "This machine lacks: ${missing[*]}" >&2
    command -v dnf >/dev/null && echo "On Rocky or Alma: dnf install epel-release, then python3.12 nodejs npm espeak-ng" \
      "util-linux asterisk asterisk-pjsip; or in containers (docs/operate/docker.md). PYTHON=python3.12 make run" >&2
    echo "On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || {
  echo "Node.js $(node --version) is too old: 20.19 or newer is needed" >&2
  exit 1
}
