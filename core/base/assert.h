/* core/base/assert.h -- checks of our own logic. On in every build. Never on peer or disk input. */
#ifndef ML_BASE_ASSERT_H
#define ML_BASE_ASSERT_H

#include <stdio.h>
#include <stdlib.h>

#define ML_ASSERT(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: broken: %s\n", __FILE__, __LINE__, __func__, #cond);       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
