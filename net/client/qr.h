/* net/client/qr.h -- a line of text as a QR code: for a terminal, for print. What it holds may be a
 * secret (a share): everything of it is wiped when it is freed. Any thread.
 */
#ifndef ML_CLIENT_QR_H
#define ML_CLIENT_QR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/buf.h"
#include "maille/err.h"

#define ML_QR_TEXT_MAX  200u /* bytes: a share has 95 */
#define ML_QR_SIDE_MAX  65u  /* modules; what 200 bytes at level Q fit in */
#define ML_QR_QUIET     4u   /* light modules around (ISO/IEC 18004, 9.1) */
#define ML_QR_PNG_SCALE 8u   /* pixels a module */

struct ml_qr {
    struct ml_buf dark; /* side * side bytes, 1: dark; owned */
    size_t side;
};

/** `text` fits ISO 8859-1 and has 1..200 bytes; a quarter of the code may be lost (level Q).
 * Freed by the caller also after an error. Errors: LIMIT, NOMEM. */
ml_err ml_qr_make(struct ml_qr *qr, const struct ml_env *env, const char *text) ML_MUST_CHECK;
void ml_qr_free(struct ml_qr *qr);

/* Each appends; errors are remembered in `out`, which should wipe what it leaves. */

/** Two modules a character, one above the other, a line feed after each row. `colours`: dark on
 * light whatever the terminal's colours are; without, light is what is written. */
void ml_qr_text(const struct ml_qr *qr, struct ml_buf *out, bool colours);
/** One path for an SVG around it; place: x, y, units a side, all with the quiet zone. */
void ml_qr_svg(const struct ml_qr *qr, struct ml_buf *out, const double place[3]);
/** Grey, 1 bit a pixel, 8 pixels a module. Errors: also NOMEM. */
ml_err ml_qr_png(const struct ml_qr *qr, struct ml_buf *out) ML_MUST_CHECK;

#endif
