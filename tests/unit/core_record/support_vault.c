/* tests/unit/core_record/support_vault.c -- see support_vault.h. */
#include "support_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/hlc.h"
#include "core/base/ids.h"
#include "core/codec/mp_write.h"
#include "core/crypto/hash.h"
#include "core/crypto/key_id.h"

/* ---- the log that stands for core/store's ---- */

static void log_fill(struct ml_log *log, uint64_t n, struct ml_log_entry *out)
{
    const struct log_entry *e = &log->entry[n - 1];
    assert_int_equal(ml_bundle_decode(&log->decoded, ml_slice(e->wire, e->len), NULL), ML_OK);
    *out = (struct ml_log_entry){.n = n,
                                 .hash = e->hash,
                                 .verdict = e->verdict,
                                 .bytes = (uint32_t)e->len,
                                 .header_bytes = log->decoded.header_bytes,
                                 .header = log->decoded.header,
                                 .body = log->decoded.body};
    if (e->absent != 0) {
        out->body = (struct ml_wire_body){.absent = e->absent};
    }
}

ml_err ml_log_after(struct ml_log *log, uint64_t after, unsigned lanes, struct ml_log_entry *out)
{
    if (log->fail != ML_OK) {
        return log->fail;
    }
    for (uint64_t n = after + 1; n <= log->count; n++) {
        log_fill(log, n, out);
        if ((lanes >> out->header.lane & 1u) != 0) {
            return ML_OK;
        }
    }
    return ML_E_NOT_FOUND;
}

uint64_t ml_log_last(const struct ml_log *log)
{
    return log->count;
}

uint64_t ml_log_epoch(const struct ml_log *log)
{
    return log->epoch;
}

ml_err ml_log_past(struct ml_log *log, uint64_t n, struct ml_hash *out)
{
    struct ml_hash_state st;
    if (log->past_fail != ML_OK || n > log->count) {
        return log->past_fail != ML_OK ? log->past_fail : ML_E_NOT_FOUND;
    }
    ml_hash_init(&st, sizeof(out->b), NULL, 0);
    for (uint64_t i = 0; i < n; i++) {
        ml_hash_update(&st, log->entry[i].hash.b, sizeof(log->entry[i].hash.b));
    }
    ml_hash_final(&st, out->b, sizeof(out->b));
    return ML_OK;
}

ml_err ml_log_epoch_fits(struct ml_log *log, const struct ml_log_entry *entry,
                         const struct ml_kek_epoch *epoch, bool *fits)
{
    (void)log;
    (void)epoch;
    *fits = entry->verdict == ML_VERDICT_ACCEPTED;
    return ML_OK;
}

ml_err ml_log_leads(struct ml_log *log, const struct ml_log_entry *entry, bool *leads)
{
    (void)log;
    *leads = entry->verdict == ML_VERDICT_ACCEPTED;
    return ML_OK;
}

bool ml_log_op_counts(const struct ml_log *log, const struct ml_log_entry *entry, uint8_t index)
{
    return entry->verdict == ML_VERDICT_ACCEPTED || (log->adopted >> index & 1u) != 0;
}

const struct ml_gov *ml_log_gov(const struct ml_log *log)
{
    (void)log;
    return NULL;
}

uint64_t ml_log_shreds(const struct ml_log *log)
{
    return log->shreds;
}

ml_err ml_log_shredded_after(struct ml_log *log, uint64_t after, struct ml_log_shredded *out)
{
    *out = (struct ml_log_shredded){.number = after + 1, .stream = log->shredded};
    return after < log->shreds ? ML_OK : ML_E_NOT_FOUND;
}

static bool is_wrap_of(const struct ml_body_op *op, const struct ml_stream_id *stream,
                       struct ml_keyop *out)
{
    return !op->shredded && ml_keyop_decode(out, op->sealed, NULL) == ML_OK &&
           out->type == ML_KEYOP_DEK_WRAP &&
           memcmp(&out->u.dek_wrap.stream, stream, sizeof(*stream)) == 0;
}

