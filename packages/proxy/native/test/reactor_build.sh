#!/bin/sh
# Builds the reactor's test program, without Node:  reactor_build.sh OUT [-fsanitize=…]
set -eu
cd "$(dirname "$0")/.."
out=$1
shift
mkdir -p "$out"
"${CXX:-c++}" -std=c++17 -O1 -g -fno-omit-frame-pointer -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow "$@" \
  core/address.cc core/listening.cc core/reactor.cc core/serving.cc core/socket_ops.cc core/streams.cc \
  test/reactor_churn.cc test/reactor_churn_acts.cc test/reactor_churn_kit.cc -o "$out/reactor_churn"
