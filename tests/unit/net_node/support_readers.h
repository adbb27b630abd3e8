/* support_readers.h -- a structure drawn from a seed: its matrix, its members' roles and teams, its
 * patients, what they decided, and what is in their records. Beside it an oracle: who may read
 * what, by the rules as docs/habilitation.md, docs/protocol/keys.md and docs/protocol/consent.md
 * tell them (and domain 4.2, 7.2), from what was drawn alone. It shares no line and no type with
 * the code that decides it. */
#ifndef ML_TESTS_READERS_H
#define ML_TESTS_READERS_H

#include "support_cluster.h"
#include "support_story.h"

enum {
    READERS = CLUSTER_NODES, /* one member a node; the first founds, and does what needs a rank */
    READER_TEAMS = 2,
    READER_PATIENTS = 6,
    READER_ITEMS = 128,
    READER_GRANTS = 8,
    READER_SAID = 16,
    READER_ROUNDS = 3,
    READER_CLASSES = 24,
    READER_COMPARTMENTS = 12,
};

/* A role beside the one that he was added with. */
struct reader_grant {
    int role;
    unsigned teams; /* bits; 0: wherever he works */
    bool ended;
};

struct reader {
    char id[40];
    int base;
    int rank;
    bool absent;   /* has no place: not yet, or not any more */
    bool gone;     /* his computer was stolen; its disk is as it was in round `last` */
    unsigned last; /* ... */
    struct reader_grant grants[READER_GRANTS];
    unsigned grant_count;
};

/* In order of what is more specific; a profession and a team cross. */
typedef enum reader_audience { FOR_ALL_BUT, FOR_PROFESSION, FOR_TEAM, FOR_PERSON } reader_audience;
typedef enum reader_part { OF_ALL, OF_COMPARTMENT, OF_CLASS, OF_OBJECT } reader_part;

struct reader_said {
    bool holds;
    bool opposes; /* else he agrees */
    reader_audience audience;
    unsigned whom; /* a role, a team, a member; bits of the members whom it isn't about */
    reader_part part;
    unsigned number; /* a compartment, a class, an item */
    char id[40];
};

struct reader_patient {
    char id[40];
    unsigned teams; /* bits */
    unsigned round; /* in which he came */
    bool shut;      /* he excluded emergency access, before anything was written of him */
    struct reader_said said[READER_SAID];
    unsigned said_count;
};

struct reader_item {
    unsigned patient;
    unsigned kind; /* of reader_kinds */
    unsigned author;
    unsigned round;
    char object[40];
    char version[48]; /* "<32 hex digits of its bundle>:<index>" */
};

/* What may be written, of each class that has a form. */
struct reader_kind {
    const char *entity;
    unsigned class;
    unsigned compartment;
};
extern const struct reader_kind reader_kinds[];
enum { READER_SENSITIVE = 9 };

struct readers {
    struct cluster c;
    uint64_t random;
    bool ruled;                              /* a matrix is there */
    uint8_t cells[1000][READER_CLASSES + 1]; /* by role and class: scope of reading, 0 to 3 */
    uint8_t team[READER_TEAMS][16];
    struct reader members[READERS];
    struct reader_patient patients[READER_PATIENTS];
    unsigned patient_count;
    struct reader_item items[READER_ITEMS];
    unsigned item_count;
    unsigned refused; /* writes that the author had no right or no key for */
    unsigned moved;   /* roles given again, for other teams */
    unsigned round;
    bool shuts; /* draw patients who exclude emergency access */
    /* Bits round * 16 + compartment: what readers_given and readers_sealed_for said. */
    uint64_t entitled[READERS][READER_PATIENTS];
    uint64_t sealed[READERS][READER_PATIENTS];
    unsigned breaks[READERS]; /* bits of rounds: what readers_breaks said */
};

uint64_t readers_below(struct readers *r, uint64_t n);

/** Founds, draws, enrols, writes: round 0 is over. */
void readers_begin(struct readers *r, uint64_t seed);
/** The same; this one is a member and has no computer yet, and some exclude emergency access. */
void readers_begin_without(struct readers *r, uint64_t seed, unsigned late);
/** He gets his; and what was before, if `history`. A round of its own. */
void readers_join(struct readers *r, unsigned member, bool history);
/** Whoever stole his computer keeps it from hearing anything; then he is revoked. */
void readers_revoke(struct readers *r, unsigned member);
/** Some of it is decided otherwise; then more is written. */
void readers_again(struct readers *r);
/** One entry more in this round, of no draw; false: its author has no right or no key for it. */
bool readers_write(struct readers *r, unsigned patient, unsigned kind, unsigned author);
/** Everybody who is there holds what everybody else does. */
void readers_settle(struct readers *r);
void readers_end(struct readers *r);

/* ---- the oracle: by what stands now ---- */

/** Is this member one of those whom the group's key is for? */
bool readers_entitled(const struct readers *r, unsigned member, unsigned team,
                      unsigned compartment);
/** The same in one of the patient's teams. */
bool readers_given(const struct readers *r, unsigned member, unsigned patient,
                   unsigned compartment);
/** Is he one of those whom the data keys of this patient and compartment are sealed for? */
bool readers_sealed_for(const struct readers *r, unsigned member, unsigned patient,
                        unsigned compartment);
/** May he see this one entry, by what the patient decided? */
bool readers_consent(const struct readers *r, unsigned member, unsigned item);
/** Is he told what the patient decides? */
bool readers_hears(const struct readers *r, unsigned member, unsigned patient);
/** Nobody is told now who wasn't when something was said: under an earlier `admin` key, which a
 * newcomer isn't given, he has what the patient decided sealed. He may undo it, not knowing. */
bool readers_heard_by_all(const struct readers *r, unsigned patient);
/** Is he given the keys of emergencies? */
bool readers_breaks(const struct readers *r, unsigned member);
/** The border that the vault draws within what keys open: by the matrix. */
bool readers_matrix(const struct readers *r, unsigned member, unsigned item);

/** The border that keys draw. Of what this round wrote both say the same. Of what was written
 * before, whom its keys were for in every round since must open it, whom in none mustn't; others
 * have what they had. */
bool readers_must_open(const struct readers *r, unsigned member, unsigned item);
bool readers_may_open(const struct readers *r, unsigned member, unsigned item);

#endif
