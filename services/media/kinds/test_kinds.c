/* What is stored for what was found and what was declared, which of them lie, what is
 * shown in place, and what a collection's list has. Then the same of real bytes by
 * trellis-sniff. Over 400 lines: half of them are rows of tables. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kinds/kinds.h"

#define OOXML "application/vnd.openxmlformats-officedocument."
#define OLE "application/x-ole-storage"

static trl_ctx ctx;
static trl_loop *loop;
static trl_child *child;

/* stored NULL: a lie. */
static const struct {
	const char *found, *declared, *name, *stored;
} judged[] = {
	{ "image/png", "image/png", NULL, "image/png" },
	{ "image/png", "IMAGE/PNG", NULL, "image/png" },
	{ "image/jpeg", "image/jpg", NULL, "image/jpeg" },
	{ "image/png", "image/png; charset=x; image/gif", NULL, "image/png" },
	{ "image/png", NULL, "a.html", "image/png" },
	{ "image/png", "", NULL, "image/png" },
	{ "image/png", "application/octet-stream", "a.png", "image/png" },
	{ "image/png", "application/x-www-form-urlencoded", NULL, "image/png" },
	/* Archives with another name. */
	{ "application/zip", OOXML "wordprocessingml.document", NULL,
	    OOXML "wordprocessingml.document" },
	{ "application/zip", OOXML "spreadsheetml.sheet", NULL,
	    OOXML "spreadsheetml.sheet" },
	{ "application/zip", OOXML "presentationml.presentation", NULL,
	    OOXML "presentationml.presentation" },
	{ "application/zip", "application/vnd.oasis.opendocument.text", NULL,
	    "application/vnd.oasis.opendocument.text" },
	{ "application/zip", "application/java-archive", NULL,
	    "application/java-archive" },
	{ "application/java-archive", "application/vnd.android.package-archive", NULL,
	    "application/vnd.android.package-archive" },
	{ "application/zip", "application/epub+zip", NULL, "application/epub+zip" },
	{ "application/zip", "application/vnd.acme.plan+zip", NULL,
	    "application/vnd.acme.plan+zip" },
	{ "application/zip", "application/x-zip-compressed", NULL, "application/zip" },
	{ OOXML "wordprocessingml.document", "application/zip", NULL,
	    OOXML "wordprocessingml.document" },
	{ OOXML "wordprocessingml.document",
	    "application/vnd.ms-word.document.macroEnabled.12", NULL,
	    "application/vnd.ms-word.document.macroenabled.12" },
	{ "application/zip", NULL, "Plan.DOCX", OOXML "wordprocessingml.document" },
	{ "application/zip", NULL, "plan.png", "application/zip" },
	{ "application/zip", NULL, "plan.", "application/zip" },
	{ OOXML "wordprocessingml.document", OOXML "spreadsheetml.sheet", NULL, NULL },
	{ "application/cdfv2-encrypted", OOXML "spreadsheetml.sheet", NULL,
	    OOXML "spreadsheetml.sheet" },
	/* Office's own. */
	{ "application/cdfv2", "application/vnd.ms-outlook", NULL,
	    "application/vnd.ms-outlook" },
	{ "application/cdfv2", "application/msword", NULL, "application/msword" },
	{ OLE, "application/vnd.ms-excel", NULL, "application/vnd.ms-excel" },
	{ "application/vnd.ms-excel", "application/msword", NULL,
	    "application/msword" },
	{ "application/cdfv2", NULL, "mail.msg", "application/vnd.ms-outlook" },
	{ "application/cdfv2", NULL, NULL, OLE },
	{ "text/rtf", "application/msword", NULL, "application/msword" },
	{ "text/rtf", "application/msword", "a.rtf", "application/rtf" },
	{ "text/xml", "application/msword", "a.doc", "application/msword" },
	{ OOXML "wordprocessingml.document", "application/msword", "a.docx",
	    OOXML "wordprocessingml.document" },
	{ "text/html", OOXML "wordprocessingml.document", "a.docx", NULL },
	{ "application/zip", "application/vnd.ms-powerpoint", "a.pptx",
	    OOXML "presentationml.presentation" },
	{ "application/vnd.ms-visio.drawing.main+xml", "application/vnd.visio",
	    "a.vsdx", "application/vnd.ms-visio.drawing" },
	/* Text. */
	{ "text/plain", "text/csv", NULL, "text/csv" },
	/* Windows with Excel; and what other programs call a workbook. */
	{ "text/plain", "application/vnd.ms-excel", "a.csv", "text/csv" },
	{ "text/csv", "application/vnd.ms-excel", "a.CSV", "text/csv" },
	{ "text/csv", "application/vnd.ms-excel", NULL, "application/vnd.ms-excel" },
	{ "text/html", "application/vnd.ms-excel", "a.xls",
	    "application/vnd.ms-excel" },
	{ "text/xml", "application/vnd.ms-excel", "a.xls", "application/vnd.ms-excel" },
	{ "text/csv", NULL, "a.xls", "application/vnd.ms-excel" },
	{ "application/pdf", "application/vnd.ms-excel", "a.xls", NULL },
	{ "text/plain", "application/json", NULL, "application/json" },
	{ "application/json", "text/plain", NULL, "application/json" },
	{ "text/plain", "text/markdown", NULL, "text/markdown" },
	{ "text/html", "text/markdown", NULL, "text/markdown" },
	{ "text/plain", "application/javascript", NULL, "text/javascript" },
	{ "text/x-c", "text/css", NULL, "text/css" },
	{ "text/plain", "text/calendar; method=REQUEST", NULL, "text/calendar" },
	{ "text/plain", NULL, "a.csv", "text/csv" },
	{ "text/x-c++", NULL, "a.md", "text/markdown" },
	{ "text/x-c++", NULL, NULL, "text/plain" },
	{ "text/plain", NULL, "a.png", "text/plain" },
	{ "text/html", "text/plain", NULL, "text/html" },
	{ "text/plain", "text/html", NULL, "text/html" },
	{ "text/plain", "text/x-acme", NULL, "text/x-acme" },
	{ "text/plain", "application/vnd.acme.plan", NULL,
	    "application/vnd.acme.plan" },
	{ "text/plain", "video/mp2t", "a.ts", "application/typescript" },
	{ "application/javascript", "video/vnd.dlna.mpeg-tts", "a.ts",
	    "application/typescript" },
	{ "application/javascript", NULL, "a.ts", "application/typescript" },
	{ "application/octet-stream", "video/mp2t", "a.ts", "video/mp2t" },
	{ "text/plain", "video/mp2t", "a.mts", NULL },
	{ "text/plain", "video/mp2t", NULL, NULL },
	{ "text/plain", "audio/x-mpegurl", "a.m3u8", "application/vnd.apple.mpegurl" },
	{ "text/x-msdos-batch", "application/x-msdownload", "a.bat",
	    "application/x-bat" },
	{ "application/octet-stream", "text/plain", NULL, "text/plain" },
	/* XML. */
	{ "text/xml", "application/xml", NULL, "application/xml" },
	{ "text/xml", "image/svg+xml", NULL, "image/svg+xml" },
	{ "image/svg+xml", "text/xml", NULL, "image/svg+xml" },
	{ "image/svg+xml", "text/plain", NULL, "image/svg+xml" },
	{ "text/plain", "image/svg+xml; x", NULL, "image/svg+xml" },
	{ "text/xml", "application/gpx+xml", NULL, "application/gpx+xml" },
	{ "text/xml", "application/vnd.acme+xml", NULL, "application/vnd.acme+xml" },
	{ "text/html", "application/xhtml+xml", NULL, "application/xhtml+xml" },
	/* Boxes. */
	{ "video/mp4", "audio/mp4", NULL, "audio/mp4" },
	{ "video/mp4", "audio/x-m4a", NULL, "audio/mp4" },
	{ "audio/x-m4a", "video/mp4", NULL, "audio/mp4" },
	{ "video/mp4", "video/quicktime", NULL, "video/quicktime" },
	{ "video/quicktime", "video/mp4", NULL, "video/quicktime" },
	{ "video/mp4", "video/3gpp", NULL, "video/3gpp" },
	{ "video/quicktime", "image/heic", NULL, "image/heic" },
	{ "video/mp4", NULL, "song.m4a", "audio/mp4" },
	{ "image/heif", "image/heic", NULL, "image/heic" },
	{ "audio/x-m4a", "image/heic", NULL, NULL },
	{ "video/webm", "audio/webm", NULL, "audio/webm" },
	{ "application/ogg", "audio/ogg; codecs=opus", NULL, "audio/ogg" },
	{ "audio/ogg", "audio/opus", NULL, "audio/ogg" },
	{ "application/octet-stream", "audio/mpeg", NULL, "audio/mpeg" },
	{ "audio/x-wav", "audio/wav", NULL, "audio/wav" },
	/* Nothing known of one or both. */
	{ "application/octet-stream", "application/vnd.acme.plan", NULL,
	    "application/vnd.acme.plan" },
	{ "application/octet-stream", "image/x-acme", NULL, "image/x-acme" },
	{ "application/x-dbf", "application/vnd.acme.plan", NULL,
	    "application/vnd.acme.plan" },
	{ "application/gzip", "application/vnd.acme.plan", NULL,
	    "application/vnd.acme.plan" },
	{ "application/gzip", NULL, "a.tgz", "application/x-compressed-tar" },
	{ "image/tiff", "image/x-acme-raw", NULL, "image/x-acme-raw" },
	/* Other names of what it is, which have no row: name and bytes agree. */
	{ "image/jpeg", "application/jpg", "a.jpg", "image/jpeg" },
	{ "video/x-flv", "application/x-flash-video", "a.flv", "video/x-flv" },
	{ "application/gzip", "image/svg+xml", "a.svgz", "image/svg+xml-compressed" },
	{ "application/vnd.microsoft.portable-executable", "application/exe", "a.exe",
	    "application/vnd.microsoft.portable-executable" },
	{ "application/json", "application/vnd.acme.plan", "plan.json",
	    "application/vnd.acme.plan" },
	{ "image/jpeg", "application/jpg", "a.pdf", NULL },
	/* A picture is a picture, sound or film the same, and so are fonts. */
	{ "image/jpeg", "image/png", "a.png", "image/jpeg" },
	{ "image/webp", "image/jpeg", "a.jpg", "image/webp" },
	{ "image/jpeg", "image/x-citrix-jpeg", NULL, "image/jpeg" },
	{ "audio/x-wav", "audio/mpeg", NULL, "audio/wav" },
	{ "audio/mpeg", "video/mpeg", NULL, "audio/mpeg" },
	{ "font/sfnt", "font/woff2", NULL, "font/ttf" },
	{ "image/svg+xml", "image/x-acme", NULL, NULL },
	/* Stars of file choosers. */
	{ "image/heic", "image/*", NULL, "image/heic" },
	{ "image/svg+xml", "image/*", "a.svg", "image/svg+xml" },
	{ "video/mp4", "audio/*", "a.m4a", "audio/mp4" },
	{ "text/csv", "text/*", "a.csv", "text/csv" },
	{ "application/json", "application/*", NULL, "application/json" },
	{ "application/octet-stream", "image/*", NULL, "application/octet-stream" },
	{ "application/pdf", "image/*", "a.pdf", NULL },
	{ "text/html", "image/*", "a.png", NULL },
	{ "image/png", "text/*", NULL, NULL },
	/* What says nothing in other words. */
	{ "application/x-rar", "application/x-compressed", NULL,
	    "application/vnd.rar" },
	{ "application/zip", "application/wps-office.docx", "a.docx",
	    OOXML "wordprocessingml.document" },
	{ "text/csv", "application/x-extension-csv", NULL, "text/csv" },
	/* Lies. */
	{ "text/html", "image/png", NULL, NULL },
	{ "text/html", "image/png", "a.html", NULL },
	{ "text/html", "audio/mpeg", "a.mp3", NULL },
	{ "model/vnd.collada+xml", "audio/mpeg", "a.mp3", NULL },
	{ "application/pdf", "image/jpeg", "a.pdf", NULL },
	{ "image/svg+xml", "image/png", NULL, NULL },
	{ "application/octet-stream", "image/png", NULL, NULL },
	{ "text/plain", "image/jpeg", NULL, NULL },
	{ "text/x-c", "audio/mpeg", NULL, NULL },
	{ "text/plain", "image/x-acme", NULL, NULL },
	{ "text/html", "video/x-acme", NULL, NULL },
	{ "application/pdf", "text/html", NULL, NULL },
	{ "image/gif", "text/javascript", NULL, NULL },
	{ "image/jpeg", "application/zip", NULL, NULL },
	{ "image/png", "application/vnd.acme.plan", NULL, NULL },
	{ "application/x-dosexec", "application/pdf", NULL, NULL },
	{ "application/x-dosexec", "text/plain", NULL, NULL },
	{ "application/zip", "text/csv", NULL, NULL },
	{ "application/x-dbf", "application/pdf", NULL, NULL },
	{ "video/mp4", "image/png", NULL, NULL },
	{ "application/gzip", "image/svg+xml", NULL, NULL },
	/* No bytes. */
	{ NULL, "text/csv", NULL, "text/csv" },
	{ NULL, "text/x-acme", NULL, "text/x-acme" },
	{ NULL, "application/json", NULL, "application/json" },
	{ NULL, NULL, "a.md", "text/markdown" },
	{ NULL, "text/*", NULL, "text/plain" },
	{ NULL, "image/*", NULL, "application/octet-stream" },
	{ NULL, NULL, "a.png", "application/octet-stream" },
	{ NULL, NULL, NULL, "application/octet-stream" },
	{ NULL, "image/x-acme", NULL, "application/octet-stream" },
	{ NULL, "audio/mpeg", NULL, "application/octet-stream" },
	{ NULL, "image/png", NULL, NULL },
	{ NULL, "image/jpg; q=1", "a.txt", NULL },
	{ NULL, "application/pdf", NULL, NULL },
	{ NULL, OOXML "wordprocessingml.document", NULL, NULL },
	/* No media types. */
	{ "image/png", "png", NULL, NULL },
	{ "image/png", "image/", NULL, NULL },
	{ "image/png", "/png", NULL, NULL },
	{ "image/png", "image/png x", NULL, NULL },
	{ "image/png", "image/\"png\"", NULL, NULL },
	{ "image/png", "image/png\r\nX: y", NULL, NULL },
};

