/* Writes behind the end, and reads what nobody wrote. */
int past(void);
int past(void)
{
    int numbers[4];
    numbers[4] = 1;
    return numbers[0];
}
