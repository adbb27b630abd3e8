/* core/codec/op_table.h -- the words that tables of ops are written in (govop.c, keyop.c).
 *
 * OP is the family's struct, named by who includes this: type, known, must_understand, the union u
 * of what each type says, extra, raw.
 */
#ifndef ML_CODEC_OP_TABLE_H
#define ML_CODEC_OP_TABLE_H

#include "core/codec/wire.h"

#define MUST_UNDERSTAND                                                                            \
    ML_WF_OPT_BOOL(OP, 2, must_understand, "what cites it waits for a version that knows it")

#define HEAD_FIELDS(TYPE, NAME) ML_WF_UINT(OP, 1, type, TYPE, TYPE, NAME), MUST_UNDERSTAND

/* What an op of a type that isn't known begins with too. */
#define ANY_FIELDS ML_WF_UINT(OP, 1, type, 1, UINT16_MAX, "op type"), MUST_UNDERSTAND

/* Members of the union are named by their own name. */
#define SUB(k, t, fl, lo, hi, m, nm, it, text) ML_WF_NAMED(OP, k, t, fl, lo, hi, u.m, nm, it, text)
#define SUB_FIXED(k, m, nm, text)                                                                  \
    SUB(k, FIXED, 0, sizeof(((OP *)0)->u.m), sizeof(((OP *)0)->u.m), m, nm, NULL, text)
#define SUB_UINT(k, m, nm, lo, hi, text) SUB(k, UINT, 0, lo, hi, m, nm, NULL, text)

#define OP_FORMAT(nm, fields, text)                                                                \
    ML_WIRE_FORMAT(nm, MAP, OP, offsetof(OP, extra), fields, NULL, text)

#define OP_FAMILY(any_format, formats)                                                             \
    {                                                                                              \
        .any = &(any_format), .types = (formats),                                                  \
        .type_count = sizeof(formats) / sizeof((formats)[0]), .type_offset = offsetof(OP, type),   \
        .known_offset = offsetof(OP, known), .raw_offset = offsetof(OP, raw)                       \
    }

#endif
