#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Karim's laptop is stolen. It is revoked on A while B, which hasn't heard of it, goes on exchanging with
# the thief and cites what he writes. Nothing of that counts anywhere, though it is kept; the laptop gets
# its revocation and nothing else; and only what it wrote beyond the cut is judged again.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins b 'Inès Leroy' infirmier
joins c 'Karim Haddad' infirmier
patient_of a
note() { # note NODE TEXT
    on "$1" record add care_note --patient "$patient" --set "data=$2" --set written_at=2026-03-02T09:10
}
count() { # count NODE WHAT: of node status
    on "$1" node status
    answer "$2"
}
# moves NODE LANES COMMAND...: does it; $moved is what went on there meanwhile, for `sync wait`.
moves() {
    local node=$1 lanes=$2
    shift 2
    heads "$node" "$lanes" > "$work/before"
    "$@"
    heads "$node" "$lanes" > "$work/after"
    moved=$(grep -vxFf "$work/before" "$work/after" | paste -sd ,)
}
for n in 1 2 3 4 5; do
    note a "lundi $n, sur A"
    note b "lundi $n, sur B"
    note c "lundi $n, sur le portable"
done
together b a
together c a
together c b
one_record a b c

# Stolen: A says so, and is out of reach of both. The thief writes; B takes it, and cites it.
alone a
again=$(count a judged_again)
moves a 0 reads a 'Karim Haddad' member revoke --member "${member[c]}" --node "${id[c]}" --compromised
revoked=$moved
same 'judged again on A, which had nothing beyond the cut' "$(count a judged_again)" "$again"
for n in 1 2 3; do
    note c "mardi $n, par le voleur"
done
together c b
note b 'mardi, sur B, qui a vu cela'
same 'left out on B, which knows nothing' "$(count b quarantined)" 0
reads b 'mardi 3, par le voleur' timeline "$patient" --limit 100

# B hears of it: of its 20 notes the thief's three are judged again, and no other.
alone c
back a
again=$(count b judged_again)
together b a
same 'judged again on B' $(($(count b judged_again) - again)) 3
for node in a b; do
    same "left out on $node" "$(count "$node" quarantined)" 3
    reads "$node" 'Karim Haddad, 1 saisie(s) : écrit après le vol ou la compromission' quarantine list
    grep -q 'maille quarantine adopt EMPREINTE' "$work/text" || die "not what to do: $(cat "$work/text")"
    reads "$node" 'mardi, sur B' timeline "$patient" --limit 100
    ! grep -q 'par le voleur' "$work/text" || die "$node: what the thief wrote counts"
    reads "$node" 'lundi 5, sur le portable' timeline "$patient" --limit 100
done
one_record a b

# He writes on, and meets A: A keeps what he has, he gets what says that he is out.
note a 'mercredi, sur A'
moves c 3 note c 'mercredi, par le voleur'
theirs=$moved
heads c 134 > "$work/knew"
back c
on c sync now
on a sync wait --until "frontier=$theirs" --timeout-ms 60000
on c sync wait --until "frontier=$revoked" --timeout-ms 60000
same 'left out on A' "$(count a quarantined)" 4
heads c 134 > "$work/knows"
diff "$work/knew" "$work/knows" || die 'the laptop was given more than its revocation'
reads c 'Peut écrire' node status
grep -q '^Peut écrire : non' "$work/text" || die "it says that it may write: $(cat "$work/text")"
refused c 'Vos droits sur ce poste ont été retirés (par Dr Roux)' \
    record add care_note --patient "$patient" --set data=jeudi --set written_at=2026-03-02T09:10
grep -q 'un coordinateur peut vous admettre' "$work/text" || die "not what to do: $(cat "$work/text")"
reads a 'révoqué : ne reçoit que sa révocation' sync status
same 'left out on the laptop: what it wrote, and nothing since' "$(count c quarantined)" 4

# Karim himself isn't revoked: on another computer he goes on.
on a enrol --member "${member[c]}"
code=$(answer code)
node_start d
at[d]=$address
on d enrol --code "$code" --address "${at[a]}" --passphrase-fd 0 <<< "$passphrase"
id[d]=$(answer node)
together d a
on a member history --member "${member[c]}" # which his new computer lacks too
together d a
note d 'jeudi, sur un autre poste'
reads d 'lundi 5, sur le portable' timeline "$patient" --limit 100
together d a
reads a 'jeudi, sur un autre poste' timeline "$patient" --limit 100
one_record a d
echo 'stolen_laptop: passed'
