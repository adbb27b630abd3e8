/* core/codec/doc.h -- documents: MessagePack with text keys, as the local socket carries it.
 *
 * Written and read through maille/value.h. Here is what is asked of bytes from the other end before
 * anything is built from them. Pure; any thread; allocates nothing.
 */
#ifndef ML_CODEC_DOC_H
#define ML_CODEC_DOC_H

#include "core/base/buf.h"
#include "core/codec/mp_read.h"
#include "maille/err.h"

#define ML_DOC_KEYS_MAX 4096u /* keys of all maps that are open at one place; longer: an array */

/** One document and nothing else: shortest forms, text keys, none twice in a map, depth <= 16.
 * MALFORMED with the fault (may be NULL). Linear in the length. */
ml_err ml_doc_check(struct ml_slice in, struct ml_fault *fault) ML_MUST_CHECK;

#endif
