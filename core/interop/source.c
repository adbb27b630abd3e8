/* core/interop/source.c -- see source.h.
 *
 * Happy path: pieces of 64 KiB go through one filter, which is chosen by the first two bytes, into
 * the buffer. Failures: a cut or damaged stream, or the buffer's limit; both stop at once, so that
 * 200 MB of spaces in 200 KB of gzip cost no more than the limit.
 */
#include "core/interop/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define PIECE_BYTES 65536u

struct source {
    struct ml_buf *out; /* borrowed */
    struct ml_import_fault *fault;
    z_stream z;
    bool started; /* the first piece was seen */
    bool gzip;
    bool ended; /* the last gzip member ended exactly where the input did */
    uint64_t read_bytes;
};

static ml_err source_fail(struct source *s, ml_err err, ml_import_fault_kind kind)
{
    *s->fault = (struct ml_import_fault){.kind = kind, .byte = s->read_bytes};
    return err;
}

static ml_err buf_fault(struct source *s)
{
    return s->out->err == ML_E_NOMEM ? source_fail(s, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM)
                                     : source_fail(s, ML_E_LIMIT, ML_IMPORT_FAULT_TOO_BIG);
}

static void *zlib_alloc(void *env, unsigned count, unsigned size)
{
    return ml_alloc_array(env, count, size);
}

static void zlib_free(void *env, void *ptr)
{
    ml_release(env, ptr);
}

static ml_err zlib_err(struct source *s, int rc)
{
    return rc == Z_MEM_ERROR ? source_fail(s, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM)
                             : source_fail(s, ML_E_MALFORMED, ML_IMPORT_FAULT_GZIP);
}

static ml_err source_start(struct source *s, struct ml_slice piece)
{
    s->started = true;
    s->gzip = piece.len >= 2 && piece.data[0] == 0x1f && piece.data[1] == 0x8b;
    if (!s->gzip) {
        return ML_OK;
    }
    s->z.zalloc = zlib_alloc;
    s->z.zfree = zlib_free;
    /* zlib's opaque is not const; the two functions above only read through it. */
    memcpy(&s->z.opaque, &s->out->env, sizeof(s->z.opaque));
    int rc = inflateInit2(&s->z, 15 + 16); /* 15: any window; 16: a gzip wrapper */
    if (rc != Z_OK) {
        s->gzip = false;
        return zlib_err(s, rc);
    }
    return ML_OK;
}

/* One call of inflate into a piece of stack, appended. */
static ml_err inflate_some(struct source *s, uint8_t *room)
{
    s->z.next_out = room;
    s->z.avail_out = PIECE_BYTES;
    int rc = inflate(&s->z, Z_NO_FLUSH);
    s->ended = rc == Z_STREAM_END;
    ml_buf_append(s->out, room, PIECE_BYTES - s->z.avail_out);
    if (s->out->err != ML_OK) {
        return buf_fault(s);
    }
    if (rc == Z_STREAM_END) {
        rc = inflateReset(&s->z); /* another member may follow */
    }
    return rc == Z_OK || rc == Z_BUF_ERROR ? ML_OK : zlib_err(s, rc);
}

static ml_err source_inflate(struct source *s, struct ml_slice piece)
{
    uint8_t room[PIECE_BYTES];
    uint8_t *in = NULL; /* zlib doesn't write to it, but its type says so */
    memcpy(&in, &piece.data, sizeof(in));
    s->z.next_in = in;
    s->z.avail_in = (unsigned)piece.len;
    ml_err err = ML_OK;
    do {
        s->ended = false;
        err = inflate_some(s, room);
    } while (err == ML_OK && (s->z.avail_in > 0 || (s->z.avail_out == 0 && !s->ended)));
    return err;
}

static ml_err source_piece(struct source *s, struct ml_slice piece)
{
    ml_err err = s->started ? ML_OK : source_start(s, piece);
    if (err != ML_OK) {
        return err;
    }
    if (s->gzip) {
        err = source_inflate(s, piece);
    } else {
        ml_buf_append(s->out, piece.data, piece.len);
        err = s->out->err == ML_OK ? ML_OK : buf_fault(s);
    }
    s->read_bytes += piece.len;
    return err;
}

/* After the last piece. */
static ml_err source_end(struct source *s, ml_err err)
{
    if (s->gzip) {
        inflateEnd(&s->z);
    }
    if (err == ML_OK && s->gzip && !s->ended) {
        return source_fail(s, ML_E_MALFORMED, ML_IMPORT_FAULT_GZIP_CUT);
    }
    return err;
}

ml_err ml_source_read_bytes(struct ml_buf *out, struct ml_slice bytes,
                            struct ml_import_fault *fault)
{
    struct source s = {.out = out, .fault = fault};
    ml_err err = ML_OK;
    for (size_t at = 0; err == ML_OK && at < bytes.len; at += PIECE_BYTES) {
        size_t left = bytes.len - at;
        err = source_piece(
            &s, (struct ml_slice){bytes.data + at, left < PIECE_BYTES ? left : PIECE_BYTES});
    }
    return source_end(&s, err);
}

struct ml_source {
    const struct ml_env *env; /* borrowed */
    FILE *file;
    struct source s;
};

ml_err ml_source_open(struct ml_source **out, struct ml_buf *text, const char *path,
                      struct ml_import_fault *fault)
{
    struct source s = {.out = text, .fault = fault};
    struct ml_source *source = ml_alloc(text->env, sizeof(*source));
    if (source == NULL) {
        return source_fail(&s, ML_E_NOMEM, ML_IMPORT_FAULT_NOMEM);
    }
    source->env = text->env;
    source->s = s;
    source->file = fopen(path, "rb");
    if (source->file == NULL) {
        ml_release(text->env, source);
        return source_fail(&s, ML_E_IO, ML_IMPORT_FAULT_OPEN);
    }
    *out = source;
    return ML_OK;
}

ml_err ml_source_read_some(struct ml_source *source, size_t bytes, struct ml_import_fault *fault)
{
    struct source *s = &source->s;
    uint8_t piece[PIECE_BYTES];
    ml_err err = ML_OK;
    size_t n = 1;
    s->fault = fault;
    for (size_t read = 0; err == ML_OK && n > 0 && read < bytes; read += n) {
        n = fread(piece, 1, sizeof(piece), source->file);
        err = n > 0 ? source_piece(s, (struct ml_slice){piece, n}) : ML_OK;
    }
    if (err != ML_OK || n > 0) {
        return err != ML_OK ? err : ML_E_PENDING;
    }
    if (ferror(source->file)) {
        return source_fail(s, ML_E_IO, ML_IMPORT_FAULT_OPEN);
    }
    return s->gzip && !s->ended ? source_fail(s, ML_E_MALFORMED, ML_IMPORT_FAULT_GZIP_CUT) : ML_OK;
}

void ml_source_close(struct ml_source *source)
{
    if (source == NULL) {
        return;
    }
    if (source->s.gzip) {
        inflateEnd(&source->s.z);
    }
    int closed = fclose(source->file);
    (void)closed; /* it was only read */
    ml_release(source->env, source);
}

ml_err ml_source_read_file(struct ml_buf *out, const char *path, struct ml_import_fault *fault)
{
    struct ml_source *source = NULL;
    ml_err err = ml_source_open(&source, out, path, fault);
    err = err == ML_OK ? ML_E_PENDING : err;
    while (err == ML_E_PENDING) {
        err = ml_source_read_some(source, SIZE_MAX, fault);
    }
    ml_source_close(source);
    return err;
}
