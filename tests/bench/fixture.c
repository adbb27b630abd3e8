/* tests/bench/fixture.c -- see fixture.h. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "fixture_seal.h"
#include "net/node/session.h"
#include "node.h"

/* The file of wires: this head, then each with its length (u32, this machine's order). */
struct wires_head {
    uint64_t count;
    uint64_t main;
    uint64_t main_ops;
    struct ml_object_id charts[PLAN_CHARTS + 1];
};

static void path_of(const struct bench *b, char out[BENCH_PATH], const char *name)
{
    snprintf(out, BENCH_PATH, "%.400s/%s", b->folder, name);
}

static bool found(struct bench_node *n)
{
    struct ml_args *a = bench_params();
    bench_text(a, "name", "Pôle du banc");
    bench_text(a, "member_name", "Dr Anne Morel");
    bench_text(a, "node_name", "banc");
    bench_text(a, "passphrase", bench_passphrase);
    return bench_node_call(n, "org.found", a) != NULL;
}

static bool wires_write(struct seal *s, const struct plan *p, FILE *out)
{
    struct wires_head head = {.count = plan_bundle_count(p), .main = p->main};
    struct ml_buf wire;
    memcpy(head.charts, p->charts, sizeof(head.charts));
    for (size_t i = 0; i < p->main; i++) {
        head.main_ops += plan_bundle(p, i)->count;
    }
    ml_buf_init(&wire, s->b->env, ML_BUNDLE_BYTES_MAX);
    bool ok = fwrite(&head, sizeof(head), 1, out) == 1;
    for (size_t i = 0; i < head.count && ok; i++) {
        ml_buf_clear(&wire);
        ok = seal_bundle(s, &wire, p, i);
        const uint32_t len = (uint32_t)wire.len;
        ok = ok && fwrite(&len, sizeof(len), 1, out) == 1 &&
             fwrite(wire.data, wire.len, 1, out) == 1;
    }
    ml_buf_free(&wire);
    return ok || s->b->failed ? ok : bench_fail(s->b, "wires", ML_E_IO);
}

static bool make_in(struct seal *s, const struct plan *p, const char *part)
{
    bench_say(s->b, "enrolling writers, drawing keys");
    if (!seal_enrol(s, FIXTURE_WRITERS) || !seal_keys(s, p) || !seal_begin(s)) {
        return false;
    }
    bench_say(s->b, "sealing bundles");
    FILE *out = fopen(part, "wb");
    bool ok = out != NULL ? wires_write(s, p, out) : bench_fail(s->b, part, ML_E_IO);
    return (out == NULL || fclose(out) == 0) && ok;
}

/* The founder's node, and a second one that has no more than that yet. */
static bool nodes_make(struct bench *b, const char *keys)
{
    struct bench_node n;
    struct bench_daemon first;
    struct bench_daemon second;
    char peer[BENCH_PATH];
    path_of(b, peer, "peer");
    bench_remove_folder(peer);
    if (!bench_node_open(&n, b, keys)) {
        return false;
    }
    bool ok = found(&n);
    bench_node_close(&n);
    if (!ok || !bench_daemon_start(&first, b, keys, NULL)) {
        return false;
    }
    if (bench_daemon_start(&second, b, peer, NULL)) {
        ok = bench_daemon_unlock(&first, NULL) && bench_daemon_enrol(&first, &second);
        bench_daemon_stop(&second);
    }
    bench_daemon_stop(&first);
    return ok && !b->failed;
}

bool fixture_make(struct bench *b)
{
    static struct seal seal;
    char wires[BENCH_PATH];
    char part[BENCH_PATH];
    char keys[BENCH_PATH];
    struct plan plan;
    struct bench_node n;
    path_of(b, wires, "wires");
    path_of(b, part, "wires.new");
    path_of(b, keys, "keys");
    if (bench_exists(wires)) {
        return true;
    }
    bench_remove_folder(keys);
    (void)mkdir(b->folder, 0700);
    bool ok = nodes_make(b, keys) && plan_make(&plan, b);
    if (ok && bench_node_open(&n, b, keys)) {
        ok = bench_node_unlock(&n);
        seal = (struct seal){.b = b, .org = bench_node_org(&n)};
        ok = ok && make_in(&seal, &plan, part);
        seal_end(&seal);
        bench_node_close(&n);
        plan_free(&plan);
    }
    return ok && !b->failed && (rename(part, wires) == 0 || bench_fail(b, wires, ML_E_IO));
}

