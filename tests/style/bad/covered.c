/* Run without arguments, most of it isn't. */
static int never(int n)
{
    int sum = 0;
    for (int i = 0; i < n; i++) {
        sum += i;
    }
    return sum;
}
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        argc += never(argc);
        argc += never(argc);
        argc += never(argc);
    }
    return argc == 0;
}
