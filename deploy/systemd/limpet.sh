#!/bin/sh
# /usr/local/bin/limpet: the program that the service runs, for the terminal.
exec /usr/bin/node /opt/limpet/packages/cli/dist/bin.js "$@"
