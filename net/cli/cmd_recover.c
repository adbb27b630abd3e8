/* net/cli/cmd_recover.c -- when a key is lost: the structure's sheets, another passphrase. */
#include <stdio.h>
#include <string.h>

#include "net/cli/sheets.h"
#include "net/cli/tables.h"

static void show_act(const struct ml_value *v)
{
    const struct ml_value *gone = ml_value_get(v, "gone");
    printf("%s est désormais coordinateur, et chaque poste le saura à son prochain échange.\n",
           cli_text(ml_value_get(v, "coordinator"), "name"));
    if (gone != NULL) {
        printf("%s n'a plus aucun droit.\n", cli_text(gone, "name"));
    }
    puts("La clé vient d'être effacée de la mémoire. Remettez les feuilles sous enveloppe neuve.");
}

static void show_recovered(const struct cli *c, const struct ml_value *v)
{
    printf("Ces feuilles refont la clé de %s %s.\n",
           ml_value_bool(ml_value_get(v, "root"), false) ? "la structure"
                                                         : "l'auditeur de la structure",
           cli_text(v, "org"));
    if (ml_value_get(v, "coordinator") != NULL) {
        show_act(v);
    } else if (ml_value_get(v, "shares") == NULL) {
        puts("Rien n'a été écrit ni gardé : la clé vient d'être effacée de la mémoire.");
    }
    if (ml_value_get(v, "shares") == NULL) {
        return;
    }
    puts("Voici un nouveau jeu. L'ancien reste valable : détruisez-en les feuilles.\n");
    cli_show_sheets(c, v);
}

/* Whom Root makes a coordinator, and who is gone. False: badly called. */
static bool param_act(struct cli *c, struct ml_args *params)
{
    const char *member = cli_option_value(c, "member");
    const char *gone = cli_option_value(c, "gone");
    const bool compromised = cli_option_value(c, "compromised") != NULL;
    const bool promote = cli_option_value(c, "promote") != NULL;
    if ((!promote && (member != NULL || gone != NULL)) || (gone == NULL && compromised)) {
        (void)cli_usage(c, "--member et --gone vont avec --promote, --compromised avec --gone");
        return false;
    }
    if (promote) {
        ml_args_key(params, "promote");
        ml_args_bool(params, true);
        cli_param(params, "member", member);
        cli_param(params, "gone", gone);
        cli_param(params, "mode", compromised ? "compromise" : "departure");
    }
    return true;
}

