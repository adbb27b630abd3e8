#!/bin/bash
# shellcheck disable=SC1091,SC2154 # what stands beside this sets work, patient ...
# A computer's disk is copied whole (a machine image, an SSD cloned), a backup without the anti-rollback
# record opened on a third machine, and all go on: what the users are told, and that the entries of all
# stay. Reads as a story.
source "$(dirname "$0")/support.bash"
source "$(dirname "$0")/support_copies.bash"
start_copy() { # start_copy NAME
    XDG_STATE_HOME=$work/state-$1 node_start "$1"
    on "$1" unlock --passphrase-fd 0 <<< "$passphrase"
}

tell 'Deux postes, A et B, tiennent un dossier.'
story_begins
silent a
tell 'Lundi soir, le disque de A est copié en entier dans une seconde machine.'
stop a
cp -a "$work/a" "$work/double"
cp -a "$work/state" "$work/state-double"
tell 'Et la sauvegarde de ses données, sans la marque, est ouverte sur une troisième.'
cp -a "$work/a" "$work/triple"
tell 'Mardi, B est éteint ; les trois écrivent chacun de leur côté.'
stop b
start a
start_copy double
note a 'mardi, sur A'
note double 'mardi, sur le double'
silent a
silent double
start_copy triple
note triple 'mardi, sur le triple'
silent triple
stop triple
tell '   Aucun des trois ne peut encore le savoir.'

tell
tell 'Mercredi, B revient. A échange avec lui, puis le double.'
start b
copied a
silent b
stop a
copied double
all=('lundi, sur A' 'mardi, sur A' 'mardi, sur le double')
hold 'b double' "${all[@]}"
tell '   B reçoit les deux branches et le dit ; le double aussi :'
told b 'sous une même signature' node status
told double 'sous une même signature' node status
told double 'sous une même signature' doctor

tell
tell 'La troisième machine est reliée à son tour.'
stop double
start_copy triple
copied triple
all+=('mardi, sur le triple')
hold 'b triple' "${all[@]}"
told triple 'sous une même signature' node status
stop triple

tell
tell 'Jeudi, A revient.'
start a
copied a
hold 'a b' "${all[@]}"
told a 'sous une même signature' node status
tell '   Chacun écrit désormais sous une signature à lui.'
note a 'jeudi, sur A'
copied a
stop a
start_copy double
note double 'jeudi, sur le double'
copied double
stop double
start a
copied a
all+=('jeudi, sur A' 'jeudi, sur le double')
hold 'a b' "${all[@]}"
equal 1 a b
tell '   Les notes des trois branches restent, sur chaque poste, qui ont un seul dossier.'
echo 'doubled_image: passed'
