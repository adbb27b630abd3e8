/* net/client/qr.c -- see qr.h. libqrencode finds the modules; how they look is ours. */
#include "net/client/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
    PNG_ROW_MAX = (ML_QR_SIDE_MAX + 2 * ML_QR_QUIET) * ML_QR_PNG_SCALE / 8 + 1,
    PNG_DEPTH = 1,
};

ml_err ml_qr_make(struct ml_qr *qr, const struct ml_env *env, const char *text)
{
    const size_t len = strlen(text);
    *qr = (struct ml_qr){.side = 0};
    ml_buf_init_wiped(&qr->dark, env, (size_t)ML_QR_SIDE_MAX * ML_QR_SIDE_MAX);
    if (len == 0 || len > ML_QR_TEXT_MAX) {
        return ML_E_LIMIT;
    }
    QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_Q, QR_MODE_8, 1);
    if (code == NULL) {
        return errno == ENOMEM ? ML_E_NOMEM : ML_E_LIMIT;
    }
    const size_t side = (size_t)code->width;
    for (size_t i = 0; i < side * side; i++) {
        ml_buf_u8(&qr->dark, code->data[i] & 1u);
        code->data[i] = 0; /* it is freed unwiped */
    }
    QRcode_free(code);
    qr->side = qr->dark.err == ML_OK ? side : 0;
    return qr->dark.err;
}

void ml_qr_free(struct ml_qr *qr)
{
    ml_buf_free(&qr->dark);
    qr->side = 0;
}

/* Counted from the corner of the quiet zone, which is light, as is all that is outside. */
static bool is_dark(const struct ml_qr *qr, size_t x, size_t y)
{
    return x >= ML_QR_QUIET && y >= ML_QR_QUIET && x < qr->side + ML_QR_QUIET &&
           y < qr->side + ML_QR_QUIET &&
           qr->dark.data[(y - ML_QR_QUIET) * qr->side + x - ML_QR_QUIET] != 0;
}

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

void ml_qr_text(const struct ml_qr *qr, struct ml_buf *out, bool colours)
{
    static const char *const written[2][2] = {{" ", "\xe2\x96\x84"},
                                              {"\xe2\x96\x80", "\xe2\x96\x88"}};
    const size_t side = qr->side + (size_t)2 * ML_QR_QUIET;
    for (size_t y = 0; y < side; y += 2) {
        put(out, colours ? "\033[30;107m" : "");
        for (size_t x = 0; x < side; x++) {
            const bool above = is_dark(qr, x, y) == colours;
            const bool below = y + 1 < side ? is_dark(qr, x, y + 1) == colours : !colours;
            put(out, written[above][below]);
        }
        put(out, colours ? "\033[0m\n" : "\n");
    }
}

static void svg_row(const struct ml_qr *qr, struct ml_buf *out, size_t y)
{
    char text[64];
    for (size_t x = 0; x < qr->side + (size_t)2 * ML_QR_QUIET; x++) {
        if (is_dark(qr, x, y)) {
            snprintf(text, sizeof(text), "M%zu %zuh1v1h-1z", x, y);
            put(out, text);
        }
    }
}

void ml_qr_svg(const struct ml_qr *qr, struct ml_buf *out, const double place[3])
{
    char text[96];
    const size_t side = qr->side + (size_t)2 * ML_QR_QUIET;
    snprintf(text, sizeof(text), "<path transform=\"translate(%.2f %.2f) scale(%.4f)\" d=\"",
             place[0], place[1], place[2] / (double)side);
    put(out, text);
    for (size_t y = 0; y < side; y++) {
        svg_row(qr, out, y);
    }
    put(out, "\"/>\n");
}

/* ---- PNG (RFC 2083): header, one IDAT, end ---- */

static void png_chunk(struct ml_buf *out, const char type[5], struct ml_slice data)
{
    ml_buf_u32be(out, (uint32_t)data.len);
    uLong crc = crc32(0, (const Bytef *)type, 4);
    ml_buf_append(out, type, 4);
    if (data.len > 0) {
        crc = crc32(crc, data.data, (uInt)data.len);
        ml_buf_append(out, data.data, data.len);
    }
    ml_buf_u32be(out, (uint32_t)crc);
}

/* Filter 0, then the row's pixels: 1 is light. One module is one byte, 8 pixels wide. */
static void png_rows(const struct ml_qr *qr, struct ml_buf *rows)
{
    const size_t side = qr->side + (size_t)2 * ML_QR_QUIET;
    _Static_assert(ML_QR_PNG_SCALE == 8, "a module is a byte of a row");
    for (size_t y = 0; y < side * ML_QR_PNG_SCALE; y++) {
        ml_buf_u8(rows, 0);
        for (size_t x = 0; x < side; x++) {
            ml_buf_u8(rows, is_dark(qr, x, y / ML_QR_PNG_SCALE) ? 0x00 : 0xff);
        }
    }
}

ml_err ml_qr_png(const struct ml_qr *qr, struct ml_buf *out)
{
    static const uint8_t start[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const size_t side = (qr->side + (size_t)2 * ML_QR_QUIET) * ML_QR_PNG_SCALE;
    const struct ml_env *env = qr->dark.env;
    struct ml_buf header;
    struct ml_buf rows;
    struct ml_buf packed;
    ml_buf_init(&header, env, 13);
    ml_buf_init_wiped(&rows, env, (size_t)PNG_ROW_MAX * 8 * PNG_ROW_MAX);
    png_rows(qr, &rows);
    const uLong room = compressBound((uLong)rows.len);
    ml_buf_init_wiped(&packed, env, room);
    uLongf len = room;
    Bytef *at = rows.err == ML_OK ? ml_buf_extend(&packed, room) : NULL;
    ml_err err =
        at != NULL && compress(at, &len, rows.data, (uLong)rows.len) == Z_OK ? ML_OK : ML_E_NOMEM;
    if (err == ML_OK) {
        ml_buf_u32be(&header, (uint32_t)side);
        ml_buf_u32be(&header, (uint32_t)side);
        ml_buf_append(&header, (const uint8_t[]){PNG_DEPTH, 0, 0, 0, 0}, 5);
        ml_buf_append(out, start, sizeof(start));
        png_chunk(out, "IHDR", ml_buf_slice(&header));
        png_chunk(out, "IDAT", ml_slice(packed.data, len));
        png_chunk(out, "IEND", ml_slice(NULL, 0));
        err = header.err == ML_OK ? out->err : header.err;
    }
    ml_buf_free(&header);
    ml_buf_free(&rows);
    ml_buf_free(&packed);
    return err;
}
