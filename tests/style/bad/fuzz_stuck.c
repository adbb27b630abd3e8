/* A decoder that takes its time: few runs prove little. */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)data;
    usleep(20000);
    return size > (size_t)1 << 40;
}
