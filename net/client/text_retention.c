/* net/client/text_retention.c -- what is said of how long records are kept: a part of the table of
 * text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"retention.until", "La date « {until} » n'est pas un jour : écrivez-la 2046-03-28.",
     "The date “{until}” is no day: write it 2046-03-28."},
    {"retention.held",
     "Ce dossier est gelé : rien n'en est détruit. « maille retention show » dit qui l'a gelé et "
     "pourquoi ; s'il n'y a plus lieu, « maille retention release --patient … --reason … », puis "
     "recommencez.",
     "This record is held: nothing of it is destroyed. “maille retention show” tells who holds it "
     "and why; when that is over, “maille retention release --patient … --reason …”, then try "
     "again."},
    {"retention.doubtful",
     "La date de naissance ou de décès de ce patient est en conflit : sa durée de conservation "
     "n'est pas sûre, rien n'est détruit. Réglez-le (« maille conflicts list »), puis recommencez.",
     "This patient's birth or death is in conflict: how long his record is kept isn't sure, "
     "nothing "
     "is destroyed. Settle it (“maille conflicts list”), then try again."},
    {"retention.early",
     "Ce dossier est à conserver jusqu'au {end} inclus ; pour ce poste et un autre membre nous "
     "sommes au plus tôt le {on}. Rien n'est détruit : recommencez après cette date, une fois les "
     "échanges faits.",
     "This record is to be kept up to and including {end}; for this computer and another member it "
     "is {on} at the earliest. Nothing is destroyed: try again after that day, once exchanges are "
     "done."},
    {"retention.unseen",
     "Votre rôle ne montre pas tout de ce dossier ({class}) : vous ne pouvez pas dire quand il a "
     "servi pour la dernière fois. Un membre qui le lit en entier peut le faire.",
     "Your role doesn't show all of this record ({class}): you can't tell when it was used last. A "
     "member who reads all of it can do this."},
    {"retention.hidden",
     "Ce patient vous cache peut-être une partie de son dossier : un membre qui le lit en entier "
     "doit le faire.",
     "This patient may keep a part of his record from you: a member who reads all of it has to do "
     "this."},
    {"retention.incomplete",
     "Ce poste n'a pas encore tout lu : attendez la fin de la mise à jour, puis recommencez.",
     "This computer hasn't read all yet: wait until it is up to date, then try again."},
};

const struct ml_text_row *ml_text_retention(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
