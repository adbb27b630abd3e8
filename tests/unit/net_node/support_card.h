/* support_card.h -- cards of SoftHSM, found as p11-kit finds them where it is installed. */
#ifndef ML_TESTS_CARD_H
#define ML_TESTS_CARD_H

#include <stdbool.h>

/** From now on the cards of `folder`/`tokens` are in the reader: none, when it is new. */
void card_insert(const char *folder, const char *tokens);
/** A card as it is handed out, put there and inserted: initialised, PIN 1234, perhaps an RSA key.
 */
void card_make(const char *folder, const char *tokens, bool with_key);

#endif
