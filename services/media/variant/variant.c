/* variant.c - what media keeps for its pictures. See variant.h. */
#include "variant/variant.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

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

/* Whether the picture's ThumbHash has a place for what is transparent: the highest of
 * the 24 bits that it begins with, the lowest first. */
static bool
has_alpha(const char *thumb_hash)
{
	uint8_t hash[PICTURE_HASH_MAX];
	size_t len;

	return sodium_base642bin(hash, sizeof hash, thumb_hash, strlen(thumb_hash),
		   NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       len > 2 && hash[2] & 0x80;
}

struct options_picture
variant_picture(const media_file *file)
{
	return (struct options_picture){ .type = file->type,
		.moves = file->frames > 1,
		.has_alpha = file->thumb_hash && has_alpha(file->thumb_hash) };
}

/* Whatever the picture is beside its type. */
static bool
is_key_of(const char *options, const char *type, const char *key)
{
	const struct options_picture pictures[] = { { .type = type },
		{ .type = type, .moves = true }, { .type = type, .has_alpha = true } };
	static const char *const accepts[] = { NULL, "image/webp" };
	struct options named, decided;
	char written[OPTIONS_TEXT_MAX];

	if (options_read(options, &named) != NULL)
		return false;
	for (size_t i = 0; i < TRL_COUNT(pictures) * TRL_COUNT(accepts); i++) {
		decided = options_decided(&named, &pictures[i / TRL_COUNT(accepts)],
		    accepts[i % TRL_COUNT(accepts)]);
		options_key(&decided, written);
		if (strcmp(written, key) == 0)
			return true;
	}
	return false;
}

bool
variant_is_named(
    const struct media *self, const char *collection, const char *type, const char *key)
{
	const struct collection *of = collections_find(self->collections, collection);

	for (size_t i = 0; of && i < of->n_variants; i++)
		if (is_key_of(of->variants[i].options, type, key))
			return true;
	return false;
}
