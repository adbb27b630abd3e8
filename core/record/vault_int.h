/* core/record/vault_int.h -- shared by the vault's own files: its tables, statements and state. */
#ifndef ML_RECORD_VAULT_INT_H
#define ML_RECORD_VAULT_INT_H

#include "core/model/consent.h"
#include "core/record/object.h"
#include "core/record/vault.h"
#include "core/record/views.h"
#include "core/store/db.h"

#define VAULT_LAYOUT   10u /* of the tables' contents: another number projects again */
#define PATIENT_NOBODY 0

/* X(NAME, sql) */
#define VAULT_STMT_MAP(X)                                                                          \
    X(META_GET, "SELECT value FROM meta WHERE key = ?1")                                           \
    X(META_PUT, "INSERT INTO meta(key, value) VALUES(?1, ?2) "                                     \
                "ON CONFLICT(key) DO UPDATE SET value = excluded.value")                           \
    X(AUTHOR_ALL, "SELECT id, writer, member, node, role FROM author ORDER BY id")                 \
    X(AUTHOR_PUT, "INSERT INTO author(writer, member, node, role) VALUES(?1, ?2, ?3, ?4)")         \
    X(BUNDLE_PUT, "INSERT INTO bundle(n, author, seq, reason) VALUES(?1, ?2, ?3, ?4) "             \
                  "ON CONFLICT(n) DO NOTHING")                                                     \
    X(BUNDLE_GET, "SELECT author, seq, reason FROM bundle WHERE n = ?1")                           \
    X(PATIENT_FIND, "SELECT id FROM patient WHERE oid = ?1")                                       \
    X(PATIENT_PUT, "INSERT INTO patient(oid) VALUES(?1)")                                          \
    X(PATIENT_GET, "SELECT oid, card FROM patient WHERE id = ?1")                                  \
    X(PATIENT_TOKENS, "SELECT tokens FROM patient WHERE id = ?1")                                  \
    X(PATIENT_CARD, "UPDATE patient SET card = ?2, tokens = ?3, hkey = ?4 WHERE id = ?1")          \
    X(PATIENT_HKEY, "SELECT count(*) FROM (SELECT 1 FROM patient WHERE hkey = ?1 LIMIT 2)")        \
    X(PATIENT_ALL, "SELECT id, oid FROM patient ORDER BY oid")                                     \
    X(PATIENT_NEXT, "SELECT oid FROM patient WHERE oid > ?1 AND card IS NOT NULL ORDER BY oid "    \
                    "LIMIT 1")                                                                     \
    X(PATIENT_COUNT, "SELECT count(*) FROM patient WHERE card IS NOT NULL")                        \
    X(TOKEN_PUT, "INSERT INTO token(token, rank, patient) VALUES(?1, ?2, ?3) "                     \
                 "ON CONFLICT DO NOTHING")                                                         \
    X(TOKEN_DELETE, "DELETE FROM token WHERE token = ?1 AND rank = ?2 AND patient = ?3")           \
    X(TOKEN_RANGE, "SELECT token, rank, patient FROM token WHERE token >= ?1 AND token < ?2 "      \
                   "ORDER BY token, rank, patient")                                                \
    X(OBJECT_NEW, "INSERT INTO object(patient, entity, oid, life, flags, eff, hlc, versions) "     \
                  "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING")                 \
    X(OBJECT_GET, "SELECT id, versions, entity FROM object WHERE patient = ?1 AND oid = ?2 "       \
                  "AND entity = ?3")                                                               \
    X(OBJECT_SEEK, "SELECT id, versions, entity FROM object WHERE patient = ?1 AND oid = ?2 "      \
                   "ORDER BY entity")                                                              \
    X(OBJECT_BY_ID, "SELECT patient, entity, oid, versions, life, flags, eff, hlc FROM object "    \
                    "WHERE id = ?1")                                                               \
    X(OBJECT_SET, "UPDATE object SET life = ?2, flags = ?3, eff = ?4, hlc = ?5, versions = ?6 "    \
                  "WHERE id = ?1")                                                                 \
    X(OBJECT_OF_PATIENT, "SELECT id, entity, life, flags, eff, hlc FROM object "                   \
                         "WHERE patient = ?1")                                                     \
    X(OBJECT_IDS, "SELECT oid, entity FROM object WHERE patient = ?1 "                             \
                  "UNION SELECT oid, entity FROM kept WHERE patient = ?1")                         \
    X(OBJECT_HASHING, "SELECT entity, oid, versions FROM object WHERE patient = ?1 "               \
                      "ORDER BY oid, entity")                                                      \
    X(OBJECT_COUNT, "SELECT count(*) FROM object")                                                 \
    X(CONFLICT_CLEAR, "DELETE FROM conflict WHERE object = ?1")                                    \
    X(CONFLICT_PUT,                                                                                \
      "INSERT INTO conflict(object, slot, severity, patient) VALUES(?1, ?2, ?3, ?4)")              \
    X(CONFLICT_ALL, "SELECT object, slot, severity, patient FROM conflict "                        \
                    "WHERE ?1 < 0 OR patient = ?1 ORDER BY severity DESC, object, slot")           \
    X(CONFLICT_COUNT, "SELECT count(*), max(severity) FROM conflict WHERE ?1 < 0 OR patient = ?1") \
    X(WAIT_PUT, "INSERT INTO waiting(key, n, ready) VALUES(?1, ?2, 0) ON CONFLICT DO NOTHING")     \
    X(WAIT_READY, "UPDATE waiting SET ready = 1 WHERE key = ?1")                                   \
    X(WAIT_ALL_READY, "UPDATE waiting SET ready = 1")                                              \
    X(WAIT_NEXT, "SELECT min(n) FROM waiting WHERE ready = 1")                                     \
    X(WAIT_DONE, "DELETE FROM waiting WHERE n = ?1")                                               \
    X(WAIT_COUNT, "SELECT count(DISTINCT n) FROM waiting WHERE key NOT IN (SELECT oid FROM veil)") \
    X(SKIP_PUT, "INSERT INTO skipped(n, idx, why, patient) VALUES(?1, ?2, ?3, ?4) "                \
                "ON CONFLICT DO NOTHING")                                                          \
    X(SKIP_OF, "SELECT count(*) FROM skipped WHERE patient = ?1 AND why IN (1, 6)")                \
    X(SKIP_COUNT, "SELECT sum(why IN (1, 6)), sum(why NOT IN (1, 6)) FROM skipped")                \
    X(GROUP_PUT, "INSERT INTO groupop(accepted, op) VALUES(?1, ?2)")                               \
    X(GROUP_ALL, "SELECT accepted, op FROM groupop ORDER BY id")                                   \
    X(GROUP_SHRED, "DELETE FROM groupop WHERE instr(op, ?1)")                                      \
    X(WRAP_SHRED, "DELETE FROM wrap WHERE stream = ?1")                                            \
    X(BG_SHRED, "DELETE FROM bg WHERE stream = ?1")                                                \
    X(LATER_SHRED, "DELETE FROM later WHERE instr(op, ?1)")                                        \
    X(STREAM_GET, "SELECT s.patient, s.compartment, p.oid, s.owner FROM stream s JOIN patient p "  \
                  "ON p.id = s.patient WHERE s.id = ?1")                                           \
    X(STREAM_PUT, "INSERT INTO stream(id, patient, compartment, owner) VALUES(?1, ?2, ?3, ?4) "    \
                  "ON CONFLICT DO NOTHING")                                                        \
    X(STREAM_MOVE, "UPDATE stream SET patient = ?2, owner = ?3 WHERE id = ?1")                     \
    X(LINK_PUT, "INSERT INTO link(patient, team, secret, owner) VALUES(?1, ?2, ?3, ?4) "           \
                "ON CONFLICT DO NOTHING")                                                          \
    X(LINK_ALL, "SELECT team, secret, owner FROM link WHERE patient = ?1 ORDER BY team, secret")   \
    X(WRAP_PUT, "INSERT INTO wrap(stream, dek, kek, nonce, ct, seals) "                            \
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6) "                                                  \
                "ON CONFLICT DO UPDATE SET seals = seals | excluded.seals")                        \
    X(WRAP_ALL, "SELECT dek, kek, nonce, ct, seals FROM wrap WHERE stream = ?1")                   \
    X(BG_PUT, "INSERT INTO bg(stream, dek, pk, sealed) VALUES(?1, ?2, ?3, ?4) "                    \
              "ON CONFLICT DO NOTHING")                                                            \
    X(BG_ALL, "SELECT dek, pk, sealed FROM bg WHERE stream = ?1")                                  \
    X(GLASS_PUT, "INSERT INTO glass(writer, counts, op) VALUES(?1, ?2, ?3)")                       \
    X(GLASS_ALL, "SELECT writer, op FROM glass WHERE counts = 1 ORDER BY id")                      \
    X(BG_HAS, "SELECT 1 FROM bg WHERE stream = ?1 AND dek = ?2 AND pk = ?3")                       \
    X(BG_OF, "SELECT DISTINCT p.oid FROM bg b JOIN stream s ON s.id = b.stream "                   \
             "JOIN patient p ON p.id = s.patient WHERE s.compartment = ?1")                        \
    X(LATER_PUT, "INSERT INTO later(kek, op) VALUES(?1, ?2)")                                      \
    X(LATER_ALL, "SELECT op FROM later WHERE kek = ?1 ORDER BY id")                                \
    X(LATER_DONE, "DELETE FROM later WHERE kek = ?1")                                              \
    X(OBJECT_NEXT, "SELECT id, oid, entity FROM object WHERE patient = ?1 "                        \
                   "AND (oid, entity) > (?2, ?3) ORDER BY oid, entity LIMIT 1")                    \
    X(OBJECT_DROP, "DELETE FROM object WHERE id = ?1")                                             \
    X(CONSENT_PUT, "INSERT INTO consent(bundle, idx, writer, hlc, counts, op, plain, patient, "    \
                   "team) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "                             \
                   "ON CONFLICT(bundle, idx) DO UPDATE SET op = excluded.op, "                     \
                   "plain = excluded.plain, patient = excluded.patient")                           \
    X(CONSENT_OF, "SELECT bundle, idx, writer, hlc, counts, plain, team FROM consent "             \
                  "WHERE patient = ?1 ORDER BY bundle, idx")                                       \
    X(CONSENT_SEALED, "SELECT bundle, idx, writer, hlc, counts, op FROM consent "                  \
                      "WHERE op IS NOT NULL AND (bundle, idx) > (?1, ?2) "                         \
                      "ORDER BY bundle, idx LIMIT 1")                                              \
    X(CONSENT_WHOSE, "SELECT oid FROM patient WHERE oid > ?1 "                                     \
                     "AND id IN (SELECT patient FROM consent) ORDER BY oid LIMIT 1")               \
    X(VEIL_DIRTY, "INSERT INTO veil(patient, oid, dirty) "                                         \
                  "SELECT id, oid, 1 FROM patient WHERE id = ?1 "                                  \
                  "ON CONFLICT(patient) DO UPDATE SET dirty = 1")                                  \
    X(VEIL_DIRTY_ALL, "UPDATE veil SET dirty = 1")                                                 \
    X(VEIL_DIRTY_PAST, "UPDATE veil SET dirty = 1 WHERE next_ms <= ?1")                            \
    X(VEIL_DIRTY_LINKED, "INSERT INTO veil(patient, oid, dirty) SELECT id, oid, 1 FROM patient "   \
                         "WHERE id IN (SELECT patient FROM link) "                                 \
                         "ON CONFLICT(patient) DO UPDATE SET dirty = 1")                           \
    X(VEIL_NEXT, "SELECT patient, oid, classes, any FROM veil WHERE dirty = 1 LIMIT 1")            \
    X(VEIL_SET, "UPDATE veil SET dirty = 0, classes = ?2, any = ?3, next_ms = ?4, told = ?5 "      \
                "WHERE patient = ?1")                                                              \
    X(VEIL_GET, "SELECT classes, any FROM veil WHERE patient = ?1")                                \
    X(VEIL_ANY, "SELECT 1 FROM veil WHERE any = 1 LIMIT 1")                                        \
    X(VEIL_UNTOLD, "SELECT oid FROM veil WHERE told = 0 LIMIT 1")                                  \
    X(VEIL_TOLD, "UPDATE veil SET told = 1 WHERE oid = ?1")                                        \
    X(VEIL_OBJECT_CLEAR, "DELETE FROM veil_object WHERE patient = ?1")                             \
    X(VEIL_OBJECT_PUT, "INSERT INTO veil_object(patient, oid, classes) VALUES(?1, ?2, ?3) "        \
                       "ON CONFLICT DO NOTHING")                                                   \
    X(VEIL_OBJECT_GET, "SELECT classes FROM veil_object WHERE patient = ?1 AND oid = ?2")          \
    X(KEPT_PUT, "INSERT INTO kept(patient, entity, oid, n) VALUES(?1, ?2, ?3, ?4) "                \
                "ON CONFLICT DO NOTHING")                                                          \
    X(KEPT_SEEK, "SELECT 1 FROM kept WHERE patient = ?1 AND oid = ?2 LIMIT 1")                     \
    X(KEPT_COUNT, "SELECT entity, count(DISTINCT oid) FROM kept WHERE patient = ?1 "               \
                  "GROUP BY entity")                                                               \
    X(KEPT_READY, "INSERT INTO waiting(key, n, ready) SELECT p.oid, k.n, 1 FROM kept k "           \
                  "JOIN patient p ON p.id = k.patient WHERE k.patient = ?1 "                       \
                  "AND (?2 IS NULL OR k.oid = ?2) "                                                \
                  "ON CONFLICT(key, n) DO UPDATE SET ready = 1")                                   \
    X(KEPT_DROP, "DELETE FROM kept WHERE patient = ?1 AND (?2 IS NULL OR oid = ?2)")

