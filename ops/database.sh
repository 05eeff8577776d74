#!/bin/sh
# Runs PostgreSQL in its container; on the first start makes the cluster, our user and our database.
# The user's password is random. It lies in a volume of its own, as a libpq password file that only the
# app's containers mount besides this one: nothing secret is committed, typed or shown.
set -eu
data=/var/lib/database/17
key=/run/database-key/pgpass

if [ ! -d "$data" ]; then
  umask 077
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  echo "database:5432:hotline:hotline:$password" > "$key"
  rm -rf "$data.new"
  # Only processes in this container reach the socket; whoever comes over the network needs the password.
  initdb -D "$data.new" -U postgres -E UTF8 --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo "host hotline hotline samenet scram-sha-256" >> "$data.new/pg_hba.conf"
  postgres --single -D "$data.new" postgres <<EOF
CREATE ROLE hotline LOGIN PASSWORD '$password'
CREATE DATABASE hotline OWNER hotline
EOF
  mv "$data.new" "$data" # whole or not at all, should this be killed half-way
fi

exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
