#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A secretary's session, open: no answer of her node, no file of it and no table of her vault, opened with
# her key, holds a clinical word; and she files a letter that she can't read. A coordinator of the house sees
# who the patient is, and no chart; an administrator not even that.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
founded
joins b 'Zoé Lenoir' secretaire
joins c 'Luc Garnier' coordonnateur
joins d 'Ana Costa' 904 # an administrator
patient_of a
words=(metformine transmissionsecrete problemesecret)
on a record add treatment --patient "$patient" --set drug=metformine --set 'posology=1000 mg matin et soir'
treatment=$(answer object)
on a record add care_note --patient "$patient" --set data=transmissionsecrete --set written_at=2026-03-02T09:10
on a record add problem --patient "$patient" --set code=problemesecret
together b a
together c a
together d a
for word in "${words[@]}"; do
    reads a "$word" timeline "$patient" # the test can find them
done

# holds NODE WORD: is it in any value of any table of its member's vault, drafts or log?
holds() {
    [ -f "$work/$1.values" ] || {
        rm -rf "$work/copy"
        cp -r "$work/$1" "$work/copy"
        cp -r "$XDG_STATE_HOME/maille" "$work/copy/anchors"
        "$ML_BIN/../tests/vault_sql" "$work/copy" <<< "$passphrase" > "$work/$1.values" || die "$1: no SQL"
    }
    grep -qai "$2" "$work/$1.values"
}

# By SQL too the test can find them; of who the patient is the first two know, the administrator doesn't.
for word in "${words[@]}"; do
    holds a "$word" || die "SQL finds no $word on a"
    for node in b c d; do
        ! holds "$node" "$word" || die "a table of $node has $word"
        ! grep -raqi "$word" "$work/$node" || die "$node has a file that holds $word"
    done
done
for node in b c; do
    holds "$node" Lefèvre || die "SQL finds no patient on $node"
done
! holds d Lefèvre || die 'the administrator knows who the patients are'
refused d "n'est pas" patient show "$patient"
refused d "n'est pas" timeline "$patient"

# Both know who the patient is, and nothing else.
for node in b c; do
    reads "$node" Lefèvre patient show "$patient"
    cp "$work/text" "$work/shown"
    reads "$node" "Rien dans ce dossier sur ce poste pour cette demande." timeline "$patient"
    cat "$work/text" >> "$work/shown"
    refused "$node" "n'est pas" record show "$patient" "$treatment"
    cat "$work/text" >> "$work/shown"
    for word in "${words[@]}"; do
        "$ML_BIN/maille" timeline "$patient" --text "$word" --home "$work/$node" >> "$work/shown"
        "$ML_BIN/maille" patient find "$word" --home "$work/$node" >> "$work/shown"
        ! grep -qi "$word" "$work/shown" || die "$node is shown: $(cat "$work/shown")"
        ! grep -raqi "$word" "$work/$node" || die "$node has a file that holds $word"
    done
    refused "$node" "Votre rôle ne permet pas d'écrire dans" record add treatment --patient "$patient" --set drug=x --set posology=y
    refused "$node" 'Votre rôle ne permet pas le bris de glace' breakglass open "$patient" --reason vital
    reads "$node" 'Non' right explain --member "${member[$node]}" --class 7
done
reads c 'Oui' right explain --member "${member[c]}" --class 20 # indicators, without names

# She files a letter: what she sent off is no longer hers to read.
echo 'lettresecrete du cardiologue' > "$work/lettre.txt"
on b document add "$patient" "$work/lettre.txt" --title 'Courrier du 2 mars'
letter=$(answer object)
together b a
on a document show "$patient" "$letter"
"$ML_BIN/maille" document save "$patient" "$letter" --to "$work/lue.txt" --home "$work/a" > "$work/text" || die "$(cat "$work/text")"
grep -q lettresecrete "$work/lue.txt" || die 'A reads another letter'
refused b "Ce patient n'a pas cet élément dans le dossier de ce poste" document save "$patient" "$letter" --to "$work/relue.txt"
[ ! -e "$work/relue.txt" ] || die 'she reads the letter again'
! grep -raq lettresecrete "$work/b" || die 'her node holds it in clear'
rm "$work/a.values" "$work/b.values"
holds a 'Courrier du 2 mars' || die 'SQL finds no letter on a'
! holds b 'Courrier du 2 mars' || die 'a table of hers has the letter'
one_record a b

# A nurse who becomes a secretary keeps keys that she had; her vault keeps nothing that they open.
joins e 'Léa Morin' infirmier
on a peer add "${id[e]}" "${at[e]}"
for word in "${words[@]}"; do
    reads e "$word" timeline "$patient"
    holds e "$word" || die "SQL finds no $word on e"
done
on a role grant --member "${member[e]}" --role secretaire
together e a
rm "$work/e.values"
reads e 'Votre rôle ne vous montre pas : Alertes' timeline "$patient"
for word in "${words[@]}"; do
    ! holds e "$word" || die "a table of e still has $word"
done
holds e Lefèvre || die 'SQL finds no patient on e'
echo 'secretary: passed'
