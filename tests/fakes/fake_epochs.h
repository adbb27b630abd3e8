/* fake_epochs.h -- whether two nodes' network epochs let a link open, as Noise and the mac before
 * it would have it (net/link/handshake.h). */
#ifndef ML_TESTS_FAKE_EPOCHS_H
#define ML_TESTS_FAKE_EPOCHS_H

#include <string.h>

#include "core/crypto/secret.h"
#include "net/node/node.h"

/* Epoch `nth` of an identity: 0 the latest. NULL: it has fewer. */
static inline const uint8_t *fake_epoch(const struct ml_link_identity *id, size_t nth,
                                        uint32_t *number)
{
    if (nth == 0) {
        *number = id->network_epoch;
        return ml_secret_bytes(id->network_psk);
    }
    if (nth > id->past_count) {
        return NULL;
    }
    *number = id->past_epochs[nth - 1];
    return ml_secret_bytes(id->past_keys) + (nth - 1) * ML_NETWORK_PAST_KEYS;
}

/** Does `to` answer what `from` dials with? *epoch: which. */
static inline bool fake_epochs_agree(const struct ml_link_identity *from, size_t past,
                                     const struct ml_link_identity *to, uint32_t *epoch)
{
    const uint8_t *psk = fake_epoch(from, past, epoch);
    bool agree = false;
    for (size_t nth = 0; psk != NULL && nth <= to->past_count && !agree; nth++) {
        uint32_t number = 0;
        const uint8_t *theirs = fake_epoch(to, nth, &number);
        agree = number == *epoch && memcmp(psk, theirs, ML_KEY_BYTES) == 0;
    }
    return agree;
}

#endif
