#!/bin/sh
# ctime.sh BUILD: fails when a secret decides a branch or an address in core/crypto, or when a secret
# is compared elsewhere by another function than the one that valgrind sees here. Needs valgrind and a
# build without sanitizers. First proves that it can fail.
set -u
program=${1:?usage: ctime.sh BUILD}/tests/test_ctime
suppressions=$(dirname "$0")/ctime.supp
run() {
    valgrind -q --error-exitcode=9 --suppressions="$suppressions" "$program" "$@"
}
source=$(dirname "$0")/../..
# Who compares a secret, or what proves that somebody has one: passphrase and recovery words (the
# check under the slot's key), shares, a card's secret, link secrets, the anchor's mac, the check of a database's key, macs of
# strangers, proofs of enrolment codes, tokens of sessions.
compares() {
    (cd "$1" && grep -rlE 'ml_(equal_ct|secret_equal)\(' core net sync --include='*.c' | sort)
}
# What compares one of them in a way that ends early. secrets.node is an id.
leaks() {
    (cd "$1" && grep -rnE \
        '(memcmp|strn?cmp|ml_slice_equal)\([^;]*[^a-z](token|proof|mac|psk|seed|passphrase|recovery|check)[^a-z_]' \
        core/crypto core/model core/store net sync --include='*.c' |
        grep -vE 'ml_slice_str\("token"\)|strcmp\(stage,')
}
list='core/crypto/keystore_seal.c
core/crypto/secret.c
core/crypto/share.c
core/model/keyring_dek.c
core/store/anchor.c
core/store/vfs/seal.c
net/link/handshake.c
net/node/enrol_offer.c
net/node/methods_import.c
net/node/node.c
net/node/token.c'
planted=$(mktemp -d)
mkdir -p "$planted/core/crypto" "$planted/core/model" "$planted/core/store" "$planted/net" "$planted/sync"
echo 'if (memcmp(s->token, call->token, 32) == 0) {' > "$planted/net/bad.c"
leaks "$planted" > /dev/null || { echo "ctime: a token compared by memcmp was not found" >&2; exit 1; }
rm -rf "$planted"
if leaks "$source"; then
    echo "ctime: the lines above compare a secret in a time that tells of it: ml_equal_ct" >&2
    exit 1
fi
if [ "$(compares "$source")" != "$list" ]; then
    echo "ctime: who compares secrets has changed; read it, then correct the list in $0:" >&2
    compares "$source" >&2
    exit 1
fi
if run leak > /dev/null 2>&1; then
    echo "ctime: the deliberate leak was not found" >&2
    exit 1
fi
run
