#!/usr/bin/env bash
# Installs what is missing to build, test or measure dyt. Usage: scripts/setup.sh build|check|quickstart|paper|bench|lint|fuzz
# Quick and silent when everything is there. On Debian and Ubuntu it installs with apt-get (with sudo when not root);
# elsewhere it prints what to install and stops.
set -euo pipefail

usage() { sed -n '2,4s/^# //p' "$0"; }

# Debian package -> how to tell that it is there.
have() {
  case $1 in
    gcc) command -v "${CC:-cc}" ;;
    pkg-config | clang | clang-format | gnuplot-nox | parallel) command -v "${1%-nox}" ;;
    groff-base) command -v groff ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    libopenblas-openmp-dev) pkg-config --exists openblas ;;
    libcjson-dev) pkg-config --exists libcjson ;;
    libstb-dev) pkg-config --exists stb ;;
    libjpeg-dev) pkg-config --exists libjpeg ;;
    zlib1g-dev) pkg-config --exists zlib ;;
    libxxhash-dev) pkg-config --exists libxxhash ;;
    libgsl-dev) pkg-config --exists gsl ;;
    libcmocka-dev) pkg-config --exists cmocka ;;
    librandom123-dev) echo '#include <Random123/philox.h>' | "${CC:-cc}" -E - ;;
    libclang-rt-dev) echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n > 9; }' |
      clang -x c -fsanitize=fuzzer,address - -o /dev/null ;;
    dataset-fashion-mnist) [ -e data/fashion-mnist/train-images-idx3-ubyte ] || [ -d /usr/share/datasets/fashion-mnist ] ;;
    *) false ;;
  esac >/dev/null 2>&1
}

build="gcc pkg-config libopenblas-openmp-dev libcjson-dev zlib1g-dev libxxhash-dev librandom123-dev libstb-dev libjpeg-dev libgsl-dev"
case ${1:-} in
  build) wanted=$build ;;
  check) wanted="$build libcmocka-dev gnuplot-nox groff-base parallel chromium" ;;
  quickstart) wanted="$build gnuplot-nox dataset-fashion-mnist" ;;
  paper) wanted="$build gnuplot-nox dataset-fashion-mnist" ;;
  bench) wanted="$build gnuplot-nox" ;;
  lint) wanted="$build libcmocka-dev clang clang-format" ;;
  fuzz) wanted="$build clang libclang-rt-dev" ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

missing=
for package in $wanted; do have "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

# The fuzzer's runtime carries the compiler's version in its package name.
if [[ $missing == *libclang-rt-dev* ]]; then
  version=$(clang --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p' | head -1)
  missing=${missing/libclang-rt-dev/libclang-rt-${version:-14}-dev}
fi

if ! command -v apt-get >/dev/null; then
  echo "dyt needs these packages (Debian's names), and this system has no apt-get to install them:$missing" >&2
  echo "Install what they hold (OpenBLAS with OpenMP, cJSON, zlib, xxHash, Random123, stb_image, libjpeg-turbo, GSL, cmocka) and try again." >&2
  exit 2
fi
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "As root, run: apt-get install$missing" >&2; exit 2; }
  as_root=sudo
fi
echo "installing:$missing"
# shellcheck disable=SC2086
if ! { $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null; }; then
  case $missing in
    " dataset-fashion-mnist") echo "no package dataset-fashion-mnist here: scripts/fetch_data.sh will try the public address" ;;
    *) echo "Installing failed. By hand: apt-get install$missing" >&2; exit 2 ;;
  esac
fi
