#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# generate.sh [FILE]: writes the bindings (src/bindings.rs) with bindgen 0.72.1, which is found as
# $BINDGEN or in the path.
# generate.sh --check: whether the committed bindings are what came out for the headers as they are
# now. The last line tells, a digest of all that goes in and of what came out; this needs no bindgen.
set -eu
cd "$(dirname "$0")"
LC_ALL=C
mark='// SHA-256 of the headers, wrapper.h, generate.sh and the lines above: '
seal() { echo "$mark$({ cat ../../../include/weir/*.h wrapper.h generate.sh; grep -v "^$mark" "$1"; } | sha256sum | cut -d' ' -f1)"; }

if [ "${1:-}" = --check ]; then
  [ "$(tail -n 1 src/bindings.rs)" = "$(seal src/bindings.rs)" ] && exit
  echo "src/bindings.rs is not of these headers: run generate.sh" >&2
  exit 1
fi
out=${1:-src/bindings.rs}
"${BINDGEN:-bindgen}" wrapper.h --output "$out" --rust-target 1.85 --rust-edition 2021 \
  --allowlist-item '(weir|WEIR)_.*' --blocklist-type 'uv_loop_s' --raw-line '// SPDX-License-Identifier: MIT' \
  --raw-line 'pub use crate::uv_loop_s;' --no-prepend-enum-name --with-derive-default \
  --merge-extern-blocks --use-core --disable-header-comment --no-recursive-allowlist --allowlist-type '(weir|WEIR)_.*|_bindgen_ty_.*' \
  -- -I../../../include -fparse-all-comments
sed -i 's/[[:space:]]*$//' "$out"
last=$(seal "$out")
echo "$last" >> "$out"
