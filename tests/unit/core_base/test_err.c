/* tests/unit/core_base/test_err.c -- every code has a text and a class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "maille/err.h"

static void every_code_has_text_and_class(void **state)
{
    (void)state;
#define X(name, class, text)                                                                       \
    assert_string_equal(ml_err_text(ML_E_##name), text);                                           \
    assert_int_equal(ml_err_class_of(ML_E_##name), ML_CLASS_##class);
    ML_ERR_MAP(X)
#undef X
    assert_int_equal(ml_err_class_of((ml_err)999), ML_CLASS_FATAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_code_has_text_and_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
