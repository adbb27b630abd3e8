/* test_node_disk.c -- with every byte on every disk, a member's own keystore opens what his keys
 * entitle him to: no more, and no less, or the attack would prove nothing (issue 4, deliver 8d).
 *
 * For structures drawn from seeds (support_readers.h), in which somebody comes late, with what was
 * before or without, a computer is stolen and its owner revoked, patients decide and change their
 * minds, some keep emergencies out, and two share a computer; there are sensitive notes, letters
 * that their author can't read, a request for sensitive data that a second device has answered and
 * an open glass; a node keeps what it alone traced, and one was killed with a journal that wasn't
 * cut and a draft: the attack (support_attack.h) on all
 * that lies in all folders, against what the documents say, told from what was drawn.
 *
 * ML_DISK_SEED, ML_DISK_COUNT: other seeds, more of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/ids.h"
#include "core/codec/keyop.h"
#include "core/codec/trace.h"
#include "core/crypto/keystore.h"
#include "core/crypto/words.h"
#include "net/node/state.h"
#include "support_attack.h"
#include "support_moment.h"
#include "support_readers.h"
#include "support_request.h"
#include "support_store.h"

enum { FOUNDER = 0, LATE = READERS - 1, GUEST = READERS, PEOPLE = READERS + 1, UNNAMED = 777 };

static const char first_phrase[] = "une phrase de passe d'essai";

struct person {
    char id[40];
    unsigned node;
    char phrase[64];
    struct ml_secret *words; /* his recovery sheet; NULL: the guest has none */
};

struct story {
    struct readers r;
    struct attack a;
    struct person people[PEOPLE];
    unsigned people_count; /* the last is the guest, where there is one */
    unsigned victim;       /* whose computer is stolen */
    bool history;          /* LATE was given what was before */
    unsigned scan;         /* item of the letter; READER_ITEMS: none */
    unsigned wrong;
};

/* Whose pages and frames. */
#define PAGE_KINDS(X)                                                                              \
    X(LOG, "logs")                                                                                 \
    X(VAULT, "vaults")                                                                             \
    X(DRAFTS, "drafts")                                                                            \
    X(GLASS, "glasses")

enum page_kind {
#define X(name, text) PAGE_##name,
    PAGE_KINDS(X)
#undef X
        PAGE_KIND_COUNT,
};
static const char *const page_kind_names[PAGE_KIND_COUNT] = {
#define X(name, text) [PAGE_##name] = (text),
    PAGE_KINDS(X)
#undef X
};

/* What was seen over all seeds: a check that never met a case proves nothing of it. */
struct sums {
    unsigned long seeds, targets, keys, tried, edges, pairs, opened, must, closed, exact, files,
        blocks, unlocks, filed, node_traces;
    unsigned long pages[2][PAGE_KIND_COUNT]; /* of databases, of their WALs */
    unsigned long kinds[ATTACK_KIND_COUNT], opened_kinds[ATTACK_KIND_COUNT];
};
static struct sums sums;

/* ---- the story ---- */

/* A passphrase of his own, and a new sheet. */
static void secure(struct story *s, unsigned m)
{
    struct story_request q;
    struct person *p = &s->people[m];
    snprintf(p->id, sizeof(p->id), "%s", s->r.members[m].id);
    snprintf(p->phrase, sizeof(p->phrase), "la phrase de passe du membre %u", m);
    p->node = m;
    story_ask(&q);
    story_put(&q, "old", first_phrase);
    story_put(&q, "passphrase", p->phrase);
    ml_args_key(q.args, "new_words");
    ml_args_bool(q.args, true);
    story_must(&q, story_send(&q, &s->r.c, m, "session.passphrase"), "session.passphrase");
    const char *words = ml_value_text(story_get(&q, "member_words"), "");
    struct ml_words_error error;
    assert_int_equal(
        ml_words_decode(&p->words, ML_RECOVERY_SECRET_BYTES, ml_slice_str(words), &error), ML_OK);
    story_end(&q);
    moment_draft(&s->r.c, m);
}

