/* support_damage.h -- what disks do to the files of a stopped node. */
#ifndef ML_TESTS_DAMAGE_H
#define ML_TESTS_DAMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support_cluster.h"

#define DAMAGE_PAGE ((size_t)4096)

/** The bytes of a file of node n's only structure; `name` may hold one '*' ("vaults/(star).db").
 * Owned by the caller (free). Ends the test when it isn't there. */
uint8_t *damage_read(struct cluster *c, unsigned n, const char *name, size_t *len);
void damage_write(struct cluster *c, unsigned n, const char *name, const void *bytes, size_t len);
void damage_flip(struct cluster *c, unsigned n, const char *name, size_t at);
/** To a new name in the structure's folder. */
void damage_copy(struct cluster *c, unsigned n, const char *name, const char *to);
void damage_remove(struct cluster *c, unsigned n, const char *name);
/** Until it is shown again a folder stands in its place: reading it fails, its bytes are whole. */
void damage_hide(struct cluster *c, unsigned n, const char *name, bool hidden);
bool damage_exists(struct cluster *c, unsigned n, const char *name);
/** The anti-rollback record of node n, with `suffix` behind its name. */
void damage_anchor_path(struct cluster *c, unsigned n, char *out, size_t size, const char *suffix);
void damage_flip_anchor(struct cluster *c, unsigned n, size_t at);

/** Of node.status: the note about `file`; false: none. */
struct damage_told {
    int lost;
    int missing;
    int kept;
    int bodies_lost;
    int places;
    bool unreadable;
    char aside[128];
};
bool damage_told(struct cluster *c, unsigned n, const char *file, struct damage_told *out);

#endif