enum vault_stmt {
#define X(NAME, sql) ST_##NAME,
    VAULT_STMT_MAP(X)
#undef X
        ST_COUNT,
};

struct vault_author {
    int64_t id;
    struct ml_writer_id writer;
    struct ml_member_id member;
    struct ml_node_id node;
    int64_t role; /* of the member when first met; 0: a node's own writer */
};

/* What is committed with each batch. */
struct vault_state {
    uint64_t key_cursor;    /* ingest number up to which lane 1 is applied */
    uint64_t record_cursor; /* and lane 3 projected */
    uint64_t log_epoch;
    uint64_t ops;
    uint64_t greyed;
    uint64_t complete; /* 1 once caught up */
};

/* What the member may read and see by the matrix, a bit for each class (vault_reads.c). */
struct vault_reads {
    uint64_t all; /* read, whoever wrote it */
    uint64_t own; /* read what he wrote himself */
    uint64_t see; /* know of what is there */
};

/* By the roles that he has anywhere, and with those that he has for some teams alone. */
struct vault_rights {
    struct vault_reads anywhere;
    uint64_t count;
    struct {
        struct ml_team_id team;
        struct vault_reads reads;
    } in[ML_ROLE_TEAMS_MAX];
};

struct ml_vault {
    const struct ml_env *env;
    const struct ml_schema *schema;
    struct ml_org_id org;
    struct ml_db *db;
    struct ml_stmt *st[ST_COUNT];
    struct ml_keyring *keyring;
    struct ml_keyring_store key_store;
    const struct ml_view_names *names;
    struct vault_state state;
    bool marked; /* the mark is that of number mark_n of the log */
    uint64_t mark_n;
    bool mark_checked; /* since it was opened: the log is the one that was followed */
    bool damaged;      /* rows contradict each other */
    uint64_t work;     /* bundles projected since it was opened */
    struct vault_author *authors;
    size_t author_count;
    size_t author_cap;
    bool unloaded;                    /* the state after a rollback could not be read yet */
    bool remap;                       /* a stream changed hands: project again */
    bool wait_any;                    /* some bundle may wait for a key */
    bool retry;                       /* and one of them may open now */
    struct ml_object_id last_patient; /* of the last patient looked up, and its row */
    int64_t last_patient_row;
    struct ml_buf packed; /* scratch: versions of one object */
    uint64_t heard;       /* statements that were opened */
    struct ml_member_id member;
    struct ml_consent_person *self; /* owned: the member, by the governance last looked at */
    struct vault_rights *rights;    /* owned: the same of his rights; of a glass all */
    int64_t rights_row;             /* of the patient asked about last: ... */
    struct vault_reads rights_here; /* ... what he may there */
    bool veils;                     /* some patient may have a veil */
    bool emergency; /* it is a glass's: what an emergency sets aside hides nothing */
    bool erase;     /* erased text may still stand in the WAL */
};

