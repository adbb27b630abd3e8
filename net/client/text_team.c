/* net/client/text_team.c -- what is said of teams: a part of the table of text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"team.unknown",
     "Il n'y a pas d'équipe « {team} » sur ce poste : « maille team list » montre celles qu'il "
     "connaît. Un coordinateur en crée une (« maille team add »).",
     "There is no team “{team}” on this computer: “maille team list” shows those that it knows. A "
     "coordinator makes one (“maille team add”)."},
    {"team.twice",
     "Deux équipes s'appellent « {team} » : donnez l'identifiant de la vôtre, que « maille team "
     "list » montre.",
     "Two teams are called “{team}”: give the identifier of yours, which “maille team list” "
     "shows."},
    {"team.exists",
     "Rien n'a été créé : il y a déjà une équipe « {team} ». Choisissez un autre nom ; « maille "
     "team list » montre qui en est.",
     "Nothing was made: there is a team “{team}” already. Choose another name; “maille team list” "
     "shows who is in it."},
    {"team.limit",
     "Rien n'a été créé : une structure a au plus 64 équipes. « maille team list » les montre ; "
     "servez-vous de l'une d'elles.",
     "Nothing was made: a structure has 64 teams at most. “maille team list” shows them; use one "
     "of these."},
    {"team.of_patient",
     "Rien n'a été écrit : --team se dit d'un nouveau patient seulement. Ce qui s'ajoute à un "
     "dossier est pour les équipes de son patient ; enlevez --team.",
     "Nothing was written: --team is said of a new patient only. What is added to a record is for "
     "the teams of its patient; leave --team out."},
    {"patient.team_opposed",
     "Rien n'a changé : ce patient s'oppose à ce que vous voyiez une partie de son dossier. C'est "
     "à un autre membre de son équipe d'y ajouter une équipe.",
     "Nothing was changed: this patient opposes your seeing a part of his record. Another member "
     "of his team may add a team to it."},
    {"patient.team_key",
     "Rien n'a changé : votre poste n'a pas encore les clés de cette équipe. Il les reçoit quand "
     "celui d'un de ses membres échange avec lui ; « maille key list » montre ce qu'il attend.",
     "Nothing was changed: your computer hasn't the keys of this team yet. It gets them when one "
     "of its members' exchanges with it; “maille key list” shows what it waits for."},
    {"right.elsewhere",
     "Rien n'a été écrit : vos rôles qui permettent d'écrire dans « {class} » sont limités à "
     "d'autres équipes que « {team} », celle de ce patient. Un coordinateur ou un référent peut "
     "vous y donner un rôle (« maille role grant --team »).",
     "Nothing was written: your roles that allow to write in “{class}” are limited to other teams "
     "than “{team}”, this patient's. A coordinator or référent may give you a role there (“maille "
     "role grant --team”)."},
    {"right.team_or_patient",
     "Donnez --team ou --patient, pas les deux : un patient est de ses propres équipes.",
     "Give --team or --patient, not both: a patient is of his own teams."},
};

const struct ml_text_row *ml_text_team(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
