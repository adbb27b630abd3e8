/* tests/fakes/fault_image.c -- backups and images of a fault_disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "fault_disk.h"

struct image_file {
    char name[FAULT_NAME_MAX];
    uint8_t *bytes; /* owned */
    size_t len;
};

struct fault_image {
    char prefix[FAULT_NAME_MAX];
    struct image_file files[FAULT_NAMES_MAX];
    size_t count;
};

static bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static void file_take(struct image_file *to, const struct fault_name *name, bool synced)
{
    const struct fault_inode *i = name->inode;
    const uint8_t *from = synced ? i->synced : i->now;
    memcpy(to->name, name->text, sizeof(to->name));
    to->len = synced ? i->synced_len : i->now_len;
    to->bytes = malloc(to->len + 1);
    ML_ASSERT(to->bytes != NULL);
    if (to->len > 0 && from != NULL) {
        memcpy(to->bytes, from, to->len);
    }
}

static struct fault_image *image_of(const struct fault_folder *f, const char *prefix, bool synced)
{
    struct fault_image *image = calloc(1, sizeof(*image));
    ML_ASSERT(image != NULL);
    snprintf(image->prefix, sizeof(image->prefix), "%s", prefix);
    for (size_t i = 0; i < f->count; i++) {
        if (has_prefix(f->names[i].text, prefix)) {
            file_take(&image->files[image->count++], &f->names[i], synced);
        }
    }
    return image;
}

struct fault_image *fault_disk_image(struct fault_disk *disk, const char *prefix)
{
    return image_of(fault_folder_now(disk), prefix, false);
}

struct fault_image *fault_disk_synced_image(struct fault_disk *disk, const char *prefix)
{
    return image_of(&disk->history[0], prefix, true);
}

void fault_image_free(struct fault_image *image)
{
    for (size_t i = 0; image != NULL && i < image->count; i++) {
        free(image->files[i].bytes);
    }
    free(image);
}

void fault_disk_put_image(struct fault_disk *disk, const struct fault_image *image)
{
    ML_ASSERT(disk->handles == 0);
    for (size_t i = fault_folder_now(disk)->count; i > 0; i--) {
        char name[FAULT_NAME_MAX];
        memcpy(name, fault_folder_now(disk)->names[i - 1].text, sizeof(name));
        if (has_prefix(name, image->prefix)) {
            fault_disk_remove(disk, name);
        }
    }
    for (size_t i = 0; i < image->count; i++) {
        fault_disk_put(disk, image->files[i].name, image->files[i].bytes, image->files[i].len);
    }
}
