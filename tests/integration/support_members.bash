# tests/integration/support_members.bash -- sourced after support.bash by the stories of several members:
# each on a node of his own, who meets whom, what each reads and what each is refused.
# shellcheck shell=bash disable=SC2034,SC2154 # sets patient ...; support.bash sets work, passphrase ...
declare -A member id at # of each node: its member, its own id, where it listens

# clocked: nodes that start from now on take the time from here (tests/tools/powercut); `later` moves it.
clocked() {
    daemon=$ML_BIN/../tests/mailled-powercut
    head -c 16 /dev/zero > "$work/clock"
    exec 9<> "$work/clock"
    export ML_POWERCUT_CLOCK=9
}
# later MS [MS]: of the clock since a start, and of the calendar (the same), from the machine's time on.
later() {
    local ms bytes='' i
    for ms in "$1" "${2:-$1}"; do
        for i in 0 8 16 24 32 40 48 56; do
            bytes+=$(printf '\\x%02x' $((ms >> i & 255)))
        done
    done
    printf '%b' "$bytes" 1<> "$work/clock"
}
# founded: the structure on node a, whose coordinator is Dr Roux.
founded() {
    node_start a
    at[a]=$address
    on a org found --name 'MSP des Tilleuls' --member-name 'Dr Roux' --passphrase-fd 0 <<< "$passphrase"
    cp "$work/answer.json" "$work/founded.json"
    member[a]=$(answer member)
    id[a]=$(answer node)
}
# admitted NODE NAME PROFESSION [OPTION...]: a member, who will work on that node.
admitted() {
    on a member add --name "$2" --profession "$3" "${@:4}"
    member[$1]=$(answer member)
}
# arrives NODE: it has all of a.
arrives() {
    local node=$1 code
    on a enrol --member "${member[$node]}"
    code=$(answer code)
    node_start "$node"
    at[$node]=$address
    on "$node" enrol --code "$code" --address "${at[a]}" --passphrase-fd 0 <<< "$passphrase"
    id[$node]=$(answer node)
    together "$node" a
}
# joins NODE NAME PROFESSION [OPTION...]: both.
joins() {
    admitted "$@"
    arrives "$1"
}
# together NODE NODE: they are linked, and have the same.
together() {
    on "$1" peer add "${id[$2]}" "${at[$2]}"
    on "$1" sync now
    on "$1" sync wait --timeout-ms 60000
    on "$2" sync wait --timeout-ms 60000
}
alone() { # alone NODE...: they meet nobody until `together` after `back`
    local node
    for node in "$@"; do
        on "$node" sync pause
    done
}
back() { # back NODE...
    local node
    for node in "$@"; do
        on "$node" sync resume
    done
}
stop() { # stop NODE
    kill "$(cat "$work/$1/lock")"
    flock "$work/$1/lock" true # until it is gone
}
starts() { # starts NODE: after a stop; its member is there again
    node_start "$1"
    at[$1]=$address
    on "$1" unlock --passphrase-fd 0 <<< "$passphrase"
}
# reads NODE TEXT COMMAND...: what a person is shown holds TEXT.
reads() {
    local node=$1 text=$2
    shift 2
    "$ML_BIN/maille" "$@" --home "$work/$node" > "$work/text" || die "$node: maille $* failed"
    grep -qF -- "$text" "$work/text" || die "$node: maille $*: no « $text » in: $(cat "$work/text")"
}
# refused NODE TEXT COMMAND...: it isn't done, and a person is told TEXT.
refused() {
    local node=$1 text=$2 rc=0
    shift 2
    "$ML_BIN/maille" "$@" --home "$work/$node" > "$work/text" 2>&1 || rc=$?
    [ "$rc" -eq 1 ] || die "$node: maille $* ended with $rc: $(cat "$work/text")"
    grep -qF -- "$text" "$work/text" || die "$node: maille $*: no « $text » in: $(cat "$work/text")"
}
# one_record NODE...: the same for all of them, whole.
one_record() {
    local node first='' hash
    for node in "$@"; do
        on "$node" verify
        same "integrity of $node" "$(answer integrity)" ok
        same "missing on $node" "$(answer bodies_missing)" 0
        hash=$(answer state_hash)
        [ -z "$first" ] || same "the record of $node" "$hash" "$first"
        first=$hash
    done
}
heads() { # heads NODE LANES: what it holds of each writer there, as AUTHOR/LANE/NUMBER, for `sync wait`
    on "$1" sync status
    sed -n 's,.*"\([0-9a-f]\{32\}/['"$2"']/[0-9]*\)".*,\1,p' "$work/answer.json"
}
day() { # day HOURS from now: as the options take it
    date -d "+$1 hour" +%Y-%m-%dT%H:%M%:z
}
# patient_of NODE: a new patient, in $patient.
patient_of() {
    on "$1" record add patient --set birth_name=Lefèvre --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
    patient=$(answer patient)
}
