/* test_node_durable.c -- an own entry is durable before anybody hears of it (I11). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/ids.h"
#include "core/store/log_impl.h"
#include "net/node/org.h"
#include "net/node/session.h"
#include "net/node/write.h"
#include "support_story.h"
#include "sync/sync.h"

/* In the place of the engine's (tests/CMakeLists.txt): looks at the log before it goes on. */
// NOLINTBEGIN(readability-identifier-naming,bugprone-reserved-identifier)
void __real_ml_sync_on_append(struct ml_sync *e, const struct ml_sync_bundle *bundle, bool urgent);
void __wrap_ml_sync_on_append(struct ml_sync *e, const struct ml_sync_bundle *bundle, bool urgent);
void __real_ml_sync_on_stored(struct ml_sync *e, const struct ml_sync_bundle *bundle);
void __wrap_ml_sync_on_stored(struct ml_sync *e, const struct ml_sync_bundle *bundle);

static struct {
    const struct ml_log *log;
    unsigned told;
} watched;

static void look(void)
{
    watched.told++;
    assert_true(watched.log == NULL || !ml_db_in_transaction(watched.log->db));
}

void __wrap_ml_sync_on_append(struct ml_sync *e, const struct ml_sync_bundle *bundle, bool urgent)
{
    look();
    __real_ml_sync_on_append(e, bundle, urgent);
}

void __wrap_ml_sync_on_stored(struct ml_sync *e, const struct ml_sync_bundle *bundle)
{
    look();
    __real_ml_sync_on_stored(e, bundle);
}

// NOLINTEND(readability-identifier-naming,bugprone-reserved-identifier)

struct fixture {
    struct cluster c;
    struct ml_org *org;
    char patient[40];
};

static int setup(void **state)
{
    static struct fixture f;
    watched.log = NULL;
    cluster_init(&f.c, 31);
    story_found(&f.c, 0);
    story_patient(&f.c, 0, f.patient);
    f.org = f.c.nodes[0].node->orgs;
    watched.log = f.org->log;
    watched.told = 0;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    watched.log = NULL;
    cluster_free(&f->c);
    return 0;
}

static ml_err nothing_to_place(void *user)
{
    (void)user;
    return ML_OK;
}

static void the_exchange_hears_of_nothing_that_is_not_committed(void **state)
{
    struct fixture *f = *state;
    struct ml_object_id patient;
    char treatment[40];
    struct ml_blob blob = {.plain = ml_slice_str("contents of a letter"),
                           .media_type = ml_slice_str("text/plain"),
                           .compartment = ML_COMPARTMENT_DOCUMENT};
    const struct ml_write what = {.blobs = &blob, .blob_count = 1, .placed = nothing_to_place};
    story_treatment(&f->c, 0, f->patient, drug("Kardégic", "75 mg"), treatment);
    assert_int_equal(ml_hex_decode(patient.b, sizeof(patient.b), f->patient, strlen(f->patient)),
                     ML_OK);
    const unsigned before = watched.told;
    assert_true(before > 0);
    assert_int_equal(ml_org_write_all(f->org, &patient, &what), ML_OK);
    assert_true(watched.told > before);
}

/* Kept isn't stored: a bundle that waits may wait for ever, and its writer must hear « no ». */
static void an_own_bundle_that_merely_waits_is_no_success(void **state)
{
    struct fixture *f = *state;
    struct ml_header header;
    struct ml_author author;
    struct ml_hash hash;
    struct ml_buf wire;
    static const struct ml_dict_entry dict = {.compartment = ML_COMPARTMENT_VITAL,
                                              .action = ML_ACTION_CREATE};
    const struct ml_op_draft op = {.sealed = ml_slice("sealed bytes, sealed bytes", 26)};
    ml_session_author(f->org, &author);
    assert_int_equal(ml_org_next_header(f->org, &header, &author, ML_LANE_RECORD), ML_OK);
    header.seq++; /* after one that isn't there */
    memset(header.prev.b, 5, sizeof(header.prev.b));
    header.deps.count = 0;
    header.dictionary = (struct ml_list){.items = &dict, .count = 1};
    struct ml_bundle_draft draft = {.header = header, .ops = &op, .op_count = 1};
    ml_buf_init(&wire, &f->c.fake.env, ML_BUNDLE_BYTES_MAX);
    assert_int_equal(ml_bundle_build(&wire, &hash, &draft, &f->org->id, author.seed), ML_OK);
    const struct ml_slice one = ml_buf_slice(&wire);
    const unsigned told = watched.told;
    assert_int_equal(ml_org_append_wires(f->org, &one, 1), ML_E_ROLLED_BACK);
    assert_int_equal(watched.told, told);
    ml_buf_free(&wire);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_exchange_hears_of_nothing_that_is_not_committed),
        T(an_own_bundle_that_merely_waits_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
