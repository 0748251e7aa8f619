/* table.c - see table.h. Over 400 lines: a row a type.
 *
 * Rows are the types that people upload, those that libmagic gives in their place, and
 * those whose mistaking would do harm. Whatever else there is needs no row: it is kept
 * under the name that was declared, as an attachment. */
#include "kinds/table.h"

#include <string.h>
#include <strings.h>

#include <trl/compiler.h>

#define TEXT "text/plain"
#define XML "application/xml"
#define ZIP "application/zip"
#define OLE "application/x-ole-storage"
#define MP4 "video/mp4"
#define QUICKTIME "video/quicktime"
#define OOXML "application/vnd.openxmlformats-officedocument."
#define ODF "application/vnd.oasis.opendocument."
#define OFFICE "application/vnd.ms-"
#define DOC "application/msword"
#define SHOWN (KIND_IN_PLACE | KIND_SIGNED)

static const struct kind_row rows[] = {
	/* Pictures. */
	{ "image/png", .names = " image/x-png image/apng image/vnd.mozilla.apng ",
	    .endings = " png apng ", .flags = SHOWN | KIND_PICTURE },
	{ "image/jpeg", .names = " image/jpg image/pjpeg image/jfif image/x-jpeg ",
	    .endings = " jpg jpeg jpe jfif ", .flags = SHOWN | KIND_PICTURE },
	{ "image/gif", .names = " image/x-gif ", .endings = " gif ",
	    .flags = SHOWN | KIND_PICTURE },
	{ "image/webp", .endings = " webp ", .flags = SHOWN | KIND_PICTURE },
	{ "image/avif", MP4, QUICKTIME, .names = " image/avif-sequence ",
	    .endings = " avif avifs ", .flags = SHOWN | KIND_PICTURE | KIND_HEIF },
	{ "image/heic", MP4, QUICKTIME,
	    .names = " image/heif image/heic-sequence image/heif-sequence ",
	    .endings = " heic heif heics heifs ",
	    .flags = KIND_SIGNED | KIND_PICTURE | KIND_HEIF },
	{ "image/bmp", .names = " image/x-ms-bmp image/x-bmp image/x-win-bitmap ",
	    .endings = " bmp dib ", .flags = SHOWN },
	{ "image/x-icon", .names = " image/vnd.microsoft.icon image/ico ",
	    .endings = " ico ", .flags = SHOWN },
	{ "image/jxl", .endings = " jxl ", .flags = KIND_SIGNED },
	{ "image/tiff", .names = " image/tif image/x-tiff ", .endings = " tif tiff ",
	    .flags = KIND_SIGNED },
	{ "image/x-adobe-dng", "image/tiff", .names = " image/dng ",
	    .endings = " dng " },
	{ "image/x-nikon-nef", "image/tiff", .endings = " nef " },
	{ "image/x-sony-arw", "image/tiff", .endings = " arw " },
	{ "image/x-canon-cr2", "image/tiff", .endings = " cr2 " },
	{ "image/x-canon-cr3", MP4, QUICKTIME, .endings = " cr3 " },
	{ "image/vnd.adobe.photoshop",
	    .names = " image/psd image/x-photoshop image/x-psd application/psd "
		     "application/photoshop application/x-photoshop ",
	    .endings = " psd ", .flags = KIND_SIGNED },

	/* Sound and film. What the boxes of ISO 14496-12 hold, libmagic guesses. */
	{ MP4, .names = " video/x-m4v application/mp4 ", .endings = " mp4 m4v ",
	    .flags = SHOWN | KIND_GUESSED },
	{ QUICKTIME, MP4, .endings = " mov qt ", .flags = KIND_SIGNED },
	{ "audio/mp4", MP4, QUICKTIME,
	    .names = " audio/x-m4a audio/m4a audio/x-m4b audio/x-mp4 ",
	    .endings = " m4a m4b ", .flags = SHOWN },
	{ "video/3gpp", MP4, QUICKTIME, .names = " video/3gp audio/3gpp ",
	    .endings = " 3gp ", .flags = KIND_SIGNED },
	{ "video/3gpp2", MP4, QUICKTIME, .names = " video/3g2 audio/3gpp2 ",
	    .endings = " 3g2 ", .flags = KIND_SIGNED },
	{ "audio/aac", MP4,
	    .names = " audio/x-aac audio/aacp audio/x-hx-aac-adts audio/x-hx-aac-adif "
		     "audio/vnd.dlna.adts ",
	    .endings = " aac ", .flags = KIND_IN_PLACE },
	{ "application/ogg", .names = " application/x-ogg ", .endings = " ogx ",
	    .flags = KIND_SIGNED | KIND_GUESSED },
	{ "audio/ogg", "application/ogg",
	    .names = " audio/x-ogg audio/opus audio/vorbis audio/x-opus+ogg ",
	    .endings = " ogg oga opus ", .flags = SHOWN },
	{ "video/ogg", "application/ogg", .names = " video/x-ogg ", .endings = " ogv ",
	    .flags = SHOWN },
	{ "video/x-matroska", .names = " application/x-matroska video/matroska ",
	    .endings = " mkv ", .flags = KIND_SIGNED | KIND_GUESSED },
	{ "audio/x-matroska", "video/x-matroska", .endings = " mka ",
	    .flags = KIND_SIGNED },
	{ "video/webm", "video/x-matroska", .endings = " webm ", .flags = SHOWN },
	{ "audio/webm", "video/x-matroska", .endings = " weba ", .flags = SHOWN },
	/* Frames without a head are found by chance. */
	{ "audio/mpeg", .names = " audio/mp3 audio/x-mp3 audio/x-mpeg audio/mpeg3 ",
	    .endings = " mp3 ", .flags = KIND_IN_PLACE },
	{ "audio/wav",
	    .names = " audio/x-wav audio/wave audio/vnd.wave audio/x-pn-wav "
		     "audio/vnd.dlna.wav ",
	    .endings = " wav ", .flags = SHOWN },
	{ "audio/flac", .names = " audio/x-flac ", .endings = " flac ",
	    .flags = SHOWN },
	{ "audio/midi", .names = " audio/mid audio/x-midi ", .endings = " mid midi ",
	    .flags = KIND_SIGNED },
	{ "audio/aiff", .names = " audio/x-aiff ", .endings = " aif aiff ",
	    .flags = KIND_SIGNED },
	{ "audio/amr", .endings = " amr ", .flags = KIND_SIGNED },
	{ "video/x-ms-asf", .names = " video/x-ms-wmv audio/x-ms-wma ",
	    .endings = " asf wmv wma ", .flags = KIND_SIGNED },
	{ "video/x-msvideo", .names = " video/avi video/msvideo ", .endings = " avi ",
	    .flags = KIND_SIGNED },
	{ "video/x-flv", .endings = " flv ", .flags = KIND_SIGNED },
	{ "video/mpeg", .names = " video/x-mpeg ", .endings = " mpg mpeg " },
	{ "video/mp2t", .names = " video/vnd.dlna.mpeg-tts ", .endings = " mts m2ts " },

	/* Text: what is in it libmagic only guesses. Nothing of it is shown in place.
	 */
	{ TEXT, .names = " text/x-unknown text/ascii ", .endings = " txt text log ",
	    .flags = KIND_GUESSED | KIND_COMMON },
	{ "text/csv", TEXT,
	    .names = " application/csv application/x-csv text/x-csv "
		     "text/comma-separated-values text/x-comma-separated-values ",
	    .endings = " csv " },
	{ "text/tab-separated-values", TEXT, .endings = " tsv " },
	{ "text/markdown", TEXT, .names = " text/x-markdown ",
	    .endings = " md markdown " },
	{ "text/css", TEXT, .endings = " css " },
	{ "text/javascript", TEXT,
	    .names = " application/javascript application/x-javascript "
		     "application/ecmascript text/ecmascript ",
	    .endings = " js mjs cjs " },
	{ "application/typescript", TEXT,
	    .names = " text/typescript text/x-typescript ", .endings = " ts tsx " },
	{ "application/x-bat", TEXT, .names = " application/bat ",
	    .endings = " bat cmd " },
	{ "application/vnd.apple.mpegurl", TEXT,
	    .names = " application/x-mpegurl audio/mpegurl audio/x-mpegurl ",
	    .endings = " m3u m3u8 " },
	{ "audio/x-scpls", TEXT, .names = " audio/scpls ", .endings = " pls " },
	{ "application/json", TEXT, .names = " text/json application/x-json ",
	    .endings = " json map " },
	{ "application/ld+json", "application/json", .endings = " jsonld " },
	{ "application/geo+json", "application/json", .endings = " geojson " },
	{ "application/x-ndjson", TEXT,
	    .names = " application/ndjson application/jsonl application/x-jsonlines ",
	    .endings = " ndjson jsonl " },
	{ "application/yaml", TEXT,
	    .names = " application/x-yaml text/yaml text/x-yaml ",
	    .endings = " yaml yml " },
	{ "application/toml", TEXT, .endings = " toml " },
	{ "application/sql", TEXT, .names = " text/x-sql ", .endings = " sql " },
	{ "application/x-sh", TEXT,
	    .names = " text/x-shellscript application/x-shellscript ",
	    .endings = " sh bash " },
	{ "text/calendar", TEXT, .endings = " ics ifb " },
	{ "text/vcard", TEXT, .names = " text/x-vcard text/directory ",
	    .endings = " vcf vcard " },
	{ "text/vtt", TEXT, .endings = " vtt " },
	{ "application/x-subrip", TEXT, .names = " text/srt application/srt ",
	    .endings = " srt " },
	{ "application/rtf", TEXT, .names = " text/rtf text/richtext ",
	    .endings = " rtf " },
	{ "application/x-tex", TEXT, .names = " text/x-tex application/x-latex ",
	    .endings = " tex latex " },
	{ "application/postscript", TEXT,
	    .names = " image/x-eps application/eps image/eps ", .endings = " ps eps " },
	{ "application/pgp-signature", TEXT, .endings = " asc " },
	{ "application/x-pem-file", TEXT, .names = " application/x-x509-ca-cert ",
	    .endings = " pem crt " },
	{ "image/vnd.dxf", TEXT, .names = " application/dxf image/x-dxf ",
	    .endings = " dxf " },
	{ "model/obj", TEXT, .endings = " obj " },
	{ "model/stl", TEXT, .names = " application/sla ", .endings = " stl " },
	{ "model/gltf+json", "application/json", .endings = " gltf " },
	{ "text/html", TEXT, .endings = " html htm " },
	{ "message/rfc822", TEXT, .endings = " eml " },
	{ "multipart/related", "message/rfc822",
	    .names = " application/x-mimearchive message/mhtml ",
	    .endings = " mhtml mht " },
	{ XML, TEXT, "text/html", .names = " text/xml application/x-xml ",
	    .endings = " xml xsd " },
	{ "application/xslt+xml", XML, .names = " text/xsl ", .endings = " xsl xslt " },
	{ "application/xhtml+xml", XML, .endings = " xhtml xht " },
	{ "image/svg+xml", XML, .names = " image/svg image/svg-xml ",
	    .endings = " svg " },
	{ "application/rss+xml", XML, .endings = " rss " },
	{ "application/atom+xml", XML, .endings = " atom " },
	{ "application/gpx+xml", XML, .names = " application/gpx ",
	    .endings = " gpx " },
	{ "application/vnd.google-earth.kml+xml", XML, .endings = " kml " },

	/* In ZIP archives. With a password Office puts them into an OLE file. */
	{ ZIP,
	    .names = " application/x-zip-compressed application/x-zip "
		     "application/zip-compressed ",
	    .endings = " zip ", .flags = KIND_SIGNED | KIND_COMMON },
	{ OOXML "wordprocessingml.document", ZIP, OLE, .endings = " docx ",
	    .flags = KIND_SIGNED },
	{ OOXML "spreadsheetml.sheet", ZIP, OLE, .endings = " xlsx ",
	    .flags = KIND_SIGNED },
	{ OOXML "presentationml.presentation", ZIP, OLE, .endings = " pptx ",
	    .flags = KIND_SIGNED },
	{ OOXML "wordprocessingml.template", OOXML "wordprocessingml.document",
	    .endings = " dotx ", .flags = KIND_SIGNED },
	{ OOXML "spreadsheetml.template", OOXML "spreadsheetml.sheet",
	    .endings = " xltx ", .flags = KIND_SIGNED },
	{ OOXML "presentationml.template", OOXML "presentationml.presentation",
	    .endings = " potx ", .flags = KIND_SIGNED },
	{ OOXML "presentationml.slideshow", OOXML "presentationml.presentation",
	    .endings = " ppsx ", .flags = KIND_SIGNED },
	{ OFFICE "word.document.macroenabled.12", OOXML "wordprocessingml.document",
	    .endings = " docm ", .flags = KIND_SIGNED },
	{ OFFICE "excel.sheet.macroenabled.12", OOXML "spreadsheetml.sheet",
	    .endings = " xlsm ", .flags = KIND_SIGNED },
	{ OFFICE "excel.sheet.binary.macroenabled.12", OOXML "spreadsheetml.sheet",
	    .endings = " xlsb ", .flags = KIND_SIGNED },
	{ OFFICE "powerpoint.presentation.macroenabled.12",
	    OOXML "presentationml.presentation", .endings = " pptm ",
	    .flags = KIND_SIGNED },
	{ ODF "text", ZIP, .endings = " odt ", .flags = KIND_SIGNED },
	{ ODF "spreadsheet", ZIP, .endings = " ods ", .flags = KIND_SIGNED },
	{ ODF "presentation", ZIP, .endings = " odp ", .flags = KIND_SIGNED },
	{ ODF "graphics", ZIP, .endings = " odg ", .flags = KIND_SIGNED },
	{ ODF "formula", ZIP, .endings = " odf ", .flags = KIND_SIGNED },
	{ "application/epub+zip", ZIP, .endings = " epub ", .flags = KIND_SIGNED },
	{ "application/java-archive", ZIP,
	    .names = " application/x-java-archive application/x-jar ",
	    .endings = " jar war ear ", .flags = KIND_SIGNED },
	{ "application/vnd.android.package-archive", "application/java-archive",
	    .endings = " apk ", .flags = KIND_SIGNED },
	{ "application/x-ios-app", ZIP, .endings = " ipa ", .flags = KIND_SIGNED },
	{ "application/vnd.google-earth.kmz", ZIP, .endings = " kmz ",
	    .flags = KIND_SIGNED },
	{ "application/vnd.comicbook+zip", ZIP,
	    .names = " application/x-cbz application/vnd.comicbook ",
	    .endings = " cbz ", .flags = KIND_SIGNED },
	{ OFFICE "visio.drawing", ZIP,
	    .names = " application/vnd.ms-visio.drawing.main+xml ", .endings = " vsdx ",
	    .flags = KIND_SIGNED },
	{ "image/openraster", ZIP, .endings = " ora ", .flags = KIND_SIGNED },
	{ "model/3mf", ZIP, .endings = " 3mf ", .flags = KIND_SIGNED },
	{ "application/x-xpinstall", ZIP, .endings = " xpi ", .flags = KIND_SIGNED },

	/* In OLE files, of which a part tells little. Systems call those of later
	 * Offices by the names of the first, whose files are not always such, either.
	 */
	{ OLE,
	    .names = " application/cdfv2 application/cdfv2-corrupt "
		     "application/cdfv2-encrypted application/cdfv2-unknown "
		     "application/encrypted application/vnd.ms-office ",
	    .flags = KIND_SIGNED | KIND_GUESSED | KIND_COMMON },
	{ DOC, OLE, "application/rtf", XML,
	    .names = " application/x-msword application/vnd.ms-word ",
	    .endings = " doc dot " },
	{ OFFICE "excel", OLE, "text/csv", XML,
	    .names = " application/msexcel application/x-msexcel application/excel "
		     "application/vnd.msexcel ",
	    .endings = " xls xlt " },
	{ OFFICE "powerpoint", OLE, .names = " application/mspowerpoint ",
	    .endings = " ppt pps " },
	{ OFFICE "outlook", OLE,
	    .names = " application/x-ms-msg application/msoutlook ", .endings = " msg ",
	    .flags = KIND_SIGNED },
	{ OFFICE "publisher", OLE, .names = " application/x-mspublisher ",
	    .endings = " pub ", .flags = KIND_SIGNED },
	{ OFFICE "project", OLE, .endings = " mpp ", .flags = KIND_SIGNED },
	{ "application/vnd.visio", OLE, .endings = " vsd " },
	{ "application/x-msi", OLE, .names = " application/x-ole-msi ",
	    .endings = " msi ", .flags = KIND_SIGNED },

	/* Others that begin as nothing else does. */
	{ "application/pdf",
	    .names = " application/x-pdf text/pdf text/x-pdf application/acrobat "
		     "application/vnd.pdf applications/vnd.pdf application/nappdf ",
	    .endings = " pdf ", .flags = KIND_SIGNED },
	{ "application/illustrator", "application/pdf", "application/postscript",
	    .names = " application/vnd.adobe.illustrator ", .endings = " ai ",
	    .flags = KIND_SIGNED },
	{ "application/gzip", .names = " application/x-gzip ", .endings = " gz ",
	    .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/x-compressed-tar", "application/gzip",
	    .names = " application/x-tgz ", .endings = " tgz " },
	{ "image/svg+xml-compressed", "application/gzip", .endings = " svgz " },
	{ "application/x-tar", .names = " application/x-gtar application/x-ustar ",
	    .endings = " tar ", .flags = KIND_COMMON },
	{ "application/x-bzip2", .names = " application/x-bzip ", .endings = " bz2 ",
	    .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/x-xz", .endings = " xz ", .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/zstd", .names = " application/x-zstd ", .endings = " zst ",
	    .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/x-7z-compressed", .endings = " 7z ",
	    .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/vnd.rar",
	    .names = " application/x-rar application/x-rar-compressed "
		     "application/rar ",
	    .endings = " rar ", .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/vnd.sqlite3", .names = " application/x-sqlite3 ",
	    .endings = " sqlite sqlite3 ", .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/vnd.microsoft.portable-executable",
	    .names = " application/x-dosexec application/x-msdownload "
		     "application/x-msdos-program application/x-ms-ne-executable "
		     "application/x-ms-dos-executable application/exe "
		     "application/x-exe ",
	    .endings = " exe dll ", .flags = KIND_COMMON },
	{ "application/x-elf",
	    .names = " application/x-executable application/x-sharedlib "
		     "application/x-object application/x-pie-executable ",
	    .endings = " so ", .flags = KIND_SIGNED | KIND_COMMON },
	{ "application/x-mach-binary", .flags = KIND_SIGNED },
	{ "application/wasm", .endings = " wasm ", .flags = KIND_SIGNED },
	{ "application/vnd.debian.binary-package",
	    .names = " application/x-debian-package application/x-deb ",
	    .endings = " deb ", .flags = KIND_SIGNED },
	{ "font/ttf",
	    .names = " font/sfnt application/font-sfnt application/x-font-ttf ",
	    .endings = " ttf ", .flags = KIND_SIGNED },
	{ "font/otf", "font/ttf",
	    .names = " application/vnd.ms-opentype application/x-font-otf ",
	    .endings = " otf ", .flags = KIND_SIGNED },
	{ "font/collection", "font/ttf", "font/otf", .endings = " ttc otc " },
	{ "font/woff", .names = " application/font-woff application/x-font-woff ",
	    .endings = " woff ", .flags = KIND_SIGNED },
	{ "font/woff2", .names = " application/font-woff2 application/x-font-woff2 ",
	    .endings = " woff2 ", .flags = KIND_SIGNED },
};

