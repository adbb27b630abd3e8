#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, member ...
# The structure's sheets are lost, or stolen: two who lead give it others (rules B16), typed again before
# anything is said. Then the new ones recover a structure without its coordinator, and the old ones nothing.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
maille=$ML_BIN/maille
lines() { # lines: of the last answer's sheets
    sed -n 's/.*"line": "\(.*\)".*/\1/p' "$work/answer.json"
}
founded
lines < /dev/null | head -n 3 > "$work/old"

# Alone: the old sheets sign for the new ones.
on a org rotate-root --shares 2/3
lines > "$work/fresh"
same sheets "$(wc -l < "$work/fresh")" 3
refuses 1 a org rotate-root --confirm < <(head -n 2 "$work/fresh")
same 'no old sheets' "$(answer text)" rotate.alone
refuses 1 a org rotate-root --confirm < "$work/old"
same 'the same sheets' "$(answer text)" rotate.present
on a org recover < "$work/old" # nothing has changed
"$maille" org rotate-root --confirm --home "$work/a" < <(head -n 2 "$work/fresh"; cat "$work/old") > "$work/text"
grep -q "^C'est fait : seul ce jeu" "$work/text" || die "$(cat "$work/text")"
refuses 1 a org recover --promote < "$work/old"
same 'replaced sheets' "$(answer text)" share.old
on a org recover < <(head -n 2 "$work/fresh")
cp "$work/fresh" "$work/old"

# With others who lead: a majority signs.
joins b 'Dr Petit' medecin --rank 2
joins c 'Léa Morin' infirmier
patient_of a
reads c Lefèvre patient find lef
refuses 1 c org rotate-root
same 'a member' "$(answer text)" rank.referent
on a org rotate-root --shares 2/3
lines > "$work/fresh"
"$maille" org rotate-root --confirm --home "$work/a" < <(tail -n 2 "$work/fresh") > "$work/text"
grep -q "l'ancien reste le bon jusqu'à la dernière signature" "$work/text" || die "$(cat "$work/text")"
grep -q 'il manque 1 signature' "$work/text" || die "$(cat "$work/text")"
together c a
on c org recover < <(head -n 2 "$work/old") # still the ones in force
refuses 1 c org recover < <(head -n 2 "$work/fresh")
same 'not agreed to yet' "$(answer text)" share.proposed
together b a
reads b 'remplacer les feuilles de la structure' governance proposals
on b governance proposals
reads b "Signé : c'est fait." governance cosign "$(answer proposal)"
together b a
together c a

# The coordinator is gone, and so is his computer: the new sheets name another, the old ones nobody.
alone a
refused c "que la structure a remplacé" org recover --promote < <(head -n 2 "$work/old")
"$maille" org recover --promote --gone "${member[a]}" --compromised --home "$work/c" < <(head -n 2 "$work/fresh") > "$work/text"
grep -q '^Léa Morin est désormais coordinateur' "$work/text" || die "$(cat "$work/text")"
together c b
for node in b c; do
    same "who leads, on $node" "$("$maille" member list --home "$work/$node" | sed -n 's/^[0-9a-f]*  \(.*\), .*, \(.*\)/\1 \2/p' | sort | paste -sd ,)" \
        'Dr Petit référent,Léa Morin coordinateur'
    reads "$node" Lefèvre patient find lef
    on "$node" verify
    same "integrity on $node" "$(answer integrity)" ok
done
# What is written afterwards is read by both, under keys that the old Root never had.
on c record add care_note --patient "$patient" --set 'data=après' --set written_at=2026-03-02T09:10
together b c
reads b 'après' timeline "$patient"
one_record b c
echo 'rotate_root: passed'
