/* net/node/card.c -- see card.h. */
#include "net/node/card.h"

#include <stddef.h>
#include <string.h>

#include "net/node/found.h"
#include "net/node/keys.h"
#include "net/node/session.h"

static const struct {
    const char *name;
    size_t offset;
} rule_keys[] = {
    {"active_years", offsetof(struct ml_retention_rule, active_years)},
    {"total_years", offsetof(struct ml_retention_rule, total_years)},
    {"minor_age", offsetof(struct ml_retention_rule, minor_age)},
    {"death_years", offsetof(struct ml_retention_rule, death_years)},
    {"trace_months", offsetof(struct ml_retention_rule, trace_months)},
};
enum { RULE_KEYS = sizeof(rule_keys) / sizeof(rule_keys[0]) };

void ml_card_put_rule(struct ml_args *out, const struct ml_retention_rule *rule)
{
    ml_args_key(out, "retention");
    ml_args_map(out);
    for (size_t i = 0; i < RULE_KEYS; i++) {
        uint16_t n = 0;
        memcpy(&n, (const char *)rule + rule_keys[i].offset, sizeof(n));
        ml_result_int(out, rule_keys[i].name, n);
    }
    ml_args_end(out);
}

bool ml_card_rule_read(struct ml_retention_rule *rule, const struct ml_value *map)
{
    struct ml_retention_rule read = *rule;
    bool good = true;
    for (size_t i = 0; i < RULE_KEYS; i++) {
        const struct ml_value *v = ml_value_get(map, rule_keys[i].name);
        const int64_t n = ml_value_int(v, -1);
        const uint16_t small = (uint16_t)n;
        good = good && (v == NULL || (n >= 0 && n <= UINT16_MAX));
        if (v != NULL) {
            memcpy((char *)&read + rule_keys[i].offset, &small, sizeof(small));
        }
    }
    good = good && ml_retention_allowed(&read);
    *rule = good ? read : *rule;
    return good;
}

ml_err ml_card_seal(struct ml_org *org, struct ml_sealed *sealed, struct ml_buf *buf,
                    const struct ml_card_place *of, const struct ml_card *card)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    struct ml_args *doc = ml_args_new();
    ml_args_map(doc);
    ml_result_text(doc, "name", card->name);
    if (card->rpps != NULL) {
        ml_result_text(doc, "rpps", card->rpps);
    }
    if (card->rule != NULL) {
        ml_card_put_rule(doc, card->rule);
    }
    ml_args_end(doc);
    ml_err err = ml_keys_ready(org, 1u << ML_COMPARTMENT_ANNUAIRE);
    if (err == ML_OK) {
        err = ml_args_encoded(doc, &bytes, &len);
    }
    if (err == ML_OK) {
        err = ml_keyring_seal_card(ml_session_keyring(org), of, ml_slice(bytes, len), buf, sealed);
    }
    ml_args_free(doc);
    return err;
}

/* The newest card's document; NULL when there is none or no key of ours opens it. NOMEM: nobody is
 * shown without the name that he has. */
static ml_err card_open(struct ml_org *org, const struct ml_card_place *of, struct ml_tree **out)
{
    const struct ml_fact *fact = ml_gov_card(ml_log_gov(org->log), (uint8_t)of->kind, of->id);
    struct ml_buf plain;
    *out = NULL;
    if (fact == NULL || org->session == NULL) {
        return ML_OK;
    }
    ml_buf_init(&plain, org->node->env, ML_SEALED_BYTES_MAX);
    ml_err err = ml_keyring_open_card(ml_session_keyring(org), of, &fact->label, &plain);
    if (err == ML_OK) {
        err = ml_tree_parse(out, plain.data, plain.len);
    }
    ml_buf_free(&plain);
    return err == ML_E_NOMEM ? err : ML_OK;
}

static void text_describe(struct ml_args *out, const struct ml_value *card, const char *key)
{
    const char *text = ml_value_text(ml_value_get(card, key), NULL);
    if (text != NULL) {
        ml_result_text(out, key, text);
    }
}

void ml_card_describe(struct ml_org *org, struct ml_args *out, const struct ml_card_place *of)
{
    struct ml_tree *tree = NULL;
    ml_err err = card_open(org, of, &tree);
    if (err != ML_OK) {
        ml_args_fail(out, err);
    }
    text_describe(out, ml_tree_root(tree), "name");
    text_describe(out, ml_tree_root(tree), "rpps");
    ml_tree_free(tree);
}

ml_err ml_card_rule(struct ml_org *org, struct ml_retention_rule *rule)
{
    const struct ml_card_place of = {.kind = ML_CARD_ORG};
    struct ml_tree *tree = NULL;
    ml_err err = card_open(org, &of, &tree);
    *rule = ml_retention_default();
    (void)ml_card_rule_read(rule, ml_value_get(ml_tree_root(tree), "retention"));
    ml_tree_free(tree);
    return err;
}

ml_err ml_card_set_rule(struct ml_org *org, const struct ml_retention_rule *rule)
{
    const struct ml_card_place of = {.kind = ML_CARD_ORG};
    struct ml_tree *tree = NULL;
    ml_err err = card_open(org, &of, &tree);
    const char *name = ml_value_text(ml_value_get(ml_tree_root(tree), "name"), NULL);
    if (err == ML_OK && name == NULL) {
        err = ML_E_NO_KEY;
    }
    if (err == ML_OK) {
        const struct ml_card card = {.name = name, .rule = rule};
        err = ml_org_set_card(org, &of, &card);
    }
    ml_tree_free(tree);
    return err;
}

void ml_card_put_member(struct ml_call *call, const char *key, const struct ml_member_id *member)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_args_key(call->result, key);
    ml_args_map(call->result);
    ml_result_hex(call->result, "member", member->b, sizeof(member->b));
    ml_card_describe(call->org, call->result, &of);
    ml_args_end(call->result);
}

void ml_card_name(struct ml_org *org, const struct ml_card_place *of, struct ml_buf *out)
{
    struct ml_tree *tree = NULL;
    ml_err err = card_open(org, of, &tree);
    if (err != ML_OK && out->err == ML_OK) {
        out->err = err;
    }
    const char *name = ml_value_text(ml_value_get(ml_tree_root(tree), "name"), "");
    ml_buf_append(out, name, strlen(name));
    ml_tree_free(tree);
}

void ml_card_member_name(void *ctx, const struct ml_member_id *member, struct ml_buf *out)
{
    struct ml_card_place of = {.kind = ML_CARD_MEMBER};
    memcpy(of.id, member->b, sizeof(of.id));
    ml_card_name(ctx, &of, out);
}
