/* core/store/log_sql.c -- the log's schema and statements (docs/storage/log.md). */
#include "core/store/log_impl.h"

static const struct ml_db_step steps[] = {
    {.sql = "CREATE TABLE writer(id INTEGER PRIMARY KEY, wid BLOB NOT NULL UNIQUE, pk BLOB,"
            " freeze BLOB);"
            "CREATE TABLE gvec(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE,"
            " vec BLOB NOT NULL);"
            "CREATE TABLE bundle(n INTEGER PRIMARY KEY, writer INTEGER NOT NULL,"
            " lane INTEGER NOT NULL, seq INTEGER NOT NULL, prev INTEGER NOT NULL,"
            " verdict INTEGER NOT NULL, reason INTEGER NOT NULL, flags INTEGER NOT NULL,"
            " ops INTEGER NOT NULL, bytes INTEGER NOT NULL, hlc INTEGER NOT NULL,"
            " key INTEGER NOT NULL, gvec INTEGER NOT NULL, hash BLOB NOT NULL, own BLOB NOT NULL,"
            " sig BLOB NOT NULL, header BLOB NOT NULL);"
            "CREATE INDEX bundle_place ON bundle(writer, lane, seq);"
            "CREATE INDEX bundle_key ON bundle(key);"
            "CREATE INDEX bundle_lane0 ON bundle(n) WHERE lane = 0;"
            "CREATE TABLE body(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
            "CREATE TABLE fill(n INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
            "CREATE TABLE hole(n INTEGER PRIMARY KEY, reason INTEGER NOT NULL);"
            "CREATE TABLE head(n INTEGER PRIMARY KEY, cites BLOB NOT NULL);"
            "CREATE TABLE pending(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
            " writer BLOB NOT NULL, reason INTEGER NOT NULL, wait_writer BLOB NOT NULL,"
            " wait_lane INTEGER NOT NULL, wait_seq INTEGER NOT NULL, wait_hash BLOB NOT NULL,"
            " wire BLOB NOT NULL);"
            "CREATE INDEX pending_wait ON pending(wait_writer, wait_lane, wait_seq);"
            "CREATE INDEX pending_writer ON pending(writer);"
            "CREATE TABLE tally(id INTEGER PRIMARY KEY CHECK(id = 1), org BLOB NOT NULL,"
            " bundles INTEGER NOT NULL, ops INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
            " epoch INTEGER NOT NULL, hlc INTEGER NOT NULL);"
            "CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE peer(node BLOB PRIMARY KEY, address TEXT NOT NULL, seen INTEGER NOT NULL,"
            " err INTEGER NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE base(node BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;"},
    {.sql = "CREATE TABLE chunk(id INTEGER PRIMARY KEY, key INTEGER NOT NULL, hash BLOB NOT NULL,"
            " bytes INTEGER NOT NULL, state INTEGER NOT NULL);"
            "CREATE INDEX chunk_key ON chunk(key);"
            "CREATE INDEX chunk_missing ON chunk(id) WHERE state = 0;"
            "CREATE TABLE chunk_body(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
            "ALTER TABLE tally ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;"
            "ALTER TABLE tally ADD COLUMN chunks_missing INTEGER NOT NULL DEFAULT 0;"},
    {.sql = "CREATE TABLE shred(id INTEGER PRIMARY KEY, by INTEGER NOT NULL,"
            " place INTEGER NOT NULL, stream BLOB NOT NULL, wrap BLOB NOT NULL,"
            " wrap_at INTEGER NOT NULL, cover BLOB NOT NULL, cover_at INTEGER NOT NULL,"
            " epoch BLOB NOT NULL, epoch_at INTEGER NOT NULL, dek BLOB NOT NULL,"
            " done INTEGER NOT NULL);"
            "CREATE INDEX shred_wrap ON shred(wrap);"
            "CREATE INDEX shred_cover ON shred(cover);"
            "CREATE INDEX shred_epoch ON shred(epoch);"
            "CREATE INDEX shred_by ON shred(by);"
            "CREATE INDEX shred_done ON shred(done);"
            "CREATE INDEX bundle_lane1 ON bundle(n) WHERE lane = 1;"
            /* What an earlier program kept unread is read once, at the opening (log_shred.c). */
            "INSERT OR REPLACE INTO setting SELECT 'shreds.unread', x'01'"
            " WHERE EXISTS(SELECT 1 FROM bundle WHERE lane = 1);"},
    /* Of a log that has bundles the opening makes them (log_past.c). */
    {.sql = "CREATE TABLE past(n INTEGER PRIMARY KEY, hash BLOB NOT NULL);"
            "ALTER TABLE tally ADD COLUMN past BLOB;"},
};

