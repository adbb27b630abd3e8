/* Reads what it has given back. */
#include <stdlib.h>
int main(void)
{
    volatile char *p = malloc(8);
    free((void *)p);
    return p[3] == 1;
}
