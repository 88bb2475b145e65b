/* SPDX-License-Identifier: MIT */
#ifndef WEIR_REGISTRY_H
#define WEIR_REGISTRY_H

/*
 * Policies by name: one state for all who ask, whatever their language. One
 * module makes a breaker and registers it; another, which knows the runtime and
 * the name, finds the same breaker, whose window and state they then share.
 * Each runtime has one registry, which holds a reference of what is in it until
 * it is taken out or the runtime has closed. Where several modules may be
 * first, each tries to find, makes, registers, and on WEIR_EEXISTS finds again:
 *
 *   weir_policy *policy = NULL;
 *   weir_status status = weir_policy_find(runtime, "api", &policy, NULL);
 *   while (status == WEIR_ENOTFOUND) {
 *     weir_breaker *mine = NULL;
 *     status = weir_breaker_new(runtime, &options, &mine, &error);
 *     if (status != WEIR_OK) break;
 *     status = weir_policy_register(weir_breaker_policy(mine), &error);
 *     weir_breaker_unref(mine);   // the registry holds it, or it is not used
 *     if (status == WEIR_OK || status == WEIR_EEXISTS)
 *       status = weir_policy_find(runtime, "api", &policy, NULL);
 *   }
 *   weir_breaker *breaker = weir_policy_breaker(policy);  // NULL: not one
 *
 * Every function takes any thread. weir_policy_breaker() and its like, which
 * turn what was found back into its own type, stand with each type.
 */

#include <weir/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A registered name has at most so many characters: what a weir_rejection has
 * room for. */
#define WEIR_REGISTRY_NAME_MAX 47

/* Registers `policy` with its runtime under its own name (of its options),
 * which must be 1 to WEIR_REGISTRY_NAME_MAX letters, digits and _ . : / -
 * (ASCII). Names are unique among policies of all kinds. The registry takes a
 * reference. Errors: WEIR_EINVAL (NULL, a name that is empty, too long or has
 * other characters), WEIR_EEXISTS (the name is taken, also by `policy` itself),
 * WEIR_ECLOSED, WEIR_ENOMEM, WEIR_EFORKED. */
WEIR_API weir_status weir_policy_register(weir_policy *policy,
                                          weir_error **error);

/* Stores in `policy` what is registered under `name`; the caller owns one
 * reference (weir_policy_unref()). NULL is stored on failure. Errors:
 * WEIR_EINVAL (runtime, name or policy NULL, or a name that could not be
 * registered), WEIR_ENOTFOUND, WEIR_ECLOSED (the runtime is closing),
 * WEIR_EFORKED. */
WEIR_API weir_status weir_policy_find(weir_runtime *runtime, const char *name,
                                      weir_policy **policy, weir_error **error);

/* Takes `policy` out again and gives the registry's reference back; who found
 * it keeps what he has, and the name is free. Errors: WEIR_EINVAL,
 * WEIR_ENOTFOUND (it is not in it, or the runtime has closed), WEIR_EFORKED. */
WEIR_API weir_status weir_policy_unregister(weir_policy *policy);

#ifdef __cplusplus
}
#endif
#endif
