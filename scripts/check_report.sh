#!/usr/bin/env bash
# Opens reports in headless Chromium, wide and as narrow as a telephone, light and dark: no error on the console, every picture in its
# place with a size, nothing wider than the window outside its own box, nothing fetched; and none of it with a hostile name in the study.
# Prints a line a check, as the test programs do. Usage: scripts/check_report.sh      DYT: the program (default build/dyt)
set -uo pipefail
cd "$(dirname "$0")/.."

stage=$PWD/build/report-check
dyt=$PWD/${DYT:-build/dyt}
rm -rf "$stage"
mkdir -p "$stage/home"
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
passed=0 failed=0
check() { # name, command...
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "[  FAILED  ] $1"; fi
}

# A study of two norms and two learning rates on synthetic data, its labels full of markup.
write_study() {
  cat >"$stage/base.json" <<'JSON'
{ "model": { "image_size": 8, "patch_size": 4, "dim": 16, "depth": 2, "heads": 2 }, "schedule": { "epochs": 2, "warmup_epochs": 0 },
  "data": { "format": "synthetic", "train_size": 200, "test_size": 60, "val_size": 60 }, "train": { "batch_size": 20, "probe_every": 5 } }
JSON
  cat >"$stage/study.json" <<'JSON'
{ "_about": "</p><script>console.error('about')</script> & <b>bold</b>", "base": "base.json", "seeds": [0, 1],
  "axes": [ { "name": "norm", "cases": [ { "label": "LN <script>console.error('label')</script>", "set": { "model.norm.kind": "layernorm" } },
                                         { "label": "DyT\"><img src=http://example.com/x.png onerror=alert(1)>", "set": { "model.norm.kind": "dyt" } } ] },
            { "name": "lr", "key": "optim.lr", "values": [0.001, 0.004] } ],
  "table": { "rows": "norm", "columns": "lr", "metric": "test_acc1" },
  "figures": [ { "kind": "bars" }, { "kind": "curves" }, { "kind": "norms" }, { "kind": "alpha_std" }, { "kind": "line", "x": "lr" },
               { "kind": "heat", "x": "lr", "y": "norm", "title": "<i>heat</i>" }, { "kind": "steps", "metric": "val_acc1", "caption": "<u>" } ] }
JSON
}
train_run() { "$dyt" train "$stage/base.json" --run-dir "$stage/run" >"$stage/train.log" 2>&1 || { cat "$stage/train.log"; false; }; }
run_study() { (cd "$stage" && "$dyt" study study.json --out study --runs runs >study.log 2>&1) || { cat "$stage/study.log"; false; }; }
run_report() { (cd "$stage" && "$dyt" report "$@" >report.log 2>&1) || { cat "$stage/report.log"; false; }; }

# What the page looks like from inside, written into a copy of it: pictures, those with a size, pixels that stick out.
probe='<script>addEventListener("load", () => {
  const svg = [...document.querySelectorAll("figure svg")], sized = svg.filter(s => { const b = s.getBoundingClientRect(); return b.width > 100 && b.height > 100; });
  const drawn = svg.filter(s => s.querySelectorAll("path, circle, use, polygon, rect").length > 5);
  document.documentElement.style.width = innerWidth > 600 ? "" : "390px";  /* a window cannot be so narrow */
  const over = document.body.scrollWidth - document.body.clientWidth;
  document.title = `svg ${svg.length} sized ${sized.length} drawn ${drawn.length} over ${over} table ${document.querySelectorAll("table").length} injected ${document.querySelectorAll("main img, main b, main i, main u").length}`;
});</script>'
open_page() { # page, width, what else for the browser...; writes dom.html and log
  HOME=$stage/home timeout 60 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --user-data-dir="$stage/profile" \
    --host-resolver-rules="MAP * ~NOTFOUND" --enable-logging=stderr --v=0 --log-net-log="$stage/net.json" --window-size="$2",1200 "${@:3}" \
    --dump-dom "file://$1" >"$stage/dom.html" 2>"$stage/browser.log"
}
title() { sed -n 's/.*<title>\(.*\)<\/title>.*/\1/p' "$stage/dom.html" | head -1; }
silent() { ! grep CONSOLE "$stage/browser.log"; }
# The browser asks its maker for things of its own, in vain. A page that asked there too would have an address in it.
fetched_nothing() { ! grep -o '"url":"[a-z]*://[^"]*' "$stage/net.json" | grep -v '"url":"\(file\|data\|chrome[a-z-]*\|devtools\):' | grep -v '[/.]\(google\|googleapis\|gstatic\|gvt1\)\.com'; }
# In tags and styles; text may hold any address.
names_nothing() { ! grep -oiE '<[a-z][^<>]* (src|href|srcset|action|data|xlink:href)=.?(https?:)?//[^ >]*|@import|url\(.?(https?:)?//' "$1"; }
is_so() { # what the title must hold
  case "$(title)" in *"$1"*) true ;; *) echo "expected $1: $(title)"; false ;; esac
}
fits() { is_so " over 0 "; }

look() { # page, pictures, width, what else for the browser...
  local n=$2
  sed "s|</head>|$(printf '%s' "$probe" | tr -d '\n' | sed 's/[&|]/\\&/g')</head>|" "$1" >"$stage/probed.html"
  open_page "$stage/probed.html" "${@:3}"
  check "$1, $3: no error on the console" silent
  check "$1, $3: $n pictures, all with a size and something in them" is_so "svg $n sized $n drawn $n "
  check "$1, $3: nothing sticks out" fits
  check "$1, $3: names are text" is_so "injected 0"
  check "$1, $3: nothing is fetched" fetched_nothing
}

check "a study" write_study
check "dyt study" run_study
check "dyt report STUDY_DIR" run_report study
check "no address in the page" names_nothing "$stage/study/report.html"
look "$stage/study/report.html" 7 1200
look "$stage/study/report.html" 7 500 --blink-settings=preferredColorScheme=0
check "dyt train" train_run
check "dyt report of a run and a study" run_report study run --out all.html
check "no address in that page" names_nothing "$stage/all.html"
look "$stage/all.html" 10 1200

echo "[  PASSED  ] $passed test(s)."
[ $failed -eq 0 ] || echo "[  FAILED  ] $failed test(s)."
[ $failed -eq 0 ]