/* Whether a list of words, each between spaces, has one. */
static bool
has_word(const char *words, const char *word, size_t len)
{
	for (const char *at = words; at && at[1];) {
		const size_t n = strcspn(at + 1, " ");

		if (n == len && strncasecmp(at + 1, word, len) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

const struct kind_row *
kind_row_of(const char *type, size_t len)
{
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (strncasecmp(rows[i].type, type, len) == 0 && !rows[i].type[len])
			return &rows[i];
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (has_word(rows[i].names, type, len))
			return &rows[i];
	return NULL;
}

const struct kind_row *
kind_row_ending(const char *ending)
{
	for (size_t i = 0; i < TRL_COUNT(rows); i++)
		if (has_word(rows[i].endings, ending, strlen(ending)))
			return &rows[i];
	return NULL;
}

static const struct kind_row *
row_named(const char *type)
{
	return type ? kind_row_of(type, strlen(type)) : NULL;
}

bool
kind_row_beneath(const struct kind_row *row, const struct kind_row *above)
{
	const char *const ups[] = { row->beneath, row->also, row->third };

	for (size_t i = 0; i < TRL_COUNT(ups); i++) {
		const struct kind_row *up = row_named(ups[i]);

		if (up && (up == above || kind_row_beneath(up, above)))
			return true;
	}
	return false;
}

const struct kind_row *
kind_row_root(const struct kind_row *row)
{
	const struct kind_row *up;

	while ((up = row_named(row->beneath)))
		row = up;
	return row;
}

const struct kind_row *
kind_row_text(void)
{
	return row_named(TEXT);
}
