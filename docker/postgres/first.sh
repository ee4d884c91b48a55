#!/bin/bash
# Run once, when the first node makes its data: who copies it, and the registry's database. The others
# are not there yet, so nothing here waits for them.
set -euo pipefail
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" <<'SQL'
SET synchronous_commit = local;
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
CREATE ROLE goodstanding LOGIN PASSWORD :'password';
CREATE DATABASE goodstanding OWNER goodstanding;
SQL
echo "host replication replicator samenet scram-sha-256" >>"$PGDATA/pg_hba.conf"
