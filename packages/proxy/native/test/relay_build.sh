#!/bin/sh
# Builds the relay's test programs, without Node:  relay_build.sh OUT [-fsanitize=…]
set -eu
cd "$(dirname "$0")/.."
out=$1
shift
flags="-std=c++17 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -Wconversion -Wshadow -pthread $*"
mkdir -p "$out"
sources="$(sed -n "s/.*'\(core\/.*\.cc\)'.*/\1/p" sources.gypi) test/relay_kit.cc test/relay_cases.cc test/relay_churn.cc"
# shellcheck disable=SC2016,SC2086
printf '%s\n' $sources | xargs -P 2 -I{} sh -c '"${CXX:-c++}" '"$flags"' -c "$1" -o "$2/$(basename "$1" .cc).o"' _ {} "$out"
core="$(printf '%s\n' $sources | sed -n "s|^core/\(.*\)\.cc$|$out/\1.o|p") $out/relay_kit.o"
for program in relay_cases relay_churn; do
  # shellcheck disable=SC2086
  "${CXX:-c++}" $flags $core "$out/$program.o" -o "$out/$program"
done
