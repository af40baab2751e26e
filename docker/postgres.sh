#!/bin/sh
# Serves the database POSTGRES_DB of POSTGRES_USER, made at the first start, as the official image.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    umask 077
    printf %s "$POSTGRES_PASSWORD" > /tmp/password
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile /tmp/password \
        --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
    rm /tmp/password
fi
grep -q '^host all all all' "$PGDATA/pg_hba.conf" \
    || echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
# Refused where it exists already.
echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -D "$PGDATA" postgres > /dev/null
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp
