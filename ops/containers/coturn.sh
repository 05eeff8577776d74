#!/bin/sh
# Runs coturn, which relays the sound of desks' phones to Asterisk, and to nobody else: whoever has an account
# reaches neither the database nor the city's network through it.
set -eu
umask 077
peer() { getent ahostsv4 asterisk | { read -r address _ && echo "$address"; }; }

asterisk=$(peer)
own=$(hostname -i)
cat > /tmp/turnserver.conf <<EOF
listening-ip=$own
listening-port=3478
relay-ip=$own
realm=hotline137
fingerprint
use-auth-secret
static-auth-secret=$(cat /run/turn-key/secret)
denied-peer-ip=0.0.0.0-255.255.255.255
denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
allowed-peer-ip=$asterisk
no-tcp-relay
no-multicast-peers
no-tls
no-dtls
no-cli
no-rfc5780
stale-nonce=600
user-quota=20
total-quota=1000
max-bps=50000
userdb=/tmp/turndb
pidfile=/tmp/turnserver.pid
log-file=stdout
simple-log
EOF

# Where Asterisk's container comes back with another address this one ends, and the engine starts it anew.
(
  while sleep 15; do
    now=$(peer || true)
    [ -z "$now" ] || [ "$now" = "$asterisk" ] || kill -TERM $$
  done
) &
exec turnserver -c /tmp/turnserver.conf
