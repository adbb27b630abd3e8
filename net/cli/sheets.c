/* net/cli/sheets.c -- see sheets.h. */
#include "net/cli/sheets.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/env.h"
#include "net/cli/tables.h"
#include "net/client/qr.h"

enum {
    COLUMNS = 4,
    SHEET_LINE_MAX = 1100, /* a text of words may have 1,024 bytes */
    SHEET_BYTES_MAX = 1 << 20,
    SHEETS_MAX = 30, /* of two sets: the old ones sign for the new ones */
    SHORT_ID = 6,    /* digits of the structure's id that a share holds */
    LINE_PART = 32,
};

struct sheet {
    const char *org;
    const char *set;
    const char *words;
    const char *line;
    int index;
    int need;
    int count;
};

void cli_wait_for_sheet(void)
{
    char line[8];
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return;
    }
    printf("Entrée quand cette feuille est écrite et rangée... ");
    fflush(stdout);
    bool typing = true;
    while (typing) {
        typing = fgets(line, sizeof(line), stdin) != NULL && strchr(line, '\n') == NULL;
    }
    printf("\n");
}

bool cli_param_plan(struct cli *c, struct ml_args *params, const char *value)
{
    char *end = NULL;
    if (value == NULL) {
        return true;
    }
    const long need = strtol(value, &end, 10);
    const long count = *end == '/' ? strtol(end + 1, &end, 10) : 0;
    if (*end != '\0' || need < 1 || count < 1) {
        cli_usage(c, "le partage s'écrit 3/5 : trois feuilles nécessaires, sur cinq");
        return false;
    }
    ml_args_key(params, "need");
    ml_args_int(params, need);
    ml_args_key(params, "count");
    ml_args_int(params, count);
    return true;
}

/* ---- on the terminal ---- */

/* The next word of a text, moved on behind it. */
static int word_next(const char **at, const char **word)
{
    *at += strspn(*at, " ");
    *word = *at;
    *at += strcspn(*at, " ");
    return (int)(*at - *word);
}

/* Letters of UTF-8, for columns. */
static int letters(const char *word, int len)
{
    int count = 0;
    for (int i = 0; i < len; i++) {
        count += ((unsigned char)word[i] & 0xc0) != 0x80;
    }
    return count;
}

static void show_words(const char *words)
{
    const char *at = words;
    const char *word = NULL;
    int len = 0;
    for (int i = 1; (len = word_next(&at, &word)) > 0; i++) {
        printf("  %2d. %.*s%*s", i, len, word, 10 - letters(word, len), "");
        if (i % COLUMNS == 0) {
            putchar('\n');
        }
    }
}

static void show_code(const char *line)
{
    struct ml_qr qr;
    struct ml_buf out;
    ml_buf_init_wiped(&out, ml_env_system(), SHEET_BYTES_MAX);
    if (ml_qr_make(&qr, ml_env_system(), line) == ML_OK) {
        ml_qr_text(&qr, &out, isatty(STDOUT_FILENO) == 1);
        fwrite(out.data, 1, out.len, stdout);
    }
    ml_qr_free(&qr);
    ml_buf_free(&out);
}

static void show_sheet(const struct cli *c, const struct sheet *s)
{
    printf("FEUILLE %d SUR %d DE LA STRUCTURE - %d suffisent - jeu %s - structure %.*s\n\n",
           s->index, s->count, s->need, s->set, SHORT_ID, s->org);
    show_words(s->words);
    printf("\n  %s\n\n", s->line);
    if (cli_option_value(c, "qr") != NULL) {
        show_code(s->line);
    }
}

/* ---- for print: A4, in millimetres ---- */

__attribute__((format(printf, 2, 3))) static void put(struct ml_buf *out, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    // NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start is just above
    const int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ml_buf_append(out, text, len > 0 && (size_t)len < sizeof(text) ? (size_t)len : 0);
    explicit_bzero(text, sizeof(text));
}

static void svg_words(struct ml_buf *out, const char *words)
{
    const char *at = words;
    const char *word = NULL;
    int len = 0;
    for (int i = 0; (len = word_next(&at, &word)) > 0; i++) {
        put(out, "<text x=\"%d\" y=\"%d\">%d. %.*s</text>\n", 20 + i % COLUMNS * 44,
            78 + i / COLUMNS * 9, i + 1, len, word);
    }
}

