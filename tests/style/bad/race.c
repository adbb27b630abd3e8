/* Two threads count without asking each other. */
#include <pthread.h>
static long counted;
static void *count(void *arg)
{
    for (int i = 0; i < 100000; i++) {
        counted++;
    }
    return arg;
}
int main(void)
{
    pthread_t other;
    if (pthread_create(&other, 0, count, 0) != 0) {
        return 0;
    }
    (void)count(0);
    pthread_join(other, 0);
    return 0;
}
