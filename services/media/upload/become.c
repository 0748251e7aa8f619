/* become.c - what a file is once all of its bytes have come: what has to look at it,
 * and whether it is ready before that. */
#include "upload/become.h"

#include "file/file.h"
#include "scan/scan.h"
#include "variant/variant.h"

bool
upload_looks(struct media *self, trl_ctx *ctx, const media_file *file, trl_batch *work)
{
	/* Nobody looks at a picture that was not scanned. */
	return scan_add(self, ctx, file, work) || variant_begin(self, file, work);
}

void
upload_become(struct media *self, trl_ctx *ctx, media_file *file, trl_batch *work)
{
	const bool waits = upload_looks(self, ctx, file, work);

	trl_set(file, state,
	    waits ? MEDIA__V1__FILE__STATE__processing : MEDIA__V1__FILE__STATE__ready);
	scan_mark(self, file);
	upload_add_file(ctx, file, work);
	if (!waits)
		file_tell(self, ctx, work, &media_event_file_ready, file);
}
