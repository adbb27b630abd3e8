/* net/client/text_ask.c -- what in a request doesn't fit, or isn't there, and what to give instead;
 * asked.PARAMETER names one that is missing. A part of the table of text.c. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"undone", "Pas fait : ", "Not done: "},
    {"param.missing", "Il manque {param}. La commande suivie de --help montre un exemple.",
     "{param} is missing. The command followed by --help shows an example."},
    {"param.long", "C'est trop long : {param}. Donnez-en un texte plus court.",
     "Too long: {param}. Give a shorter text."},
    {"param.id",
     "Un identifiant a 32 signes, chiffres et lettres de a à f. Recopiez-le en entier : {param}.",
     "An identifier has 32 signs, digits and letters from a to f. Copy all of it: {param}."},
    {"param.time",
     "La date ou l'heure « {value} » n'est pas lisible : écrivez 2026-03-28 ou 28/03/2026 10:42.",
     "The date or time “{value}” can't be read: write 2026-03-28 or 28/03/2026 10:42."},
    {"param.version",
     "Ce n'est pas une version de cet élément : recopiez-la telle que « maille conflicts list » la "
     "donne.",
     "This is no version of that entry: copy it as “maille conflicts list” gives it."},
    {"entity.unknown",
     "« {entity} » n'est pas un type d'élément : « maille schema » les montre tous.",
     "“{entity}” is no type of entry: “maille schema” shows them all."},
    {"field.unknown",
     "« {field} » n'est pas un champ de ce type d'élément : « maille schema », suivi du type, les "
     "montre.",
     "“{field}” is no field of this type of entry: “maille schema”, followed by the type, shows "
     "them."},
    {"field.required",
     "Il manque : {label}. « maille schema », suivi du type, montre ce qu'il faut donner.",
     "Missing: {label}. “maille schema”, followed by the type, shows what is to be given."},
    {"field.value",
     "La valeur ne convient pas : {label}. « maille schema », suivi du type, montre celles qui "
     "conviennent.",
     "The value does not fit: {label}. “maille schema”, followed by the type, shows those that "
     "do."},
    {"field.none", "Aucun champ n'est donné : donnez-en un au moins (--set CHAMP=VALEUR).",
     "No field is given: give one at least (--set FIELD=VALUE)."},
    {"field.one_at_a_time",
     "Un seul champ à la fois (ou ceux qui vont ensemble) : {label} en est un autre. Recommencez "
     "sans lui, puis pour lui seul.",
     "One field at a time (or those that belong together): {label} is another. Do it again without "
     "it, then for it alone."},
    {"object.unknown",
     "Ce patient n'a pas cet élément dans le dossier de ce poste : « maille timeline » montre ceux "
     "qui y sont, « maille sync now » reçoit ce qui manque.",
     "This patient has no such entry in the record of this computer: “maille timeline” shows those "
     "that are there, “maille sync now” fetches what is missing."},
    {"object.not_of_patient",
     "Cet élément n'est pas de ce patient : rien n'a été écrit. « maille timeline » montre les "
     "siens.",
     "This entry is not of this patient: nothing was written. “maille timeline” shows his."},
    {"file.open",
     "{file} ne se lit pas : ce n'est pas un fichier, ou l'accès est refusé. Vérifiez son nom et "
     "le dossier où il est.",
     "{file} can't be read: it is no file, or access is refused. Check its name and the folder "
     "where it is."},
    {"file.empty", "{file} est vide : il n'y a rien à garder. Choisissez un autre fichier.",
     "{file} is empty: there is nothing to keep. Choose another file."},
    {"file.large", "{file} est trop grand : 32 Mio au plus. Donnez-le en plusieurs parties.",
     "{file} is too large: 32 MiB at most. Give it in several parts."},
    {"file.media_type", "Ce n'est pas un type de contenu : écrivez-le comme « application/pdf ».",
     "This is no media type: write it like “application/pdf”."},
    {"file.count", "De 1 à 16 fichiers à la fois : donnez les autres ensuite.",
     "From 1 to 16 files at a time: give the others afterwards."},
    {"file.entity",
     "« {entity} » ne porte pas de fichiers : ajoutez-les par « maille document add ».",
     "“{entity}” holds no files: add them with “maille document add”."},
    {"document.none",
     "Cet élément n'a pas ce fichier : « maille document show » montre ceux qu'il a.",
     "This entry has no such file: “maille document show” shows those it has."},
    {"document.range",
     "Ce numéro de fichier, ce début ou cette longueur dépasse ce qu'il y a : « maille document "
     "show » montre les fichiers et leur taille.",
     "This number of a file, this start or this length is beyond what there is: “maille document "
     "show” shows the files and their sizes."},
    {"document.outside",
     "Le dossier ne contient que l'adresse de ce fichier, pas son contenu : demandez-le à qui l'a "
     "écrit.",
     "The record holds only the address of this file, not its contents: ask who wrote it."},
    {"gen.range",
     "Hors limites : donnez de 1 à 1 000 000 patients, et de 0 à 50 contacts pour chacun.",
     "Out of range: give 1 to 1,000,000 patients, and 0 to 50 contacts for each."},
    {"consent.open",
     "Cette classe reste visible de l'équipe : {class}. On y lit qui est le patient et ce qu'il "
     "veut. Choisissez une autre classe.",
     "This class stays visible to the team: {class}. It tells who the patient is and what he "
     "wants. Choose another class."},
    {"consent.role", "Ce n'est pas une profession : donnez-la par son numéro (--role).",
     "This is no profession: give it by its number (--role)."},
    {"consent.source",
     "La source est celle qui parle : donnez --source patient ou --source representative.",
     "The source is who speaks: give --source patient or --source representative."},
    {"consent.until", "Cette date est déjà passée : donnez-en une à venir (--until).",
     "This date has passed already: give one to come (--until)."},
    {"consent.long",
     "Le motif ou le moyen est trop long, 500 caractères au plus : raccourcissez-le.",
     "The reason or the means is too long, 500 characters at most: shorten it."},
    {"cosign.none",
     "Rien n'attend de seconde signature ici : c'est contresigné, ou son auteur l'écrit seul. Il "
     "n'y a rien à faire.",
     "Nothing waits for a second signature here: it is signed, or its author writes it alone. "
     "There is nothing to do."},
    {"log.no_bundle",
     "Ce paquet n'est pas dans le journal de ce poste : vérifiez son empreinte ou son rang, ou "
     "échangez d'abord (« maille sync now »).",
     "This bundle is not in the log of this computer: check its hash or its number, or exchange "
     "first (“maille sync now”)."},
    {"recover.same",
     "Le nouveau coordinateur et celui qui est parti sont le même membre : donnez deux membres (« "
     "maille member list »).",
     "The new coordinator and the one who left are the same member: give two (“maille member "
     "list”)."},
    {"share.plan",
     "Le partage n'est pas valable : demandez de 2 à 15 feuilles, dont 2 au moins sont "
     "nécessaires.",
     "This sharing is not valid: ask for 2 to 15 sheets, at least 2 of them needed."},
    {"passphrase.long", "La phrase de passe est trop longue : prenez-en une plus courte.",
     "The passphrase is too long: take a shorter one."},
    {"passphrase.not_text", "La phrase de passe n'est pas un texte : tapez-la au clavier.",
     "The passphrase is not text: type it on the keyboard."},
    {"member.role",
     "Le rang ou la profession n'est pas valable : donnez --rank 2 ou 3, et une profession telle "
     "que --profession infirmier.",
     "The rank or the profession is not valid: give --rank 2 or 3, and a profession such as "
     "--profession infirmier."},
    {"member.hours", "Une suspension dure de 1 à 72 heures : donnez --hours entre les deux.",
     "A suspension lasts from 1 to 72 hours: give --hours between them."},
    {"trace.granted",
     "Ce membre lit déjà toutes les traces, sur chacun de ses postes : il n'y a rien à faire.",
     "This member reads all traces already, on each of his computers: there is nothing to do."},
    {"enrol.nobody",
     "Personne n'a encore adhéré par ce poste depuis son démarrage : « maille enrol » donne un "
     "code à qui doit le faire.",
     "Nobody has enrolled through this computer since it started: “maille enrol” gives a code to "
     "who has to."},
    {"right.adopted",
     "La structure a déjà une matrice d'habilitation : « maille matrix set » la change.",
     "The structure has a matrix of rights already: “maille matrix set” changes it."},
    {"trace.use", "« {use} » n'est pas un usage : donnez print (impression) ou export.",
     "“{use}” is no use: give print or export."},
    {"trace.result",
     "Ce n'est pas un résultat : donnez done (fait), refused (refusé) ou failed (échoué).",
     "This is no result: give done, refused or failed."},
    {"right.action",
     "Ce n'est pas une action : donnez read, create, amend, deposit, see, print ou export.",
     "This is no action: give read, create, amend, deposit, see, print or export."},
    {"glass.tier",
     "Ce n'est pas un niveau : donnez 1 (résumé d'urgence), 2 (dossier) ou 3 (données sensibles).",
     "This is no tier: give 1 (emergency summary), 2 (record) or 3 (sensitive data)."},
    {"glass.minutes", "La durée ne convient pas : donnez de 1 à 480 minutes.",
     "The time does not fit: give 1 to 480 minutes."},
    {"glass.words", "Le texte est trop long : donnez 500 signes au plus (--text).",
     "The text is too long: give 500 signs at most (--text)."},
    {"member.mode",
     "Une révocation est un départ ou une compromission : donnez departure ou compromise.",
     "A revocation is a departure or a compromise: give departure or compromise."},
    {"share.too_few",
     "Il faut {need} feuilles du même jeu ; {sheet} ont été données. Rien n'a pu être lu : donnez "
     "aussi celles qui manquent.",
     "{need} sheets of one set are needed; {sheet} were given. Nothing could be read: give those "
     "that are missing too."},
    {"share.twice",
     "Feuille {sheet} : elle a déjà été donnée. Donnez-en une autre : il en faut {need} "
     "différentes.",
     "Sheet {sheet}: it was given already. Give another one: {need} different ones are needed."},
    {"trace.action",
     "« {action} » n'est pas une action tracée : donnez read, write, search, list, export, import, "
     "print, unlock, lock, break glass, govern, exchange, audit, review, consent ou merge.",
     "“{action}” is no traced action: give read, write, search, list, export, import, print, "
     "unlock, lock, break glass, govern, exchange, audit, review, consent or merge."},
    {"enrol.closed",
     "Ce poste est fermé : demandez à quelqu'un qui l'utilise déjà de le déverrouiller (« maille "
     "unlock »), puis recommencez.",
     "This computer is locked: ask somebody who uses it already to unlock it (“maille unlock”), "
     "then try again."},
    {"retention.rule",
     "Ces durées ne sont pas permises, rien n'a changé : donnez au moins 20 ans après le dernier "
     "contact, le 28e anniversaire, 10 ans après un décès, 6 mois de traces ; 100 ans au plus.",
     "These times are not allowed, nothing has changed: give at least 20 years after the last "
     "contact, the 28th birthday, 10 years after a death, 6 months of traces; 100 years at most."},
    {"err.NO_KEY",
     "Ce poste n'a pas la clé de ces données : elle vient d'un membre qui l'a. Échangez avec son "
     "poste (« maille sync now »), puis recommencez.",
     "No key for this is held here: it comes from a member who has it. Exchange with his computer "
     "(“maille sync now”), then try again."},
    {"asked.add", "l'équipe à ajouter (--add)", "the team to add (--add)"},
    {"asked.address", "l'adresse du poste (adresse:port)", "the computer's address (address:port)"},
    {"asked.bundle", "l'empreinte du paquet (« maille log show » la donne)",
     "the bundle's hash (“maille log show” gives it)"},
    {"asked.class", "la classe de données, de 1 à 24 (--class)",
     "the class of data, 1 to 24 (--class)"},
    {"asked.code", "le code d'adhésion, que le coordinateur donne",
     "the code of enrolment, which the coordinator gives"},
    {"asked.content", "le texte du brouillon", "the draft's text"},
    {"asked.entity", "le type d'élément (« maille schema » les montre)",
     "the type of entry (“maille schema” shows them)"},
    {"asked.except", "le membre excepté (« maille member list » donne son identifiant)",
     "the member who is excepted (“maille member list” gives his identifier)"},
    {"asked.form", "le numéro du formulaire", "the form's number"},
    {"asked.garants", "le nom de chaque garant", "the name of each garant"},
    {"asked.glass", "l'accès d'urgence (« maille breakglass list » donne son numéro)",
     "the emergency access (“maille breakglass list” gives its number)"},
    {"asked.gone", "le membre qui est parti (« maille member list » donne son identifiant)",
     "the member who left (“maille member list” gives his identifier)"},
    {"asked.member", "le membre (« maille member list » donne son identifiant)",
     "the member (“maille member list” gives his identifier)"},
    {"asked.member_name", "le nom du membre", "the member's name"},
    {"asked.name", "le nom", "the name"},
    {"asked.node", "le poste (« maille peer list » donne son identifiant)",
     "the computer (“maille peer list” gives its identifier)"},
    {"asked.object", "l'élément (« maille timeline » donne son identifiant)",
     "the entry (“maille timeline” gives its identifier)"},
    {"asked.old", "la phrase de passe actuelle", "the present passphrase"},
    {"asked.org", "la structure (« maille org list » donne son identifiant)",
     "the structure (“maille org list” gives its identifier)"},
    {"asked.passphrase", "la phrase de passe", "the passphrase"},
    {"asked.path", "le fichier", "the file"},
    {"asked.patient", "le patient (« maille patient find » donne son identifiant)",
     "the patient (“maille patient find” gives his identifier)"},
    {"asked.pin", "le code de la carte", "the card's PIN"},
    {"asked.proposal", "la proposition (« maille governance proposals » donne son numéro)",
     "the proposal (“maille governance proposals” gives its number)"},
    {"asked.reason", "le motif (--reason)", "the reason (--reason)"},
    {"asked.statement", "la décision du patient (« maille consent show » donne son numéro)",
     "the patient's decision (“maille consent show” gives its number)"},
};

const struct ml_text_row *ml_text_ask(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
