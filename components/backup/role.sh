#!/bin/bash
# Creates the role `backup`, which may read every table and change none.
set -euo pipefail
PGPASSWORD=$(</etc/inference/admin/admin-password)
export PGPASSWORD
psql --host=postgres --username=postgres --dbname=inference --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
  --set=password="$(</etc/inference/credentials/postgres-password)" <<'SQL'
set client_min_messages = warning;
select 'create role backup' where not exists (select from pg_roles where rolname = 'backup') \gexec
alter role backup with login password :'password';
grant pg_read_all_data to backup;
SQL
echo 'role backup is ready'