/* A letter with what came in the envelope: large values lie outside of bundles. */
static void letter_add(struct story *s)
{
    struct story_request q;
    char path[192];
    struct reader_item *item = &s->r.items[s->r.item_count];
    snprintf(path, sizeof(path), "%s/letter.txt", s->r.c.folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < 2000; i++) {
        assert_true(fprintf(file, "compte rendu %u\n", i) > 0);
    }
    assert_int_equal(fclose(file), 0);
    story_ask(&q);
    story_put(&q, "entity", "document");
    story_put(&q, "patient", s->r.patients[0].id);
    ml_args_key(q.args, "fields");
    ml_args_map(q.args);
    story_put(&q, "title", "Courrier");
    story_put(&q, "written_at", "2026-03-02");
    ml_args_end(q.args);
    ml_args_key(q.args, "files");
    ml_args_list(q.args);
    ml_args_map(q.args);
    story_put(&q, "path", path);
    story_put(&q, "media_type", "text/plain");
    ml_args_end(q.args);
    ml_args_end(q.args);
    story_must(&q, story_send(&q, &s->r.c, FOUNDER, "record.add"), "record.add");
    unsigned kind = 0;
    while (strcmp(reader_kinds[kind].entity, "document") != 0) {
        kind++;
    }
    s->scan = s->r.item_count < READER_ITEMS ? s->r.item_count++ : READER_ITEMS;
    if (s->scan < READER_ITEMS) {
        *item = (struct reader_item){.kind = kind, .author = FOUNDER, .round = s->r.round};
        snprintf(item->version, sizeof(item->version), "%s",
                 ml_value_text(story_get(&q, "version"), ""));
        snprintf(item->object, sizeof(item->object), "%s",
                 ml_value_text(story_get(&q, "object"), ""));
    }
    story_end(&q);
    assert_int_equal(remove(path), 0);
}

/* Somebody more on a computer that has its owner; his role is one that the matrix doesn't name. */
static void guest_enrol(struct story *s, unsigned node)
{
    struct story_request q;
    struct person *p = &s->people[GUEST];
    char code[256];
    snprintf(p->phrase, sizeof(p->phrase), "la phrase de passe de l'invité");
    p->node = node;
    story_member(&s->r.c, FOUNDER, "Invité", (const int[]){UNNAMED, 3}, p->id);
    story_ask(&q);
    story_put(&q, "member", p->id);
    story_must(&q, story_send(&q, &s->r.c, FOUNDER, "enrol.code"), "enrol.code");
    snprintf(code, sizeof(code), "%s", ml_value_text(story_get(&q, "code"), ""));
    story_end(&q);
    story_ask(&q);
    story_put(&q, "code", code);
    story_put(&q, "passphrase", p->phrase);
    story_put(&q, "address", "node:0");
    story_must(&q, story_send(&q, &s->r.c, node, "enrol.here"), "enrol.here");
    uint8_t token[32];
    const char *hex = ml_value_text(story_get(&q, "token"), "");
    assert_int_equal(ml_hex_decode(token, sizeof(token), hex, strlen(hex)), ML_OK);
    cluster_keep_token(&s->r.c, node, ml_slice(token, sizeof(token)));
    story_end(&q);
    cluster_run(&s->r.c, 90000);
    moment_draft(&s->r.c, node);
}

static void tell_story(struct story *s, unsigned long seed)
{
    memset(s, 0, sizeof(*s));
    s->history = seed % 2 == 0;
    s->victim = 1 + (unsigned)(seed / 2 % (READERS - 2));
    readers_begin_without(&s->r, seed, LATE);
    for (unsigned m = 0; m < LATE; m++) {
        secure(s, m);
    }
    letter_add(s);
    for (unsigned p = 0; p < s->r.patient_count; p++) {
        (void)readers_write(&s->r, p, READER_SENSITIVE, FOUNDER);
    }
    readers_settle(&s->r);
    readers_join(&s->r, LATE, s->history);
    secure(s, LATE);
    readers_again(&s->r);
    readers_revoke(&s->r, s->victim);
    readers_again(&s->r);
    s->people_count = READERS;
    if (s->r.ruled) {
        guest_enrol(s, 1 + s->victim % (READERS - 2));
        s->people_count++;
    }
    const struct moment at = {.r = &s->r,
                              .victim = s->victim,
                              .guest = s->people_count > READERS ? s->people[GUEST].node : READERS};
    sums.filed += moment_leave(&at);
}