/* ---- wires ---- */

static bool wires_map(struct fixture_wires *w, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &st) == 0 && (size_t)st.st_size >= sizeof(struct wires_head)) {
        w->bytes = (size_t)st.st_size;
        w->map = mmap(NULL, w->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
        w->map = w->map == MAP_FAILED ? NULL : w->map;
    }
    close(fd);
    return w->map != NULL;
}

bool fixture_wires(struct fixture_wires *w, struct bench *b)
{
    char path[BENCH_PATH];
    struct wires_head head;
    memset(w, 0, sizeof(*w));
    path_of(b, path, "wires");
    if (!fixture_make(b)) {
        return false;
    }
    if (!wires_map(w, path)) {
        return bench_fail(b, path, ML_E_IO);
    }
    memcpy(&head, w->map, sizeof(head));
    w->count = head.count;
    w->main = head.main;
    w->main_ops = head.main_ops;
    memcpy(w->charts, head.charts, sizeof(w->charts));
    w->items = calloc(w->count, sizeof(w->items[0]));
    size_t at = sizeof(head);
    for (size_t i = 0; w->items != NULL && i < w->count; i++) {
        uint32_t len = 0;
        memcpy(&len, w->map + at, sizeof(len));
        w->items[i] = ml_slice(w->map + at + sizeof(len), len);
        at += sizeof(len) + len;
    }
    return w->items != NULL || bench_fail(b, path, ML_E_NOMEM);
}

void fixture_wires_free(struct fixture_wires *w)
{
    free(w->items);
    if (w->map != NULL) {
        munmap(w->map, w->bytes);
    }
    memset(w, 0, sizeof(*w));
}

/* ---- the store with all ---- */

static void outcome_check(void *user, const struct ml_log_outcome *o)
{
    if (o->result != ML_LOG_STORED || o->verdict != ML_VERDICT_ACCEPTED) {
        bench_fail(user, ml_reason_text(o->reason), o->err);
    }
}

bool fixture_ingest(struct bench *b, struct ml_org *org, struct fixture_part part,
                    struct fixture_took *took)
{
    while (part.from < part.to && !b->failed) {
        const size_t left = part.to - part.from;
        const size_t count = left < FIXTURE_BATCH ? left : FIXTURE_BATCH;
        double start = bench_now_ms();
        double cpu = bench_cpu_ms();
        bench_good(b,
                   ml_log_ingest(org->log, part.wires->items + part.from, count, outcome_check, b),
                   "ingest");
        double stored = bench_now_ms();
        double stored_cpu = bench_cpu_ms();
        bench_good(b, ml_session_catch_up_all(org), "catch up");
        took->log_ms += stored - start;
        took->log_cpu_ms += stored_cpu - cpu;
        took->vault_ms += bench_now_ms() - stored;
        took->vault_cpu_ms += bench_cpu_ms() - stored_cpu;
        part.from += count;
    }
    return !b->failed;
}

bool fixture_full(struct bench *b, char folder[BENCH_PATH])
{
    char keys[BENCH_PATH];
    char part[BENCH_PATH];
    struct fixture_wires w;
    struct bench_node n;
    struct fixture_took took = {0};
    path_of(b, folder, "full");
    path_of(b, keys, "keys");
    path_of(b, part, "full.new");
    if (bench_exists(folder)) {
        return true;
    }
    if (!fixture_wires(&w, b)) {
        return false;
    }
    bench_say(b, "storing and projecting");
    bool ok = bench_copy_folder(b, keys, part) && bench_node_open(&n, b, part);
    if (ok) {
        ok = bench_node_unlock(&n) &&
             fixture_ingest(b, bench_node_org(&n), (struct fixture_part){&w, 0, w.count}, &took);
        bench_node_close(&n);
    }
    fixture_wires_free(&w);
    return ok && (rename(part, folder) == 0 || bench_fail(b, folder, ML_E_IO));
}

bool fixture_open(struct bench_node *n, struct bench *b, const char *what)
{
    char full[BENCH_PATH];
    if (!fixture_full(b, full) || !bench_node_open(n, b, full)) {
        return false;
    }
    bench_say(b, what);
    if (!bench_node_unlock(n)) {
        bench_node_close(n);
        return false;
    }
    return true;
}
