#!/bin/bash
# Dumps the database, reads the dump back, then removes dumps that are too old. A dump that fails removes nothing.
set -euo pipefail
umask 077
file=/backups/postgres-$(date -u +%Y-%m-%dT%H-%M-%SZ).dump
PGPASSWORD=$(</etc/inference/credentials/postgres-password)
export PGPASSWORD
pg_dump --host=postgres --username=backup --dbname=inference --format=custom --file="$file.part"
pg_restore --list "$file.part" >/dev/null
mv "$file.part" "$file"
echo "$file: $(stat --format=%s "$file") bytes"
find /backups -maxdepth 1 -name 'postgres-*' -mtime "+$RETENTION_DAYS" -print -delete