static void
the_more_special_is_stored_and_a_lie_is_refused(void **state)
{
	struct kind kind;

	(void)state;
	for (size_t i = 0; i < sizeof judged / sizeof *judged; i++) {
		const enum trl_code rc = kinds_judge(
		    &ctx, judged[i].found, judged[i].declared, judged[i].name, &kind);

		if (!judged[i].stored) {
			if (rc == TRL_OK)
				print_error("found %s, declared %s: stored %s\n",
				    judged[i].found, judged[i].declared, kind.type);
			assert_int_equal(rc, TRL_UNSUPPORTED_MEDIA_TYPE);
			trl_err_clear(&ctx);
			continue;
		}
		if (rc != TRL_OK)
			print_error("%s\n", ctx.err.message);
		assert_int_equal(rc, TRL_OK);
		if (strcmp(kind.type, judged[i].stored) != 0)
			print_error("found %s, declared %s\n", judged[i].found,
			    judged[i].declared);
		assert_string_equal(kind.type, judged[i].stored);
	}
}

static void
a_lie_names_both(void **state)
{
	struct kind kind;

	(void)state;
	assert_int_equal(
	    kinds_judge(&ctx, "text/html", "image/png; a=b", "a.png", &kind),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_string_equal(ctx.err.message,
	    "The file was declared to be image/png and looks like text/html.");
	trl_err_clear(&ctx);
	assert_int_equal(kinds_judge(&ctx, NULL, "image/png", "a.png", &kind),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	assert_string_equal(
	    ctx.err.message, "The file was declared to be image/png and is empty.");
	trl_err_clear(&ctx);
}

static void
a_type_that_is_too_long_is_none(void **state)
{
	char type[KINDS_TYPE_MAX + 2] = "application/";
	struct kind kind;

	(void)state;
	memset(type + 12, 'a', KINDS_TYPE_MAX - 12);
	assert_int_equal(
	    kinds_judge(&ctx, "application/octet-stream", type, NULL, &kind), TRL_OK);
	type[KINDS_TYPE_MAX] = 'a';
	assert_int_equal(
	    kinds_judge(&ctx, "application/octet-stream", type, NULL, &kind),
	    TRL_UNSUPPORTED_MEDIA_TYPE);
	trl_err_clear(&ctx);
}

static void
only_what_can_do_nothing_is_shown_in_place(void **state)
{
	static const char *const shown[] = { "image/png", "image/jpeg", "image/gif",
		"image/webp", "image/avif", "video/mp4", "video/webm", "video/ogg",
		"audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/flac",
		"audio/webm" };
	static const char *const not_shown[] = { "text/html", "image/svg+xml",
		"application/xml", "text/xml", "application/xhtml+xml",
		"multipart/related", "message/rfc822", "application/pdf",
		"application/x-mimearchive", "text/plain", "text/javascript",
		"application/octet-stream", "image/x-acme", "audio/x-acme",
		"application/xslt+xml", "application/zip", "" };

	(void)state;
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		assert_true(kinds_of(shown[i]).in_place);
	for (size_t i = 0; i < sizeof not_shown / sizeof *not_shown; i++)
		assert_false(kinds_of(not_shown[i]).in_place);
	assert_string_equal(kinds_of("image/x-acme").type, "image/x-acme");
}

/* Whatever is declared, and however it is called. */
static void
what_a_browser_would_run_is_never_shown_in_place(void **state)
{
	static const char *const run[] = { "text/html", "image/svg+xml", "text/xml",
		"model/vnd.collada+xml", "application/javascript", "text/x-php",
		"text/plain", "application/pdf" };
	static const char *const names[] = { NULL, "a.png", "a.mp3", "a.m4a", "a.html",
		"a.svg" };
	const size_t n_names = sizeof names / sizeof *names;

	(void)state;
	for (size_t i = 0; i < sizeof run / sizeof *run; i++)
		for (size_t j = 0; j < n_names * sizeof judged / sizeof *judged; j++) {
			const char *declared = judged[j / n_names].declared;
			struct kind kind;

			if (kinds_judge(&ctx, run[i], declared, names[j % n_names],
				&kind) == TRL_OK)
				assert_false(kind.in_place);
			trl_err_clear(&ctx);
		}
}

static void
pictures_are_those_that_are_rendered(void **state)
{
	static const struct {
		const char *type;
		bool picture, heif;
	} rows[] = { { "image/png", true, false }, { "image/jpeg", true, false },
		{ "image/gif", true, false }, { "image/webp", true, false },
		{ "image/heic", true, true }, { "image/avif", true, true },
		{ "image/svg+xml", false, false }, { "image/tiff", false, false },
		{ "application/pdf", false, false }, { "image/x-acme", false, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(kinds_of(rows[i].type).picture, rows[i].picture);
		assert_int_equal(kinds_of(rows[i].type).heif, rows[i].heif);
	}
}

static void
a_list_has_types_names_and_stars(void **state)
{
	static const char *const pictures[] = { "image/*", NULL };
	static const char *const some[] = { "image/jpg", "text/csv",
		"application/vnd.acme.plan", NULL };
	static const char *const all[] = { "*/*", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_true(kinds_listed(NULL, "text/html"));
	assert_true(kinds_listed(all, "text/html"));
	assert_false(kinds_listed(none, "text/html"));
	assert_true(kinds_listed(pictures, "image/png"));
	assert_true(kinds_listed(pictures, "image/svg+xml"));
	assert_false(kinds_listed(pictures, "imagex/png"));
	assert_false(kinds_listed(pictures, "text/plain"));
	assert_true(kinds_listed(some, "image/jpeg"));
	assert_false(kinds_listed(some, "image/png"));
	assert_true(kinds_listed(some, "application/vnd.acme.plan"));
	assert_false(kinds_listed(some, "application/vnd.acme.plan2"));
	assert_true(kinds_listable("image/*"));
	assert_true(kinds_listable("*/*"));
	assert_true(kinds_listable("application/vnd.acme.plan+zip"));
	assert_false(kinds_listable("*/png"));
	assert_false(kinds_listable("image/p*"));
	assert_false(kinds_listable("image/*x"));
	assert_false(kinds_listable("image"));
	assert_false(kinds_listable("image/png;q=1"));
	assert_false(kinds_listable("image/png "));
	assert_false(kinds_listable(""));
}

struct listed {
	const char *declared, *name;
	bool may;
};

static void
check_listed(const char *const *list, const struct listed *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (kinds_may_be_listed(list, rows[i].declared, rows[i].name) !=
		    rows[i].may)
			fail_msg(
			    "declared %s, name %s", rows[i].declared, rows[i].name);
}

static void
what_may_be_listed_is_told_before_it_is_looked_at(void **state)
{
	static const char *const list[] = { "image/jpeg",
		OOXML "wordprocessingml.document", "text/csv", NULL };
	static const struct listed rows[] = { { NULL, NULL, true }, { "", NULL, true },
		{ "application/octet-stream", NULL, true },
		{ "application/x-www-form-urlencoded", NULL, true },
		{ "image/jpg", NULL, true }, { "IMAGE/JPEG; a=b", NULL, true },
		{ "application/zip", NULL, true }, { "text/plain", NULL, true },
		{ "text/csv", NULL, true },
		{ OOXML "wordprocessingml.document", NULL, true },
		{ "image/*", NULL, true }, { "text/*", NULL, true },
		{ "application/msword", "a.docx", true },
		{ "image/x-acme", NULL, true }, { "application/jpg", "a.jpg", true },
		{ "application/vnd.ms-excel", "a.csv", true },
		{ "application/vnd.ms-excel", "a.xls", false },
		{ "application/vnd.ms-excel", NULL, false },
		{ "application/jpg", "a.gif", false }, { "image/png", NULL, false },
		{ "image/png", "a.jpg", false }, { "text/html", NULL, false },
		{ "audio/mpeg", NULL, false }, { "audio/*", NULL, false },
		{ "application/pdf", NULL, false }, { "jpeg", NULL, false } };

	(void)state;
	check_listed(list, rows, sizeof rows / sizeof *rows);
	assert_true(kinds_may_be_listed(NULL, "image/png", NULL));
}

static void
what_may_be_of_a_listed_star_is_told_before_it_is_looked_at(void **state)
{
	static const char *const list[] = { "image/*", "text/*", NULL };
	static const struct listed rows[] = { { "application/jpg", "a.jpg", true },
		{ "application/vnd.ms-excel", "a.csv", true },
		{ "image/x-acme", NULL, true }, { "image/png", "a.zip", true },
		{ "application/vnd.ms-excel", "a.xls", false },
		{ "application/vnd.ms-excel", NULL, false },
		{ "application/jpg", "a.zip", false },
		{ "application/jpg", NULL, false }, { "audio/*", NULL, false },
		{ "application/pdf", "a.jpg", false } };

	(void)state;
	check_listed(list, rows, sizeof rows / sizeof *rows);
}

struct looked {
	const char *head;
	size_t len;
	const char *declared, *stored;
};

#define BYTES(text) (text), sizeof(text) - 1
#define JPEG "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define ZIP "PK\3\4\24\0\0\0\0\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.txt"
#define EICAR "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

static void
look_at_all(trl_ctx *with, void *arg)
{
	static const struct looked looks[] = {
		/* A script that is a picture, too. */
		{ BYTES("GIF89a=1;/*\0*/alert(1)"), "image/gif", "image/gif" },
		{ BYTES("GIF89a=1;/*\0*/alert(1)"), "text/javascript", NULL },
		{ BYTES("%PDF-1.4\n<html><script>x"), "application/pdf",
		    "application/pdf" },
		{ BYTES("%PDF-1.4\n<html><script>x"), "text/html", NULL },
		{ BYTES(JPEG "\xff\xd9" ZIP), "image/jpeg", "image/jpeg" },
		{ BYTES(JPEG "\xff\xd9" ZIP), "application/zip", NULL },
		{ BYTES(ZIP), OOXML "wordprocessingml.document",
		    OOXML "wordprocessingml.document" },
		{ BYTES("<!DOCTYPE html><html>"), "image/png", NULL },
		{ BYTES("<!DOCTYPE html><html>"), NULL, "text/html" },
		{ BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>"),
		    "image/svg+xml; x", "image/svg+xml" },
		{ BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>"),
		    "image/png", NULL },
		{ BYTES("a,b\n1,2\n"), "text/csv", "text/csv" },
		{ BYTES("\0\0\0\x14"
			"ftypXAVC\0\0\0\1XAVC"),
		    "video/mp4", "video/mp4" },
		{ BYTES(EICAR), "text/plain", "text/plain" },
		{ BYTES(EICAR), NULL, "text/plain" },
		{ BYTES(""), "image/png", NULL },
		{ BYTES(""), "image/x-acme", "application/octet-stream" },
		{ BYTES("rubbish"), "image/png", NULL },
		{ BYTES("\1\2\3\4\5\6\7"), "image/jpeg", NULL },
		{ BYTES("\0"), "image/gif", NULL },
		{ BYTES("\x89PN"), "image/png", NULL },
		{ BYTES(""), NULL, "application/octet-stream" },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		struct kind kind;
		const enum trl_code rc = kinds_look(with, child, looks[i].head,
		    looks[i].len, looks[i].declared, NULL, &kind);

		assert_int_equal(
		    rc, looks[i].stored ? TRL_OK : TRL_UNSUPPORTED_MEDIA_TYPE);
		if (looks[i].stored)
			assert_string_equal(kind.type, looks[i].stored);
		assert_true(rc != TRL_OK || !kind.in_place ||
			    strncmp(kind.type, "image/", 6) == 0 ||
			    strcmp(kind.type, "video/mp4") == 0);
		trl_err_clear(with);
	}
}

/* More than it takes is cut, and one that was killed is started again. */
static void
look_at_much(trl_ctx *with, void *arg)
{
	char *much = trl_arena_zalloc(with->arena, 2 * KINDS_HEAD_MAX);
	struct kind kind;

	(void)arg;
	memcpy(much, "%PDF-1.4\n", 9);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kinds_look(with, child, much, 2 * KINDS_HEAD_MAX, NULL,
				     NULL, &kind),
		    TRL_OK);
		assert_string_equal(kind.type, "application/pdf");
		assert_int_equal(kill(trl_child_pid(child), SIGKILL), 0);
	}
}

/* Whatever it says is too long: it fails because of what it was asked. */
static void
look_in_vain(trl_ctx *with, void *arg)
{
	struct trl_child_kind mute = kinds_child;
	struct kind kind;
	trl_child *other;

	(void)arg;
	mute.reply_max = 1;
	other = trl_child_open(loop, &mute);
	assert_int_equal(
	    kinds_look(with, other, "%PDF-1.4\n", 9, "application/pdf", "a.pdf", &kind),
	    TRL_OK);
	assert_string_equal(kind.type, "application/octet-stream");
	assert_false(kind.in_place);
	trl_child_close(&other);
}

static bool
nobody_is_left(void *self)
{
	return trl_actors_alive(self) == 0;
}

static void
act(void (*run)(trl_ctx *, void *))
{
	assert_int_equal(
	    trl_spawn(loop,
		&(struct trl_spawn){ .name = "test", .run = run, .timeout_ms = 20000 }),
	    TRL_OK);
	assert_true(trl_loop_run_until(loop, nobody_is_left, loop, 20000));
}

static void
bytes_say_what_a_file_is(void **state)
{
	(void)state;
	act(look_at_all);
}

static void
much_is_looked_at_in_part_and_by_whoever_lives(void **state)
{
	(void)state;
	act(look_at_much);
}

static void
what_nobody_can_look_at_is_only_bytes(void **state)
{
	(void)state;
	act(look_in_vain);
}

static int
open_all(void **state)
{
	(void)state;
	ctx = (trl_ctx){ .arena = trl_arena_new(0) };
	loop = trl_loop_new(NULL);
	child = trl_child_open(loop, &kinds_child);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	trl_child_close(&child);
	trl_loop_free(&loop);
	trl_arena_free(&ctx.arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_more_special_is_stored_and_a_lie_is_refused),
		cmocka_unit_test(a_lie_names_both),
		cmocka_unit_test(a_type_that_is_too_long_is_none),
		cmocka_unit_test(only_what_can_do_nothing_is_shown_in_place),
		cmocka_unit_test(what_a_browser_would_run_is_never_shown_in_place),
		cmocka_unit_test(pictures_are_those_that_are_rendered),
		cmocka_unit_test(a_list_has_types_names_and_stars),
		cmocka_unit_test(what_may_be_listed_is_told_before_it_is_looked_at),
		cmocka_unit_test(
		    what_may_be_of_a_listed_star_is_told_before_it_is_looked_at),
		cmocka_unit_test(bytes_say_what_a_file_is),
		cmocka_unit_test(much_is_looked_at_in_part_and_by_whoever_lives),
		cmocka_unit_test(what_nobody_can_look_at_is_only_bytes),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
