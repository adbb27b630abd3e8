#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# Three real records as a practitioner reads them, line for line: tests/data/show/*.txt, read by eye.
# ML_WRITE_GOLDEN=1 writes them again; read the difference before you commit it.
source "$(dirname "$0")/support.bash"
golden=${ML_SOURCE:?}/tests/data/show
export TZ=Europe/Paris
# What changes from one run to the next: object ids, ages, the day of today.
masked() {
    sed -E 's/[0-9a-f]{32}/ID/g; s/\([0-9]+ ans?\)/(… ans)/' "$1"
}
# compares NAME: the text in $work/text is the committed one.
compares() {
    masked "$work/text" > "$work/$1.txt"
    if [ -n "${ML_WRITE_GOLDEN:-}" ]; then
        cp "$work/$1.txt" "$golden/$1.txt"
    fi
    diff -u "$golden/$1.txt" "$work/$1.txt" || die "$1 reads otherwise"
}
node_start a
on a org found --name 'MSP des Tilleuls' --member-name 'Dr Anne Roux' --passphrase-fd 0 <<< "$passphrase"
while read -r bundle name; do
    on a import fhir "$ML_SOURCE/tests/data/fhir-r4/$bundle.json.gz"
    on a patient find "$name"
    patient=$(answer patient)
    {
        "$ML_BIN/maille" patient show "$patient" --home "$work/a"
        echo
        "$ML_BIN/maille" timeline "$patient" --limit 25 --home "$work/a" | grep -v '^ *Dr Anne Roux '
        echo
        "$ML_BIN/maille" timeline "$patient" --entity care_plan --entity imaging_study \
            --entity procedure --entity problem --entity document --limit 20 --home "$work/a" |
            grep -v '^ *Dr Anne Roux '
    } > "$work/text"
    compares "$name"
    if grep -E '\(illisible\)|[{}]|  : |, ,|: ,' "$work/text"; then
        die "$name: a text that no one would write"
    fi
done << 'END'
bundle-35 Delagarza
bundle-16 Moen
bundle-41 Gomez
END
echo 'show: passed'
