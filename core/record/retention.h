/* core/record/retention.h -- how long a record is kept (domain 4.6, ADR 0024): from the last
 * contact, the birth and the death. Calendar days, no clock, no time zone: pure; any thread.
 *
 * A record is active for some years after the last contact, then in intermediate archive until its
 * end: 20 years after the last contact, or the 28th birthday where that is later, or 10 years after
 * the death of who dies within 10 years of it (CSP R1112-7). A day counts as passed when it is
 * over. What is known to the year or the month alone lasts to its last day.
 */
#ifndef ML_RECORD_RETENTION_H
#define ML_RECORD_RETENTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/record/date.h"
#include "core/record/vault.h"
#include "maille/value.h"

/** A structure's durations. What it sets may lengthen what the law says, never shorten it. */
struct ml_retention_rule {
    uint16_t active_years; /* 5: after the last contact */
    uint16_t total_years;  /* 20: after the last contact, archive included */
    uint16_t minor_age;    /* 28: not before this birthday */
    uint16_t death_years;  /* 10: after a death */
    uint16_t trace_months; /* 12; 6 at least */
};
#define ML_RETENTION_YEARS_MAX  100u
#define ML_RETENTION_MONTHS_MAX 1200u

/** What stands where the structure says nothing. */
struct ml_retention_rule ml_retention_default(void);
/** Is each duration within its limits: no shorter than the default (traces: 6 months; the active
 * time 1 year), no longer than the limits above, the active time within the whole? */
bool ml_retention_allowed(const struct ml_retention_rule *rule);

struct ml_retention_facts {
    struct ml_date contact; /* last one, its last day; of no dated entry: when he was recorded */
    struct ml_date birth;   /* year 0: not known */
    struct ml_date death;   /* year 0: he lives, or the date isn't known */
    bool doubtful;          /* birth or death stand in conflict */
    bool recent;            /* the walk ended at a contact that was recent enough */
    uint32_t held;          /* holds that nobody released */
};

typedef enum ml_retention_why {
    ML_RETENTION_CONTACT = 1,
    ML_RETENTION_MINOR = 2,
    ML_RETENTION_DEATH = 3,
} ml_retention_why;

typedef enum ml_retention_state {
    ML_RETENTION_ACTIVE = 1,
    ML_RETENTION_ARCHIVE = 2,
    ML_RETENTION_OVER = 3,
} ml_retention_state;

struct ml_retention {
    struct ml_date active_end; /* last day of the active time */
    struct ml_date end;        /* last day that it is kept */
    ml_retention_why why;      /* the rule that gave the end */
};

/** So many years, then months, later: from quantième to quantième, else the month's last day (CPC
 * art. 641). Of a partial date from its last day. The year stops at 9999. */
struct ml_date ml_retention_after(const struct ml_date *date, unsigned years, unsigned months);
/** So many months earlier, in the same way; not before the year 1. */
struct ml_date ml_retention_before(const struct ml_date *date, unsigned months);
/** <0, 0, >0 by the last day that each may be. */
int ml_retention_compare(const struct ml_date *a, const struct ml_date *b);

struct ml_retention ml_retention_of(const struct ml_retention_facts *facts,
                                    const struct ml_retention_rule *rule);
ml_retention_state ml_retention_state_on(const struct ml_retention *r, const struct ml_date *today);

const char *ml_retention_why_name(ml_retention_why why);       /* "contact" ... */
const char *ml_retention_state_name(ml_retention_state state); /* "active" ... */
/** Why it ends when it does, French: « 20 ans après le dernier contact (25/03/2006) ». */
void ml_retention_text(struct ml_buf *out, const struct ml_retention *r,
                       const struct ml_retention_facts *facts,
                       const struct ml_retention_rule *rule);

/** What a vault knows of a patient. Entries of the timeline count, unless they were entered in
 * error or are greyed, by the date of care of each of their versions. A contact at or after
 * `enough_ms` ends the walk (INT64_MAX: none does). NOT_FOUND: the patient isn't known here. */
ml_err ml_vault_retention(struct ml_vault *v, const struct ml_object_id *patient, int64_t enough_ms,
                          struct ml_retention_facts *out) ML_MUST_CHECK;

/** A hold that nobody released; borrowed for the call. `each` asks nothing of the vault. */
typedef ml_err ml_hold_cb(void *user, const struct ml_object_id *object, struct ml_slice reason,
                          uint64_t recorded_ms);
ml_err ml_vault_each_hold(struct ml_vault *v, const struct ml_object_id *patient, ml_hold_cb *each,
                          void *user) ML_MUST_CHECK;

/** What is asked of the views below. */
struct ml_view_retention {
    struct ml_args *out; /* borrowed: an open map */
    struct ml_retention_rule rule;
    struct ml_date on; /* as of which day */
};
/** Into the open map: items [{patient, birth_name ..., contact, active_end, end, state, rule, text,
 * held, doubtful}] of those whose active time is over, by patient id; complete. */
ml_err ml_view_retention(struct ml_vault *v, const struct ml_view_retention *what) ML_MUST_CHECK;
/** One patient, whatever his time: the keys of an item. NOT_FOUND. */
ml_err ml_view_retention_of(struct ml_vault *v, const struct ml_view_retention *what,
                            const struct ml_object_id *patient,
                            struct ml_retention_facts *facts) ML_MUST_CHECK;

#endif
