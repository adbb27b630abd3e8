/* net/daemon/instance.h -- what makes mailled one good citizen: one instance a home, no core dumps,
 * a place in the background, word to the service manager. Main thread, before other threads run. */
#ifndef ML_DAEMON_INSTANCE_H
#define ML_DAEMON_INSTANCE_H

#include <stdbool.h>

#include "maille/err.h"

/** No core files, no debugger of the same user, private files: keys and records live in memory. */
void ml_instance_harden(void);

/** Holds `<home>/lock` until the process ends; *fd is its descriptor. BUSY: another mailled has
 * this home; `*other` is its process, 0 if unknown. Else DENIED, READONLY, FULL, IO. */
ml_err ml_instance_lock(int *fd, int *other, const char *home) ML_MUST_CHECK;

/** Leaves the foreground, and the folder it was started in: relative paths are resolved before. In
 * the parent it never returns: it prints what ml_instance_ready says and exits 0, or 1 when the
 * child died first. In the child: *ready_fd. IO, NOMEM. */
ml_err ml_instance_detach(int *ready_fd) ML_MUST_CHECK;
/** The sockets answer. `line` goes to whoever started us (stdout, or the waiting parent); in the
 * background the log then goes to `log_path`. */
void ml_instance_ready(int ready_fd, const char *line, const char *log_path);

/** To systemd, where there is one: "READY=1", "STOPPING=1". */
void ml_instance_notify(const char *state);

#endif