/* ---- what the rules say ---- */

enum { ADMIN = 1, SENSITIVE = 8 };

/* Is it sealed for emergencies? Who a patient is stays known. */
static bool is_for_glasses(const struct story *s, const struct reader_item *i)
{
    const unsigned compartment = reader_kinds[i->kind].compartment;
    return compartment != SENSITIVE && (compartment == ADMIN || !s->r.patients[i->patient].shut);
}

/* Who had the emergency pair all the time has all of it. */
static bool glass_must(const struct story *s, unsigned m, unsigned item)
{
    const struct reader_item *i = &s->r.items[item];
    const struct reader *who = &s->r.members[m];
    const unsigned until = who->gone ? who->last : s->r.round;
    const unsigned rounds = (2u << until) - 1;
    return is_for_glasses(s, i) && i->round <= until && (s->r.breaks[m] & rounds) == rounds;
}

/* Who had it since it was written may, and nobody who had lost it. */
static bool glass_may(const struct story *s, unsigned m, unsigned item)
{
    const struct reader_item *i = &s->r.items[item];
    return is_for_glasses(s, i) && s->r.breaks[m] >> i->round != 0;
}

static bool may_open(const struct story *s, unsigned m, unsigned item)
{
    return readers_may_open(&s->r, m, item) || glass_may(s, m, item);
}

static bool must_open(const struct story *s, unsigned m, unsigned item)
{
    return readers_must_open(&s->r, m, item) || glass_must(s, m, item);
}

static void wrong(struct story *s, unsigned m, const char *what, unsigned number)
{
    print_error("member %u%s: %s (%u)\n", m,
                m < READERS && s->r.members[m].gone ? ", whose computer was stolen" : "", what,
                number);
    s->wrong++;
}

/* ---- what was found ---- */

static const struct attack_target *target_of(const struct story *s, const struct reader_item *item)
{
    for (unsigned i = 0; i < s->a.target_count; i++) {
        const struct attack_target *t = &s->a.targets[i];
        char version[48];
        ml_hex_encode(version, t->bundle.b, sizeof(t->bundle.b));
        snprintf(version + 32, sizeof(version) - 32, ":%u", t->index);
        if (t->kind == ATTACK_RECORD && strcmp(version, item->version) == 0) {
            return t;
        }
    }
    return NULL;
}

static void check_items(struct story *s, unsigned m, const struct attack_loot *loot)
{
    for (unsigned i = 0; i < s->r.item_count; i++) {
        const struct attack_target *t = target_of(s, &s->r.items[i]);
        assert_non_null(t);
        const bool opens = loot->targets[t - s->a.targets];
        const bool must = must_open(s, m, i);
        const bool may = may_open(s, m, i);
        sums.pairs++;
        sums.opened += opens;
        if (!readers_heard_by_all(&s->r, s->r.items[i].patient)) {
            continue;
        }
        assert_true(may || !must);
        sums.must += must;
        sums.closed += !may;
        sums.exact += may == must;
        if (opens ? !may : must) {
            const struct reader_item *item = &s->r.items[i];
            print_error("%s of patient %u, of round %u; glass in %x, had %llx\n",
                        reader_kinds[item->kind].entity, item->patient, item->round, s->r.breaks[m],
                        (unsigned long long)s->r.sealed[m][item->patient]);
            attack_explain(&s->a, loot, t);
            wrong(s, m, opens ? "opens an item that isn't for him" : "lacks an item", i);
        }
    }
}

