#!/bin/bash
# Adds the rows of a dump that the database lacks: all of them, or none if anything fails. Existing rows are not changed, so it
# can be run at any time and repeated. Tables, roles and grants are not restored: they come from Git, by the Job `migrate`.
set -euo pipefail
source /scripts/choose-dump.sh
dump=$(choose_dump postgres dump)
echo "restoring $dump"
PGPASSWORD=$(</etc/inference/admin/admin-password)
export PGPASSWORD
sql=(psql --host=postgres --username=postgres --dbname=inference --no-psqlrc --quiet --tuples-only --no-align
  --set=ON_ERROR_STOP=1)

# Reads all of it: a damaged dump fails here, before the database is touched.
pg_restore --file=/dev/null "$dump"
tables=$(pg_restore --list "$dump" | awk '$4 " " $5 == "TABLE DATA" && $7 != "schema_migrations" { print $7 }')
if [[ -z $tables ]]; then
  echo "$dump holds no table; expected results: name an older dump in DUMP" >&2
  exit 1
fi
for table in $tables; do
  found=$("${sql[@]}" --command="select to_regclass('public.$table')")
  if [[ -z $found ]]; then
    echo "the database has no table $table; sync the environment first, so that the Job migrate creates it" >&2
    exit 1
  fi
done

statements() {
  echo 'begin;'
  for table in $tables; do
    echo "create temporary table dumped_$table (like public.$table including defaults) on commit drop;"
    # The first COPY is the statement; a line like it further down is data.
    pg_restore --data-only --table="$table" --file=- "$dump" |
      sed "0,/^COPY public\.$table (/s//COPY pg_temp.dumped_$table (/"
    echo "with added as (insert into public.$table select * from pg_temp.dumped_$table on conflict do nothing returning 1)
      select '$table: added ' || (select count(*) from added) || ' of the ' || count(*) || ' rows in the dump'
      from pg_temp.dumped_$table;"
  done
  # Reached only if pg_restore printed everything; otherwise the end of the input rolls back.
  echo 'commit;'
}
# psql prints an empty line for a setting.
statements | "${sql[@]}" | sed '/^$/d'
