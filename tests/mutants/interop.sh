#!/bin/bash
# Breaks the import's account of what it keeps, one place at a time, and asks that a test sees each.
# Usage: tests/mutants/interop.sh [--check]
set -eu
# shellcheck source=tests/mutants/lib.sh
. "$(git rev-parse --show-toplevel)/tests/mutants/lib.sh"
mutants_begin "$@"

T=(test_fhir_values test_fhir_contents test_fhir_import)
F=core/interop/fhir.c
mutant $F '/field_value(f, entry, field)) {/,/}/s/        ml_fhir_marks_undo(f);//' "${T[@]}"
mutant $F '/field_value(f, entry, field)) {/,/}/s/ml_fhir_contents_cut(f, contents);//' "${T[@]}"
mutant $F 's/            ml_fhir_contents_cut(f, contents);//' "${T[@]}"
mutant $F 's/values > 0 && fits &&/values > 0 \&\&/' "${T[@]}"
mutant $F 's/            ml_fhir_marks_cut(f, marks);//' "${T[@]}"
W=core/interop/fhir_walk.c
mutant $W '/^void ml_fhir_marks_commit/,/^}/s/    ml_buf_clear(&f->marks);//' "${T[@]}"
mutant $W 's/f->kept\[node \/ 8\] &= .*;//' "${T[@]}"
mutants_end
