/* Gives nothing back. */
#include <stdlib.h>
static void *volatile last;
int main(void)
{
    for (int i = 0; i < 100; i++) {
        last = malloc(1000);
    }
    last = NULL;
    return 0;
}
