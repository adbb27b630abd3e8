/* net/client/text.c -- see text.h and maille/client.h. No text holds patient data: arguments are
 * labels of the schema, file names, numbers. */
#include "net/client/text.h"

static const struct ml_text_row rows[] = {
    {"err.NOMEM", "Plus de mémoire : fermez d'autres programmes, puis recommencez.",
     "Out of memory: close other programs, then try again."},
    {"err.LIMIT", "Une limite du programme est atteinte : demandez moins à la fois.",
     "A limit of the program is reached: ask for less at a time."},
    {"err.IO",
     "Le disque ou le réseau a répondu par une erreur : « maille doctor » cherche laquelle.",
     "The disk or the network answered with an error: “maille doctor” looks for it."},
    {"err.FULL",
     "Le disque est plein : faites de la place (« maille doctor » dit où). Ce qui était enregistré "
     "le reste, ceci ne l'est pas.",
     "The disk is full: make room (“maille doctor” says where). What was stored stays, this was "
     "not."},
    {"err.READONLY",
     "Le dossier des données ne peut pas être écrit : « maille doctor » dit lequel.",
     "The data folder cannot be written: “maille doctor” says which."},
    {"err.INVALID",
     "La demande n'est pas valable : ajoutez --help à la commande pour voir un exemple.",
     "The request is not valid: add --help to the command to see an example."},
    {"err.NOT_FOUND",
     "Ce qui est demandé n'est pas sur ce poste : vérifiez l'identifiant, ou échangez d'abord "
     "(« maille sync now »).",
     "What is asked is not on this computer: check the identifier, or exchange first (“maille "
     "sync now”)."},
    {"err.EXISTS",
     "Cela existe déjà, rien n'a été écrit : gardez ce qui y est, ou donnez un autre nom.",
     "It exists already, nothing was written: keep what is there, or give another name."},
    {"err.DENIED", "Cela ne vous est pas permis : adressez-vous à un coordinateur.",
     "You are not allowed to do this: ask a coordinator."},
    {"err.LOCKED", "Le dossier est verrouillé : « maille unlock » l'ouvre.",
     "The record is locked: “maille unlock” opens it."},
    {"err.WRONG_KEY", "La phrase de passe n'ouvre pas : vérifiez les majuscules et le clavier.",
     "The passphrase does not open this: check capitals and keyboard."},
    {"err.STALE", "Cela a changé entre-temps : relisez, puis recommencez.",
     "It has changed meanwhile: read it again, then try again."},
    {"err.UNSUPPORTED", "Cette version ne sait pas le faire : installez la plus récente.",
     "This version does not support it: install the latest."},
    {"err.UNREACHABLE",
     "Le programme de ce poste (mailled) ne répond pas : « maille doctor » dit pourquoi.",
     "This computer's program (mailled) does not answer: “maille doctor” says why."},
    {"err.TIMEOUT", "Le temps prévu est passé : recommencez, rien n'est perdu.",
     "The deadline passed: try again, nothing is lost."},
    {"err.CANCELED", "C'est annulé.", "It was cancelled."},
    {"err.BUSY", "C'est déjà en cours d'usage : attendez un instant, puis recommencez.",
     "It is in use: wait a moment, then try again."},
    {"err.PENDING", "Une partie n'est pas encore arrivée : elle viendra avec le prochain échange.",
     "A part has not been received yet: it comes with the next exchange."},
    {"err.MALFORMED", "Ce qui a été reçu est illisible : rien n'en a été gardé.",
     "What was received does not parse: none of it was kept."},
    {"err.FORGED",
     "Une signature ou un sceau est faux : cela a été refusé ; prévenez un coordinateur.",
     "A signature or an authentication tag is wrong: it was refused; tell a coordinator."},
    {"err.PROTOCOL",
     "L'autre poste n'a pas répondu comme prévu : vérifiez que les deux ont la même version.",
     "The other computer did not answer as expected: check that both have the same version."},
    {"err.VERSION",
     "Ce programme et celui du poste (mailled) ne sont pas de la même version : arrêtez "
     "mailled, la prochaine commande lancera la nouvelle.",
     "The node and this program are of different versions: stop mailled, the next command "
     "starts the new one."},
    {"err.CORRUPT",
     "Des données enregistrées sont abîmées : ce poste les répare ; recommencez, puis lisez "
     "« maille doctor ».",
     "Stored data is damaged: this computer repairs it; try again, then read “maille doctor”."},
    {"err.ROLLED_BACK",
     "Ces données sont plus anciennes que ce qui a déjà été échangé : une sauvegarde a été "
     "remise. Reliez ce poste à un autre, il reprendra ce qui manque.",
     "This store is older than what it has already offered: a backup was restored. Link this "
     "computer to another, it fetches what is missing."},

    {"org.none",
     "Ce poste n'appartient à aucune structure : « maille org found » en fonde une, "
     "« maille enrol --code » en rejoint une.",
     "This computer is in no structure: “maille org found” founds one, “maille enrol --code” joins "
     "one."},
    {"org.none_paper",
     "Ce poste ne tient aucune structure, et du papier seul ne rend aucun dossier : les feuilles "
     "de "
     "la structure et les mots de secours servent sur un poste qui a déjà une copie (« maille node "
     "status »). S'il n'en reste aucun, les dossiers sont perdus ; gardez l'ancien disque.",
     "This computer holds no structure, and paper alone gives no record back: the structure's "
     "sheets and recovery words serve on a computer that has a copy already (“maille node "
     "status”). If none is left, the records are lost; keep the old disk."},
    {"unlock.renewed",
     "Ce poste écrit désormais sous une nouvelle signature : ses données sont revenues en arrière, "
     "ou une copie d'elles est en usage ailleurs. Rien n'a été effacé ; « maille node status » dit "
     "pourquoi.",
     "This computer now writes under a new signature: its data went back in time, or a copy of it "
     "is in use elsewhere. Nothing was deleted; “maille node status” says why."},
    {"store.forked",
     "Deux machines ont écrit sous une même signature (une copie de poste ou une sauvegarde remise "
     "ailleurs) : les entrées des deux côtés sont gardées, celles d'après leur séparation sont "
     "grisées ({forks}).",
     "Two machines wrote with one signature (a copied computer, or a backup restored elsewhere): "
     "the entries of both sides are kept, those after they parted are greyed ({forks})."},
    {"store.forked_remedy",
     "arrêtez l'une des deux machines, puis relisez avec un coordinateur ce qui est grisé",
     "stop one of the two machines, then review what is greyed with a coordinator"},
    {"store.newer",
     "Ces données ont été écrites par une version plus récente de Maille : installez-la sur ce "
     "poste. Rien n'a été modifié.",
     "This data was written by a later version of Maille: install it on this computer. Nothing was "
     "changed."},
    {"store.unknown",
     "{ops_unknown} écritures viennent d'une version plus récente de Maille : elles sont gardées "
     "et "
     "transmises, mais pas montrées.",
     "{ops_unknown} entries come from a later version of Maille: they are kept and passed on, but "
     "not shown."},
    {"chart.unknown",
     "Liste incomplète : {unknown} écritures de ce dossier viennent d'une version plus récente de "
     "Maille ; installez-la pour les voir.",
     "Incomplete list: {unknown} entries of this record come from a later version of Maille; "
     "install it to see them."},
    {"store.waits",
     "{waits_version} paquets attendent une version plus récente de Maille sur ce poste.",
     "{waits_version} bundles wait for a later version of Maille on this computer."},
    {"peer.version",
     "Un autre poste écrit dans un format plus récent : l'échange avec lui s'arrête là.",
     "Another computer writes a later format: the exchange with it stops there."},
    {"org.several", "Ce poste a plusieurs structures : dites laquelle par --org.",
     "This computer is in several structures: say which with --org."},
    {"org.unknown",
     "Cette structure n'est pas sur ce poste : « maille org list » montre celles qui y sont.",
     "This structure is not here: “maille org list” shows those that are."},
    {"session.none", "Personne n'a déverrouillé : « maille unlock » d'abord.",
     "Nobody has unlocked: “maille unlock” first."},
    {"session.unseen",
     "Maille ne reconnaît pas ce terminal (sa session est d'un autre espace de processus, celui "
     "d'un conteneur par exemple) : ouvrez-en un par « setsid --wait bash », puis « maille "
     "unlock », ou donnez le jeton par --token-fd.",
     "Maille can't tell this terminal from others (its session belongs to another process "
     "namespace, a container's for example): open one with “setsid --wait bash”, then “maille "
     "unlock”, or give the token with --token-fd."},
    {"session.not_enrolled",
     "Ce poste attend encore d'être admis par un coordinateur : rien n'est "
     "écrit pour l'instant. Échangez avec son poste (« maille sync now »), puis recommencez.",
     "This computer still waits to be admitted by a coordinator: nothing is written yet. Exchange "
     "with his computer (“maille sync now”), then try again."},
    {"session.revoked",
     "Vos droits sur ce poste ont été retirés (par {by}) : rien n'a été écrit. Ce que vous aviez "
     "saisi avant reste. Si c'est une erreur, un coordinateur peut vous admettre à nouveau.",
     "Your rights on this computer were taken away (by {by}): nothing was written. What you had "
     "entered before stays. If this is an error, a coordinator can admit you again."},
    {"session.suspended",
     "Vos droits sur ce poste sont suspendus (par {by}) : rien n'a été écrit. La suspension finit "
     "d'elle-même, en trois jours au plus ; un coordinateur peut vous en dire la raison.",
     "Your rights on this computer are suspended (by {by}): nothing was written. The suspension "
     "ends by itself, within three days; a coordinator can tell you why."},
    {"rank.coordinator",
     "Seul un coordinateur peut le faire : « maille member list » dit qui l'est, demandez-lui. "
     "S'il n'y en a "
     "plus, les feuilles de la structure en nomment un (« maille org recover --promote »).",
     "Only a coordinator may do this: “maille member list” says who is one, ask him. If there is "
     "none any "
     "more, the sheets of the structure name one (“maille org recover --promote”)."},
    {"unlock.wrong",
     "La phrase de passe ne correspond à aucun membre de ce poste : vérifiez les majuscules et "
     "le clavier.",
     "The passphrase fits no member of this computer: check capitals and keyboard."},
    {"unlock.wrong_words",
     "Ces mots de secours ne sont pas ceux de ce membre sur ce poste. Prenez la feuille de vos "
     "propres mots : ceux de la structure n'ouvrent aucun accès.",
     "These recovery words are not this member's on this computer. Take the sheet of your own "
     "words: those of the structure open no access."},
    {"unlock.words",
     "Ces mots de secours contiennent une faute de frappe : comparez-les à la feuille, mot à "
     "mot.",
     "These recovery words hold a typing error: compare them to the sheet, word by word."},
    {"card.absent",
     "Aucune carte n'est lue : insérez-la dans le lecteur, puis recommencez. La phrase de passe "
     "ouvre aussi.",
     "No card is read: put it into the reader, then try again. The passphrase opens too."},
    {"card.other",
     "La carte lue n'est pas celle qui est enregistrée, ou n'a pas de clé RSA qui chiffre : "
     "prenez la vôtre. La phrase de passe ouvre aussi.",
     "The card is not the registered one, or has no RSA key that encrypts: take yours. The "
     "passphrase opens too."},
    {"card.pin_wrong",
     "Le code de la carte est faux ({tries} de suite sur ce poste) : vérifiez-le, puis "
     "recommencez. La carte se bloque après quelques essais, trois le plus souvent ; la phrase de "
     "passe ouvre aussi.",
     "The card's PIN is wrong ({tries} in a row here): check it, then try again. The card locks "
     "after some tries, mostly three; the passphrase opens too."},
    {"card.pin_few",
     "Le code de la carte est faux ({tries} de suite sur ce poste), et elle dit qu'il reste peu "
     "d'essais : retrouvez le code avant de recommencer. La phrase de passe ouvre aussi.",
     "The card's PIN is wrong ({tries} in a row here), and it says that few tries are left: find "
     "the PIN before you try again. The passphrase opens too."},
    {"card.pin_last",
     "Le code de la carte est faux ({tries} de suite sur ce poste) et il ne reste qu'un essai : "
     "n'essayez plus sans être sûr. La phrase de passe ouvre aussi.",
     "The card's PIN is wrong ({tries} in a row here) and one try is left: do not try unless you "
     "are sure. The passphrase opens too."},
    {"card.pin_locked",
     "La carte est bloquée : débloquez-la avec son code de déblocage. D'ici là, la phrase de passe "
     "ou vos mots de secours ouvrent.",
     "The card is locked: unlock it with its unblocking code. Until then the passphrase or your "
     "recovery words open."},
    {"card.broken",
     "La carte ou son lecteur n'a pas répondu comme prévu : retirez-la, remettez-la, recommencez.",
     "The card or its reader did not answer as expected: take it out, put it back, try again."},
    {"card.none",
     "Aucune carte n'est enregistrée pour ce membre sur ce poste : « maille card add » le fait.",
     "No card is registered for this member on this computer: “maille card add” does it."},
    {"share.word_unknown",
     "Feuille {sheet}, mot {word} : il n'est pas dans la liste des mots. Relisez-le sur la "
     "feuille.",
     "Sheet {sheet}, word {word}: it is not in the list of words. Read it again on the sheet."},
    {"share.word_count",
     "Feuille {sheet} : elle compte {word} mots, il en faut 32. Vérifiez qu'aucune ligne n'est "
     "sautée.",
     "Sheet {sheet}: it has {word} words, 32 are needed. Check that no line was left out."},
    {"share.word_wrong",
     "Feuille {sheet} : le mot {word} n'est pas le bon, à coup presque sûr. Relisez-le sur la "
     "feuille.",
     "Sheet {sheet}: word {word} is almost surely not the right one. Read it again on the sheet."},
    {"share.wrong",
     "Feuille {sheet} : ce n'est pas ce qui a été imprimé. Plusieurs mots sont faux, ou la ligne "
     "est incomplète : comparez à la feuille, mot à mot.",
     "Sheet {sheet}: this is not what was printed. Several words are wrong, or the line is cut: "
     "compare it to the sheet, word by word."},
    {"share.swapped",
     "Feuille {sheet} : les mots {word} et {next} sont dans l'ordre inverse de celui de la "
     "feuille.",
     "Sheet {sheet}: words {word} and {next} stand in each other's place."},
    {"share.later",
     "Feuille {sheet} : elle vient d'une version plus récente de Maille. Installez-la sur ce "
     "poste.",
     "Sheet {sheet}: it comes from a later version of Maille. Install it on this computer."},
    {"share.other_org",
     "Feuille {sheet} : elle est d'une autre structure que la première. Mettez-la de côté.",
     "Sheet {sheet}: it is of another structure than the first one. Put it aside."},
    {"share.other_set",
     "Feuille {sheet} : elle est d'un autre jeu que la première. Prenez des feuilles qui portent "
     "le même numéro de jeu.",
     "Sheet {sheet}: it is of another set than the first one. Take sheets that bear the same set "
     "number."},
    {"share.too_many", "Un jeu n'a jamais plus de 15 feuilles : donnez celles d'un seul jeu.",
     "A set never has more than 15 sheets: give those of one set."},
    {"share.disagree",
     "Feuille {sheet} : elle ne s'accorde pas avec les autres. L'une d'elles a été contrefaite : "
     "recommencez sans l'une, puis sans l'autre.",
     "Sheet {sheet}: it does not agree with the others. One of them was forged: try without one, "
     "then without another."},
    {"share.not_ours",
     "Ces feuilles s'accordent, mais ne sont pas celles de la structure de ce poste, ou l'une "
     "d'elles a été contrefaite. Choisissez la structure par --org.",
     "These sheets agree, but they are not of the structure of this computer, or one of them was "
     "forged. Choose the structure with --org."},
    {"enrol.none_here",
     "Aucun code n'attend sur ce poste. Si le coordinateur est sur un autre, dites lequel par "
     "--address.",
     "No code waits on this computer. If the coordinator is at another one, say which with "
     "--address."},
    {"enrol.oneself",
     "Vous êtes déjà déverrouillé ici : « maille passphrase » change votre phrase de passe.",
     "You are unlocked here already: “maille passphrase” changes your passphrase."},
    {"unlock.gone",
     "Votre accès à ce poste a été retiré : votre dossier y est effacé. Ce que vous aviez écrit "
     "est "
     "donné aux autres postes, où un coordinateur peut le reprendre.",
     "Your access to this computer was taken away: your record on it is deleted. What you had "
     "written is given to the other computers, where a coordinator may take it in."},
    {"recover.already", "Ce membre est déjà coordinateur : il n'y a rien à faire.",
     "This member is a coordinator already: there is nothing to do."},
    {"share.auditor",
     "Ces feuilles sont celles de l'auditeur : elles lisent les traces, rien d'autre. Prenez "
     "celles de la structure.",
     "These sheets are the auditor's: they read traces, nothing else. Take those of the "
     "structure."},
    {"passphrase.short", "La phrase de passe est trop courte : prenez quatre mots au moins.",
     "The passphrase is too short: take four words at least."},
    {"passphrase.repeats",
     "La phrase de passe répète toujours la même chose : prenez des mots différents.",
     "The passphrase repeats one thing: take different words."},
    {"member.several", "Plusieurs membres utilisent ce poste : dites lequel par --member.",
     "Several members use this computer: say which with --member."},
    {"member.unknown",
     "Ce membre n'est pas de la structure : « maille member list » montre ceux qui en sont.",
     "This member is not of the structure: “maille member list” shows those who are."},
    {"member.no_history",
     "Vous n'avez aucune clé de ce qui revient à ce membre : demandez à qui lit ces données.",
     "You hold no key of what is this member's to read: ask somebody who reads these data."},
    {"rank.referent",
     "Seul un coordinateur ou un référent peut le faire : demandez à l'un d'eux (« maille member "
     "list » dit qui l'est).",
     "Only a coordinator or a référent may do this: ask one of them (“maille member list” says "
     "who is)."},
    {"member.node",
     "Ce membre ne travaille pas sur ce poste : « maille member list » montre les siens.",
     "This member does not work on this computer: “maille member list” shows his."},
    {"member.deny_self",
     "On ne retire pas ses propres droits d'ici : demandez à un coordinateur. Pour un autre poste "
     "à vous, perdu, dites lequel par --node.",
     "One's own rights are not taken away from here: ask a coordinator. For another computer of "
     "yours that is lost, say which with --node."},
    {"member.deny_better",
     "Ce membre a un rang plus élevé que le vôtre : demandez à un coordinateur.",
     "This member's rank is above yours: ask a coordinator."},
    {"member.deny_equal",
     "Ce membre a le même rang que vous : « maille member suspend » le suspend 72 heures au plus ; "
     "le révoquer demande une seconde signature, à demander par --propose.",
     "This member's rank is your own: “maille member suspend” suspends him for 72 hours at most; "
     "to revoke him takes a second signature, to be asked for by --propose."},
    {"quarantine.unknown",
     "Ce paquet n'est pas sur ce poste : « maille quarantine list » les montre.",
     "This bundle is not on this computer: “maille quarantine list” shows them."},
    {"quarantine.none",
     "Ce paquet compte déjà : il n'y a rien à adopter ni à rejeter. « maille quarantine list » "
     "montre ce qui ne compte pas.",
     "This bundle counts already: there is nothing to adopt or to reject. “maille quarantine list” "
     "shows what doesn't count."},
    {"quarantine.act",
     "C'est un acte sur les droits, que son auteur ne pouvait pas dire : il ne s'adopte pas. "
     "Demandez à qui en a le rang de le dire de nouveau (« maille member list »).",
     "This is an act about rights that its author could not say: it is not adopted. Ask somebody "
     "of "
     "that rank to say it again (“maille member list”)."},
    {"quarantine.own",
     "On n'adopte pas ses propres saisies : un autre référent ou coordinateur le peut.",
     "Nobody adopts what he wrote himself: another référent or coordinator may."},
    {"quarantine.FORK", "signé deux fois au même rang (poste copié ou restauré)",
     "signed twice in one place (a copied or restored computer)"},
    {"quarantine.NOT_ENROLLED", "écrit sans être admis sur ce poste, ou en se sachant révoqué",
     "written without a place on that computer, or knowing that it was revoked"},
    {"quarantine.NO_AUTHORITY", "le rang de l'auteur ne le permet pas",
     "its author's rank does not allow it"},
    {"quarantine.NO_PREDECESSOR", "un nouveau carnet qui ne nomme pas celui d'avant",
     "a new writer that does not name the one before"},
    {"quarantine.REVOKED", "écrit après le vol ou la compromission", "written after a compromise"},
    {"quarantine.DEPARTED", "écrit après le départ, et vu de personne à temps",
     "written after its author had left, and seen by nobody in time"},
    {"quarantine.SUSPENDED", "écrit pendant la suspension, et vu de personne à temps",
     "written during a suspension, and seen by nobody in time"},
    {"quarantine.GRANT_FELL", "son auteur tenait ses droits de quelqu'un qui n'en avait plus",
     "its author's rights came from somebody who had none any more"},
    {"quarantine.ROLE_ENDED", "écrit hors des dates du rôle de son auteur",
     "written outside the dates of its author's role"},
    {"quarantine.NO_RIGHT", "son rôle ne permet pas d'écrire ce type de données",
     "its author's role doesn't allow to write that kind of data"},
    {"trace.not_yours",
     "Les traces d'un autre membre sont réservées à l'auditeur de la structure. Vous voyez les "
     "vôtres sans --member ; votre demande est tracée.",
     "Another member's traces are for the structure's auditor alone. You see your own without "
     "--member; your request is traced."},
    {"trace.no_auditor",
     "Ce membre ne peut pas devenir auditeur : la matrice ne laisse pas son rôle lire toutes les "
     "traces (classe 22). Donnez-lui d'abord un rôle qui le permet, tel que DPO.",
     "This member can't become an auditor: the matrix doesn't let his role read all traces (class "
     "22). First give him a role that does, such as DPO."},
    {"trace.sheets",
     "Vous n'avez pas la clé des traces : donnez les feuilles de la structure ou de l'auditeur "
     "(--sheets), ou demandez à l'auditeur.",
     "You don't hold the key of the traces: give the sheets of the structure or of the auditor "
     "(--sheets), or ask the auditor."},
    {"consent.informed", "informé du partage et de son droit de s'y opposer",
     "informed of sharing, and that he may oppose it"},
    {"consent.opposed", "opposition", "opposition"},
    {"consent.agreed", "accord", "agreement"},
    {"consent.secret", "secret envers ses représentants", "kept from his representatives"},
    {"consent.no_emergency", "pas d'accès en urgence", "no emergency access"},
    {"consent.withdrawn", "retrait", "withdrawal"},
    {"consent.?", "décision notée par une version plus récente de Maille",
     "decision written by a later version of Maille"},
    {"consent.over", " (ne vaut plus)", " (no longer holds)"},
    {"consent.all", "tous", "everybody"},
    {"consent.all_except", "tous sauf", "all but"},
    {"consent.everything", "tout le dossier de soins", "the whole clinical record"},
    {"consent.informed_yes", "Le patient a été informé du partage.",
     "The patient was informed of sharing."},
    {"consent.informed_no",
     "Il n'est pas noté que le patient ait été informé : « maille consent give --informed ».",
     "It is not recorded that the patient was informed: “maille consent give --informed”."},
    {"consent.hidden", "Une décision du patient vous cache une partie du dossier.",
     "A decision of the patient hides a part of the record from you."},
    {"consent.said", "C'est noté, et vaut dès maintenant sur ce poste : {statement}",
     "It is recorded, and holds on this computer from now on: {statement}"},
    {"consent.obeyed", "appliqué", "obeyed"},
    {"consent.awaited", "pas encore de réponse", "no answer yet"},
    {"shred.list", "Clés des données antérieures :", "Keys of what was written before:"},
    {"shred.done", "détruites", "destroyed"},
    {"shred.all", "Tous les postes ont signé la destruction des anciennes clés.",
     "Every computer has signed that the old keys are destroyed."},
    {"shred.some",
     "Des postes n'ont pas encore détruit les anciennes clés. Ils le feront à leur prochain "
     "échange, "
     "puis à l'ouverture de session.",
     "Some computers have not destroyed the old keys yet. They will at their next exchange, then "
     "when a session is opened."},
    {"consent.all_obey", "Tous les postes concernés ont répondu.",
     "All computers that it is about have answered."},
    {"consent.some_wait",
     "{awaited} poste(s) n'ont pas encore répondu : ils l'appliqueront en l'apprenant, au plus "
     "tard quand leur membre ouvrira sa session.",
     "{awaited} computer(s) have not answered yet: they will obey on learning it, at the latest "
     "when their member opens a session."},
    {"consent.refused",
     "Le patient s'est opposé à ce que vous voyiez : {class}. Rien n'a été écrit. « maille consent "
     "show » dit quand et qui l'a noté ; lui seul peut en décider autrement, auprès d'un collègue.",
     "The patient opposed that you see: {class}. Nothing was written. “maille consent show” tells "
     "when, and who recorded it; he alone may decide otherwise, with a colleague."},
    {"consent.myself",
     "Cette opposition vous écarterait vous-même. Exceptez-vous par --except, ou confirmez par "
     "--myself.",
     "This opposition would leave yourself out. Except yourself with --except, or confirm with "
     "--myself."},
    {"draft.shut",
     "Le patient s'oppose désormais à ce que vous accédiez à « {class} » : ce brouillon, que vous "
     "aviez commencé avant, ne peut plus être signé. Il reste chiffré sur ce poste, hors du "
     "dossier ; vous pouvez le supprimer.",
     "The patient now opposes your access to “{class}”: this draft, which you had begun before, "
     "can't be signed any more. It stays sealed on this computer, outside the record; you may "
     "delete it."},
    {"consent.own_word",
     "Cette opposition vous concerne et un collègue l'a notée : vous ne pouvez pas la lever "
     "vous-même. Demandez à un collègue de noter ce que le patient a décidé.",
     "This opposition is about you and a colleague recorded it: you can't lift it yourself. Ask a "
     "colleague to record what the patient decided."},
    {"consent.audience",
     "Dites pour qui par une seule option : --person, --team, --role, --except.",
     "Say for whom with one option: --person, --team, --role, --except."},
    {"consent.item", "Dites sur quoi par une seule option : --class, --compartment, --object.",
     "Say about what with one option: --class, --compartment, --object."},
    {"consent.not_holding",
     "Aucune décision de ce patient n'a ce numéro : « maille consent show » les montre.",
     "No decision of this patient has this number: “maille consent show” lists them."},
    {"consent.INFORMED", "le patient a été informé du partage", "the patient was informed"},
    {"consent.NOT_INFORMED", "il n'est pas noté que le patient ait été informé",
     "it is not recorded that the patient was informed"},
    {"consent.CARE_TEAM", "il est de l'équipe de soins du patient",
     "he is of the patient's care team"},
    {"consent.OUTSIDE", "il n'est pas de l'équipe de soins : il faut l'accord du patient",
     "he is not of the care team: the patient must agree"},
    {"consent.ENDED", "une décision du patient à son sujet ne vaut plus",
     "a decision of the patient about him no longer holds"},
    {"consent.EXCEPTED", "le patient s'est opposé, sauf pour lui",
     "the patient opposed, but not him"},
    {"consent.AGREED", "le patient a donné son accord", "the patient agreed"},
    {"consent.OWN_WORD", "il a noté lui-même un accord qui l'aiderait : cela ne compte pas",
     "he recorded himself an agreement that would help him: it does not count"},
    {"consent.OPPOSED", "le patient s'y est opposé", "the patient opposed it"},
    {"consent.OUTWEIGHED", "le patient s'est opposé, mais un accord plus précis l'emporte",
     "the patient opposed, but a more specific agreement outweighs it"},
    {"consent.EMERGENCY", "le patient s'est opposé, ce que l'urgence écarte",
     "the patient opposed, which the emergency sets aside"},
    {"consent.NO_EMERGENCY", "le patient a exclu l'accès en urgence",
     "the patient excluded emergency access"},
    {"consent.SECRET", "le patient le garde secret envers ses représentants",
     "the patient keeps it from his representatives"},
    {"consent.TOO_MANY", "trop de décisions pour être pesées : tout est fermé",
     "too many decisions to be weighed: all is closed"},
    {"cosign.own",
     "On ne contresigne pas soi-même : demandez à un membre qui écrit seul dans « {class} ».",
     "Nobody signs beside himself: ask a member who writes in “{class}” alone."},
    {"cosign.supervisor",
     "Rien n'a été signé : c'est à {by} de contresigner ceci, dans « {class} ». Un coordinateur ou "
     "un référent peut nommer quelqu'un d'autre (maille role grant --supervisor).",
     "Nothing was signed: it is {by} who signs beside this, in “{class}”. A coordinator or "
     "référent "
     "may name somebody else (maille role grant --supervisor)."},
    {"cosign.right",
     "Ceci, de {by}, n'a pas été contresigné : votre rôle n'écrit pas seul dans « {class} ». "
     "Demandez à un membre dont le rôle le permet (maille right explain).",
     "This, by {by}, was not signed: your role doesn't write alone in “{class}”. Ask one whose "
     "does."},
    {"matrix.now", "La matrice d'habilitation vaut à présent (version {version}).",
     "The matrix of rights is in force now (version {version})."},
    {"matrix.cell",
     "« {cell} » n'est pas une case : écrivez RÔLE:CLASSE=LETTRES, par exemple 60:7=w (lettres W w "
     "R r o p f i c, ou - pour rien).",
     "“{cell}” is no cell: write ROLE:CLASS=LETTERS, such as 60:7=w (letters W w R r o p f i c, or "
     "- for nothing)."},
    {"matrix.none",
     "La structure n'a pas encore de matrice : « maille right adopt » adopte celle qui est "
     "proposée.",
     "The structure has no matrix yet: “maille right adopt” adopts the one that is proposed."},
    {"matrix.own",
     "Cette matrice donnerait plus à votre propre rôle : proposez-la (--propose), un autre "
     "coordinateur ou référent la signe.",
     "This matrix would give your own role more: propose it (--propose), another coordinator or "
     "référent signs it."},
    {"role.which",
     "Dites un rôle (--role), ou qui est remplacé (--replaces) : l'un des deux, pas les deux.",
     "Say a role (--role), or who is replaced (--replaces): one of the two, not both."},
    {"role.dates",
     "Les dates ne vont pas : la fin vient après le début, et un remplacement a une fin (--until).",
     "The dates don't fit: the end comes after the beginning, and a replacement has an end "
     "(--until)."},
    {"role.two",
     "On ne donne pas de rôle à soi-même, à son égal ni à son supérieur : proposez-le (--propose), "
     "un autre coordinateur ou référent le signe.",
     "Nobody gives a role to himself, his equal or his better: propose it (--propose), another "
     "coordinator or référent signs it."},
    {"proposal.none",
     "Cette proposition n'est pas sur ce poste, ou elle est déjà faite : « maille governance "
     "proposals » montre celles qui attendent.",
     "This proposal is not on this computer, or done already: “maille governance proposals” shows "
     "those that wait."},
    {"proposal.2", "donner un rang", "to give a rank"},
    {"proposal.3", "admettre sur un poste", "to admit on a computer"},
    {"proposal.8", "révoquer ou suspendre", "to revoke or suspend"},
    {"proposal.11", "changer la matrice d'habilitation", "to change the matrix of rights"},
    {"proposal.12", "donner un rôle", "to give a role"},
    {"method.unknown",
     "Le programme de ce poste (mailled) ne connaît pas cette commande : arrêtez-le, la "
     "prochaine commande lancera la version installée.",
     "The node does not know this command: stop mailled to start the installed version."},
    {"patient.unknown",
     "Ce patient n'est pas dans le dossier de ce poste : « maille patient find » le cherche, « "
     "maille sync now » reçoit ce qui manque. Ce qui est plus ancien que votre arrivée, un "
     "coordinateur vous le donne (« maille member history »).",
     "This patient is not in the record of this computer: “maille patient find” looks for him, "
     "“maille sync now” fetches what is missing. What is older than your arrival, a coordinator "
     "gives you (“maille member history”)."},
    {"object.perhaps_hidden",
     "Cet élément n'est pas dans ce que vous pouvez voir : une décision du patient vous cache une "
     "partie du dossier. « maille consent show » dit laquelle.",
     "This entry is not among what you may see: a decision of the patient hides a part of the "
     "record from you. “maille consent show” tells which."},
    {"reason.missing", "Dites pourquoi : --reason TEXTE.", "Say why: --reason TEXT."},
    {"import.refused", "{file} est refusé : {reason}.", "{file} is refused: {reason}."},
    {"import.canceled",
     "L'import de {file} est arrêté : {created} éléments ont été ajoutés et restent, {left} "
     "étaient "
     "encore à écrire ; relancer la même commande ajoute ce qui manque.",
     "The import of {file} is stopped: {created} entries were added and stay, {left} were still to "
     "be written; the same command adds what is missing."},
    {"document.not_received",
     "Ce fichier ({size}) n'est pas encore arrivé sur ce poste : il suivra au prochain échange.",
     "This file ({size}) has not arrived on this computer yet: it follows with the next exchange."},
    {"document.partial",
     "Ce fichier ({size}) n'est pas encore arrivé en entier : il manque {missing} parties sur "
     "{chunks}.",
     "This file ({size}) has not arrived whole yet: {missing} parts of {chunks} are missing."},
    {"peer.unknown",
     "Ce poste n'est pas de la structure : « maille member list » montre ceux qui en sont.",
     "This computer is not of the structure: “maille member list” shows those that are."},
    {"sync.until",
     "On attend « synced », « frontier=EMPREINTE » ou « frontier=AUTEUR/VOIE/NUMÉRO,... », comme "
     "« maille sync status --json » les donne (la voie 2 ne s'attend pas).",
     "What can be waited for: “synced”, “frontier=DIGEST” or “frontier=WRITER/LANE/SEQ,...” as "
     "“maille sync status --json” gives them (lane 2 can't)."},
    {"sync.frontier_timeout", "Ce poste n'a pas encore reçu tout ce qui était attendu.",
     "This computer has not yet received all that was waited for."},
    {"sync.wait_timeout",
     "Les postes joints n'ont pas encore la même chose : « maille sync status » dit où chacun "
     "en est.",
     "The linked computers do not hold the same yet: “maille sync status” says where each "
     "stands."},
    {"sync.paused", "Les échanges sont en pause : « maille sync resume ».",
     "Exchanges are paused: “maille sync resume”."},
    {"damage.log",
     "Une partie du journal était illisible : {kept} paquets ont été relus, dont {bodies_lost} "
     "sans "
     "leur contenu ; {lost} étaient perdus, dont {missing} encore attendus d'un autre poste.",
     "A part of the log could not be read: {kept} bundles were kept, {bodies_lost} of them without "
     "their contents; {lost} were lost, {missing} of them still wait for another computer."},
    {"damage.log_unreadable",
     "Le journal était illisible en entier : ce poste le recopie chez un autre poste. Ce qui "
     "n'avait été échangé avec aucun poste est perdu.",
     "Nothing of the log could be read: this computer copies it from another one. What had been "
     "exchanged with none is lost."},
    {"damage.log_cut",
     "Le journal était abîmé vers sa fin : {kept} paquets ont été relus, ceux qui suivaient sont "
     "perdus s'ils n'avaient été échangés avec aucun poste.",
     "The log was damaged near its end: {kept} bundles were kept, those after them are lost unless "
     "another computer has them."},
    {"damage.vault", "Une vue déchiffrée était abîmée : elle a été refaite, rien n'est perdu.",
     "A decrypted view was damaged: it was made again, nothing is lost."},
    {"damage.drafts",
     "Les brouillons étaient abîmés : ceux qui se lisent encore sont là, {lost} sont illisibles.",
     "The drafts were damaged: those that can still be read are here, {lost} can't."},
    {"damage.traces",
     "Le journal des accès a perdu {lost} traces au moins : une coupure de courant, ou un fichier "
     "abîmé.",
     "The journal of accesses lost at least {lost} traces: a power cut, or a damaged file."},
    {"damage.traces_remedy",
     "S'il n'y a pas eu de coupure de courant, faites vérifier le disque de ce poste.",
     "If there was no power cut, have this computer's disk checked."},
    {"damage.anchor",
     "La marque contre les retours en arrière était abîmée : elle recommence, chacun écrit "
     "désormais sous une nouvelle signature.",
     "The record against rollbacks was damaged: it begins anew, everyone writes under a new "
     "signature."},
    {"damage.keystore", "Le trousseau était abîmé : son double l'a remplacé, rien n'est perdu.",
     "The keystore was damaged: its twin took its place, nothing is lost."},
    {"damage.restored",
     "Une sauvegarde plus ancienne que ce qui avait été échangé a été remise sur ce poste : il "
     "écrit "
     "sous une nouvelle signature et reprend le reste chez les autres.",
     "A backup older than what had been exchanged was put back on this computer: it writes under a "
     "new signature and takes the rest from the others."},
    {"damage.doubled",
     "Un autre poste écrit avec les clés de celui-ci : sa machine a été copiée. Les saisies des "
     "deux sont gardées ; celles d'après la copie sont à relire.",
     "Another computer writes with the keys of this one: its machine was copied. The entries of "
     "both are kept; those made after the copy are to be read again."},
    {"damage.link", "Reliez ce poste à un autre (« maille peer list », « maille sync now »).",
     "Link this computer to another one (“maille peer list”, “maille sync now”)."},
    {"damage.stop_one",
     "Arrêtez l'une des deux machines, puis faites-la adhérer de nouveau avec un code (« maille "
     "enrol --code »).",
     "Stop one of the two machines, then have it join again with a code (“maille enrol --code”)."},
    {"damage.keystore_lost",
     "Le trousseau de ce poste et son double sont illisibles. Remettez une copie du fichier "
     "« keystore », ou adhérez de nouveau avec un code d'un coordinateur (« maille enrol --code ») "
     ": "
     "les autres postes ont gardé tout ce qui a été échangé.",
     "This computer's keystore and its twin can't be read. Put back a copy of the file “keystore”, "
     "or join again with a coordinator's code (“maille enrol --code”): the other computers kept "
     "all "
     "that was exchanged."},
    {"damage.again",
     "Un fichier abîmé vient d'être réparé : recommencez. « maille doctor » dit ce qui a été "
     "perdu.",
     "A damaged file was just repaired: try again. “maille doctor” says what was lost."},
    {"damage.aside",
     "L'ancien fichier est gardé sous le nom {aside} ; supprimez-le quand plus rien ne manque.",
     "The old file is kept as {aside}; delete it once nothing is missing."},
    {"damage.wait",
     "Reliez ce poste à un autre (« maille peer list », « maille sync now ») : ce qui manque en "
     "revient. Faites vérifier le disque.",
     "Link this computer to another one (“maille peer list”, “maille sync now”): what is missing "
     "comes back from it. Have the disk checked."},
    {"damage.disk", "Faites vérifier le disque de ce poste.", "Have this computer's disk checked."},
    {"enrol.busy", "Une adhésion est déjà en cours : attendez sa fin, dix minutes au plus.",
     "An enrolment is already under way: wait for its end, ten minutes at most."},
    {"enrol.code_typo", "Ce code contient une faute de frappe : relisez-le mot à mot.",
     "This code holds a typing error: read it again word by word."},
    {"enrol.timeout", "Le coordinateur n'a pas répondu à temps : vérifiez l'adresse et le code.",
     "The coordinator did not answer in time: check the address and the code."},
    {"enrol.unreachable",
     "Le poste du coordinateur ne répond pas à cette adresse, ou le code est "
     "faux ou périmé.",
     "The coordinator's computer does not answer at this address, or the code is wrong or "
     "expired."},
    {"enrol.wrong_code", "Ce n'est pas le code : demandez-en un nouveau.",
     "This is not the code: ask for a new one."},
    {"enrol.expired", "Le code est périmé : demandez-en un nouveau.",
     "The code has expired: ask for a new one."},
    {"enrol.used", "Le code a déjà servi : demandez-en un nouveau.",
     "The code was used already: ask for a new one."},
    {"enrol.denied", "Le coordinateur a refusé : voyez avec lui, rien n'a été écrit ici.",
     "The coordinator said no: ask him, nothing was written here."},
    {"enrol.locked",
     "Le poste du coordinateur est verrouillé : demandez-lui de déverrouiller, puis "
     "recommencez.",
     "The coordinator's computer is locked: ask him to unlock, then try again."},
    {"enrol.refused",
     "Le poste du coordinateur a refusé (code faux ou périmé ?) : demandez-en un nouveau.",
     "The coordinator's computer refused (code wrong or too old?): ask for a new one."},
    {"enrol.store",
     "Ce qui a été reçu n'a pas pu être enregistré : « maille doctor », puis recommencez.",
     "What was received could not be stored: “maille doctor”, then try again."},
};

const struct ml_text_row *ml_text_table(size_t part, size_t *count)
{
    if (part == 1) {
        return ml_text_glass(count);
    }
    if (part == 2) {
        return ml_text_right(count);
    }
    if (part == 3) {
        return ml_text_retention(count);
    }
    if (part == 4) {
        return ml_text_act(count);
    }
    if (part == 5) {
        return ml_text_team(count);
    }
    if (part == 6) {
        return ml_text_root(count);
    }
    if (part == 7) {
        return ml_text_ask(count);
    }
    *count = part == 0 ? sizeof(rows) / sizeof(rows[0]) : 0;
    return part == 0 ? rows : NULL;
}
