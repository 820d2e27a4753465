#!/bin/sh
# Installs the Debian packages named, if they are missing and this person may; says what to do otherwise.
set -eu
missing=""
for package in "$@"; do
  case "$package" in
    chromium) command -v chromium >/dev/null 2>&1 || missing="$missing chromium" ;;
    *) dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q >/dev/null
  # shellcheck disable=SC2086
  apt-get install -q -y --no-install-recommends $missing >/dev/null
else
  echo "Missing Debian packages:$missing. As root: apt-get install$missing" >&2
  case "$missing" in *venv*) exit 1 ;; esac
fi