/* He has a place and no right: the structure's own stream is all that he opens. */
static void check_guest(struct story *s, const struct attack_loot *loot)
{
    static const uint8_t structure[16];
    for (unsigned i = 0; i < s->a.target_count; i++) {
        const struct attack_target *t = &s->a.targets[i];
        const enum attack_kind kind = t->kind;
        const bool own =
            kind == ATTACK_OPENING && loot->targets[i] && memcmp(t->plain, structure, 16) == 0;
        if (loot->targets[i] && !own &&
            (kind == ATTACK_RECORD || kind == ATTACK_MANIFEST || kind == ATTACK_CHUNK ||
             kind == ATTACK_OPENING || kind == ATTACK_CONSENT)) {
            attack_explain(&s->a, loot, &s->a.targets[i]);
            wrong(s, GUEST, "opens what is a patient's", i);
        }
    }
}

/* What the letter's chunks are is as readable as the letter. */
static void check_chunks(struct story *s, unsigned m, const struct attack_loot *loot)
{
    const struct attack_target *letter =
        s->scan < READER_ITEMS ? target_of(s, &s->r.items[s->scan]) : NULL;
    for (unsigned i = 0; letter != NULL && i < s->a.target_count; i++) {
        if (s->a.targets[i].kind == ATTACK_CHUNK &&
            loot->targets[i] != loot->targets[letter - s->a.targets]) {
            wrong(s, m, "a chunk isn't as the letter is", i);
        }
    }
}

/* Network secrets: each who has a place when one is made, nobody who lost it before; Root's own
 * are nobody's. */
static void check_pairs(struct story *s, unsigned m, const struct attack_loot *loot)
{
    enum { FIRST_AFTER = 2 }; /* of the one departure that there is */
    bool has = false;
    bool there = false;
    for (unsigned i = 0; i < s->a.target_count; i++) {
        const struct attack_target *t = &s->a.targets[i];
        if (t->kind == ATTACK_FOR_ROOT && loot->targets[i]) {
            wrong(s, m, "opens what is Root's", i);
        }
        if (t->kind == ATTACK_PAIR && t->pair_kind == ML_PAIR_NETWORK && t->number >= FIRST_AFTER) {
            has = has || loot->targets[i];
            there = true;
        }
        if (t->kind == ATTACK_PAIR && t->pair_kind == ML_PAIR_AUDIT && loot->targets[i]) {
            wrong(s, m, "has the auditor's key", i);
        }
        if (t->kind == ATTACK_PAIR && t->pair_kind == ML_PAIR_EMERGENCY && loot->targets[i] &&
            m < READERS && s->r.breaks[m] == 0) {
            wrong(s, m, "has the key of emergencies", i);
        }
    }
    const bool gone = m < READERS && s->r.members[m].gone;
    if (!there || has == gone) {
        wrong(s, m, gone ? "has the network's new key" : "lacks the network's new key", 0);
    }
}

/* Traces are read by who wrote them; those of a node by the auditor alone. */
static void check_traces(struct story *s, unsigned start, unsigned m,
                         const struct attack_loot *loot)
{
    const struct attack_start *of = &s->a.starts[start];
    unsigned own = 0;
    for (unsigned i = 0; i < s->a.target_count; i++) {
        const struct attack_target *t = &s->a.targets[i];
        struct ml_trace_entry entry;
        if (t->kind != ATTACK_TRACE || !loot->targets[i]) {
            continue;
        }
        assert_int_equal(ml_trace_entry_decode(&entry, ml_slice(t->plain, t->plain_len), NULL),
                         ML_OK);
        own++;
        if (memcmp(&entry.actor, &of->member, sizeof(of->member)) != 0) {
            wrong(s, m, "reads another's traces", i);
        }
    }
    if (own == 0 && m != GUEST) { /* whose are in the journal yet */
        wrong(s, m, "reads none of his own traces", 0);
    }
}

static bool is_own_section(const struct story *s, unsigned start, const struct attack_target *t)
{
    return t->by_count == 1 && t->node == s->a.starts[start].node;
}

