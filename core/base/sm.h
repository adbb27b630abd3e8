/* core/base/sm.h -- a state machine whose allowed moves are a table and whose invariant is checked
 * at each move (after dqlite's sm.h).
 *
 * Embedded in the object it describes; owns nothing. A move that the table doesn't allow and an
 * invariant that doesn't hold are errors of ours, never of a peer: both abort (ML_ASSERT). What a
 * peer may ask for is tested with ml_sm_allows first. One thread at a time.
 */
#ifndef ML_BASE_SM_H
#define ML_BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

#define ML_SM_STATES_MAX 32u /* `moves` has one bit a state */

#define ML_SM_TO(state) (UINT32_C(1) << (state))
#define ML_SM_INITIAL   0x1u /* a machine may begin here */
#define ML_SM_FINAL     0x2u /* a machine may be dropped here */

/** One row of the table, at the index of its state. */
struct ml_sm_state {
    const char *name; /* static */
    uint32_t moves;   /* ML_SM_TO() of each state that may follow */
    uint8_t flags;
};

struct ml_sm;

/** True when what must hold in the state that was just entered does hold. `from` equals the
 * machine's state at the start. */
typedef bool ml_sm_invariant(const struct ml_sm *sm, unsigned from);

struct ml_sm {
    const struct ml_sm_state *states; /* borrowed, static */
    ml_sm_invariant *invariant;       /* may be NULL */
    unsigned count;
    unsigned state;
};

void ml_sm_init(struct ml_sm *sm, const struct ml_sm_state *states, unsigned count,
                ml_sm_invariant *invariant, unsigned initial);
void ml_sm_move(struct ml_sm *sm, unsigned to);
bool ml_sm_allows(const struct ml_sm *sm, unsigned to);
unsigned ml_sm_at(const struct ml_sm *sm);
const char *ml_sm_name(const struct ml_sm *sm);
/** To be called before the object goes: aborts outside of a final state. */
void ml_sm_fini(struct ml_sm *sm);

#endif
