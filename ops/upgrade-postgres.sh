#!/bin/sh
# upgrade-postgres.sh: the database of `docker compose` onto the PostgreSQL that docker-compose.yml names now.
# upgrade-postgres.sh --delete-old: the one before, which is kept until then.
#
# Run it in the project's folder, with the settings that `docker compose up` has (.env, the environment). It stops
# the system, dumps with the old server, restores into a new cluster beside it, counts the rows of every table in
# both, and starts the system on the new one. Until the last step nothing of the old one is touched: where anything
# fails, the old one goes on with POSTGRES_MAJOR=(its number) docker compose up. Docs: docs/operate/docker.md.
set -eu
new=$(docker compose config --format json | sed -n 's/.*"image": *"[^"]*-database:\([0-9]*\)".*/\1/p')
[ -n "$new" ] || { echo "run it where docker-compose.yml is" >&2; exit 2; }

# A shell on the volume, without a server.
on_volume() { docker compose run --rm --no-deps -T --entrypoint sh database -c "$1"; }
in_database() { docker compose exec -T database sh -c "$1"; }
counts='psql -h /tmp -U postgres -d hotline -Atc "select format('"'select %L, count(*) from %I.%I;'"', tablename, schemaname, tablename) from pg_tables where schemaname = '"'public'"' order by 1" | psql -h /tmp -U postgres -d hotline -At'

docker compose build database
found=$(on_volume 'cd /var/lib/database && ls | grep -x "[0-9][0-9]*" || true')
old=$(echo "$found" | grep -vx "$new" | sort -n | tail -1)

if [ "${1-}" = --delete-old ]; then
  echo "$found" | grep -qx "$new" || { echo "there is no PostgreSQL $new yet: nothing is deleted" >&2; exit 1; }
  [ -n "$old" ] || { echo "there is no older one"; exit 0; }
  on_volume "cd /var/lib/database && rm -rf $old from-$old.dump from-$old.counts"
  echo "PostgreSQL $old is deleted; $new is the only one"
  exit 0
fi
[ -n "$old" ] || { echo "there is no older database here: PostgreSQL $new is what you have"; exit 0; }
if echo "$found" | grep -qx "$new"; then
  echo "PostgreSQL $new is there already; $old is kept until ops/upgrade-postgres.sh --delete-old"
  exit 0
fi

failed() {
  [ "$?" = 0 ] && return
  echo "not done; PostgreSQL $old is as it was. It goes on with: POSTGRES_MAJOR=$old docker compose up --detach" >&2
}
trap failed EXIT

echo "stopping the system"
docker compose stop
echo "dumping with PostgreSQL $old"
POSTGRES_MAJOR=$old docker compose up --detach --wait --no-build database
in_database "umask 077; $counts > /var/lib/database/from-$old.counts && pg_dump -h /tmp -U postgres -Fc hotline > /var/lib/database/from-$old.dump"
docker compose stop
echo "restoring into PostgreSQL $new"
on_volume 'rm -rf /var/lib/database/upgrading'
UPGRADING=1 docker compose up --detach --wait --no-build database
in_database "pg_restore -h /tmp -U postgres -d hotline --single-transaction --exit-on-error /var/lib/database/from-$old.dump"
in_database "vacuumdb -h /tmp -U postgres --analyze-only --quiet hotline"
in_database "umask 077; $counts > /tmp/counts && diff /var/lib/database/from-$old.counts /tmp/counts" ||
  { echo "not every row came along" >&2; exit 1; }
docker compose stop
on_volume "mv /var/lib/database/upgrading /var/lib/database/$new && rm /var/lib/database/from-$old.dump"
echo "starting the system"
docker compose up --detach --wait
echo "PostgreSQL $new has every row; $old is kept until ops/upgrade-postgres.sh --delete-old"
