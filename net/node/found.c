/* net/node/found.c -- founding a structure: its genesis, its first member, team and keys.
 *
 * Order: keys are drawn; the genesis is built, its hash is the org_id; the log takes the genesis;
 * the session opens; team, KEK epochs, the structure's own stream, then the cards, which need the
 * annuaire KEK. The keystore is saved last: a founding that is cut leaves a folder without one,
 * which nothing ever opens, and the founder founds again.
 */
#include <string.h>

#include "core/base/ids.h"
#include "core/crypto/words.h"
#include "core/model/keyring_pair.h"
#include "net/node/card.h"
#include "net/node/found.h"
#include "net/node/garant.h"
#include "net/node/keys.h"
#include "net/node/recover.h"
#include "net/node/root.h"
#include "net/node/session.h"
#include "net/node/trace.h"

struct founding {
    struct ml_call *call;
    struct ml_node_secrets node;
    struct ml_member_secrets member;
    struct ml_secret *recovery;  /* the founder's: opens his slot; shown once, as 24 words */
    struct ml_secret *structure; /* Root's and the auditor's keys; shown once, apart */
    struct ml_share_plan plan;   /* of its sheets */
    struct ml_member_id id;
    struct ml_slice passphrase;
    const char *org_name;
    const char *member_name;
    const char *node_name;
    uint16_t role;
    struct ml_buf genesis;
    struct ml_org_id org;
};

ml_err ml_secrets_draw(const struct ml_env *env, struct ml_node_secrets *node,
                       struct ml_member_secrets *member)
{
    struct ml_box_pk box;
    struct ml_sign_pk sign;
    env->random(env->ctx, node->node.b, sizeof(node->node.b));
    node->network_epoch = 1;
    ml_err err = ml_box_keypair(&box, &node->noise, env);
    if (err == ML_OK) {
        err = ml_sign_keypair(&sign, &node->writer, env);
    }
    if (err == ML_OK) {
        err = ml_secret_new(&node->network, 32);
    }
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(node->network), 32);
        err = ml_sign_keypair(&sign, &member->mon_sign, env);
    }
    if (err == ML_OK) {
        err = ml_box_keypair(&box, &member->mon_box, env);
    }
    return err == ML_OK ? ml_sign_keypair(&sign, &member->writer, env) : err;
}

/* Root co-signs its own founding; the genesis holds its public halves and the auditor's. */
static ml_err genesis_op(struct founding *f, struct ml_buf *out, uint64_t hlc)
{
    struct ml_govop op = {.type = ML_GOVOP_ORG_FOUND, .must_understand = true};
    struct ml_org_found *found = &op.u.org_found;
    struct ml_root_keys root;
    static const struct ml_org_id zero;
    ml_err err = ml_root_open(&root, f->structure);
    if (err == ML_OK) {
        ml_sign_pk_of(&found->root_sign, root.sign);
        ml_box_pk_of(&found->root_box, root.box);
        ml_box_pk_of(&found->audit_box, root.audit);
        found->network_epoch = f->node.network_epoch;
        found->member = f->id;
        found->role = f->role;
        found->node = f->node.node;
        found->created = hlc;
        ml_sign_pk_of(&found->mon_sign, f->member.mon_sign);
        ml_box_pk_of(&found->mon_box, f->member.mon_box);
        ml_sign_pk_of(&found->writer, f->member.writer);
        ml_box_pk_of(&found->noise, f->node.noise);
        err = ml_govop_encode_cosigned(out, &op, &zero, root.sign);
    }
    ml_root_close(&root);
    return err;
}

