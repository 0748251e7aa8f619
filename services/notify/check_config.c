/* check_config.c - what makes no sense in notify's settings beyond the form of each:
 * looked at before anything is opened, by a start and by --check-config, and said all
 * at once. It reaches for nobody: whether a mail server answers shows when mails go. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <trl/complain.h>
#include <trl/http_out.h>
#include <trl/origin.h>

#include "analytics/analytics.h"
#include "mail/mime.h"
#include "notify.h"

static bool
check_sender(const char *from)
{
	char name[256], address[256];

	if (notify_address_split(from, name, address))
		return true;
	trl_complain("TRELLIS_MAIL_FROM=%s is not a sender, such as \"Acme "
		     "<noreply@acme.example>\".",
	    from);
	return false;
}

static bool
check_public_url(const char *url)
{
	char origin[TRL_ORIGIN_MAX];
	const char *rest = trl_origin_read(url, origin);

	if (rest && !strpbrk(rest, " \t\r\n\"<>"))
		return true;
	trl_complain("TRELLIS_PUBLIC_URL=%s is not a URL that links can begin "
		     "with, such as https://app.acme.example.",
	    url);
	return false;
}

/* A mail server's URL holds no password, so it can be shown. */
static bool
check_mail_server(const char *url)
{
	const char *wrong = url ? trl_smtp_refused(url) : NULL;

	if (wrong)
		trl_complain("TRELLIS_SMTP_URL cannot be used: %s.", wrong);
	return !wrong;
}

static bool
check_helo(const char *helo)
{
	if (!helo || notify_is_full_name(helo))
		return true;
	trl_complain("TRELLIS_SMTP_HELO=%s is not a full host name, such as "
		     "mail.acme.example.",
	    helo);
	return false;
}

static bool
check_file(const char *name, const char *path)
{
	if (!path || access(path, R_OK) == 0)
		return true;
	trl_complain(
	    "%s names %s, which cannot be read: %s.", name, path, strerror(errno));
	return false;
}

static bool
check_cidrs(const char *cidrs)
{
	if (trl_http_out_are_cidrs(cidrs))
		return true;
	trl_complain("TRELLIS_WEBHOOK_ALLOW_CIDRS=%s is not a list of address ranges, "
		     "such as 127.0.0.0/8,fd00::/8.",
	    cidrs);
	return false;
}

static bool
check_posthog(const char *url, const trl_secret *key)
{
	char origin[TRL_ORIGIN_MAX];
	const char *rest = url ? trl_origin_read(url, origin) : "";
	bool fine = true;

	if (!rest || strpbrk(rest, " \t\r\n?#")) {
		trl_complain("TRELLIS_POSTHOG_URL=%s is not a URL, such as "
			     "https://eu.i.posthog.com.",
		    url);
		fine = false;
	}
	if (!url != !key) {
		trl_complain("%s is not set, and %s is: product events want both.",
		    url ? "TRELLIS_POSTHOG_KEY" : "TRELLIS_POSTHOG_URL",
		    url ? "TRELLIS_POSTHOG_URL" : "TRELLIS_POSTHOG_KEY");
		fine = false;
	}
	return (!key || notify_analytics_check_key(key)) && fine;
}

bool
notify_check_config(const void *values)
{
	const struct notify_config *config = values;
	bool fine = check_public_url(config->public_url);

	fine = check_sender(config->mail_from) && fine;
	fine = check_mail_server(config->smtp_url) && fine;
	fine = check_helo(config->smtp_helo) && fine;
	fine = check_file("TRELLIS_SMTP_CA", config->smtp_ca) && fine;
	fine = check_cidrs(config->webhook_allow_cidrs) && fine;
	fine = check_posthog(config->posthog_url, config->posthog_key) && fine;
	return check_file("TRELLIS_WEBHOOK_CA", config->webhook_ca) && fine;
}
