/* net/cli/cmd_trace.c -- who did what to whose record: search, proof, and who may read it all. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/cli/sheets.h"
#include "net/cli/tables.h"

/* French words of what the node names; NULL: as it is. */
static const char *word_of(const char *name)
{
    static const char *const words[][2] = {
        {"read", "lecture"},
        {"write", "écriture"},
        {"search", "recherche"},
        {"list", "liste"},
        {"export", "export"},
        {"import", "import"},
        {"print", "impression"},
        {"unlock", "ouverture de session"},
        {"lock", "fermeture"},
        {"break glass", "BRIS DE GLACE"},
        {"govern", "droits"},
        {"exchange", "échanges"},
        {"audit", "lecture de traces"},
        {"review", "examen d'un bris de glace"},
        {"consent", "consentement"},
        {"merge", "fusion"},
        {"done", ""},
        {"refused", " REFUSÉ"},
        {"failed", " ÉCHOUÉ"},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i][0], name) == 0) {
            return words[i][1];
        }
    }
    return name;
}

static void show_when(int64_t ms)
{
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32] = "?";
    if (localtime_r(&seconds, &tm) != NULL) {
        (void)strftime(text, sizeof(text), "%d/%m/%Y %H:%M:%S", &tm);
    }
    printf("%s", text);
}

static void show_item(const struct ml_value *item)
{
    const struct ml_value *actor = ml_value_get(item, "actor");
    const char *name = cli_text(actor, "name");
    const int64_t count = ml_value_int(ml_value_get(item, "count"), 1);
    show_when(ml_value_int(ml_value_get(item, "wall_ms"), 0));
    printf("  %s%s", word_of(cli_text(item, "action")), word_of(cli_text(item, "result")));
    printf("  %s", actor == NULL     ? "(le poste lui-même)"
                   : name[0] != '\0' ? name
                                     : cli_text(actor, "member"));
    if (count > 1) {
        printf("  x%lld", (long long)count);
    }
    if (ml_value_get(item, "patient") != NULL) {
        printf("  patient %s", cli_text(item, "patient"));
    }
    printf("  [%s]", cli_text(item, "context"));
    if (cli_text(item, "purpose")[0] != '\0') {
        printf(" %s", cli_text(item, "purpose"));
    }
    puts(ml_value_bool(ml_value_get(item, "doubtful"), false) ? "  DOUTEUX : signé par un autre"
                                                              : "");
}

static void show_found(const struct cli *c, const struct ml_value *v)
{
    const long long closed = (long long)ml_value_int(ml_value_get(v, "closed"), 0);
    (void)c;
    for (const struct ml_value *i = ml_value_at(ml_value_get(v, "items"), 0); i != NULL;
         i = ml_value_next(i)) {
        show_item(i);
    }
    if (!ml_value_bool(ml_value_get(v, "all"), false)) {
        puts("Liste incomplète : vos propres traces, celles de ce poste. L'auditeur voit celles de "
             "tous.");
    } else if (closed > 0) {
        printf("%lld paquet(s) de traces ne se lisent pas ici.\n", closed);
    }
    if (ml_value_bool(ml_value_get(v, "more"), false)) {
        printf("... la suite : --after %lld\n",
               (long long)ml_value_int(ml_value_get(v, "next"), 0));
    }
}

