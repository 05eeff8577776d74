#!/bin/sh
# Prepares the state folder of another node in the same volume: its own are Asterisk's configuration and what runs there
# (docs/operate/nodes.md); all else is one with the first node's.
set -eu
umask 077
first=/var/lib/hotline137
mkdir -p "$HOTLINE_STATE_DIR"
for each in city messages pictures prompts recordings replies uploads voices; do
  mkdir -p "$first/$each"
done
for each in secret city messages pictures prompts recordings replies uploads voices; do
  ln -sfn "$first/$each" "$HOTLINE_STATE_DIR/$each"
done
exec hotline137 prepare
