#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# What a practitioner reads: every command's French output, with what it must say.
source "$(dirname "$0")/support.bash"
# says NODE WHAT COMMAND...: the text output holds WHAT.
says() {
    local node=$1 what=$2
    shift 2
    "$ML_BIN/maille" "$@" --home "$work/$node" > "$work/text" || die "maille $* failed"
    grep -qF -- "$what" "$work/text" || die "maille $*: no « $what » in: $(head -n 20 "$work/text")"
}
two_nodes
says a 'MSP des Tilleuls' org list
says a 'Dr Anne Roux' node status
says a 'infirmier' member list
says a 'enrol --member' member add --name 'Paul Petit' --profession kine --rank 3
on a member list
says a 'Code d' enrol --member "$(answer member)"
says b 'même dossier' sync status
says b "$address_a" peer list
on b peer list
says b "C'est fait" peer add "$(answer node)" "$address_a"
says b "C'est fait" sync now
says a 'graine 1' gen --patients 3 --visits 2
says a "C'est fait" sync wait --timeout-ms 60000
says a 'NOM DE NAISSANCE' patient find
says a 'Aucun patient' patient find zzzzzz
on a patient find --limit 1
patient=$(answer patient)
says a ' ans)   ' patient show "$patient"
says a ' : ' timeline "$patient" --limit 3 --voided
on a timeline "$patient" --entity observation --limit 1
object=$(answer object)
says a "$object" record show "$patient" "$object"
says a 'Enregistré' record void "$patient" "$object" --reason 'autre patient'
says a 'SAISI PAR ERREUR' timeline "$patient" --voided --limit 50
says a 'Rien à concilier' conflicts list
on a member list
nurse=$("$ML_BIN/maille" member list --json --home "$work/a" | grep -oE '"member": ?"[0-9a-f]{32}"' | sed -n '2s/.*"\([0-9a-f]*\)"$/\1/p')
says a 'Non : Données sensibles' right explain --member "$nurse" --class 6
says a '60:7  Infirmier, Traitements' matrix show --role infirmier
says a 'version 2' matrix set 60:7=w
says a "C'est dit" role grant --member "$nurse" --role infirmier --until 2999-12-31
says a "C'est dit" role grant --member "$nurse" --role kine
says a "C'est dit" role end --member "$nurse" --role kine
says a 'attend de signature' governance proposals
says a 'chaînes telles' governance checkpoint
says a "l'équipe de soins" right explain --member "$nurse" --class 'Notes médicales'
fields='{"birth_name": "Lefèvre", "birth_given_names": ["Zoé", "Anne"], "birth_date": "28/03/1979", "sex": "F"}'
"$ML_BIN/maille" record add patient --stdin --home "$work/a" <<< "$fields" > "$work/text"
grep -q 'Enregistré' "$work/text"
on a patient find lefevre
patient=$(answer patient)
on a sync wait --timeout-ms 60000
on b sync pause
says b 'en pause' sync status
on a record amend "$patient" "$patient" --set birth_date=1979-03-27
on b record amend "$patient" "$patient" --set birth_date=1979-03-29
on b sync resume
on b sync wait --timeout-ms 60000
says b 'Date de naissance' conflicts list
says b 'Enregistré' conflicts resolve "$patient" "$patient" --keep 1 --field birth_date
says b 'tout est intact' verify
says b 'contenu' log show --explain
says b 'Verdict : accepté' log show
says a 'envoyé : ' sync status
! grep -q ' sur ' "$work/text" || die "all is exchanged, yet: $(cat "$work/text")"
says b 'bon ' doctor
fhir=$(find "${ML_SOURCE:?}/tests/data" -name 'bundle*.json.gz' | sort | head -n 2)
# shellcheck disable=SC2086 # two paths without spaces
says a '2 fichiers' import fhir $fhir
echo '{' > "$work/cut.json"
refuses 1 a import fhir "$work/cut.json" "$work/absent.json"
same 'refused files' "$(answer refused)" 2
says a 'treatment' schema
says a 'obligatoire' schema treatment
refuses 1 a schema licorne
# A file of the record: its title is never taken for a path, and nothing is overwritten unasked.
head -c 300000 /dev/urandom > "$work/scan.pdf"
mkdir "$work/sorti"
on a document add "$patient" "$work/scan.pdf" --title '../../../evil'
object=$(answer object)
says a 'scan.pdf (PDF, 300 Ko) : ici' document show "$patient" "$object"
says a 'PDF, 300 Ko' timeline "$patient" --limit 3
says a '300000 octets' document save "$patient" "$object" --to "$work/sorti/copie.pdf"
cmp "$work/scan.pdf" "$work/sorti/copie.pdf"
echo autre > "$work/sorti/deja"
refuses 1 a document save "$patient" "$object" --to "$work/sorti/deja"
same 'a file that was there' "$(cat "$work/sorti/deja")" autre
ln -s "$work/sorti/ailleurs" "$work/sorti/lien"
refuses 1 a document save "$patient" "$object" --to "$work/sorti/lien"
[ ! -e "$work/sorti/ailleurs" ] || die 'a link was followed'
on a document save "$patient" "$object" --to "$work/sorti/deja" --force
cmp "$work/scan.pdf" "$work/sorti/deja"
refuses 2 a document save "$patient" "$object"
says a 'export  Dr' trace search --action export
on a patient show "$patient" --print
on a timeline "$patient" --print
on a record show "$patient" "$object" --export
says a 'impression  Dr' trace search --action print
refuses 1 a document save "$patient" "$object" --file 1 --to "$work/sorti/rien"
same 'what is left beside' "$(find "$work/sorti" | wc -l)" 4
on b sync wait --timeout-ms 60000
says b 'scan.pdf' document show "$patient" "$object"
says b 'Verrouillé' lock
# What a text tells to type exists: each « maille ... » is a command with such a --help.
cat "${ML_SOURCE:?}"/net/client/text*.c | tr -d '\n' | sed 's/" *"//g' |
    grep -oE '(«|“|\() ?maille [a-z]+( [a-z]+(-[a-z]+)?)?' | sed 's/^.* \?maille //' | sort -u > "$work/named"
