/* net/client/text_glass.c -- what is said of emergency access: a part of the table of text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"glass.reason",
     "Un bris de glace demande un motif : vital, unconscious, continuity ou other (--reason).",
     "Breaking a glass asks for a reason: vital, unconscious, continuity or other (--reason)."},
    {"glass.text", "Dites pourquoi, en 5 à 500 signes (--text).",
     "Say why, in 5 to 500 characters (--text)."},
    {"glass.right",
     "Votre rôle ne permet pas le bris de glace (classe 23) : appelez un médecin, un infirmier ou "
     "le 15. Votre demande est tracée.",
     "Your role doesn't allow breaking a glass (class 23): call a doctor, a nurse or emergency "
     "services. Your request is traced."},
    {"glass.alone",
     "Les données sensibles demandent la part d'un autre membre qui a droit au bris de glace, sur "
     "son appareil : il n'y en a aucun. Ouvrez le niveau 2, ou appelez le soignant qui les tient.",
     "Sensitive data take the share of another member who may break a glass, on a device of his: "
     "there is none. Open tier 2, or call the carer who keeps them."},
    {"glass.own_second",
     "Vous ne pouvez pas confirmer votre propre demande : un autre membre qui a droit au bris de "
     "glace le fait sur son appareil.",
     "You can't confirm your own request: another member who may break a glass does it on a device "
     "of his."},
    {"glass.asker",
     "Qui l'a demandé n'a plus droit au bris de glace (classe 23) : rien n'est confirmé. Prévenez "
     "un coordinateur.",
     "Who asked may no longer break a glass (class 23): nothing is confirmed. Tell a "
     "coordinator."},
    {"glass.lapsed",
     "Cette demande n'attend plus de confirmation : elle est déjà ouverte, ou sa demi-heure est "
     "passée. Demandez à son auteur d'en faire une autre.",
     "This request waits for nobody any more: it was opened, or its half hour is over. Ask its "
     "author for another one."},
    {"glass.no_share",
     "Ce poste n'a aucune part de clé des données sensibles de ce dossier : il n'y en a pas, ou "
     "elles ne sont pas encore arrivées (« maille sync now »). Un autre membre peut confirmer.",
     "This computer has no share of a key of this record's sensitive data: there are none, or they "
     "haven't arrived (“maille sync now”). Another member can confirm."},
    {"glass.unopened",
     "Cet accès n'a pas été ouvert : il n'y a rien à examiner ni à annoncer. « maille breakglass "
     "list » dit ce qui l'a été.",
     "This access wasn't opened: there is nothing to review or to tell. “maille breakglass list” "
     "tells what was."},
    {"glass.not_here",
     "Ce poste n'a rien de ce dossier : le bris de glace n'y ouvrirait rien. Essayez sur un poste "
     "de son équipe, ou attendez un échange.",
     "This computer has nothing of this record: breaking a glass would open nothing. Try on a "
     "computer of his team, or wait for an exchange."},
    {"glass.excluded",
     "Le patient a refusé l'accès d'urgence : rien n'est ouvert. Votre demande est tracée. "
     "Demandez-lui, ou à qui le représente ; « maille consent show » dit quand il l'a décidé.",
     "The patient refused emergency access: nothing is opened. Your request is traced. Ask him, or "
     "who stands for him; “maille consent show” tells when he decided it."},
    {"glass.too_many", "Huit bris de glace sont déjà ouverts : rendez-en un d'abord.",
     "Eight glasses are open already: give one back first."},
    {"glass.none",
     "Aucun bris de glace n'est ouvert ici sur ce dossier : « maille breakglass list » montre ceux "
     "qui le sont.",
     "No glass is open here on this record: “maille breakglass list” shows those that are."},
    {"glass.unknown",
     "Aucun bris de glace ne porte ce numéro ici : « maille breakglass list » les donne ; s'il est "
     "récent, échangez d'abord (« maille sync now »).",
     "No emergency access has this number here: “maille breakglass list” gives them; if it is "
     "recent, exchange first (“maille sync now”)."},
    {"glass.reviewer",
     "Un bris de glace est examiné par un autre que son auteur : demandez-le à un coordinateur, à "
     "un référent ou au DPO.",
     "Emergency access is reviewed by somebody else: ask a coordinator, a référent or the DPO."},
    {"glass.how",
     "Dites comment le patient en a été informé : oral, letter, phone ou representative (--how).",
     "Say how the patient was told: oral, letter, phone or representative (--how)."},
    {"glass.outcome", "L'avis doit être justified, unjustified ou unclear (--outcome).",
     "The outcome must be justified, unjustified or unclear (--outcome)."},
};

const struct ml_text_row *ml_text_glass(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
