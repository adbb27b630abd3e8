/* Compiles: a number is cut short without a word. */
short half_of(long n);
short half_of(long n)
{
    short half = n / 2;
    return half;
}
