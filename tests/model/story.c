/* story.c -- beginnings that no short history and hardly a seed reaches: each is what a mutant of
 * tests/mutants/model, or an adversary of rules B14, needs to be seen. See model.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { MOST = M_LONGEST - 1 };

/* What writer `by` says of `of`; `saw` are the acts of the story before it, by their numbers, with
 * all that those saw; his own are among them always. */
struct line {
    enum m_saying saying;
    uint8_t by;
    uint8_t of;
    m_set saw; /* or LATER: two days */
};

struct story {
    const char *name;
    uint8_t cast;
    uint8_t count;
    struct line lines[MOST];
};

enum { CAST_111, CAST_112, CAST_122, CAST_123, CAST_113 };
#define SAW(i) ((m_set)1 << (i))
#define LATER  ((m_set)1 << 31)

static const struct story stories[] = {
    /* Each of two suspends the other, not knowing it. */
    {"duel", CAST_112, 2, {{M_SUSPEND, 0, 1, 0}, {M_SUSPEND, 1, 0, 0}}},
    /* Two pairs, with one hand in both. */
    {"crossing-pairs", CAST_111, 2, {{M_TWO_CUT0, 0, 1, 0}, {M_TWO_CUT0, 1, 0, 0}}},
    /* A witness, who hadn't seen the departure, is denied himself, within his cut. */
    {"denied-witness",
     CAST_122,
     4,
     {{M_OTHER, 1, 0, 0}, {M_OTHER, 2, 0, SAW(0)}, {M_DEPARTURE, 0, 1, 0}, {M_LOST, 0, 2, SAW(1)}}},
    /* Whom a departed coordinator raised goes on, and has vouched for him before. */
    {"raised-by-the-departed",
     CAST_112,
     4,
     {{M_GRANT1, 1, 2, 0}, {M_OTHER, 2, 0, SAW(0)}, {M_PLACE, 2, 2, 0}, {M_TWO_DEPART, 0, 1, 0}}},
    /* What nobody had seen when the departure was sealed, though a witness names it. */
    {"sealed-departure",
     CAST_122,
     4,
     {{M_OTHER, 1, 0, 0},
      {M_OTHER, 2, 0, SAW(0)},
      {M_DEPARTURE, 0, 1, 0},
      {M_CHECKPOINT, 0, 0, 0}}},
    /* A later seal, which holds it, comes too late. */
    {"sealed-twice",
     CAST_122,
     5,
     {{M_OTHER, 1, 0, 0},
      {M_OTHER, 2, 0, SAW(0)},
      {M_DEPARTURE, 0, 1, 0},
      {M_CHECKPOINT, 0, 0, 0},
      {M_CHECKPOINT, 0, 0, SAW(1)}}},
    /* A checkpoint, then somebody who cuts below it. */
    {"cut-below-a-checkpoint",
     CAST_111,
     3,
     {{M_OTHER, 1, 0, 0}, {M_CHECKPOINT, 0, 0, SAW(0)}, {M_TWO_CUT0, 0, 1, 0}}},
    /* The subject's own checkpoint holds his own act. */
    {"his-own-checkpoint",
     CAST_111,
     3,
     {{M_OTHER, 1, 0, 0}, {M_CHECKPOINT, 1, 0, 0}, {M_TWO_CUT0, 0, 1, SAW(1)}}},
    /* Lowered, raised by who is being removed: he signs for that removal with which rank? */
    {"raised-by-the-removed",
     CAST_112,
     3,
     {{M_GRANT3, 0, 2, 0}, {M_GRANT2, 1, 2, SAW(0)}, {M_TWO_CUT0, 0, 1, SAW(1)}}},
    /* His equal removes whom a coordinator lowered, who is removed himself. */
    {"lowered-by-the-removed",
     CAST_122,
     3,
     {{M_GRANT3, 0, 2, 0}, {M_COMPROMISE, 1, 2, SAW(0)}, {M_ROOT, 2, 0, 0}}},
    /* Somebody back by who is being removed. */
    {"taken-back-by-the-removed",
     CAST_123,
     3,
     {{M_DEPARTURE, 0, 2, 0}, {M_GRANT3, 1, 2, SAW(0)}, {M_COMPROMISE, 0, 1, 0}}},
    /* A suspension ends when two say so, one of them entitled; not by one clock, nor a member's. */
    {"two-clocks",
     CAST_123,
     3,
     {{M_SUSPEND, 0, 1, 0}, {M_OTHER, 2, 0, SAW(0) | LATER}, {M_CHECKPOINT, 0, 0, SAW(1) | LATER}}},
    {"one-clock",
     CAST_123,
     4,
     {{M_SUSPEND, 0, 1, 0},
      {M_OTHER, 2, 0, LATER},
      {M_OTHER, 0, 0, LATER},
      {M_CHECKPOINT, 0, 0, LATER}}},
    {"a-members-clock",
     CAST_123,
     3,
     {{M_SUSPEND, 0, 1, 0}, {M_OTHER, 0, 0, LATER}, {M_OTHER, 2, 0, SAW(1) | LATER}}},
    /* Lowered by who is being removed, he signs what he couldn't any more. */
    {"lowered-then-signs",
     CAST_112,
     3,
     {{M_GRANT3, 1, 2, 0}, {M_TWO_CUT0, 0, 1, 0}, {M_CHECKPOINT, 2, 0, 0}}},
    /* Who stole the sheets says that he hasn't heard of the new ones. */
    {"replaced-root", CAST_111, 2, {{M_ROTATE, 0, 1, 0}, {M_ROOT, 2, 1, 0}}},
    /* He makes himself the only leader by them, and replaces them himself. */
    {"thiefs-root",
     CAST_111,
     4,
     {{M_ROOT, 2, 0, 0}, {M_ROOT, 2, 1, 0}, {M_ROOT_ROTATE, 2, 0, 0}, {M_ROTATE, 0, 1, 0}}},
    /* Two sets at once, with one hand in both; then a word of Root by who knows one. */
    {"two-roots", CAST_111, 3, {{M_ROTATE, 0, 1, 0}, {M_ROTATE, 2, 1, 0}, {M_ROOT_GRANT, 0, 2, 0}}},
};

enum { STORIES = sizeof(stories) / sizeof(stories[0]) };

unsigned m_story_count(void)
{
    return STORIES;
}

const char *m_story_name(unsigned story)
{
    return stories[story].name;
}

unsigned m_story_cast(unsigned story)
{
    return stories[story].cast;
}

static m_set past_of(const struct m_history *h, const struct line *l)
{
    m_set past = m_one(M_SETUP) - 1;
    for (unsigned i = M_SETUP; i < h->count; i++) {
        if (m_has(l->saw, i - M_SETUP) || h->acts[i].writer == l->by) {
            past |= m_one(i) | h->acts[i].past;
        }
    }
    return past;
}

static bool say_line(struct m_history *h, const struct line *l)
{
    const m_set past = past_of(h, l);
    const unsigned day = (l->saw & LATER) != 0 ? M_WRITERS : 0;
    const unsigned say = (unsigned)l->saying + h->sayings * (l->of + day);
    for (unsigned vec = 0; vec < m_vec_count(h); vec++) {
        if (m_next(h, l->by, vec, say) && h->acts[h->count].past == past) {
            h->count++;
            return true;
        }
    }
    return false;
}

bool m_story_tell(struct m_history *h, unsigned story, unsigned line)
{
    if (line == stories[story].count) {
        return false;
    }
    if (!say_line(h, &stories[story].lines[line])) {
        fprintf(stderr, "story %s: nobody can say line %u\n", stories[story].name, line);
        abort();
    }
    return true;
}
