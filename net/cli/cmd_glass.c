/* net/cli/cmd_glass.c -- emergency access: taken with a reason, for a time, and reviewed. */
#include <stdio.h>
#include <string.h>

#include "net/cli/tables.h"

/* Nothing is open yet: another's share is awaited. */
static void show_asked(const struct cli *c, const struct ml_value *v)
{
    printf("Rien n'est encore ouvert : il faut la part d'un autre membre, sur son appareil, "
           "jusqu'au ");
    cli_print_time(ml_value_int(ml_value_get(v, "until_ms"), 0));
    printf(
        ".\nAppelez-le (%lld peuvent le faire) : « maille breakglass confirm %s ». Puis refaites "
        "cette commande.\nGardez ce poste déverrouillé : la demande meurt avec la session.\n",
        (long long)ml_value_int(ml_value_get(v, "seconds"), 0), cli_text(v, "glass"));
    (void)c;
}

static void show_opened(const struct cli *c, const struct ml_value *v)
{
    const long long closed = (long long)ml_value_int(ml_value_get(v, "keys_closed"), 0);
    if (ml_value_bool(ml_value_get(v, "asked"), false)) {
        show_asked(c, v);
        return;
    }
    printf("Bris de glace ouvert, niveau %lld, jusqu'au ",
           (long long)ml_value_int(ml_value_get(v, "tier"), 0));
    cli_print_time(ml_value_int(ml_value_get(v, "until_ms"), 0));
    puts(".\nIl est tracé, annoncé à la structure et sera examiné ; le patient doit en être "
         "informé.");
    printf("Ce poste montre %lld élément(s) de ce dossier : « maille patient show », « maille "
           "timeline ».\n",
           (long long)ml_value_int(ml_value_get(v, "objects"), 0));
    if (closed > 0) {
        printf("Liste incomplète : %lld clé(s) de ce dossier ne s'ouvrent pas ici.\n", closed);
    }
    if (ml_value_count(ml_value_get(v, "excluded")) > 0) {
        puts("Le patient a fermé une partie de son dossier à l'accès d'urgence : elle reste "
             "fermée.");
    }
}

static int glass_open(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "reason", cli_option_value(c, "reason"));
    cli_param(params, "text", cli_option_value(c, "text"));
    if (!cli_param_number(c, params, "tier", cli_option_value(c, "tier")) ||
        !cli_param_number(c, params, "minutes", cli_option_value(c, "minutes"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "breakglass.open", params, show_opened);
}

static void show_closed(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("Bris de glace rendu : ce qu'il ouvrait est effacé de ce poste.");
}

static int glass_close(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    return cli_run_call(c, "breakglass.close", params, show_closed);
}

static const char *word_of(const char *name)
{
    static const char *const words[][2] = {
        {"vital", "danger vital"},
        {"unconscious", "patient hors d'état de s'exprimer"},
        {"continuity", "continuité des soins"},
        {"other", "autre motif"},
        {"justified", "justifié"},
        {"unjustified", "NON JUSTIFIÉ"},
        {"unclear", "à éclaircir"},
        {"oral", "de vive voix"},
        {"letter", "par lettre"},
        {"phone", "par téléphone"},
        {"representative", "son représentant l'a été"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], name) == 0) {
            return words[i][1];
        }
    }
    return name;
}

/* Who opened it tells first; whoever has the patient before him else. */
static void show_told(const struct ml_value *i)
{
    if (ml_value_get(i, "told_ms") == NULL) {
        printf("    PATIENT À INFORMER, par %s ou à sa prochaine venue\n",
               cli_text(ml_value_get(i, "member"), "name"));
        return;
    }
    printf("    patient informé le ");
    cli_print_time(ml_value_int(ml_value_get(i, "told_ms"), 0));
    printf(", %s (%s)\n", word_of(cli_text(i, "how")), cli_text(ml_value_get(i, "teller"), "name"));
}

/* Asked for, and not opened. */
static void show_request(const struct ml_value *i)
{
    cli_print_time(ml_value_int(ml_value_get(i, "asked_ms"), 0));
    printf("  %s demande le niveau %lld, %s, patient %s\n    ",
           cli_text(ml_value_get(i, "member"), "name"),
           (long long)ml_value_int(ml_value_get(i, "tier"), 0), word_of(cli_text(i, "reason")),
           cli_text(i, "patient"));
    if (ml_value_bool(ml_value_get(i, "waits"), false)) {
        printf("À CONFIRMER par un autre, sur son appareil, jusqu'au ");
        cli_print_time(ml_value_int(ml_value_get(i, "waits_ms"), 0));
    } else {
        printf("%s", ml_value_get(i, "second") != NULL ? "confirmé, pas ouvert" : "sans réponse");
    }
    printf("  %s\n", cli_text(i, "glass"));
}