/* vault.c */
ml_err ml_vault_meta_put(struct ml_vault *v, const char *key, const void *value,
                         size_t len) ML_MUST_CHECK;
/* NOT_FOUND also when the value has another length. */
ml_err ml_vault_meta_get(struct ml_vault *v, const char *key, void *value,
                         size_t len) ML_MUST_CHECK;
ml_err ml_vault_row(struct ml_vault *v, enum vault_stmt st, bool *row) ML_MUST_CHECK;
/* Row id of a patient, made when absent if `make`; NOT_FOUND else. */
ml_err ml_vault_patient(struct ml_vault *v, const struct ml_object_id *oid, bool make,
                        int64_t *row) ML_MUST_CHECK;
ml_err ml_vault_author(struct ml_vault *v, struct ml_log *log, const struct ml_writer_id *writer,
                       int64_t *id) ML_MUST_CHECK;
const struct vault_author *ml_vault_author_of(const struct ml_vault *v, int64_t id);

/* vault_keys.c */
void ml_vault_key_store(struct ml_vault *v);
ml_err ml_vault_load_groups(struct ml_vault *v) ML_MUST_CHECK;
/* After the keys were followed: what was destroyed in the log since goes here too. `first`: nothing
 * of the log was followed before. */
ml_err ml_vault_catch_shreds(struct ml_vault *v, struct ml_log *log, bool first) ML_MUST_CHECK;
ml_err ml_vault_apply_keys(struct ml_vault *v, struct ml_log *log,
                           const struct ml_log_entry *entry) ML_MUST_CHECK;

