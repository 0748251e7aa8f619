/* distance.h - how far apart two names are: for saying which one was meant. Any
 * thread. */
#pragma once

#include <stddef.h>

enum { TRL_DISTANCE_MAX = 96 };

/* Levenshtein's distance of two texts of n and m characters; TRL_DISTANCE_MAX where one
 * is longer than that. */
unsigned trl_distance(const char *a, size_t n, const char *b, size_t m);
