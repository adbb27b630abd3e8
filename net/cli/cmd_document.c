/* net/cli/cmd_document.c -- files of the record: show, add, save. Where a file is saved is what the
 * user says: no title from a record is ever taken for a path. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "net/cli/tables.h"

/* ---- show ---- */

static const char *state_text(const struct ml_value *file)
{
    static const struct {
        const char *state;
        const char *text;
    } states[] = {{"stored", "ici"},
                  {"here", "ici"},
                  {"missing", "pas encore arrivé"},
                  {"outside", "ailleurs"}};
    const char *state = cli_text(file, "state");
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].state, state) == 0) {
            return states[i].text;
        }
    }
    return state;
}

static void show_files(const struct cli *c, const struct ml_value *v)
{
    const struct ml_value *files = ml_value_get(v, "files");
    (void)c;
    if (ml_value_count(files) == 0) {
        puts("Cet élément n'a pas de fichier.");
    }
    for (const struct ml_value *f = ml_value_at(files, 0); f != NULL; f = ml_value_next(f)) {
        const long long missing = (long long)ml_value_int(ml_value_get(f, "chunks_missing"), 0);
        printf("%lld  %s : %s", (long long)ml_value_int(ml_value_get(f, "file"), 0),
               cli_text(f, "text"), state_text(f));
        if (missing > 0) {
            printf(" (il manque %lld parties sur %lld)", missing,
                   (long long)ml_value_int(ml_value_get(f, "chunks"), 0));
        }
        putchar('\n');
    }
}

static struct ml_args *params_object(const struct cli *c)
{
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "object", c->operands[1]);
    return params;
}

static int document_show(struct cli *c)
{
    int rc = cli_operands(c, 2, 2);
    return rc != CLI_DONE ? rc : cli_run_call(c, "document.show", params_object(c), show_files);
}

/* ---- add ---- */

static const char *media_type_of(const char *path)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {".pdf", "application/pdf"}, {".png", "image/png"},        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},     {".tif", "image/tiff"},       {".tiff", "image/tiff"},
        {".txt", "text/plain"},      {".html", "text/html"},       {".rtf", "application/rtf"},
        {".xml", "application/xml"}, {".dcm", "application/dicom"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(dot, types[i].ending) == 0) {
            return types[i].type;
        }
    }
    return NULL;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void files_put(const struct cli *c, struct ml_args *params, char paths[][PATH_MAX])
{
    const char *type = cli_option_value(c, "media-type");
    ml_args_key(params, "files");
    ml_args_list(params);
    for (int i = 1; i < c->operand_count; i++) {
        ml_args_map(params);
        cli_param(params, "path", paths[i - 1]);
        cli_param(params, "title", last_part(c->operands[i]));
        cli_param(params, "media_type", type != NULL ? type : media_type_of(c->operands[i]));
        ml_args_end(params);
    }
    ml_args_end(params);
}

/* title, written_at and type, unless --set says more. */
static void fields_put(const struct cli *c, struct ml_args *params)
{
    const char *title = cli_option_value(c, "title");
    const char *date = cli_option_value(c, "date");
    char now[32];
    struct tm tm;
    time_t clock = time(NULL);
    localtime_r(&clock, &tm);
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M", &tm);
    ml_args_key(params, "fields");
    ml_args_map(params);
    cli_param(params, "title", title != NULL ? title : last_part(c->operands[1]));
    cli_param(params, "written_at", date != NULL ? date : now);
    cli_param(params, "type", cli_option_value(c, "type"));
    ml_args_end(params);
}

static void show_added(const struct cli *c, const struct ml_value *v)
{
    (void)c;
    printf("Enregistré sur ce poste.\n\n  patient  %s\n  élément  %s  (%s)\n",
           cli_text(v, "patient"), cli_text(v, "object"), cli_text(v, "entity"));
}

enum { FILES_MAX = 16 };

static int document_add(struct cli *c)
{
    static char paths[FILES_MAX][PATH_MAX];
    int rc = cli_operands(c, 2, FILES_MAX + 1);
    if (rc != CLI_DONE) {
        return rc;
    }
    for (int i = 1; i < c->operand_count; i++) {
        if (realpath(c->operands[i], paths[i - 1]) == NULL) {
            fprintf(stderr, "maille : %s : %s\n", c->operands[i],
                    errno == ENOENT ? "ce fichier n'existe pas" : "ce fichier ne peut pas être lu");
            return CLI_FAILED;
        }
    }
    struct ml_args *params = cli_params(c);
    cli_param(params, "patient", c->operands[0]);
    cli_param(params, "entity", "document");
    cli_param(params, "reason", cli_option_value(c, "reason"));
    fields_put(c, params);
    files_put(c, params, paths);
    return cli_run_call(c, "record.add", params, show_added);
}

/* ---- save ---- */

/* Beside the target, under a name of its own: nobody finds half a file. */
struct saving {
    const char *to;
    char part[PATH_MAX];
    int fd;
    long long bytes;
};

static int save_fail(const struct saving *s, const char *what)
{
    fprintf(stderr, "maille : %s : %s\n", s->to, what);
    return CLI_FAILED;
}

