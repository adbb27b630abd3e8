#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A nurse's role ends at nine while she works alone until the evening: what she wrote since is put aside
# with its reason, then adopted by a coordinator, and nothing is lost. The same where she knew the date
# and her clock was late.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
clocked
founded
joins c 'Léa Morin' infirmier --rank 2
daemon=$ML_BIN/mailled # B has a clock of its own
joins b 'Inès Leroy' infirmier
patient_of a
note() { # note NODE TEXT
    on "$1" record add care_note --patient "$patient" --set "data=$2" --set written_at=2026-03-02T09:10
}
all_meet() {
    together b a
    together c a
    together b a
}
aside() { # aside COUNT: on each node so many of hers don't count
    local node
    for node in a b c; do
        "$ML_BIN/maille" quarantine list --home "$work/$node" > "$work/text"
        same "put aside on $node" "$(grep -c 'Inès Leroy, 1 saisie(s) : écrit hors des dates du rôle de son auteur' "$work/text")" "$1"
    done
}
adopts() { # adopts NODE: all that is aside there
    local bundle
    "$ML_BIN/maille" quarantine list --home "$work/$1" | sed -n 's/^    \([0-9a-f]*\)$/\1/p' > "$work/bundles"
    while read -r bundle; do
        reads "$1" 'Ces saisies comptent à présent.' quarantine adopt "$bundle"
    done < "$work/bundles"
}
readers='a b c' # whose roles read what she wrote
holds() { # holds TEXT...: each is on each of their nodes
    local node text
    for node in $readers; do
        for text in "$@"; do
            reads "$node" "$text" timeline "$patient" --limit 100
        done
    done
}
note b 'à 8 h'
reads a "C'est dit pour Inès Leroy" role grant --member "${member[b]}" --role infirmier
all_meet

# At nine she is made a secretary. She hears of it in the evening.
alone b
note b 'à 8 h 30, seule'
on a role end --member "${member[b]}" --role infirmier
on a role grant --member "${member[b]}" --role secretaire
reads a 'avait reçu un rôle qui est terminé' right explain --member "${member[b]}" --class 10 --action create
note b 'à 12 h, seule'
note b 'à 18 h, seule'
back b
all_meet
one_record a b c
aside 3
! grep -q 'seule' <("$ML_BIN/maille" timeline "$patient" --home "$work/c") || die 'C shows what is aside'
refused b "On n'adopte pas ses propres saisies" quarantine adopt "$(sed -n 's/^    \([0-9a-f]*\)$/\1/p' "$work/text" | head -n 1)"
refused b "Rien n'a été écrit : le rôle qui vous permettait d'écrire dans" record add care_note --patient "$patient" --set data=tard --set written_at=2026-03-02T09:10
grep -q 'donné par Dr Roux, est terminé depuis le .* Un coordinateur ou un référent vous le donne' "$work/text" || die "not what to do: $(cat "$work/text")"
adopts a
all_meet
aside 0
readers='a c'
holds 'à 8 h' 'à 8 h 30, seule' 'à 12 h, seule' 'à 18 h, seule'
# A secretary's vault shows none of it, though the keys that she had open it.
reads b 'Rien dans ce dossier sur ce poste pour cette demande.' timeline "$patient" --limit 100
reads b 'Votre rôle ne vous montre pas :' timeline "$patient" --limit 100
one_record a b c

# A nurse again, for an hour, which she knows; B's clock is two hours late.
on a role end --member "${member[b]}" --role secretaire
on a role grant --member "${member[b]}" --role infirmier --until "$(date -d '+1 hour' +%Y-%m-%dT%H:%M%:z)"
all_meet
readers='a b c'
holds 'à 8 h' 'à 8 h 30, seule' 'à 12 h, seule' 'à 18 h, seule' # she has it back
note b 'dans son heure'
all_meet
note c 'vu par Léa' # who is a witness that it was there in time
all_meet
alone b
later 0 7200000
for node in a c; do # two members whose clocks have passed the end, and say so
    on "$node" governance checkpoint
    together c a
done
note b 'après son heure'
back b
all_meet
aside 1
adopts c # a référent may too
all_meet
aside 0
readers='a c' # she has no role any more
holds 'dans son heure' 'après son heure'
reads b 'Rien dans ce dossier sur ce poste pour cette demande.' timeline "$patient" --limit 100
one_record a b c
echo 'role_change: passed'
