#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# The command line as people and scripts meet it: help, exit codes, sessions, one daemon a home.
source "$(dirname "$0")/support.bash"
maille=$ML_BIN/maille

# Help, manual page and completion come from the table: each command is in all three.
"$maille" --help > "$work/help"
"$maille" help --man > "$work/maille.1"
"$maille" help --completion > "$work/completion"
bash -n "$work/completion"
grep -q '^\.TH MAILLE 1' "$work/maille.1"
count=0
while IFS= read -r words; do
    read -ra command <<< "$words"
    "$maille" "${command[@]}" --help > "$work/one"
    grep -q "^Usage : maille $words" "$work/one" || die "no help for $words"
    grep -qF ".SS maille $words" "$work/maille.1" || die "$words is not in the manual page"
    grep -qF "'$words')" "$work/completion" || die "$words is not completed"
    count=$((count + 1))
done < <(sed -n 's/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p' "$work/help")
[ "$count" -ge 28 ] || die "only $count commands"

# 2: badly called. 1: refused. 0: done. In JSON too.
node_start a
refuses 2 a no such command
refuses 2 a patient show
refuses 2 a org found --name X
refuses 2 a verify --nothing
refuses 2 a log show --n twelve
refuses 2 a unlock --passphrase-fd stdin
refuses 2 a verify --token-fd -1
refuses 1 a verify
same 'error in JSON' "$(answer text)" org.none
refuses 1 a org found --name X --member-name Y --passphrase-fd 0 <<< court
same 'short passphrase' "$(answer text)" passphrase.short

# A session: of this terminal's session, or of who holds the token; nobody else's.
on a org found --name MSP --member-name 'Dr Roux' --passphrase-fd 0 <<< "$passphrase"
answer member_words > "$work/mine"
answer structure_words > "$work/structure"
on a verify
setsid --wait "$maille" verify --home "$work/a" > /dev/null 2> "$work/error.txt" && die 'another session read'
on a unlock --passphrase-fd 0 <<< "$passphrase"
answer token > "$work/token"
setsid --wait "$maille" verify --home "$work/a" --token-fd 3 3< "$work/token" > /dev/null
printf 'ffff%s\n' "$(cut -c5- "$work/token")" > "$work/wrong"
setsid --wait "$maille" verify --home "$work/a" --token-fd 3 3< "$work/wrong" > /dev/null 2>&1 && die 'a wrong token read'
refuses 1 a unlock --passphrase-fd 0 <<< 'une tout autre phrase'
# Two sheets: the member's words open his access, the structure's open none.
refuses 1 a unlock --recovery --passphrase-fd 0 < "$work/structure"
same 'the other sheet' "$(answer text)" unlock.wrong_words
on a unlock --recovery --passphrase-fd 0 < "$work/mine"
on a lock
refuses 1 a patient find
same 'locked' "$(answer text)" session.none

# One daemon a home; the socket is ours alone; kill -9 leaves nothing to repair.
"$ML_BIN/mailled" --home "$work/a" 2> "$work/error.txt" && die 'two daemons had one home'
grep -q 'un autre mailled' "$work/error.txt"
[ "$(stat -c %a "$work/a/run/sock")" = 600 ] || die 'the socket is open to others'
kill -9 "$(cat "$work/a/lock")"
flock "$work/a/lock" true
on a node status # starts it again
on a unlock --passphrase-fd 0 <<< "$passphrase"
on a verify
same integrity "$(answer integrity)" ok
on a doctor

# A graceful stop: exit 0, no socket left.
pid=$(cat "$work/a/lock")
cwd=$(readlink "/proc/$pid/cwd" || echo /) # only root may look
[ "$cwd" = / ] || die "mailled stays in $cwd"
kill "$pid"
flock "$work/a/lock" true
[ ! -e "$work/a/run/sock" ] || die 'a socket was left'
"$ML_BIN/mailled" --help > /dev/null
"$ML_BIN/mailled" --nothing 2> /dev/null && die 'a wrong option was taken'
"$ML_BIN/mailled" --home "$work/b" --listen nowhere 2> /dev/null && die 'a wrong address was taken'

# An invented population: one seed, one record; again adds nothing.
on a unlock --passphrase-fd 0 <<< "$passphrase"
on a gen --patients 5 --visits 1 --seed 3
same patients "$(answer patients)" 5
on a gen --patients 5 --visits 1 --seed 3
same 'written twice' "$(answer created)" 0
refuses 1 a gen --patients 0
echo 'cli: passed'