/* Of keystores his node's alone: its slot, his section, the node's; of journals his node's. */
static void check_node_files(struct story *s, unsigned start, unsigned m,
                             const struct attack_loot *loot)
{
    unsigned sections[ATTACK_KIND_COUNT] = {0};
    for (unsigned i = 0; i < s->a.target_count; i++) {
        const struct attack_target *t = &s->a.targets[i];
        if (t->kind < ATTACK_SLOT) {
            continue;
        }
        const bool here = t->node == s->a.starts[start].node;
        sections[t->kind] += loot->targets[i];
        if (loot->targets[i] && !here) {
            wrong(s, m, "opens what is another node's", i);
        }
        if (!loot->targets[i] && here &&
            (t->kind == ATTACK_JOURNAL || t->kind == ATTACK_NODE_SECTION)) {
            wrong(s, m, "doesn't open what is his node's", i);
        }
        if (loot->targets[i] && !is_own_section(s, start, t)) {
            wrong(s, m, "a part of a keystore has two openers", i);
        }
    }
    /* The file and its copy. A slot's key is the passphrase's, which isn't in any file. */
    if (sections[ATTACK_SLOT] != 0 || sections[ATTACK_MEMBER_SECTION] != 2 ||
        sections[ATTACK_NODE_WRAP] != 2 || sections[ATTACK_NODE_SECTION] != 2) {
        wrong(s, m, "has other parts of keystores than his", sections[ATTACK_MEMBER_SECTION]);
    }
}

/* ---- databases ---- */

enum { FILE_LOG, FILE_VAULT, FILE_DRAFTS };

static enum page_kind page_kind(const struct attack_file *f)
{
    return strstr(f->path, "/glass-") != NULL    ? PAGE_GLASS
           : strstr(f->path, "/vaults/") != NULL ? PAGE_VAULT
           : strstr(f->path, "/drafts/") != NULL ? PAGE_DRAFTS
                                                 : PAGE_LOG;
}

static void pages_count(struct story *s, const struct attack_file *f)
{
    unsigned count = 0;
    (void)attack_pages(&s->a, f, s->a.starts[0].file_keys[0], false, &count);
    sums.pages[strstr(f->path, ".db-wal") != NULL][page_kind(f)] += count;
    sums.files++;
}

/* log.db is of whoever has a place on the node; a vault and drafts are their member's; a glass's
 * key is in memory alone. */
static bool is_file_of(const struct attack_file *f, const struct attack_start *s, unsigned which)
{
    char hex[40];
    ml_hex_encode(hex, s->member.b, sizeof(s->member.b));
    const enum page_kind kind = page_kind(f);
    if (f->node != s->node || kind == PAGE_GLASS) {
        return false;
    }
    if (which == FILE_LOG) {
        return kind == PAGE_LOG;
    }
    return kind == (which == FILE_VAULT ? PAGE_VAULT : PAGE_DRAFTS) && strstr(f->path, hex) != NULL;
}

/* Is the `k`th file key this file's? */
static bool check_file_key(struct story *s, const struct attack_file *f, unsigned k)
{
    const struct attack_start *start = &s->a.starts[k / 3];
    unsigned count = 0;
    const unsigned opens = attack_pages(&s->a, f, start->file_keys[k % 3], true, &count);
    const bool his = is_file_of(f, start, k % 3);
    const bool wal = strstr(f->path, ".db-wal") != NULL;
    sums.blocks += opens;
    if (his ? opens == 0 || (!wal && opens != count) : opens != 0) {
        print_error("%s: %u of %u\n", f->path, opens, count);
        wrong(s, k / 3, his ? "doesn't open his file" : "opens a file that isn't his", k % 3);
    }
    return his;
}

/* Each key that a start gives for files, on each page of each file of each node. */
static void check_databases(struct story *s)
{
    for (unsigned i = 0; i < s->a.file_count; i++) {
        const struct attack_file *f = &s->a.files[i];
        unsigned owners = 0;
        for (unsigned k = 0; k < 3 * s->a.start_count && attack_is_database(f); k++) {
            owners += check_file_key(s, f, k);
        }
        if (attack_is_database(f)) {
            pages_count(s, f);
        }
        if (attack_is_database(f) && (owners == 0) != (page_kind(f) == PAGE_GLASS)) {
            print_error("%s is nobody's, or a glass is somebody's\n", f->path);
            s->wrong++;
        }
    }
}

