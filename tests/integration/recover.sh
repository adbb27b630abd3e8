#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# Keys on paper: the structure's sheets, and who forgot the passphrase (docs/operations.md).
source "$(dirname "$0")/support.bash"
maille=$ML_BIN/maille
sheet() { # sheet NUMBER [words|line]: of the last answer
    sed -n 's/.*"'"${2:-words}"'": "\([^"]*\)".*/\1/p' "$work/answer.json" | sed -n "$1p"
}

node_start a
refuses 2 a org found --name MSP --member-name 'Dr Roux' --shares trois --passphrase-fd 0 <<< "$passphrase"
refuses 1 a org found --name MSP --member-name 'Dr Roux' --shares 6/5 --passphrase-fd 0 <<< "$passphrase"
same 'no such sharing' "$(answer text)" share.plan
on a org found --name MSP --member-name 'Dr Roux' --passphrase-fd 0 <<< "$passphrase"
same sheets "$(grep -c '"words"' "$work/answer.json")" 5
for n in 1 2 3 4 5; do
    sheet "$n" > "$work/sheet$n"
    sheet "$n" line > "$work/line$n"
done
answer member_words > "$work/mine"

# Three sheets, as words or as lines, in any order; two, a wrong word, one twice are said.
cat "$work/sheet4" "$work/line1" "$work/sheet2" > "$work/three"
on a org recover < "$work/three"
same root "$(answer root)" true
cat "$work/sheet4" "$work/line1" > "$work/two"
refuses 1 a org recover < "$work/two"
same 'two sheets' "$(answer text)" share.too_few
cat "$work/two" "$work/sheet1" > "$work/twice"
refuses 1 a org recover < "$work/twice"
same 'one sheet twice' "$(answer text)" share.twice
{ cat "$work/two"; sed 's/^[^ ]* [^ ]*/& bonjour/; s/ [^ ]*$//' "$work/sheet2"; } > "$work/wrong"
"$maille" org recover --home "$work/a" < "$work/wrong" > "$work/out" 2> "$work/said" && die 'a wrong word was taken'
grep -q "Feuille 3, mot 3 : il n'est pas dans la liste" "$work/said" || die "$(cat "$work/said")"

# New sheets, written to print: for nobody else to read.
"$maille" org recover --new 2/3 --print "$work/sheets" --home "$work/a" < "$work/three" > "$work/out"
grep -q 'shred -u' "$work/out"
same files "$(find "$work/sheets" -name 'feuille-*' | wc -l)" 6
same modes "$(find "$work/sheets" -perm 600 -name 'feuille-*' | wc -l)" 6
for svg in "$work"/sheets/*.svg; do
    grep -q '^</svg>$' "$svg" || die "$svg is cut"
    same words "$(grep -c '<text x="[0-9]*" y="[0-9]*">[0-9]*\. ' "$svg")" 32
done
if command -v zbarimg > /dev/null; then
    zbarimg --quiet --raw "$work"/sheets/*.png > "$work/scanned" 2> /dev/null
    same scanned "$(grep -c '^MAILLE:[0-9A-F]\{88\}$' "$work/scanned")" 3
    on a org recover < "$work/scanned"
fi

# The forgotten passphrase.
on a lock
on a unlock --recovery --passphrase-fd 0 < "$work/mine"
{ cat "$work/mine"; echo 'une nouvelle phrase de passe'; } > "$work/change"
on a passphrase --recovery --new-words --passphrase-fd 0 < "$work/change"
answer member_words > "$work/mine2"
on a lock
refuses 1 a unlock --passphrase-fd 0 <<< "$passphrase"
refuses 1 a unlock --recovery --passphrase-fd 0 < "$work/mine"
on a unlock --recovery --passphrase-fd 0 < "$work/mine2"
on a unlock --passphrase-fd 0 <<< 'une nouvelle phrase de passe'
on a verify
same integrity "$(answer integrity)" ok

# What a person sees who founds alone.
node_start b
"$maille" org found --alone --qr --name MSP --member-name 'Dr Roux' --home "$work/b" \
    --passphrase-fd 0 <<< "$passphrase" > "$work/shown"
same 'three sheets' "$(grep -c '^FEUILLE [123] SUR 3 DE LA STRUCTURE - 2 suffisent' "$work/shown")" 3
same 'three codes' "$(grep -c '^  MAILLE:[0-9A-F]\{88\}$' "$work/shown")" 3
grep '^  MAILLE:' "$work/shown" | tail -n 2 > "$work/lines"
on b org recover < "$work/lines"
echo 'recover: passed'
