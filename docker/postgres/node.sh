#!/bin/bash
# One of three PostgreSQL nodes: the one called $FIRST begins as the primary, each other as a copy of
# whoever is the primary then. A node that has data goes on with it, as what it was.
set -euo pipefail

hosts=${NODES:?the nodes, with commas between them}
name=${NODE:?the name of this one}
: "${POSTGRES_PASSWORD:?}" "${PGDATA:?}"
# Any node knows all: whichever is promoted waits for one of the others with each commit.
settings=(
    # By this name a standby is known to its primary.
    -c "cluster_name=${name//-/_}"
    -c wal_level=replica -c max_wal_senders=10 -c hot_standby=on
    -c wal_keep_size=1GB -c wal_log_hints=on
    -c synchronous_commit=on
    -c "synchronous_standby_names=ANY 1 (${hosts//-/_})"
)

if [ "$name" != "${FIRST:?}" ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    # -R notes where the primary is to be looked for from then on: among all of them.
    until PGPASSWORD=$POSTGRES_PASSWORD pg_basebackup -R -X stream -c fast -D "$PGDATA" \
        -d "host=$hosts user=replicator target_session_attrs=read-write"; do
        # What a broken copy left; nothing was there before.
        rm -rf -- "$PGDATA"
        sleep 2
    done
    chmod 0700 "$PGDATA"
fi
exec docker-entrypoint.sh postgres "${settings[@]}"
