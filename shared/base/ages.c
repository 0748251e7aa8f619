/* ages.c - the two metrics; which settings there are is known at the start. */
#include <trl/ages.h>

#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>

#include <trl/clock.h>
#include <trl/metrics.h>

enum { FILE_MAX = 4 << 20, PIECE = 65536 };

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
trl_age_certificate_file(const char *setting, const char *path)
{
	struct trl_buf text = { 0 };
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && text.len < FILE_MAX) {
		n = read(fd, trl_buf_reserve(&text, PIECE), PIECE);
		text.len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	trl_age_certificate(setting, (const char *)text.data, n < 0 ? 0 : text.len);
	trl_buf_fini(&text);
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
