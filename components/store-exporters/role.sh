#!/bin/bash
# Creates the role `exporter`, which may read the statistics of the server and no table.
set -euo pipefail
PGPASSWORD=$(</etc/inference/admin/admin-password)
export PGPASSWORD
psql --host=postgres --username=postgres --dbname=inference --no-psqlrc --quiet --set=ON_ERROR_STOP=1 \
  --set=password="$(</etc/inference/credentials/postgres-password)" <<'SQL'
set client_min_messages = warning;
select 'create role exporter' where not exists (select from pg_roles where rolname = 'exporter') \gexec
alter role exporter with login password :'password';
grant pg_monitor to exporter;
SQL
echo 'role exporter is ready'
