/* core/record/file_text.c -- a file beside the record, in French: « courrier.pdf (PDF, 1,2 Mo) ».
 *
 * Title and media type come from elsewhere: what would steer a terminal is replaced, and neither is
 * shown longer than people read.
 */
#include <stdio.h>
#include <string.h>

#include "core/codec/manifest.h"
#include "core/record/values.h"

enum { TITLE_SHOWN = 120, TYPE_SHOWN = 40 };

static void put(struct ml_buf *out, const char *text)
{
    ml_buf_append(out, text, strlen(text));
}

/* Up to `max` bytes, cut where a character ends; control characters become '?'. */
static void put_clean(struct ml_buf *out, struct ml_slice text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    while (len > 0 && len < text.len && (text.data[len] & 0xc0u) == 0x80u) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        bool c1 = text.data[i] == 0xc2 && i + 1 < len && text.data[i + 1] < 0xa0;
        bool control = text.data[i] < 0x20 || text.data[i] == 0x7f || c1;
        ml_buf_u8(out, control ? '?' : text.data[i]);
        i += c1;
    }
    put(out, len < text.len ? "…" : "");
}

static bool starts(struct ml_slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

/* The first row that the media type begins with; several of one kind: the narrow ones first. */
static const struct {
    const char *type;
    const char *text;
} kinds[] = {
    {"application/pdf", "PDF"},
    {"application/dicom", "image DICOM"},
    {"application/rtf", "texte RTF"},
    {"application/msword", "document Word"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml", "document Word"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml", "tableau Excel"},
    {"application/vnd.oasis.opendocument.text", "document OpenDocument"},
    {"application/zip", "archive ZIP"},
    {"application/xml", "XML"},
    {"application/json", "JSON"},
    {"image/jpeg", "image JPEG"},
    {"image/png", "image PNG"},
    {"image/tiff", "image TIFF"},
    {"image/", "image"},
    {"text/html", "page HTML"},
    {"text/rtf", "texte RTF"},
    {"text/xml", "XML"},
    {"text/", "texte"},
    {"audio/", "son"},
    {"video/", "vidéo"},
};

static void put_kind(struct ml_buf *out, struct ml_slice media_type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (starts(media_type, kinds[i].type)) {
            put(out, kinds[i].text);
            return;
        }
    }
    put_clean(out, media_type, TYPE_SHOWN);
}

void ml_size_text(struct ml_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"Ko", "Mo", "Go", "To", "Po", "Eo"};
    char text[48];
    uint64_t scale = 1000;
    size_t unit = 0;
    if (bytes < scale) {
        snprintf(text, sizeof(text), "%u octet%s", (unsigned)bytes, bytes > 1 ? "s" : "");
        put(out, text);
        return;
    }
    while (bytes / scale >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        scale *= 1000;
        unit++;
    }
    uint64_t tenths = bytes / (scale / 10);
    if (tenths >= 100) {
        snprintf(text, sizeof(text), "%u %s", (unsigned)(tenths / 10), units[unit]);
    } else {
        snprintf(text, sizeof(text), "%u,%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10),
                 units[unit]);
    }
    put(out, text);
}

void ml_file_text(struct ml_buf *out, const struct ml_attachment *file)
{
    if (file->title.len > 0) {
        put_clean(out, file->title, TITLE_SHOWN);
    } else {
        put(out, "pièce jointe");
    }
    const uint64_t bytes = file->size > 0 ? file->size : file->bytes.len;
    if (file->content_type.len == 0 && bytes == 0) {
        return;
    }
    put(out, " (");
    put_kind(out, file->content_type);
    if (bytes > 0) {
        put(out, file->content_type.len > 0 ? ", " : "");
        ml_size_text(out, bytes);
    }
    put(out, ")");
}

bool ml_media_type_valid(struct ml_slice text)
{
    size_t slashes = 0;
    bool good = text.len > 2 && text.len <= ML_MEDIA_TYPE_MAX && text.data[0] != '/' &&
                text.data[text.len - 1] != '/';
    for (size_t i = 0; good && i < text.len; i++) {
        uint8_t c = text.data[i];
        slashes += c == '/';
        good = c > ' ' && c < 0x7f && c != ';' && slashes <= 1;
    }
    return good && slashes == 1;
}
