#!/bin/bash
# Breaks the sealed files one rule at a time and asks that a test sees each.
# Usage: tests/mutants/vfs.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

S=core/store/vfs/seal.c
mutant $S 's/ml_put_u32be(ad + VFS_FILE_ID_BYTES, block->number);/ml_put_u32be(ad + VFS_FILE_ID_BYTES, 7);/' test_vfs_damage
mutant $S 's/memcpy(ad, db->file_id, VFS_FILE_ID_BYTES);/memset(ad, 0, VFS_FILE_ID_BYTES);/' test_vfs_damage
mutant $S 's/memcpy(ad + s->ad_len, block->salts, VFS_SALTS_BYTES);/memset(ad + s->ad_len, 0, VFS_SALTS_BYTES);/' test_vfs_damage
mutant $S 's/memcpy(nonce, db->nonces\[db->nonces_left\], ML_AEAD_NONCE_BYTES);/memset(nonce, 1, ML_AEAD_NONCE_BYTES);/' test_vfs_damage
mutant $S 's/ml_get_u32be(tag + ML_AEAD_TAG_BYTES) != VFS_EPOCH ||/false ||/' test_vfs_damage
mutant $S 's/ml_get_u32be(tag + ML_AEAD_TAG_BYTES + 4) != VFS_FORMAT ||/false ||/' test_vfs_damage
mutant $S 's/memset(out + s.reserve, 0, VFS_RESERVE_BYTES);//' test_vfs_life
mutant $S 's/memcmp(sealed, db->head, VFS_HEAD_BYTES) != 0/false/' test_vfs_direct
N=core/store/vfs/wal_scan.c
mutant $N 's/COMMITS_MIN 2u/COMMITS_MIN 1u/' test_vfs_damage
mutant $N 's/COMMITS_MIN 2u/COMMITS_MIN 3u/' test_vfs_damage
mutant $N 's/if (!chains(&s, w->frame)) {/if (chains(\&s, w->frame) \&\& false) {/' test_vfs_damage
mutant $N 's/            continue;/            break;/' test_vfs_damage
W=core/store/vfs/wal_file.c
mutant $W 's/rc = damage ? SQLITE_OK : ml_vfs_wal_damage_at(w, slot, &damage);/rc = SQLITE_OK;/' test_vfs_damage
mutant $W 's/size >= frame_offset(2)/false/' test_vfs_damage
mutant $W 's/if (slot > w->highest) {/if (slot > 0) {/' test_vfs_gates
mutant $W 's/        w->highest = 0;//' test_vfs_faults
mutant $W 's/if (w->generation != now) {/if (false) {/' test_vfs_damage
mutant $W 's/    db->wal_generation++;//' test_vfs_direct
mutant $W 's/size = size < header ? 0 : .*/size += 0 * header;/' test_vfs_gates
mutant $W 's/if (ml_get_u32be(w->frame) == 1 && !ml_vfs_page1_ok(page)) {/if (false) {/' test_vfs_gates
mutant $W 's/return rc == SQLITE_IOERR_DATA ? frame_failed(w, slot, .*/return rc == SQLITE_IOERR_DATA ? SQLITE_OK : rc;/' test_vfs_damage
M=core/store/vfs/main_file.c
mutant $M 's/return SQLITE_IOCAP_POWERSAFE_OVERWRITE | (base/return (base/' test_vfs_life test_vfs_gates
mutant $M 's/if (!m->in_checkpoint) {/if (false) {/' test_vfs_gates
mutant $M 's/if (number == 1 && !ml_vfs_page1_ok(plain)) {/if (false) {/' test_vfs_gates
mutant $M 's/if (!m->may_truncate || /if (/' test_vfs_gates
mutant $M 's/if (offset == 0 && bytes == HEADER_PROBE_BYTES) {/if (false) {/' test_vfs_damage
mutant $M 's/if (rc == SQLITE_OK && number > m->pages + 1) {/if (false) {/' test_vfs_gates
mutant $M 's/if (rc == SQLITE_OK && pages > m->pages) {/if (false) {/' test_vfs_gates
mutant $M 's/        if (number != VFS_LOCK_PAGE) {/        if (true) {/' test_vfs_gates
O=core/store/vfs/open.c
mutant $O 's/if (sqlite3_uri_parameter(name, refused\[i\]) != NULL) {/if (false) {/' test_vfs_life
mutant $O 's/    if (wal) {/    if (false) {/' test_vfs_damage
mutant $O 's/if (rc == SQLITE_OK && size < (sqlite3_int64)VFS_PAGE_BYTES) {/if (false) {/' test_vfs_damage
mutant $O 's/if (!ml_vfs_head_ok(db->vfs, head)) {/if (false) {/' test_vfs_life
mutant $O 's/rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);/rc = SQLITE_OK;/' test_vfs_power
mutant $O 's/vfs->host->sync_folder(vfs->host->ctx, path)/0/' test_vfs_power
mutant $O 's/if (name == NULL || (flags & HEAP_KINDS) != 0) {/if (name == NULL) {/' test_vfs_direct
mutant $O 's/    if (m->readonly) {/    if (false) {/' test_vfs_gates
R=core/store/vfs/registry.c
mutant $R 's/    if (vfs->open_files > 0) {/    if (false) {/' test_vfs_life
mutant $R 's/atomic_fetch_add(&registry_forks, 1);//' test_vfs_life
mutant $R 's/        locks_forget(vfs);/        (void)locks_forget;/' test_vfs_life
mutant $R 's/return len >= sizeof(suffix) - 1 && /return false \&\& /' test_vfs_gates
D=core/store/vfs/db.c
mutant $D 's/rc = lock_take(vfs, db, readonly);/(void)lock_take;/' test_vfs_life
mutant $D 's/if (!same_path || (!same_file && db->id_known)) {/if (false) {/' test_vfs_life
K=core/store/vfs/lock.c
mutant $K 's/if (level == SQLITE_LOCK_EXCLUSIVE && db->shared > 1) {/if (false) {/' test_vfs_direct
H=core/store/vfs/shm.c
mutant $H 's/if (db->shm_lock\[first\] < 0) {/if (false) {/' test_vfs_direct
mutant $H 's/if (db->shm_lock\[i\] != 0 && (m->shm_exclusive & 1u << i) == 0) {/if (false) {/' test_vfs_direct
C=core/store/vfs/control.c
mutant $C 's/\*(sqlite3_int64 \*)arg = 0;//' test_vfs_gates
mutant $C 's/if (sqlite3_stricmp(name, "page_size") == 0 \&\&/if (false \&\&/' test_vfs_gates
P=core/store/vfs/purge.c
mutant $P 's/rc = optimize(db, fts_tables\[i\]);/(void)optimize;/' test_vfs_gates
mutant $P 's/rc = sqlite3_wal_checkpoint_v2(db, .*/rc = SQLITE_OK;/' test_vfs_gates
mutants_end
