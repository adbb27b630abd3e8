#!/bin/bash
# shellcheck disable=SC1091,SC2154 # support.bash stands beside this and sets work, passphrase ...
# A disk that is full, then a folder that can't be written: what the user reads, that nothing
# acknowledged is lost, and that all goes on by itself once there is room and right again. On a small
# file system of its own (a tmpfs in a mount namespace), so that it is a real ENOSPC and a real EROFS,
# for root too; where the machine allows no such namespace the simulated disk takes its place.
if [ -z "${ML_SMALL_DISK:-}" ]; then
    for how in 'unshare -m' 'unshare -Urm'; do
        # shellcheck disable=SC2086 # two or three words
        if $how sh -c 'mount -t tmpfs -o size=64k none /mnt' 2> /dev/null; then
            echo "disk_full: a real small file system ($how)"
            ML_SMALL_DISK=1 exec $how bash "$0"
        fi
    done
    echo "disk_full: no mount namespace here; the simulated disk, a full one only"
    exec "${ML_BIN:?}/../tests/hammer" full --daemon "$ML_BIN/../tests/mailled-powercut"
fi
source "$(dirname "$0")/support.bash"
disk=$work/petit
mkdir "$disk"
mount -t tmpfs -o size=6m none "$disk"
# shellcheck disable=SC2154 # rc: this script's own code, for finish
trap 'rc=$?; nodes_stop; while mountpoint -q "$disk"; do umount -l "$disk"; done; (exit $rc); finish' EXIT
mkdir -m 700 "$disk/a"
ln -s "$disk/a" "$work/a"
export XDG_STATE_HOME=$disk/state
tell() { printf '%s\n' "$*"; }
note() { # note TEXT: 0 when it was acknowledged
    "$ML_BIN/maille" record add care_note --patient "$patient" --set "data=$1" \
        --set written_at=2026-03-02T09:10 --home "$work/a" > "$work/text" 2> "$work/error.txt"
}
# whole [DISK-IS-FULL]: every acknowledged note is there, and nothing else. While the disk is full
# the last ones may wait for their place in the views: then the list says that it isn't complete; and
# no read goes without its trace: where even that has no room, it is refused in words.
whole() {
    if ! on a timeline "$patient" --entity care_note --limit 100000 2> "$work/error.txt"; then
        [ -n "${1:-}" ] || die "$(cat "$work/error.txt")"
        grep -q 'Le disque est plein' "$work/error.txt" || die "$(cat "$work/error.txt")"
        tell '    | (lecture refusée : sa trace ne tient plus sur le disque)'
        return
    fi
    sed -n 's/.*"text": "\(note [0-9]*\).*/\1/p' "$work/answer.json" | sort > "$work/have"
    sort "$work/ledger" > "$work/want"
    [ -z "$(comm -13 "$work/want" "$work/have")" ] || die 'a refused note is there'
    if [ -n "$(comm -23 "$work/want" "$work/have")" ]; then
        [ -n "${1:-}" ] || die "lost: $(comm -23 "$work/want" "$work/have")"
        same 'a list without the last notes says so' "$(answer complete)" false
        tell '    | (liste incomplète)'
    fi
    [ -n "${1:-}" ] && return
    on a verify
    same integrity "$(answer integrity)" ok
}
filler=$(head -c 3000 /dev/zero | tr '\0' x)
count=0
# write_until_refused: notes, until one isn't acknowledged.
write_until_refused() {
    while count=$((count + 1)) && note "note $count $filler"; do
        echo "note $count" >> "$work/ledger"
        [ "$count" -lt 5000 ] || die 'the disk never fills'
    done
    sed 's/^/    | /' "$work/error.txt"
}
node_start a
on a org found --name 'MSP des Tilleuls' --member-name 'Dr Anne Roux' --passphrase-fd 0 <<< "$passphrase"
on a record add patient --set birth_name=Lefèvre --set birth_given_names=Zoé --set birth_date=1979-03-28 --set sex=F
patient=$(answer patient)
note 'note 0' && echo 'note 0' >> "$work/ledger"

tell '1. Le disque se remplit pendant que A écrit.'
head -c 3500000 /dev/zero > "$disk/autre"
write_until_refused
grep -q 'Le disque est plein' "$work/error.txt" || die "said: $(cat "$work/error.txt")"
whole full
tell "   $(wc -l < "$work/ledger") notes enregistrées ; on peut lire."
"$ML_BIN/maille" doctor --home "$work/a" > "$work/text" || : # it finds the disk too small
grep -q 'faites de la place' "$work/text" || die 'doctor does not see the disk'

tell '2. A est tué, repart disque plein, et se laisse lire.'
kill -9 "$(cat "$work/a/lock")"
flock "$work/a/lock" true
node_start a
on a unlock --passphrase-fd 0 <<< "$passphrase"
whole full

tell '3. De la place : A écrit de nouveau, de lui-même.'
rm "$disk/autre"
note "note 90000" || die "still refused: $(cat "$work/error.txt")"
echo 'note 90000' >> "$work/ledger"
whole

tell '4. A est arrêté ; le système de fichiers est en lecture seule quand il repart.'
kill "$(cat "$work/a/lock")"
flock "$work/a/lock" true
mount --bind "$disk" "$disk" # over it: the old one may be in use until the daemon is quite gone
mount -o remount,bind,ro "$disk"
if "$ML_BIN/mailled" --home "$work/a" --test-keys > "$work/text" 2> "$work/error.txt"; then
    die 'a node began on a folder that it cannot write'
fi
sed 's/^/    | /' "$work/error.txt"
grep -qF "$work/a" "$work/error.txt" || grep -qF "$disk/a" "$work/error.txt" || die 'which folder is not said'
grep -q 'ne peut pas être écrit' "$work/error.txt" || die 'why is not said'
"$ML_BIN/maille" doctor --home "$work/a" > "$work/text" || : # it finds the folder closed
grep -q 'on ne peut pas y écrire' "$work/text" || die "doctor says: $(cat "$work/text")"
tell '5. Le droit revient : A repart, rien ne manque.'
umount "$disk"
node_start a
on a unlock --passphrase-fd 0 <<< "$passphrase"
whole
note "note 90001" || die "still refused: $(cat "$work/error.txt")"
echo 'note 90001' >> "$work/ledger"
whole
echo 'disk_full: passed'
