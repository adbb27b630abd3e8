/* tests/unit/core_codec/support_vectors.h -- the golden vectors, made from the samples.
 *
 * A vector is a line of tests/vectors/<file>.txt: name, verdict, bytes. The verdict is "ok", or why
 * and where the decoder stops. Files are written anew by `test_vectors --regenerate`, and only with
 * a change of format (decisions 17).
 */
#ifndef ML_TESTS_SUPPORT_VECTORS_H
#define ML_TESTS_SUPPORT_VECTORS_H

#include "core/base/buf.h"
#include "core/codec/mp_read.h"

struct vector_file {
    const char *name;   /* tests/vectors/<name>.txt */
    const char *fuzzer; /* whose corpus the vectors seed; NULL: none */
    ml_err (*decode)(struct ml_slice in, struct ml_fault *fault);
    bool (*roundtrip)(struct ml_slice in); /* NULL: only decoded */
    void (*make)(struct ml_buf *out);      /* appends the lines */
};

extern const struct vector_file vector_files[];
extern const size_t vector_file_count;

/** "ok", or "refused: <reason> at <offset>[ in <field>]". */
void vector_verdict(char *out, size_t size, const struct vector_file *file, struct ml_slice in);
/** The whole file, with its comment at the top. */
void vector_file_text(struct ml_buf *out, const struct vector_file *file);
/** tests/vectors/derived.txt: hashes, associated data and nonces, "name = hex" a line. */
void vector_derived_text(struct ml_buf *out);

#endif