const struct ml_db_schema ml_log_schema = {
    .application_id = ML_LOG_APPLICATION_ID,
    .steps = steps,
    .step_count = sizeof(steps) / sizeof(steps[0]),
};

#define KNOWN "SELECT n, hash, hlc, own, gvec, prev, verdict FROM bundle "
#define CHUNK "SELECT id, hash, bytes, state FROM chunk "
#define SHRED                                                                                      \
    "SELECT id, by, place, stream, wrap, wrap_at, cover, cover_at, epoch, epoch_at, dek FROM "     \
    "shred "
#define ENTRY "SELECT n, hash, verdict, reason, bytes, flags, header, sig FROM bundle "

/* "lane IS ?2" where "=" would mean the same: SQLite would hold lane = ?2 against the condition of
 * the index bundle_lane0, and prepare the statement again whenever another number is bound. */
const char *const ml_log_sql[ML_SQL_COUNT] = {
    [ML_SQL_WRITERS] = "SELECT id, wid, pk, freeze FROM writer ORDER BY id",
    [ML_SQL_WRITER_PUT] = "INSERT INTO writer(id, wid) VALUES(?1, ?2)",
    [ML_SQL_WRITER_SET] = "UPDATE writer SET pk = ?2, freeze = ?3 WHERE id = ?1",
    [ML_SQL_GVEC_BY_DIGEST] = "SELECT id FROM gvec WHERE digest = ?1",
    [ML_SQL_GVEC_BY_ROW] = "SELECT vec FROM gvec WHERE id = ?1",
    [ML_SQL_GVEC_PUT] = "INSERT INTO gvec(digest, vec) VALUES(?1, ?2)",
    [ML_SQL_HEADS] = "SELECT b.n, b.hash, b.hlc, b.own, b.gvec, b.writer, b.lane, h.cites"
                     " FROM head h JOIN bundle b ON b.n = h.n ORDER BY b.n",
    [ML_SQL_HEAD_PUT] = "INSERT OR REPLACE INTO head(n, cites) VALUES(?1, ?2)",
    [ML_SQL_HEAD_DELETE] = "DELETE FROM head WHERE n = ?1",
    [ML_SQL_BUNDLE_PUT] = "INSERT INTO bundle(n, writer, lane, seq, prev, verdict, reason, flags,"
                          " ops, bytes, hlc, key, gvec, hash, own, sig, header) VALUES"
                          "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
    [ML_SQL_BODY_PUT] = "INSERT INTO body(n, bytes) VALUES(?1, ?2)",
    [ML_SQL_HOLE_PUT] = "INSERT OR REPLACE INTO hole(n, reason) VALUES(?1, ?2)",
    [ML_SQL_HOLE_DELETE] = "DELETE FROM hole WHERE n = ?1",
    [ML_SQL_FILL_PUT] = "INSERT OR REPLACE INTO fill(n, bytes) VALUES(?1, ?2)",
    [ML_SQL_FLAGS_SET] = "UPDATE bundle SET flags = ?2, bytes = ?3 WHERE n = ?1",
    [ML_SQL_PLACE] = KNOWN "WHERE writer = ?1 AND lane IS ?2 AND seq = ?3",
    [ML_SQL_KNOWN] = KNOWN "WHERE n = ?1",
    [ML_SQL_LINK] = "SELECT prev, header, seq, hash FROM bundle WHERE n = ?1",
    [ML_SQL_ENTRY] = ENTRY "WHERE n = ?1",
    [ML_SQL_ENTRY_AFTER] = ENTRY "WHERE n > ?1 AND (?2 >> lane) & 1 ORDER BY n LIMIT 1",
    [ML_SQL_ENTRY_LEFT_OUT] =
        ENTRY "WHERE n > ?1 AND verdict = 2 AND lane IS ?2 ORDER BY n LIMIT 1",
    [ML_SQL_BY_KEY] = "SELECT n, hash FROM bundle WHERE key = ?1",
    [ML_SQL_BODY] = "SELECT bytes FROM body WHERE n = ?1",
    [ML_SQL_FILL] = "SELECT bytes FROM fill WHERE n = ?1",
    [ML_SQL_HOLE] = "SELECT reason FROM hole WHERE n = ?1",
    [ML_SQL_HOLES] = "SELECT w.wid, b.lane, b.seq, b.hash, h.reason FROM hole h"
                     " JOIN bundle b ON b.n = h.n JOIN writer w ON w.id = b.writer"
                     " ORDER BY w.wid, b.lane, b.seq, b.hash",
    [ML_SQL_PENDING_PUT] = "INSERT INTO pending(hash, writer, reason, wait_writer, wait_lane,"
                           " wait_seq, wait_hash, wire) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)",
    [ML_SQL_PENDING_FIND] = "SELECT id FROM pending WHERE hash = ?1",
    [ML_SQL_PENDING_WAITING] = "SELECT id, wire, reason FROM pending WHERE wait_writer = ?1 AND"
                               " wait_lane = ?2 AND wait_seq = ?3 AND"
                               " (wait_hash = ?4 OR wait_hash = zeroblob(16)) ORDER BY id LIMIT 1",
    [ML_SQL_PENDING_READ] = "SELECT writer, reason, wait_writer, wait_lane, wait_seq, wait_hash"
                            " FROM pending ORDER BY id LIMIT ?1",
    [ML_SQL_PENDING_DELETE] = "DELETE FROM pending WHERE id = ?1",
    [ML_SQL_PENDING_OF_WRITER] =
        "SELECT count(*), total(length(wire)) FROM pending WHERE writer = ?1",
    [ML_SQL_PENDING_ALL] = "SELECT count(*), total(length(wire)),"
                           " total(length(wire) * (reason = ?1)) FROM pending",
    [ML_SQL_PENDING_COUNT] = "SELECT count(*) FROM pending WHERE reason = ?1",
    [ML_SQL_PENDING_NEWER] =
        "SELECT id, wire, reason FROM pending WHERE reason = ?1 AND id > ?2 ORDER BY id LIMIT 1",
    [ML_SQL_TALLY] = "SELECT org, bundles, ops, quarantined, epoch, hlc, chunks, chunks_missing,"
                     " past FROM tally",
    [ML_SQL_TALLY_SET] = "INSERT OR REPLACE INTO tally(id, org, bundles, ops, quarantined, epoch,"
                         " hlc, chunks, chunks_missing, past) VALUES(1, ?1, ?2, ?3, ?4, ?5, ?6, ?7,"
                         " ?8, ?9)",
    [ML_SQL_PAST] = "SELECT hash FROM past WHERE n = ?1",
    [ML_SQL_PAST_PUT] = "INSERT INTO past(n, hash) VALUES(?1, ?2)",
    [ML_SQL_HASHES] = "SELECT n, hash FROM bundle WHERE n > ?1 AND n <= ?2 ORDER BY n",
    [ML_SQL_LANE0] = "SELECT n FROM bundle WHERE lane = 0 AND n > ?1 ORDER BY n"
                     " LIMIT 1",
    [ML_SQL_JUDGE_ROWS] = "SELECT n, seq, gvec, verdict, reason, ops, hash, header FROM bundle"
                          " WHERE writer = ?1 AND lane IS ?2 AND seq > ?3 AND seq <= ?4"
                          " ORDER BY seq",
    [ML_SQL_JUDGE_ONE] = "UPDATE bundle SET verdict = ?2, reason = ?3 WHERE n = ?1",
    [ML_SQL_RULING] = "SELECT verdict, reason FROM bundle WHERE n = ?1",
    [ML_SQL_CITERS] = "SELECT header, gvec, verdict, reason FROM bundle WHERE writer = ?1 AND"
                      " lane IS ?2 AND seq <= ?3 ORDER BY seq DESC",
    [ML_SQL_STATE] = "SELECT hash, verdict FROM bundle WHERE lane <> 2 ORDER BY hash",
    [ML_SQL_TRACE] = "SELECT hash FROM bundle WHERE lane = 2 ORDER BY hash",
    [ML_SQL_MEASURE] = "SELECT count(*), total(bytes) FROM bundle WHERE writer = ?1 AND lane IS ?2"
                       " AND seq > ?3 AND seq <= ?4",
    [ML_SQL_CHAIN_ROWS] = "SELECT n, prev, bytes, hash FROM bundle WHERE writer = ?1 AND lane IS ?2"
                          " AND seq <= ?3 ORDER BY n",
    [ML_SQL_HOLE_COUNT] = "SELECT count(*) FROM hole WHERE reason <> 2",
    [ML_SQL_LAST] = "SELECT max(n) FROM bundle",
    [ML_SQL_PENDING_WIRES] = "SELECT id, wire FROM pending WHERE id > ?1 ORDER BY id LIMIT 1",
    [ML_SQL_SETTINGS] = "SELECT key, value FROM setting ORDER BY key",
    [ML_SQL_SETTING_GET] = "SELECT value FROM setting WHERE key = ?1",
    [ML_SQL_SETTING_PUT] = "INSERT OR REPLACE INTO setting(key, value) VALUES(?1, ?2)",
    [ML_SQL_SETTING_DELETE] = "DELETE FROM setting WHERE key = ?1",
    [ML_SQL_PEERS] = "SELECT node, address, seen, err FROM peer ORDER BY node",
    [ML_SQL_PEER_PUT] = "INSERT OR REPLACE INTO peer(node, address, seen, err)"
                        " VALUES(?1, ?2, ?3, ?4)",
    [ML_SQL_BASE_GET] = "SELECT bytes FROM base WHERE node = ?1",
    [ML_SQL_CHUNK_FIND] = CHUNK "WHERE key = ?1 AND state < 2",
    [ML_SQL_CHUNK_PUT] = "INSERT INTO chunk(key, hash, bytes, state) VALUES(?1, ?2, ?3, ?4)",
    [ML_SQL_CHUNK_SET] = "UPDATE chunk SET bytes = ?2, state = ?3 WHERE id = ?1",
    [ML_SQL_CHUNK_AFTER] = CHUNK "WHERE id > ?1 AND state < 2 ORDER BY id LIMIT 1",
    [ML_SQL_CHUNK_MISSING] = CHUNK "WHERE state = 0 AND id > ?1 ORDER BY id LIMIT 1",
    [ML_SQL_CHUNK_BODY] = "SELECT bytes FROM chunk_body WHERE id = ?1",
    [ML_SQL_CHUNK_BODY_PUT] = "INSERT INTO chunk_body(id, bytes) VALUES(?1, ?2)",
    [ML_SQL_PRUNE_NEXT] =
        "SELECT n FROM bundle b WHERE lane IS 2 AND hlc < ?1 AND n > ?2 AND NOT EXISTS"
        " (SELECT 1 FROM hole h WHERE h.n = b.n AND h.reason = 2) ORDER BY n LIMIT 1",
    [ML_SQL_BODY_DELETE] = "DELETE FROM body WHERE n = ?1",
    [ML_SQL_FILL_DELETE] = "DELETE FROM fill WHERE n = ?1",
    [ML_SQL_SHRED_PUT] = "INSERT INTO shred(by, place, stream, wrap, wrap_at, cover, cover_at,"
                         " epoch, epoch_at, dek, done) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,0)",
    [ML_SQL_SHRED_NEXT] = SHRED "WHERE done = 0 AND id > ?1 ORDER BY id LIMIT 1",
    [ML_SQL_SHRED_NAMING] = SHRED "WHERE (wrap = ?2 OR cover = ?2 OR epoch = ?2 OR by = ?3) AND"
                                  " done = 0"
                                  " AND id > ?1 ORDER BY id LIMIT 1",
    [ML_SQL_SHRED_OF] = SHRED "WHERE wrap = ?2 AND wrap_at = ?3 AND id > ?1 ORDER BY id LIMIT 1",
    [ML_SQL_SHRED_COVER] =
        SHRED "WHERE wrap = ?1 AND wrap_at = ?2 AND done > 0 ORDER BY done LIMIT 1",
    [ML_SQL_SHRED_DONE] = "UPDATE shred SET done = ?2 WHERE id = ?1",
    [ML_SQL_SHRED_COUNT] = "SELECT count(*), ifnull(max(done), 0) FROM shred",
    [ML_SQL_SHRED_AFTER] =
        "SELECT s.done, s.by, s.stream, substr(b.hash, 1, 16), s.place, (SELECT count(*) FROM shred"
        " x WHERE x.by = s.by AND x.place = s.place AND x.done = 0), s.cover = s.wrap AND "
        "s.cover_at ="
        " s.wrap_at FROM shred s JOIN bundle b ON b.n = s.by WHERE s.done > ?1 ORDER BY s.done "
        "LIMIT 1",
    [ML_SQL_KEYS_WITH] = "SELECT b.n FROM bundle b WHERE b.lane = 1 AND b.n > ?1 AND"
                         " instr(ifnull((SELECT bytes FROM fill f WHERE f.n = b.n AND"
                         " (b.flags & 2) = 0), (SELECT bytes FROM body y WHERE y.n = b.n)), ?2)"
                         " ORDER BY b.n LIMIT 1",
    [ML_SQL_BODY_SET] = "UPDATE body SET bytes = ?2 WHERE n = ?1",
    [ML_SQL_BASE_PUT] = "INSERT OR REPLACE INTO base(node, bytes) VALUES(?1, ?2)",
};
