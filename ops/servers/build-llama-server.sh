#!/usr/bin/env bash
# Builds llama.cpp's HTTP server, a real OpenAI-compatible server to test and measure against, from the source package of
# llama-cpp-python, which carries llama.cpp. Once: what is built already is left alone. Prints the server's path.
#   build-llama-server.sh
# Needed: pip, cmake, a C++ compiler; 6 minutes on two cores, half an hour on busy ones, 1 GB while it builds.
# Environment: MILLRACE_HOME (where it is kept, default ~/.cache/millrace), JOBS (compilers at a time, default one a core).
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

version=$(sed -n 's/^llama-cpp-python==\([0-9.]*\).*/\1/p' "$here/requirements.txt")
folder=${MILLRACE_HOME:-$HOME/.cache/millrace}/llama-server/$version
server=$folder/llama-server
if [ -x "$server" ]; then
  printf '%s\n' "$server"
  exit
fi

for tool in pip cmake c++; do
  if ! command -v "$tool" >/dev/null; then
    printf 'build-llama-server: no %s on the PATH, expected=pip, cmake and a C++ compiler (on Debian: python3-pip cmake g++)\n' "$tool" >&2
    exit 69 # EX_UNAVAILABLE
  fi
done

# Machines are known whose processors say that they have AMX and that trap when its tiles are configured.
flags=""
for flag in -mno-amx-tile -mno-amx-int8 -mno-amx-bf16; do
  ! c++ $flag -E -x c++ /dev/null >/dev/null 2>&1 || flags="$flags $flag"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
exec 9>"$folder/lock" # two that are started together build once
flock 9
if [ ! -x "$server" ]; then
  {
    pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes \
      -r "$here/requirements.txt" --dest "$work"
    tar -xzf "$work"/llama_cpp_python-*.tar.gz -C "$work" --strip-components=1 --wildcards '*/vendor/llama.cpp'
    cmake -S "$work/vendor/llama.cpp" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
      -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF \
      -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=ON \
      -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags"
    cmake --build "$work/build" --target llama-server --parallel "${JOBS:-$(nproc)}"
  } >&2
  cp "$work/build/bin/llama-server" "$folder/llama-server.new"
  mv "$folder/llama-server.new" "$server"
fi
printf '%s\n' "$server"
