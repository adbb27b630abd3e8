#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# The network's secret changes with each departure (rules B17): a nurse who was away during three of them
# finds her way by herself, both ways, and loses nothing; who left gets nothing by the secret he knew.
source "$(dirname "$0")/support.bash"
two_nodes

member_add() { # member_add NODE NAME: enrolled at a; ${member[NODE]} is he
    on a member add --name "$2" --profession infirmier
    member[$1]=$(answer member)
    on a enrol --member "${member[$1]}"
    node_start "$1"
    on "$1" enrol --code "$(answer code)" --address "$address_a" --passphrase-fd 0 <<< "$passphrase"
    on "$1" sync wait --until synced --timeout-ms 60000
}
patient_add() { # patient_add NODE NAME
    on "$1" record add patient --set birth_name="$2" --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
}
stop() {
    kill "$(cat "$work/$1/lock")"
    flock "$work/$1/lock" true
}
epoch() {
    on "$1" node status
    answer network_epoch
}
hashes() {
    on "$1" verify
    same integrity "$(answer integrity)" ok
    same 'bodies missing' "$(answer bodies_missing)" 0
    echo "$(answer state_hash) $(answer view_hash)"
}
# governance NODE: the heads of its governance, for `sync wait --until frontier=` elsewhere.
governance() {
    on "$1" sync status
    grep -o '"[0-9a-f]\{32\}/0/[0-9]*"' "$work/answer.json" | tr -d '"' | paste -sd ,
}

declare -A member
member_add c 'Paul Petit'
member_add d 'Luc Roy'
member_add e 'Eve Roux'
on b sync wait --until synced --timeout-ms 60000
same 'first epoch' "$(epoch a) $(epoch b) $(epoch c)" '1 1 1'

# She writes out of reach, and is away while three lose their places one after the other.
on b sync pause
patient_add b Lefèvre
stop b
stop d
stop e
patient_add a Martin
on c sync wait --until synced --timeout-ms 60000
for left in c d e; do
    on a member revoke --member "${member[$left]}"
done
patient_add a Durand
same 'after three departures' "$(epoch a)" 4

# Who left and was there hears of it, and of nothing else.
on c sync wait --until "frontier=$(governance a)" --timeout-ms 60000
on c node status
same 'what he had' "$(answer patients)" 1
same 'the epoch he had' "$(answer network_epoch)" 1
refuses 1 c record add patient --set birth_name=Roche --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F

# She starts her computer and types her passphrase: nothing else.
node_start b
on b unlock --passphrase-fd 0 <<< "$passphrase"
on b sync resume
on b sync wait --until synced --timeout-ms 60000
same 'her epoch' "$(epoch b)" 4
for node in a b; do
    for name in lefevre martin durand; do
        on "$node" patient find "$name"
        same "$name at $node" "$(grep -c '"patient"' "$work/answer.json")" 1
    done
done
same 'hashes' "$(hashes a)" "$(hashes b)"

# From then on she dials by the latest; who was stopped at his departure comes back to nothing too.
stop b
node_start b
on b unlock --passphrase-fd 0 <<< "$passphrase"
on b sync wait --until synced --timeout-ms 60000
node_start d
on d unlock --passphrase-fd 0 <<< "$passphrase"
on d sync wait --until "frontier=$(governance a)" --timeout-ms 60000
on d node status
same 'what he hears' "$(answer patients) $(answer network_epoch)" '0 1'

# A newcomer is handed what she needs.
member_add f 'Hugo Petit'
same 'the newcomer' "$(epoch f)" 4
same 'hashes at the newcomer' "$(hashes a | cut -d ' ' -f 1)" "$(hashes f | cut -d ' ' -f 1)"
echo 'network_key: passed'
