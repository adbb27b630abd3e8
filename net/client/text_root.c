/* net/client/text_root.c -- what is said of other keys for Root: a part of the table of text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"share.old",
     "Ces feuilles sont d'un jeu que la structure a remplacé : elles n'ouvrent ni ne signent plus "
     "rien de ce qui a suivi. Prenez celles du jeu en vigueur, et détruisez celles-ci.",
     "These sheets are of a set that the structure replaced: they open and sign nothing of what "
     "came after. Take those of the set in force, and destroy these."},
    {"share.proposed",
     "Ces feuilles sont d'un jeu proposé, que la majorité des coordinateurs et référents n'a pas "
     "encore signé (« maille governance proposals »). D'ici là, prenez celles du jeu en vigueur.",
     "These sheets are of a proposed set, which the majority of coordinators and référents has not "
     "signed yet (“maille governance proposals”). Until then take those of the set in force."},
    {"share.sets",
     "Il y a là des feuilles de trois jeux ou plus : donnez celles du nouveau jeu, et "
     "au besoin celles du jeu en vigueur.",
     "There are sheets of three sets or more: give those of the new set and, if need be, those of "
     "the set in force."},
    {"rotate.present",
     "Ces feuilles sont celles du jeu en vigueur : rien n'a été changé. Tapez celles du nouveau "
     "jeu, "
     "que « maille org rotate-root » montre.",
     "These sheets are those of the set in force: nothing was changed. Type those of the new set, "
     "which “maille org rotate-root” shows."},
    {"rotate.proposed",
     "Ce jeu est déjà proposé : rien n'a été écrit de plus. Les autres signent par « maille "
     "governance proposals » ; s'il n'y est plus, un autre jeu l'a emporté : refaites-en un.",
     "This set is proposed already: nothing more was written. The others sign by “maille "
     "governance proposals”; if it is not there any more, another set came before it: make a new "
     "one."},
    {"rotate.alone",
     "Rien n'a été changé : personne d'autre ici n'est coordinateur ni référent pour signer avec "
     "vous. Tapez, avec les nouvelles feuilles, assez de feuilles du jeu en vigueur ; si elles "
     "sont "
     "perdues, nommez d'abord un référent (« maille member add --rank 2 ») qui signera.",
     "Nothing was changed: nobody else here is a coordinator or référent who could sign with you. "
     "Type enough sheets of the set in force with the new ones; if they are lost, name a référent "
     "first (“maille member add --rank 2”), who will sign."},
    {"rotate.few",
     "Rien n'a été changé : il faudrait la signature de {needed} des {whole} coordinateurs et "
     "référents, et {able} seulement peuvent signer. Faites d'abord travailler les autres sur un "
     "poste (« maille enrol »), ou retirez ceux qui sont partis (« maille member revoke »).",
     "Nothing was changed: {needed} of the {whole} coordinators and référents would have to sign, "
     "and {able} only can. Let the others work on a computer first (“maille enrol”), or take out "
     "those who left (“maille member revoke”)."},
    {"proposal.14", "remplacer les feuilles de la structure", "to replace the structure's sheets"},
};

const struct ml_text_row *ml_text_root(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
