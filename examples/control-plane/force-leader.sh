#!/bin/sh
# Puts an engine on air, from a shell: force-leader.sh http://127.0.0.1:7402 "router maintenance"
# The secret comes from CONTROL_PLANE_SECRET and goes to curl by its standard input: what stands on a command line can be
# read by every process of the host.
set -eu

url=${1:?address of the engine that shall lead}
reason=$(printf '%s' "${2:-by hand}" | sed 's/[\\"]/\\&/g') # it goes into JSON
: "${CONTROL_PLANE_SECRET:?set it to the secret of the engine}"

# One id for all tries: an answer that got lost on its way is given again, and the role moves once.
request_id="req_$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')"
body=$(printf '{"mode": "graceful", "reason": "%s", "requestId": "%s"}' "$reason" "$request_id")

printf 'X-Control-Plane-Secret: %s\n' "$CONTROL_PLANE_SECRET" |
  curl --silent --show-error --fail-with-body --max-time 10 \
    --header @- --header 'Content-Type: application/json' --data "$body" "$url/api/peer/force-leader"
echo