static ml_err genesis_build(struct founding *f)
{
    const struct ml_env *env = f->call->node->env;
    struct ml_hlc_clock clock;
    struct ml_author author;
    struct ml_bundle_draft draft = {.op_count = 1};
    struct ml_hash hash;
    struct ml_buf op;
    static const struct ml_org_id zero;
    ml_hlc_init(&clock, env, 0);
    ml_author_of(&author, f->member.writer);
    draft.header = (struct ml_header){.version = ML_BUNDLE_VERSION,
                                      .flags = ML_BUNDLE_FLAG_GENESIS,
                                      .writer = author.id,
                                      .lane = ML_LANE_GOVERNANCE,
                                      .seq = 1,
                                      .hlc = ml_hlc_tick(&clock)};
    draft.header.gctx = ml_gctx_of(&zero, NULL, 0);
    env->random(env->ctx, draft.header.salt.b, sizeof(draft.header.salt.b));
    ml_buf_init(&op, env, ML_GOVOP_BYTES_MAX);
    ml_err err = genesis_op(f, &op, draft.header.hlc);
    if (err == ML_OK) {
        const struct ml_op_draft one = {.sealed = ml_buf_slice(&op)};
        draft.ops = &one;
        err = ml_bundle_build(&f->genesis, &hash, &draft, &zero, author.seed);
    }
    if (err == ML_OK) {
        memcpy(f->org.b, hash.b, sizeof(f->org.b));
    }
    ml_buf_free(&op);
    return err;
}

ml_err ml_passphrase_cost(struct ml_node *node)
{
    return node->cost.passes != 0 ? ML_OK : ml_pwhash_calibrate(&node->cost, node->env);
}

ml_err ml_keystore_make(struct ml_keystore **out, struct ml_node *node, const struct ml_org_id *org,
                        const struct ml_keystore_first *first)
{
    struct ml_keystore *ks = NULL;
    struct ml_secret *section = NULL;
    ml_err err = ml_passphrase_cost(node);
    if (err == ML_OK) {
        err = ml_keystore_new(&ks, node->env, org);
    }
    if (err == ML_OK) {
        err = ml_keystore_add_member(ks, &first->id, first->passphrase, &node->cost);
    }
    if (err == ML_OK && first->recovery != NULL) {
        err = ml_keystore_set_recovery(ks, &first->id, first->recovery);
    }
    if (err == ML_OK) {
        err = ml_node_secrets_encode(&section, first->node);
    }
    if (err == ML_OK) {
        err = ml_keystore_put_section(ks, NULL, section);
    }
    ml_secret_free(section);
    section = NULL;
    if (err == ML_OK) {
        err = ml_member_secrets_encode(&section, first->member);
    }
    if (err == ML_OK) {
        err = ml_keystore_put_section(ks, &first->id, section);
    }
    ml_secret_free(section);
    if (err != ML_OK) {
        ml_keystore_free(ks);
        return err;
    }
    *out = ks;
    return ML_OK;
}

/* The structure with its log, its genesis in it; not yet in the node's list. */
static ml_err org_make(struct founding *f, struct ml_org **out)
{
    struct ml_node *node = f->call->node;
    struct ml_keystore *ks = NULL;
    struct ml_org *org = NULL;
    const struct ml_keystore_first first = {.id = f->id,
                                            .passphrase = f->passphrase,
                                            .recovery = f->recovery,
                                            .node = &f->node,
                                            .member = &f->member};
    ml_err err = ml_keystore_make(&ks, node, &f->org, &first);
    if (err == ML_OK) {
        err = ml_org_new(&org, node, ks);
    }
    if (err != ML_OK) {
        ml_keystore_free(ks);
        return err;
    }
    err = ml_org_open(org, true);
    if (err == ML_OK) {
        const struct ml_slice genesis = ml_buf_slice(&f->genesis);
        err = ml_org_append_wires(org, &genesis, 1);
    }
    if (err != ML_OK) {
        ml_org_free(org);
        return err;
    }
    *out = org;
    return ML_OK;
}

static ml_err gov_append(struct ml_org *org, const struct ml_govop *op)
{
    struct ml_author author;
    struct ml_buf buf;
    ml_session_author(org, &author);
    ml_buf_init(&buf, org->node->env, ML_GOVOP_BYTES_MAX);
    ml_err err = ml_govop_encode(&buf, op);
    if (err == ML_OK) {
        const struct ml_slice one = ml_buf_slice(&buf);
        err = ml_org_append_plain(org, &author, ML_LANE_GOVERNANCE, &one, 1);
    }
    ml_buf_free(&buf);
    return err;
}

