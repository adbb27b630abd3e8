/* net/node/damage.h -- what a node does about files that can't be read (docs/storage/damage.md).
 *
 * A damaged file is set aside under another name beside it, never deleted but when it is derived
 * from the log; what can be read goes into a new one; what can't is counted, named, kept in the
 * log's settings until it is back, and told: by an event, by node.status, by `maille doctor`. Own
 * chains that may have lost their end are never signed on: their members get new writers (rules
 * B18). Org thread only.
 */
#ifndef ML_NODE_DAMAGE_H
#define ML_NODE_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/store/log_rebuild.h"
#include "net/node/org.h"

/** A second repair of one structure within this time means a dying disk: it is closed instead. */
#define ML_REPAIR_AGAIN_MS 600000u

typedef enum ml_damage_file {
    ML_DAMAGE_LOG,
    ML_DAMAGE_VAULT,
    ML_DAMAGE_DRAFTS,
    ML_DAMAGE_TRACES,
    ML_DAMAGE_ANCHOR,
    ML_DAMAGE_KEYSTORE,
    ML_DAMAGE_RESTORED, /* no file: the home is an older copy of what had been offered already */
    ML_DAMAGE_DOUBLED,  /* no file: another machine signed with a key of this one */
    ML_DAMAGE_FILES,
} ml_damage_file;

#define ML_DAMAGE_PLACES_MAX 256u /* of lost bundles that are named; more are counted */

/** The last damage of one file. */
struct ml_damage {
    ml_damage_file file;
    uint64_t wall_ms;
    bool cut;                      /* of the log: its last commits, nobody knows how many */
    struct ml_log_rebuilt found;   /* of the log; `lost` also of traces and drafts */
    char aside[ML_ASIDE_NAME_MAX]; /* the damaged file's name in its folder; "" for none */
    uint32_t place_count;
    struct ml_dep places[ML_DAMAGE_PLACES_MAX]; /* of the log: what was lost, hashes zero */
};

/** Keeps it in the log's settings, which are open; tells the clients and the node's own log. Never
 * fails its caller: what can't be noted is in the log of the process. */
void ml_damage_note(struct ml_org *org, const struct ml_damage *damage);
/** The same, durable when it returns OK: for what may not be done untold. */
ml_err ml_damage_keep(struct ml_org *org, const struct ml_damage *damage) ML_MUST_CHECK;
/** Puts `damage`: a list of what was noted, and of it what is still missing. */
void ml_damage_describe(struct ml_org *org, struct ml_args *out);

/** The log can't be opened or read: a new one of what can be read takes its place, durably; it is
 * closed before and after. An error leaves the old one where it was. */
ml_err ml_damage_log(struct ml_org *org) ML_MUST_CHECK;
/** Copies the log at `path`, which doesn't open, to `part`, its WAL up to the frame that the VFS
 * named. NOT_FOUND: it named none; FULL, IO, READONLY. */
ml_err ml_damage_log_part(const struct ml_org *org, const char *path,
                          const char *part) ML_MUST_CHECK;
/** The open log doesn't even hold the structure's founding, and no repair left it so: its end was
 * cut off with all that it held. */
bool ml_damage_log_is_bare(struct ml_org *org);
/** Before the log is opened: finishes an exchange of files that was cut. */
ml_err ml_damage_log_finish(struct ml_org *org) ML_MUST_CHECK;

/** Every member of this keystore opens a new writer at the next unlock. */
ml_err ml_damage_renew_all(struct ml_org *org) ML_MUST_CHECK;
bool ml_damage_must_renew(struct ml_org *org, const struct ml_member_id *member);
ml_err ml_damage_renewed(struct ml_org *org, const struct ml_member_id *member) ML_MUST_CHECK;

/** Something of an open structure was found damaged by a call, and waits for _heal. */
bool ml_damage_waits(const struct ml_org *org);
/** Between calls: repairs it. Calls of the structure that are under way end with CORRUPT. */
void ml_damage_heal(struct ml_org *org);

#endif