/* vault_glass.c */
ml_err ml_vault_put_glass(struct ml_vault *v, const struct ml_log_entry *entry,
                          struct ml_slice op) ML_MUST_CHECK;

/* vault_consent.c: statements, as they come and as they can be opened. */
ml_err ml_vault_consent_put(struct ml_vault *v, const struct ml_log *log,
                            const struct ml_log_entry *entry, uint8_t index,
                            const struct ml_keyop *op) ML_MUST_CHECK;
/* KEKs have come: those that couldn't be opened. */
ml_err ml_vault_consent_retry(struct ml_vault *v) ML_MUST_CHECK;

/* vault_veil.c: what of a patient this member isn't to see; within a transaction. */
ml_err ml_vault_veil_dirty(struct ml_vault *v, int64_t patient) ML_MUST_CHECK;
/* Who this member is by now: another profession or team is weighed anew. */
ml_err ml_vault_veil_look(struct ml_vault *v, const struct ml_log *log) ML_MUST_CHECK;
/* After lane 1 was taken and before lane 3 is: what was hidden goes, what no longer is waits to be
 * projected. */
ml_err ml_vault_veil_renew(struct ml_vault *v, struct ml_log *log) ML_MUST_CHECK;
/* The same for a glass's vault, of one patient, by what `from` knows. STALE: something was decided
 * since the last time. */