same 'commands that texts name' "$(wc -l < "$work/named" | awk '{print ($1 > 20)}')" 1
while read -r named; do
    # shellcheck disable=SC2086 # words of a command
    "$ML_BIN/maille" $named --help > "$work/text" 2>&1 || :
    grep -qF "maille $named" "$work/text" || die "a text says « maille $named », which is no command"
done < "$work/named"
echo 'cli_text: passed'
"$ML_BIN/maille" member list --home "$work/a" > "$work/text"
paul=$(awk '/Paul Petit/ {print $1}' "$work/text")
says a 'Paul Petit est suspendu' member suspend --member "$paul" --hours 2
"$ML_BIN/maille" member add --name 'Zoé Petit' --profession kine --home "$work/a" > /dev/null
"$ML_BIN/maille" member list --home "$work/a" > "$work/text"
! grep -q 'Paul Petit' "$work/text" || die "suspended, yet listed: $(cat "$work/text")"
zoe=$(awk '/Zoé Petit/ {print $1}' "$work/text")
says a "Zoé Petit n'a plus le droit d'écrire" member revoke --member "$zoe" --compromised
"$ML_BIN/maille" member revoke --member 00112233445566778899aabbccddeeff --home "$work/a" 2> "$work/text" &&
    die "revoked a member who isn't"
grep -q "n'est pas de la structure" "$work/text"
"$ML_BIN/maille" member promote --member "$nurse" --home "$work/a" 2> "$work/text" && die 'one alone made a coordinator'
grep -q 'Léa Morin ne peut pas être nommé ainsi : il y faut 2 signatures, plus de la moitié des 1 ' "$work/text" ||
    die "not why: $(cat "$work/text")"
says a 'Léa Morin est maintenant référent' member rank --member "$nurse" --rank 2
"$ML_BIN/maille" member rank --member "$nurse" --rank 2 --home "$work/a" 2> "$work/text" && die 'twice one rank'
grep -q 'Léa Morin a déjà ce rang' "$work/text" || die "not why: $(cat "$work/text")"
says a 'Léa Morin est maintenant membre' member rank --member "$nurse" --rank 3
