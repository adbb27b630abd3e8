/* net/client/text_right.c -- what is said of rights: a part of the table of text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"member.rank",
     "Le rang n'est pas valable : donnez --rank 2 (référent) ou --rank 3 (membre). Un coordinateur "
     "est nommé par « maille member promote ».",
     "The rank is not valid: give --rank 2 (référent) or --rank 3 (member). A coordinator is made "
     "by “maille member promote”."},
    {"member.rank_self",
     "Personne ne change son propre rang : demandez-le à un autre coordinateur.",
     "Nobody changes one's own rank: ask another coordinator."},
    {"member.rank_equal",
     "{name} est coordinateur, et un rang égal au vôtre ne s'abaisse pas d'ici : « maille member "
     "revoke --propose » lui retire ses droits avec une seconde signature, et les feuilles de la "
     "structure décident de tout rang.",
     "{name} is a coordinator, and a rank equal to yours is not lowered from here: “maille member "
     "revoke --propose” takes the rights away with a second signature, and the structure's sheets "
     "decide on any rank."},
    {"member.rank_already",
     "Rien n'a changé : {name} a déjà ce rang (« maille member list » le montre).",
     "Nothing was changed: {name} has this rank already (“maille member list” shows it)."},
    {"member.rank_gone",
     "Rien n'a changé : {name} n'est plus membre ici, ou est suspendu. Une suspension finit "
     "d'elle-même : recommencez alors ; qui est parti revient par « maille member add ».",
     "Nothing was changed: {name} is no longer a member here, or is suspended. A suspension ends "
     "by itself: try again then; who left comes back by “maille member add”."},
    {"promote.self",
     "On ne se nomme pas coordinateur soi-même : un autre coordinateur ou référent le propose.",
     "Nobody makes himself a coordinator: another coordinator or référent proposes it."},
    {"promote.already", "{name} est déjà coordinateur : il n'y a rien à faire.",
     "{name} is a coordinator already: there is nothing to do."},
    {"promote.few",
     "{name} ne peut pas être nommé ainsi : il y faut {needed} signatures, plus de la moitié des "
     "{whole} coordinateurs, référents et garants, et {able} peuvent signer (ni lui, ni qui est "
     "suspendu ou "
     "n'a pas de poste). Les feuilles de la structure le nomment : « maille org recover --promote "
     "--member ».",
     "{name} can't be made one so: it takes {needed} signatures, more than half of the {whole} "
     "coordinators, référents and garants, and {able} can sign (neither he, nor who is suspended "
     "or has no "
     "computer). The sheets of the structure name him: “maille org recover --promote --member”."},
    {"proposal.coordinator", "nommer coordinateur", "to make a coordinator of"},
    {"right.yes", "Oui : {class}", "Yes: {class}"},
    {"right.no", "Non : {class}", "No: {class}"},
    {"right.NOT_MEMBER", "n'est pas, ou n'est plus, membre de la structure",
     "is no member of the structure, or not any more"},
    {"right.DENIED", "ses droits lui ont été retirés", "his rights were taken away"},
    {"right.NO_MATRIX",
     "la structure n'a pas encore adopté de matrice d'habilitation : tout membre peut",
     "the structure has not adopted a matrix of rights yet: every member may"},
    {"right.MATRIX", "matrice d'habilitation en vigueur, version {version}",
     "matrix of rights in force, version {version}"},
    {"right.MEMBER", "admis comme membre : {role}", "taken in as a member: {role}"},
    {"right.GIVEN", "a reçu le rôle : {role}", "was given the role: {role}"},
    {"right.NOT_YET", "a reçu un rôle qui n'a pas commencé", "was given a role that hasn't begun"},
    {"right.ENDED", "avait reçu un rôle qui est terminé", "was given a role that has ended"},
    {"right.REPLACES",
     "remplace quelqu'un, dont il a les rôles :", "replaces somebody, whose roles he has:"},
    {"right.ALLOWS", "la matrice le permet à ce rôle : {role}",
     "the matrix lets this role: {role}"},
    {"right.DENIES", "la matrice ne le permet pas à ce rôle : {role}",
     "the matrix doesn't let this role: {role}"},
    {"right.BARRED", "un administrateur n'a aucun droit sur les données de soins",
     "an administrator has no right to data of care"},
    {"right.COSIGN", "ce qu'il écrit ainsi attend une signature à côté de la sienne",
     "what he writes so waits for a signature beside his"},
    {"right.OWN", "seulement pour ses propres lignes", "only for his own lines"},
    {"right.ELSEWHERE", "a reçu ce rôle, mais pour d'autres équipes : {role}",
     "was given this role, but for other teams: {role}"},
    {"right.GARANT", "garant : signe à côté d'un autre, et ne lit ni n'écrit aucun dossier",
     "a garant: signs beside somebody else, and reads and writes no record"},
    {"rank.garant",
     "Vous êtes garant : vous signez ce qu'un autre propose (« maille governance proposals »), et "
     "ne décidez rien vous-même, ni ne tenez de dossier. Demandez à un coordinateur ou à un "
     "référent.",
     "You are a garant: you sign what somebody else proposes (“maille governance proposals”), and "
     "decide nothing yourself, nor keep any record. Ask a coordinator or a référent."},
    {"role.garant",
     "Un garant n'a pas de rôle : il signe à côté des autres et ne lit aucun dossier. Un rôle est "
     "pour un membre (« maille member add »).",
     "A garant has no role: he signs beside others and reads no record. A role is for a member "
     "(“maille member add”)."},
    {"garant.many", "Huit garants au plus : nommez-en moins.",
     "Eight garants at most: name fewer."},
    {"right.by_role", "Votre rôle ne vous montre pas :", "Your role doesn't show you:"},
    {"right.of_class", "{class}", "{class}"},
    {"right.own_lines", " (sauf ce que vous avez écrit)", " (but for what you wrote)"},
    {"right.kept", " ({kept} ici)", " ({kept} here)"},
    {"right.TEAM",
     "seulement pour les patients dont il est de l'équipe de soins, sauf ce qui est masqué",
     "only for patients in whose care team he is, but for what is masked"},
    {"right.class", "Il n'y a pas de classe de données « {class} » : donnez un numéro de 1 à 24.",
     "There is no class of data “{class}”: give a number from 1 to 24."},
    {"right.refused",
     "Votre rôle ne permet pas d'écrire dans « {class} » : « maille right explain » dit pourquoi, "
     "un coordinateur peut changer vos rôles.",
     "Your role doesn't allow to write in “{class}”: “maille right explain” says why, a "
     "coordinator "
     "may change your roles."},
    {"right.unread",
     "Votre rôle ne permet pas de lire « {class} » : « maille right explain » dit pourquoi, un "
     "coordinateur peut changer vos rôles.",
     "Your role doesn't allow to read “{class}”: “maille right explain” says why, a coordinator "
     "may change your roles."},
    {"right.ended",
     "Rien n'a été écrit : le rôle qui vous permettait d'écrire dans « {class} », donné par {by}, "
     "est terminé depuis le {date}. Un coordinateur ou un référent vous le donne de nouveau, s'il "
     "doit continuer (maille role grant).",
     "Nothing was written: the role that let you write in “{class}”, given by {by}, ended on "
     "{date}. A coordinator or référent gives it again, if it is to go on (maille role grant)."},
    {"right.awaited",
     "Rien n'a été écrit : le rôle qui vous permettra d'écrire dans « {class} », donné par {by}, "
     "commence le {date}. Pour commencer plus tôt, demandez à un coordinateur ou à un référent.",
     "Nothing was written: the role that will let you write in “{class}”, given by {by}, begins on "
     "{date}. To begin earlier, ask a coordinator or référent."},
    {"right.now", "La matrice d'habilitation proposée vaut à présent (version {version}).",
     "The proposed matrix of rights is in force now (version {version})."},
};

const struct ml_text_row *ml_text_right(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
