/* tests/bench/bench_limits.c -- the raw limits of the machine in this run: what no node can beat.
 * (Stock SQLite's rows stand beside ingest.ops_per_s: they depend on the size.) */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "core/crypto/secret.h"
#include "core/crypto/sign.h"

enum { VERIFICATIONS = 4000, SYNCS = 60, SYNC_BYTES = 4096 };

static void verify_measure(struct bench *b)
{
    static const uint8_t message[32] = {1};
    struct ml_sign_pk pk;
    struct ml_secret *seed = NULL;
    uint8_t sig[ML_SIGN_BYTES];
    const int count = b->quick ? VERIFICATIONS / 20 : VERIFICATIONS;
    const struct ml_slice text = ml_slice(message, sizeof(message));
    ml_err err = ml_sign_keypair(&pk, &seed, b->env);
    if (err == ML_OK) {
        ml_sign(sig, text, seed);
    }
    double start = bench_cpu_ms();
    for (int i = 0; i < count && err == ML_OK; i++) {
        err = ml_sign_verify(&pk, text, sig);
    }
    b->limits.verify_per_s = count / (bench_cpu_ms() - start) * 1e3;
    ml_secret_free(seed);
    bench_good(b, err, "verify");
}

static void fsync_measure(struct bench *b)
{
    static const uint8_t block[SYNC_BYTES] = {1};
    double ms[SYNCS];
    char path[BENCH_PATH];
    const size_t count = b->quick ? SYNCS / 10 : SYNCS;
    snprintf(path, sizeof(path), "%.400s/fsync", b->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < count; i++) {
        double start = bench_now_ms();
        ok = write(fd, block, sizeof(block)) == (ssize_t)sizeof(block) && fsync(fd) == 0;
        ms[i] = bench_now_ms() - start;
    }
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    if (ok) {
        b->limits.fsync_ms = bench_median(ms, count);
    } else {
        bench_fail(b, path, ML_E_IO);
    }
}

void ml_bench_limits(struct bench *b)
{
    verify_measure(b);
    fsync_measure(b);
}
