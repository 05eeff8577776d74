#!/bin/sh
# Runs PostgreSQL in its container; what is not there yet is made first: cluster, user, database, password.
# The password is random. It lies in a volume of its own, as a libpq password file that only the app's
# containers mount besides this one: nothing secret is committed, typed or shown.
set -eu
umask 077
data=/var/lib/database/17
key=/run/database-key/pgpass

single() { postgres --single -D "$1" postgres >/dev/null; }

if [ ! -d "$data" ]; then
  rm -rf "$data.new" "$key"
  # Only processes in this container reach the socket; whoever comes over the network needs the password.
  initdb -D "$data.new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums \
    --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo "host hotline hotline samenet scram-sha-256" >> "$data.new/pg_hba.conf"
  single "$data.new" <<'EOF'
CREATE ROLE hotline LOGIN
CREATE DATABASE hotline OWNER hotline
EOF
  mv "$data.new" "$data" # whole or not at all, should this be killed half-way
fi

if [ ! -s "$key" ]; then
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  echo "ALTER ROLE hotline PASSWORD '$password'" | single "$data"
  echo "database:5432:hotline:hotline:$password" > "$key"
fi

exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp
