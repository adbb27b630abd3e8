/* core/record/units.c -- see units.h. Units of time are those of durations: "10 jours". */
#include "core/record/units.h"

#include <string.h>

struct unit {
    const char *ucum;
    const char *fr;
    const char *several; /* NULL: the same */
};

static const struct unit units[] = {
    {"1", "", NULL},
    {"s", "seconde", "secondes"},
    {"min", "minute", "minutes"},
    {"h", "heure", "heures"},
    {"d", "jour", "jours"},
    {"wk", "semaine", "semaines"},
    {"mo", "mois", NULL},
    {"a", "an", "ans"},
    {"mm[Hg]", "mmHg", NULL},
    {"Cel", "°C", NULL},
    {"[degF]", "°F", NULL},
    {"deg", "°", NULL},
    {"kg/m2", "kg/m²", NULL},
    {"[lb_av]", "lb", NULL},
    {"[in_i]", "pouce", "pouces"},
    {"ug", "µg", NULL},
    {"ug/L", "µg/L", NULL},
    {"ug/mL", "µg/mL", NULL},
    {"umol/L", "µmol/L", NULL},
    {"uL", "µL", NULL},
    {"um", "µm", NULL},
    {"um3", "µm³", NULL},
    {"mm3", "mm³", NULL},
    {"m2", "m²", NULL},
    {"[IU]", "UI", NULL},
    {"[iU]", "UI", NULL},
    {"[IU]/L", "UI/L", NULL},
    {"[IU]/mL", "UI/mL", NULL},
    {"m[IU]/L", "mUI/L", NULL},
    {"m[IU]/mL", "mUI/mL", NULL},
    {"u[IU]/mL", "µUI/mL", NULL},
    {"U/L", "U/L", NULL},
    {"10*3/uL", "G/L", NULL},
    {"10*9/L", "G/L", NULL},
    {"10*6/uL", "T/L", NULL},
    {"10*12/L", "T/L", NULL},
    {"mL/min/{1.73_m2}", "mL/min/1,73 m²", NULL},
    {"mL/min/1.73.m2", "mL/min/1,73 m²", NULL},
    {"mmol/mol{creat}", "mmol/mol de créatinine", NULL},
    {"mg/g{creat}", "mg/g de créatinine", NULL},
    {"{INR}", "", NULL},
    {"{score}", "point", "points"},
    {"{nominal}", "", NULL},
    {"{pack}/a", "paquet-année", "paquets-années"},
    {"{beats}/min", "/min", NULL},
    {"{breaths}/min", "/min", NULL},
    {"{rolls}/min", "/min", NULL},
    {"{comprimé}", "comprimé", "comprimés"},
    {"{gélule}", "gélule", "gélules"},
    {"{goutte}", "goutte", "gouttes"},
    {"{bouffée}", "bouffée", "bouffées"},
    {"{ampoule}", "ampoule", "ampoules"},
    {"{sachet}", "sachet", "sachets"},
    {"{dose}", "dose", "doses"},
    {"{injection}", "injection", "injections"},
    {"{application}", "application", "applications"},
    {"{suppositoire}", "suppositoire", "suppositoires"},
    {"{ovule}", "ovule", "ovules"},
    {"{flacon}", "flacon", "flacons"},
    {"{patch}", "patch", "patchs"},
    {"{pulvérisation}", "pulvérisation", "pulvérisations"},
    {"{cuillère}", "cuillère", "cuillères"},
    {"{inhalation}", "inhalation", "inhalations"},
    {"{unité}", "unité", "unités"},
    {"{capsule}", "capsule", "capsules"},
    {"{pastille}", "pastille", "pastilles"},
    {"{stylo}", "stylo", "stylos"},
    {"{seringue}", "seringue", "seringues"},
    {"{tube}", "tube", "tubes"},
    {"{séance}", "séance", "séances"},
    {"{passage}", "passage", "passages"},
    {"{tablet}", "comprimé", "comprimés"},
    {"{tbl}", "comprimé", "comprimés"},
    {"{puff}", "bouffée", "bouffées"},
    {"{drop}", "goutte", "gouttes"},
    {"{bouffee}", "bouffée", "bouffées"},
    {"U", "unité", "unités"},
};

/* "comprimé" and "{comprimé}" are one unit: a person types the word, FHIR sends the annotation. */
static bool same_unit(struct ml_slice ucum, const char *entry)
{
    size_t len = strlen(entry);
    bool annotation = len > 2 && entry[0] == '{' && entry[len - 1] == '}';
    return ml_slice_equal(ucum, ml_slice(entry, len)) ||
           (annotation && ml_slice_equal(ucum, ml_slice(entry + 1, len - 2)));
}

struct ml_slice ml_unit_fr(struct ml_slice ucum, bool several)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (same_unit(ucum, units[i].ucum)) {
            bool plural = several && units[i].several != NULL;
            return ml_slice_str(plural ? units[i].several : units[i].fr);
        }
    }
    bool annotation = ucum.len > 2 && ucum.data[0] == '{' && ucum.data[ucum.len - 1] == '}' &&
                      memchr(ucum.data + 1, '{', ucum.len - 1) == NULL;
    return annotation ? ml_slice(ucum.data + 1, ucum.len - 2) : ucum;
}
