/* trial.h - the trial that the catalogue gives an organisation when it is founded, and
 * what else is heard of organisations. */
#pragma once

#include "turn/turn.h"

/* The events of tenants: one is founded, is being deleted, is restored. From the oldest
 * that is kept, so that nothing is missed that was founded before billing first came;
 * one whose founding is older than that has no trial. */
extern const struct trl_subscription billing_hears_tenants;

/* Begins the trial, at the time at which the organisation was founded (on its test
 * clock, if it has one), where the catalogue has one, its founder has not used up
 * theirs, and there never was a subscription: what the organisation did before this
 * came counts. Run again, it finds the trial and does nothing. */
extern const struct trl_job_kind trial_job;
