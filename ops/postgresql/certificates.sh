#!/bin/sh
# certificates.sh FOLDER MACHINE[,NAME_OR_ADDRESS…]…: a CA of the city's own in FOLDER/ca, and for each machine its key and a
# certificate for all its names, in FOLDER/MACHINE. What is there is left as it is. Good for ten years.
# FOLDER is for one safe place: whoever has ca/ca.key can make a server (docs/operate/postgresql.md).
set -euf
umask 077
[ $# -ge 2 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
folder=$1
shift

# certificate KEY CERTIFICATE SUBJECT OPTION…
certificate() {
  key=$1 certificate=$2 subject=$3
  shift 3
  said=$(openssl req -x509 -config /dev/null -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$key" -out "$certificate" -subj "/CN=$subject" "$@" 2>&1) || { echo "$said" >&2; exit 1; }
}

# Whole or not at all: made beside its place, then moved there.
new=$folder/.new
rm -rf "$new"
mkdir -p "$new"
if [ ! -e "$folder/ca" ]; then
  certificate "$new/ca.key" "$new/ca.crt" "Hotline 137 $(date +%F)" \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign,cRLSign
  mv "$new" "$folder/ca"
fi
for names; do
  machine=${names%%,*}
  case $machine in '' | ca | .* | */*) echo "no name of a machine: $names" >&2; exit 2 ;; esac
  if [ -e "$folder/$machine" ]; then
    echo "left as it is: $folder/$machine" >&2
    continue
  fi
  alternatives=DNS:localhost,IP:127.0.0.1
  for name in $(echo "$names" | tr , ' '); do
    case $name in
    *:*) alternatives=$alternatives,IP:$name ;;
    *[!0-9.]*) alternatives=$alternatives,DNS:$name ;;
    *) alternatives=$alternatives,IP:$name ;;
    esac
  done
  rm -rf "$new"
  mkdir "$new"
  certificate "$new/machine.key" "$new/machine.crt" "$machine" -CA "$folder/ca/ca.crt" -CAkey "$folder/ca/ca.key" \
    -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature \
    -addext extendedKeyUsage=serverAuth,clientAuth -addext "subjectAltName=$alternatives"
  cp "$folder/ca/ca.crt" "$new"
  mv "$new" "$folder/$machine"
  echo "$folder/$machine"
done
rm -rf "$new"
