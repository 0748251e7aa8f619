/* variant.c - what media keeps for its pictures. See variant.h. */
#include "variant/variant.h"

#include <stdlib.h>

#include <trl/complain.h>

variants *
variants_open(trl_loop *loop, const struct media_config *config)
{
	variants *all = calloc(1, sizeof *all);

	trl_assert(all);
	all->turns = turns_open(loop, (unsigned)config->renderers);
	return all;
}

bool
variants_idle(const variants *all)
{
	return !all->first;
}

void
variants_close(variants **all)
{
	variants *self = TRL_TAKE(*all);

	if (!self)
		return;
	trl_assert(variants_idle(self));
	turns_close(&self->turns);
	free(self);
}

bool
variants_check(const collections *all)
{
	struct options options;
	size_t n;
	const struct collection *each = collections_all(all, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < each[i].n_variants; k++) {
			const struct collection_variant *variant = &each[i].variants[k];
			const char *wrong = options_read(variant->options, &options);

			if (!wrong)
				continue;
			trl_complain("TRELLIS_MEDIA_COLLECTIONS: collection \"%s\", "
				     "variant \"%s\": %s",
			    each[i].name, variant->name, wrong);
			return false;
		}
	return true;
}
