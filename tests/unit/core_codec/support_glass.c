/* tests/unit/core_codec/support_glass.c -- samples of emergency access: a pair handed to two, and
 * what is said of an opening. */
#include <string.h>

#include "support_codec.h"

void sample_pair_grant(struct ml_pair_grant *out, bool full)
{
    static struct ml_pair_slot slots[2];
    static uint8_t recovery[ML_ANON_KEY_BYTES];
    for (unsigned i = 0; i < 2; i++) {
        fill(&slots[i].recipient, sizeof(slots[i].recipient), 0x20 + i);
        fill(&slots[i].slot, sizeof(slots[i].slot), 0x30 + i);
    }
    fill(recovery, sizeof(recovery), 0x60);
    out->kind = full ? ML_PAIR_EMERGENCY : ML_PAIR_AUDIT;
    out->number = 1;
    fill(&out->pair, sizeof(out->pair), 0x15);
    fill(&out->ephemeral, sizeof(out->ephemeral), 0x13);
    out->slots = (struct ml_list){.items = slots, .count = full ? 2 : 1};
    if (full) {
        out->recovery = ml_slice(recovery, sizeof(recovery));
    }
}

static void sample_dek_slots(struct ml_dek_slots *out, bool full)
{
    static struct ml_dek_slot slots[2];
    for (unsigned i = 0; i < 2; i++) {
        fill(&slots[i].recipient, sizeof(slots[i].recipient), 0x20 + i);
        fill(&slots[i].slot, sizeof(slots[i].slot), 0x30 + i);
    }
    fill(&out->stream, sizeof(out->stream), 0x41);
    fill(&out->dek, sizeof(out->dek), 0x42);
    fill(&out->ephemeral, sizeof(out->ephemeral), 0x13);
    out->slots = (struct ml_list){.items = slots, .count = full ? 2 : 1};
}

static struct ml_version_ref sample_ref(unsigned from, uint8_t index)
{
    struct ml_version_ref ref = {.id.index = index};
    fill(&ref.id.bundle, sizeof(ref.id.bundle), from);
    return ref;
}

static void sample_shred(struct ml_keyop *out, bool full)
{
    static struct ml_shred_wrap wraps[2];
    static struct ml_op_ref refs[2];
    for (unsigned i = 0; i < 2; i++) {
        wraps[i].wrap = sample_ref(0x20 + i, 3);
        wraps[i].by = i == 0 ? sample_ref(0x50, 200)
                             : (struct ml_version_ref){.same_bundle = true, .id.index = 1};
        wraps[i].epoch = sample_ref(0x60, 0);
        fill(&wraps[i].dek, sizeof(wraps[i].dek), 0x42 + i);
        refs[i].op = sample_ref(0x70 + i, 0);
    }
    if (out->type == ML_KEYOP_SHRED) {
        fill(&out->u.shred.stream, sizeof(out->u.shred.stream), 0x41);
        out->u.shred.wraps = (struct ml_list){.items = wraps, .count = full ? 2 : 1};
    } else {
        out->u.shred_done.shreds = (struct ml_list){.items = refs, .count = full ? 2 : 1};
    }
}

static void sample_fault(struct ml_key_fault *out, bool full)
{
    static struct ml_key_id keys[2];
    fill(&keys[0], sizeof(keys[0]), 0x11);
    fill(&keys[1], sizeof(keys[1]), 0x12);
    fill(&out->recipient, sizeof(out->recipient), 0x20);
    out->keys = (struct ml_list){.items = keys, .count = full ? 2 : 1};
}

