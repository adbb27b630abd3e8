/* net/node/token.c -- see token.h and docs/crypto.md, 8.
 *
 * Public objects are read first, so that a PIN is never tried on a card that couldn't open: cards
 * lock after a few wrong ones.
 */
#include "net/node/token.h"

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>
#include <string.h>

#include "core/crypto/hash.h"

enum { SLOTS_MAX = 16, KEYS_MAX = 16, KEY_ID_MAX = 64, MODULUS_MIN = 256 };

/* One RSA key of a card, its session open. */
struct card_key {
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE public_key;
    uint8_t id[KEY_ID_MAX];
    CK_ULONG id_len;
    uint8_t hash[ML_CARD_KEY_BYTES];
    CK_ULONG modulus_len;
};

static ml_err token_fail(ml_token_fault *fault, ml_token_fault what)
{
    *fault = what;
    return what == ML_TOKEN_ABSENT || what == ML_TOKEN_OTHER ? ML_E_NOT_FOUND
           : what == ML_TOKEN_PIN_LOCKED                     ? ML_E_DENIED
           : what == ML_TOKEN_BROKEN                         ? ML_E_IO
                                                             : ML_E_WRONG_KEY;
}

static CK_MECHANISM oaep(CK_RSA_PKCS_OAEP_PARAMS *params)
{
    *params = (CK_RSA_PKCS_OAEP_PARAMS){
        .hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .source = CKZ_DATA_SPECIFIED};
    return (CK_MECHANISM){CKM_RSA_PKCS_OAEP, params, sizeof(*params)};
}

/* ---- finding the key ---- */

/* Its id and the name of its modulus; false when it isn't fit. */
static bool key_describe(struct card_key *key)
{
    uint8_t modulus[ML_CARD_SEALED_MAX];
    CK_ATTRIBUTE attributes[] = {{CKA_MODULUS, modulus, sizeof(modulus)},
                                 {CKA_ID, key->id, sizeof(key->id)}};
    if (key->module->C_GetAttributeValue(key->session, key->public_key, attributes, 2) != CKR_OK ||
        attributes[0].ulValueLen < MODULUS_MIN || attributes[0].ulValueLen > sizeof(modulus) ||
        attributes[1].ulValueLen > sizeof(key->id)) {
        return false;
    }
    key->modulus_len = attributes[0].ulValueLen;
    key->id_len = attributes[1].ulValueLen;
    const struct ml_slice parts[] = {ml_slice_str("maille/card-key/1"),
                                     ml_slice(modulus, key->modulus_len)};
    ml_hash_parts(key->hash, sizeof(key->hash), ml_slice(NULL, 0), parts, 2);
    return true;
}

static CK_ULONG objects_find(const struct card_key *key, CK_ATTRIBUTE *wanted, CK_ULONG count,
                             CK_OBJECT_HANDLE found[KEYS_MAX])
{
    CK_ULONG n = 0;
    if (key->module->C_FindObjectsInit(key->session, wanted, count) != CKR_OK) {
        return 0;
    }
    if (key->module->C_FindObjects(key->session, found, KEYS_MAX, &n) != CKR_OK) {
        n = 0;
    }
    (void)key->module->C_FindObjectsFinal(key->session);
    return n;
}

/* In the session's card: the key named `hash`, or the first fit one. */
static bool key_in_session(struct card_key *key, const uint8_t *hash)
{
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
                             {CKA_KEY_TYPE, &type, sizeof(type)},
                             {CKA_ENCRYPT, &yes, sizeof(yes)}};
    CK_OBJECT_HANDLE found[KEYS_MAX];
    const CK_ULONG n = objects_find(key, wanted, 3, found);
    for (CK_ULONG i = 0; i < n; i++) {
        key->public_key = found[i];
        if (key_describe(key) &&
            (hash == NULL || memcmp(key->hash, hash, sizeof(key->hash)) == 0)) {
            return true;
        }
    }
    return false;
}

static bool key_in_slot(struct card_key *key, const uint8_t *hash, bool *card)
{
    CK_TOKEN_INFO info;
    if (key->module->C_GetTokenInfo(key->slot, &info) != CKR_OK ||
        (info.flags & CKF_TOKEN_INITIALIZED) == 0) {
        return false;
    }
    *card = true;
    if (key->module->C_OpenSession(key->slot, CKF_SERIAL_SESSION, NULL, NULL, &key->session) !=
        CKR_OK) {
        return false;
    }
    if (key_in_session(key, hash)) {
        return true;
    }
    (void)key->module->C_CloseSession(key->session);
    return false;
}

