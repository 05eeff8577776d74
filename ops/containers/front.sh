#!/bin/sh
# Runs Caddy: HTTPS before the pages and the browsers' phones.
set -eu
if [ -z "$CADDY_SITE" ]; then
  echo "HOTLINE_DOMAIN is not set: under which name do browsers come?" >&2
  exit 1
fi
exec caddy run --config /opt/hotline137/ops/Caddyfile --adapter caddyfile
