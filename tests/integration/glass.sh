#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# Breaking a glass: refused (no reason, no right, an excluded patient, a record that isn't here), granted
# for a reason and a time, seen by others, reviewed by another, traced.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_members.bash"
clocked
founded
joins b 'Dr Paul Roche' dentiste
joins c 'Zoé Lenoir' secretaire
weighs() { # weighs TEXT: of $patient; a dentist's role doesn't read it
    on a record add observation --patient "$patient" --set code=29463-7 --set "value=$1" --set taken_at=2026-03-02T09:10
}
patient_of a
excluded=$patient
weighs '80,5 kg'
patient_of a
weighs '71,5 kg'
reads a 'vaut dès maintenant' consent oppose --patient "$excluded" --emergency --means oral
together b a
together c a
shows() { # shows NODE: is the weight there?
    "$ML_BIN/maille" timeline "$patient" --home "$work/$1" > "$work/text"
    grep -qF '71,5' "$work/text"
}
shows a || die 'A lacks the weight'
! shows b || die 'a dentist reads measures'

# What is asked for, before anything opens.
refused b 'demande un motif : vital, unconscious, continuity ou other (--reason)' breakglass open "$patient"
refused b 'Dites pourquoi, en 5 à 500 signes (--text)' breakglass open "$patient" --reason vital --tier 2
refused b 'La durée ne convient pas : donnez de 1 à 480 minutes' breakglass open "$patient" --reason vital --minutes 500
refused c 'Votre rôle ne permet pas le bris de glace (classe 23) : appelez un médecin' \
    breakglass open "$patient" --reason vital
reads c 'BRIS DE GLACE REFUSÉ' trace search
refused b "Le patient a refusé l'accès d'urgence : rien n'est ouvert. Votre demande est tracée." \
    breakglass open "$excluded" --reason vital --tier 2 --text 'malaise au cabinet'
reads b 'BRIS DE GLACE REFUSÉ' trace search --patient "$excluded"
alone b
mine=$patient
patient_of a
refused b "Ce poste n'a rien de ce dossier : le bris de glace n'y ouvrirait rien." breakglass open "$patient" --reason vital
grep -q 'attendez un échange' "$work/text" || die "not what to do: $(cat "$work/text")"
patient=$mine

# What the patient masked is masked to a glass as well (of his own record, an opposition isn't).
weighs '99,9 kg'
masked=$(answer object)
reads a 'vaut dès maintenant' consent mask --patient "$patient" --object "$masked" --means oral
back b
together b a
together c a
alone b

# B is still away. It opens at once, for half an hour, and says so to all.
! shows b || die 'what was refused opened something'
reads b 'Bris de glace ouvert, niveau 2' breakglass open "$patient" --reason continuity --tier 2 \
    --text 'malaise au fauteuil' --minutes 30
grep -q 'tracé, annoncé à la structure et sera examiné ; le patient doit en être' "$work/text"
shows b || die 'nothing was opened'
! grep -qF '99,9' "$work/text" || die 'a glass opened what the patient masked'
grep -q 'vous cache une partie du dossier' "$work/text" || die 'it is silent about what is masked'
reads b 'BRIS DE GLACE' trace search --patient "$patient" --action 'break glass'
grep -q 'malaise au fauteuil' "$work/text" || die "the reason isn't traced: $(cat "$work/text")"
reads a 'Aucun bris de glace.' breakglass list
back b
together b a
reads a 'Dr Paul Roche, niveau 2, continuité des soins' breakglass list --waiting
grep -q 'EN COURS' "$work/text" || die "it isn't said to be open: $(cat "$work/text")"
grep -q 'À EXAMINER' "$work/text" || die "nobody is to review it: $(cat "$work/text")"
together c a
reads c 'Dr Paul Roche, niveau 2' breakglass list --patient "$patient" # whom she may have to tell
grep -q 'PATIENT À INFORMER, par Dr Paul Roche ou à sa prochaine venue' "$work/text" || die 'nobody tells him'
reads c "ACCÈS D'URGENCE dont ce patient est à informer : 1" patient show "$patient"