/* `log`: of a node's master key the key of its log, which opens that. */
static void check_first_page(struct story *s, const uint8_t key[32], unsigned k, bool log)
{
    for (unsigned i = 0; i < s->a.file_count; i++) {
        const struct attack_file *f = &s->a.files[i];
        unsigned count = 0;
        const bool own =
            log && s->a.keys[k].origin == ATTACK_NODE_WRAP && strstr(f->path, "/log.db") != NULL;
        if (attack_is_database(f) && !own && attack_pages(&s->a, f, key, false, &count) != 0) {
            print_error("%s opens under a key of %s\n", f->path,
                        attack_kind_names[s->a.keys[k].origin]);
            s->wrong++;
        }
    }
}

/* And each key that anybody came to, itself and as what the documents derive from it, on the first
 * block of each. */
static void check_first_pages(struct story *s)
{
    static const char *const labels[] = {"log-db", "vault", "drafts"};
    for (unsigned k = 0; k < s->a.key_count; k++) {
        check_first_page(s, s->a.keys[k].b, k, false);
        for (unsigned l = 0; l < 3; l++) {
            uint8_t key[32];
            attack_kdf(key, labels[l], s->a.keys[k].b, ml_slice(s->a.org.b, 32));
            check_first_page(s, key, k, l == 0);
        }
    }
}

/* ---- keystores of others ---- */

static void check_slot(struct story *s, unsigned of, unsigned by)
{
    const struct person *p = &s->people[by];
    const char *whose = s->people[of].id;
    const bool own = of == by;
    const unsigned phrase = attack_unlocks(&s->a, whose, p->phrase, NULL);
    const unsigned words = p->words == NULL ? 0 : attack_unlocks(&s->a, whose, NULL, p->words);
    sums.unlocks += 2;
    if (phrase != own || words != (own && p->words != NULL)) {
        wrong(s, by, "his passphrase or words open a slot, or not his own", of);
    }
}

static void check_slots(struct story *s)
{
    for (unsigned i = 0; i < s->people_count * s->people_count; i++) {
        check_slot(s, i / s->people_count, i % s->people_count);
    }
}

/* ---- all of it ---- */

static void count(const struct story *s, const struct attack_loot *loot)
{
    for (unsigned i = 0; i < s->a.target_count; i++) {
        sums.kinds[s->a.targets[i].kind]++;
        sums.opened_kinds[s->a.targets[i].kind] += loot->targets[i];
    }
}

/* Traces of nodes, that no member of any opens. */
static void count_sealed_traces(const struct story *s)
{
    for (unsigned i = 0; i < s->a.target_count; i++) {
        sums.node_traces += s->a.targets[i].kind == ATTACK_TRACE && s->a.targets[i].by_count == 0;
    }
}

static void check_one(struct story *s, unsigned start)
{
    enum { ALL_DISKS = (1u << CLUSTER_NODES) - 1 };
    struct attack_loot loot;
    attack_walk(&s->a, start, ALL_DISKS, &loot);
    if (start < READERS) {
        check_items(s, start, &loot);
        check_chunks(s, start, &loot);
    } else {
        check_guest(s, &loot);
    }
    check_pairs(s, start, &loot);
    check_traces(s, start, start, &loot);
    check_node_files(s, start, start, &loot);
    count(s, &loot);
    attack_loot_free(&loot);
}

static void attack(struct story *s)
{
    attack_init(&s->a, &s->r.c);
    attack_read_logs(&s->a);
    attack_read_files(&s->a);
    for (unsigned m = 0; m < s->people_count; m++) {
        const struct person *p = &s->people[m];
        assert_true(attack_begin(&s->a, p->node, p->id, p->phrase));
    }
    attack_run(&s->a);
    for (unsigned i = 0; i < s->a.start_count; i++) {
        check_one(s, i);
    }
    count_sealed_traces(s);
    check_databases(s);
    check_first_pages(s);
    check_slots(s);
    s->wrong += attack_misnamed(&s->a);
    s->wrong += attack_keys_in_clear(&s->a);
    sums.targets += s->a.target_count;
    sums.keys += s->a.key_count;
    sums.tried += s->a.tried;
    attack_free(&s->a);
}

