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
front)
  # Its own HTTP port answers with the way to HTTPS.
  exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/8080 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && read -r said <&3 && [[ $said = HTTP* ]]'
  ;;
turn)
  exec turnutils_stunclient "$(hostname -i)"
  ;;
kamailio)
  exec kamcmd -s unix:/tmp/kamailio_ctl core.uptime
  ;;
etcd)
  exec etcdctl --endpoints=https://127.0.0.1:2379 endpoint health
  ;;
patroni)
  exec pg_isready -q -h /tmp
  ;;
api | ivr | dialer | scheduler)
  # /readyz knows of each; the API itself works if it answers and its database takes what is written.
  part=$1
  host=api
  [ "$part" != api ] || { part=database; host=127.0.0.1; }
  exec python - "$host" "$part" <<'EOF'
import sys, urllib.error, urllib.request

try:
    print(urllib.request.urlopen(f"http://{sys.argv[1]}:8137/readyz/{sys.argv[2]}", timeout=4).read().decode())
except urllib.error.HTTPError as not_ready:
    sys.exit(not_ready.read().decode())
except OSError as error:
    sys.exit(f"the API does not answer: {error}")
EOF
  ;;
*)
  echo "no such service: $1" >&2
  exit 2
  ;;
esac
