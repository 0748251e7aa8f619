/* What comes from an S3 server, and from an upload's row: an answer in XML (first byte
 * even), or a state. Whatever they are, names and texts stay in their bounds, and a
 * state that is taken is written as it was read. */
#include <stdint.h>
#include <string.h>

#include "store/s3_state.h"
#include "store/s3_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
extern const char *const fuzz_tokens[];

const char *const fuzz_tokens[] = { "<", ">", "</", "/>", "<?", "?>", "<!--", "-->",
	"<![CDATA[", "]]>", "<Error>", "</Error>", "<Code>", "</Code>", "&amp;",
	"&#x1F389;", "&#", ";", "xmlns:a='", "a:", NULL };

static void
read_xml(const char *text, size_t len)
{
	struct s3_xml xml;
	enum s3_xml_event event;
	const char *name;
	char out[64];
	unsigned depth;

	s3_xml_init(&xml, text, len);
	while ((event = s3_xml_next(&xml, &name, &depth)) <= S3_XML_LEAVE) {
		trl_assert(depth >= 1 && depth <= S3_XML_DEPTH);
		trl_assert(strlen(name) >= 1 && strlen(name) < S3_XML_NAME);
		if (event == S3_XML_LEAVE)
			trl_assert(strlen(xml.text) < S3_XML_TEXT);
	}
	if (s3_xml_find(text, len, "Error", "Code", out, sizeof out))
		trl_assert(strlen(out) < sizeof out);
}

static void
count_part(void *self, uint32_t number, const char *etag)
{
	uint32_t *seen = self;

	trl_assert(number == ++*seen);
	trl_assert(etag[0] != '\0' && strlen(etag) <= S3_ETAG_BYTES);
}

static void
read_state(const uint8_t *data, size_t len)
{
	TRL_AUTO(trl_buf_fini) struct trl_buf again = { .len = 0 };
	struct s3_state state;
	uint32_t seen = 0;

	if (!s3_state_read(&state, data, len))
		return;
	s3_state_each(&state, count_part, &seen);
	trl_assert(seen == state.n_parts);
	state.tails = len > 33 && data[33] != 0;
	s3_state_write(&state, &again);
	trl_assert(again.len == len);
	if (data[33] <= 1)
		trl_assert(memcmp(again.data, data, len) == 0);
	s3_state_fini(&state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0)
		return 0;
	if (data[0] % 2 == 0)
		read_xml((const char *)data + 1, len - 1);
	else
		read_state(data, len); /* its version is 1 */
	return 0;
}