static int saving_begin(struct saving *s)
{
    int len = snprintf(s->part, sizeof(s->part), "%s.XXXXXX", s->to);
    if (len < 0 || (size_t)len >= sizeof(s->part)) {
        return save_fail(s, "ce chemin est trop long");
    }
    s->fd = mkostemp(s->part, O_CLOEXEC); /* 0600 */
    return s->fd >= 0 ? CLI_DONE : save_fail(s, "rien ne peut être écrit dans ce dossier");
}

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* One slice; *end: it was the last. */
static int slice_save(struct cli *c, struct saving *s, bool *end)
{
    struct ml_args *params = params_object(c);
    struct ml_tree *answer = NULL;
    size_t len = 0;
    if (!cli_param_number(c, params, "file", cli_option_value(c, "file"))) {
        ml_args_free(params);
        return CLI_USAGE;
    }
    cli_param(params, "use", "export");
    ml_args_key(params, "offset");
    ml_args_int(params, s->bytes);
    int rc = cli_call(c, "document.get", params, &answer);
    if (rc != CLI_DONE) {
        return rc;
    }
    const struct ml_value *v = ml_tree_root(answer);
    const uint8_t *bytes = ml_value_bytes(ml_value_get(v, "bytes"), &len);
    *end = ml_value_bool(ml_value_get(v, "end"), true) || len == 0;
    rc = write_all(s->fd, bytes, len) ? CLI_DONE : save_fail(s, "l'écriture a échoué");
    s->bytes += (long long)len;
    ml_tree_free(answer);
    return rc;
}

static int saving_end(const struct cli *c, const struct saving *s)
{
    const unsigned flags = cli_option_value(c, "force") != NULL ? 0 : RENAME_NOREPLACE;
    if (fsync(s->fd) != 0) {
        return save_fail(s, "l'écriture a échoué");
    }
    if (renameat2(AT_FDCWD, s->part, AT_FDCWD, s->to, flags) != 0) {
        return save_fail(s, errno == EEXIST ? "ce fichier existe déjà (--force le remplace)"
                                            : "rien ne peut être écrit à cet endroit");
    }
    return CLI_DONE;
}

static void saved_print(const struct cli *c, const struct saving *s)
{
    if (!c->json) {
        printf("%s : %lld octets écrits, en clair, hors du dossier chiffré.\n", s->to, s->bytes);
        return;
    }
    struct ml_args *a = ml_args_new();
    struct ml_tree *tree = NULL;
    const uint8_t *bytes = NULL;
    size_t len = 0;
    ml_args_map(a);
    cli_param(a, "saved", s->to);
    ml_args_key(a, "bytes");
    ml_args_int(a, s->bytes);
    ml_args_end(a);
    if (ml_args_encoded(a, &bytes, &len) == ML_OK && ml_tree_parse(&tree, bytes, len) == ML_OK) {
        cli_print_json(ml_tree_root(tree));
    }
    ml_tree_free(tree);
    ml_args_free(a);
}

static int document_save(struct cli *c)
{
    struct saving s = {.to = cli_option_value(c, "to")};
    bool end = false;
    int rc = cli_operands(c, 2, 2);
    if (rc != CLI_DONE) {
        return rc;
    }
    if (s.to == NULL) {
        return cli_usage(c, "--to dit où écrire le fichier");
    }
    if (cli_option_value(c, "force") == NULL && access(s.to, F_OK) == 0) {
        return save_fail(&s, "ce fichier existe déjà (--force le remplace)");
    }
    rc = saving_begin(&s);
    if (rc != CLI_DONE) {
        return rc;
    }
    while (rc == CLI_DONE && !end) {
        rc = slice_save(c, &s, &end);
    }
    rc = rc == CLI_DONE ? saving_end(c, &s) : rc;
    close(s.fd);
    if (rc == CLI_DONE) {
        saved_print(c, &s);
    } else {
        unlink(s.part);
    }
    return rc;
}

static const struct cli_option add_options[] = {
    {"title", "TEXTE", "titre du document (défaut : le nom du fichier)", false},
    {"type", "CODE", "type de document (« maille schema document » les liste)", false},
    {"date", "DATE", "date du document (défaut : maintenant)", false},
    {"media-type", "TYPE", "type du contenu (défaut : d'après la fin du nom)", false},
    {"reason", "TEXTE", "pourquoi", false},
    {NULL, NULL, NULL, false}};

static const struct cli_option save_options[] = {
    {"to", "FICHIER", "où écrire ; jamais d'après un nom qui vient du dossier", false},
    {"file", "N", "lequel, tel que « document show » les numérote (défaut : 0)", false},
    {"force", NULL, "remplace un fichier qui existe", false},
    {NULL, NULL, NULL, false}};

const struct cli_command cli_commands_document[] = {
    {"document show", "PATIENT ÉLÉMENT", "Liste les fichiers d'un élément, et s'ils sont ici", NULL,
     "maille document show 0197... 0198...", NULL, document_show},
    {"document add", "PATIENT FICHIER...", "Ajoute un document et ses fichiers",
     "Jusqu'à 16 fichiers, 32 Mio chacun. Ils sont chiffrés et sur le disque quand la commande "
     "rend "
     "la main.",
     "maille document add 0197... courrier.pdf --title \"Courrier du cardiologue\"", add_options,
     document_add},
    {"document save", "PATIENT ÉLÉMENT", "Écrit un fichier du dossier sur le disque, en clair",
     "Un fichier qui n'est pas encore arrivé en entier n'est pas écrit : la commande dit ce qui\n"
     "manque.",
     "maille document save 0197... 0198... --to courrier.pdf", save_options, document_save},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL}};
