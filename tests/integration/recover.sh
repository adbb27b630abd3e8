#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# Keys on paper: the structure's sheets, and who forgot the passphrase (docs/operations.md).
source "$(dirname "$0")/support.bash"
maille=$ML_BIN/maille
sheet() { # sheet NUMBER [words|line]: of the last answer
    sed -n 's/.*"'"${2:-words}"'": "\([^"]*\)".*/\1/p' "$work/answer.json" | sed -n "$1p"
}

node_start a
address_a=$address
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

# A second member on this computer: the same six words on both screens, each opens with his own phrase.
on a node status
roux=$(answer member)
on a member add --name 'Hugo Petit' --profession infirmier
hugo=$(answer member)
for phrase in 'la phrase de Hugo ici' 'une autre phrase de Hugo'; do # the second time he forgot the first
    on a enrol --member "$hugo"
    on a enrol --here --code "$(answer code)" --passphrase-fd 0 <<< "$phrase"
    words=$(answer words)
    on a enrol --last
    same 'six words' "$(answer words)" "$words"
done
refuses 1 a unlock --member "$hugo" --passphrase-fd 0 <<< 'la phrase de Hugo ici'
on a unlock --member "$hugo" --passphrase-fd 0 <<< 'une autre phrase de Hugo'
same 'who is there' "$(answer member)" "$hugo"
same vaults "$(find "$work/a" -path '*/vaults/*.db' | wc -l)" 2
on a unlock --member "$roux" --passphrase-fd 0 <<< 'une nouvelle phrase de passe'
on a member revoke --member "$hugo"
on a node status # after the turn that deletes
refuses 1 a unlock --member "$hugo" --passphrase-fd 0 <<< 'une autre phrase de Hugo'
same 'vaults left' "$(find "$work/a" -path '*/vaults/*.db' | wc -l)" 1

# Neither passphrase nor sheet: the member joins again, the old folder stands aside.
on a member add --name 'Léa Morin' --profession infirmier
lea=$(answer member)
for try in first second; do
    node_start c
    on a enrol --member "$lea"
    on c enrol --code "$(answer code)" --address "$address_a" --passphrase-fd 0 <<< "phrase du $try essai"
    on c verify
    same integrity "$(answer integrity)" ok
    kill "$(cat "$work/c/lock")"
    flock "$work/c/lock" true
    mv "$work/c" "$work/c-$try"
done
on a member list
same "Léa's computers" "$(grep -A 20 "$lea" "$work/answer.json" | grep -c '"node":')" 2

# The only coordinator is lost: Léa's computer, two sheets of three, and a colleague's hears of it.
node_start b
address_b=$address
on b org found --alone --name MSP --member-name 'Dr Roux' --passphrase-fd 0 <<< "$passphrase"
roux=$(answer member)
{ sheet 3; sheet 1 line; } > "$work/two"
for name in d e; do
    on b member add --name "Membre $name" --profession infirmier
    member=$(answer member)
    on b enrol --member "$member"
    code=$(answer code)
    node_start "$name"
    declare "address_$name=$address"
    on "$name" enrol --code "$code" --address "$address_b" --passphrase-fd 0 <<< "$passphrase"
    on "$name" sync wait --until synced
done
member_e=$member
kill "$(cat "$work/b/lock")"
flock "$work/b/lock" true
refuses 2 d org recover --gone "$roux" < "$work/two"
refuses 1 d org recover --promote < <(head -n 1 "$work/two")
refuses 1 d member add --name 'Hugo Petit' --profession infirmier
"$maille" org recover --promote --gone "$roux" --home "$work/d" < "$work/two" > "$work/shown"
grep -q '^Membre d est désormais coordinateur' "$work/shown"
grep -q "^Dr Roux n'a plus aucun droit" "$work/shown"
on d member add --name 'Hugo Petit' --profession infirmier
on d node status
node_d=$(answer node)
# shellcheck disable=SC2154 # declared above
on e peer add "$node_d" "$address_d"
on e sync wait --until synced
on e member list
same 'ranks at e' "$(grep -o '"rank": [0-9]' "$work/answer.json" | sort | uniq -c | tr -s ' \n' ' ')" ' 1 "rank": 1 2 "rank": 3 '
refuses 1 d org recover --promote --member "$member_e" < "$work/line1"

# What a person sees who founds alone.
node_start f
"$maille" org found --alone --qr --name MSP --member-name 'Dr Roux' --home "$work/f" \
    --passphrase-fd 0 <<< "$passphrase" > "$work/shown"
same 'three sheets' "$(grep -c '^FEUILLE [123] SUR 3 DE LA STRUCTURE - 2 suffisent' "$work/shown")" 3
same 'three codes' "$(grep -c '^  MAILLE:[0-9A-F]\{88\}$' "$work/shown")" 3
grep '^  MAILLE:' "$work/shown" | tail -n 2 > "$work/lines"
on f org recover < "$work/lines"
# Each command that the procedures give exists, with its options.
count=0
# shellcheck disable=SC2016 # backquotes are looked for
while IFS= read -r line; do
    read -ra given <<< "$line"
    command=()
    for word in "${given[@]}"; do
        case $word in
            [a-z]*) [ "${#command[@]}" -ge 2 ] || command+=("$word") ;;
            *) break ;;
        esac
    done
    "$maille" "${command[@]}" --help > "$work/help"
    while IFS= read -r option; do
        grep -q -- "$option" "$work/help" || die "operations.md: $line: no $option"
    done < <(grep -oE -- '--[a-z-]+' <<< "$line")
    count=$((count + 1))
done < <(grep -oE '(`|^ *)maille [a-z][^`]*' "${ML_SOURCE:?}/docs/operations.md" | sed 's/^[` ]*maille //')
[ "$count" -ge 15 ] || die "only $count commands in operations.md"
echo 'recover: passed'
