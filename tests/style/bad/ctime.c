/* In the place of test_ctime: its deliberate leak of a secret is none. */
int main(void)
{
    return 0;
}
