#!/usr/bin/env bash
# Installs KServe's Python model server, a real server of the Open Inference Protocol, to test against, into a virtual environment. Once:
# what is there is left alone. Prints the path of the environment's Python.
#   install-kserve.sh
# Needed: Python 3.11 or 3.12 with venv; 120 MB to fetch, 450 MB.
# Environment: MILLRACE_HOME (where it is kept, default ~/.cache/millrace), PYTHON (default python3).
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  printf 'install-kserve: %s\n' "$1" >&2
  exit 69 # EX_UNAVAILABLE
}

version=$(sed -n 's/^kserve==\([0-9.]*\).*/\1/p' "$here/requirements-kserve.txt")
folder=${MILLRACE_HOME:-$HOME/.cache/millrace}/kserve/$version
if [ -e "$folder/installed" ]; then
  printf '%s\n' "$folder/venv/bin/python"
  exit
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "no $python on the PATH, expected=Python 3.11 or 3.12 (PYTHON names another)"
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $minor in
3.11 | 3.12) ;;
*) fail "$python is Python $minor, expected=3.11 or 3.12 (PYTHON names another)" ;;
esac

mkdir -p "$folder"
exec 9>"$folder/lock" # two that are started together install once
flock 9
if [ ! -e "$folder/installed" ]; then
  rm -rf "$folder/venv"
  {
    "$python" -m venv "$folder/venv" || fail "no virtual environment, expected=venv for $python (on Debian: python3-venv)"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: -r "$here/requirements-kserve.txt" ||
      fail "pip could not install requirements-kserve.txt: its words are above"
    "$folder/venv/bin/python" -c 'import kserve' || fail "kserve cannot be imported: Python's words are above"
  } >&2
  touch "$folder/installed"
fi
printf '%s\n' "$folder/venv/bin/python"