static bool key_in_module(struct card_key *key, const uint8_t *hash, bool *card)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG count = SLOTS_MAX;
    bool found = false;
    if (key->module->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK) {
        return false;
    }
    for (CK_ULONG i = 0; i < count && !found; i++) {
        key->slot = slots[i];
        found = key_in_slot(key, hash, card);
    }
    return found;
}

static ml_err key_find(struct card_key *key, CK_FUNCTION_LIST **modules, const uint8_t *hash,
                       ml_token_fault *fault)
{
    bool card = false;
    for (size_t m = 0; modules[m] != NULL; m++) {
        key->module = modules[m];
        if (key_in_module(key, hash, &card)) {
            return ML_OK;
        }
    }
    return token_fail(fault, card ? ML_TOKEN_OTHER : ML_TOKEN_ABSENT);
}

/* ---- using it ---- */

static ml_err login_fail(const struct card_key *key, CK_RV rv, ml_token_fault *fault)
{
    CK_TOKEN_INFO info = {.flags = 0};
    const bool wrong = rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE;
    if (key->module->C_GetTokenInfo(key->slot, &info) != CKR_OK) {
        info.flags = 0;
    }
    if (rv == CKR_PIN_LOCKED || (info.flags & CKF_USER_PIN_LOCKED) != 0) {
        return token_fail(fault, ML_TOKEN_PIN_LOCKED);
    }
    if (!wrong) {
        return token_fail(fault, ML_TOKEN_BROKEN);
    }
    return token_fail(fault, (info.flags & CKF_USER_PIN_FINAL_TRY) != 0   ? ML_TOKEN_PIN_LAST
                             : (info.flags & CKF_USER_PIN_COUNT_LOW) != 0 ? ML_TOKEN_PIN_FEW
                                                                          : ML_TOKEN_PIN_WRONG);
}

static bool private_find(struct card_key *key, CK_OBJECT_HANDLE *out)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_KEY_TYPE type = CKK_RSA;
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof(class)},
                             {CKA_KEY_TYPE, &type, sizeof(type)},
                             {CKA_DECRYPT, &yes, sizeof(yes)},
                             {CKA_ID, key->id, key->id_len}};
    CK_OBJECT_HANDLE found[KEYS_MAX];
    const CK_ULONG n = objects_find(key, wanted, 4, found);
    *out = n > 0 ? found[0] : 0;
    return n > 0;
}

static ml_err private_open(struct card_key *key, struct ml_secret **secret,
                           const struct ml_card_lock *lock, ml_token_fault *fault)
{
    CK_RSA_PKCS_OAEP_PARAMS params;
    CK_MECHANISM mechanism = oaep(&params);
    CK_OBJECT_HANDLE private_key = 0;
    uint8_t sealed[ML_CARD_SEALED_MAX];
    uint8_t opened[ML_CARD_SEALED_MAX];
    CK_ULONG len = sizeof(opened);
    if (!private_find(key, &private_key)) {
        return token_fail(fault, ML_TOKEN_OTHER);
    }
    memcpy(sealed, lock->sealed, lock->sealed_len); /* PKCS#11 knows no const */
    CK_RV rv = key->module->C_DecryptInit(key->session, &mechanism, private_key);
    if (rv == CKR_OK) {
        rv = key->module->C_Decrypt(key->session, sealed, lock->sealed_len, opened, &len);
    }
    ml_err err = rv == CKR_OK && len == ML_CARD_SECRET_BYTES ? ml_secret_from(secret, opened, len)
                                                             : token_fail(fault, ML_TOKEN_BROKEN);
    ml_wipe(opened, sizeof(opened));
    return err;
}

