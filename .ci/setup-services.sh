#!/usr/bin/env bash
# Installs, on Debian or Ubuntu, the servers and tools that part of the test suites need.
# Installs only what is missing, starts nothing, and keeps Debian from starting anything:
# every test starts its own server, on a free port, in its own folder.
set -euo pipefail

# command=package
wanted=(
  redis-server=redis-server
  nats-server=nats-server
  haproxy=haproxy
  nginx=nginx
  chromium=chromium
  ip=iproute2
  iptables=iptables
  faketime=faketime
  keepalived=keepalived
  openssl=openssl
  python3=python3
  obs=obs-studio
  Xvfb=xvfb
  gcc=build-essential
  systemd-analyze=systemd
  systemd-notify=systemd
)

# Debian keeps some of these where an ordinary user's PATH does not look.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing=()
for pair in "${wanted[@]}"; do
  command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
done

# Of the package prometheus only this one program is wanted, without the server and the fonts that come with it.
has_promtool=true
command -v promtool >/dev/null || has_promtool=false

if [ ${#missing[@]} -eq 0 ] && $has_promtool; then
  echo "setup:services: everything is installed already"
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  $has_promtool || missing+=(promtool)
  echo "setup:services: no apt-get here; install these yourself: ${missing[*]}" >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    $has_promtool || missing+=(promtool)
    echo "setup:services: needs root (or sudo) to install: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

"${as_root[@]}" apt-get update -qq

if ! $has_promtool; then
  echo "setup:services: installing promtool"
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download -qq prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool)
  "${as_root[@]}" install -m 755 "$folder/usr/bin/promtool" /usr/local/bin/promtool
  rm -rf "$folder"
fi

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

# While this file answers 101, package scripts may not start services. A policy that was there stays untouched.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
elif [ ! -x "$policy" ] || "$policy" redis-server start >/dev/null 2>&1; then
  echo "setup:services: $policy allows services to start; they may run after this" >&2
fi

echo "setup:services: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
echo "setup:services: installed ${missing[*]}"
