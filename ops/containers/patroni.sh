#!/bin/sh
# Runs PostgreSQL under Patroni, in the containers of docker-compose.scale.yml: patroni.sh NAME, as ops/postgresql/patroni.yml
# says. `patroni.sh keys` makes the passwords and certificates before all; `patroni.sh first URL` our role and database, once.
set -eu
umask 077
keys=/run/cluster-key/keys
pgpass=/run/database-key/pgpass
network=$HOTLINE_NETWORK

case $1 in
keys)
  if [ ! -s "$keys" ]; then
    for name in superuser replication rewind hotline; do
      echo "$name=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
    done > "$keys.new"
    mv "$keys.new" "$keys"
  fi
  . "$keys"
  # In place: others have this file open, and what is written is the same each time.
  for last in 24 25; do echo "$network.$last:5432:hotline:hotline:$hotline"; done > "$pgpass"
  tls=/run/cluster-key/tls
  for each in etcd1,$network.21 etcd2,$network.22 etcd3,$network.23 pg1,$network.24 pg2,$network.25; do
    /opt/hotline137/ops/postgresql/certificates.sh "$tls" "$each"
    cp "$tls/${each%,*}"/* "/run/cluster-tls/${each%,*}"
  done
  cp "$tls/ca/ca.crt" "${pgpass%/*}"
  ;;
first)
  . "$keys"
  exec psql -q -v ON_ERROR_STOP=1 "$2" <<SQL
CREATE ROLE hotline LOGIN PASSWORD '$hotline';
CREATE DATABASE hotline OWNER hotline TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
SQL
  ;;
*)
  . "$keys"
  folder=/var/lib/database/$POSTGRES_MAJOR
  # No watchdog: it would reset the machine on which all of them are.
  sed -e "/^name:/s/pg1/$1/" \
    -e "/listen:\|connect_address:/s/pg1.city.example/$(hostname -i)/" \
    -e "s/etcd\([123]\).city.example/$network.2\1/g" \
    -e "s|/var/lib/postgresql/.pgpass-patroni|/tmp/pgpass|" \
    -e "s|/etc/patroni/tls|/run/machine-tls|" \
    -e "s|/var/lib/postgresql/hotline|$folder|" \
    -e "s|/usr/lib/postgresql/17|/usr/lib/postgresql/$POSTGRES_MAJOR|" \
    -e "s|/var/run/postgresql|/tmp|" \
    -e "s/change-me-1/$superuser/; s/change-me-2/$replication/; s/change-me-3/$rewind/" \
    -e "s/local all postgres peer/local all all trust/" \
    -e "s/mode: required/mode: 'off'/" \
    -e "s|^bootstrap:.*|&\n  post_bootstrap: $0 first|" \
    -e "s|^postgresql:.*|&\n  basebackup: [{checkpoint: fast}]|" \
    /opt/hotline137/ops/postgresql/patroni.yml > /tmp/patroni.yml
  exec patroni /tmp/patroni.yml
  ;;
esac
