/* Adds one to the largest number. */
#include <limits.h>
int main(int argc, char **argv)
{
    int n = INT_MAX - 1 + argc;
    (void)argv;
    return n + argc == 0;
}