void sample_slots(struct ml_keyop *out, bool full)
{
    if (out->type == ML_KEYOP_SHRED || out->type == ML_KEYOP_SHRED_DONE) {
        sample_shred(out, full);
        return;
    }
    if (out->type == ML_KEYOP_KEY_FAULT) {
        sample_fault(&out->u.key_fault, full);
        return;
    }
    if (out->type == ML_KEYOP_BG_WRAP) {
        fill(&out->u.bg_wrap.stream, sizeof(out->u.bg_wrap.stream), 0x30);
        fill(&out->u.bg_wrap.dek, sizeof(out->u.bg_wrap.dek), 0x50);
        fill(&out->u.bg_wrap.break_glass, sizeof(out->u.bg_wrap.break_glass), 0x15);
        fill(out->u.bg_wrap.sealed, sizeof(out->u.bg_wrap.sealed), 0x1a);
    } else if (out->type == ML_KEYOP_PAIR_GRANT) {
        sample_pair_grant(&out->u.pair_grant, full);
    } else if (out->type == ML_KEYOP_DEPOSIT_WRAP) {
        fill(&out->u.deposit_wrap.stream, sizeof(out->u.deposit_wrap.stream), 0x41);
        fill(&out->u.deposit_wrap.dek, sizeof(out->u.deposit_wrap.dek), 0x42);
        fill(&out->u.deposit_wrap.kek, sizeof(out->u.deposit_wrap.kek), 0x43);
        fill(out->u.deposit_wrap.sealed, sizeof(out->u.deposit_wrap.sealed), 0x44);
    } else {
        sample_dek_slots(&out->u.dek_slots, full);
    }
}

void sample_glass(struct ml_glass_say *out, bool full)
{
    memset(out, 0, sizeof(*out));
    fill(&out->glass, sizeof(out->glass), 0x62);
    out->wall_ms = 1700000000000u;
    out->kind = full ? ML_GLASS_OPENED : ML_GLASS_CLOSED;
    if (full) {
        fill(&out->patient, sizeof(out->patient), 0x72);
        out->tier = 2;
        out->reason = ML_GLASS_FOR_VITAL;
        out->until_ms = 1700003600000u;
    }
}

void sample_glass_review(struct ml_glass_say *out)
{
    sample_glass(out, false);
    out->kind = ML_GLASS_REVIEWED;
    out->outcome = ML_GLASS_JUSTIFIED;
    out->text = TEXT("vu avec l'équipe");
}

void sample_glass_told(struct ml_glass_say *out)
{
    sample_glass(out, false);
    out->kind = ML_GLASS_TOLD;
    out->how = ML_GLASS_BY_LETTER;
    out->text = TEXT("remise le jour même");
}

void sample_glass_asked(struct ml_glass_say *out)
{
    sample_glass(out, true);
    out->kind = ML_GLASS_ASKED;
    out->tier = 3;
    fill(&out->reply, sizeof(out->reply), 0x15);
}

void sample_glass_answer(struct ml_glass_say *out)
{
    static struct ml_glass_share shares[2];
    for (unsigned i = 0; i < 2; i++) {
        fill(&shares[i].dek, sizeof(shares[i].dek), 0x20 + i);
        fill(shares[i].sealed, sizeof(shares[i].sealed), 0x60 + i);
    }
    sample_glass(out, false);
    out->kind = ML_GLASS_ANSWER;
    out->shares = (struct ml_list){.items = shares, .count = 2};
}

typedef void glass_sample(struct ml_glass_say *out);

static void sample_glass_closed(struct ml_glass_say *out)
{
    sample_glass(out, false);
}

static void sample_glass_opened(struct ml_glass_say *out)
{
    sample_glass(out, true);
}

const char *sample_glass_kind(struct ml_glass_say *out, unsigned i)
{
    static const struct {
        const char *name;
        glass_sample *make;
    } all[] = {
        {"given back", sample_glass_closed}, {"opened", sample_glass_opened},
        {"reviewed", sample_glass_review},   {"told", sample_glass_told},
        {"asked", sample_glass_asked},       {"answered", sample_glass_answer},
    };
    if (i >= sizeof(all) / sizeof(all[0])) {
        return NULL;
    }
    all[i].make(out);
    return all[i].name;
}