# Reviewed by somebody else; its half hour ends by itself.
reads c 'À EXAMINER' breakglass list --patient "$patient"
glass=$(sed -n 's/.*À EXAMINER  //p' "$work/text")
refused b 'Un bris de glace est examiné par un autre que son auteur' breakglass review "$glass" --outcome justified
refused c 'Un bris de glace est examiné par un autre que son auteur' breakglass review "$glass" --outcome justified
refused a "L'avis doit être justified, unjustified ou unclear" breakglass review "$glass" --outcome oui
reads a 'Votre avis est noté' breakglass review "$glass" --outcome justified --text 'malaise vagal'
together b a
reads b 'justifié (Dr Roux)' breakglass list
reads a 'Aucun bris de glace.' breakglass list --waiting
reads a "examen d'un bris de glace" trace search

# The secretary has him before her, and tells him.
refused c 'Dites comment le patient en a été informé' breakglass told "$glass" --how signe
refused c 'Aucun bris de glace ne porte ce numéro ici' breakglass told "$patient" --how letter
reads c 'Noté : le patient en a été informé.' breakglass told "$glass" --how letter --text 'remise à l'"'"'accueil'
together a c
reads a 'par lettre (Zoé Lenoir)' breakglass list
reads a 'Aucun bris de glace.' breakglass list --untold
reads a Lefèvre patient show "$patient"
! grep -q "ACCÈS D'URGENCE" "$work/text" || die 'he was told'
for minutes in 8 16 24 31; do # nobody is idle for ten minutes
    shows b || die 'it ended before its time'
    shows a
    later $((minutes * 60000))
done
! shows b || die 'it is open after its time'
reads a 'justifié (Dr Roux)' breakglass list
! grep -q 'EN COURS' "$work/text" || die "it is still said to be open: $(cat "$work/text")"
one_record a b

# Sensitive data: not alone. Another member confirms, on his own computer; for this time only.
for node in a b c; do
    on "$node" unlock --passphrase-fd 0 <<< "$passphrase"
done
on a record add sensitive_note --patient "$patient" --set 'text=addiction aux opiacés' --set written_at=2026-03-02T09:10
together b a
opens() { # opens WHAT: tier 3, on B
    reads b "$1" breakglass open "$patient" --reason vital --tier 3 --text 'tentative de suicide' --minutes 5
}
sensitive() { # sensitive NODE: does it show the note?
    "$ML_BIN/maille" timeline "$patient" --home "$work/$1" > "$work/text"
    grep -qF 'opiacés' "$work/text"
}
! sensitive b || die 'a dentist reads sensitive notes'
opens "Rien n'est encore ouvert : il faut la part d'un autre membre"
glass=$(sed -n 's/.*maille breakglass confirm \([0-9a-f]*\) .*/\1/p' "$work/text")
! sensitive b || die 'it opened alone'
refused b 'Vous ne pouvez pas confirmer votre propre demande' breakglass confirm "$glass"
together a b
together c a
refused c 'Votre rôle ne permet pas le bris de glace (classe 23)' breakglass confirm "$glass"
reads a 'Dr Paul Roche demande le niveau 3, danger vital' breakglass list
grep -q 'À CONFIRMER par un autre' "$work/text" || die "nobody is asked: $(cat "$work/text")"
reads a 'Confirmé, pour ce dossier et cette demande seulement' breakglass confirm "$glass"
together b a
opens 'Bris de glace ouvert, niveau 3'
sensitive b || die 'two members opened nothing'
reads b 'confirmé par Dr Roux' breakglass list
reads b 'Bris de glace rendu' breakglass close "$patient"
! sensitive b || die 'it is open after it was given back'
opens "Rien n'est encore ouvert"
one_record a b
echo 'glass: passed'