static int trace_search(struct cli *c)
{
    static const char *const names[] = {"patient", "member", "from", "to", "action", "result"};
    struct ml_args *params = cli_params(c);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cli_param(params, names[i], cli_option_value(c, names[i]));
    }
    if (!cli_param_number(c, params, "after", cli_option_value(c, "after")) ||
        !cli_param_number(c, params, "limit", cli_option_value(c, "limit"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    return cli_run_call(c, "trace.search", params, show_found);
}

static bool is_intact(const struct ml_value *v)
{
    return ml_value_bool(ml_value_get(v, "intact"), false);
}

static void show_proof(const struct cli *c, const struct ml_value *v)
{
    static const struct cli_column columns[] = {{"bundles", "Paquets de traces"},
                                                {"entries", "Traces lues ici"},
                                                {"closed", "Paquets qui ne se lisent pas ici"},
                                                {"damaged", "Traces abîmées"},
                                                {"doubtful", "Traces signées par un autre"},
                                                {"bodies_missing", "Contenus pas encore reçus"},
                                                {"bodies_dropped", "Contenus effacés à leur terme"},
                                                {NULL, NULL}};
    (void)c;
    cli_print_map(v, columns);
    for (const struct ml_value *p = ml_value_at(ml_value_get(v, "problems"), 0); p != NULL;
         p = ml_value_next(p)) {
        printf("  %s\n", ml_value_text(p, ""));
    }
    for (const struct ml_value *g = ml_value_at(ml_value_get(v, "gaps"), 0); g != NULL;
         g = ml_value_next(g)) {
        printf("  MANQUENT sur le poste %s : traces %lld à %lld. Leur auteur n'a pas rouvert sa "
               "session, ou elles ont été retirées.\n",
               cli_text(g, cli_text(g, "name")[0] != '\0' ? "name" : "node"),
               (long long)ml_value_int(ml_value_get(g, "from"), 0),
               (long long)ml_value_int(ml_value_get(g, "to"), 0));
    }
    if (ml_value_get(v, "kept_from_ms") != NULL) {
        printf("Conservées depuis le ");
        cli_print_time(ml_value_int(ml_value_get(v, "kept_from_ms"), 0));
        puts(" ; ce qui est plus ancien a été détruit à son terme, sur tous les postes.");
    }
    puts(is_intact(v) ? "Traces : chaînes et signatures intactes"
                      : "Traces : quelque chose MANQUE ou est ABÎMÉ");
    if (!ml_value_bool(ml_value_get(v, "all"), false)) {
        puts("Les trous ne se voient qu'avec la clé de l'auditeur.");
    }
}

static int trace_verify(struct cli *c)
{
    return cli_run_check(c, "trace.verify", cli_params(c),
                         (struct cli_check){show_proof, is_intact});
}

static void show_granted(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Ce membre lit désormais toutes les traces, sur %lld poste(s).\n",
           (long long)ml_value_int(ml_value_get(v, "nodes"), 0));
}

static int trace_grant(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "member", cli_option_value(c, "member"));
    if (cli_option_value(c, "sheets") != NULL && !cli_param_sheets(params)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "trace.grant", params, show_granted);
}

static const struct cli_option search_options[] = {
    {"patient", "ID", "ce qui touche ce dossier", false},
    {"member", "ID", "ce que ce membre a fait", false},
    {"from", "DATE", "à partir de", false},
    {"to", "DATE", "jusqu'à", false},
    {"action", "ACTION", "read, write, unlock, break glass, export...", false},
    {"result", "RESULTAT", "done, refused ou failed", false},
    {"after", "N", "la suite d'une recherche", false},
    {"limit", "N", "combien au plus (50, 500 au plus)", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option grant_options[] = {
    {"member", "ID", "qui lira toutes les traces", false},
    {"sheets", NULL, "lit les feuilles de la structure ou de l'auditeur, une par ligne", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_trace[] = {
    {"trace search", NULL, "Cherche qui a fait quoi, dans quel dossier",
     "L'auditeur voit les traces de tous ; les autres, les leurs. Chercher est tracé. Rien "
     "n'efface une trace.",
     "maille trace search --patient ID --from 2026-03-01", search_options, trace_search},
    {"trace verify", NULL, "Vérifie les chaînes de traces et dit ce qui manque", NULL,
     "maille trace verify", NULL, trace_verify},
    {"trace grant", NULL, "Fait d'un membre l'auditeur des traces, si la matrice le permet", NULL,
     "maille trace grant --member ID --sheets", grant_options, trace_grant},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