static void print_sums(void)
{
    print_message("structures %lu: %lu sealed parts, %lu keys, %lu tries; %lu files, %lu of their "
                  "pages and frames opened by their owners; %lu unlocks tried\n",
                  sums.seeds, sums.targets, sums.keys, sums.tried, sums.files, sums.blocks,
                  sums.unlocks);
    print_message(
        "members and entries: %lu pairs, %lu opened; entitled to %lu, shut out of %lu, the "
        "rules decide %lu alone\n",
        sums.pairs, sums.opened, sums.must, sums.closed, sums.exact);
    print_message("filed by who can't read it: %lu; traces that are the auditor's alone: %lu\n",
                  sums.filed, sums.node_traces);
    for (unsigned k = 0; k < PAGE_KIND_COUNT; k++) {
        print_message("  %s: %lu pages, %lu frames\n", page_kind_names[k], sums.pages[0][k],
                      sums.pages[1][k]);
    }
    for (unsigned k = 0; k < ATTACK_KIND_COUNT; k++) {
        print_message("  %s: %lu of %lu\n", attack_kind_names[k], sums.opened_kinds[k],
                      sums.kinds[k]);
    }
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static void look_at(unsigned long seed)
{
    static struct story s;
    tell_story(&s, seed);
    attack(&s);
    sums.seeds++;
    for (unsigned m = 0; m < PEOPLE; m++) {
        ml_secret_free(s.people[m].words);
    }
    if (s.wrong > 0) {
        print_sums();
        fail_msg("seed %lu: %u times not as the rules say", seed, s.wrong);
    }
    readers_end(&s.r);
}

/* Of each kind the chosen stories hold some; somebody opens some and nobody all, but of what is in
 * no file: Root's keys, what passphrases give, the key of a request. */
static void check_kind(enum attack_kind k)
{
    static const bool none[ATTACK_KIND_COUNT] = {
        [ATTACK_FOR_ROOT] = true, [ATTACK_SLOT] = true, [ATTACK_ANSWER] = true};
    if (sums.kinds[k] == 0 || sums.opened_kinds[k] == sums.kinds[k] ||
        (sums.opened_kinds[k] == 0) != none[k]) {
        fail_msg("%s: all or none of them, which shows nothing", attack_kind_names[k]);
    }
}

static void check_pages(enum page_kind k)
{
    if (sums.pages[0][k] == 0 || sums.pages[1][k] == 0) {
        fail_msg("%s: none lies on any disk", page_kind_names[k]);
    }
}

static void a_keystore_opens_what_its_member_is_entitled_to(void **state)
{
    /* History given, not given; a structure without matrix, where all may break glasses; and one
     * where he is revoked by who may not, who could break them. */
    static const unsigned long chosen[] = {1, 6, 8, 10};
    enum { CHOSEN = sizeof(chosen) / sizeof(chosen[0]) };
    const unsigned long first = number_of("ML_DISK_SEED", 0);
    const unsigned long seeds = first == 0 ? CHOSEN : number_of("ML_DISK_COUNT", 1);
    (void)state;
    for (unsigned long i = 0; i < seeds; i++) {
        look_at(first == 0 ? chosen[i] : first + i);
    }
    print_sums();
    if (first == 0) {
        assert_true(sums.opened > 0 && sums.opened < sums.pairs);
        assert_true(sums.must > 0 && sums.closed > 0 && sums.exact > sums.pairs / 4);
        assert_true(sums.filed > 0 && sums.node_traces > 0);
    }
    for (unsigned k = 0; k < PAGE_KIND_COUNT && first == 0; k++) {
        check_pages((enum page_kind)k);
    }
    for (unsigned k = 0; k < ATTACK_KIND_COUNT && first == 0; k++) {
        check_kind((enum attack_kind)k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keystore_opens_what_its_member_is_entitled_to)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
