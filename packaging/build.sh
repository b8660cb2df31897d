# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Sourced by ./demo and ./check: woolly_build FOLDER MESON_OPTION… configures where needed, and builds all of it, or what
# the tests of $woolly_suite need.

# Debian's own come first: a meson or python3 of the user's may lack what Debian's packages bring.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
export PATH
LC_ALL=C.UTF-8
export LC_ALL

# Runs a command in silence; shows what it said where it fails.
woolly_quietly ()
{
  woolly_log=$1
  shift
  "$@" >"$woolly_log" 2>&1 </dev/null && return 0
  cat "$woolly_log" >&2
  return 1
}

woolly_build ()
{
  woolly_folder=$1
  shift
  mkdir -p "$woolly_folder"
  if [ ! -f "$woolly_folder/build.ninja" ]; then
    # A set-up that was broken off leaves nothing that could be used.
    rm -rf "$woolly_folder/meson-private" "$woolly_folder/meson-info"
    echo "Configuring $woolly_folder" >&2
    woolly_quietly "$woolly_folder/configure.log" meson setup --prefix "$woolly_folder/prefix" "$@" "$woolly_folder" || return 1
  fi
  echo "Building $woolly_folder" >&2
  woolly_targets=''
  if [ -n "${woolly_suite:-}" ]; then
    woolly_targets=$(/usr/bin/python3 tests/targets.py "$woolly_folder" "$woolly_suite") || return 1
  fi
  # shellcheck disable=SC2086 # a list of words
  woolly_quietly "$woolly_folder/compile.log" ninja --quiet -C "$woolly_folder" $woolly_targets || return 1
  # Not the words of a configuration that ninja repeats, but warnings.
  grep -A8 'warning:' "$woolly_folder/compile.log" >&2 || true
}
