/* make_store -- writes the homes of one small structure as the present program leaves them.
 *
 *   make_store FOLDER      makes FOLDER/{home,state,expected}
 *
 * Two nodes live a short story; the home of the first is kept: log, vault, drafts, keystore and its
 * twin, traces, and its anti-rollback record. `expected` says what they hold and in which versions,
 * so that every later program can be asked for the same (docs/storage/versions.md). Chance comes
 * from one seed, below libsodium too: two runs write the same bytes.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../unit/net_node/support_store.h"
#include "../../unit/net_node/support_story.h"
#include "core/base/assert.h"

enum { SEED = 20260921, LETTER_BYTES = 40000 };

static struct fake_env chance; /* of what asks libsodium itself: nonces, salts of files */

static const char *chance_name(void)
{
    return "make_store";
}

static uint32_t chance_word(void)
{
    return (uint32_t)fake_next(&chance);
}

static void chance_fill(void *const out, const size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = (uint8_t)fake_next(&chance);
    }
}

static struct randombytes_implementation chance_source = {
    .implementation_name = chance_name, .random = chance_word, .buf = chance_fill};

/* A letter with a file that is kept in chunks. */
static void letter(struct cluster *c, const char *patient)
{
    struct story_request r;
    char path[256];
    snprintf(path, sizeof(path), "%s/lettre.txt", c->folder);
    FILE *file = fopen(path, "wb");
    ML_ASSERT(file != NULL);
    for (int i = 0; i < LETTER_BYTES; i++) {
        fputc('a' + i % 26, file);
    }
    ML_ASSERT(fclose(file) == 0);
    story_ask(&r);
    story_put(&r, "entity", "document");
    story_put(&r, "patient", patient);
    ml_args_key(r.args, "fields");
    ml_args_map(r.args);
    story_put(&r, "title", "Courrier");
    story_put(&r, "written_at", "2026-03-02");
    ml_args_end(r.args);
    ml_args_key(r.args, "files");
    ml_args_list(r.args);
    ml_args_map(r.args);
    story_put(&r, "path", path);
    story_put(&r, "media_type", "text/plain");
    ml_args_end(r.args);
    ml_args_end(r.args);
    story_must(&r, story_send(&r, c, 0, "record.add"), "record.add document");
    story_end(&r);
}

/* What a person would find again: a letter, two doses written apart, a draft. */
static void live(struct cluster *c)
{
    char patient[40];
    char treatment[40];
    story_found(c, 0);
    story_patient(c, 0, patient);
    story_treatment(c, 0, patient, drug("Kardégic", "75 mg"), treatment);
    letter(c, patient);
    story_join(c, 0, 1, "Léa Morin", 60);
    story_synced(c, 1);
    story_pause(c, 0, true);
    story_dose(c, 0, patient, treatment, drug("Kardégic", "160 mg"));
    story_dose(c, 1, patient, treatment, drug("Kardégic", "300 mg"));
    story_pause(c, 0, false);
    story_synced(c, 0);
    cluster_run(c, 60000); /* traces are cut, the anchor follows */
    store_draft_put(c, 0);
}

static void keep(const char *from, const char *folder, const char *name)
{
    char to[400];
    snprintf(to, sizeof(to), "%s/%s", folder, name);
    store_copy(from, to);
}

int main(int argc, char **argv)
{
    static struct cluster c;
    char path[400];
    if (argc != 2 || mkdir(argv[1], 0700) != 0) {
        fprintf(stderr, "make_store FOLDER (a new one)\n");
        return 2;
    }
    fake_env_init(&chance, SEED);
    if (randombytes_set_implementation(&chance_source) != 0) {
        return 1;
    }
    cluster_init(&c, SEED);
    live(&c);
    snprintf(path, sizeof(path), "%s/expected", argv[1]);
    FILE *expected = fopen(path, "w");
    ML_ASSERT(expected != NULL);
    store_describe(&c, 0, expected);
    ML_ASSERT(fclose(expected) == 0);
    cluster_stop(&c, 0);
    keep(c.nodes[0].home, argv[1], "home");
    keep(c.nodes[0].state, argv[1], "state");
    cluster_free(&c);
    return 0;
}
