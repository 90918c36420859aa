#!/bin/bash
# Adds the keys of a snapshot that Redis lacks, each with the time it has left to live. Existing keys are not changed, so it can
# be run at any time and repeated. Redis at its start reads nothing but its append-only file, so the snapshot is loaded by a
# server in this pod, which sends its keys to Redis.
# Left out is the state of requests (`request:*`, `events:*`): it is as old as the snapshot, and would hide for a day what
# the broker and Postgres have recorded since.
set -euo pipefail
source /scripts/choose-dump.sh
dump=$(choose_dump redis rdb)
echo "restoring $dump"
PASSWORD=$(</etc/inference/credentials/redis-restore-password)
export PASSWORD
if ! REDISCLI_AUTH=$PASSWORD redis-cli -e -h redis --user restore ping >/dev/null; then
  echo "Redis is unavailable, or does not know the user restore: it reads its users when it starts, so delete its pod once" >&2
  exit 1
fi

if ! redis-check-rdb "$dump" >/tmp/check; then
  cat /tmp/check >&2
  echo "$dump is damaged, nothing was restored: name another one in DUMP" >&2
  exit 1
fi

# By the entry point of the image, as Redis itself: it loads the modules whose data a snapshot may hold.
docker-entrypoint.sh redis-server --port 0 --unixsocket /tmp/redis.sock --appendonly no --save '' --loglevel warning \
  --dir /backups --dbfilename "${dump##*/}" >/tmp/server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
local=(redis-cli -s /tmp/redis.sock)
until [[ $("${local[@]}" ping 2>/dev/null) == PONG ]]; do
  if ! kill -0 $server 2>/dev/null; then
    cat /tmp/server.log >&2
    echo "the server that should load $dump has ended" >&2
    exit 1
  fi
  sleep 0.2
done

"${local[@]}" --scan >/tmp/all
awk '!/^(request|events):/' /tmp/all >/tmp/keys
# MIGRATE without REPLACE. Through standard input, since a password must not appear in a list of processes.
awk '{
  gsub(/[\\"]/, "\\\\&")
  printf "MIGRATE redis 6379 \"%s\" 0 60000 COPY AUTH2 restore \"%s\"\n", $0, ENVIRON["PASSWORD"]
}' /tmp/keys | "${local[@]}" | sed '/^$/d' >/tmp/replies

count() { awk -v pattern="$1" '$0 ~ pattern { n++ } END { print n + 0 }' "$2"; }
# NOKEY: the key expired meanwhile.
settled='^OK$|BUSYKEY|^NOKEY$'
if [[ $(count "$settled" /tmp/replies) -ne $(count '' /tmp/keys) ]]; then
  echo "of $(count '' /tmp/keys) keys only $(count "$settled" /tmp/replies) were handed over; Redis answered:" >&2
  awk -v pattern="$settled" '$0 !~ pattern' /tmp/replies | sort | uniq -c >&2
  exit 1
fi
echo "added $(count '^OK$' /tmp/replies) of $(count '' /tmp/keys) keys, $(count BUSYKEY /tmp/replies) were there;" \
  "left out $(($(count '' /tmp/all) - $(count '' /tmp/keys))) of requests"