static int org_recover(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    if (!param_act(c, params) || !cli_param_plan(c, params, cli_option_value(c, "new"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    ml_args_key(params, "auditor");
    ml_args_bool(params, cli_option_value(c, "auditor") != NULL);
    if (!cli_param_sheets(params)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "org.recover", params, show_recovered);
}

/* ---- other keys for Root ---- */

static void show_rotated(const struct cli *c, const struct ml_value *v)
{
    if (ml_value_get(v, "shares") != NULL) {
        puts("Voici un nouveau jeu. Rien n'est encore changé : l'ancien reste le bon.\n");
        cli_show_sheets(c, v);
        printf("Quand elles sont rangées, tapez-en de nouveau assez%s :\n"
               "  maille org rotate-root --confirm\n",
               ml_value_bool(ml_value_get(v, "alone"), false)
                   ? ", et assez de feuilles du jeu en vigueur"
                   : "");
        return;
    }
    if (ml_value_bool(ml_value_get(v, "counts"), false)) {
        puts("C'est fait : seul ce jeu refait désormais la clé de la structure, sur chaque poste "
             "dès que\nceci y arrive. L'ancien ne signe ni n'ouvre plus rien de ce qui suit : "
             "détruisez-en les feuilles.");
        return;
    }
    puts("Ce jeu est proposé, et l'ancien reste le bon jusqu'à la dernière signature. Un autre "
         "coordinateur\nou référent signe : maille governance proposals");
    cli_show_lacking(v);
}

static int org_rotate(struct cli *c)
{
    const bool confirm = cli_option_value(c, "confirm") != NULL;
    const bool cut = cli_option_value(c, "shares") != NULL || cli_option_value(c, "alone") != NULL;
    struct ml_args *params = cli_params(c);
    if (confirm && cut) {
        ml_args_free(params);
        return cli_usage(c, "--shares et --alone vont sans --confirm");
    }
    if (!cli_param_plan(c, params, cli_option_value(c, "shares"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    if (cli_option_value(c, "alone") != NULL) {
        ml_args_key(params, "alone");
        ml_args_bool(params, true);
    }
    if (confirm && !cli_param_sheets(params)) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "org.rotate", params, show_rotated);
}

static void show_changed(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    puts("La phrase de passe est changée sur ce poste, pour vous seul.");
    if (ml_value_get(v, "member_words") != NULL) {
        printf(
            "\nVos nouveaux mots de secours, montrés cette seule fois ; les anciens n'ouvrent plus "
            "rien ici :\n\n  %s\n",
            cli_text(v, "member_words"));
    }
    puts("\nUne copie plus ancienne de ce poste s'ouvre encore avec l'ancienne phrase : si "
         "quelqu'un "
         "l'a\nconnue, dites-le à un coordinateur.");
}

static int passphrase(struct cli *c)
{
    const bool words = cli_option_value(c, "recovery") != NULL;
    struct ml_args *params = cli_params(c);
    char *old =
        cli_passphrase(c, words ? "Mots de secours : " : "Phrase de passe actuelle : ", false);
    char *fresh =
        old == NULL ? NULL : cli_passphrase(c, "Nouvelle phrase (au moins 12 signes) : ", true);
    if (fresh != NULL) {
        cli_param(params, words ? "recovery" : "old", old);
        cli_param(params, "passphrase", fresh);
        ml_args_key(params, "new_words");
        ml_args_bool(params, cli_option_value(c, "new-words") != NULL);
    }
    const bool given = fresh != NULL;
    cli_passphrase_free(old);
    cli_passphrase_free(fresh);
    if (!given) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    return cli_run_call(c, "session.passphrase", params, show_changed);
}

/* ---- card ---- */

static void show_card_added(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("La carte ouvre désormais votre accès sur ce poste : maille unlock --card\n"
         "Gardez la phrase de passe et vos mots de secours : une carte se perd et expire.");
}

static int card_add(struct cli *c)
{
    struct ml_args *params = cli_params(c);
    char *pin = cli_passphrase(c, "Code de la carte : ", false);
    if (pin == NULL) {
        ml_args_free(params);
        return CLI_FAILED;
    }
    cli_param(params, "pin", pin);
    cli_passphrase_free(pin);
    return cli_run_call(c, "card.add", params, show_card_added);
}

static void show_card_removed(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    (void)v;
    puts("La carte n'ouvre plus rien sur ce poste. Une copie plus ancienne s'ouvre encore avec "
         "elle.");
}

static int card_remove(struct cli *c)
{
    return cli_run_call(c, "card.remove", cli_params(c), show_card_removed);
}

static const struct cli_option recover_options[] = {
    {"new", "K/N", "donne un nouveau jeu de N feuilles dont K suffisent", false},
    {"promote", NULL, "nomme coordinateur le membre qui est là : le seul coordinateur est perdu",
     false},
    {"member", "ID", "nomme plutôt ce membre", false},
    {"gone", "ID", "et retire ses droits à ce coordinateur, parti", false},
    {"compromised", NULL, "dont le poste ou la clé est volé : rien de lui n'est plus reçu", false},
    {"auditor", NULL, "le nouveau jeu est de la clé de l'auditeur seule : elle lit les traces",
     false},
    {"qr", NULL, "montre aussi chaque feuille en code QR", false},
    {"print", "DOSSIER", "écrit les feuilles à imprimer (SVG, PNG) au lieu de les montrer", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option rotate_options[] = {
    {"confirm", NULL, "lit assez de feuilles du nouveau jeu, et le propose", false},
    {"shares", "K/N", "le jeu a N feuilles dont K suffisent (défaut : 3/5)", false},
    {"alone", NULL, "structure d'une personne : trois feuilles, dont deux suffisent", false},
    {"qr", NULL, "montre aussi chaque feuille en code QR", false},
    {"print", "DOSSIER", "écrit les feuilles à imprimer (SVG, PNG) au lieu de les montrer", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option passphrase_options[] = {
    {"recovery", NULL, "avec les mots de secours : la phrase actuelle est oubliée", false},
    {"new-words", NULL, "donne aussi de nouveaux mots de secours", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_recover[] = {
    {"org recover", NULL, "Refait la clé de la structure à partir de ses feuilles",
     "Lit les feuilles sur l'entrée standard, une par ligne : ses 32 mots, ou sa ligne MAILLE:.\n"
     "Dit laquelle est fausse et à quel mot, et si elles refont la clé. Avec --promote, nomme un\n"
     "coordinateur par cette clé ; avec --new, donne un nouveau jeu de feuilles.",
     "maille org recover --promote", recover_options, org_recover},
    {"org rotate-root", NULL, "Remplace les feuilles de la structure, perdues ou volées",
     "Montre un nouveau jeu, que plus de la moitié des coordinateurs et référents doivent signer,\n"
     "deux au moins. Rien ne change avant que --confirm en ait lu assez de feuilles, sur l'entrée\n"
     "standard, une par ligne. Qui est seul à pouvoir signer y tape aussi des feuilles de "
     "l'ancien.",
     "maille org rotate-root --shares 3/5 --print /dev/shm/feuilles", rotate_options, org_rotate},
    {"passphrase", NULL, "Change la phrase de passe de ce poste",
     "Après « maille unlock ». Avec --recovery pour qui l'a oubliée et tient sa feuille. Par\n"
     "--passphrase-fd : deux lignes, l'actuelle (ou les mots), puis la nouvelle.",
     "maille passphrase --recovery --new-words", passphrase_options, passphrase},
    {"card add", NULL, "Enregistre votre carte sur ce poste",
     "Par le module PKCS#11 que p11-kit connaît. Le code se tape sans s'afficher, ou vient par\n"
     "--passphrase-fd ; la carte l'a compté s'il est faux.",
     "maille card add", NULL, card_add},
    {"card remove", NULL, "Retire votre carte de ce poste", NULL, "maille card remove", NULL,
     card_remove},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
