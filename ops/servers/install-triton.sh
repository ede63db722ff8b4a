#!/usr/bin/env bash
# Installs NVIDIA's Triton, a real server of the Open Inference Protocol, to test against, from the package nvidia-pytriton, which carries
# the tritonserver binary and its python backend. Once: what is there is left alone. Prints the path of a script that starts it; no GPU
# is needed.
#   install-triton.sh
# Needed: Linux on x86-64 with glibc 2.35 or later, Python 3.10 to 3.12 with pip and its shared library; 70 MB to fetch, 250 MB.
# Environment: MILLRACE_HOME (where it is kept, default ~/.cache/millrace), PYTHON (default python3).
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  printf 'install-triton: %s\n' "$1" >&2
  exit 69 # EX_UNAVAILABLE
}

version=$(sed -n 's/^nvidia-pytriton==\([0-9.]*\).*/\1/p' "$here/requirements-triton.txt")
folder=${MILLRACE_HOME:-$HOME/.cache/millrace}/triton/$version
server=$folder/tritonserver
if [ -x "$server" ]; then
  printf '%s\n' "$server"
  exit
fi

python=${PYTHON:-python3}
[ "$(uname -sm)" = "Linux x86_64" ] || fail "system=$(uname -sm), expected=Linux x86_64"
command -v "$python" >/dev/null || fail "no $python on the PATH, expected=Python 3.10 to 3.12 (PYTHON names another)"
minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
case $minor in
3.10 | 3.11 | 3.12) ;;
*) fail "$python is Python $minor, expected=3.10 to 3.12 (PYTHON names another)" ;;
esac
"$python" -m pip --version >/dev/null 2>&1 || fail "no pip for $python, expected=pip (on Debian: python3-pip)"

mkdir -p "$folder"
exec 9>"$folder/lock" # two that are started together install once
flock 9
if [ ! -x "$server" ]; then
  packages=$folder/packages
  rm -rf "$packages"
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary :all: --require-hashes \
    -r "$here/requirements-triton.txt" --target "$packages" >&2 || fail "pip could not install requirements-triton.txt: its words are above"
  triton=$packages/pytriton/tritonserver
  backend=$triton/backends/python
  cp "$triton/python_backend_stubs/$minor/triton_python_backend_stub" "$backend/"
  # the backend hears of no PYTHONPATH: its own folder is what it looks at
  ln -s ../../../../numpy ../../../../numpy.libs "$backend/"
  libraries=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
  cat >"$server.new" <<END
#!/bin/sh
export LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+\$LD_LIBRARY_PATH:}$libraries"
exec "$triton/bin/tritonserver" --backend-directory "$triton/backends" "\$@"
END
  chmod +x "$server.new"
  missing=$(LD_LIBRARY_PATH=$libraries ldd "$triton/bin/tritonserver" "$backend/triton_python_backend_stub" 2>&1 | grep "not found" || true)
  [ -z "$missing" ] || fail "libraries that are missing:
$missing
expected=all of them (libpython$minor.so.1.0 is in libpython$minor on Debian; a version of GLIBC needs a newer system)"
  mv "$server.new" "$server"
fi
printf '%s\n' "$server"
