/* core/base/hlc.h -- hybrid logical clock (Kulkarni et al., 2014): for display and for order within
 * one writer. No merge is decided by it (architecture 6).
 *
 * A reading is 48 bits of UTC milliseconds, then 16 bits of counter; readings compare as numbers.
 * A clock belongs to one thread.
 */
#ifndef ML_BASE_HLC_H
#define ML_BASE_HLC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/env.h"

/** A reading further ahead of the median than this is flagged and moves no other clock (B15). */
#define ML_HLC_AHEAD_MAX_MS (UINT64_C(24) * 3600u * 1000u)
#define ML_HLC_MS_MAX       ((UINT64_C(1) << 48) - 1u)

struct ml_hlc_clock {
    const struct ml_env *env; /* borrowed */
    uint64_t last;            /* highest reading given out or received */
};

static inline uint64_t ml_hlc_make(uint64_t ms, uint16_t counter)
{
    return (ms < ML_HLC_MS_MAX ? ms : ML_HLC_MS_MAX) << 16 | counter;
}

static inline uint64_t ml_hlc_ms(uint64_t hlc)
{
    return hlc >> 16;
}

/** `last`: the highest reading known from the log, 0 for none. */
void ml_hlc_init(struct ml_hlc_clock *c, const struct ml_env *env, uint64_t last);

/** A reading above every one given or received; the wall clock's where it is ahead. At the end of
 * time (a peer may have claimed it) the last reading again. */
uint64_t ml_hlc_tick(struct ml_hlc_clock *c);

/** Takes over a reading from elsewhere, so that our next one is above it. One that is too far ahead
 * is not to be given (ml_hlc_is_ahead): the caller flags what carries it. */
void ml_hlc_receive(struct ml_hlc_clock *c, uint64_t hlc);

/** Of `median_ms`: of the readings known of each writer, ours included. */
bool ml_hlc_is_ahead(uint64_t hlc, uint64_t median_ms);

/** Lower median (0 of none): half of the clocks may lie ahead without moving it. Sorts `ms`. */
uint64_t ml_hlc_median(uint64_t *ms, size_t count);

#endif