ml_err ml_vault_veil_glass(struct ml_vault *v, struct ml_vault *from, const struct ml_log *log,
                           const struct ml_object_id *patient) ML_MUST_CHECK;
ml_err ml_vault_veil_hides(struct ml_vault *v, int64_t patient, const struct ml_entity *entity,
                           const struct ml_object_id *object, bool *hides) ML_MUST_CHECK;

/* vault_reads.c: what the matrix lets this member read; within a transaction. */
/* By what is known now; another answer than before makes the projection start again. */
ml_err ml_vault_reads_look(struct ml_vault *v, const struct ml_log *log) ML_MUST_CHECK;
/* Of one patient, by his teams. */
ml_err ml_vault_reads_of(struct ml_vault *v, int64_t row, const struct ml_object_id *patient,
                         struct vault_reads *out) ML_MUST_CHECK;
static inline bool ml_vault_reads_all(const struct vault_reads *r, const struct ml_entity *entity)
{
    return entity->is_shared || (r->all >> entity->data_class & 1u) != 0;
}
/* Not shown, but known: the bundle is projected again when ml_vault_kept_release says so. */
ml_err ml_vault_keep(struct ml_vault *v, int64_t patient, const struct ml_change *change,
                     uint64_t n) ML_MUST_CHECK;
/* What is kept of a patient, or of one object of his (NULL: all). */
ml_err ml_vault_kept_release(struct ml_vault *v, int64_t patient,
                             const struct ml_object_id *object) ML_MUST_CHECK;

/* vault_project.c */
/* The bundle is projected again when `key` comes. */
ml_err ml_vault_wait_for(struct ml_vault *v, const uint8_t key[16], uint64_t n) ML_MUST_CHECK;
ml_err ml_vault_project(struct ml_vault *v, struct ml_log *log,
                        const struct ml_log_entry *entry) ML_MUST_CHECK;

/* person.c: the patient index. */
ml_err ml_vault_index_patient(struct ml_vault *v, int64_t patient,
                              struct ml_object *o) ML_MUST_CHECK;

/* content.c */
/** False: it holds a field or a key that only a later version knows. */
bool ml_change_is_known(const struct ml_entity *entity, const struct ml_change *change);
uint8_t ml_content_verdict(const struct ml_entity *entity, const struct ml_change *change,
                           const struct ml_dict_entry *entry, const struct ml_stream_info *stream);

#define FLAG_CONFLICT 1 /* object.flags */
#define FLAG_GREYED   2 /* holds a version that doesn't count */

#define SKIP_UNKNOWN   1 /* skipped.why */
#define SKIP_FORGED    2
#define SKIP_MALFORMED 3
#define SKIP_SHREDDED  4
#define SKIP_TOO_LARGE 5 /* its object has no room for another version */
#define SKIP_PARTLY    6 /* projected, but for a part that this version doesn't know */

#endif