ml_err ml_log_wraps(struct ml_log *log, const struct ml_stream_id *stream, ml_log_keyop_cb *each,
                    void *user)
{
    ml_err err = ML_OK;
    for (uint64_t n = 1; n <= log->count && err == ML_OK; n++) {
        struct ml_log_entry entry;
        struct ml_body_walk walk;
        struct ml_body_op body;
        log_fill(log, n, &entry);
        ml_body_walk(&walk, entry.body.bytes);
        while (entry.header.lane == ML_LANE_KEYS && err == ML_OK && ml_body_next(&walk, &body)) {
            struct ml_keyop op;
            err = is_wrap_of(&body, stream, &op) ? each(user, &entry, (uint8_t)walk.index, &op)
                                                 : ML_OK;
        }
    }
    return err;
}

static void log_add(struct place *p, const struct ml_buf *wire, const struct ml_hash *hash)
{
    assert_true(p->log.count < LOG_MAX);
    struct log_entry *e = &p->log.entry[p->log.count++];
    e->wire = malloc(wire->len);
    assert_non_null(e->wire);
    memcpy(e->wire, wire->data, wire->len);
    e->len = wire->len;
    e->hash = *hash;
    e->verdict = ML_VERDICT_ACCEPTED;
}

/* ---- the place ---- */

void place_init(struct place *p, uint64_t seed)
{
    memset(p, 0, sizeof(*p));
    fake_env_init(&p->fake, seed);
    assert_int_equal(ml_crypto_init(), ML_OK);
    memset(p->org.b, 0xC1, sizeof(p->org.b));
    memset(p->team.b, 0x7A, sizeof(p->team.b));
    assert_int_equal(ml_secret_new(&p->node_salt, 32), ML_OK);
    for (unsigned i = 0; i < PEOPLE; i++) {
        struct person *w = &p->who[i];
        assert_int_equal(ml_box_keypair(&w->pk, &w->box, &p->fake.env), ML_OK);
        assert_int_equal(ml_sign_keypair(&w->sign, &w->seed, &p->fake.env), ML_OK);
        w->writer = ml_writer_id_of(&w->sign);
        memset(w->member.b, (int)(0x10 + i), sizeof(w->member.b));
    }
    const char *tmp = getenv("TMPDIR");
    snprintf(p->dir, sizeof(p->dir), "%s/ml_vault_XXXXXX", tmp == NULL ? "/tmp" : tmp);
    assert_non_null(mkdtemp(p->dir));
    p->hlc = ml_hlc_make(p->fake.wall_ms, 0);
}

static void remove_files(struct place *p)
{
    char path[320];
    for (unsigned i = 0; i <= p->files; i++) {
        static const char *const tails[] = {"", "-wal", "-shm"};
        for (size_t t = 0; t < 3; t++) {
            snprintf(path, sizeof(path), "%s/v%u.db%s", p->dir, i, tails[t]);
            unlink(path);
        }
    }
    rmdir(p->dir);
}

int place_free(struct place *p)
{
    ml_vault_close(p->vault);
    for (uint64_t i = 0; i < p->log.count; i++) {
        free(p->log.entry[i].wire);
    }
    for (unsigned i = 0; i < PEOPLE; i++) {
        ml_secret_free(p->who[i].box);
        ml_secret_free(p->who[i].seed);
    }
    ml_secret_free(p->node_salt);
    remove_files(p);
    return p->fake.live == 0 ? 0 : -1;
}

struct ml_vault *place_reopen(struct place *p, unsigned i, const char *path)
{
    struct ml_vault *v = NULL;
    const struct ml_vault_args args = {.env = &p->fake.env,
                                       .path = path,
                                       .org = p->org,
                                       .member = p->who[i].member,
                                       .mon_box = p->who[i].box,
                                       .schema = ml_schema_builtin(),
                                       .create = true};
    assert_int_equal(ml_vault_open(&v, &args), ML_OK);
    return v;
}

struct ml_vault *place_vault(struct place *p, unsigned i, const char **path)
{
    static char file[320];
    snprintf(file, sizeof(file), "%s/v%u.db", p->dir, p->files++);
    if (path != NULL) {
        *path = file;
    }
    return place_reopen(p, i, file);
}

