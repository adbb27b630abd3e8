#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Two coordinators revoke each other while apart, each with a référent's hand beside his own; then all
# meet. Equals don't touch each other's denials (rules B14): both are out, on every node alike, the two
# référents and a nurse who was alone meanwhile go on, and the sheets of the structure name who leads.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
sed -n 's/.*"line": "\(.*\)".*/\1/p' "$work/founded.json" | head -n 3 > "$work/sheets"
joins b 'Dr Petit' medecin --rank 2
joins c 'Inès Leroy' infirmier --rank 2
joins d 'Léa Morin' infirmier --rank 2
joins e 'Karim Haddad' infirmier
patient_of a
promoted() { # promoted NODE NAME OPTION...: by three sheets, typed there
    local node=$1 name=$2
    shift 2
    "$ML_BIN/maille" org recover --promote "$@" --home "$work/$node" < "$work/sheets" > "$work/text"
    grep -q "^$name est désormais coordinateur" "$work/text" || die "$node: $(cat "$work/text")"
}
ranks() { # ranks NODE: what members are there
    "$ML_BIN/maille" member list --home "$work/$1" | sed -n 's/^[0-9a-f]*  \(.*\), .*, \(.*\)/\1 \2/p' | sort | paste -sd ,
}
note() { # note NODE TEXT
    on "$1" record add care_note --patient "$patient" --set "data=$2" --set written_at=2026-03-02T09:10
}
# Three of the four who have a voice, without the sheets (rules B16): two of them are no majority.
reads a "Dr Petit n'est pas encore coordinateur" member promote --member "${member[b]}"
together c a
reads c 'nommer coordinateur Dr Petit' governance proposals
on c governance proposals
reads c 'la majorité des 4 coordinateurs, référents et garants : il manque 1 signature.' governance cosign "$(answer proposal)"
grep -q 'Peuvent signer : Léa Morin$' "$work/text" || die "not who: $(cat "$work/text")"
together d c
on d governance proposals
reads d "c'est fait" governance cosign "$(answer proposal)"
together d a
for node in b c d e; do
    together "$node" a
done
together d b
same 'at first' "$(ranks e)" 'Dr Petit coordinateur,Dr Roux coordinateur,Inès Leroy référent,Karim Haddad membre,Léa Morin référent'

# revokes ACTOR SECOND SUBJECT: his equal, so a second one signs.
revokes() {
    refused "$1" 'Ce membre a le même rang que vous' member revoke --member "${member[$3]}"
    grep -q -- '« maille member suspend ».*--propose' "$work/text" || die "not what to do: $(cat "$work/text")"
    reads "$1" 'pas encore révoqué' member revoke --member "${member[$3]}" --propose
    together "$2" "$1"
    reads "$2" 'révoquer ou suspendre' governance proposals
    on "$2" governance proposals
    reads "$2" 'Il faut encore la signature de qui peut le faire' governance cosign "$(answer proposal)"
    together "$2" "$1"
    on "$1" governance proposals
    reads "$1" "c'est fait" governance cosign "$(answer proposal)"
    together "$2" "$1"
    reads "$2" 'ses droits lui ont été retirés' right explain --member "${member[$3]}" --class 9
}
alone b d e
revokes a c b
note a 'lundi, sur A'
note c 'lundi, sur C'
together c a
alone a c
back b d
revokes b d a
note b 'lundi, sur B'
note d 'lundi, sur D'
together d b
note e 'lundi, sur E'
alone a b

# E meets C, then both meet D: the same on each, whoever's word came first.
back c e
together e c
note e 'mardi, sur E'
together d c
together e c
one_record c d e
for node in c d e; do
    same "who is left, on $node" "$(ranks "$node")" 'Inès Leroy référent,Karim Haddad membre,Léa Morin référent'
    reads "$node" 'ses droits lui ont été retirés [Dr Petit' right explain --member "${member[a]}" --class 9
    reads "$node" 'ses droits lui ont été retirés [Dr Roux' right explain --member "${member[b]}" --class 9
    reads "$node" "Rien n'est en quarantaine." quarantine list # a departure: what a witness saw in time counts
    for text in 'lundi, sur A' 'lundi, sur B' 'lundi, sur C' 'lundi, sur D' 'lundi, sur E' 'mardi, sur E'; do
        reads "$node" "$text" timeline "$patient"
    done
done
# Each of the two hears of it from whom he meets, and can do nothing more.
back a b
on a peer add "${id[c]}" "${at[c]}"
on b peer add "${id[d]}" "${at[d]}"
acts=$(heads c 0 | paste -sd ,)
for node in a b; do
    on "$node" sync wait --until "frontier=$acts" --timeout-ms 60000
done
refused a '(par Dr Petit)' record add care_note --patient "$patient" --set data=mercredi --set written_at=2026-03-02T09:10
refused b '(par Dr Roux)' record add care_note --patient "$patient" --set data=mercredi --set written_at=2026-03-02T09:10
on a lock
"$ML_BIN/maille" unlock --home "$work/a" --passphrase-fd 0 <<< "$passphrase" > "$work/text" 2>&1 && die 'A opens'
grep -q 'Votre accès à ce poste a été retiré' "$work/text" || die "$(cat "$work/text")"
same 'vaults left on A' "$(find "$work"/a/*/vaults -name '*.db' | wc -l)" 0

# Nobody may take members in any more: the sheets say who does.
refused c 'Seul un coordinateur peut le faire' member add --name 'Hugo Petit' --profession infirmier
grep -q 'maille org recover --promote' "$work/text" || die "not what to do: $(cat "$work/text")"
promoted c 'Inès Leroy'
on c member add --name 'Hugo Petit' --profession infirmier
# And Root's word, which has seen both denials, brings one of the two back.
promoted c 'Dr Petit' --member "${member[b]}"
on b peer add "${id[c]}" "${at[c]}"
together d c
together e c
on b sync wait --until "frontier=$(heads c 0 | paste -sd ,)" --timeout-ms 60000
reads c 'Dr Petit' member history --member "${member[b]}" # what was written while he was out
together b c
note b 'jeudi, sur B'
together b c
together d c
together e c
for node in b c d e; do
    same "at the end, on $node" "$(ranks "$node")" \
        'Dr Petit coordinateur,Hugo Petit membre,Inès Leroy coordinateur,Karim Haddad membre,Léa Morin référent'
done
reads e 'jeudi, sur B' timeline "$patient"
one_record b c d e
echo 'two_coordinators: passed'