/* Epoch 1 of every group: the annuaire's org-wide, the others' of the first team. */
static ml_err epochs_make(struct ml_org *org, const struct ml_team_id *team,
                          const struct ml_box_pk *root_box)
{
    static const struct ml_team_id org_wide = {{0}};
    struct ml_epoch_recipient me = {.history = true};
    struct ml_keys keys;
    ml_err err = ML_OK;
    ml_box_pk_of(&me.pk, org->session->secrets.mon_box);
    ml_keys_init(&keys, org->node->env);
    for (unsigned c = 1; c <= ML_COMPARTMENT_LAST && err == ML_OK; c++) {
        const bool annuaire = c == ML_COMPARTMENT_ANNUAIRE;
        const struct ml_epoch_args args = {.team = annuaire ? org_wide : *team,
                                           .compartment = (ml_compartment)c,
                                           .recipients = &me,
                                           .recipient_count = 1,
                                           .recovery = annuaire ? NULL : root_box};
        err = ml_keyring_make_epoch(ml_session_keyring(org), &args, ml_keys_emit, &keys);
    }
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

/* Before any epoch, whose break-glass half is sealed to it: the founder breaks glasses first. */
static ml_err emergency_make(struct ml_org *org, const struct ml_box_pk *root_box)
{
    struct ml_box_pk me;
    struct ml_keys keys;
    const struct ml_pair_args args = {
        .kind = ML_PAIR_EMERGENCY, .members = &me, .count = 1, .recovery = root_box};
    ml_box_pk_of(&me, org->session->secrets.mon_box);
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_pair(ml_session_keyring(org), &args, ml_keys_emit, &keys);
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

/* The structure's own stream: professionals, organisations, import ids (ADR 0006). */
static ml_err structure_open(struct ml_org *org)
{
    struct ml_keys keys;
    ml_keys_init(&keys, org->node->env);
    ml_err err = ml_keyring_make_structure(ml_session_keyring(org), ml_keys_emit, &keys);
    if (err == ML_OK) {
        err = ml_keys_append(org, &keys);
    }
    ml_keys_free(&keys);
    return err;
}

ml_err ml_org_set_card(struct ml_org *org, const struct ml_card_place *of,
                       const struct ml_card *card)
{
    struct ml_govop op = {.type = ML_GOVOP_CARD_SET};
    struct ml_buf buf;
    ml_buf_init(&buf, org->node->env, ML_SEALED_BYTES_MAX);
    op.u.card_set.kind = (uint8_t)of->kind;
    memcpy(op.u.card_set.id, of->id, sizeof(of->id));
    ml_err err = ml_card_seal(org, &op.u.card_set.card, &buf, of, card);
    if (err == ML_OK) {
        err = gov_append(org, &op);
    }
    ml_buf_free(&buf);
    return err;
}

static ml_err cards_set(const struct founding *f, struct ml_org *org, const struct ml_team_id *team)
{
    struct ml_card_place of[] = {{.kind = ML_CARD_ORG},
                                 {.kind = ML_CARD_MEMBER},
                                 {.kind = ML_CARD_NODE},
                                 {.kind = ML_CARD_TEAM}};
    const struct ml_card cards[] = {{f->org_name, NULL, NULL},
                                    {f->member_name, ml_call_text_or(f->call, "rpps", NULL), NULL},
                                    {f->node_name, NULL, NULL},
                                    {ml_call_text_or(f->call, "team", "Équipe"), NULL, NULL}};
    ml_err err = ML_OK;
    memset(of[0].id, 0, sizeof(of[0].id));
    memcpy(of[1].id, f->id.b, sizeof(of[1].id));
    memcpy(of[2].id, f->node.node.b, sizeof(of[2].id));
    memcpy(of[3].id, team->b, sizeof(of[3].id));
    for (size_t i = 0; i < 4 && err == ML_OK; i++) {
        err = ml_org_set_card(org, &of[i], &cards[i]);
    }
    return err;
}

static ml_err found_finish(const struct founding *f, struct ml_org *org)
{
    struct ml_govop team = {.type = ML_GOVOP_TEAM_ADD, .must_understand = true};
    const struct ml_env *env = org->node->env;
    const struct ml_fact *root = ml_gov_root(ml_log_gov(org->log));
    env->random(env->ctx, team.u.team_add.team.b, sizeof(team.u.team_add.team.b));
    ml_err err = root == NULL ? ML_E_CORRUPT : gov_append(org, &team);
    if (err == ML_OK) {
        err = emergency_make(org, &root->box_pk);
    }
    if (err == ML_OK) {
        err = epochs_make(org, &team.u.team_add.team, &root->box_pk);
    }
    if (err == ML_OK) {
        err = structure_open(org);
    }
    if (err == ML_OK && strcmp(ml_call_text_or(f->call, "matrix", ""), "default") == 0) {
        err = ml_org_adopt_matrix(org);
    }
    if (err == ML_OK) {
        err = cards_set(f, org, &team.u.team_add.team);
    }
    return err == ML_OK ? ml_garants_name(f->call, org, f->structure) : err;
}

static ml_err found_params(struct founding *f)
{
    struct ml_call *call = f->call;
    ml_err err = ml_call_text(call, &f->org_name, "name");
    if (err == ML_OK) {
        err = ml_call_text(call, &f->member_name, "member_name");
    }
    if (err == ML_OK) {
        err = ml_call_passphrase(call, &f->passphrase);
    }
    if (err == ML_OK) {
        err = ml_shares_plan(call, &f->plan);
    }
    if (err == ML_OK) {
        err = ml_garants_check(call);
    }
    f->node_name = ml_call_text_or(call, "node_name", "poste");
    f->role = (uint16_t)ml_value_int(ml_value_get(call->params, "role"), 10);
    return err;
}

ml_err ml_result_words(struct ml_args *result, const char *key, const struct ml_secret *secret)
{
    struct ml_secret *words = NULL;
    ml_err err = ml_words_encode(&words, secret);
    if (err == ML_OK) {
        ml_result_text(result, key, (const char *)ml_secret_bytes(words));
    }
    ml_secret_free(words);
    return err;
}

/* The founder's sheet, and those of the structure: none of his leads to theirs. The structure's
 * words are its secret whole, for who wants one sheet; the shares are the same secret, cut. */
static ml_err found_answer(struct founding *f, struct ml_org *org)
{
    ml_err err = ml_result_words(f->call->result, "member_words", f->recovery);
    if (err == ML_OK) {
        err = ml_result_words(f->call->result, "structure_words", f->structure);
    }
    if (err == ML_OK) {
        f->plan.org = &f->org;
        err = ml_shares_answer(f->call, &f->plan, f->structure);
    }
    if (err == ML_OK) {
        ml_session_describe(org, f->call->result);
        err = ml_args_fault(f->call->result);
    }
    return err;
}

static ml_err found_run(struct founding *f)
{
    struct ml_org *org = NULL;
    bool opened = false;
    const struct ml_env *env = f->call->node->env;
    env->random(env->ctx, f->id.b, sizeof(f->id.b));
    ml_err err = ml_secrets_draw(env, &f->node, &f->member);
    if (err == ML_OK) {
        err = ml_secret_new(&f->recovery, ML_RECOVERY_SECRET_BYTES);
    }
    if (err == ML_OK) {
        env->random(env->ctx, ml_secret_writable(f->recovery), ML_RECOVERY_SECRET_BYTES);
        err = ml_root_draw(&f->structure, env);
    }
    if (err == ML_OK) {
        err = genesis_build(f);
    }
    if (err == ML_OK) {
        err = org_make(f, &org);
    }
    if (err == ML_OK) {
        err = ml_session_begin(org, &f->id, f->call->posix_session);
    }
    if (err == ML_OK) {
        err = ml_session_open_writers(org, &opened);
    }
    if (err == ML_OK) {
        err = found_finish(f, org);
    }
    if (err == ML_OK) {
        err = found_answer(f, org); /* first: nobody could ask for the recovery words again */
    }
    if (err == ML_OK) {
        err = ml_org_first_keystore(org); /* from here on it exists */
    }
    if (err != ML_OK) {
        ml_org_free(org);
        return err;
    }
    ml_org_join(org);
    return ML_OK;
}

ml_err ml_method_org_found(struct ml_call *call)
{
    struct founding f = {.call = call};
    ml_buf_init(&f.genesis, call->node->env, ML_BUNDLE_BYTES_MAX);
    ml_err err = found_params(&f);
    if (err == ML_OK) {
        err = found_run(&f);
    }
    ml_buf_free(&f.genesis);
    ml_node_secrets_free(&f.node);
    ml_member_secrets_free(&f.member);
    ml_secret_free(f.recovery);
    ml_secret_free(f.structure);
    return err;
}
