/* core/record/words.h -- dates, rhythms and counts as they are said in French. Pure; any thread. */
#ifndef ML_RECORD_WORDS_H
#define ML_RECORD_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/codec/change.h"
#include "core/record/date.h"

/* How a date is brought in: "le 3 mars 2026" but "en mars 2026"; "depuis le 3", "depuis 2026". */
typedef enum ml_when {
    ML_WHEN_BARE,
    ML_WHEN_ON,    /* le, en */
    ML_WHEN_SINCE, /* depuis le, depuis */
    ML_WHEN_UNTIL, /* jusqu'au, jusqu'en */
    ML_WHEN_FROM,  /* à partir du, à partir de */
    ML_WHEN_OUT,   /* du, de: the beginning of a period */
    ML_WHEN_TO,    /* au, à: its end */
} ml_when;

/** "le", "depuis", "jusque" or "dès"; BARE for any other. */
ml_when ml_when_named(struct ml_slice word);

/** "à partir du 3 mars 2026" when `words`, else "à partir du 03/03/2026". */
void ml_words_date(struct ml_buf *out, const struct ml_date *date, ml_when when, bool words);
/** The same, with the time of day when it is known ("à 10:42"). */
void ml_words_instant(struct ml_buf *out, const struct ml_instant *at, ml_when when, bool words);
/** "du 3 au 5 mars"; on one day: "le 3 mars 2026 de 10:00 à 10:15". Precision 0: open there. */
void ml_words_period(struct ml_buf *out, const struct ml_instant *start,
                     const struct ml_instant *end, bool words);

/* How often: all parts may be absent (0, empty). */
struct ml_rhythm {
    uint64_t times;
    uint64_t times_max;
    struct ml_slice period; /* decimal */
    struct ml_slice unit;   /* s, min, h, d, wk, mo, a */
    struct ml_slice name;   /* what another unit is called; empty: as it is written */
};

/** "2 fois par jour", "toutes les 12 heures", "2 à 3 fois tous les 2 jours". */
void ml_words_rhythm(struct ml_buf *out, const struct ml_rhythm *rhythm);

/** Does a French plural follow this number: 2 and above? */
bool ml_words_plural(struct ml_slice decimal);

#endif
