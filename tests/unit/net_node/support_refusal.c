/* support_refusal.c -- see support_refusal.h. */
#include "support_refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "maille/client.h"

const struct refusal refusals[] = {
    {"rank.coordinator", "Seul un coordinateur peut", "demandez-lui"},
    {"rank.referent", "Seul un coordinateur ou un référent", "demandez à l'un d'eux"},
    {"rank.garant", "Vous êtes garant", "Demandez à un coordinateur"},
    {"role.garant", "Un garant n'a pas de rôle", "maille member add"},
    {"session.not_enrolled", "attend encore d'être admis", "Échangez avec son poste"},
    {"session.revoked", "ont été retirés", "un coordinateur peut vous admettre"},
    {"session.suspended", "sont suspendus", "un coordinateur peut vous en dire"},
    {"unlock.gone", "a été retiré", "un coordinateur peut le reprendre"},
    {"right.refused", "Votre rôle ne permet pas", "un coordinateur peut changer"},
    {"right.unread", "Votre rôle ne permet pas", "un coordinateur peut changer"},
    {"right.ended", "est terminé depuis", "vous le donne de nouveau"},
    {"right.awaited", "commence le", "demandez à un coordinateur"},
    {"right.elsewhere", "limités à d'autres équipes", "peut vous y donner un rôle"},
    {"patient.team_opposed", "s'oppose à ce que vous voyiez",
     "C'est à un autre membre de son équipe"},
    {"role.two", "On ne donne pas de rôle", "proposez-le"},
    {"matrix.own", "donnerait plus à votre propre rôle", "proposez-la"},
    {"promote.self", "On ne se nomme pas", "un autre coordinateur ou référent le propose"},
    {"promote.already", "est déjà coordinateur", "il n'y a rien à faire"},
    {"promote.few", "plus de la moitié", "maille org recover --promote"},
    {"rotate.alone", "personne d'autre ici n'est coordinateur", "Tapez, avec les nouvelles"},
    {"rotate.few", "il faudrait la signature", "maille enrol"},
    {"share.old", "que la structure a remplacé", "Prenez celles du jeu en vigueur"},
    {"share.proposed", "n'a pas encore signé", "maille governance proposals"},
    {"member.rank", "Le rang n'est pas valable", "donnez --rank 2"},
    {"member.rank_self", "Personne ne change son propre rang", "demandez-le"},
    {"member.rank_equal", "ne s'abaisse pas d'ici", "maille member revoke --propose"},
    {"member.rank_already", "a déjà ce rang", "maille member list"},
    {"member.rank_gone", "n'est plus membre ici", "recommencez alors"},
    {"member.unknown", "n'est pas de la structure", "maille member list"},
    {"member.node", "ne travaille pas sur ce poste", "maille member list"},
    {"member.deny_self", "On ne retire pas ses propres droits", "demandez à un coordinateur"},
    {"member.deny_better", "rang plus élevé", "demandez à un coordinateur"},
    {"member.deny_equal", "même rang que vous", "--propose"},
    {"quarantine.none", "compte déjà", "maille quarantine list"},
    {"quarantine.act", "un acte sur les droits", "de le dire de nouveau"},
    {"quarantine.own", "On n'adopte pas ses propres", "un autre référent ou coordinateur"},
    {"trace.not_yours", "réservées à l'auditeur", "Vous voyez les vôtres"},
    {"trace.no_auditor", "ne laisse pas son rôle lire", "Donnez-lui d'abord"},
    {"consent.refused", "s'est opposé", "auprès d'un collègue"},
    {"consent.own_word", "un collègue l'a notée", "Demandez à un collègue"},
    {"draft.shut", "s'oppose désormais", "vous pouvez le supprimer"},
    {"cosign.own", "On ne contresigne pas soi-même", "demandez à un membre"},
    {"cosign.supervisor", "de contresigner", "nommer quelqu'un d'autre"},
    {"cosign.right", "votre rôle n'écrit pas seul", "Demandez à un membre"},
    {"glass.right", "ne permet pas le bris de glace", "appelez"},
    {"glass.excluded", "a refusé l'accès d'urgence", "Demandez-lui"},
    {"glass.alone", "il n'y en a aucun", "appelez"},
    {"glass.own_second", "Vous ne pouvez pas confirmer", "un autre membre"},
    {"glass.asker", "n'a plus droit", "Prévenez un coordinateur"},
    {"glass.lapsed", "n'attend plus", "Demandez à son auteur"},
    {"glass.reviewer", "examiné par un autre", "demandez-le"},
    {"retention.held", "est gelé", "maille retention release"},
    {"retention.doubtful", "est en conflit", "maille conflicts list"},
    {"retention.early", "à conserver jusqu'au", "recommencez après cette date"},
    {"retention.unseen", "ne montre pas tout", "Un membre qui le lit en entier"},
    {"retention.hidden", "vous cache peut-être", "un membre qui le lit en entier"},
    {"retention.incomplete", "n'a pas encore tout lu", "attendez la fin"},
    {"enrol.none_here", "Aucun code n'attend", "--address"},
    {"enrol.wrong_code", "Ce n'est pas le code", "demandez-en un nouveau"},
    {"enrol.expired", "périmé", "demandez-en un nouveau"},
    {"enrol.used", "a déjà servi", "demandez-en un nouveau"},
    {"enrol.oneself", "déjà déverrouillé", "maille passphrase"},
    {"enrol.denied", "Le coordinateur a refusé", "voyez avec lui"},
    {"enrol.locked", "est verrouillé", "demandez-lui de déverrouiller"},
    {"enrol.refused", "code faux ou périmé", "demandez-en un nouveau"},
    {NULL, NULL, NULL},
};

