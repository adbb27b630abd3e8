/* maille-model -- every short history of governance means one thing, and the right one (model.h,
 * docs/governance.md). Options below; exit 1 at the first history that doesn't. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

static const char usage[] =
    "usage: maille-model [--story NAME] [--depth N] [--kinds N] [--seconds N | --histories N]\n"
    "                    [--seed N] [--stores N]\n"
    "  --story NAME   a beginning of some acts, checked itself; the others follow it (`all`: one\n"
    "                 after the other, for --depth; one by each seed)\n"
    "  --depth N      every history of up to N acts (default 2)\n"
    "  --kinds N      of the first N kinds of act (default 9, the core; 20 are all)\n"
    "  --seconds N    histories of six acts, drawn by seeds, for so long\n"
    "  --histories N  or so many of them\n"
    "  --seed N       the first one's (default: the clock's); each next one adds one\n"
    "  --stores N     every Nth of them is built, and log stores hear of it (default 50; 0: "
    "none)\n";

enum { NO_STORY = -2, ALL_STORIES = -1 };

struct options {
    int story; /* NO_STORY, ALL_STORIES, or its number */
    uint64_t depth;
    uint64_t kinds;
    uint64_t seconds;
    uint64_t histories;
    uint64_t seed;
    uint64_t stores;
};

static struct pure *pures[M_CASTS];

/* ---- all short ones ---- */

/* As deep as there are acts. NOLINTNEXTLINE(misc-no-recursion) */
static bool extend(struct pure *p, struct m_history *h, unsigned depth);

/* An act without right says nothing: the history is the one without it.
 * NOLINTNEXTLINE(misc-no-recursion) */
