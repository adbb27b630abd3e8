#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A backup put back over a live store, in three ways: what the user is told, and that nobody's
# entries go. Reads as a story: bash tests/integration/restored_backup.sh prints it.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_copies.bash"
tell 'Deux postes, A et B, tiennent un dossier.'
story_begins
tell 'Lundi soir, A est sauvegardé : ses données, sans la marque contre les retours en arrière.'
stop a
cp -a "$work/a" "$work/lundi"
cp -a "$work/state" "$work/state-lundi"
start a
note a 'mardi, sur A'
note a 'mardi encore, sur A'
copied a
hold "a b" 'lundi, sur A' 'mardi, sur A' 'mardi encore, sur A'
silent a

tell
tell '1. Mercredi, le disque de A est remplacé ; la sauvegarde de lundi est remise.'
stop a
rm -rf "$work/a"
cp -a "$work/lundi" "$work/a"
node_start a
tell '   Qui déverrouille lit :'
told a 'nouvelle signature' unlock --passphrase-fd 0
tell '   et dans « maille node status », pendant une semaine, pour qui vient après :'
told a 'Une sauvegarde plus ancienne' node status
told a 'copie de ce poste' doctor
tell '   A écrit aussitôt, avant tout échange ; puis A et B se retrouvent.'
note a 'mercredi, sur A'
copied a
all=('lundi, sur A' 'mardi, sur A' 'mardi encore, sur A' 'mercredi, sur A')
hold "a b" "${all[@]}"
equal 0 a b
silent b
tell '   Les quatre notes sont sur les deux postes ; aucune signature n'"'"'a servi deux fois.'

tell
tell '2. La sauvegarde de lundi est remise avec la marque : rien sur A ne dit son âge.'
stop a
rm -rf "$work/a" "$work/state"
cp -a "$work/lundi" "$work/a"
cp -a "$work/state-lundi" "$work/state"
start a
tell '   B répond : A reprend tout, avant d'"'"'écrire.'
copied a
hold "a b" "${all[@]}"
note a 'jeudi, sur A'
copied a
all+=('jeudi, sur A')
hold "a b" "${all[@]}"
equal 0 a b
tell '   Les cinq notes sont sur les deux postes.'

tell
tell '3. De même, B est éteint, et A écrit avant de l'"'"'avoir revu : sa signature sert deux fois.'
stop b
stop a
rm -rf "$work/a" "$work/state"
cp -a "$work/lundi" "$work/a"
cp -a "$work/state-lundi" "$work/state"
start a
note a 'vendredi, sans mardi, sur A'
start b
copied a
all+=('vendredi, sans mardi, sur A')
hold "a b" "${all[@]}"
tell '   A et B le disent tous deux :'
told a 'Un autre poste écrit avec les clés' node status
told b 'sous une même signature' node status
told a 'grisé' doctor
note a 'samedi, sur A'
note b 'samedi, sur B'
copied a
hold "a b" "${all[@]}" 'samedi, sur A' 'samedi, sur B'
equal 1 a b
tell '   Toutes les notes des deux branches restent, sur les deux postes, qui ont un seul dossier.'
echo 'restored_backup: passed'
