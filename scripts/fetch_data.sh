#!/usr/bin/env bash
# Fetches a data set and leaves its files, unpacked, in a folder. See --help and data/README.md.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/fetch_data.sh fashion-mnist|mnist|cifar10|cifar100 [--from FILE_OR_FOLDER] [--to FOLDER]

Leaves the files of the data set, unpacked and with verified checksums, in FOLDER (default: data/NAME of this repository).
fashion-mnist, mnist: four IDX files, taken from the first of
  1. FOLDER itself, if they are already there
  2. --from: a folder, or a .zip, .tar, .tar.gz, .tgz or .tar.xz, that holds them (each .gz or not)
  3. /usr/share/datasets/NAME, where Debian's package dataset-fashion-mnist puts them
  4. the public addresses (needs curl or wget)
cifar10, cifar100: the files of the published archive (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz), taken from the first of
  1. FOLDER itself
  2. --from: that archive, or a folder that holds it
  3. the public address
With --from nothing else is tried. Exit codes: 0 done, 1 the data could not be had, 2 wrong usage.
TEXT
}

say() { printf 'fetch_data: %s\n' "$*" >&2; }
die() { say "$1"; exit "${2:-1}"; }
usage_error() { die "$1 (--help explains)" 2; }

FILES=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
ARCHIVE=''

# Either MD5 of the unpacked files, in the order of FILES (the same bytes are found compressed in more than one way), or
# ARCHIVE, its MD5, and the folder in it that holds FILES: their own sums are then written beside them, in MD5SUMS.
choose() {
  case $1 in
    fashion-mnist)
      SUMS=(f4a8712d7a061bf5bd6d2ca38dc4d50a 9018921c3c673c538a1fc5bad174d6f9
            8181f5470baa50b63fa0f6fddb340f0a 15d484375f8d13e6eb1aabb0c3f46965)
      ADDRESSES=(http://fashion-mnist.s3-website.eu-central-1.amazonaws.com) ;;
    mnist)
      SUMS=(6bbc9ace898e44ae57da46a324031adb a25bea736e30d166cdddb491f175f624
            2646ac647ad5339dbf082846283269ea 27ae3e4e09519cfbb04c329615203637)
      ADDRESSES=(https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist) ;;
    cifar10)
      FILES=(data_batch_{1..5}.bin test_batch.bin batches.meta.txt)
      ARCHIVE=cifar-10-binary.tar.gz ARCHIVE_SUM=c32a1d4ab5d03f1284b67883e8d87530 INSIDE=cifar-10-batches-bin
      ADDRESSES=(https://www.cs.toronto.edu/~kriz) ;;
    cifar100)
      FILES=(train.bin test.bin coarse_label_names.txt fine_label_names.txt)
      ARCHIVE=cifar-100-binary.tar.gz ARCHIVE_SUM=03b5dce01913d631647c71ecec9e9cb8 INSIDE=cifar-100-binary
      ADDRESSES=(https://www.cs.toronto.edu/~kriz) ;;
    *) usage_error "unknown data set '$1': expected fashion-mnist, mnist, cifar10 or cifar100" ;;
  esac
}

md5_of() {
  if command -v md5sum >/dev/null; then md5sum <"$1" | cut -d' ' -f1
  elif command -v md5 >/dev/null; then md5 -q "$1"
  else openssl md5 -r <"$1" | cut -d' ' -f1
  fi
}

# Sets SUMS from the MD5SUMS of folder $1; fails if that is not there or lacks a file.
read_sums() {
  local file sum
  SUMS=()
  for file in "${FILES[@]}"; do
    sum=$(sed -n "s/^\([0-9a-f]\{32\}\)  $file\$/\1/p" "$1/MD5SUMS" 2>/dev/null) && [[ -n $sum ]] || return 1
    SUMS+=("$sum")
  done
}

# complete FOLDER: all files are there and right.
complete() {
  local i
  [[ -z $ARCHIVE ]] || read_sums "$1" || return 1
  for i in "${!FILES[@]}"; do
    [[ -f $1/${FILES[i]} && $(md5_of "$1/${FILES[i]}") == "${SUMS[i]}" ]] || return 1
  done
}

# Unpacks or copies file number $2, found as $1, into the work folder; checks it.
take() {
  local to=$WORK/ready/${FILES[$2]} sum
  if [[ $(head -c 2 "$1" | od -An -tx1 | tr -d ' \n') == 1f8b ]]; then
    gzip -dc <"$1" >"$to" || die "$1: damaged or cut short"
  else
    cp "$1" "$to"
  fi
  sum=$(md5_of "$to")
  [[ $sum == "${SUMS[$2]}" ]] ||
    die "$1: unpacked it has MD5 $sum, expected ${SUMS[$2]}: this is not ${FILES[$2]} of $NAME, or it is damaged"
}

# Finds file $2 (plain or .gz) anywhere below folder $1.
find_below() {
  find -L "$1" -type f \( -name "$2" -o -name "$2.gz" \) -print -quit
}