static bool extend_by(struct pure *p, struct m_history *h, unsigned depth, uint32_t writer)
{
    const unsigned vecs = m_vec_count(h);
    const unsigned says = m_say_count(h);
    bool good = true;
    for (unsigned n = 0; n < vecs * says && good; n++) {
        if (!m_next(h, writer, n / says, n % says) || !m_is_canonical(h)) {
            continue;
        }
        h->count++;
        h->no_records = h->count > h->fixed + 3;
        if (pure_add(p, h) == ML_REASON_NONE) {
            good = pure_check(p, h) && extend(p, h, depth - 1);
        } else {
            m_tally.refused++;
        }
        pure_undo(p);
        h->count--;
    }
    return good;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool extend(struct pure *p, struct m_history *h, unsigned depth)
{
    bool good = true;
    for (uint32_t w = 0; w < M_WRITERS && depth > 0 && h->count < M_ACTS && good; w++) {
        good = extend_by(p, h, depth, w);
    }
    return good;
}

static void report(const char *what)
{
    printf("%s: %" PRIu64 " histories, %" PRIu64 " orders, %" PRIu64 " records\n", what,
           m_tally.histories, m_tally.orders, m_tally.records);
    printf("  %" PRIu64 " acts without right left out, %" PRIu64 " that fell; %" PRIu64
           " open by the rules, %" PRIu64 " histories go another way there\n",
           m_tally.refused, m_tally.fell, m_tally.either, m_tally.apart);
    printf("  %" PRIu64 " in stores too, %" PRIu64 " records adopted there\n", m_tally.stores,
           m_tally.adopted);
    memset(&m_tally, 0, sizeof(m_tally));
    fflush(stdout);
}

/* ---- stories ---- */

/* With all that is said in it, whatever --kinds is for what follows. */
static void begin_story(struct m_history *h, unsigned story)
{
    struct pure *p = pures[m_story_cast(story)];
    const unsigned sayings = h->sayings;
    h->sayings = M_SAYING_COUNT;
    m_found(h, m_casts[m_story_cast(story)]);
    for (unsigned line = 0; m_story_tell(h, story, line); line++) {
        if (pure_add(p, h) != ML_REASON_NONE) {
            fprintf(stderr, "story %s: line %u has no right\n", m_story_name(story), line);
            exit(1);
        }
    }
    h->fixed = h->count;
    h->sayings = sayings;
}

static void end_history(struct pure *p, struct m_history *h)
{
    for (; h->count > M_SETUP; h->count--) {
        pure_undo(p);
    }
}

static bool all_of_story(const struct options *o, unsigned story)
{
    static struct m_history h;
    struct pure *p = pures[m_story_cast(story)];
    h.sayings = (unsigned)o->kinds;
    h.no_records = false;
    begin_story(&h, story);
    const bool good = pure_check(p, &h) && extend(p, &h, (unsigned)o->depth);
    if (!good) {
        printf("in the story %s\n", m_story_name(story));
    }
    end_history(p, &h);
    return good;
}

static bool all_short_ones(const struct options *o)
{
    static struct m_history h;
    bool good = true;
    h.sayings = (unsigned)o->kinds;
    for (unsigned cast = 0; cast < M_CASTS && o->depth > 0 && o->story == NO_STORY && good;
         cast++) {
        m_found(&h, m_casts[cast]);
        good = extend(pures[cast], &h, (unsigned)o->depth);
    }
    for (unsigned story = 0; story < m_story_count() && o->story != NO_STORY && good; story++) {
        good = (o->story != ALL_STORIES && (unsigned)o->story != story) || all_of_story(o, story);
    }
    if (good && m_tally.histories > 0) {
        report("exhaustive");
    }
    return good;
}

/* ---- six acts, by a seed ---- */

static uint64_t draw(uint64_t *rng, uint64_t bound)
{
    uint64_t z = *rng += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

static void grow(struct pure *p, struct m_history *h, uint64_t *rng)
{
    const uint32_t writer = (uint32_t)draw(rng, M_WRITERS);
    const unsigned vec = (unsigned)draw(rng, m_vec_count(h));
    if (m_next(h, writer, vec, (unsigned)draw(rng, m_say_count(h)))) {
        h->count++;
        if (pure_add(p, h) != ML_REASON_NONE) {
            pure_undo(p);
            h->count--;
        }
    }
}

static struct pure *begin(const struct options *o, struct m_history *h, uint64_t *rng)
{
    unsigned cast = (unsigned)draw(rng, M_CASTS);
    if (o->story == NO_STORY) {
        m_found(h, m_casts[cast]);
    } else {
        const unsigned any = (unsigned)draw(rng, m_story_count());
        const unsigned story = o->story == ALL_STORIES ? any : (unsigned)o->story;
        begin_story(h, story);
        cast = m_story_cast(story);
    }
    return pures[cast];
}

static bool check_seed(const struct options *o, uint64_t seed, bool stores)
{
    static struct m_history h;
    uint64_t rng = seed;
    h.sayings = M_SAYING_COUNT;
    h.clocks = true;
    h.no_records = false;
    struct pure *p = begin(o, &h, &rng);
    for (unsigned tries = 0; tries < 2000 && h.count < M_ACTS; tries++) {
        grow(p, &h, &rng);
    }
    bool good = pure_check(p, &h);
    if (good && stores && !real_check(&h, pure_outcome(p), seed)) {
        m_tell(&h);
        good = false;
    }
    end_history(p, &h);
    if (!good) {
        printf("again: maille-model%s%s --depth 0 --seed %" PRIu64 " --histories 1 --stores 1\n",
               o->story == NO_STORY ? "" : " --story ",
               o->story == NO_STORY      ? ""
               : o->story == ALL_STORIES ? "all"
                                         : m_story_name((unsigned)o->story),
               seed);
    }
    return good;
}

static bool by_seeds(const struct options *o)
{
    const time_t until = time(NULL) + (time_t)o->seconds;
    bool good = true;
    if (o->histories == 0 && o->seconds == 0) {
        return true;
    }
    printf("seeds from %" PRIu64 "\n", o->seed);
    for (uint64_t n = 0; good && (n < o->histories || (o->seconds > 0 && time(NULL) < until));
         n++) {
        good = check_seed(o, o->seed + n, o->stores > 0 && n % o->stores == 0);
    }
    if (good) {
        report("by seed");
    }
    return good;
}

/* ---- options ---- */

static bool read_number(uint64_t *out, const char *text)
{
    char *end = NULL;
    *out = text == NULL ? 0 : strtoull(text, &end, 10);
    return text != NULL && end != text && *end == 0;
}

static bool read_story(struct options *o, const char *text)
{
    bool known = text != NULL && strcmp(text, "all") == 0;
    o->story = ALL_STORIES;
    for (unsigned story = 0; story < m_story_count() && text != NULL && !known; story++) {
        known = strcmp(text, m_story_name(story)) == 0;
        o->story = (int)story;
    }
    return known;
}

static bool read_options(struct options *o, char **argv)
{
    const struct {
        const char *name;
        uint64_t *value;
    } known[] = {{"--depth", &o->depth},         {"--kinds", &o->kinds}, {"--seconds", &o->seconds},
                 {"--histories", &o->histories}, {"--seed", &o->seed},   {"--stores", &o->stores}};
    for (char **at = argv + 1; *at != NULL; at += 2) {
        bool read = strcmp(*at, "--story") == 0 && read_story(o, at[1]);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            read = read || (strcmp(*at, known[i].name) == 0 && read_number(known[i].value, at[1]));
        }
        if (!read) {
            return false;
        }
    }
    return o->depth <= M_LONGEST && o->kinds >= 1 && o->kinds <= M_SAYING_COUNT;
}

int main(int argc, char **argv)
{
    struct options o = {.story = NO_STORY,
                        .depth = 2,
                        .kinds = M_CORE,
                        .seed = (uint64_t)time(NULL) * 1000,
                        .stores = 50};
    static struct m_history h;
    if (argc < 1 || !read_options(&o, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    for (unsigned cast = 0; cast < M_CASTS; cast++) {
        m_found(&h, m_casts[cast]);
        pures[cast] = pure_new(&h);
    }
    const bool good = all_short_ones(&o) && by_seeds(&o);
    for (unsigned cast = 0; cast < M_CASTS; cast++) {
        pure_free(pures[cast]);
    }
    return good ? 0 : 1;
}
