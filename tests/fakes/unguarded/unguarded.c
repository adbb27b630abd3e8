/* tests/fakes/unguarded/unguarded.c -- secrets without guarded pages, for the tests of what is
 * above core/crypto: each such page costs four system calls, a third of their time. What runs over
 * the end of a secret is for the tests of core/crypto to see, and for the sanitizers, which see it
 * better so.
 */
#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *malloc_here(size_t size) __asm__("__wrap_sodium_malloc");
void free_here(void *ptr) __asm__("__wrap_sodium_free");

/* Its size goes before it: it is wiped when it is freed, as libsodium does. */
union head {
    size_t size;
    max_align_t align;
};

void *malloc_here(size_t size)
{
    union head *head = malloc(sizeof(*head) + size);
    if (head == NULL) {
        return NULL;
    }
    head->size = size;
    memset(head + 1, 0xdb, size); /* libsodium's own filling */
    return head + 1;
}

void free_here(void *ptr)
{
    if (ptr != NULL) {
        union head *head = (union head *)ptr - 1;
        sodium_memzero(ptr, head->size);
        free(head);
    }
}