void place_catch_up(struct place *p, struct ml_vault *v, uint32_t batch)
{
    bool done = false;
    while (!done) {
        assert_int_equal(ml_vault_catch_up(v, &p->log, batch, &done), ML_OK);
    }
}

/* ---- bundles ---- */

static struct ml_seal_place next_place(struct place *p, unsigned i, uint8_t lane)
{
    p->hlc += 1u << 16;
    return (struct ml_seal_place){.writer = p->who[i].writer,
                                  .seq = p->who[i].seq[lane] + 1,
                                  .prev = p->who[i].prev[lane],
                                  .hlc = p->hlc};
}

static void keep(struct place *p, unsigned i, uint8_t lane, const struct ml_buf *wire,
                 const struct ml_hash *hash)
{
    p->who[i].seq[lane]++;
    p->who[i].prev[lane] = *hash;
    log_add(p, wire, hash);
}

/* An ml_keyop_cb: one op, one bundle of lane 1 by person 0. */
static ml_err append_key_op(void *user, struct ml_slice op)
{
    struct place *p = user;
    struct ml_buf wire;
    struct ml_hash hash;
    struct ml_seal_place at = next_place(p, 0, ML_LANE_KEYS);
    const struct ml_op_draft draft_op = {.sealed = op};
    struct ml_bundle_draft draft = {.header = {.writer = at.writer,
                                               .lane = ML_LANE_KEYS,
                                               .seq = at.seq,
                                               .prev = at.prev,
                                               .hlc = at.hlc},
                                    .ops = &draft_op,
                                    .op_count = 1};
    ml_buf_init(&wire, &p->fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_build(&wire, &hash, &draft, &p->org, p->who[0].seed), ML_OK);
    keep(p, 0, ML_LANE_KEYS, &wire, &hash);
    ml_buf_free(&wire);
    return ML_OK;
}

void place_found(struct place *p)
{
    const struct ml_epoch_recipient me = {p->who[0].pk, true};
    p->vault = place_vault(p, 0, NULL);
    struct ml_keyring *k = ml_vault_keyring(p->vault);
    for (int c = 1; c <= (int)ML_COMPARTMENT_LAST; c++) {
        const struct ml_epoch_args args = {.team = p->team,
                                           .compartment = (ml_compartment)c,
                                           .recipients = &me,
                                           .recipient_count = 1};
        assert_int_equal(ml_keyring_make_epoch(k, &args, append_key_op, p), ML_OK);
    }
    place_catch_up(p, p->vault, 1000);
    assert_int_equal(ml_keyring_make_structure(k, append_key_op, p), ML_OK);
    place_catch_up(p, p->vault, 1000);
}

void place_grant(struct place *p, unsigned i)
{
    assert_int_equal(
        ml_keyring_make_grant(ml_vault_keyring(p->vault), &p->who[i].pk, true, append_key_op, p),
        ML_OK);
    place_catch_up(p, p->vault, 1000);
}

size_t place_open(struct place *p)
{
    size_t i = p->patient_count++;
    assert_true(i < PATIENTS_MAX);
    p->fake.wall_ms++;
    p->patient[i] = ml_object_id_new(&p->fake.env);
    assert_int_equal(ml_keyring_make_open(ml_vault_keyring(p->vault), &p->patient[i], &p->team,
                                          append_key_op, p),
                     ML_OK);
    place_catch_up(p, p->vault, 1000);
    return i;
}

struct ml_consent_id place_say(struct place *p, struct ml_consent *said)
{
    struct ml_buf plain;
    ml_buf_init(&plain, &p->fake.env, ML_SEALED_BYTES_MAX);
    p->fake.env.random(p->fake.env.ctx, said->unique, sizeof(said->unique));
    assert_int_equal(ml_consent_encode(&plain, said), ML_OK);
    const struct ml_consent_id id = ml_consent_id_of(ml_buf_slice(&plain));
    assert_int_equal(ml_keyring_make_consent(ml_vault_keyring(p->vault), &said->patient,
                                             ml_buf_slice(&plain), append_key_op, p),
                     ML_OK);
    ml_buf_free(&plain);
    place_catch_up(p, p->vault, 1000);
    return id;
}

static const struct ml_object_id *owner(const struct place *p, size_t patient)
{
    static const struct ml_object_id structure;
    return patient == SIZE_MAX ? &structure : &p->patient[patient];
}

