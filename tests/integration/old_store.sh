#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# Homes that earlier programs left (tests/data/stores), opened by a real mailled: unlocked, proved
# against what they held, written to. One whose keystore is of a later program says so in a sentence.
source "$(dirname "$0")/support.bash"
: "${ML_SOURCE:?set ML_SOURCE to the folder of the sources}"
old_phrase="une phrase de passe d'essai"
expected() { # expected STORE KEY
    sed -n "s/^$2 //p" "$ML_SOURCE/tests/data/stores/$1/expected"
}
place() { # place STORE: its home and its record of what was offered
    cp -r "$ML_SOURCE/tests/data/stores/$1/home" "$work/$1"
    mkdir -p "$XDG_STATE_HOME/maille"
    cp -r "$ML_SOURCE/tests/data/stores/$1/state/." "$XDG_STATE_HOME/maille"
}

for folder in "$ML_SOURCE"/tests/data/stores/v*; do
    store=$(basename "$folder")
    place "$store"
    node_start "$store"
    on "$store" unlock --passphrase-fd 0 <<< "$old_phrase"
    on "$store" verify
    same "$store: integrity" "$(answer integrity)" ok
    for key in state_hash view_hash ops patients; do
        same "$store: $key" "$(answer $key)" "$(expected "$store" $key)"
    done
    on "$store" record add patient --set birth_name=Durand --set birth_given_names=Zoé --set birth_date=1980 --set sex=F
    on "$store" verify
    same "$store: one more" "$(answer patients)" $(($(expected "$store" patients) + 1))
done
nodes_stop

# The last one, as a later program would leave its keystore: another version, and a sum that holds.
rm -rf "${work:?}/$store"
place "$store"
keystore=$(echo "$work/$store"/*/keystore)
printf '\003' | dd of="$keystore" bs=1 seek=9 conv=notrunc status=none
above=$(($(stat -c %s "$keystore") - 32))
sum=$( (printf 'maille/keystore-sum/1' && head -c "$above" "$keystore") | b2sum -l 256 | cut -d ' ' -f 1)
for ((i = 0; i < 64; i += 2)); do
    printf %b "\\x${sum:i:2}"
done | dd of="$keystore" bs=1 seek="$above" conv=notrunc status=none
digest() { # of all files of the structure
    find "$(dirname "$keystore")" -type f -exec b2sum {} + | sort | b2sum
}
before=$(digest)
node_start "$store"
refuses 1 "$store" unlock --passphrase-fd 0 <<< "$old_phrase"
grep -q 'version plus récente de Maille' "$work/error.txt" "$work/answer.json" || die "no sentence: $(cat "$work/error.txt")"
nodes_stop
same 'files of a later program' "$(digest)" "$before"
