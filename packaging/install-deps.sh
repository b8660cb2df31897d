#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install-deps.sh GROUP…: installs what is missing of these groups of packaging/debian-packages.
# Says nothing and asks the network for nothing where all of it is there.
set -eu

list=$(dirname "$0")/debian-packages

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This is no Debian: what Woolly needs is in $list. Going on with what is here." >&2
  exit 0
fi

wanted=''
for group in "$@"; do
  wanted="$wanted $(sed -n "s/^$group  *\([^ ]*\).*/\1/p" "$list")"
done

missing=''
for package in $wanted; do
  case $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null || true) in
    *installed*) ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
  as_root=''
elif command -v sudo >/dev/null; then
  as_root='sudo'
else
  echo "These packages are missing, and neither root nor sudo is here to install them:$missing" >&2
  echo "As root: apt-get install$missing" >&2
  exit 1
fi

apt () {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

echo "Installing:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# An update that fails (a mirror among several is down) does no harm where the install works all the same.
apt update >"$log" 2>&1 || true
# shellcheck disable=SC2086 # a list of words
if ! apt install --no-install-recommends $missing >>"$log" 2>&1; then
  cat "$log" >&2
  echo "Could not install:$missing" >&2
  exit 1
fi
