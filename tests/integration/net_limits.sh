#!/bin/bash
# docs/net.md says the limits that the headers have: each row's value is the header's, and each limit
# of the network's headers that ends in _MAX or _REKEY has a row.
set -euo pipefail
cd "${ML_SOURCE:?}"
headers=(net/link/*.h net/client/rpc_frame.h core/codec/rpc_limits.h include/maille/client.h)
bad=0
rows=0
while IFS='|' read -r _ name value _ test _; do
    name=$(tr -d ' `' <<< "$name")
    # shellcheck disable=SC2016 # backquotes of Markdown
    value=$(sed 's/^ *`//; s/` *$//' <<< "$value")
    test=$(tr -d ' ' <<< "$test")
    have=$(sed -nE "s/^#define $name +(\([^)]*\)|[^ ]+).*/\1/p" "${headers[@]}" | head -n 1)
    if [ "$have" != "$value" ]; then
        echo "docs/net.md: $name is $value, the header says ${have:-nothing}" >&2
        bad=1
    fi
    if [ -n "$test" ] && ! grep -rqw "$test" tests/unit; then
        echo "docs/net.md: no test is called $test" >&2
        bad=1
    fi
    rows=$((rows + 1))
done < <(grep '^| `ML_' docs/net.md)
# shellcheck disable=SC2013 # one name a line
for name in $(sed -nE 's/^#define (ML_(LINK|LINKS|RPC|FRAME|DIAL|HANDSHAKE|IDENTITIES|MAILBOX|CLIENT|TREE)_[A-Z_]*(MAX|REKEY)) .*/\1/p' "${headers[@]}" | sort -u); do
    if ! grep -q "^| \`$name\`" docs/net.md; then
        echo "docs/net.md: $name has no row" >&2
        bad=1
    fi
done
[ "$rows" -ge 15 ]
exit $bad
