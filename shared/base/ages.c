/* ages.c - the two metrics; which settings there are is known at the start. */
#include <trl/ages.h>

#include <sys/stat.h>

#include <trl/clock.h>
#include <trl/metrics.h>

void
trl_age_secret(const char *setting, const char *path)
{
	trl_metric *m = trl_gauge_new("trellis_secret_timestamp_seconds",
	    "When a secret in use was last changed: its file's, or when it was first "
	    "seen",
	    "secret", NULL);
	struct stat file;

	trl_series_set(trl_series_at(m, setting), path != NULL && stat(path, &file) == 0
						      ? (double)file.st_mtime
						      : (double)trl_wall_us() / 1e6);
}

void
trl_age_certificate(const char *setting, const char *pem, size_t len)
{
	trl_metric *m = trl_gauge_new("trellis_certificate_expiry_timestamp_seconds",
	    "When the first of the certificates in use of a setting expires; -1: "
	    "cannot be read",
	    "certificate", NULL);

	trl_series_set(
	    trl_series_at(m, setting), (double)trl_certificate_expiry(pem, len));
}