static void svg_sheet(struct ml_buf *out, const struct sheet *s, const struct ml_qr *qr)
{
    static const double place[3] = {20, 158, 90};
    put(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"210mm\" height=\"297mm\" "
             "viewBox=\"0 0 210 297\" font-family=\"sans-serif\" font-size=\"5\">\n");
    put(out, "<rect width=\"210\" height=\"297\" fill=\"#fff\"/>\n");
    put(out, "<text x=\"20\" y=\"28\" font-size=\"8\">Maille - feuille %d sur %d</text>\n",
        s->index, s->count);
    put(out, "<text x=\"20\" y=\"40\">structure %.*s... - jeu %s</text>\n", SHORT_ID, s->org,
        s->set);
    put(out,
        "<text x=\"20\" y=\"50\">%d feuilles de ce jeu ensemble refont la clé de la structure ; ",
        s->need);
    put(out,
        "moins ne disent rien.</text>\n<text x=\"20\" y=\"58\">À garder sous enveloppe scellée. "
        "Ne pas photographier, ne pas scanner dans un ordinateur.</text>\n");
    svg_words(out, s->words);
    ml_qr_svg(qr, out, place);
    for (size_t at = 0; at < strlen(s->line); at += LINE_PART) {
        put(out, "<text x=\"20\" y=\"%zu\" font-family=\"monospace\">%.*s</text>\n",
            256 + at / LINE_PART * 7, LINE_PART, s->line + at);
    }
    put(out, "</svg>\n");
}

/* Never over a file; readable by its owner alone. */
static bool file_write(const char *folder, const struct sheet *s, const char *end,
                       const struct ml_buf *out)
{
    char path[PATH_MAX];
    const int len = snprintf(path, sizeof(path), "%s/feuille-%d-sur-%d-jeu-%s.%s", folder, s->index,
                             s->count, s->set, end);
    int fd = len > 0 && (size_t)len < sizeof(path)
                 ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                 : -1;
    size_t done = 0;
    while (fd >= 0 && done < out->len) {
        const ssize_t n = write(fd, out->data + done, out->len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    const bool ok = fd >= 0 && close(fd) == 0 && done == out->len && out->err == ML_OK;
    if (!ok) {
        fprintf(stderr, "maille : %s n'a pas pu être écrit : notez cette feuille à la main\n",
                path);
    }
    return ok;
}

static bool print_sheet(const char *folder, const struct sheet *s)
{
    const struct ml_env *env = ml_env_system();
    struct ml_qr qr;
    struct ml_buf svg;
    struct ml_buf png;
    ml_buf_init_wiped(&svg, env, SHEET_BYTES_MAX);
    ml_buf_init_wiped(&png, env, SHEET_BYTES_MAX);
    bool ok = ml_qr_make(&qr, env, s->line) == ML_OK && ml_qr_png(&qr, &png) == ML_OK;
    if (ok) {
        svg_sheet(&svg, s, &qr);
        ok = file_write(folder, s, "svg", &svg) && file_write(folder, s, "png", &png);
    }
    ml_qr_free(&qr);
    ml_buf_free(&svg);
    ml_buf_free(&png);
    return ok;
}

void cli_show_sheets(const struct cli *c, const struct ml_value *answer)
{
    const struct ml_value *list = ml_value_get(answer, "shares");
    const char *folder = cli_option_value(c, "print");
    bool printed = folder != NULL && (mkdir(folder, 0700) == 0 || errno == EEXIST);
    for (const struct ml_value *v = ml_value_at(list, 0); v != NULL; v = ml_value_next(v)) {
        const struct sheet s = {.org = cli_text(answer, "org"),
                                .set = cli_text(v, "set"),
                                .words = cli_text(v, "words"),
                                .line = cli_text(v, "line"),
                                .index = (int)ml_value_int(ml_value_get(v, "index"), 0),
                                .need = (int)ml_value_int(ml_value_get(v, "need"), 0),
                                .count = (int)ml_value_count(list)};
        if (printed && print_sheet(folder, &s)) {
            continue;
        }
        show_sheet(c, &s);
        cli_wait_for_sheet();
    }
    if (printed) {
        printf("Les feuilles sont dans %s. Imprimez-les d'ici, sans passer par un courriel ni une "
               "clé\n"
               "partagée, puis détruisez ces fichiers : shred -u %s/feuille-*\n",
               folder, folder);
    }
}

/* ---- typed again ---- */

bool cli_param_sheets(struct ml_args *params)
{
    char line[SHEET_LINE_MAX];
    int count = 0;
    const bool asked = isatty(STDIN_FILENO) == 1;
    ml_args_key(params, "shares");
    ml_args_list(params);
    for (bool more = true; more && count < SHEETS_MAX;) {
        if (asked) {
            fprintf(stderr,
                    "Feuille %d, ses 32 mots ou sa ligne MAILLE: (vide pour finir) : ", count + 1);
        }
        more = fgets(line, sizeof(line), stdin) != NULL && line[strspn(line, " \t\r\n")] != '\0';
        if (more) {
            ml_args_text(params, line);
            count++;
        }
    }
    ml_args_end(params);
    explicit_bzero(line, sizeof(line));
    if (count == 0) {
        fputs("maille : aucune feuille n'a été donnée\n", stderr);
    }
    return count > 0;
}