struct ml_seal_item place_item(struct place *p, size_t patient, const char *entity, uint8_t type,
                               const struct ml_object_id *object)
{
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), entity);
    struct ml_keyring *k = ml_vault_keyring(p->vault);
    assert_non_null(e);
    struct ml_seal_item item = {
        .change = {.schema = ML_SCHEMA_VERSION, .type = type, .entity = e->id, .object = *object},
        .compartment = (uint8_t)e->compartment};
    ml_err err = ml_keyring_seal_key(k, owner(p, patient), e->compartment, &item.key);
    if (err == ML_E_NO_KEY) {
        assert_int_equal(
            ml_keyring_make_dek(k, owner(p, patient), e->compartment, append_key_op, p), ML_OK);
        place_catch_up(p, p->vault, 1000);
        err = ml_keyring_seal_key(k, owner(p, patient), e->compartment, &item.key);
    }
    assert_int_equal(err, ML_OK);
    return item;
}

void place_write(struct place *p, unsigned i, struct ml_seal_item *items, uint32_t count)
{
    const struct ml_sealer sealer = {.env = &p->fake.env,
                                     .org = p->org,
                                     .keyring = ml_vault_keyring(p->vault),
                                     .node_salt = p->node_salt,
                                     .seed = p->who[i].seed};
    for (uint32_t from = 0; from < count;) {
        struct ml_seal_place at = next_place(p, i, ML_LANE_RECORD);
        const struct ml_seal_args args = {
            .sealer = &sealer, .place = &at, .items = items, .count = count, .from = from};
        struct ml_buf wire;
        struct ml_hash hash;
        uint32_t taken = 0;
        ml_buf_init(&wire, &p->fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_seal_bundle(&args, &wire, &taken, &hash), ML_OK);
        keep(p, i, ML_LANE_RECORD, &wire, &hash);
        ml_buf_free(&wire);
        from += taken;
    }
}

/* ---- values: a ring of buffers that lives as long as a test ---- */

static struct ml_slice finish(struct place *p, struct ml_buf *buf)
{
    static uint8_t ring[64][4096];
    static unsigned next;
    uint8_t *at = ring[next++ % 64];
    (void)p;
    assert_true(buf->err == ML_OK && buf->len <= sizeof(ring[0]));
    memcpy(at, buf->data, buf->len);
    struct ml_slice out = ml_slice(at, buf->len);
    ml_buf_free(buf);
    return out;
}

struct ml_slice val_text(struct place *p, const char *text)
{
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    ml_mp_put_str(&b, ml_slice_str(text));
    return finish(p, &b);
}

struct ml_slice val_code(struct place *p, const char *code)
{
    const struct ml_code c = {.code = ml_slice_str(code)};
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    assert_int_equal(ml_code_encode(&b, &c), ML_OK);
    return finish(p, &b);
}

struct ml_slice val_concept(struct place *p, const char *text)
{
    const struct ml_concept c = {.text = ml_slice_str(text)};
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    assert_int_equal(ml_concept_encode(&b, &c), ML_OK);
    return finish(p, &b);
}

struct ml_slice val_quantity(struct place *p, const char *number, const char *unit)
{
    const struct ml_quantity q = {ml_slice_str(number), ml_slice_str(unit)};
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    assert_int_equal(ml_quantity_encode(&b, &q), ML_OK);
    return finish(p, &b);
}

struct ml_slice val_instant(struct place *p, int64_t utc_ms)
{
    const struct ml_instant at = {utc_ms, 60, ML_PRECISION_MINUTE};
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    assert_int_equal(ml_instant_encode(&b, &at), ML_OK);
    return finish(p, &b);
}

struct ml_slice val_list(struct place *p, const struct ml_slice *items, uint32_t count)
{
    struct ml_buf b;
    ml_buf_init(&b, &p->fake.env, 4096);
    ml_mp_put_array(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        ml_mp_put_raw(&b, items[i]);
    }
    return finish(p, &b);
}

