/* tests/bench/wire.h -- two whole nodes in this process with a simulated link between them, on
 * virtual time: the frames are the real ones, sealed and padded; computing costs no time.
 *
 * The link (decisions 26): each direction sends at `kbit_s` (0: at once); what has left arrives
 * WIRE_LATENCY_MS later; each 1,400-byte segment of a slow link has a 5 % chance of arriving 300 ms
 * late, and all behind it waits for it while the link goes on sending. The handshake isn't counted.
 */
#ifndef ML_BENCH_WIRE_H
#define ML_BENCH_WIRE_H

#include "bench.h"
#include "net/link/frame.h"
#include "node.h"

enum { WIRE_LATENCY_MS = 150 }; /* one way: a round trip is 300 ms */

struct wire_event;

struct wire_end {
    struct wire *wire;
    unsigned side;
    struct bench_node node;
    struct ml_frame_writer writer; /* of what this end sends */
    struct ml_frame_reader reader; /* of what it hears */
    uint64_t busy_us;              /* the link is sending until then */
    uint64_t last_us;              /* arrival of the latest frame at the other end */
    uint64_t sent_bytes;           /* frames */
    size_t unsent;                 /* bytes of messages that `link_sent` will tell of */
    bool pump_waits;
};

struct wire {
    struct bench *b;
    struct ml_env env;
    uint64_t now_us;
    uint64_t wall_start_ms;
    uint64_t rng;
    uint32_t kbit_s;
    uint64_t link; /* number of the one that is up; 0: none */
    uint64_t links;
    struct wire_end ends[2];
    struct wire_event *queue; /* by time */
};

/** Opens both, unlocked, without a link. */
bool wire_open(struct wire *w, struct bench *b, const char *first, const char *second);
void wire_close(struct wire *w);
/** The second dials the first; both hear that the link is up, now. */
bool wire_connect(struct wire *w);
void wire_disconnect(struct wire *w);
/** Until both have the same frontier and projected it; *ms: after how long. False: not in an hour.
 */
bool wire_run_same(struct wire *w, double *ms);
/** Whatever happens in so long. */
void wire_run(struct wire *w, uint64_t ms);

#endif
