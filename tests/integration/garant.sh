#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A founder names a garant (rules B16): he is let in as others are, reads who is there and nobody's record,
# decides nothing by himself, and with his hand beside the founder's a second coordinator is made.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
node_start a
at[a]=$address
"$ML_BIN/maille" org found --name 'MSP des Tilleuls' --member-name 'Dr Roux' --garant 'Me Paul Noël' --garant 'Jeanne Diallo' \
    --passphrase-fd 0 --home "$work/a" <<< "$passphrase" > "$work/text"
grep -q "^  Me Paul Noël : maille enrol --member" "$work/text" || die "not what to do next: $(cat "$work/text")"
member_named() { # member_named NODE NAME
    "$ML_BIN/maille" member list --home "$work/$1" | sed -n "s/^\([0-9a-f]*\)  $2,.*/\1/p"
}
ranks() { # ranks NODE
    "$ML_BIN/maille" member list --home "$work/$1" | sed -n 's/^[0-9a-f]*  \([^,]*\),.* \(.*\)/\1 \2/p' | sort | paste -sd ,
}
member[a]=$(member_named a 'Dr Roux')
member[b]=$(member_named a 'Me Paul Noël')
on a node status
id[a]=$(answer node)
arrives b
joins c 'Inès Leroy' infirmier
together b c
all='Dr Roux coordinateur,Inès Leroy membre,Jeanne Diallo garant,Me Paul Noël garant'
for node in a b c; do
    same "who is there, on $node" "$(ranks "$node")" "$all"
done
patient_of a
together a c
together a b

# Nobody's record is his to read or write, and no decision is his alone.
refused b 'Vous êtes garant' role grant --member "${member[c]}" --role medecin
refused b 'Vous êtes garant' member revoke --member "${member[c]}"
refused b 'Vous êtes garant' record add patient --set birth_name=Durand --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
refused b "n'est pas dans le dossier de ce poste" record add care_note --patient "$patient" --set data=lundi --set written_at=2026-03-02T09:10
refused b 'Seul un coordinateur peut' member add --name 'Hugo Petit' --profession infirmier
refused a "Un garant n'a pas de rôle" role grant --member "${member[b]}" --role medecin
"$ML_BIN/maille" timeline "$patient" --home "$work/b" > "$work/text" 2>&1 && die "he reads a record: $(cat "$work/text")"
reads a 'garant : signe à côté' right explain --member "${member[b]}" --class 7

# Two of the three who have a voice: the founder and he.
reads a "Inès Leroy n'est pas encore coordinateur" member promote --member "${member[c]}"
together b a
reads b 'nommer coordinateur Inès Leroy' governance proposals
on b governance proposals
reads b 'Signé. Il faut encore' governance cosign "$(answer proposal)"
together b a
same 'still' "$(ranks a)" "$all"
reads a 'Les signatures suffisent' governance proposals
on a governance proposals
reads a "c'est fait" governance cosign "$(answer proposal)"
together b a
together c a
for node in a b c; do
    same "at the end, on $node" "$(ranks "$node")" \
        'Dr Roux coordinateur,Inès Leroy coordinateur,Jeanne Diallo garant,Me Paul Noël garant'
done
on c member add --name 'Hugo Petit' --profession infirmier
echo 'garant: passed'