struct ml_slice val_map(struct place *p, const char *entity, const char *const *names,
                        const struct ml_slice *values, uint32_t count)
{
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), entity);
    struct ml_field_value fields[32];
    struct ml_buf b;
    assert_non_null(e);
    for (uint32_t i = 0; i < count; i++) {
        const struct ml_field *f = ml_entity_field_named(e, names[i]);
        assert_non_null(f);
        fields[i] = (struct ml_field_value){f->id, values[i]};
    }
    ml_buf_init(&b, &p->fake.env, 4096);
    assert_int_equal(ml_fields_encode(&b, fields, count), ML_OK);
    return finish(p, &b);
}

/* ---- one op a bundle ---- */

struct ml_version_id put(struct place *p, const struct put *what)
{
    struct ml_version_ref refs[16];
    const struct ml_entity *e = ml_schema_entity_named(ml_schema_builtin(), what->entity);
    uint8_t type = what->type == 0 ? ML_CHANGE_SET : what->type;
    struct ml_seal_item item = place_item(p, what->patient, what->entity, type, what->object);
    if (what->field != NULL) {
        item.change.slot = ml_field_slot(ml_entity_field_named(e, what->field));
    }
    if (what->effective_ms != 0) {
        item.change.effective = (struct ml_instant){what->effective_ms, 0, ML_PRECISION_MINUTE};
    }
    item.change.value = what->value;
    for (uint32_t i = 0; i < what->seen_count; i++) {
        refs[i] = (struct ml_version_ref){.id = what->seen[i]};
    }
    item.change.seen = (struct ml_list){.items = refs, .count = what->seen_count};
    place_write(p, what->by, &item, 1);
    return item.version;
}

struct ml_version_id put_patient(struct place *p, size_t patient, const struct identity *who)
{
    const struct ml_slice one = val_text(p, who->given);
    const char *const names[] = {"birth_name", "birth_given_names", "used_name", "birth_date"};
    const struct ml_slice values[] = {val_text(p, who->birth_name), val_list(p, &one, 1),
                                      val_text(p, who->used_name), val_text(p, who->birth_date)};
    const struct put what = {.patient = patient,
                             .entity = "patient",
                             .object = &p->patient[patient],
                             .type = ML_CHANGE_CREATE,
                             .value = val_map(p, "patient", names, values, 4)};
    return put(p, &what);
}

struct ml_tree *answer(struct ml_args *args)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_tree *tree = NULL;
    assert_int_equal(ml_args_encoded(args, &bytes, &len), ML_OK);
    assert_int_equal(ml_tree_parse(&tree, bytes, len), ML_OK);
    ml_args_free(args);
    return tree;
}

unsigned place_shred(struct place *p, const struct ml_stream_id *stream, struct ml_dek_wrap *wrap)
{
    unsigned shredded = 0;
    for (uint64_t n = 1; n <= p->log.count; n++) {
        struct log_entry *e = &p->log.entry[n - 1];
        struct ml_log_entry entry;
        struct ml_body_walk walk;
        struct ml_body_op body;
        struct ml_keyop op;
        struct ml_buf leaf;
        struct ml_buf wire;
        log_fill(&p->log, n, &entry);
        ml_body_walk(&walk, entry.body.bytes);
        if (entry.header.lane != ML_LANE_KEYS || !ml_body_next(&walk, &body) ||
            !is_wrap_of(&body, stream, &op)) {
            continue;
        }
        *wrap = op.u.dek_wrap;
        ml_buf_init(&leaf, &p->fake.env, ML_BODY_SHREDDED_MAX);
        ml_buf_init(&wire, &p->fake.env, ML_BUNDLE_BYTES_MAX);
        assert_int_equal(ml_body_shred(&leaf, entry.body.bytes, 0), ML_OK);
        const struct ml_wire_body with = {.bytes = ml_buf_slice(&leaf)};
        assert_int_equal(ml_bundle_join(&wire, entry.header_bytes, &p->log.decoded.sig, &with),
                         ML_OK);
        assert_true(wire.len <= e->len);
        memcpy(e->wire, wire.data, wire.len);
        e->len = wire.len;
        ml_buf_free(&wire);
        ml_buf_free(&leaf);
        shredded++;
    }
    p->log.shreds += shredded;
    p->log.shredded = *stream;
    return shredded;
}
