/* support_moment.h -- what is under way in a drawn structure (support_readers.h) when somebody
 * takes its disks: sensitive notes, letters that their author can't read, a knock at a door, a
 * request for sensitive data that a second device has answered, an open glass, a journal that isn't
 * cut, and a node that was killed. Nothing of it is drawn. */
#ifndef ML_TESTS_SUPPORT_MOMENT_H
#define ML_TESTS_SUPPORT_MOMENT_H

#include "support_readers.h"

struct moment {
    struct readers *r; /* borrowed */
    unsigned victim;   /* whose computer is gone */
    unsigned guest;    /* the node where somebody else sits; READERS: none */
};

/** Who may write nothing keeps no draft either. */
void moment_draft(struct cluster *c, unsigned node);
/** All of it; how many letters were filed by who can't read them. */
unsigned moment_leave(const struct moment *s);

#endif
