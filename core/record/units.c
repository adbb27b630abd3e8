/* core/record/units.c -- see units.h. Units of time are those of durations: "10 jours". */
#include "core/record/units.h"

#include <string.h>

struct unit {
    const char *ucum;
    const char *fr;
};

static const struct unit units[] = {
    {"1", ""},
    {"s", "s"},
    {"min", "min"},
    {"h", "h"},
    {"d", "jours"},
    {"wk", "semaines"},
    {"mo", "mois"},
    {"a", "ans"},
    {"mm[Hg]", "mmHg"},
    {"Cel", "°C"},
    {"[degF]", "°F"},
    {"deg", "°"},
    {"kg/m2", "kg/m²"},
    {"[lb_av]", "lb"},
    {"[in_i]", "pouces"},
    {"ug", "µg"},
    {"ug/L", "µg/L"},
    {"ug/mL", "µg/mL"},
    {"umol/L", "µmol/L"},
    {"uL", "µL"},
    {"um", "µm"},
    {"um3", "µm³"},
    {"mm3", "mm³"},
    {"m2", "m²"},
    {"[IU]", "UI"},
    {"[iU]", "UI"},
    {"[IU]/L", "UI/L"},
    {"[IU]/mL", "UI/mL"},
    {"m[IU]/L", "mUI/L"},
    {"m[IU]/mL", "mUI/mL"},
    {"u[IU]/mL", "µUI/mL"},
    {"U/L", "U/L"},
    {"10*3/uL", "G/L"},
    {"10*9/L", "G/L"},
    {"10*6/uL", "T/L"},
    {"10*12/L", "T/L"},
    {"mL/min/{1.73_m2}", "mL/min/1,73 m²"},
    {"mL/min/1.73.m2", "mL/min/1,73 m²"},
    {"mmol/mol{creat}", "mmol/mol de créatinine"},
    {"mg/g{creat}", "mg/g de créatinine"},
    {"{INR}", ""},
    {"{score}", "points"},
    {"{nominal}", ""},
    {"{pack}/a", "paquets-années"},
    {"{beats}/min", "/min"},
    {"{breaths}/min", "/min"},
    {"{rolls}/min", "/min"},
    {"{bouffee}", "bouffée"},
};

struct ml_slice ml_unit_fr(struct ml_slice ucum)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ml_slice_equal(ucum, ml_slice_str(units[i].ucum))) {
            return ml_slice_str(units[i].fr);
        }
    }
    bool annotation = ucum.len > 2 && ucum.data[0] == '{' && ucum.data[ucum.len - 1] == '}' &&
                      memchr(ucum.data + 1, '{', ucum.len - 1) == NULL;
    return annotation ? ml_slice(ucum.data + 1, ucum.len - 2) : ucum;
}
