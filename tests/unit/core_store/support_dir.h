/* support_dir.h -- a fresh folder for one test's files. */
#ifndef ML_TESTS_SUPPORT_DIR_H
#define ML_TESTS_SUPPORT_DIR_H

#include <stddef.h>
#include <stdint.h>

/** Makes it; `out` receives its path. */
void support_dir_make(char *out, size_t out_len);
/** Removes it and the files in it (no folders). */
void support_dir_remove(const char *path);
void support_path(char *out, size_t out_len, const char *dir, const char *name);
/** Changes one byte of a file. */
void support_flip_byte(const char *path, long offset);
void support_truncate(const char *path, long len);
/** -1 when absent. */
long support_file_len(const char *path);
void support_copy_file(const char *from, const char *to);

#endif
