/* tests/unit/sync/support_session.h -- one session of a world of three: A and B are linked, what B
 * sends from then on is the test's own, C isn't started and only makes bundles. */
#ifndef ML_TESTS_SYNC_SESSION_H
#define ML_TESTS_SYNC_SESSION_H

#include "support_world.h"

#define LATENCY ((uint64_t)10)

enum { A, B, C };

/** The world of the test that runs. */
extern struct world w;

int session_setup(void **state);
int session_teardown(void **state);

/** An own bundle of `node`; its index. */
int append_as(unsigned node, struct ml_writer_id writer, uint8_t lane, size_t op_bytes);
/** Of node C: bundles that nobody has. */
int foreign(uint8_t lane, uint32_t ops, size_t op_bytes);
/** The link of A and B, live; B hears no more, and the model judges it no more. */
int live_link(void);
void to_a(int link, const struct ml_msg *msg);
/** A took what it was sent last, and goes on. */
void assert_taken(void);

#endif
