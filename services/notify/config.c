/* config.c - what notify can be told. */
#include "config.h"

static const struct trl_config_var vars[] = {
	TRL_CONFIG_STR(struct notify_config, public_url, "TRELLIS_PUBLIC_URL",
	    "http://127.0.0.1:8080",
	    "where people reach this installation; for links in mails"),
	TRL_CONFIG_STR(struct notify_config, mail_from, "TRELLIS_MAIL_FROM",
	    "Trellis <noreply@localhost>", "the sender of mails"),
	TRL_CONFIG_STR(struct notify_config, mail_folder, "TRELLIS_MAIL_FOLDER", NULL,
	    "the development mailbox; default mail/ in TRELLIS_RUN_DIR"),
	TRL_CONFIG_STR(struct notify_config, smtp_url, "TRELLIS_SMTP_URL", NULL,
	    "smtp://host:587 (STARTTLS), smtps://host:465 or smtp+plain://host:25; "
	    "unset: mails go only to the development mailbox"),
	TRL_CONFIG_STR(struct notify_config, smtp_helo, "TRELLIS_SMTP_HELO", NULL,
	    "the fully qualified name in EHLO, which should resolve to this machine; "
	    "unset: the host of TRELLIS_PUBLIC_URL, or the sender's domain if that is "
	    "not fully qualified"),
	TRL_CONFIG_STR(struct notify_config, smtp_user, "TRELLIS_SMTP_USER", NULL,
	    "the name to sign in to the mail server with"),
	TRL_CONFIG_SECRET(struct notify_config, smtp_password, "TRELLIS_SMTP_PASSWORD",
	    "its password"),
	TRL_CONFIG_STR(struct notify_config, smtp_ca, "TRELLIS_SMTP_CA", NULL,
	    "PEM file with the authorities that the mail server's certificate must "
	    "chain to; unset: the system's"),
	TRL_CONFIG_STR(struct notify_config, webhook_allow_cidrs,
	    "TRELLIS_WEBHOOK_ALLOW_CIDRS", NULL,
	    "address ranges that webhooks may reach though they are not public, also "
	    "by http and at any port: 127.0.0.0/8,10.0.0.0/8"),
	TRL_CONFIG_STR(struct notify_config, webhook_ca, "TRELLIS_WEBHOOK_CA", NULL,
	    "PEM file with the authorities that webhook receivers' certificates must "
	    "chain to; unset: the system's"),
	TRL_CONFIG_INT(struct notify_config, webhook_disable_hours,
	    "TRELLIS_WEBHOOK_DISABLE_HOURS", "72", 1, 720,
	    "a webhook endpoint is disabled after failing for this long"),
	TRL_CONFIG_STR(struct notify_config, posthog_url, "TRELLIS_POSTHOG_URL", NULL,
	    "where product events of organisations that consent go, such as "
	    "https://eu.i.posthog.com; unset: nowhere"),
	TRL_CONFIG_SECRET(struct notify_config, posthog_key, "TRELLIS_POSTHOG_KEY",
	    "the key of the project there (phc_...)"),
};

const struct trl_config_table notify_config_table =
    TRL_CONFIG_SERVICE_TABLE("notify", vars);