# Unpacks the published archive, found as $1, into the work folder; checks it.
take_archive() {
  local sum file
  sum=$(md5_of "$1")
  [[ $sum == "$ARCHIVE_SUM" ]] ||
    die "$1: has MD5 $sum, expected $ARCHIVE_SUM: this is not $ARCHIVE, or it is damaged"
  mkdir -p "$WORK/archive"
  tar -xzf "$1" -C "$WORK/archive" || die "$1: cannot be unpacked"
  for file in "${FILES[@]}"; do
    mv "$WORK/archive/$INSIDE/$file" "$WORK/ready/" || die "$1: holds no $INSIDE/$file"
    printf '%s  %s\n' "$(md5_of "$WORK/ready/$file")" "$file" >>"$WORK/ready/MD5SUMS"
  done
}

take_folder() {
  local i found
  if [[ -n $ARCHIVE ]]; then
    found=$(find -L "$1" -type f -name "$ARCHIVE" -print -quit)
    [[ -n $found ]] || die "$2: holds no $ARCHIVE"
    take_archive "$found"
    return
  fi
  for i in "${!FILES[@]}"; do
    found=$(find_below "$1" "${FILES[i]}")
    [[ -n $found ]] || die "$2: holds no ${FILES[i]} (or ${FILES[i]}.gz)"
    take "$found" "$i"
  done
}

take_given() {
  local from=$1
  [[ -e $from ]] || die "$from: no such file or folder"
  if [[ -d $from ]]; then take_folder "$from" "$from"; return; fi
  if [[ -n $ARCHIVE ]]; then take_archive "$from"; return; fi
  mkdir "$WORK/archive"
  case $from in
    *.zip)
      command -v unzip >/dev/null || die "$from: unzip is needed to open it"
      unzip -q "$from" -d "$WORK/archive" || die "$from: cannot be unpacked" ;;
    *.tar | *.tar.gz | *.tgz | *.tar.xz) tar -xf "$from" -C "$WORK/archive" || die "$from: cannot be unpacked" ;;
    *) die "$from: expected a folder, or an archive that ends in .zip, .tar, .tar.gz, .tgz or .tar.xz" ;;
  esac
  take_folder "$WORK/archive" "$from"
}

download() {
  if command -v curl >/dev/null; then curl -fsSL --connect-timeout 10 --retry 2 -o "$2" "$1"
  elif command -v wget >/dev/null; then wget -q --connect-timeout=10 --tries=2 -O "$2" "$1"
  else say "neither curl nor wget is installed"; return 1
  fi
}

# Downloads all files from address $1; fails if any cannot be had or is not what it should be.
take_address() {
  local i
  if [[ -n $ARCHIVE ]]; then
    download "$1/$ARCHIVE" "$WORK/part.gz" && (take_archive "$WORK/part.gz")
    return
  fi
  for i in "${!FILES[@]}"; do
    download "$1/${FILES[i]}.gz" "$WORK/part.gz" || return 1
    (take "$WORK/part.gz" "$i") || return 1
  done
}

take_public() {
  local address
  for address in "${ADDRESSES[@]}"; do
    say "fetching $NAME from $address"
    if take_address "$address"; then return; fi
    say "$address: could not be fetched"
  done
  say "$NAME could not be fetched. What to do instead:"
  if [[ $NAME == fashion-mnist ]]; then
    say '  apt-get install dataset-fashion-mnist      and run this script again'
  fi
  say "  scripts/fetch_data.sh $NAME --from FILE_OR_FOLDER      with files fetched on another machine"
  say '  "data": {"format": "synthetic"} in the config          needs no data'
  exit 1
}

NAME='' FROM='' TO=''
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --from | --to)
      [[ -n ${2:-} ]] || usage_error "$1: a value is missing"
      if [[ $1 == --from ]]; then FROM=$2; else TO=$2; fi
      shift ;;
    -*) usage_error "unknown option '$1'" ;;
    *) [[ -z $NAME ]] || usage_error "'$1': one data set at a time"; NAME=$1 ;;
  esac
  shift
done
[[ -n $NAME ]] || { usage >&2; exit 2; }
choose "$NAME"
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TO=${TO:-$ROOT/data/$NAME}
PACKAGE=/usr/share/datasets/$NAME

if complete "$TO"; then
  say "$NAME is already in $TO (checksums verified)"
  exit 0
fi
[[ ! -e $TO || -d $TO ]] || die "$TO: is in the way: expected a folder or nothing"

# All work is done beside the goal, so that the last step is a rename.
mkdir -p "$(dirname "$TO")"
WORK=$(mktemp -d "$(dirname "$TO")/.fetch-XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$WORK/ready"

if [[ -n $FROM ]]; then take_given "$FROM"
elif [[ -d $PACKAGE ]]; then take_folder "$PACKAGE" "$PACKAGE"
else take_public
fi

if [[ -d $TO ]]; then mv -f "$WORK"/ready/* "$TO"/; else mv "$WORK/ready" "$TO"; fi
say "$NAME: ${#FILES[@]} files in $TO (checksums verified)"