static void says(const char *sentence, const char *part)
{
    const bool said = part != NULL && strstr(sentence, part) != NULL;
    if (!said) {
        fprintf(stderr, "a refusal says « %s », without « %s »\n", sentence,
                part == NULL ? "(a reason that the table knows)" : part);
    }
    ML_ASSERT(said);
}

/* Does an imperative end here? Not so what he has, nor with whom it is, nor how much. */
static bool is_imperative(const char *sentence, const char *at)
{
    static const char *const others[] = {"av", "ch", "ass"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const size_t len = strlen(others[i]);
        if ((size_t)(at - sentence) >= len && memcmp(at - len, others[i], len) == 0) {
            return false;
        }
    }
    return true;
}

/* Tells the reader to do something: an imperative, a command, an option. */
static bool tells_to_act(const char *sentence)
{
    static const char *const ways[] = {"Dites ", "dites ", "« maille",    "(maille ",
                                       " --",    "(--",    "rien à faire"};
    bool tells = false;
    for (const char *at = strstr(sentence, "ez"); at != NULL && !tells; at = strstr(at + 2, "ez")) {
        tells = (at[2] == ' ' || at[2] == '-') && is_imperative(sentence, at);
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        tells = tells || strstr(sentence, ways[i]) != NULL;
    }
    return tells;
}

bool refusal_is_undone(ml_err err)
{
    return err == ML_E_INVALID || err == ML_E_NOT_FOUND || err == ML_E_EXISTS ||
           err == ML_E_LIMIT || err == ML_E_LOCKED || err == ML_E_WRONG_KEY || err == ML_E_NO_KEY ||
           err == ML_E_STALE || err == ML_E_UNSUPPORTED;
}

/* The phrase that the client has for ID stands in the sentence; it must have one. */
static void says_phrase(const char *sentence, const char *kind, const char *of)
{
    char id[80];
    char phrase[160];
    snprintf(id, sizeof(id), "%s.%s", kind, of);
    ml_text(phrase, sizeof(phrase), id, NULL);
    says(sentence, strcmp(phrase, id) != 0 ? phrase : id);
}

void refusal_check_undone(ml_err err, struct ml_slice document)
{
    char sentence[1024];
    struct ml_tree *tree = NULL;
    if (document.len == 0) {
        return;
    }
    ML_ASSERT(ml_tree_parse(&tree, document.data, document.len) == ML_OK);
    const struct ml_value *detail = ml_tree_root(tree);
    const struct ml_value *args = ml_value_get(detail, "args");
    const char *text = ml_value_text(ml_value_get(detail, "text"), "");
    const char *param = ml_value_text(ml_value_get(args, "param"), "");
    const char *method = ml_value_text(ml_value_get(args, "act"), "(no act)");
    setenv("LC_ALL", "fr_FR.UTF-8", 1); // NOLINT(concurrency-mt-unsafe)
    ml_text_error(sentence, sizeof(sentence), err, detail);
    if (method[0] != '\0') { /* "": no method has that name */
        says(sentence, "Pas fait : ");
        says_phrase(sentence, "act", method);
    }
    if (strncmp(text, "param.", 6) == 0 && param[0] != '\0') {
        says_phrase(sentence, "asked", param);
    }
    /* The code's sentence would do for what isn't here; for what doesn't fit it says nothing. */
    says(sentence, err != ML_E_INVALID || text[0] != '\0' ? "" : "(what doesn't fit)");
    says(sentence, strstr(sentence, "{") == NULL && strstr(sentence, " ?.") == NULL ? "" : NULL);
    says(sentence, tells_to_act(sentence) ? "" : "(what to do about it)");
    ml_tree_free(tree);
}

void refusal_check(struct ml_slice document)
{
    char sentence[1024];
    char act[96];
    char id[80];
    struct ml_tree *tree = NULL;
    if (document.len == 0) {
        return;
    }
    const ml_err err = ml_tree_parse(&tree, document.data, document.len);
    ML_ASSERT(err == ML_OK);
    const struct ml_value *detail = ml_tree_root(tree);
    const struct ml_value *args = ml_value_get(detail, "args");
    const struct refusal *r = refusals;
    while (r->text != NULL &&
           strcmp(r->text, ml_value_text(ml_value_get(detail, "text"), "")) != 0) {
        r++;
    }
    setenv("LC_ALL", "fr_FR.UTF-8", 1); // NOLINT(concurrency-mt-unsafe)
    ml_text_error(sentence, sizeof(sentence), ML_E_DENIED, detail);
    snprintf(id, sizeof(id), "act.%s", ml_value_text(ml_value_get(args, "act"), "?"));
    ml_text(act, sizeof(act), id, NULL);
    says(sentence, "Refusé");
    says(sentence, strcmp(act, id) != 0 ? act : NULL);
    says(sentence, r->why);
    says(sentence, r->remedy);
    /* Who unlocks or joins isn't anybody yet. */
    const bool nobody = strncmp(id, "act.enrol.", 10) == 0 || strcmp(id, "act.session.unlock") == 0;
    const char *who = ml_value_text(ml_value_get(args, "who"), "");
    says(sentence, who[0] != '\0' || !nobody ? who : "Refusé : ");
    says(sentence, who[0] != '\0' || nobody ? "Refusé" : NULL);
    ml_tree_free(tree);
}
