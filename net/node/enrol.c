/* net/node/enrol.c -- what both sides of an enrolment share: keys, proof, ways of events. */
#include "net/node/enrol_inner.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"

ml_err ml_enrol_keys_derive(struct enrol_keys *out, const struct ml_secret *code)
{
    static const struct ml_org_id unknown;
    const struct ml_slice context = ml_slice(unknown.b, sizeof(unknown.b));
    *out = (struct enrol_keys){NULL, NULL};
    ml_err err = ml_kdf(ML_KDF_ENROL_PSK, &out->psk, code, context);
    if (err == ML_OK) {
        err = ml_kdf(ML_KDF_ENROL_MAC, &out->mac, code, context);
    }
    if (err != ML_OK) {
        ml_enrol_keys_free(out);
    }
    return err;
}

void ml_enrol_keys_free(struct enrol_keys *keys)
{
    ml_secret_free(keys->psk);
    ml_secret_free(keys->mac);
    *keys = (struct enrol_keys){NULL, NULL};
}

void ml_enrol_proof(uint8_t out[32], const struct ml_secret *psk, struct ml_slice handshake_hash,
                    const struct ml_msg_enrol_request *request)
{
    const struct ml_slice parts[] = {
        ml_slice_str("maille/enrol/1"),
        handshake_hash,
        ml_slice(request->noise.b, sizeof(request->noise.b)),
        ml_slice(request->mon_sign.b, sizeof(request->mon_sign.b)),
        ml_slice(request->mon_box.b, sizeof(request->mon_box.b)),
        ml_slice(request->node_writer.b, sizeof(request->node_writer.b)),
    };
    ml_hash_parts(out, 32, ml_slice(ml_secret_bytes(psk), ml_secret_len(psk)), parts,
                  sizeof(parts) / sizeof(parts[0]));
}

void ml_enrol_words(char text[ML_FINGERPRINT_TEXT], const uint8_t proof[32])
{
    static const char label[] = "maille/enrol-words/1";
    uint8_t what[sizeof(label) - 1 + 32];
    memcpy(what, label, sizeof(label) - 1);
    memcpy(what + sizeof(label) - 1, proof, 32);
    ml_words_fingerprint(text, ml_slice(what, sizeof(what)));
}

void ml_enrol_words_answer(struct ml_call *call, const struct ml_enrolled *enrolled)
{
    ml_result_text(call->result, "words", enrolled->words);
    ml_result_hex(call->result, "member", enrolled->member.b, sizeof(enrolled->member.b));
    ml_result_hex(call->result, "node", enrolled->node.b, sizeof(enrolled->node.b));
}

ml_err ml_enrol_code_read(struct ml_call *call, struct ml_secret **code)
{
    const char *words = NULL;
    struct ml_words_error wrong;
    ml_err err = ml_call_text(call, &words, "code");
    if (err == ML_OK) {
        err = ml_words_decode(code, ML_ENROL_CODE_BYTES, ml_slice_str(words), &wrong);
        err = err == ML_E_INVALID ? ml_call_fail(call, err, "enrol.code_typo", NULL, NULL) : err;
    }
    return err;
}

void ml_enrol_send(struct ml_node *node, uint64_t link, const struct ml_msg *msg)
{
    struct ml_buf buf;
    ml_buf_init(&buf, node->env, ML_MSG_BYTES_MAX);
    ml_err err = ml_msg_encode(&buf, msg);
    if (err == ML_OK) {
        node->ports.link_send(node->ports.ctx, link, buf.data, buf.len);
    } else {
        node->ports.link_close(node->ports.ctx, link, err);
    }
    if (buf.data != NULL) {
        ml_wipe(buf.data, buf.len); /* a grant holds the network secret */
    }
    ml_buf_free(&buf);
}

bool ml_enrol_link_up(struct ml_node *node, uint64_t link, const struct ml_link_peer *peer)
{
    if (peer->kind != ML_LINK_ENROL) {
        return false;
    }
    if (!ml_enrol_offer_link_up(node, link, peer) && !ml_enrol_join_link_up(node, link, peer)) {
        node->ports.link_close(node->ports.ctx, link, ML_E_DENIED);
    }
    return true;
}

bool ml_enrol_link_message(struct ml_node *node, uint64_t link, struct ml_slice msg)
{
    return ml_enrol_offer_message(node, link, msg) || ml_enrol_join_message(node, link, msg);
}

bool ml_enrol_link_down(struct ml_node *node, uint64_t link, ml_err reason)
{
    return ml_enrol_offer_down(node, link) || ml_enrol_join_down(node, link, reason);
}

bool ml_enrol_dial_failed(struct ml_node *node, uint64_t dial, ml_err reason)
{
    return ml_enrol_join_dial_failed(node, dial, reason);
}
