/* tests/unit/core_interop/support_record.c -- the structure with real keys and a vault, as the
 * tests of core/record build it. */
#include "../core_record/support_vault.c" /* NOLINT(bugprone-suspicious-include) */