static void show_item(const struct ml_value *i)
{
    const struct ml_value *who = ml_value_get(i, "member");
    if (ml_value_get(i, "wall_ms") == NULL) {
        show_request(i);
        return;
    }
    cli_print_time(ml_value_int(ml_value_get(i, "wall_ms"), 0));
    printf("  %s, niveau %lld, %s, patient %s%s\n    ", cli_text(who, "name"),
           (long long)ml_value_int(ml_value_get(i, "tier"), 0), word_of(cli_text(i, "reason")),
           cli_text(i, "patient"),
           ml_value_bool(ml_value_get(i, "open"), false) ? ", EN COURS" : "");
    if (ml_value_get(i, "outcome") != NULL) {
        printf("%s (%s)", word_of(cli_text(i, "outcome")),
               cli_text(ml_value_get(i, "reviewer"), "name"));
    } else {
        printf("À EXAMINER");
    }
    printf("  %s\n", cli_text(i, "glass"));
    if (ml_value_get(i, "second") != NULL) {
        printf("    confirmé par %s\n", cli_text(ml_value_get(i, "second"), "name"));
    }
    show_told(i);
}

static void show_list(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    if (ml_value_count(ml_value_get(v, "items")) == 0) {
        puts("Aucun bris de glace.");
    }
    for (const struct ml_value *i = ml_value_at(ml_value_get(v, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        show_item(i);
    }
    if (!ml_value_bool(ml_value_get(v, "all"), false)) {
        puts("Liste incomplète : les vôtres seulement.");
    }
    if (ml_value_bool(ml_value_get(v, "more"), false)) {
        printf("Les plus récents de %lld.\n", (long long)ml_value_int(ml_value_get(v, "total"), 0));
    }
}

static int glass_list(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", cli_option_value(c, "patient"));
    cli_param_flag(c, params, "waiting");
    cli_param_flag(c, params, "untold");
    return cli_run_call(c, "breakglass.list", params, show_list);
}

static void show_reviewed(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("Votre avis est noté, et connu de la structure.");
}

static int glass_review(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "glass", c->operands[0]);
    cli_param(params, "outcome", cli_option_value(c, "outcome"));
    cli_param(params, "text", cli_option_value(c, "text"));
    return cli_run_call(c, "breakglass.review", params, show_reviewed);
}

static void show_noted(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("Noté : le patient en a été informé.");
}

static int glass_told(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "glass", c->operands[0]);
    cli_param(params, "how", cli_option_value(c, "how"));
    cli_param(params, "text", cli_option_value(c, "text"));
    return cli_run_call(c, "breakglass.told", params, show_noted);
}

static void show_confirmed(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("Confirmé, pour ce dossier et cette demande seulement : votre part est envoyée. C'est "
         "tracé.");
}

static int glass_confirm(struct cli *c)
{
    int rc = cli_operands(c, 1, 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "glass", c->operands[0]);
    return cli_run_call(c, "breakglass.confirm", params, show_confirmed);
}

static const struct cli_option open_options[] = {
    {"reason", "MOTIF", "vital, unconscious, continuity ou other", false},
    {"text", "TEXTE", "pourquoi, en vos mots (dès le niveau 2)", false},
    {"tier", "N", "1 résumé d'urgence (par défaut), 2 dossier, 3 données sensibles (avec un autre)",
     false},
    {"minutes", "N", "pour combien de temps (60, 480 au plus)", false},
    {NULL, NULL, NULL, false}};
static const struct cli_option list_options[] = {
    {"patient", "ID", "ceux de ce patient, dont il doit être informé", false},
    {"waiting", NULL, "seulement ceux qui restent à examiner", false},
    {"untold", NULL, "seulement ceux dont le patient n'a pas encore été informé", false},
    {NULL, NULL, NULL, false}};
static const struct cli_option review_options[] = {
    {"outcome", "AVIS", "justified, unjustified ou unclear", false},
    {"text", "TEXTE", "ce que vous en dites", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option told_options[] = {
    {"how", "MOYEN", "oral, letter, phone ou representative", false},
    {"text", "TEXTE", "ce que vous en dites", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_glass[] = {
    {"breakglass open", "PATIENT", "Ouvre un dossier en urgence, avec un motif, pour un temps",
     "Tracé et annoncé à la structure avant que rien ne s'ouvre, puis examiné par un autre. Refusé "
     "si le patient a exclu l'accès d'urgence.",
     "maille breakglass open ID --reason vital --tier 2 --text \"malaise au cabinet\"",
     open_options, glass_open},
    {"breakglass confirm", "NUMERO",
     "Donne votre part des données sensibles à qui la demande en urgence",
     "Le niveau 3 ne s'ouvre pas seul : un autre membre qui a droit au bris de glace confirme, sur "
     "son appareil. Parlez-lui d'abord.",
     "maille breakglass confirm NUMERO", NULL, glass_confirm},
    {"breakglass close", "PATIENT", "Rend un accès d'urgence avant son terme", NULL,
     "maille breakglass close ID", NULL, glass_close},
    {"breakglass list", NULL, "Montre les accès d'urgence, et ce qui reste à examiner", NULL,
     "maille breakglass list --waiting", list_options, glass_list},
    {"breakglass review", "NUMERO",
     "Donne un avis sur un accès d'urgence (un autre que son auteur)", NULL,
     "maille breakglass review NUMERO --outcome justified", review_options, glass_review},
    {"breakglass told", "NUMERO", "Note que le patient a été informé d'un accès d'urgence",
     "Qui l'a pris l'en informe d'abord ; qui reçoit le patient, sinon.",
     "maille breakglass told NUMERO --how letter", told_options, glass_told},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
