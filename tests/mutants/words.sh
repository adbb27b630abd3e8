#!/bin/bash
# Takes from answers that refuse an act what they say, one thing at a time, and asks that the tests of
# whole nodes see each. Usage: tests/mutants/words.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

A=net/client/text_ask.c X=net/client/text.c F=net/client/text_find.c C=net/node/call.c
N=test_node_methods
# what was to be done
mutant $C 's/if (is_undone(err)) {/if (false) {/' $N
mutant $C 's/err == ML_E_LOCKED || //' $N
mutant $F 's/err != ML_E_DENIED ? "undone" : named/named/' $N
mutant net/client/text_act.c 's/"act.record.void"/"act.record.avoid"/' $N
# what is missing
mutant $F 's/"asked.%s"/"%s"/' test_node_garant
mutant $A 's/"asked.garants"/"asked.garant"/' test_node_garant
# what to do about it
mutant $A 's/ La commande suivie de --help montre un exemple\.//' test_node_garant
mutant $X 's/ : « maille unlock » d.abord\././' $N
mutant $X 's/ : vérifiez les majuscules et "/."/; s/^     "le clavier\.",/     "",/' $N
mutants_end
