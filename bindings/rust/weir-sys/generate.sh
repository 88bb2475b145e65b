#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# generate.sh [FILE]: writes the bindings (src/bindings.rs) with bindgen 0.72.1, which is found as
# $BINDGEN or in the path. A test compares the result with what is committed.
set -eu
cd "$(dirname "$0")"
out=${1:-src/bindings.rs}
"${BINDGEN:-bindgen}" wrapper.h --output "$out" --rust-target 1.85 --rust-edition 2021 \
  --allowlist-item '(weir|WEIR)_.*' --blocklist-type 'uv_loop_s' --raw-line '// SPDX-License-Identifier: MIT' \
  --raw-line 'pub use crate::uv_loop_s;' --no-prepend-enum-name --with-derive-default \
  --merge-extern-blocks --use-core --disable-header-comment --no-recursive-allowlist --allowlist-type '(weir|WEIR)_.*|_bindgen_ty_.*' \
  -- -I../../../include -fparse-all-comments
sed -i 's/[[:space:]]*$//' "$out"
