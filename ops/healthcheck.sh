#!/bin/sh
# healthcheck.sh SERVICE: does it work? Asked inside the container of the service.
set -eu
case $1 in
database)
  exec pg_isready -q -h 127.0.0.1 -d hotline
  ;;
asterisk)
  exec asterisk -C "$HOTLINE_STATE_DIR/asterisk/etc/asterisk.conf" -rx 'core waitfullybooted'
  ;;
api | ivr | dialer | clerk)
  # /healthz knows of each; the API itself works if it answers and has its database.
  exec python - "$1" <<'EOF'
import json, sys, urllib.error, urllib.request

try:
    answer = urllib.request.urlopen("http://api:8137/healthz", timeout=4)
except urllib.error.HTTPError as not_all_up:
    answer = not_all_up
except OSError as error:
    sys.exit(f"the API does not answer: {error}")
health = json.load(answer)
print(health)
service = sys.argv[1]
sys.exit(health["database" if service == "api" else service] != "up")
EOF
  ;;
*)
  echo "no such service: $1" >&2
  exit 2
  ;;
esac
