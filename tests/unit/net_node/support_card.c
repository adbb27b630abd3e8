/* support_card.c -- see support_card.h. */
#include "support_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };
static const char module_path[] = "/usr/lib/softhsm/libsofthsm2.so";

void card_insert(const char *folder, const char *tokens)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/%s", folder, tokens);
    assert_true(mkdir(path, 0700) == 0 || access(path, X_OK) == 0);
    snprintf(path, sizeof(path), "%s/%s.conf", folder, tokens);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "directories.tokendir = %s/%s\nlog.level = ERROR\n", folder, tokens);
    fclose(file);
    setenv("SOFTHSM2_CONF", path, 1); // NOLINT(concurrency-mt-unsafe)
}

static CK_SLOT_ID first_slot(CK_FUNCTION_LIST *m)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    assert_int_equal(m->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_true(count > 0);
    return slots[0];
}

static void key_make(CK_FUNCTION_LIST *m, CK_SESSION_HANDLE session)
{
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = 2048;
    uint8_t exponent[] = {1, 0, 1};
    uint8_t id[] = {7};
    CK_ATTRIBUTE public_key[] = {{CKA_TOKEN, &yes, sizeof(yes)},
                                 {CKA_ENCRYPT, &yes, sizeof(yes)},
                                 {CKA_MODULUS_BITS, &bits, sizeof(bits)},
                                 {CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent)},
                                 {CKA_ID, id, sizeof(id)}};
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE private_key[] = {{CKA_TOKEN, &yes, sizeof(yes)},
                                  {CKA_DECRYPT, &yes, sizeof(yes)},
                                  {CKA_PRIVATE, &yes, sizeof(yes)},
                                  {CKA_EXTRACTABLE, &no, sizeof(no)},
                                  {CKA_ID, id, sizeof(id)}};
    CK_ATTRIBUTE shown = {CKA_PRIVATE, &no, sizeof(no)};
    CK_ATTRIBUTE with[6];
    CK_OBJECT_HANDLE made[2];
    memcpy(with, public_key, sizeof(public_key));
    with[5] = shown; /* read before the PIN, as of a real card */
    assert_int_equal(
        m->C_GenerateKeyPair(session, &mechanism, with, 6, private_key, 5, &made[0], &made[1]),
        CKR_OK);
}

void card_make(const char *folder, const char *tokens, bool with_key)
{
    CK_UTF8CHAR label[] = "carte                           "; /* 32, filled up */
    CK_UTF8CHAR so[] = "12345678";
    CK_UTF8CHAR pin[] = "1234";
    CK_SESSION_HANDLE session = 0;
    card_insert(folder, tokens);
    CK_FUNCTION_LIST *m = p11_kit_module_load(module_path, 0);
    assert_non_null(m);
    assert_int_equal(p11_kit_module_initialize(m), CKR_OK);
    assert_int_equal(m->C_InitToken(first_slot(m), so, 8, label), CKR_OK);
    const CK_SLOT_ID slot = first_slot(m);
    assert_int_equal(
        m->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(m->C_Login(session, CKU_SO, so, 8), CKR_OK);
    assert_int_equal(m->C_InitPIN(session, pin, 4), CKR_OK);
    assert_int_equal(m->C_Logout(session), CKR_OK);
    assert_int_equal(m->C_Login(session, CKU_USER, pin, 4), CKR_OK);
    if (with_key) {
        key_make(m, session);
    }
    assert_int_equal(m->C_CloseSession(session), CKR_OK);
    p11_kit_module_finalize(m);
    p11_kit_module_release(m);
}
