#!/bin/sh
# Runs PostgreSQL in its container; what is not there yet is made first: cluster, user, database, password.
# The password is random. It lies in a volume of its own, as a libpq password file that only the app's
# containers mount besides this one: nothing secret is committed, typed or shown.
#
# Each major version has a folder of its own in the volume. One that finds another's and not its own does not
# begin with nothing: ops/upgrade-postgres.sh brings the rows over, with UPGRADING set.
set -eu
umask 077
volume=/var/lib/database
data=$volume/$POSTGRES_MAJOR
key=/run/database-key/pgpass

single() { postgres --single -D "$1" postgres >/dev/null; }
set_password() { echo "ALTER ROLE hotline PASSWORD '$1'" | single "$data"; }

before=$(ls "$volume" | grep -x '[0-9][0-9]*' | grep -vx "$POSTGRES_MAJOR" || true)
if [ -n "${UPGRADING-}" ]; then
  data=$volume/upgrading
elif [ ! -d "$data" ] && [ -n "$before" ]; then
  echo "the database is of PostgreSQL $before, and this is $POSTGRES_MAJOR: run ops/upgrade-postgres.sh," >&2
  echo "or go on with POSTGRES_MAJOR=$before (docs/operate/docker.md)" >&2
  exit 1
fi

if [ ! -d "$data" ]; then
  rm -rf "$data.new"
  [ -n "${UPGRADING-}" ] || rm -f "$key" # the one before goes on with it, should the upgrade fail
  # Only processes in this container reach the socket; whoever comes over the network needs the password.
  initdb -D "$data.new" -U postgres -E UTF8 --locale=C.UTF-8 --data-checksums \
    --auth-local=trust --auth-host=scram-sha-256 >/dev/null
  echo "host hotline hotline samenet scram-sha-256" >> "$data.new/pg_hba.conf"
  single "$data.new" <<'EOF'
CREATE ROLE hotline LOGIN
CREATE DATABASE hotline OWNER hotline
EOF
  mv "$data.new" "$data" # whole or not at all, should this be killed half-way
  [ -z "${UPGRADING-}" ] || set_password "$(cut -d: -f5 "$key")"
fi

if [ ! -s "$key" ]; then
  password=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  set_password "$password"
  echo "database:5432:hotline:hotline:$password" > "$key"
fi

# A line of DETAIL would quote rows, and with them names and numbers, in the server's log.
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c log_error_verbosity=terse
