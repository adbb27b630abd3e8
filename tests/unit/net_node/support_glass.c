/* tests/unit/net_node/support_glass.c -- see support_glass.h. */
#include "support_glass.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/base/ids.h"

int glass_setup(void **state)
{
    static struct glass_story f;
    memset(&f, 0, sizeof(f));
    cluster_init(&f.c, 37);
    story_found(&f.c, 0);
    story_patient(&f.c, 0, f.patient);
    story_treatment(&f.c, 0, f.patient, drug("ramipril", "2,5 mg le matin"), f.treatment);
    *state = &f;
    return 0;
}

int glass_teardown(void **state)
{
    struct glass_story *f = *state;
    cluster_free(&f->c);
    return 0;
}

struct ml_org *glass_org(struct glass_story *f, unsigned n)
{
    return f->c.nodes[n].node->orgs;
}

ml_err glass_try(struct glass_story *f, unsigned n, const struct glass_opening *o, char text[48])
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", o->patient == NULL ? f->patient : o->patient);
    story_put(&r, "reason", o->reason);
    story_put(&r, "text", o->text);
    ml_args_key(r.args, "tier");
    ml_args_int(r.args, o->tier);
    ml_args_key(r.args, "minutes");
    ml_args_int(r.args, o->minutes);
    const ml_err err = story_send(&r, &f->c, n, "breakglass.open");
    snprintf(text, 48, "%s", ml_value_text(story_get(&r, "text"), ""));
    snprintf(f->glass, sizeof(f->glass), "%s", ml_value_text(story_get(&r, "glass"), ""));
    f->asked = ml_value_bool(story_get(&r, "asked"), false);
    story_end(&r);
    return err;
}

const struct glass_opening glass_summary = {NULL, "vital", "", 1, 60};
const struct glass_opening glass_whole = {NULL, "continuity", "malaise au cabinet", 2, 60};

void glass_opened(struct glass_story *f, unsigned n, const struct glass_opening *o)
{
    char text[48];
    const ml_err err = glass_try(f, n, o, text);
    if (err != ML_OK) {
        fprintf(stderr, "breakglass.open: %s %s\n", ml_err_name(err), text);
    }
    assert_int_equal(err, ML_OK);
}

int64_t glass_shown(struct glass_story *f, unsigned n)
{
    struct story_request r;
    story_ask(&r);
    story_put(&r, "patient", f->patient);
    story_must(&r, story_send(&r, &f->c, n, "timeline.list"), "timeline.list");
    const int64_t total = ml_value_int(story_get(&r, "total"), -1);
    story_end(&r);
    return total;
}

unsigned glass_files(struct glass_story *f, unsigned n)
{
    char folder[600];
    char id[ML_HEX_SIZE(32)];
    unsigned count = 0;
    ml_hex_encode(id, glass_org(f, n)->id.b, 32);
    snprintf(folder, sizeof(folder), "%s/%s/vaults", f->c.nodes[n].home, id);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        count += strncmp(e->d_name, "glass-", 6) == 0;
    }
    closedir(d);
    return count;
}

ml_err glass_excluded(void *ctx, struct ml_exclusion *out, const struct ml_object_id *patient,
                      ml_compartment compartment, const struct ml_member_id *member)
{
    const unsigned *bits = ctx;
    (void)patient;
    (void)member;
    *out = (struct ml_exclusion){.any = (*bits >> compartment & 1u) != 0,
                                 .emergency = (*bits >> compartment & 1u) != 0};
    return ML_OK;
}
