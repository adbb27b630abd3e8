/* net/node/methods_key.c -- which of the groups' keys the session's member holds: what the canary
 * found, and whom he waits for (keys.h).
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/model/keyring_group.h"
#include "core/record/schema.h"
#include "net/node/card.h"
#include "net/node/keys.h"
#include "net/node/methods.h"
#include "net/node/session.h"

static const char *state_name(ml_group_state state)
{
    switch (state) {
    case ML_GROUP_SEALS:
        return "held";
    case ML_GROUP_STALE:
        return "stale";
    case ML_GROUP_AWAITS:
        return "awaited";
    case ML_GROUP_CLOSED:
        break;
    }
    return "closed";
}

static void group_put(struct ml_call *call, const struct ml_team_id *team, ml_compartment c)
{
    struct ml_args *out = call->result;
    const ml_group_state state = ml_keyring_group_state(ml_session_keyring(call->org), team, c);
    struct ml_card_place of = {.kind = ML_CARD_TEAM};
    if (state == ML_GROUP_CLOSED) {
        return;
    }
    memcpy(of.id, team->b, sizeof(of.id));
    ml_args_map(out);
    if (c != ML_COMPARTMENT_ANNUAIRE) {
        ml_result_hex(out, "team", team->b, sizeof(team->b));
        ml_card_describe(call->org, out, &of);
    }
    ml_result_text(out, "compartment", ml_compartment_name(c));
    ml_result_text(out, "state", state_name(state));
    ml_args_end(out);
}

static ml_err key_list(struct ml_call *call)
{
    static const struct ml_team_id org_wide = {{0}};
    const struct ml_gov *gov = ml_log_gov(call->org->log);
    const struct ml_fact *team = NULL;
    size_t given_up = 0;
    ml_err err = ml_keys_tell(call->org);
    if (err != ML_OK) {
        return err;
    }
    ml_args_key(call->result, "groups");
    ml_args_list(call->result);
    while ((team = ml_gov_next(gov, ML_FACT_TEAM, team)) != NULL) {
        for (unsigned c = 1; c < ML_COMPARTMENT_ANNUAIRE; c++) {
            group_put(call, &team->team, (ml_compartment)c);
        }
    }
    group_put(call, &org_wide, ML_COMPARTMENT_ANNUAIRE);
    ml_args_end(call->result);
    const size_t faulty = ml_keyring_faulty(ml_session_keyring(call->org), &given_up);
    ml_result_int(call->result, "faulty", (int64_t)faulty);
    ml_result_int(call->result, "given_up", (int64_t)given_up);
    return ML_OK;
}

const struct ml_method ml_methods_key[] = {
    {"key.list", ML_NEEDS_SESSION, key_list},
    {NULL, 0, NULL},
};
