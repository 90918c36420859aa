#!/bin/bash
# Takes a snapshot of all keys, as a replica would, and checks it; then removes snapshots that are too old. A snapshot that
# fails removes nothing. It holds what the append-only file holds, and Redis starts from it (`dbfilename`).
set -euo pipefail
umask 077
file=/backups/redis-$(date -u +%Y-%m-%dT%H-%M-%SZ).rdb
REDISCLI_AUTH=$(</etc/inference/credentials/redis-password)
export REDISCLI_AUTH
redis-cli -h redis --user backup --rdb "$file.part"
redis-check-rdb "$file.part" >/dev/null
mv "$file.part" "$file"
echo "$file: $(stat --format=%s "$file") bytes"
find /backups -maxdepth 1 -name 'redis-*' -mtime "+$RETENTION_DAYS" -print -delete
