#!/bin/bash
# Asks the registry whether it is ready; the image has no HTTP client, and bash is one enough. The argument is
# the port, 8080 where there is none.
set -eu
exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r _ status _ <&3
[ "$status" = 200 ]