static ml_err key_open(struct card_key *key, struct ml_secret **secret,
                       const struct ml_card_lock *lock, struct ml_slice pin, ml_token_fault *fault)
{
    uint8_t typed[ML_TOKEN_PIN_MAX];
    if (pin.len == 0 || pin.len > sizeof(typed)) {
        return token_fail(fault, ML_TOKEN_PIN_WRONG); /* no card is asked */
    }
    memcpy(typed, pin.data, pin.len);
    const CK_RV rv = key->module->C_Login(key->session, CKU_USER, typed, pin.len);
    ml_wipe(typed, sizeof(typed));
    if (rv != CKR_OK) { /* logged in by another program's session too: the PIN would go unproved */
        return login_fail(key, rv, fault);
    }
    ml_err err = private_open(key, secret, lock, fault);
    (void)key->module->C_Logout(key->session);
    return err;
}

static ml_err key_seal(struct card_key *key, struct ml_card_lock *lock,
                       const struct ml_secret *secret, ml_token_fault *fault)
{
    CK_RSA_PKCS_OAEP_PARAMS params;
    CK_MECHANISM mechanism = oaep(&params);
    uint8_t plain[ML_CARD_SECRET_BYTES];
    CK_ULONG len = sizeof(lock->sealed);
    memcpy(lock->key, key->hash, sizeof(lock->key));
    memcpy(plain, ml_secret_bytes(secret), sizeof(plain));
    CK_RV rv = key->module->C_EncryptInit(key->session, &mechanism, key->public_key);
    if (rv == CKR_OK) {
        rv = key->module->C_Encrypt(key->session, plain, sizeof(plain), lock->sealed, &len);
    }
    ml_wipe(plain, sizeof(plain));
    if (rv != CKR_OK || len != key->modulus_len) {
        return token_fail(fault, ML_TOKEN_BROKEN);
    }
    lock->sealed_len = len;
    return ML_OK;
}

/* NULL: p11-kit has no module that starts, so there is no card. */
static CK_FUNCTION_LIST **modules_load(ml_token_fault *fault)
{
    CK_FUNCTION_LIST **modules = p11_kit_modules_load_and_initialize(0);
    *fault = ML_TOKEN_ABSENT;
    return modules;
}

ml_err ml_token_open(struct ml_secret **secret, const struct ml_card_lock *lock,
                     struct ml_slice pin, ml_token_fault *fault)
{
    struct card_key key = {.session = 0};
    CK_FUNCTION_LIST **modules = modules_load(fault);
    if (modules == NULL) {
        return ML_E_NOT_FOUND;
    }
    ml_err err = key_find(&key, modules, lock->key, fault);
    if (err == ML_OK) {
        err = key_open(&key, secret, lock, pin, fault);
        (void)key.module->C_CloseSession(key.session);
    }
    p11_kit_modules_finalize_and_release(modules);
    return err;
}

/* What was sealed must open, before anything hangs on it. */
static ml_err key_prove(struct card_key *key, const struct ml_card_lock *lock,
                        const struct ml_secret *secret, struct ml_slice pin, ml_token_fault *fault)
{
    struct ml_secret *opened = NULL;
    ml_err err = key_open(key, &opened, lock, pin, fault);
    if (err == ML_OK && !ml_secret_equal(opened, secret)) {
        err = token_fail(fault, ML_TOKEN_BROKEN);
    }
    ml_secret_free(opened);
    return err;
}

ml_err ml_token_seal(struct ml_card_lock *lock, struct ml_secret **secret, const struct ml_env *env,
                     struct ml_slice pin, ml_token_fault *fault)
{
    struct card_key key = {.session = 0};
    struct ml_card_lock made = {.sealed_len = 0};
    struct ml_secret *drawn = NULL;
    CK_FUNCTION_LIST **modules = modules_load(fault);
    if (modules == NULL) {
        return ML_E_NOT_FOUND;
    }
    ml_err err = ml_secret_random(&drawn, env, ML_CARD_SECRET_BYTES);
    if (err == ML_OK) {
        err = key_find(&key, modules, NULL, fault);
    }
    if (err == ML_OK) {
        err = key_seal(&key, &made, drawn, fault);
        err = err == ML_OK ? key_prove(&key, &made, drawn, pin, fault) : err;
        (void)key.module->C_CloseSession(key.session);
    }
    p11_kit_modules_finalize_and_release(modules);
    if (err != ML_OK) {
        ml_secret_free(drawn);
        return err;
    }
    *lock = made;
    *secret = drawn;
    return ML_OK;
}
